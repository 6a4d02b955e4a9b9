"""Handing a case to another officer, and leave with a substitute."""

from datetime import date

from prefect import flow
from pydantic import Field

from flows.asking import SignOff, until_accepted
from runtime.words import Words
from tasks.case_runs import forget_parameters
from tasks.cases import file_leave, give_case


class Handover(SignOff):
    """The start form of a hand-over."""

    case_no: Words = Field(
        title="办件编号", description="如YY-2026-000012，可略作YY-12或12", min_length=1, max_length=30
    )
    to: Words = Field(title="接收人", description="工号或姓名", min_length=1, max_length=20)
    why: Words = Field(title="移交理由", min_length=2, max_length=200)


class OfficerLeave(SignOff):
    """The start form of a leave."""

    absent: Words = Field(title="休假人", description="工号或姓名", min_length=1, max_length=20)
    substitute: Words = Field(title="代理人", description="工号或姓名", min_length=1, max_length=20)
    from_on: date = Field(title="开始日期")
    until_on: date = Field(title="结束日期（含）")


@flow(name="移交办件", persist_result=False)
def case_handover(handover: Handover) -> None:
    """把办件移交给另一名经办人，之后的提醒随之转移。

    Args:
        handover: 移交
    """
    until_accepted(handover, lambda form, by: give_case(form.case_no, form.to, form.why, by))
    # The reason is on record with us; what officers write about a case does not stay here.
    forget_parameters()


@flow(name="登记休假", persist_result=False)
def officer_leave(leave: OfficerLeave) -> None:
    """登记工作人员休假及代理人；休假期间的提醒发给代理人，代理人可代为办理。

    Args:
        leave: 休假
    """
    until_accepted(
        leave,
        lambda form, by: file_leave(form.absent, form.substitute, form.from_on, form.until_on, by),
    )
    # Whoever was named by name is on record with us by their number.
    forget_parameters()
