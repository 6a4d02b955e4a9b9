"""Letters by post: what a number of the post's looks like.

How soon a notice is posted that no e-mail reaches, the Center sets (``regulation.limits.POSTING``); a letter to a
bureau has its own day, by which Article 12's limit is met.
"""

import re
import unicodedata

from runtime.refusals import InputError

_NUMBER = re.compile(r"[0-9A-Z]{8,20}")
_DIGITS = re.compile(r"\d{6}")


def tracking_number(text: str) -> str:
    """The number of a registered letter or of a courier as it is kept: capitals and digits, without the blanks and
    hyphens of its label. Registered letters have 13 of them, couriers up to 20. Raises ``InputError``.

    >>> tracking_number(" xa 1234-5678-933 ")
    'XA12345678933'
    >>> tracking_number("ＸＡ12345678933")
    'XA12345678933'
    """
    number = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text)).upper()
    if not _NUMBER.fullmatch(number) or not _DIGITS.search(number):
        raise InputError("挂号号码应是8至20位的字母和数字，如XA12345678933，请照回执填写。")
    return number
