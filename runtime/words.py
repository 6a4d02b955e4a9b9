"""Text that people write, made the same before anything looks at it."""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

LONGEST_WORDS = 20_000
"""Characters of the longest text that is looked at, whatever the limit of its field: several times the longest limit,
because blanks at its ends do not count there."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")
_UNSEEN = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
"""What comes along with a copy from a page and takes no room: two texts that look the same would be two. Marks that
change the order of letters are none of these: they are refused where it matters."""


def _clean(text: object) -> object:
    if not isinstance(text, str):
        return text
    if len(text) > LONGEST_WORDS:
        raise PydanticCustomError("string_too_long", "too long", {"max_length": LONGEST_WORDS})
    # A browser counts a line break as one character and sends two.
    text = _UNSEEN.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    if _CONTROL.search(text):
        raise ValueError("含有不可见的控制字符")
    return text.strip()


# Before, because a limit that stands on the field itself would otherwise count what is taken away here.
Words = Annotated[str, BeforeValidator(_clean)]
"""Text that a person wrote: one kind of line break, no control characters, no blanks around it."""


_NUMBER = re.compile(r"\d{15,}[\dXx]?")


def _without_numbers(text: str) -> str:
    """Free text of other systems goes into the record, which holds nothing of a person."""
    if _NUMBER.search(text):
        raise ValueError("不要写入个人的证件号码")
    return text


Plain = Annotated[Words, AfterValidator(_without_numbers)]
"""Text for the record: words, with no identity number in them."""


def folded(text: str) -> str:
    """A name or a number as it is compared: without regard to case, width and spaces."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
