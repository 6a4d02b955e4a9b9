"""Limits that departments have to be reminded of (Articles 16 and 17), each once."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Answer, Deadline, Reminder
from regulation.limits import Limit
from tasks.questions import Question


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
