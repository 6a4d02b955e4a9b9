"""What keeps everything going by the clock: lost runs, time limits, the outbox, the sealing of the record."""

from collections.abc import Callable, Mapping

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from runtime import clock
from tasks.case.notices import send_notices
from tasks.desk.deadline_watch import sweep
from tasks.desk.entries import forget_entries
from tasks.desk.postings import note_unposted
from tasks.desk.rounds import Chore, due_chores, note_chore, rounds_table
from tasks.desk.runs import name_run, prefect, recover, tell_runs_of_entries, wake
from tasks.keeping.records import seal_record
from tasks.objections.corrections import note_unanswered
from tasks.objections.drafts import forget_drafts
from tasks.objections.source_checks import note_unanswered_checks
from tasks.objections.verifications import correspond
from tasks.rectifications.watch import board, remind_of_rectifications
from tasks.rule_revisions.watch import remind_of_revisions


def recover_cases() -> str:
    """Give every open case a run that has lost its own, and let runs end whose entry is signed or has expired."""
    with prefect() as client:
        recovered = recover(client, clock.now())
        entries = tell_runs_of_entries(client, clock.now())
    cases = f"重新发起{len(recovered.started)}件，唤醒{len(recovered.woken)}件"
    return f"{cases}，结束登记的运行{entries}个"


def seal() -> str:
    """Article 14: seal what is new in the record, so that a change, a gap or an exchange shows."""
    return f"封存{seal_record(clock.now())}条"


def write_to_bureaus() -> str:
    """Article 12: send verification requests that could not be sent before, and fetch replies."""
    news = correspond()
    with prefect() as client:
        for case_no in news:
            wake(client, case_no)
    return f"有进展的办件{len(news)}件"


ROUNDS: Mapping[Chore, Callable[[], str]] = {
    Chore.RECOVERY: recover_cases,
    Chore.SEALING: seal,
    Chore.BUREAUS: write_to_bureaus,
    Chore.NOTICES: send_notices,
}


@flow(name="系统巡检", persist_result=False)
def system_round(only: tuple[Chore, ...] = ()) -> State[None]:
    """每分钟做到时间的事：为流程中断的在办办件重新发起流程，封存日志（第十四条），同上级往来（第十二条），发送通知。也可随时手工运行，
    不论是否到时间。一项没有完成，其余照做。

    Args:
        only: 只做选定的；不选的，做到时间的
    """
    at = clock.now()
    done = {chore: do_chore(chore) for chore in only or due_chores(at)}
    failed = [chore for chore, (_, trouble) in done.items() if trouble]
    name = f"{at.astimezone(clock.SHANGHAI):%H:%M}巡检"
    if not failed:
        name_run(name)
        return Completed(message="；".join(f"{chore}：{said}" for chore, (said, _) in done.items()) or "没有到时间的事")
    name_run(f"{name}，未完成：{'、'.join(failed)}")
    create_markdown_artifact(rounds_table(), key="system-round", description="系统巡检：各项上次完成的时间")
    return Failed(message="；".join(f"{chore}没有完成（{done[chore][1]}）" for chore in failed))


def do_chore(chore: Chore) -> tuple[str, str]:
    """Do a chore and note it: what it says of itself, or the kind of error that it ended with. Whatever goes wrong with
    one keeps the others waiting no longer than it takes."""
    at = clock.now()
    try:
        said = ROUNDS[chore]()
    except Exception as error:
        # Its kind only: what an error says may hold somebody's data.
        note_chore(chore, at, type(error).__name__)
        return "", type(error).__name__
    note_chore(chore, at)
    return said, ""


@flow(name="时限巡查", persist_result=False)
def deadline_watch() -> str:
    """工作日08:30提醒经办人即将到期的时限，向负责人报告超期；上级到期未回复的自动催办或报省，部门整改、修订制度到期前提醒，整改逾期未答复的
    按不到位处理。部门没有按期答复怎样处理错误信息的，列为待阅；过期的异议草稿和没有签名的登记删除：这两项放假日也办，其余放假日不巡查。"""
    now = clock.now()
    forget_drafts(now)
    forget_entries(now)
    note_unanswered(now)
    note_unanswered_checks(now)
    swept = sweep(now)
    if not swept.working_day:
        return f"{swept.day}放假，不巡查"
    note_unposted(now)
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
