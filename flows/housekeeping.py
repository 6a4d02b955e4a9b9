"""What keeps everything going by the clock: lost runs, time limits, the outbox, the sealing of the record."""

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from runtime import clock
from tasks.case.notices import send_notices
from tasks.desk.deadline_watch import sweep
from tasks.desk.entries import forget_entries
from tasks.desk.runs import prefect, recover, tell_runs_of_entries, wake
from tasks.keeping.records import seal_record
from tasks.objections.corrections import note_unanswered
from tasks.objections.drafts import forget_drafts
from tasks.rectifications.watch import board, remind_of_rectifications
from tasks.rule_revisions.watch import remind_of_revisions


@flow(name="办件恢复", persist_result=False)
def case_recovery() -> str:
    """为流程中断的在办办件重新发起流程，唤醒已有答复的办件，结束已经签名或过期的登记的运行。系统启动时和每5分钟自动运行。"""
    with prefect() as client:
        recovered = recover(client, clock.now())
        entries = tell_runs_of_entries(client, clock.now())
    cases = f"重新发起{len(recovered.started)}件，唤醒{len(recovered.woken)}件"
    return f"{cases}，结束登记的运行{entries}个"


@flow(name="发送通知", persist_result=False)
def notice_dispatch() -> str:
    """发送待发的通知邮件，没有发出的重试。每分钟自动运行。"""
    return send_notices()


@flow(name="封存日志", persist_result=False)
def record_sealing() -> str:
    """第十四条：把新的日志封存成块，使任何改动、删除、插入和调换都能被发现。每分钟自动运行。"""
    return f"封存{seal_record(clock.now())}条"


@flow(name="时限巡查", persist_result=False)
def deadline_watch() -> str:
    """工作日08:30提醒经办人即将到期的时限，向负责人报告超期；上级到期未回复的自动催办或报省，部门整改、修订制度到期前提醒，整改逾期未答复的
    按不到位处理。部门没有按期答复怎样处理错误信息的，列为待阅；过期的异议草稿和没有签名的登记删除：这两项放假日也办，其余放假日不巡查。"""
    now = clock.now()
    forget_drafts(now)
    forget_entries(now)
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
