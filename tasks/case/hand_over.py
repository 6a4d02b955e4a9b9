"""A case is handed over to another officer, with those joined to it."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Case, Handover
from models.objections import Objection
from models.organisations import Officer
from runtime import clock
from runtime.database import transaction
from runtime.refusals import RefusalError
from tasks.audit import record
from tasks.case.numbers import case_numbered, tell_officer
from tasks.case.step import locked_case
from tasks.office.officers import check_may_act, officer_named


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


def _open_case(session: Session, text: str) -> Case:
    case = locked_case(session, case_numbered(session, text, Case.closed_at.is_(None)))
    if case.closed_at is not None:
        raise RefusalError(f"办件{case.case_no}已办结，不能移交。")
    return case


def give_case(case_no: str, to: str, why: str, by: Officer) -> None:
    """A hand-over as a form asks for it. Raises ``RefusalError`` as ``hand_over`` does."""
    with transaction() as session:
        hand_over(session, case_no, to, why, by, clock.now())
