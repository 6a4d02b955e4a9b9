"""Telephone numbers and e-mail addresses as settings, registers, forms and interfaces take them."""

import re
import unicodedata
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field

from runtime.refusals import InputError
from runtime.words import Words

PHONE = r"^\+?[0-9][0-9 -]{5,19}$"
MOBILE = re.compile(r"(?:\+86|(?:00)?86)?(1[3-9][0-9]{9})")
"""A mobile number of the mainland, with or without its country code."""
LONGEST_ADDRESS = 254
"""Characters (RFC 5321, 4.5.3.1.3: a path of 256 with its angle brackets)."""
EXAMPLE = "zhang@example.cn"
_UNSEEN = re.compile("[\u200b-\u200f\u2060-\u2064\ufeff]")
"""Marks of width zero, which come along with what is copied from a page."""
_SEVERAL = re.compile("[,;、]")
_BESIDE = re.compile(r"""[\s<>()"':]""")


class AddressError(InputError):
    """Text that is not one e-mail address that can be written to. ``str()`` says in Chinese what is wrong with it, for
    the field's name to stand before, and never the text itself."""


def plain_address(text: str) -> str:
    """The one e-mail address in ``text``, as it was typed but for its domain in small letters (one in Chinese in the
    ASCII form that mail servers know, IDNA), full-width characters and blanks around it.

    Raises ``AddressError``. In front of the @ it is ASCII, since few mail servers take anything else (RFC 6531). Nobody
    asks whether the domain is there: that it is away today says nothing about the address.

    >>> plain_address(" Zhang.San＠Mail.Example.CN "), plain_address("zhang@例子.cn")
    ('Zhang.San@mail.example.cn', 'zhang@xn--fsqu00a.cn')
    >>> plain_address("wang@kq")
    Traceback (most recent call last):
    runtime.contacts.AddressError: 格式不对（@后面须是能收信的完整域名），应如zhang@example.cn
    """
    bare = text.strip()
    if len(bare) > LONGEST_ADDRESS:
        raise _none(f"超过{LONGEST_ADDRESS}个字符")
    bare = unicodedata.normalize("NFKC", _UNSEEN.sub("", bare)).strip()
    try:
        return _parsed(bare)
    except EmailNotValidError:
        raise _none(_why_none(bare)) from None


def can_be_written_to(text: str) -> bool:
    """Whether an address that is kept somewhere is one."""
    try:
        plain_address(text)
    except AddressError:
        return False
    return True


def mobile_number(text: str) -> str | None:
    """The mobile number in a telephone number as it was typed, which text messages can be sent to; ``None`` for any
    other.

    >>> mobile_number("+86 138-0000-0000"), mobile_number("008615600000000"), mobile_number("18500000000")
    ('13800000000', '15600000000', '18500000000')
    >>> mobile_number("0575-84120001"), mobile_number("zhang@example.cn"), mobile_number("138000000001")
    (None, None, None)
    """
    found = MOBILE.fullmatch(re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text)))
    return found[1] if found else None


def _parsed(text: str) -> str:
    found = validate_email(text, check_deliverability=False, allow_smtputf8=False, strict=True)
    return f"{found.local_part}@{found.ascii_domain}"


def _none(why: str) -> AddressError:
    return AddressError(f"格式不对（{why}），应如{EXAMPLE}")


def _why_none(text: str) -> str:
    local, at, domain = text.partition("@")
    if any(not letter.isprintable() for letter in text):
        return "有换行或不可见的字符"
    if "@" in domain or (at and _SEVERAL.search(text)):
        return "只能填一个邮箱"
    if not at:
        return "缺少@"
    if _BESIDE.search(text):
        return "只填邮箱本身，不带姓名、空格、引号和括号"
    try:
        _parsed(f"a@{domain}")
    except EmailNotValidError:
        return "@后面须是能收信的完整域名"
    return "@前面只能用英文字母、数字和-_等符号，点不在首尾也不相连，最多64个字符" if local else "@前面没有内容"


def _address_or_nothing(text: str) -> str:
    return plain_address(text) if text else text


# Said to whoever writes a program; what is longer is refused like any other text that is none.
Address = Annotated[
    Words, AfterValidator(plain_address), Field(json_schema_extra={"format": "email", "maxLength": LONGEST_ADDRESS})
]
AddressOrNothing = Annotated[
    Words, AfterValidator(_address_or_nothing), Field(json_schema_extra={"maxLength": LONGEST_ADDRESS})
]
