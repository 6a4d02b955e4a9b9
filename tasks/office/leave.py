"""Days on which an officer is away, and who acts for them meanwhile."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.organisations import Leave, Officer, Role
from notifications.notices import LeaveFiled
from notifications.outbox import queue
from runtime import clock
from runtime.database import transaction
from runtime.refusals import InputError
from runtime.settings import settings
from tasks.audit import record
from tasks.office.officers import acting_officer, officer_named


def check_whose(leave: Leave, by: Officer) -> None:
    """Raise ``RefusalError`` for whoever is neither away themselves nor a director."""
    if by.staff_no != leave.staff_no and by.role is not Role.DIRECTOR:
        raise InputError.of("absent", "休假须由休假人本人或负责人登记。")


def check_leave(session: Session, leave: Leave, by: Officer, today: date) -> None:
    """Raise ``InputError``, by the fields of a form, for days or a substitute that cannot be, and for whoever may not
    file it."""
    check_whose(leave, by)
    if leave.until_on < leave.from_on:
        raise InputError.of("until_on", "休假结束日早于开始日，请更正。")
    if leave.until_on < today:
        raise InputError.of("until_on", f"休假结束日{leave.until_on}已过，无需登记；日期有误的请更正。")
    if session.get_one(Officer, leave.substitute_no).role is Role.AUDITOR:
        why = f"工号{leave.substitute_no}是审计人员，不能代理他人办理；请另选代理人。"
        raise InputError.of("substitute", why)
    if leave.substitute_no == leave.staff_no:
        raise InputError.of("substitute", "代理人不能是休假人本人。")
    at_once = select(Leave).where(Leave.staff_no == leave.staff_no, Leave.id.is_distinct_from(leave.id))
    at_once = at_once.where(Leave.from_on <= leave.until_on, Leave.until_on >= leave.from_on)
    if (other := session.scalars(at_once.limit(1)).first()) is not None:
        why = f"工号{leave.staff_no}已登记{other.from_on}至{other.until_on}休假，由工号{other.substitute_no}代理"
        raise InputError.of("from_on", f"{why}；请更改或结束那一次，不要重复登记。")


def take_leave(session: Session, leave: Leave, by: Officer, at: datetime) -> None:
    """Put days of leave and the substitute on file. Raises ``RefusalError`` for days or a substitute that cannot be,
    and for whoever is neither away themselves nor a director: a substitute may read and decide the other's cases."""
    check_leave(session, leave, by, clock.local_date(at))
    session.add(leave)
    session.flush()
    _tell(session, leave, {leave.substitute_no, leave.staff_no}, by, at)
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


def _tell(
    session: Session, leave: Leave, whom: Collection[str], by: Officer, at: datetime, taken_back: bool = False
) -> None:
    """Tell those officers of a leave, but not who has just filed it."""
    away, acts = (session.get_one(Officer, each) for each in (leave.staff_no, leave.substitute_no))
    for officer in (session.get_one(Officer, each) for each in sorted({*whom} - {by.staff_no})):
        notice = LeaveFiled(
            officer=officer.name,
            away=away.name,
            acts=acts.name,
            from_on=leave.from_on,
            until_on=leave.until_on,
            taken_back=taken_back,
            by_no=by.staff_no,
            desk=f"{settings().desk}/desk",
        )
        key = f"leave:{leave.id}:{at.isoformat()}:{officer.staff_no}"
        queue(session, notice, officer.email, key=key, case_no=None, at=at)


def overlapping(session: Session, leave: Leave) -> list[str]:
    """What else is on file in the days of a leave that changes who acts: each in a sentence, with who does then."""
    theirs = or_(Leave.staff_no == leave.substitute_no, Leave.substitute_no == leave.staff_no)
    at_once = select(Leave).where(theirs, Leave.from_on <= leave.until_on, Leave.until_on >= leave.from_on)
    said = []
    for other in session.scalars(at_once.order_by(Leave.id)):
        acting = acting_officer(session, leave.staff_no, max(leave.from_on, other.from_on)).staff_no
        days = f"{other.from_on}至{other.until_on}"
        if other.staff_no == leave.substitute_no:
            said.append(f"代理人{other.staff_no}在{days}也休假，其间由工号{acting}代理。")
        else:
            said.append(f"休假人{leave.staff_no}在{days}代理工号{other.staff_no}，其间改由工号{acting}代理。")
    return said


def change_leave(number: int, substitute: str, from_on: date, until_on: date, by: Officer) -> None:
    """Other days, or another substitute, for a leave that is on file; days that are over stay as they were. Raises
    ``RefusalError`` as ``take_leave`` does, and for a beginning that has been and would be another."""
    with transaction() as session:
        leave = session.get_one(Leave, number, with_for_update=True)
        now = clock.now()
        today = clock.local_date(now)
        if from_on != leave.from_on and min(from_on, leave.from_on) < today:
            raise InputError.of("from_on", f"休假已从{leave.from_on}开始，开始日期不能再改。")
        acts = officer_named(session, substitute, "代理人").staff_no
        was = {"from_on": str(leave.from_on), "until_on": str(leave.until_on), "substitute_no": leave.substitute_no}
        leave.from_on, leave.until_on, leave.substitute_no = from_on, until_on, acts
        check_leave(session, leave, by, today)
        _tell(session, leave, {was["substitute_no"], acts, leave.staff_no}, by, now)
        record(session, "officer:leave:changed", None, by.staff_no, now, staff_no=leave.staff_no, was=was)


def end_leave(number: int, last_on: date, by: Officer) -> None:
    """Let a leave end with a day before its last one. Raises ``RefusalError`` for who may not, and for a day that is
    none of its days or over; one that has not begun is taken back by its first day's eve."""
    with transaction() as session:
        leave = session.get_one(Leave, number, with_for_update=True)
        now = clock.now()
        today = clock.local_date(now)
        check_whose(leave, by)
        first = max(leave.from_on, today) - timedelta(days=1)
        if not first <= last_on < leave.until_on:
            raise InputError.of("until_on", f"最后一日应在{first}到{leave.until_on - timedelta(days=1)}之间，请更正。")
        was = str(leave.until_on)
        taken_back = last_on < leave.from_on
        if not taken_back:
            leave.until_on = last_on
        _tell(session, leave, {leave.substitute_no, leave.staff_no}, by, now, taken_back)
        if taken_back:
            session.delete(leave)
        record(
            session, "officer:leave:ended", None, by.staff_no, now, staff_no=leave.staff_no, was=was, on=str(last_on)
        )


def file_leave(absent: str, substitute: str, from_on: date, until_on: date, by: Officer) -> None:
    """A leave as a form asks for it. Raises ``RefusalError`` as ``take_leave`` does."""
    with transaction() as session:
        now = clock.now()
        away = officer_named(session, absent, "休假人").staff_no
        acts = officer_named(session, substitute, "代理人").staff_no
        leave = Leave(staff_no=away, substitute_no=acts, from_on=from_on, until_on=until_on)
        take_leave(session, leave, by, now)
