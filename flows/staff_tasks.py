"""Matters for staff that no form asks for: the list of what is open, and the word that something was seen to."""

from prefect import flow
from pydantic import Field

from flows.asking import SignOff, until_accepted
from runtime.words import Words
from tasks.staff_tasks import complete_staff_task


class StaffTaskDone(SignOff):
    """The start form."""

    number: int = Field(title="序号", description="见“待办”中的“待阅事项”", ge=1)
    note: Words = Field(title="处理情况", min_length=2, max_length=500)


@flow(name="办结待阅事项", persist_result=False)
def staff_task_completion(done: StaffTaskDone) -> None:
    """登记一项待阅事项（无法送达的通知、迟到的上级回复、申请人的不同意见等）的处理情况，“待办”随即更新。

    Args:
        done: 处理情况
    """
    until_accepted(done, lambda form, by: complete_staff_task(form.number, form.note, by))
