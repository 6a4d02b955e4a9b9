"""A project for the review of new systems that came on paper, and the word that it went live (Article 17)."""

from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import Field

from flows.asking import SignOff, until_accepted
from flows.registration import part_of, register
from runtime.words import Words
from tasks.departments import DepartmentText
from tasks.go_live_check import report_for_staff
from tasks.system_review_submissions import GoLiveForm, SystemReviewForm
from tasks.system_reviews import submit_for_department


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
    """第十七条：登记部门书面提交的新建系统项目。登记后自动发起一个“系统评审”；方案文件在其签名页上添加。

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
