"""Electronic certificates: identifiers with their check characters, versions, and what may be shown of a person.

Identifiers follow GB/T 36904: ``1.2.156.3005.2.<type>.<issuer>.<serial>.<version>.<check>``, the check character being
ISO 7064 MOD 37,36 over the four parts before it without their dots. A second way of computing it is in the field, so
the verdict on a check character has three values (``Verdict``).
"""

import re
import string
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from stdnum.iso7064 import mod_37_36

ROOT_OID = "1.2.156.3005.2"
_ALPHABET = string.digits + string.ascii_uppercase
VARIANT_REMARK = "电子证照标识的校验位按另一种在用算法相符，但不符合GB/T 36904；标识照原样保留，请向颁证机构核对。"
"""What is said of an identifier, and kept with it, whose check character is not the standard's."""


class Level(StrEnum):
    """Where a certificate type's data come from, which is who answers for them."""

    DISTRICT = "district"
    CITY = "city"
    PROVINCE = "province"


class CertificateState(StrEnum):
    VALID = "valid"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"


STATE_NAMES = {
    CertificateState.VALID: "有效",
    CertificateState.EXPIRED: "已过期",
    CertificateState.SUSPENDED: "已暂停",
    CertificateState.REVOKED: "已吊销或撤销",
}
"""The states that somebody decides on, as people read them; a superseded version was replaced, not judged."""


class Verdict(StrEnum):
    """What the check character says of an identifier. Only ``ISO`` is valid by the standard."""

    ISO = "iso"
    VARIANT = "variant"
    FAIL = "fail"


class IdentifierError(ValueError):
    """Text that is no certificate identifier, said in Chinese."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """The four parts of an identifier that its check character covers, and which algorithm made that character.

    >>> str(Identifier("11100000000013338W009", "11330105002500287C", "2025052201", "002"))
    '1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0'
    """

    type_code: str
    issuer_code: str
    serial: str
    version: str
    variant: bool = False
    """The check character is the second algorithm's: kept as it came, so that its source knows its own identifier."""

    @property
    def root(self) -> str:
        """What all versions of one certificate share."""
        return f"{ROOT_OID}.{self.type_code}.{self.issuer_code}.{self.serial}"

    @property
    def check(self) -> str:
        covered = self.type_code + self.issuer_code + self.serial + self.version
        return _variant_check(covered) if self.variant else str(mod_37_36.calc_check_digit(covered))

    def __str__(self) -> str:
        return f"{self.root}.{self.version}.{self.check}"

    def next_version(self) -> "Identifier":
        """The identifier of the version that replaces this one, made by the standard whoever made this one.

        ``IdentifierError`` after version 999.
        """
        if self.version == "999":
            raise IdentifierError(f"证照{self.root}已有999个版本，不能再更正；请联系颁证机构换发。")
        return Identifier(self.type_code, self.issuer_code, self.serial, f"{int(self.version) + 1:03}")


def _variant_check(covered: str) -> str:
    """The check character of the second algorithm, which counts letters from 11 and reduces by what it just read.

    It is written down nowhere; this is what a vendor's code does, and what alone explains some identifiers in use.
    """
    product = 36
    for character in covered:
        value = _ALPHABET.index(character) + character.isalpha()
        total = product + value
        if character.isalpha() and total > 37:
            total %= 37
        product = 2 * (total % 36 or 36) % 37
    return _ALPHABET[36 - product]


def parse_identifier(text: str) -> Identifier:
    """The identifier in ``text`` (any case, full-width letters and spaces allowed), by either check character.

    Raises ``IdentifierError`` for a wrong shape or a check character that neither algorithm gives.

    >>> parse_identifier("1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9").version
    '001'
    """
    folded = "".join(unicodedata.normalize("NFKC", text).split())
    # Before upper(), which makes ASCII letters of others.
    parts = folded.upper().removeprefix(f"{ROOT_OID}.").split(".") if folded.isascii() else []
    if not folded.startswith(f"{ROOT_OID}.") or len(parts) != 5 or not all(part.isalnum() for part in parts):
        raise IdentifierError(
            "电子证照标识应为1.2.156.3005.2.类型代码.颁证机构代码.流水号.版本号.校验位，请核对后重填。"
        )
    type_code, issuer_code, serial, version, check = parts
    if len(type_code) != 21 or len(version) != 3 or not version.isdigit():
        raise IdentifierError("电子证照标识的类型代码应为21位、版本号应为3位数字，请核对后重填。")
    for variant in (False, True):
        identifier = Identifier(type_code, issuer_code, serial, version, variant)
        if identifier.check == check:
            return identifier
    raise IdentifierError("电子证照标识的校验位不符，可能有抄写错误，请核对后重填。")


def judge_identifier(text: str) -> tuple[Verdict, str]:
    """Whether ``text`` is an identifier by the standard, by the second algorithm only, or not at all; and why.

    >>> judge_identifier("1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.Z")[0].value
    'variant'
    """
    try:
        identifier = parse_identifier(text)
    except IdentifierError as error:
        return Verdict.FAIL, str(error)
    if identifier.variant:
        return Verdict.VARIANT, VARIANT_REMARK
    return Verdict.ISO, "校验位符合GB/T 36904（ISO 7064 MOD 37,36）。"


def mask_name(name: str) -> str:
    """A person's or organisation's name as notices and forms may show it (policy: no binding masking rule exists). Of
    several names, however they are set apart, each is masked.

    >>> mask_name("张三丰"), mask_name("李四"), mask_name("绍兴柯桥某某纺织有限公司")
    ('张*丰', '李*', '绍兴****有限公司')
    >>> mask_name("郭子涵、鲁国栋"), mask_name("郭子涵 鲁国栋"), mask_name("John Smith")
    ('郭*涵、鲁*栋', '郭*涵 鲁*栋', 'Jo****mith')
    >>> mask_name("郭子涵、欧阳和平和鲁国栋"), mask_name("")
    ('郭*涵、欧*平和鲁*栋', '*')
    """
    # What stands between the names comes along, at the odd places.
    parts = _BETWEEN_NAMES.split(name.strip())
    return "".join(part if place % 2 else _mask_one(part.strip()) for place, part in enumerate(parts))


_CHINESE = r"[\u2e80-\u9fff]"
_BETWEEN_NAMES = re.compile(rf"([、；;，,/／|｜&＆+＋]|(?<={_CHINESE})\s+(?={_CHINESE}))")
_ONE_AND_ANOTHER = re.compile(rf"({_CHINESE}{{2,4}})([和与及])({_CHINESE}{{2,4}})")


def _mask_one(name: str) -> str:
    if found := _ONE_AND_ANOTHER.fullmatch(name):
        return f"{_mask_one(found[1])}{found[2]}{_mask_one(found[3])}"
    if len(name) > 6:
        return f"{name[:2]}****{name[-4:]}"
    return f"{name[:1]}*{name[2:][-1:]}"


def mask_number(number: str) -> str:
    """A number with only its region and its last four characters; short ones keep their last two.

    >>> mask_number("330603199001011234"), mask_number("12345678")
    ('330603********1234', '******78')
    """
    number = number.strip()
    if len(number) >= 15:
        return f"{number[:6]}{'*' * (len(number) - 10)}{number[-4:]}"
    return "*" * max(0, len(number) - 2) + number[-2:]
