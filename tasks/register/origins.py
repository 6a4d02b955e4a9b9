"""Where a backfilled certificate comes from, for whoever relies on it (Article 11)."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.backfill_batches import BackfillBatch
from models.backfills import Backfill
from models.cases import Answer, Case
from models.organisations import Department
from runtime import clock


def origin_of(session: Session, case_no: str, confirmed_at: datetime | None, *, corrected: bool) -> str:
    """One Chinese sentence on a backfill that is over: who entered the paper, who checked it, whether it was
    ``corrected`` since, so that it does not say what the paper says, and whether its issuing authority has confirmed
    it."""
    entered = session.get(Backfill, case_no) or session.get_one(BackfillBatch, case_no)
    department = session.get_one(Department, entered.department_uscc).name
    case = session.get_one(Case, case_no)
    wanted = select(Answer.officer_no).where(
        Answer.case_no == case_no, Answer.refusal.is_(None), Answer.officer_no.is_not(None)
    )
    checked_by = session.scalar(wanted.order_by(Answer.id.desc()).limit(1))
    on = clock.local_date(case.closed_at) if case.closed_at else case.received_on
    checked = f"综合管理单位（工号{checked_by}）核对" if checked_by else "综合管理单位核对"
    confirmed = f"颁证机构已于{clock.local_date(confirmed_at)}确认" if confirmed_at else "颁证机构尚未确认"
    since = "此后经异议核查更正，与纸质证照有所不同；" if corrected else ""
    return f"补录：由{department}据纸质证照录入，{checked}，{on}入库；{since}{confirmed}。"
