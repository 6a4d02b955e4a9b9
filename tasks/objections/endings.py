"""How an objection ends once there is a decision on it (Article 12): in its story, or at once when a list brings it."""

from typing import Protocol, TypeVar

from regulation.objections import Outcome
from tasks.case.step import DurableStep
from tasks.objections.corrections import tell_users_of_wrong_value
from tasks.objections.steps import (
    close_objection,
    correct_certificate,
    decide_outcome,
    needs_correction,
    sync_certificate,
)

T = TypeVar("T")


class Taker(Protocol):
    """Lets one case take a step, if it has not, and says the result."""

    def __call__(self, step: DurableStep[T]) -> T: ...


def conclude(take: Taker) -> None:
    """Decide as the officer did, correct the certificate or our copy of it where that is the outcome and tell who used
    the wrong value, tell the objectors, and close."""
    outcome = take(decide_outcome)
    if needs_correction(outcome):
        take(correct_certificate)
        take(tell_users_of_wrong_value)
    elif outcome == Outcome.SYNCED:
        take(sync_certificate)
        take(tell_users_of_wrong_value)
    take(close_objection)
