"""Finding what people name: in full, by its code, or by a part of the name that nothing else has."""

import difflib
from collections.abc import Collection, Mapping
from typing import TypeVar

from runtime.refusals import InputError

T = TypeVar("T")

SUGGESTED = 3
"""Names that a refusal suggests."""
LISTED = 30
"""Names that it lists where it cannot suggest any."""
ALIKE = 0.4
"""From which likeness on, by difflib (0 to 1)."""


def named(text: str, known: Mapping[str, T], none: str, several: str) -> T:
    """What ``known`` has under this name, or under the only name that has ``text`` in it.

    Raises ``InputError``, which suggests the names that may be meant, where there is ``none`` or there are ``several``:
    what is only alike is suggested, never taken, because a wrong one is worse than another form.
    """
    if text in known:
        return known[text]
    having = sorted(each for each in known if len(text) >= 2 and text in each)
    if len(having) == 1:
        return known[having[0]]
    if having:
        raise InputError(f"{several}，是不是：{'、'.join(having[:SUGGESTED])}？请填写全称。")
    raise InputError(f"{none}，{meant(text, known)}")


def meant(text: str, known: Collection[str]) -> str:
    """What a refusal of a name that is not ``known`` ends with: those that are like it, else those that there are."""
    alike = sorted(each for each in known if is_short_for(text, each)) or difflib.get_close_matches(
        text, known, SUGGESTED, ALIKE
    )
    if alike:
        return f"是不是：{'、'.join(alike[:SUGGESTED])}？"
    return f"{there_are(known)}。" if known else "现在一个也没有登记，请先登记。"


def there_are(known: Collection[str]) -> str:
    """What there is to choose from, in one clause; of very many the first ones and their number."""
    there = sorted(known)
    more = f"等{len(there)}个" if len(there) > LISTED else ""
    return f"可以填写：{'、'.join(there[:LISTED])}{more}"


def is_short_for(short: str, name: str) -> bool:
    """Whether all characters of a short name stand in a name in the same order.

    >>> is_short_for("人社局", "柯桥区人力资源和社会保障局"), is_short_for("公安局", "绍兴市柯桥区司法局")
    (True, False)
    """
    rest = iter(name)
    return bool(short) and all(letter in rest for letter in short)
