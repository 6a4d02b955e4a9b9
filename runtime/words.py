"""Text that people write, made the same before anything looks at it."""

from typing import Annotated

from pydantic import BeforeValidator


def _clean(text: object) -> object:
    if not isinstance(text, str):
        return text
    # A browser counts a line break as one character and sends two.
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if any(letter < " " and letter not in "\n\t" for letter in text):
        raise ValueError("含有不可见的控制字符")
    return text.strip()


# Before, because a limit that stands on the field itself would otherwise count what is taken away here.
Words = Annotated[str, BeforeValidator(_clean)]
"""Text that a person wrote: one kind of line break, no control characters, no blanks around it."""
