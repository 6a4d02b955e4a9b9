"""Numbers and names that holders carry: what is formally right, and what counts as the same.

Resident identity numbers follow GB 11643, unified social credit codes GB 32100, and what organisations had before 2015
GB 11714 and GS 15-2006. What was written is kept as it was written; only checks and comparisons fold it.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from operator import mul

from stdnum.cn import ric
from stdnum.iso7064 import mod_11_10


class NumberKind(StrEnum):
    """Which kind of number names a holder."""

    RESIDENT = "公民身份号码"
    CREDIT_CODE = "统一社会信用代码"
    PASSPORT = "护照"
    HONG_KONG_MACAO_PERMIT = "港澳居民来往内地通行证"
    TAIWAN_PERMIT = "台湾居民来往大陆通行证"
    PERMANENT_RESIDENCE = "外国人永久居留身份证"
    REGISTRATION_NUMBER = "工商注册号"
    ORGANISATION_CODE = "组织机构代码"

    @property
    def of_organisation(self) -> bool:
        """Whether it names an organisation; all others name a natural person."""
        return self in _OF_ORGANISATIONS


NUMBERS_BEFORE_2015 = frozenset({NumberKind.REGISTRATION_NUMBER, NumberKind.ORGANISATION_CODE})
"""Kinds that stand on old paper only: whoever has one was given a unified social credit code since."""
_OF_ORGANISATIONS = (NumberKind.CREDIT_CODE, *NUMBERS_BEFORE_2015)


class NumberFault(StrEnum):
    """What keeps a text from being a number."""

    SHAPE = "shape"
    ON_PAPER_ONLY = "on-paper-only"
    BIRTH_DATE = "birth-date"
    CHECK = "check"


class NumberError(ValueError):
    """Text that is no such number, said in Chinese."""

    def __init__(self, sentence: str, fault: NumberFault) -> None:
        super().__init__(sentence)
        self.fault = fault


_CREDIT_CODE_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_CODE_VALUES = {character: value for value, character in enumerate(_CREDIT_CODE_ALPHABET)}
_CREDIT_CODE_WEIGHTS = tuple(3**place % 31 for place in range(17))
# The provinces of GB/T 2260, and 83 for residence permits of people from Taiwan.
_PROVINCES = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")
_MIDDLE_DOTS = str.maketrans("•‧・∙⋅", "·····")


@dataclass(frozen=True, slots=True)
class ResidentNumber:
    """A resident identity number in 18 characters, how it was written, and what a clerk should know of it."""

    number: str
    original: str
    remark: str

    @property
    def born_on(self) -> date:
        return date.fromisoformat(self.number[6:14])

    @property
    def male(self) -> bool:
        """What the 17th digit says: odd ones are men's."""
        return self.number[16] in "13579"


def parse_resident_number(text: str, *, on_paper: bool = False) -> ResidentNumber:
    """The resident identity number in ``text``: length, date and check character are right.

    Old numbers of 15 digits stand on paper certificates only (``on_paper``) and are converted: 19 goes before their
    year, the check character after them. Raises ``NumberError``.

    An unknown region is a remark and no more. ``stdnum.cn.ric.validate`` must not decide: its list of regions lacks
    330603, which is Keqiao.

    >>> parse_resident_number("11010519491231002x").number
    '11010519491231002X'
    >>> parse_resident_number("440524188001010014").born_on
    datetime.date(1880, 1, 1)
    >>> old = parse_resident_number("110105491231002", on_paper=True)
    >>> old.number, old.original
    ('11010519491231002X', '110105491231002')
    """
    written = _folded(text)
    if re.fullmatch(r"\d{15}|\d{17}[\dX]", written, re.ASCII) is None:
        raise NumberError("公民身份号码应为17位数字加1位校验位（数字或X），请核对。", NumberFault.SHAPE)
    old = len(written) == 15
    if old and not on_paper:
        raise NumberError("15位旧身份号码只在补录纸质证照时接受，请填18位公民身份号码。", NumberFault.ON_PAPER_ONLY)
    number = f"{written[:6]}19{written[6:]}" if old else written[:17]
    try:
        date.fromisoformat(number[6:14])
    except ValueError:
        raise NumberError("公民身份号码中的出生日期不存在，请核对。", NumberFault.BIRTH_DATE) from None
    number += str(ric.calc_check_digit(f"{number}0"))
    if not old and number != written:
        raise NumberError("公民身份号码的校验位不符，可能有抄写错误，请核对。", NumberFault.CHECK)
    remarks = ["由15位旧号码换算"] if old else []
    if not _PROVINCES.match(number):
        remarks.append(f"地区代码{number[:6]}未知，请核对证件种类")
    return ResidentNumber(number, text, "；".join(remarks))


