"""Daily supervision (Articles 8 to 11, 13, 14, 17): by night, mystery applications, reports."""

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from flows.asking import ask
from flows.story import story
from regulation.supervision_reports import ended_before, period_of
from runtime import clock
from runtime.refusals import RefusalError
from tasks.case.notices import kick
from tasks.desk.runs import nudge
from tasks.supervision import mystery_applications, nights
from tasks.supervision.mystery_applications import begin_round, note_round, play_round
from tasks.supervision.nights import last_nights, supervise
from tasks.supervision.paper_report_questions import PaperReportVerdict
from tasks.supervision.paper_reports import close_report
from tasks.supervision.reports import make_report


@flow(name="电子督查", persist_result=False)
def online_supervision() -> str:
    """第十七条：每日02:30以规则查看前30天的用证日志和名册，发现的问题逐件督促整改；停机未查的日子补查，最多补7天。"""
    now = clock.now()
    supervised = supervise(now)
    # A run that ended before it had said so leaves this to the next one.
    known = last_nights()
    create_markdown_artifact(nights.report_of(known), key="online-supervision", description="电子督查日报")
    lately = [night.noted for night in known if clock.local_date(night.at) == clock.local_date(now)]
    opened = [case_no for noted in lately for case_no in noted.opened]
    cleared = [case_no for noted in lately for case_no in noted.cleared]
    for case_no in (*opened, *cleared):
        nudge(case_no)
    done = f"查看至{known[0].day}" if supervised else "今天已经查过"
    return f"{done}，新发现问题{len(opened)}个，已消除{len(cleared)}个"


@flow(name="模拟办事", persist_result=False)
def mystery_application() -> str:
    """第十七条：以模拟办事的方式对电子证照使用部门进行日常监督。比对办事指南，以测试持证主体试用用证清单的每个条目，发现问题的转督促整改。"""
    round_no = begin_round(str(flow_run.id))
    play_round(round_no)
    noted = note_round(round_no)
    report = mystery_applications.report_of(round_no, noted)
    create_markdown_artifact(report, key="mystery-application", description=f"模拟办事报告 {round_no}")
    for case_no in noted.opened:
        nudge(case_no)
    return f"{round_no}：新开督促整改{len(noted.opened)}件，仍存在{noted.again}件，已消除{len(noted.cleared)}件"


@story("群众反映")
def paper_report(case_no: str) -> None:
    """第八条：对可以通过区电子证照系统获得的电子证照不再要求提供纸质证照。群众反映的，经核实属实转督促整改。

    Args:
        case_no: 办件编号，如 FY-2026-000001；收到反映后自动发起，通常无需手工填写
    """
    ask(case_no, PaperReportVerdict)
    for rectification in close_report(case_no):
        nudge(rectification)


@flow(name="监督报告", persist_result=False)
def supervision_report(period: str = "") -> State[None]:
    """第十七条：每月1日07:30出上月（上月为季末的，并出上季）的监督报告，留存并发给负责人和设置的收件人。同一期间再出，仍是同一份。

    Args:
        period: 期间，如2026-10或2026-Q3；不填为上月（及刚结束的季度）
    """
    now = clock.now()
    try:
        periods = (period_of(period),) if period.strip() else ended_before(clock.local_date(now))
        made = [(each, make_report(each, now)) for each in periods]
    except RefusalError as why:
        return Failed(message=str(why))
    for each, report in made:
        create_markdown_artifact(
            report.markdown, key=f"supervision-report-{report.code.lower()}", description=f"{each.label}监督报告"
        )
    kick()
    return Completed(message="、".join(f"{each.label}监督报告：{report.link}" for each, report in made))
