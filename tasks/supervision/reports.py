"""Reports on supervision (Article 17): made once a period, kept as they were made, and told to the leaders."""

import hmac
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.organisations import Officer, Role
from models.supervision_reports import SupervisionReport
from notifications.notices import SupervisionReported
from notifications.outbox import queue
from regulation.supervision_reports import Period, period_of
from runtime import clock
from runtime.database import reading, transaction
from runtime.keys import keys
from runtime.refusals import RefusalError
from runtime.settings import settings
from tasks.audit import record
from tasks.case.numbers import locked_counter
from tasks.supervision.figures import figures_of
from tasks.supervision.report_documents import markdown_of, page_of, pdf_of

LEADERS = "负责人"


@dataclass(frozen=True, slots=True)
class Made:
    """A report as it is kept; ``link``: its private address."""

    code: str
    html: str
    pdf: bytes
    markdown: str
    link: str


def make_report(period: Period, at: datetime) -> Made:
    """The report of a period: made, kept and told to the leaders the first time, the kept one from then on.

    Raises ``RefusalError`` for a period that is not over.
    """
    today = clock.local_date(at)
    if period.last >= today:
        raise RefusalError(f"{period.label}尚未结束（至{period.last}），请待其结束后再出报告。")
    with transaction() as session:
        # One at a time, or two of them would make the same report.
        locked_counter(session, "supervision-report", period.first.year)
        kept = session.get(SupervisionReport, period.code)
        if kept is None:
            figures, link = figures_of(session, period), link_of(period.code)
            kept = SupervisionReport(
                code=period.code,
                made_at=at,
                summary=figures.summary,
                html=page_of(figures, f"{link}/pdf"),
                pdf=pdf_of(figures),
                markdown=markdown_of(figures, link),
            )
            session.add(kept)
            record(session, "supervision:report:made", None, "system", at, period=period.code)
            _tell_leaders(session, period, kept, at)
        return Made(kept.code, kept.html, kept.pdf, kept.markdown, link_of(kept.code))


def _tell_leaders(session: Session, period: Period, report: SupervisionReport, at: datetime) -> None:
    directors = session.scalars(
        select(Officer).where(Officer.role == Role.DIRECTOR, Officer.active).order_by(Officer.staff_no)
    )
    leaders = {officer.email: officer.name for officer in directors}
    leaders |= {address: LEADERS for address in settings().report_to if address not in leaders}
    for address, name in leaders.items():
        notice = SupervisionReported(
            recipient=name,
            period=period.label,
            summary=[f"{figure}：{value}" for figure, value in report.summary],
            link=link_of(report.code),
        )
        queue(session, notice, address, key=f"supervision-report:{report.code}", case_no=None, at=at)


def link_of(code: str) -> str:
    """The address of a report, which nobody can guess."""
    return f"{settings().public_url}/reports/{code}/{_key(code)}"


def _key(code: str) -> str:
    return keys().blind_index("supervision-report", code)[:32]


def report_behind(code: str, key: str) -> SupervisionReport:
    """The report behind a private address. ``LookupError`` for any other."""
    if hmac.compare_digest(_key(code).encode(), key.encode()):
        with reading() as session:
            kept = session.get(SupervisionReport, period_of(code).code)
            if kept is not None:
                return kept
    raise LookupError("链接无效，请核对后重试，或联系本中心。")
