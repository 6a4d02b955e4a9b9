"""Service items (事项) as people name them: by their code, or by a part of the name that their guide gives them."""

import re

from sqlalchemy.orm import Session

from models.service_guides import ServiceGuide
from runtime.refusals import InputError
from tasks.guides.guides import newest_guides
from tasks.office.naming import named

CODE = re.compile(r"[0-9A-Za-z._/-]+")
"""How codes are written. One that no guide has is taken: laws and counters know items that have no guide yet."""


def item_named(session: Session, text: str, department_uscc: str | None = None) -> str:
    """The code of the item that is meant, of this department or of any.

    Raises ``InputError``, which suggests names, for a name that no guide or more than one has.
    """
    text = text.strip()
    which = () if department_uscc is None else (ServiceGuide.department_uscc == department_uscc,)
    guides = newest_guides(session, *which)
    codes = {guide.item_code.upper(): guide.item_code for guide in guides}
    if CODE.fullmatch(text):
        return codes.get(text.upper(), text)
    # Two departments may have an item of the same name.
    by_name: dict[str, set[str]] = {}
    for guide in guides:
        by_name.setdefault(guide.item_name, set()).add(guide.item_code)
    found = named(text, by_name, f"办事指南中没有名为“{text}”的事项", f"“{text}”不止一个事项")
    if len(found) > 1:
        raise InputError(f"“{text}”不止一个事项，请填写编码：{'、'.join(sorted(found))}。")
    return next(iter(found))
