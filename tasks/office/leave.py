"""Days on which an officer is away, and who acts for them meanwhile."""

from datetime import date, datetime

from sqlalchemy.orm import Session

from models.organisations import Leave, Officer, Role
from runtime import clock
from runtime.database import transaction
from runtime.refusals import RefusalError
from tasks.audit import record
from tasks.office.officers import officer_named


def take_leave(session: Session, leave: Leave, by: Officer, at: datetime) -> None:
    """Put days of leave and the substitute on file. Raises ``RefusalError`` for days or a substitute that cannot be,
    and for whoever is neither away themselves nor a director: a substitute may read and decide the other's cases."""
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


def file_leave(absent: str, substitute: str, from_on: date, until_on: date, by: Officer) -> None:
    """A leave as a form asks for it. Raises ``RefusalError`` as ``take_leave`` does."""
    with transaction() as session:
        now = clock.now()
        away = officer_named(session, absent, "休假人").staff_no
        acts = officer_named(session, substitute, "代理人").staff_no
        leave = Leave(staff_no=away, substitute_no=acts, from_on=from_on, until_on=until_on)
        take_leave(session, leave, by, now)
