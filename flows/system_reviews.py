"""The review of a new system, and what went live beside what was promised (Article 17)."""

from itertools import count
from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import Field

from flows.asking import SignOff, ask, until_accepted
from flows.registration import part_of, register
from flows.story import story
from regulation.system_reviews import Stage, Verdict
from runtime import clock
from runtime.words import Words
from tasks.case.calendars import is_working_day
from tasks.case.notices import kick
from tasks.desk.runs import nudge
from tasks.office.departments import DepartmentText
from tasks.system_reviews.go_live import check_promises, remind_before_go_live, report_for_staff
from tasks.system_reviews.questions import MaterialReceived, SystemReviewOpinion
from tasks.system_reviews.steps import (
    fail_review,
    give_reference,
    pass_gate,
    request_material,
    submit_for_department,
    take_material,
)
from tasks.system_reviews.submissions import GoLiveForm, SystemReviewForm


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


class SystemReviewIntake(SystemReviewForm, SignOff):
    """The start form: the project, whose it is, and who types it in."""

    department: DepartmentText


class GoLiveReport(GoLiveForm, SignOff):
    """The start form: which project went live or will on another day."""

    case_no: Annotated[
        Words, Field(title="办件编号", description="评审通过的，如PS-2026-000012，可略作12", max_length=20)
    ]


@flow(name="系统评审登记", persist_result=False, validate_parameters=False)
def system_review_intake(application: SystemReviewIntake) -> State[None]:
    """第十七条：登记部门书面提交的新建系统项目。登记后自动发起一个“系统评审”；方案文件在其办件页上添加。

    Args:
        application: 新建系统项目
    """
    return register(
        application,
        SystemReviewIntake,
        lambda given, key, actor: submit_for_department(part_of(given, SystemReviewForm), given.department, key, actor),
    )


@flow(name="登记系统上线", persist_result=False)
def go_live_report(report: GoLiveReport) -> None:
    """第十七条：登记评审通过的系统已经上线，或者计划上线日期改期；上线后按评审时的承诺核对。

    Args:
        report: 上线情况
    """
    until_accepted(report, lambda form, by: report_for_staff(form.case_no, form, by))


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
