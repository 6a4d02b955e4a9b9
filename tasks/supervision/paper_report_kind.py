"""A citizen's report on its sheets (Articles 8, 10, 11)."""

from sqlalchemy.orm import Session

from models.cases import Case, CaseKind
from models.organisations import Department
from regulation import limits
from regulation.paper_reports import STAGES
from tasks.case.kind import Happened, Kind, KindSheet, Lines
from tasks.supervision.paper_report_questions import PaperReportVerdict
from tasks.supervision.paper_reports import report_of


def _department(session: Session, case: Case) -> str:
    return session.get_one(Department, report_of(session, case.case_no).department_uscc).name


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
    KindSheet("群众反映", _department, _lines, _full_lines, _HAPPENED),
)