def parse_credit_code(text: str) -> str:
    """The unified social credit code in ``text``, 18 characters. Raises ``NumberError``.

    ``stdnum.cn.uscc.validate`` does not decide either: it refuses codes that begin with a letter, as those of rural
    collectives (N2) do. Nor does it compute: files of a million rows want a check in one microsecond.

    >>> parse_credit_code(" 91110000600037341l ")
    '91110000600037341L'
    """
    code = _folded(text)
    if len(code) != 18 or not _CREDIT_CODE_VALUES.keys() >= set(code) or not code[2:8].isdigit():
        raise NumberError("统一社会信用代码应为18位数字或大写字母（不含I、O、S、V、Z），请核对。", NumberFault.SHAPE)
    weighted = sum(map(mul, _CREDIT_CODE_WEIGHTS, map(_CREDIT_CODE_VALUES.__getitem__, code)))
    if _CREDIT_CODE_ALPHABET[-weighted % 31] != code[17]:
        raise NumberError("统一社会信用代码的校验位不符，可能有抄写错误，请核对。", NumberFault.CHECK)
    return code


def parse_registration_number(text: str) -> str:
    """The business registration number (工商注册号) in ``text``, 15 digits, as given from 2007 to 2015.

    Its last digit is ISO 7064 MOD 11,10 over the others (GS 15-2006). Raises ``NumberError``.

    >>> parse_registration_number("330603 00001234 9")
    '330603000012349'
    """
    number = _folded(text)
    if re.fullmatch(r"\d{15}", number, re.ASCII) is None:
        raise NumberError("工商注册号应为15位数字，请核对；有统一社会信用代码的，请填代码。", NumberFault.SHAPE)
    if str(mod_11_10.calc_check_digit(number[:14])) != number[14]:
        raise NumberError("工商注册号的校验位不符，可能有抄写错误，请核对。", NumberFault.CHECK)
    return number


def parse_organisation_code(text: str) -> str:
    """The organisation code (组织机构代码, GB 11714) in ``text`` as ``XXXXXXXX-X``, written with or without its hyphen.

    Raises ``NumberError``.

    >>> parse_organisation_code("d2143569x"), parse_organisation_code("D2143569－X")
    ('D2143569-X', 'D2143569-X')
    """
    code = _folded(text)
    if re.fullmatch(r"[0-9A-Z]{8}-?[0-9X]", code) is None:
        raise NumberError("组织机构代码应为8位数字或大写字母加1位校验位（数字或X），请核对。", NumberFault.SHAPE)
    weighted = sum(
        int(character, 36) * weight for character, weight in zip(code[:8], (3, 7, 9, 10, 5, 8, 4, 2), strict=True)
    )
    if "0123456789X"[-weighted % 11] != code[-1]:
        raise NumberError("组织机构代码的校验位不符，可能有抄写错误，请核对。", NumberFault.CHECK)
    return f"{code[:8]}-{code[-1]}"


def same_name(one: str, other: str) -> bool:
    """Whether two names are the same but for width, case, spaces and the middle dot that a keyboard happened to have.

    >>> same_name("ＡＢＣ（绍兴）有限公司", "abc(绍兴) 有限公司"), same_name("买买提·艾力", "买买提•艾力")
    (True, True)
    """
    return comparable_name(one) == comparable_name(other)


def comparable_name(name: str) -> str:
    """What ``same_name`` compares: for looking a name up among many.

    >>> comparable_name("ＡＢＣ（绍兴） 有限公司")
    'abc(绍兴)有限公司'
    """
    return "".join(unicodedata.normalize("NFKC", name).translate(_MIDDLE_DOTS).casefold().split())


def _folded(text: str) -> str:
    folded = "".join(unicodedata.normalize("NFKC", text).split())
    # Before upper(), which makes ASCII letters of others.
    return folded.upper() if folded.isascii() else ""
