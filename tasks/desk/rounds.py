"""What is done every few minutes (系统巡检): which chores are due by what the database says was last done.

Not by memory and not by Prefect: a system that stood still for hours does each once, however many late runs there are,
and whoever loses Prefect's data misses none.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select

from models.chores import ChoreDone
from runtime import clock
from runtime.database import reading, transaction

ROUND = "系统巡检/system-round"
"""The deployment that does what is due."""


class Chore(StrEnum):
    """What is done every few minutes, in the order of a round: what people wait for first, what others may hold up
    last."""

    RECOVERY = "办件恢复"
    SEALING = "封存日志"
    BUREAUS = "上级往来"
    NOTICES = "发送通知"


EVERY = {
    # Whoever cancels a case's run in Prefect is promised that the case goes on within a minute.
    Chore.RECOVERY: timedelta(minutes=1),
    Chore.SEALING: timedelta(minutes=1),
    Chore.BUREAUS: timedelta(minutes=2),
    Chore.NOTICES: timedelta(minutes=1),
}
"""How often, in whole minutes."""


STANDS_STILL = timedelta(minutes=15)
"""As long as what is scheduled may be late."""

ONLY_RECOVERY = {"only": [Chore.RECOVERY]}
"""The parameters of a round that looks for cases without a run at once, due or not."""


def is_due(last: datetime, at: datetime, every: timedelta) -> bool:
    """Whether what was last taken up at ``last`` is due at ``at``: by the clock's own minutes, because one round begins
    a little more than a minute after the one before, and the next a little less.

    >>> last = datetime.fromisoformat("2026-03-03T10:20:02+08:00")
    >>> is_due(last, last + timedelta(seconds=57), timedelta(minutes=1))
    False
    >>> is_due(last, last + timedelta(seconds=59), timedelta(minutes=1))
    True
    """
    # Another one, not a later one: a clock that was set back must stop nothing.
    return last.timestamp() // every.total_seconds() != at.timestamp() // every.total_seconds()


def due_chores(at: datetime) -> list[Chore]:
    """The chores that are due at an instant, in their order."""
    last = {each.chore: each.began_at for each in chores_known()}
    return [chore for chore in Chore if chore not in last or is_due(last[chore], at, EVERY[chore])]


def note_chore(chore: Chore, began_at: datetime, trouble: str = "") -> None:
    """Note that a chore was taken up at an instant, and that it was done or, with the kind of error as ``trouble``, was
    not. Afterwards, not before: what a killed run leaves undone is due again."""
    with transaction() as session:
        known = session.get(ChoreDone, chore)
        if known is None:
            known = ChoreDone(chore=chore, done_at=None)
            session.add(known)
        known.began_at, known.trouble = began_at, trouble
        if not trouble:
            known.done_at = began_at


def chores_known() -> list[ChoreDone]:
    """What is known of each chore that was ever taken up, in their order."""
    with reading() as session:
        known = {each.chore: each for each in session.scalars(select(ChoreDone))}
    return [known[chore] for chore in Chore if chore in known]


def still_since(at: datetime) -> datetime | None:
    """Since when no round has done anything, where that is too long ago for a busy machine: nothing is sent, sealed or
    taken up again meanwhile. ``None`` while rounds come, and where none ever came."""
    last = max((each.began_at for each in chores_known()), default=None)
    return last if last is not None and at - last > STANDS_STILL else None


def rounds_table() -> str:
    """When each chore was last done, and what ended otherwise, as a table in Markdown."""
    rows = [f"| {each.chore} | {_when(each.done_at)} | {each.trouble} |" for each in chores_known()]
    return "\n".join(["| 事项 | 上次完成 | 最近一次未完成的原因 |", "| --- | --- | --- |", *rows])


def _when(at: datetime | None) -> str:
    return f"{at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}" if at else "尚未完成过"
