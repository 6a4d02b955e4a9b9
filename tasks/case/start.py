"""What staff start by a form at the desk: a registration that came on paper, a hand-over, a leave, a spot check.

Each noun's starts stand in its room, in ``starts``; all are entered in ``tasks/desk/starts.py``. Their titles and
descriptions are what staff read; the desk makes form, preview and receipt from them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel
from sqlalchemy.orm import Session

from models.organisations import Officer, Role
from runtime.refusals import RefusalError
from tasks.case.attachments import File
from tasks.case.kind import Table
from tasks.case.questions import Form
from tasks.office.officers import NO_AUDITOR

F = TypeVar("F", bound=BaseModel)
Typed = Mapping[str, str]
"""What stands in the fields of a form, right or wrong, by the names of the fields."""
Days = Mapping[str, tuple[date | None, date | None]]
"""Of fields that take a day: the first and the last one."""


@dataclass(frozen=True, slots=True)
class About:
    """What is said of a start. ``code`` names its page, ``deployment`` what opens it from Prefect."""

    code: str
    named: str
    group: str
    article: str
    """By which article; empty: a matter of the office."""
    does: str
    """What comes of it, in a sentence or two."""
    deployment: str
    words: str = ""
    """Other words by which it is looked for."""
    only_directors: str = ""
    """Why nobody but a director may, where that is so."""
    takes_files: str = ""
    """Which files may come with it; empty: none."""
    leads: frozenset[str] = field(default=frozenset())
    """Fields on which what others offer hangs."""
    finds: str = ""
    """The field in which a certificate is named that may be looked up by its holder's number."""
    elsewhere: tuple[str, str] = ("", "")
    """Where something like it is done: an address of the desk, and the words that lead there."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the fields of which a form does not know beforehand, such as those of a certificate's type."""

    name: str
    title: str
    hint: str = ""
    choices: Sequence[str] = ()
    """The few things that it can be; none: any text."""
    among: Sequence[str] = ()
    """What is suggested while one types."""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Begun:
    """What came of a start: the sentence that says so, the case that it opened, if any, and those that have news."""

    sentence: str
    case_no: str | None = None
    news: tuple[str, ...] = ()


class Start(Form):
    """Something that an officer starts. Its fields are the form."""

    about: ClassVar[About]

    @classmethod
    def choices(cls, session: Session, typed: Typed) -> Mapping[str, Mapping[str, str]]:
        """Of fields that take one of a few things: what a form offers, each with its words."""
        return {}

    @classmethod
    def offered(cls, session: Session, typed: Typed) -> Mapping[str, Sequence[str]]:
        """Of fields that take any text: what a form suggests while one types."""
        return {}

    @classmethod
    def parts(cls, session: Session, typed: Typed) -> Mapping[str, Sequence[Part]]:
        """Of fields that are made of others, which these are."""
        return {}

    @classmethod
    def allowed_days(cls, session: Session, today: date) -> Days:
        """Of fields that take a day, those that may be chosen."""
        return {}

    @classmethod
    def suggested(cls, session: Session, officer: Officer, today: date) -> Mapping[str, Any]:
        """What an empty form has filled in already; the officer may change it."""
        return {}

    @classmethod
    def there(cls, session: Session, today: date) -> Table | None:
        """What stands on the register that this changes."""
        return None

    @classmethod
    def known(cls, session: Session, typed: Typed) -> Typed:
        """What follows for fields that are empty from what stands in the others."""
        return {}

    @classmethod
    def check_officer(cls, officer: Officer) -> None:
        """Raise ``RefusalError`` for an officer who may not start this at all."""
        if officer.role is Role.AUDITOR:
            raise RefusalError(NO_AUDITOR)
        if cls.about.only_directors and officer.role is not Role.DIRECTOR:
            raise RefusalError(cls.about.only_directors)

    def check(self, session: Session, officer: Officer, today: date) -> None:
        """Raise ``InputError`` for what cannot be; it says of which fields it is."""
        self.check_needs()

    def doubts(self, session: Session, today: date) -> Mapping[str, str]:
        """What is better looked at again before it is signed, by field; asked in the rehearsal, when it has begun."""
        return {}

    def begin(self, key: str, officer: Officer, files: Sequence[File]) -> Begun:
        """Do it, for the officer who has signed; ``key`` names this one submission, which may come twice.

        It is called within ``runtime.database.together``: signature and work are one transaction, and the preview is
        this very work, of which nothing stays. Raises ``RefusalError``.
        """
        raise NotImplementedError

    def only(self, form: type[F]) -> F:
        """The fields that make up ``form``."""
        return form.model_validate(self.model_dump(include=set(form.model_fields)))
