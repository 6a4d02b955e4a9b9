"""Days on which an officer is away, and who acts for them meanwhile."""

from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.organisations import Leave, Officer, Role
from runtime import clock
from runtime.database import transaction
from runtime.refusals import RefusalError
from tasks.audit import record
from tasks.office.officers import acting_officer, officer_named


def take_leave(session: Session, leave: Leave, by: Officer, at: datetime, though_away: bool = False) -> None:
    """Put days of leave and the substitute on file. Raises ``RefusalError`` for days or a substitute that cannot be,
    and for whoever is neither away themselves nor a director: a substitute may read and decide the other's cases.
    Unless it is to be ``though_away``, also where the substitute is away in these days, or whoever goes acts for
    another."""
    if by.staff_no != leave.staff_no and by.role is not Role.DIRECTOR:
        raise RefusalError("休假须由休假人本人或负责人登记。")
    if leave.until_on < leave.from_on:
        raise RefusalError("休假结束日早于开始日，请更正。")
    if leave.until_on < clock.local_date(at):
        raise RefusalError(f"休假结束日{leave.until_on}已过，无需登记；日期有误的请更正。")
    if session.get_one(Officer, leave.substitute_no).role is Role.AUDITOR:
        raise RefusalError(f"工号{leave.substitute_no}是审计人员，不能代理他人办理；请另选代理人。")
    if leave.substitute_no == leave.staff_no:
        raise RefusalError("代理人不能是休假人本人。")
    session.add(leave)
    session.flush()
    if not though_away and (overlapping := _overlapping(session, leave)):
        raise RefusalError(f"{''.join(overlapping)}请更正；仍要登记的，请勾选“知道有人休假，仍然登记”。")
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


def _overlapping(session: Session, leave: Leave) -> list[str]:
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


def file_leave(
    absent: str, substitute: str, from_on: date, until_on: date, by: Officer, though_away: bool = False
) -> None:
    """A leave as a form asks for it. Raises ``RefusalError`` as ``take_leave`` does."""
    with transaction() as session:
        now = clock.now()
        away = officer_named(session, absent, "休假人").staff_no
        acts = officer_named(session, substitute, "代理人").staff_no
        leave = Leave(staff_no=away, substitute_no=acts, from_on=from_on, until_on=until_on)
        take_leave(session, leave, by, now, though_away)
