"""What a story may ask, and of what shape an answer must be.

Each noun's questions stand in its room, mostly in ``questions``; their titles and descriptions are what staff read.

A question's ``check`` holds the rules that reach over several fields or into the case; which field a choice makes
necessary stands in ``needs``, so that a page can say so before anything is sent.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from models.cases import Case
from models.organisations import Officer
from regulation.limits import Limit
from runtime.refusals import InputError
from tasks.case.attachments import File
from tasks.office.officers import check_may_act


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer is checked against: the open transaction with the locked case, who answers, and today."""

    session: Session
    case: Case
    officer_no: str
    """Empty for an answer that no officer gives."""
    today: date
    files: Sequence[File] = ()
    """What comes with the answer."""


@dataclass(frozen=True, slots=True)
class Needed:
    """When a field has to be filled in: the field ``by`` whose choice says so, and for each such choice why, in
    Chinese; at ``least`` so many characters. (Of a number at least that much, which a rule says by itself.)"""

    by: str
    why: Mapping[str, str]
    least: int = 5


@dataclass(frozen=True, slots=True)
class Counted:
    """What a number counts, as a mark of its field: the number says so wherever it is read again."""

    unit: str

    def said(self, number: object) -> str:
        return f"{number}个{self.unit}"


def set_by_system(limit: Limit) -> str:
    """What a hint says of a limit that starts when somebody is asked for something: nobody has to write it."""
    return f"期限不用写，告知时由系统定为{limit.value}个工作日（{limit.source}），截止日写在通知里"


class Form(BaseModel):
    """What a page of the desk asks somebody to fill in."""

    needs: ClassVar[Mapping[str, Needed]] = {}
    """By their names, the fields that only some choices make necessary."""
    hints: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    """By their names, what fields take for a choice: said where that choice is offered, so that no hint speaks of one
    that is not there. What holds for every choice is the field's description."""

    @classmethod
    def hint(cls, name: str, offered: Container[str]) -> str:
        """What a form says beside the title of a field, in Chinese; ``offered`` are its choices."""
        by_text: dict[str, list[str]] = {}
        for choice, text in cls.hints.get(name, {}).items():
            if choice in offered:
                by_text.setdefault(text, []).append(f"“{choice}”")
        said = [f"选{'、'.join(choices)}时，{text}" for text, choices in by_text.items()]
        return "；".join([*said, *filter(None, [cls.model_fields[name].description])])

    def check_needs(self) -> None:
        """Raise ``InputError``, field by field, for what a choice makes necessary and is not filled in."""
        wrong = {}
        for name, needed in self.needs.items():
            given, why = getattr(self, name), needed.why.get(getattr(self, needed.by))
            if why is None:
                continue
            title = type(self).model_fields[name].title
            if given is None or (isinstance(given, str) and len(given) < needed.least):
                least = f"（至少{needed.least}个字）" if needed.least > 1 and given is not None else ""
                wrong[name] = f"{why}，请在“{title}”中写明{least}。"
        if wrong:
            raise InputError("".join(wrong.values()), wrong)


class Question(Form):
    """A decision point of a story."""

    model_config = ConfigDict(use_attribute_docstrings=False)

    question: ClassVar[str]
    asks: ClassVar[str]
    """The heading of the form."""
    awaits: ClassVar[str] = ""
    """What is waited for when it is not the officer's decision, in a few words for the list 待办."""
    second: ClassVar[str] = ""
    """Who else has to look at what is answered, in Chinese; empty: one person answers it."""
    scan: ClassVar[str] = ""
    """What has to come along with the answer as a file, in Chinese; empty: nothing has to."""
    by_files: ClassVar[bool] = False
    """Whether files answer it, and nothing else does."""

    @classmethod
    def called(cls) -> str:
        """What is asked or waited for, in a few words."""
        return cls.awaits or cls.asks.partition("：")[0].partition("（")[0]

    @classmethod
    def said(cls, given: Mapping[str, Any]) -> list[tuple[str, str]]:
        """A recorded answer as people read it, field by field: title and value, numbers with what they count. What was
        left empty is not said."""
        lines = []
        for name, field in cls.model_fields.items():
            if value := given.get(name):
                counted = next((each for each in field.metadata if isinstance(each, Counted)), None)
                title = (field.title or name).removesuffix(f"（{counted.unit}）" if counted else "")
                lines.append((title, counted.said(value) if counted else str(value)))
        return lines

    @classmethod
    def check_officer(cls, session: Session, officer: Officer, case: Case, today: date) -> None:
        """Raise ``RefusalError`` for an officer who may not answer: anybody but whose case it is today."""
        check_may_act(session, officer, case, today)

    @classmethod
    def choices(cls, session: Session, case: Case) -> Mapping[str, Sequence[str]]:
        """Of fields that take only what this case allows: what a form offers for them. Where that is nothing, the field
        is not asked for."""
        return {}

    @classmethod
    def known(cls, session: Session, case: Case) -> Mapping[str, Sequence[str]]:
        """Of fields in which one of many is named: what there is, for a form to look it up in."""
        return {}

    @classmethod
    def allowed_days(cls, session: Session, case: Case, today: date) -> Mapping[str, tuple[date | None, date | None]]:
        """Of fields that take a day: the first and the last one that this case allows."""
        return {}

    @classmethod
    def suggested(cls, session: Session, case: Case) -> Mapping[str, Any]:
        """What a form has filled in already; the officer may change it."""
        return {}

    def check(self, asked: Asked) -> None:
        """Raise ``RefusalError`` for an answer that cannot be taken; ``InputError`` says of which fields it is."""
        self.check_needs()

    def recorded(self) -> dict[str, Any]:
        """The answer as it goes on record."""
        return self.model_dump(mode="json")


def in_short(lines: Sequence[tuple[str, str]]) -> str:
    """What was answered, in one line."""
    return "；".join(f"{name}：{said.rstrip('。')}" for name, said in lines)
