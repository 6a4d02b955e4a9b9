"""A citizen's report that a counter demanded paper (Articles 8, 10, 11, 17)."""

from flows.asking import ask
from flows.story import story
from tasks.case_runs import nudge
from tasks.paper_report_questions import PaperReportVerdict
from tasks.paper_reports import close_report


@story("群众反映")
def paper_report(case_no: str) -> None:
    """第八条：对可以通过区电子证照系统获得的电子证照不再要求提供纸质证照。群众反映的，经核实属实转督促整改。

    Args:
        case_no: 办件编号，如 FY-2026-000001；收到反映后自动发起，通常无需手工填写
    """
    ask(case_no, PaperReportVerdict)
    for rectification in close_report(case_no):
        nudge(rectification)
