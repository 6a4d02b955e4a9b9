"""A form's fields as the controls that fit them, made from the model behind the form: of a question, of a start."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any, Literal, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tasks.case.questions import Form, Needed
from tasks.case.start import Part
from tasks.desk.typed import NO, YES, choices_of, is_day, is_form, kind_of, listed, rows_in, under

LONG = 200
"""Characters from which a text gets room for several lines."""
PHRASE = "phrase-"
"""What the name of a field begins with in which a phrase is chosen for another."""
FEW = 6
"""Choices that stand side by side; more of them are a list to select from."""
SHORT = ("select", "date", "number", "text")
"""Controls of which two stand in a row."""

Days = tuple[date | None, date | None]
Control = Literal["radio", "select", "date", "number", "text", "area", "boxes", "group", "rows"]


@dataclass(frozen=True, slots=True)
class Offered:
    """What a form offers beside what its model says, each by the name of a field."""

    choices: Mapping[str, Sequence[str] | Mapping[str, str]] = field(default_factory=dict)
    """Of fields that take one of a few things: these, with their words where they are others."""
    days: Mapping[str, Days] = field(default_factory=dict)
    """Of fields that take a day, the first and the last one."""
    phrases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Of fields that take a reason, those that are often given."""
    among: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Of fields that take any text, what is suggested while one types."""
    without: Collection[str] = ()
    """Fields that are not asked for."""
    parts: Mapping[str, Sequence[Part]] = field(default_factory=dict)
    """Of fields whose parts the model does not know, which these are."""


NOTHING = Offered()


@dataclass(slots=True)
class Shown:
    """A field as its page shows it."""

    name: str
    """On the page: a part's has those that it is within before it."""
    title: str
    hint: str = ""
    when: str = ""
    """Which choices make it necessary, in words."""
    control: Control = "text"
    choices: Mapping[str, str] = field(default_factory=dict)
    required: bool = False
    fewest: int = 0
    most: int = 500
    """Of a text its characters, of a number its bounds."""
    first: str = ""
    last: str = ""
    """Of a day, the first and the last one that may be chosen; empty where any may."""
    phrases: Sequence[str] = ()
    among: Sequence[str] = ()
    half: bool = False
    """Whether it stands beside the next or the previous one, both short."""
    needed: str = ""
    """When a choice makes it necessary, as JSON for the script of the page: by which field, by which choices, how many
    characters at least; empty when none does."""
    parts: Sequence["Shown"] = ()
    """Of a group, its fields."""
    rows: Sequence[Sequence["Shown"]] = ()
    """Of a list, the fields of its lines."""


def shown(
    form: type[BaseModel], offered: Offered = NOTHING, typed: Mapping[str, str] | None = None, within: str = ""
) -> list[Shown]:
    """The fields of a form in the order of its model; of lists as many lines as were ``typed``, and one at least."""
    needs: Mapping[str, Needed] = getattr(form, "needs", {})
    asked = {name: each for name, each in form.model_fields.items() if name not in offered.without}
    fields = [_field(name, each, offered, typed or {}, within, needs.get(name)) for name, each in asked.items()]
    if issubclass(form, Form):
        given = {choice for each in fields for choice in each.choices}
        for name, each in zip(asked, fields, strict=True):
            each.hint = form.hint(name, given)
    return _in_pairs(fields)


def with_phrases(sent: Mapping[str, str]) -> dict[str, str]:
    """What was sent; where a field was left empty, the phrase that was chosen for it."""
    chosen = {name.removeprefix(PHRASE): text for name, text in sent.items() if name.startswith(PHRASE) and text}
    return {**chosen, **{name: text for name, text in sent.items() if text.strip() or name not in chosen}}


