"""The watch over the use list and the liaison officers, every working day at 08:40 (Articles 9, 13)."""

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from runtime import clock
from tasks.calendars import is_working_day
from tasks.liaisons import remind_departments
from tasks.notices import kick
from tasks.use_list_watch import ask_about_entries, report_refusals, report_unanswered


@flow(name="清单巡查", persist_result=False)
def use_list_watch() -> str:
    """第九条、第十三条：工作日08:40询问久未使用或未确认的用证清单条目，报告清单外的用证，提醒没有专人的部门。放假日不巡查。"""
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
