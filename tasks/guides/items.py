"""Service items (事项) as people name them: by their code, or by a part of the name that their guide gives them."""

import re
from difflib import get_close_matches

from sqlalchemy.orm import Session

from models.service_guides import ServiceGuide
from runtime.refusals import InputError
from tasks.guides.guides import newest_guides
from tasks.office.naming import ALIKE, SUGGESTED, named

CODE = re.compile(r"[0-9A-Za-z._/-]+")
"""How codes are written. One that no guide has is taken: laws and counters know items that have no guide yet."""


def item_names(session: Session, department_uscc: str) -> list[str]:
    """What the items of a department can be called: by their names, or by their codes where several have one name."""
    named_so = _items(session, department_uscc)
    return sorted(each for name, codes in named_so.items() for each in ([name] if len(codes) == 1 else codes))


def _items(session: Session, department_uscc: str | None) -> dict[str, set[str]]:
    """The codes of the items that guides have, by name: two departments may have one of the same name."""
    which = () if department_uscc is None else (ServiceGuide.department_uscc == department_uscc,)
    found: dict[str, set[str]] = {}
    for guide in newest_guides(session, *which):
        found.setdefault(guide.item_name, set()).add(guide.item_code)
    return found


def item_named(session: Session, text: str, department_uscc: str | None = None, known_only: bool = False) -> str:
    """The code of the item that is meant, of this department or of any.

    Raises ``InputError``, which suggests names, for a name that no guide or more than one has; where it is to be a
    known one, also for a code that none has.
    """
    text = text.strip()
    by_name = _items(session, department_uscc)
    codes = {code.upper(): code for having in by_name.values() for code in having}
    if CODE.fullmatch(text):
        if known_only and text.upper() not in codes:
            alike = get_close_matches(text.upper(), codes, SUGGESTED, ALIKE)
            meant = f"，是不是：{'、'.join(codes[each] for each in alike)}" if alike else ""
            raise InputError(f"办事指南中没有编码为“{text}”的事项{meant}？请从列表中选择。")
        return codes.get(text.upper(), text)
    found = named(text, by_name, f"办事指南中没有名为“{text}”的事项", f"“{text}”不止一个事项")
    if len(found) > 1:
        raise InputError(f"“{text}”不止一个事项，请填写编码：{'、'.join(sorted(found))}。")
    return next(iter(found))


def item_meant(session: Session, text: str, department_uscc: str, basis: str) -> str:
    """The code of a department's item that stands in its guides; of one that stands in none what was written, where it
    is said on what ``basis`` there is such an item. Raises ``InputError``."""
    try:
        return item_named(session, text, department_uscc, known_only=True)
    except InputError as why:
        if basis:
            return text.strip()
        raise InputError(f"{why}办事指南中确实没有的，写事项的全称，并填写“指南外事项的依据（如权责清单）”。") from None
