"""A case's number, its beginning and its end, and word of it to its officer."""

import re
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.cases import Case, CaseCounter, CaseKind, Deadline
from models.organisations import Role
from notifications.notices import CaseAssigned
from notifications.outbox import queue
from regulation.limits import MEASURES_VERSION, Limit
from runtime import clock
from runtime.refusals import InputError
from runtime.settings import settings
from tasks.case.calendars import working_days
from tasks.case.deadlines import start_deadline
from tasks.case.step import Step
from tasks.office.officers import acting_officer, officer_by_load

MEANT = 5
"""Cases that a refusal lists."""

LOCKED_COUNTER = (
    select(CaseCounter)
    .where(CaseCounter.kind == bindparam("kind"), CaseCounter.year == bindparam("year"))
    .with_for_update()
)
RUNNING = select(Deadline).where(Deadline.case_no == bindparam("case_no"), Deadline.running)
EARLIEST = (
    select(Deadline.due_on)
    .where(Deadline.case_no == bindparam("case_no"), Deadline.running)
    .order_by(Deadline.due_on)
    .limit(1)
)


def locked_counter(session: Session, kind: str, year: int) -> CaseCounter:
    """A year's counter, locked: what is numbered alike comes one after the other from here on."""
    named = {"kind": kind, "year": year}
    counter = session.scalar(LOCKED_COUNTER, named)
    if counter is None:
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        session.execute(insert(CaseCounter).values(**named, last=0).on_conflict_do_nothing())
        counter = session.scalars(LOCKED_COUNTER, named).one()
    return counter


def next_number(counter: CaseCounter) -> str:
    """The next number, such as ``YY-2026-000001``: the counter commits with what is numbered, so there is no gap."""
    return next_numbers(counter, 1)[0]


def next_numbers(counter: CaseCounter, many: int) -> list[str]:
    """The next so many numbers, one after the other."""
    first = counter.last + 1
    counter.last += many
    return [f"{counter.kind}-{counter.year}-{number:06}" for number in range(first, counter.last + 1)]


def opening(session: Session, case_no: str, stage: str, name: str, actor: str, at: datetime, but_not: str = "") -> Step:
    """The step ``name`` that opens a case: received today, of whoever has the fewest, ``but_not`` this officer."""
    today, kind = clock.local_date(at), CaseKind(case_no.partition("-")[0])
    case = Case(**new_case(case_no, kind, stage, today, at, officer_by_load(session, today, but_not)))
    session.add(case)
    session.flush()
    return Step(session, case, name, 1, actor, at)


def announce(step: Step, why: str, limit: Limit | None = None) -> None:
    """Tell the officer of a case that was opened today why it is there; ``limit`` runs on it from today."""
    if limit is not None:
        start_deadline(step.session, step.case.case_no, limit, step.today)
    tell_officer(step.session, step.case, why, f"{step.case.case_no}:registered", step.now)


def new_case(
    case_no: str, kind: CaseKind, stage: str, received_on: date, at: datetime, officer_no: str, at_rest: bool = False
) -> dict[str, Any]:
    """A new case's columns."""
    return {
        "case_no": case_no,
        "kind": kind,
        "stage": stage,
        "received_on": received_on,
        "opened_at": at,
        "officer_no": officer_no,
        "measures_version": MEASURES_VERSION,
        "at_rest": at_rest,
        "runs_started": 0,
    }


def end_case(step: Step, case: Case) -> None:
    """Close a case: what was still running on it lapses, and its run has nothing more to wait for."""
    calendar = working_days(step.session)
    for deadline in step.session.scalars(RUNNING, {"case_no": case.case_no}):
        deadline.lapsed_on = step.today
        deadline.missed_by = max(0, calendar.working_days_between(deadline.due_on, step.today))
    case.closed_at = step.now
    case.waiting_for = None


def desk_address(role: Role = Role.OFFICER) -> str:
    """Where staff find what waits for them: the desk's list for their role."""
    return f"{settings().desk}/desk{'?whose=directors' if role is Role.DIRECTOR else ''}"


def case_address(case_no: str) -> str:
    """The desk's page of a case."""
    return f"{settings().desk}/desk/cases/{case_no}"


def tell_officer(session: Session, case: Case, why: str, key: str, at: datetime) -> None:
    """Queue the notice to whoever acts for the case's officer today."""
    officer = acting_officer(session, case.officer_no, clock.local_date(at))
    notice = CaseAssigned(
        case_no=case.case_no,
        officer=officer.name,
        kind=case.kind.label,
        stage=case.stage,
        due_on=session.scalar(EARLIEST, {"case_no": case.case_no}) or case.received_on,
        why=why,
        desk=desk_address(),
    )
    queue(session, notice, officer.email, key=key, case_no=case.case_no, at=at)


def case_numbered(session: Session, text: str, *likely: ColumnElement[bool]) -> str:
    """The number of the case that is meant: as it stands, or shortened to what follows its kind or its year
    (``YY-12``, ``2026-12``, ``12``), which has to leave one of the ``likely`` cases.

    Raises ``InputError``, which lists the cases that may be meant, when there is none or several are.
    """
    text = text.strip().upper()
    if session.get(Case, text) is not None:
        return text
    short = re.fullmatch(r"(?:([A-Z]{2})-?)?(?:(\d{4})-)?(\d{1,6})", text)
    if short is None:
        raise InputError(f"没有编号为{text}的办件，请填写编号，如YY-2026-000012，或其最后几位数字，如12。")
    kind, year, number = short.groups()
    meant = Case.case_no.like(f"{kind or '__'}-{year or '____'}-{int(number):06}")
    found = session.scalars(select(Case.case_no).where(meant, *likely).order_by(Case.case_no).limit(MEANT + 1)).all()
    if len(found) == 1:
        return found[0]
    if not found:
        raise InputError(f"没有编号为{text}的可办理的办件，请核对编号。")
    more = "等" if len(found) > MEANT else ""
    raise InputError(f"编号为{text}的办件不止一件：{'、'.join(found[:MEANT])}{more}，请填写完整的编号。")
