"""A citizen's report on its sheets (Articles 8, 10, 11)."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Case, CaseKind
from models.organisations import Department
from models.paper_reports import PaperReport
from regulation import limits
from regulation.paper_reports import STAGES
from tasks.case.kind import Brief, Compared, Happened, Kind, KindSheet, Lines
from tasks.supervision.paper_report_questions import PaperReportVerdict
from tasks.supervision.paper_reports import report_of


def _department(session: Session, case: Case) -> str:
    return session.get_one(Department, report_of(session, case.case_no).department_uscc).name


def _briefs(session: Session, case_nos: Sequence[str]) -> dict[str, Brief]:
    wanted = select(PaperReport.case_no, Department.name, PaperReport.demand)
    wanted = wanted.join(Department, Department.uscc == PaperReport.department_uscc)
    rows = session.execute(wanted.where(PaperReport.case_no.in_(case_nos))).tuples()
    return {case_no: Brief(name, detail=demand) for case_no, name, demand in rows}


def _lines(session: Session, case: Case) -> Lines:
    report = report_of(session, case.case_no)
    return [
        ("部门", _department(session, case)),
        ("窗口的要求", report.demand),
        ("发生日期", str(report.happened_on)),
        ("反映人联系方式", "已留" if report.email or report.phone else "未留"),
    ]


def _full_lines(session: Session, case: Case) -> Lines:
    report = report_of(session, case.case_no)
    return [
        ("部门", _department(session, case)),
        ("办什么事", report.matter),
        ("要的证件", report.material),
        ("窗口的要求", report.demand),
        ("发生日期", str(report.happened_on)),
        ("经过", report.account or "未填写"),
        ("联系方式", "  ".join(filter(None, (report.phone, report.email))) or "未留"),
    ]


def _people(session: Session, case: Case) -> Lines:
    return [("同一反映人", report_of(session, case.case_no).phone or "")]


def _compared(session: Session, case: Case) -> Sequence[Compared]:
    """What the citizen says."""
    said = [(name, value) for name, value in _full_lines(session, case) if name != "联系方式"]
    return [Compared("群众反映的情况", tuple(said), telling=frozenset({"窗口的要求", "要的证件"}))]


_HAPPENED: Happened = {
    "paper-report:citizen:registered": "收到群众反映",
    "paper-report:citizen:closed": "核实：{verdict}，留有邮箱的已告知反映人",
}

PAPER_REPORT = Kind(
    CaseKind.PAPER_REPORT,
    "群众反映/paper-report",
    STAGES,
    (PaperReportVerdict,),
    (limits.PAPER_REPORT_CHECK,),
    KindSheet("群众反映", _briefs, _lines, _full_lines, _HAPPENED, compared=_compared, people_of=_people),
    concerned=select(PaperReport.case_no, PaperReport.department_uscc),
)
