"""The watch over time limits, every working day at 08:30 (Article 12 and the Center's own limits)."""

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from flows.staff_tasks import show_staff_tasks
from runtime import clock
from tasks.case_runs import prefect, wake
from tasks.corrections import note_unanswered
from tasks.deadlines import sweep


@flow(name="时限巡查", persist_result=False)
def deadline_watch() -> str:
    """工作日08:30提醒经办人即将到期的时限，向负责人报告超期；上级到期未回复的自动催办或报省。放假日不巡查。"""
    note_unanswered(clock.now())
    swept = sweep(clock.now())
    if not swept.working_day:
        return f"{swept.day}放假，不巡查"
    with prefect() as client:
        for case_no in swept.silent:
            wake(client, case_no)
    said = f"新提醒{swept.near}项，新超期{swept.overdue}项，上级未回复{len(swept.silent)}件"
    rows = "\n".join(f"| {day} | {number} |" for day, number in swept.due_by_day)
    create_markdown_artifact(
        f"## {swept.day} 时限日报\n\n{said}\n\n| 截止日 | 在办时限数 |\n| --- | --- |\n{rows}",
        key="deadline-digest",
        description=f"{swept.day}时限日报",
    )
    show_staff_tasks()
    return said
