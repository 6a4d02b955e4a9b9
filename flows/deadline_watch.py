"""The watch over time limits, every working day at 08:30 (Article 12 and the Center's own limits)."""

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from runtime import clock
from tasks.case_runs import prefect, wake
from tasks.corrections import note_unanswered
from tasks.deadlines import sweep
from tasks.objection_drafts import forget_drafts
from tasks.rectification_watch import board, remind_of_rectifications
from tasks.rule_revision_watch import remind_of_revisions


@flow(name="时限巡查", persist_result=False)
def deadline_watch() -> str:
    """工作日08:30提醒经办人即将到期的时限，向负责人报告超期；上级到期未回复的自动催办或报省，
    部门整改、修订制度到期前提醒，整改逾期未答复的按不到位处理，
    删除过期的异议草稿。放假日只删除草稿、不巡查。"""
    now = clock.now()
    forget_drafts(now)
    note_unanswered(now)
    swept = sweep(now)
    if not swept.working_day:
        return f"{swept.day}放假，不巡查"
    remind_of_rectifications(now)
    remind_of_revisions(now)
    with prefect() as client:
        for case_no in swept.silent:
            wake(client, case_no)
    said = f"新提醒{swept.near}项，新超期{swept.overdue}项，对方逾期未答复{len(swept.silent) + len(swept.pursued)}件"
    if swept.pursued:
        said += f"（其中批量异议{len(swept.pursued)}件已一并拟好催办或报省，随上级往来发出）"
    rows = "\n".join(f"| {day} | {number} |" for day, number in swept.due_by_day)
    create_markdown_artifact(
        f"## {swept.day} 时限日报\n\n{said}\n\n| 截止日 | 在办时限数 |\n| --- | --- |\n{rows}",
        key="deadline-digest",
        description=f"{swept.day}时限日报",
    )
    create_markdown_artifact(board(now), key="rectification-board", description="督促整改台账")
    return said