def suggested(form: type[BaseModel], more: Mapping[str, Any]) -> dict[str, str]:
    """What stands in the fields of a form before anybody has typed: the model's own defaults, and ``more``."""
    found: dict[str, str] = {}
    for name, each in form.model_fields.items():
        kind, default = kind_of(each), each.default
        if kind is bool and not each.is_required():
            found[name] = YES if default else NO
        elif not each.is_required() and isinstance(default, str | int) and str(default):
            found[name] = str(default)
    return found | {name: str(value) for name, value in more.items()}


def _in_pairs(fields: list[Shown]) -> list[Shown]:
    pairs = pairwise(fields)
    for one, other in pairs:
        # What is looked up has a name, which is long.
        if one.control in SHORT and other.control in SHORT and not one.among and not other.among:
            one.half = other.half = True
            next(pairs, None)
    return fields


def _field(
    name: str, about: FieldInfo, offered: Offered, typed: Mapping[str, str], within: str, needed: Needed | None
) -> Shown:
    kind, at = kind_of(about), f"{within}{name}"
    choices = _in_words(offered.choices.get(name) or choices_of(kind) or choices_of(listed(kind)))
    first, last = offered.days.get(name, (None, None))
    fewest, most = _bounds(about)
    made = Shown(
        name=at,
        title=about.title or name,
        hint=about.description or "",
        # Where there is nothing to choose from yet, nothing can be typed either.
        control="select" if offered.choices.get(name) == {} else _control(about, kind, choices, most),
        choices=choices,
        required=about.is_required(),
        fewest=fewest,
        most=most,
        first=str(first or ""),
        last=str(last or ""),
        phrases=tuple(offered.phrases.get(name, ())),
        among=tuple(offered.among.get(name, ())),
    )
    if made.control == "rows":
        lines = range(max(1, len(rows_in(typed, at))))
        made.rows = [shown(listed(kind), _of_parts(offered, name), within=f"{at}-{number}-") for number in lines]
    elif get_origin(kind) is dict:
        made.parts = _in_pairs([_part(at, part) for part in offered.parts.get(name, ())])
    elif made.control == "group":
        made.parts = shown(kind, within=f"{at}-")
    if needed is not None:
        by = offered.choices.get(needed.by)
        said = "、".join(f"“{choice}”" for choice in map(str, needed.why) if by is None or choice in by)
        made.when = "" if made.required else f"选{said}时必填"
        made.needed = json.dumps({"by": needed.by, "when": [str(each) for each in needed.why], "least": needed.least})
    return made


def _of_parts(offered: Offered, name: str) -> Offered:
    """What is suggested for the parts of a field, by their own names."""
    return Offered(among={part: offered.among[f"{name}-{part}"] for part in under(offered.among, name)})


def _part(within: str, part: Part) -> Shown:
    return Shown(
        name=f"{within}-{part.name}",
        title=part.title,
        hint=part.hint,
        control="select" if part.choices else "text",
        choices=_in_words(part.choices),
        required=part.required,
        among=part.among,
    )


def _control(about: FieldInfo, kind: Any, choices: Mapping[str, str], most: int) -> Control:
    if is_form(listed(kind)):
        return "rows"
    if listed(kind) is not None and choices:
        return "boxes"
    if is_form(kind) or get_origin(kind) is dict:
        return "group"
    if choices:
        return "radio" if len(choices) <= FEW and (about.is_required() or kind is bool) else "select"
    if is_day(about):
        return "date"
    if kind is int:
        return "number"
    return "area" if most > LONG or listed(kind) is not None else "text"


def _in_words(choices: Sequence[str] | Mapping[str, str]) -> Mapping[str, str]:
    return choices if isinstance(choices, Mapping) else {str(each): str(each) for each in choices}


def _bounds(field: FieldInfo) -> tuple[int, int]:
    fewest, most = 0, 500
    for limit in field.metadata:
        match limit:
            case MinLen(min_length=given) | Ge(ge=given):
                fewest = int(str(given))
            case MaxLen(max_length=given) | Le(le=given):
                most = int(str(given))
    return fewest, most
