"""Time limits on cases: started, running, met, by how many working days missed. The watch over them is in the desk."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import cast

from sqlalchemy import Table, bindparam, select
from sqlalchemy.orm import Session

from models.cases import Deadline, DeadlineChange
from regulation.limits import Limit
from runtime.database import in_pieces, insert_many
from tasks.audit import record
from tasks.case.calendars import working_days

RUNNING_DEADLINES = (
    select(Deadline)
    .where(
        Deadline.case_no.in_(bindparam("case_nos", expanding=True)),
        Deadline.limit_code == bindparam("limit_code"),
        Deadline.running,
    )
    .order_by(Deadline.turn)
)


def start_deadline(session: Session, case_no: str, limit: Limit, starts_on: date, turn: int = 1) -> Deadline:
    """Put a limit on a case, counted in working days from ``starts_on`` (day zero)."""
    deadline = _deadline(session, limit, starts_on, turn)
    deadline.case_no = case_no
    session.add(deadline)
    session.flush()
    return deadline


def start_deadlines(
    session: Session, case_nos: Iterable[str], limit: Limit, starts_on: date, turn: int = 1
) -> Deadline:
    """Put a limit on many cases that are in the database, counted once from ``starts_on``; what it is on each."""
    deadline = _deadline(session, limit, starts_on, turn)
    given = {name: getattr(deadline, name) for name in _COUNTED}
    insert_many(session, cast("Table", Deadline.__table__), [{"case_no": case_no, **given} for case_no in case_nos])
    return deadline


_COUNTED = ("limit_code", "turn", "clock", "starts_on", "days", "due_on", "provisional", "rule")


def _deadline(session: Session, limit: Limit, starts_on: date, turn: int) -> Deadline:
    """A limit counted in working days from ``starts_on``, on no case yet."""
    due_on, provisional = working_days(session).due_date(starts_on, limit.value)
    return Deadline(
        limit_code=limit.code,
        turn=turn,
        clock=limit.clock,
        starts_on=starts_on,
        days=limit.value,
        due_on=due_on,
        provisional=provisional,
        rule=limit.source,
    )


def running_deadline(session: Session, case_no: str, limit: Limit) -> Deadline | None:
    """The deadline of this limit that is still to be met."""
    return running_deadlines(session, [case_no], limit).get(case_no)


def count_from(session: Session, deadline: Deadline, starts_on: date, rule: str, at: datetime) -> None:
    """Count a running limit anew from a later day, by a ``rule`` that stands beside the move; from no earlier one."""
    if starts_on <= deadline.starts_on:
        return
    deadline.starts_on = starts_on
    move_to(session, deadline, rule, at)


def move_to(session: Session, deadline: Deadline, rule: str, at: datetime) -> None:
    """Note where a limit whose start or length has changed ends now, and by which ``rule`` it moved."""
    before = deadline.due_on
    deadline.due_on, deadline.provisional = working_days(session).due_date(deadline.starts_on, deadline.days)
    session.add(DeadlineChange(deadline_id=deadline.id, from_on=before, to_on=deadline.due_on, rule=rule, at=at))
    moved = {"from_on": str(before), "to_on": str(deadline.due_on), "rule": rule}
    record(session, "case:deadline:moved", deadline.case_no, "system", at, limit=deadline.limit_code, **moved)


def meet_deadline(session: Session, case_no: str, limit: Limit, met_on: date) -> Deadline | None:
    """Mark the running deadline of this limit as met, with the working days by which it was missed (0 when kept)."""
    return meet_deadlines(session, {case_no: met_on}, limit).get(case_no)


def meet_deadlines(session: Session, met_on: Mapping[str, date], limit: Limit) -> dict[str, Deadline]:
    """``meet_deadline`` for many cases, each met on its day; the deadlines by case, where there was one to meet."""
    calendar, met = working_days(session), running_deadlines(session, list(met_on), limit)
    for case_no, deadline in met.items():
        deadline.missed_by = max(0, calendar.working_days_between(deadline.due_on, met_on[case_no]))
        deadline.met_on = met_on[case_no]
    return met


def running_deadlines(session: Session, case_nos: Sequence[str], limit: Limit) -> dict[str, Deadline]:
    """By case the deadline of this limit that is still to be met."""
    found: dict[str, Deadline] = {}
    for some in in_pieces(case_nos):
        running = session.scalars(RUNNING_DEADLINES, {"case_nos": some, "limit_code": limit.code})
        found |= {deadline.case_no: deadline for deadline in running}
    return found
