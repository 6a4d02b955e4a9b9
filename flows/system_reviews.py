"""The review of a new system, and what went live beside what was promised (Article 17)."""

from itertools import count

from prefect import flow

from flows.asking import ask
from flows.story import story
from regulation.system_reviews import Stage, Verdict
from runtime import clock
from tasks.case.calendars import is_working_day
from tasks.case.notices import kick
from tasks.desk.runs import nudge
from tasks.system_reviews.go_live import check_promises, remind_before_go_live
from tasks.system_reviews.questions import MaterialReceived, SystemReviewOpinion
from tasks.system_reviews.steps import (
    fail_review,
    give_reference,
    pass_gate,
    request_material,
    take_material,
)


@story("系统评审")
def system_review(case_no: str) -> None:
    """第十七条：新建涉及行政许可、备案和公共服务事项的部门信息系统，未明确电子证照签发、使用和共享等建设内容的，综合管理单位不予评审。

    不予评审不是评审不通过：建设内容没有明确的不进入评审，补齐后可以再提交；进入评审的，由经办人评审。

    Args:
        case_no: 办件编号，如 PS-2026-000001；部门提交后自动发起，通常无需手工填写
    """
    if Stage(pass_gate(case_no)) is Stage.IN_REVIEW:
        review(case_no)


def review(case_no: str) -> None:
    """The review by staff, again after each supplement."""
    for turn in count(1):
        verdict = Verdict(ask(case_no, SystemReviewOpinion, turn)["verdict"])
        if verdict is Verdict.PASSED:
            give_reference(case_no, turn)
            return
        if verdict is Verdict.FAILED:
            fail_review(case_no, turn)
            return
        request_material(case_no, turn)
        ask(case_no, MaterialReceived, turn)
        take_material(case_no, turn)
    raise AssertionError("count() has no end")


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
