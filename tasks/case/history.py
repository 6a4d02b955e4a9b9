"""What has happened in the case of the present run: its recorded steps and accepted answers.

A story begins again from its first line at each leg. What it has done and been told never changes, it only grows; so
it is read once, at the beginning of the leg, and what is not in it is looked for under the case's lock.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.exc import OperationalError

from models.cases import Answer, StepRecord
from runtime.database import one_read

RECORDED_STEPS = select(StepRecord.step, StepRecord.turn, StepRecord.result).where(
    StepRecord.case_no == bindparam("case_no")
)
ACCEPTED_ANSWERS = select(Answer.question, Answer.turn, Answer.given).where(
    Answer.case_no == bindparam("case_no"), Answer.refusal.is_(None)
)


@dataclass(frozen=True, slots=True)
class History:
    """By name and turn, the results of steps and the answers to questions of one case."""

    case_no: str
    steps: dict[tuple[str, int], Any] = field(default_factory=dict)
    answers: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)


_present: ContextVar[History | None] = ContextVar("history", default=None)


@contextmanager
def remembering(case_no: str) -> Iterator[None]:
    """In this block, what has happened in a case is known; steps and answers add to it."""
    history = History(case_no)
    # Of a database that is away nothing is known, and the steps wait for it.
    with suppress(OperationalError), one_read() as connection:
        for step, turn, result in connection.execute(RECORDED_STEPS, {"case_no": case_no}):
            history.steps[step, turn] = result
        for question, turn, given in connection.execute(ACCEPTED_ANSWERS, {"case_no": case_no}):
            history.answers[question, turn] = given
    before = _present.set(history)
    try:
        yield
    finally:
        _present.reset(before)


def history_of(case_no: str) -> History:
    """What is known here of a case: nothing outside of its run."""
    present = _present.get()
    return present if present is not None and present.case_no == case_no else History(case_no)
