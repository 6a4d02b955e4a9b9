"""Online supervision, every night at 02:30 (Articles 8, 9, 11, 13, 14, 17)."""

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from runtime import clock
from tasks.case_runs import nudge
from tasks.online_supervision import last_nights, report_of, supervise


@flow(name="电子督查", persist_result=False)
def online_supervision() -> str:
    """第十七条：每日02:30以规则查看前30天的用证日志和名册，发现的问题逐件督促整改；停机未查的日子补查。"""
    now = clock.now()
    supervised = supervise(now)
    # A run that ended before it had said so leaves this to the next one.
    nights = last_nights()
    create_markdown_artifact(report_of(nights), key="online-supervision", description="电子督查日报")
    lately = [night.noted for night in nights if clock.local_date(night.at) == clock.local_date(now)]
    opened = [case_no for noted in lately for case_no in noted.opened]
    cleared = [case_no for noted in lately for case_no in noted.cleared]
    for case_no in (*opened, *cleared):
        nudge(case_no)
    done = f"查看至{nights[0].day}" if supervised else "今天已经查过"
    return f"{done}，新发现问题{len(opened)}个，已消除{len(cleared)}个"
