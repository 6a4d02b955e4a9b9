"""What was typed into the fields of a page, as the model behind the form takes it.

A field of a page has one name and one text. Parts of a field are named after it: ``issuing-text`` is a part of a form
within the form, ``items-0-item_code`` stands in the first line of a list, ``grounds-1`` is the second box of a choice
of several, ``values-issuer`` what a form has for the key ``issuer``.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from regulation.working_days import CalendarError, parse_day
from runtime.refusals import InputError, Place, RefusalError, in_chinese, wrong_by_place

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")

YES, NO = "是", "否"
BETWEEN = re.compile(r"[、,，;；\n]+")
"""What stands between the texts of a list that is one field of a page."""
ROWS = "rows"
"""What the name of a field ends in that says how many lines of a list are shown."""
MOST_ROWS = 200
"""Lines of a list that one form takes."""


def visible(text: str) -> str:
    """A text without what comes along with a copy from a page and cannot be seen: marks of width zero, directions,
    byte orders. Blanks stay, which may be meant.

    >>> visible("\\ufeff柯桥\\u200b区")
    '柯桥区'
    """
    return "".join(letter for letter in text if unicodedata.category(letter) != "Cf")


def kind_of(field: FieldInfo) -> Any:
    """The type of a field, whether it may be left out or not."""
    kind = field.annotation
    if get_origin(kind) in (Union, UnionType):
        kind = next(each for each in get_args(kind) if each is not NoneType)
    return kind


def is_day(field: FieldInfo) -> bool:
    """Whether a field takes a day, as a date or as text."""
    extra = field.json_schema_extra
    return kind_of(field) is date or (isinstance(extra, dict) and extra.get("format") == "date")


def is_form(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def choices_of(kind: Any) -> tuple[str, ...]:
    """The values of a type of which there are few; none of another."""
    if kind is bool:
        return (YES, NO)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return tuple(str(each.value) for each in kind)
    return tuple(map(str, get_args(kind))) if get_origin(kind) is Literal else ()


def listed(kind: Any) -> Any:
    """What a list is of; ``None`` for what is no list."""
    return get_args(kind)[0] if get_origin(kind) is list else None


def under(typed: Mapping[str, T], name: str) -> dict[str, T]:
    """The parts of a field, by their own names."""
    start = f"{name}-"
    return {each.removeprefix(start): text for each, text in typed.items() if each.startswith(start)}


def rows_in(typed: Mapping[str, str], name: str) -> list[dict[str, str]]:
    """The lines of a list, those that are empty too."""
    rows: dict[int, dict[str, str]] = {}
    for each, text in under(typed, name).items():
        number, _, part = each.partition("-")
        if part and number.isdecimal() and len(number) <= 3:
            rows.setdefault(int(number), {})[part] = text
    return [rows[number] for number in sorted(rows)]


def tidy(form: type[BaseModel], typed: Mapping[str, str]) -> dict[str, str]:
    """What was typed, with what cannot be seen left out and no empty line in its lists: what is said of a line is then
    said of the one that is shown."""
    kept = {name: visible(text) for name, text in typed.items()}
    for name, field in form.model_fields.items():
        if not is_form(listed(kind_of(field))):
            continue
        filled = [row for row in rows_in(kept, name) if any(text.strip() for text in row.values() if text != NO)]
        kept = {each: text for each, text in kept.items() if not each.startswith(f"{name}-")}
        for number, row in enumerate(filled):
            kept |= {f"{name}-{number}-{part}": text for part, text in row.items()}
    return kept


def read(form: type[M], typed: Mapping[str, str]) -> M:
    """The form that was filled in; what was left empty is not given. ``InputError`` says of every wrong field, by its
    name on the page, what is wrong with it."""
    wrong: dict[str, str] = {}
    given = _given(form, typed, "", wrong)
    try:
        said = form.model_validate(given)
    except ValidationError as error:
        for place, sentence in wrong_by_place(error, form):
            wrong.setdefault(_name(form, place), sentence)
        if "" in wrong and len(wrong) == 1:
            raise RefusalError(in_chinese(error, form)) from None
        wrong.pop("", None)
        raise InputError("".join(wrong.values()), wrong) from None
    if wrong:
        raise InputError("".join(wrong.values()), wrong)
    return said


def _given(form: type[BaseModel], typed: Mapping[str, str], within: str, wrong: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, field in form.model_fields.items():
        kind, at = kind_of(field), f"{within}{name}"
        value = _value(field, kind, name, typed, at, wrong)
        if value not in (None, "", [], {}):
            found[name] = value
    return found


def _value(field: FieldInfo, kind: Any, name: str, typed: Mapping[str, str], at: str, wrong: dict[str, str]) -> object:
    one = listed(kind)
    if is_form(one):
        rows = rows_in(typed, name)
        if len(rows) > MOST_ROWS:
            wrong[at] = f"{field.title}：最多{MOST_ROWS}行，填写了{len(rows)}行；请分几次登记。"
        return [_given(one, row, f"{at}-{number}-", wrong) for number, row in enumerate(rows)]
    if one is not None and choices_of(one):
        # Each by its own box, as the page that is signed shows them.
        chosen = under(typed, name)
        return [each for number, each in enumerate(choices_of(one)) if chosen.get(str(number)) == each]
    if one is not None:
        return [part.strip() for part in BETWEEN.split(typed.get(name, "")) if part.strip()]
    if is_form(kind):
        return _given(kind, under(typed, name), f"{at}-", wrong)
    if get_origin(kind) is dict:
        return {part: text for part, text in under(typed, name).items() if text.strip()}
    text = typed.get(name, "").strip()
    if text and _is_plain(field, kind):
        text = unicodedata.normalize("NFKC", text).strip()
    if text and kind is bool:
        return {YES: True, NO: False}.get(text, text)
    return _day(text, field, at, wrong) if text and is_day(field) else text


def _is_plain(field: FieldInfo, kind: Any) -> bool:
    """Whether letters and digits of full width are meant as the usual ones: in numbers, days, codes."""
    return kind is int or is_day(field) or any(getattr(limit, "pattern", None) for limit in field.metadata)


def _day(text: str, field: FieldInfo, at: str, wrong: dict[str, str]) -> str | None:
    written = re.fullmatch(r"(\d{4})[-./年](\d{1,2})[-./月](\d{1,2})日?", text)
    try:
        return str(parse_day("-".join(part.zfill(2) for part in written.groups()) if written else text))
    except CalendarError as why:
        wrong[at] = f"{field.title}：{why}"
        return None


def _name(form: type[BaseModel], place: Place) -> str:
    """The name on the page of the field that is wrong."""
    return "-".join(map(str, _steps(form, place)))


def _steps(form: type[BaseModel], place: Place) -> Iterator[int | str]:
    if not place:
        return
    name, *rest = place
    yield name
    field = form.model_fields.get(str(name))
    if field is None:
        return
    kind = kind_of(field)
    if is_form(listed(kind)) and rest:
        yield rest[0]
        yield from _steps(listed(kind), tuple(rest[1:]))
    elif is_form(kind):
        yield from _steps(kind, tuple(rest))
    elif get_origin(kind) is dict and rest:
        yield rest[0]
