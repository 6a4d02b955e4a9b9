"""The comparison of what went live with what was promised, every working day at 08:50 (Article 17)."""

from prefect import flow

from runtime import clock
from tasks.calendars import is_working_day
from tasks.case_runs import nudge
from tasks.go_live_check import check_promises, remind_before_go_live
from tasks.notices import kick


@flow(name="上线核对", persist_result=False)
def go_live_check() -> str:
    """第十七条：工作日08:50提醒将要上线的部门，核对已上线的系统：评审时承诺的用证清单条目是否列入、是否真正使用。放假日不核对。"""
    now = clock.now()
    if not is_working_day(now):
        return f"{clock.local_date(now)}放假，不核对"
    reminded = remind_before_go_live(now)
    noted = check_promises(now)
    for case_no in noted.opened:
        nudge(case_no)
    kick()
    found = f"新发现问题{len(noted.opened)}个，仍存在{noted.again}个，已消除{len(noted.cleared)}个"
    return f"提醒上线{reminded}个项目，{found}"
