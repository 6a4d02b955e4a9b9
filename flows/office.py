"""Matters of the office: what staff see to, handing a case over, a new year's working days, exceptions for paper."""

from datetime import date

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import Field

from flows.asking import SignOff, until_accepted
from runtime.words import Words
from tasks.case.calendars import publish
from tasks.case.hand_over import give_case
from tasks.desk.runs import forget_parameters
from tasks.guides.paper_exceptions import end_exception, enter_exception, exceptions_table
from tasks.office.leave import file_leave


class Handover(SignOff):
    """The start form of a hand-over."""

    case_no: Words = Field(
        title="办件编号", description="如YY-2026-000012，可略作YY-12或12", min_length=1, max_length=30
    )
    to: Words = Field(title="接收人", description="工号或姓名", min_length=1, max_length=20)
    why: Words = Field(title="移交理由", min_length=2, max_length=200)
    though_away: bool = Field(
        False, title="接收人休假，仍然移交", description="提示接收人休假时再勾选；休假期间由其代理人办理"
    )


class OfficerLeave(SignOff):
    """The start form of a leave."""

    absent: Words = Field(title="休假人", description="工号或姓名", min_length=1, max_length=20)
    substitute: Words = Field(title="代理人", description="工号或姓名", min_length=1, max_length=20)
    from_on: date = Field(title="开始日期")
    until_on: date = Field(title="结束日期（含）")
    though_away: bool = Field(
        False, title="知道有人休假，仍然登记", description="提示代理人也休假，或休假人正代理他人时再勾选"
    )


@flow(name="移交办件", persist_result=False)
def case_handover(handover: Handover) -> None:
    """把办件（连同并入的）移交给另一名经办人，之后的提醒随之转移。由经办人、其代理人或负责人移交。

    Args:
        handover: 移交
    """
    until_accepted(handover, lambda form, by: give_case(form.case_no, form.to, form.why, by, form.though_away))
    # The reason is on record with us; what officers write about a case does not stay here.
    forget_parameters()


@flow(name="登记休假", persist_result=False)
def officer_leave(leave: OfficerLeave) -> None:
    """登记工作人员休假及代理人；休假期间的提醒发给代理人，代理人可代为办理。由休假人本人或负责人登记。

    Args:
        leave: 休假
    """
    until_accepted(
        leave,
        lambda form, by: file_leave(form.absent, form.substitute, form.from_on, form.until_on, by, form.though_away),
    )
    # Whoever was named by name is on record with us by their number.
    forget_parameters()


class YearPublication(SignOff):
    """The start form: the State Council's notice, as its days."""

    year: int = Field(title="年份", ge=2005, le=2100)
    days_off: Words = Field(
        title="放假日期",
        description="每行一段，如：2027-01-01 元旦，或 2027-02-05至2027-02-11 春节；照国务院办公厅通知填写",
        min_length=10,
        max_length=4000,
    )
    days_worked: Words = Field(
        "", title="调休上班日期", description="以空格或换行分隔，如：2027-02-06", max_length=1000
    )


@flow(name="公布放假安排", persist_result=False)
def calendar_publication(publication: YearPublication) -> State[None]:
    """录入国务院办公厅公布的年度放假安排，并重新推算全部在办办件的截止日。

    Args:
        publication: 放假安排
    """
    year, moved = until_accepted(
        publication,
        lambda form, by: (form.year, publish(form.year, form.days_off, form.days_worked, by)),
    )
    return Completed(message=f"已公布{year}年放假安排，{moved}个截止日有变动")


class PaperExceptionEntry(SignOff):
    """The start form."""

    certificate_type: Words = Field(title="证照类型", description="目录中的名称或类型代码", min_length=1, max_length=60)
    item_code: Words = Field("", title="事项", description="编码或名称；留空为全部事项", max_length=60)
    citation: Words = Field(title="法律、法规依据", description="名称和条款", min_length=4, max_length=300)
    from_on: date = Field(title="生效日期")
    until_on: date | None = Field(None, title="失效日期（含）", description="留空为长期")


class PaperExceptionEnd(SignOff):
    """The start form of an end."""

    number: int = Field(title="序号", description="见工件“法定纸质例外”", ge=1)
    last_on: date = Field(title="最后一日")


@flow(name="登记法定纸质例外", persist_result=False)
def paper_exception(entry: PaperExceptionEntry) -> None:
    """第七条：电子证照与纸质证照具有同等法律效力，法律、法规另有规定的除外。登记要求纸质证照的规定；用证接口据此答复窗口。

    Args:
        entry: 例外
    """
    until_accepted(
        entry,
        lambda form, by: enter_exception(
            form.certificate_type,
            form.item_code,
            form.citation,
            form.from_on,
            form.until_on,
            by,
        ),
    )
    _show()


@flow(name="终止法定纸质例外", persist_result=False)
def paper_exception_end(end: PaperExceptionEnd) -> None:
    """登记一项法定纸质例外的失效日期。

    Args:
        end: 终止
    """
    until_accepted(end, lambda form, by: end_exception(form.number, form.last_on, by))
    _show()


def _show() -> None:
    table = f"## 法定纸质例外（第七条）\n\n{exceptions_table()}"
    create_markdown_artifact(table, key="paper-exceptions", description="法定纸质例外")
