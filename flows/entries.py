"""What staff start, opened from Prefect: each of these runs opens an empty entry, which is filled in and signed at the
desk, and ends when it is. Nothing of it passes through Prefect."""

from uuid import uuid4

from prefect import Flow, flow
from prefect.client.schemas.objects import State
from prefect.exceptions import Pause
from prefect.flow_runs import suspend_flow_run
from prefect.runtime import flow_run
from prefect.states import Completed

from tasks.backfill.starts import EnterPaper
from tasks.case.start import Start
from tasks.case.starts import ChangeLeave, GiveCase, NameApprover, PublishYear, TakeLeave
from tasks.desk.entries import open_for_run
from tasks.desk.runs import nudge_all, show_entry
from tasks.guides.starts import EndException, EnterException
from tasks.liaisons.starts import FileLiaison
from tasks.objections.starts import ChangeContact, EnterComment, RegisterObjection
from tasks.rule_revisions.starts import ListRule
from tasks.spot_checks.starts import DeclareConflict, KeepCheckItem, KeepInspector, OpenRound
from tasks.supervision.starts import EnterVisit
from tasks.system_reviews.starts import ReportGoLive, SubmitSystem


def entry(start: type[Start]) -> Flow[[], State[None]]:
    """The flow, called as the start is, whose run waits for an entry of it: it ends with the number of the case, or, a
    day later, without."""

    def entered() -> State[None]:
        opened = open_for_run(start.about.code, str(flow_run.id))
        show_entry(opened, start)
        if opened.expired:
            return Completed(name="已过期", message="一天内没有签名，没有登记；需要的请重新发起，或直接在工作台登记。")
        if opened.came_of_it:
            return Completed(message=f"已登记：{opened.came_of_it}")
        try:
            suspend_flow_run(key=uuid4().hex, timeout=None)
        except Pause:
            # Whoever signed meanwhile found this run awake, and nobody would wake it before recovery.
            if open_for_run(start.about.code, str(flow_run.id)).came_of_it:
                nudge_all([], str(flow_run.id))
            raise
        raise AssertionError("a suspended run goes on from its first line")

    return flow(name=start.about.named, description=start.about.does, persist_result=False)(entered)


objection_intake = entry(RegisterObjection)
holder_comment = entry(EnterComment)
objection_contact = entry(ChangeContact)
backfill_intake = entry(EnterPaper)
paper_exception = entry(EnterException)
paper_exception_end = entry(EndException)
liaison_intake = entry(FileLiaison)
rule_revision_intake = entry(ListRule)
system_review_intake = entry(SubmitSystem)
go_live_report = entry(ReportGoLive)
visit = entry(EnterVisit)
spot_check_start = entry(OpenRound)
inspector_register = entry(KeepInspector)
inspector_conflict = entry(DeclareConflict)
check_item_list = entry(KeepCheckItem)
case_handover = entry(GiveCase)
officer_leave = entry(TakeLeave)
officer_leave_change = entry(ChangeLeave)
approver = entry(NameApprover)
calendar_publication = entry(PublishYear)
