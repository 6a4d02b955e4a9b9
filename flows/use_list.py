"""The use list: a proposal, and the watch over list and liaison officers (Articles 9, 13)."""

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from flows.asking import ask
from flows.story import story
from runtime import clock
from tasks.case.calendars import is_working_day
from tasks.case.notices import kick
from tasks.liaisons.steps import remind_departments
from tasks.use_list.questions import UseListReview
from tasks.use_list.steps import carry_out_review
from tasks.use_list.watch import ask_about_entries, report_refusals, report_unanswered


@story("用证清单")
def use_list_proposal(case_no: str) -> None:
    """第九条：电子证照使用部门应细化应用场景，依据职能在用证清单范围内使用电子证照。用证清单实行动态管理，由使用部门及时提供，
    由综合管理单位审核维护。

    Args:
        case_no: 办件编号，如 QD-2026-000001；部门提出后自动发起，通常无需手工填写
    """
    ask(case_no, UseListReview)
    carry_out_review(case_no)


@flow(name="清单巡查", persist_result=False)
def use_list_watch() -> str:
    """第九条、第十三条：工作日08:40询问久未使用或未确认的用证清单条目，把逾期未答复的列为待阅，报告清单外的用证，提醒没有专人的部门。
    放假日不巡查。"""
    now = clock.now()
    if not is_working_day(now):
        return f"{clock.local_date(now)}放假，不巡查"
    reminded = remind_departments(now)
    asked = ask_about_entries(now)
    unanswered = report_unanswered(now)
    refusals = report_refusals(now)
    if refusals is not None:
        create_markdown_artifact(refusals, key="use-list-refusals", description="清单外用证日报")
    kick()
    return f"提醒备案专人{reminded}个部门，询问条目{asked}条，逾期未答复{unanswered}件"
