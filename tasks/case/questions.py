"""What a story may ask, and of what shape an answer must be.

Each noun's questions stand in its room, mostly in ``questions``; their titles and descriptions are what staff read.

A question's ``refusal`` holds the rules that reach over several fields or into the case; it is asked again on our side
whatever the Prefect server has checked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from models.cases import Case
from models.organisations import Officer
from tasks.office.officers import check_may_act


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer is checked against: the open transaction with the locked case, who answers, and today."""

    session: Session
    case: Case
    officer_no: str
    """Empty for an answer that no officer gives."""
    today: date


class Question(BaseModel):
    """A decision point of a story."""

    model_config = ConfigDict(use_attribute_docstrings=False)

    question: ClassVar[str]
    asks: ClassVar[str]
    """The heading of the form."""
    awaits: ClassVar[str] = ""
    """What is waited for when it is not the officer's decision, in a few words for the list 待办."""

    @classmethod
    def check_officer(cls, session: Session, officer: Officer, case: Case, today: date) -> None:
        """Raise ``RefusalError`` for an officer who may not answer: anybody but whose case it is today."""
        check_may_act(session, officer, case, today)

    @classmethod
    def choices(cls, session: Session, case: Case) -> Mapping[str, Sequence[str]]:
        """Of fields that take only what this case allows: what a form offers for them."""
        return {}

    def refusal(self, asked: Asked) -> str | None:
        """Why this answer cannot be taken, in Chinese; ``None`` when it can."""
        return None

    def recorded(self) -> dict[str, Any]:
        """The answer as it goes on record."""
        return self.model_dump(mode="json")
