"""Reasons that are often given (常用语): directors keep them, and whoever decides puts one into a field."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.desk import DeskPhrase
from models.organisations import Role
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError, RefusalError
from runtime.words import Plain, Words
from tasks.audit import record
from tasks.case.questions import Question
from tasks.desk.door import SignedIn
from tasks.desk.kinds import KINDS

MOST = 30
"""Phrases of one field: more of them are no help."""
REASONS = frozenset({"reason", "text", "note", "content"})
"""Fields for a reason in somebody's own words: what is correct, or which rows, is the same in no other case."""
ONLY_DIRECTORS = "常用语由负责人维护；需要增减的，请告知负责人。"


@dataclass(frozen=True, slots=True)
class Place:
    """A field that takes phrases, and those that are kept for it, by their ids."""

    name: str
    kind: str
    title: str
    phrases: dict[int, str]


class PhraseForm(BaseModel):
    """A phrase to be kept."""

    place: Words = Field(title="用在哪里", min_length=3, max_length=100)
    text: Plain = Field(title="常用语", min_length=5, max_length=500)


def places() -> list[Place]:
    """Where phrases can be put, with those that are there."""
    kept: dict[str, dict[int, str]] = {}
    with reading() as session:
        for each in session.scalars(select(DeskPhrase).order_by(DeskPhrase.id)):
            kept.setdefault(f"{each.question}.{each.field}", {})[each.id] = each.text
    return [Place(name, kind, title, kept.get(name, {})) for name, kind, title in _places()]


def _places() -> Iterator[tuple[str, str, str]]:
    for kind in KINDS.values():
        for question in kind.questions:
            for field, about in question.model_fields.items():
                if field in REASONS:
                    yield f"{question.question}.{field}", kind.code.label, f"{question.called()}：{about.title}"


def phrases_for(session: Session, question: type[Question]) -> dict[str, list[str]]:
    """The phrases for a question, by its fields, the oldest first."""
    found: dict[str, list[str]] = {}
    wanted = select(DeskPhrase).where(DeskPhrase.question == question.question).order_by(DeskPhrase.id)
    for each in session.scalars(wanted):
        found.setdefault(each.field, []).append(each.text)
    return found


def keep_phrase(given: PhraseForm, by: SignedIn) -> None:
    """Keep a phrase; the same one again changes nothing. Raises ``RefusalError`` for who may not, ``InputError``."""
    _check_director(by)
    if given.place not in {name for name, _, _ in _places()}:
        raise InputError.of("place", "请选择用在哪一项。")
    question, _, field = given.place.partition(".")
    with transaction() as session:
        there = select(DeskPhrase.text).where(DeskPhrase.question == question, DeskPhrase.field == field)
        known = session.scalars(there).all()
        if given.text in known:
            return
        if len(known) >= MOST:
            raise InputError.of("place", f"这一项已有{MOST}条常用语，请先删去不用的。")
        now = clock.now()
        session.add(DeskPhrase(question=question, field=field, text=given.text, kept_by=by.staff_no, at=now))
        record(session, "desk:phrase:kept", None, by.staff_no, now, place=given.place)


def drop_phrase(number: int, by: SignedIn) -> None:
    """Let a phrase go; one that is gone already is gone. Raises ``RefusalError`` for who may not."""
    _check_director(by)
    with transaction() as session:
        phrase = session.get(DeskPhrase, number)
        if phrase is not None:
            session.delete(phrase)
            place = f"{phrase.question}.{phrase.field}"
            record(session, "desk:phrase:dropped", None, by.staff_no, clock.now(), place=place)


def _check_director(by: SignedIn) -> None:
    if by.role is not Role.DIRECTOR:
        raise RefusalError(ONLY_DIRECTORS)
