"""Mystery applications, every month and on demand (Articles 8 to 11, 17)."""

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.runtime import flow_run

from tasks.case_runs import nudge
from tasks.mystery_applications import begin_round, note_round, play_round, report_of


@flow(name="模拟办事", persist_result=False)
def mystery_application() -> str:
    """第十七条：以模拟办事的方式对电子证照使用部门进行日常监督。比对办事指南，以测试持证主体试用用证清单的每个条目，发现问题的转督促整改。"""
    round_no = begin_round(str(flow_run.id))
    play_round(round_no)
    noted = note_round(round_no)
    report = report_of(round_no, noted)
    create_markdown_artifact(report, key="mystery-application", description=f"模拟办事报告 {round_no}")
    for case_no in noted.opened:
        nudge(case_no)
    return f"{round_no}：新开督促整改{len(noted.opened)}件，仍存在{noted.again}件，已消除{len(noted.cleared)}件"
