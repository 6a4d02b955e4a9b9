"""Mail to the department of a case: what a step tells it, and reminders of its limits (Articles 16, 17), each once."""

from collections.abc import Callable, Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Answer, Deadline, Reminder
from models.organisations import Department
from notifications.notices import Notice
from regulation.limits import Limit
from runtime.contacts import can_be_written_to
from tasks.case.questions import Question
from tasks.case.step import Step
from tasks.office.recipients import addressees
from tasks.office.staff_tasks import open_staff_task


def take_unreminded(
    session: Session, limit: Limit, question: type[Question], kind: str, first: date, last: date, at: datetime
) -> Sequence[Deadline]:
    """The running deadlines of a limit, due from ``first`` to ``last``, whose department has not answered the question
    of their turn and has had no reminder of this ``kind`` in this turn; from now on they have.

    The caller sees to it that no two watches look at the same time.
    """
    answered = select(Answer.id).where(
        Answer.case_no == Deadline.case_no,
        Answer.question == question.question,
        Answer.turn == Deadline.turn,
        Answer.refusal.is_(None),
    )
    wanted = select(Deadline).where(
        Deadline.limit_code == limit.code,
        Deadline.running,
        Deadline.due_on.between(first, last),
        ~answered.exists(),
    )
    due = session.scalars(wanted.order_by(Deadline.id)).all()
    given = select(Reminder.deadline_id, Reminder.kind).where(Reminder.deadline_id.in_([each.id for each in due]))
    known = set(session.execute(given).tuples())
    new = [each for each in due if (each.id, f"{kind}-{each.turn}") not in known]
    session.add_all(Reminder(deadline_id=each.id, kind=f"{kind}-{each.turn}", at=at) for each in new)
    return new


def tell_department(step: Step, uscc: str, notice: Callable[[str], Notice]) -> None:
    """Send a notice, made for its recipient, to whoever of a department is written to; where nobody has an address that
    can be, staff hand it over."""
    department = step.session.get_one(Department, uscc)
    there = addressees(step.session, department, step.today)
    for recipient, address in there:
        step.notify(notice(recipient), address)
    if not any(can_be_written_to(address) for _, address in there):
        case = step.case
        what = f"“{department.name}”没有可用的邮箱，请另行送达{case.case_no}的通知（{case.stage}）并补登邮箱"
        open_staff_task(step.session, f"unreached:{case.case_no}:{step.name}:{step.turn}", case.case_no, what, step.now)
