"""A new year's arrangement of holidays, published here before the calendar library knows it."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import Field

from flows.asking import SignOff, until_accepted
from runtime.words import Words
from tasks.calendars import publish


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
