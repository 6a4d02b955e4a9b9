"""Who is heard on an objection: the holder of a certificate that somebody else wants changed.

第十二条 gives departments, holders and other users the right to object, and is silent on the holder of a certificate
to which somebody else objects. Personal Information Protection Law Art. 44 (the right to know of what is done with
one's information) and 第十五条 (不得侵害持证主体的商业秘密和个人隐私) are why the Center tells them and hears them.
It never delays the request to the bureaus, whose five working days 第十二条 sets.
"""

from datetime import date
from enum import StrEnum

from regulation.objections import CORRECTING, DISPUTED, Outcome, Stage


class Reached(StrEnum):
    """How a holder came to know of an objection."""

    PAGE = "在“我的证照”看到"
    POST = "邮寄"
    OTHERWISE = "另行告知"
    NOT = "无法送达"


OWN_ADDRESSES = frozenset({"住所", "住址", "家庭住址", "户籍地址", "户口所在地", "通信地址", "经营场所", "地址"})
"""Names of fields that say where a holder is. Others (坐落, 建设地址) say where something of theirs is: somebody else
may live there."""
CHANGING = CORRECTING | {Outcome.SYNCED}
"""Outcomes after which the register says something else."""


def may_comment(stage: Stage) -> bool:
    """Whether a holder's comment still goes into the case: until its outcome is decided.

    >>> may_comment(Stage.VERIFYING), may_comment(Stage.REGISTERED), may_comment(Stage.DECIDED)
    (True, False, False)
    """
    return stage in DISPUTED and stage is not Stage.DECIDED


def may_still_speak(today: date, due_on: date | None, *, unreachable: bool, spoke: bool) -> bool:
    """Whether deciding now is deciding before the holder had their time. ``due_on`` is the last day of it, ``None``
    while nobody has told them.

    >>> day = date(2026, 3, 10)
    >>> [may_still_speak(day, day, unreachable=False, spoke=spoke) for spoke in (False, True)]
    [True, False]
    >>> [may_still_speak(day, None, unreachable=nothing_helps, spoke=False) for nothing_helps in (False, True)]
    [True, False]
    """
    return not (unreachable or spoke) and (due_on is None or today <= due_on)
