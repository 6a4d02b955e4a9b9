"""The report on supervision, on the first of a month at 07:30 and on demand (Article 17)."""

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from regulation.supervision_reports import ended_before, period_of
from runtime import clock
from runtime.refusals import RefusalError
from tasks.notices import kick
from tasks.supervision_reports import make_report


@flow(name="监督报告", persist_result=False)
def supervision_report(period: str = "") -> State[None]:
    """第十七条：每月1日07:30出上月（季末并出上季）的监督报告，留存并发给负责人。同一期间再出，仍是同一份。

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
