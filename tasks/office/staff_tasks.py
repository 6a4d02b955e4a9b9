"""What a person has to see to that no form asks for: an undeliverable notice, a late reply, a missing calendar."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import StaffTask
from models.organisations import Officer, Role
from runtime import clock
from runtime.database import transaction
from runtime.refusals import RefusalError
from tasks.audit import record
from tasks.office.officers import NO_AUDITOR


def open_staff_task(session: Session, key: str, case_no: str | None, what: str, at: datetime) -> None:
    """Leave something for a person to see to, once for a ``key``."""
    if session.scalar(select(StaffTask.id).where(StaffTask.key == key)) is None:
        session.add(StaffTask(key=key, case_no=case_no, what=what, opened_at=at))


def complete_staff_task(number: int, note: str, staff_no: str) -> None:
    """Note that an officer has seen to a task and how. Doing it again changes nothing.

    Raises ``RefusalError`` for an unknown number and for an auditor.
    """
    with transaction() as session:
        now = clock.now()
        if session.get_one(Officer, staff_no).role is Role.AUDITOR:
            raise RefusalError(NO_AUDITOR)
        task = session.get(StaffTask, number, with_for_update=True)
        if task is None:
            raise RefusalError(f"没有序号为{number}的待阅事项，请对照“待阅事项”列表更正。")
        if task.done_at is None:
            task.done_at, task.done_by_no, task.note = now, staff_no, note
            record(session, "staff-task:matter:done", task.case_no, staff_no, now, number=number)
