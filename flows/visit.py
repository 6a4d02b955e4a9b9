"""A visit in person to a department's counter (Articles 8, 10, 11, 17)."""

from prefect import flow
from prefect.runtime import flow_run

from flows.asking import SignOff, until_accepted
from tasks.case_runs import nudge
from tasks.visits import VisitForm, record_visit


class VisitEntry(VisitForm, SignOff):
    """The start form: what was found, and by whom."""


@flow(name="现场体验登记", persist_result=False)
def visit(entry: VisitEntry) -> str:
    """第十七条：工作人员到窗口体验后登记窗口的要求。要求提供可以由系统获得的纸质证照的，转督促整改。

    Args:
        entry: 现场体验
    """
    said, opened = until_accepted(entry, lambda form, by: record_visit(form, f"visit:{flow_run.id}", by))
    for case_no in opened:
        nudge(case_no)
    return said
