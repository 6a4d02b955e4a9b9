"""A question as a form: each field as the control that fits it, made from the question's model."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from itertools import pairwise
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic.fields import FieldInfo

from tasks.desk.case_page import AskedNow

LONG = 200
"""Characters from which a text gets room for several lines."""
PHRASE = "phrase-"
"""What the name of a field begins with in which a phrase is chosen for another."""
FEW = 6
"""Choices that stand side by side; more of them are a list to select from."""


SHORT = ("select", "date", "number", "text")
"""Controls of which two stand in a row."""


@dataclass(slots=True)
class Shown:
    """A field of a question as its page shows it."""

    name: str
    title: str
    hint: str
    when: str
    """Which choices make it necessary, in words."""
    control: Literal["radio", "select", "date", "number", "text", "area"]
    choices: Mapping[str, str]
    required: bool
    fewest: int
    most: int
    """Of a text its characters, of a number its bounds."""
    first: str
    last: str
    """Of a day, the first and the last one that may be chosen; empty where any may."""
    phrases: Sequence[str]
    known: Sequence[str]
    """Of a text, what there is to look it up in."""
    half: bool
    """Whether it stands beside the next or the previous one, both short."""
    needed: str
    """When a choice makes it necessary, as JSON for the script of the page: by which field, by which choices, how many
    characters at least; empty when none does."""


def shown(asked: AskedNow) -> list[Shown]:
    """The fields of what a case asks, in the order of the question."""
    choices = {
        name: tuple(asked.choices.get(name, ())) or _choices(field.annotation)
        for name, field in asked.question.model_fields.items()
    }
    offered = {choice for each in choices.values() for choice in each}
    fields = [
        _field(asked, name, field, choices[name], asked.question.hint(name, offered))
        for name, field in asked.question.model_fields.items()
    ]
    pairs = pairwise(fields)
    for one, other in pairs:
        # What is looked up has a name, which is long.
        if one.control in SHORT and other.control in SHORT and not one.known and not other.known:
            one.half = other.half = True
            next(pairs, None)
    return fields


def suggested(asked: AskedNow) -> Mapping[str, str]:
    """What stands in the fields before anybody has typed: what is suggested, and numbers' defaults."""
    return {name: str(value) for name, value in asked.suggested.items()}


def with_phrases(sent: Mapping[str, str]) -> dict[str, str]:
    """What was sent; where a field was left empty, the phrase that was chosen for it."""
    chosen = {name.removeprefix(PHRASE): text for name, text in sent.items() if name.startswith(PHRASE) and text}
    return {**chosen, **{name: text for name, text in sent.items() if text.strip() or name not in chosen}}


def _field(asked: AskedNow, name: str, field: FieldInfo, choices: tuple[str, ...], hint: str) -> Shown:
    question = asked.question
    first, last = asked.days.get(name, (None, None))
    fewest, most = _bounds(field)
    control: Literal["radio", "select", "date", "number", "text", "area"]
    if choices:
        control = "radio" if len(choices) <= FEW and field.is_required() else "select"
    elif field.annotation is date:
        control = "date"
    elif field.annotation is int:
        control = "number"
    else:
        control = "area" if most > LONG else "text"
    needed = question.needs.get(name)
    when = ""
    if needed is not None and not field.is_required():
        offered = asked.choices.get(needed.by)
        by = [str(choice) for choice in needed.why if offered is None or choice in offered]
        when = f"选{'、'.join(f'“{choice}”' for choice in by)}时必填"
    return Shown(
        name=name,
        title=field.title or name,
        hint=hint,
        when=when,
        control=control,
        choices={each: each for each in choices},
        required=field.is_required(),
        fewest=fewest,
        most=most,
        first=str(first or ""),
        last=str(last or ""),
        half=False,
        phrases=tuple(asked.phrases.get(name, ())),
        known=tuple(asked.known.get(name, ())),
        needed=""
        if needed is None
        else json.dumps({"by": needed.by, "when": [str(each) for each in needed.why], "least": needed.least}),
    )


def _choices(kind: Any) -> tuple[str, ...]:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return tuple(str(each) for each in kind)
    return tuple(str(each) for each in get_args(kind)) if get_origin(kind) is Literal else ()


def _bounds(field: FieldInfo) -> tuple[int, int]:
    fewest, most = 0, 500
    for limit in field.metadata:
        match limit:
            case MinLen(min_length=given) | Ge(ge=given):
                fewest = int(str(given))
            case MaxLen(max_length=given) | Le(le=given):
                most = int(str(given))
    return fewest, most
