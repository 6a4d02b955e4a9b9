"""Text that people write, made the same before anything looks at it."""

import re
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

LONGEST_WORDS = 20_000
"""Characters of the longest text that is looked at, whatever the limit of its field: several times the longest limit,
because blanks at its ends do not count there."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")


def _clean(text: object) -> object:
    if not isinstance(text, str):
        return text
    if len(text) > LONGEST_WORDS:
        raise PydanticCustomError("string_too_long", "too long", {"max_length": LONGEST_WORDS})
    # A browser counts a line break as one character and sends two.
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _CONTROL.search(text):
        raise ValueError("含有不可见的控制字符")
    return text.strip()


# Before, because a limit that stands on the field itself would otherwise count what is taken away here.
Words = Annotated[str, BeforeValidator(_clean)]
"""Text that a person wrote: one kind of line break, no control characters, no blanks around it."""
