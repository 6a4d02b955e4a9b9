"""What every case goes through: its number, its deadlines, its officer."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.cases import Case, CaseCounter, CaseKind, Deadline, Handover
from models.objections import Objection
from models.organisations import Leave, Officer, Role
from notifications.notices import CaseAssigned
from notifications.outbox import queue
from regulation.limits import MEASURES_VERSION, Limit
from runtime import clock
from runtime.database import in_pieces, insert_many, transaction
from runtime.refusals import InputError, RefusalError
from runtime.settings import settings
from tasks.audit import record
from tasks.case.calendars import working_days
from tasks.case.step import Step, locked_case
from tasks.office.officers import acting_officer, check_may_act, officer_by_load, officer_named

MEANT = 5
"""Cases that a refusal lists."""

LOCKED_COUNTER = (
    select(CaseCounter)
    .where(CaseCounter.kind == bindparam("kind"), CaseCounter.year == bindparam("year"))
    .with_for_update()
)
RUNNING = select(Deadline).where(Deadline.case_no == bindparam("case_no"), Deadline.running)
RUNNING_DEADLINES = (
    select(Deadline)
    .where(
        Deadline.case_no.in_(bindparam("case_nos", expanding=True)),
        Deadline.limit_code == bindparam("limit_code"),
        Deadline.running,
    )
    .order_by(Deadline.turn)
)
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


def open_case(
    session: Session,
    case_no: str,
    kind: CaseKind,
    stage: str,
    at: datetime,
    officer_no: str = "",
    but_not: str = "",
) -> Case:
    """A new case, received today, of this officer or of whoever, ``but_not`` this one, has the fewest."""
    today = clock.local_date(at)
    case = Case(**new_case(case_no, kind, stage, today, at, officer_no or officer_by_load(session, today, but_not)))
    session.add(case)
    session.flush()
    return case


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


def end_case(step: Step, case: Case) -> None:
    """Close a case: what was still running on it lapses, and its run has nothing more to wait for."""
    calendar = working_days(step.session)
    for deadline in step.session.scalars(RUNNING, {"case_no": case.case_no}):
        deadline.lapsed_on = step.today
        deadline.missed_by = max(0, calendar.working_days_between(deadline.due_on, step.today))
    case.closed_at = step.now
    case.waiting_for = None


def desk_address(role: Role = Role.OFFICER) -> str:
    """Where staff find what waits for them: the list of their role in the Prefect UI."""
    return f"{settings().prefect_url}/{'to-do-director' if role is Role.DIRECTOR else 'to-do'}"


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


def hand_over(session: Session, case_no: str, to: str, why: str, by: Officer, at: datetime) -> None:
    """Give a case, and those joined to it, to another officer; reminders follow because they read the case's officer.

    The reason is kept. Raises ``RefusalError`` for a closed or unknown case, an unknown officer, and whoever may not
    act on the case.
    """
    case = _open_case(session, case_no)
    check_may_act(session, by, case, clock.local_date(at))
    officer = officer_named(session, to, "接收人")
    if officer.staff_no == case.officer_no:
        raise RefusalError(f"本件已由工号{officer.staff_no}办理，无需移交。")
    joined = select(Case).join(Objection, Objection.case_no == Case.case_no)
    joined = joined.where(Objection.lead_case_no == case.case_no, Case.closed_at.is_(None)).with_for_update(of=Case)
    for given in (case, *session.scalars(joined)):
        change = {"from_no": given.officer_no, "to_no": officer.staff_no}
        session.add(Handover(case_no=given.case_no, **change, why=why, by_no=by.staff_no, at=at))
        record(session, "case:officer:changed", given.case_no, by.staff_no, at, **change)
        given.officer_no = officer.staff_no
    tell_officer(session, case, f"由工号{by.staff_no}移交：{why}", f"{case.case_no}:hand-over:{at.isoformat()}", at)


def take_leave(session: Session, leave: Leave, by: Officer, at: datetime) -> None:
    """Put days of leave and the substitute on file. Raises ``RefusalError`` for days or a substitute that cannot be,
    and for whoever is neither away themselves nor a director: a substitute may read and decide the other's cases."""
    if by.staff_no != leave.staff_no and by.role is not Role.DIRECTOR:
        raise RefusalError("休假须由休假人本人或负责人登记。")
    if leave.until_on < leave.from_on:
        raise RefusalError("休假结束日早于开始日，请更正。")
    if leave.until_on < clock.local_date(at):
        raise RefusalError(f"休假结束日{leave.until_on}已过，无需登记；日期有误的请更正。")
    if leave.substitute_no == leave.staff_no:
        raise RefusalError("代理人不能是休假人本人。")
    session.add(leave)
    record(
        session,
        "officer:leave:filed",
        None,
        by.staff_no,
        at,
        staff_no=leave.staff_no,
        substitute_no=leave.substitute_no,
        from_on=str(leave.from_on),
        until_on=str(leave.until_on),
    )


def _open_case(session: Session, text: str) -> Case:
    case = locked_case(session, case_numbered(session, text, Case.closed_at.is_(None)))
    if case.closed_at is not None:
        raise RefusalError(f"办件{case.case_no}已办结，不能移交。")
    return case


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


def give_case(case_no: str, to: str, why: str, by: Officer) -> None:
    """A hand-over as a form asks for it. Raises ``RefusalError`` as ``hand_over`` does."""
    with transaction() as session:
        hand_over(session, case_no, to, why, by, clock.now())


def file_leave(absent: str, substitute: str, from_on: date, until_on: date, by: Officer) -> None:
    """A leave as a form asks for it. Raises ``RefusalError`` as ``take_leave`` does."""
    with transaction() as session:
        now = clock.now()
        away = officer_named(session, absent, "休假人").staff_no
        acts = officer_named(session, substitute, "代理人").staff_no
        leave = Leave(staff_no=away, substitute_no=acts, from_on=from_on, until_on=until_on)
        take_leave(session, leave, by, now)
