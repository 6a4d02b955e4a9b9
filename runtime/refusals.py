"""Saying no in Chinese: what a person gave is wrong, and what to do about it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, get_args

from pydantic import BaseModel, ValidationError


class RefusalError(ValueError):
    """Input that is refused; ``str()`` is one Chinese sentence for the person who gave it."""


class InputError(RefusalError):
    """Input that is wrong in itself, whatever state the case it is about may be in. ``wrong``: what is wrong with each
    field, by its name, where it is known which fields are."""

    def __init__(self, said: str, wrong: Mapping[str, str] | None = None) -> None:
        super().__init__(said)
        self.wrong = dict(wrong or {})

    @classmethod
    def of(cls, field: str, said: str) -> "InputError":
        """Input that is wrong in one field."""
        return cls(said, {field: said})


class Mistakes:
    """What is wrong with a form, field by field, so that all of it can be said at once."""

    def __init__(self) -> None:
        self.wrong: dict[str, str] = {}

    @contextmanager
    def beside(self, field: str) -> Iterator[None]:
        """What is refused in the block stands beside a field, unless it says itself beside which."""
        try:
            yield
        except RefusalError as why:
            known = why.wrong if isinstance(why, InputError) else {}
            for name, said in (known or {field: str(why)}).items():
                self.wrong.setdefault(name, said)

    def say(self) -> None:
        """Raise ``InputError`` where anything is wrong."""
        if self.wrong:
            raise InputError("".join(self.wrong.values()), self.wrong)


def _measure(limit: dict[str, Any]) -> str:
    """Text that went through a validator of ours is only a "Value" to pydantic."""
    return "个字" if limit["field_type"] == "Value" else "项"


def _one_of(limit: dict[str, Any]) -> str:
    return f"只能是{limit['expected'].replace(' or ', '、').replace(', ', '、')}"


_SAYINGS: dict[str, Callable[[dict[str, Any]], str]] = {
    "missing": lambda _: "未填写",
    "string_too_short": lambda limit: f"至少{limit['min_length']}个字" if limit["min_length"] > 1 else "不能为空",
    "string_too_long": lambda limit: f"不能超过{limit['max_length']}个字",
    "too_short": lambda limit: f"至少{limit['min_length']}{_measure(limit)}",
    "too_long": lambda limit: f"不能超过{limit['max_length']}{_measure(limit)}",
    "string_pattern_mismatch": lambda _: "格式不对",
    "enum": _one_of,
    "literal_error": _one_of,
    "int_parsing": lambda _: "应填整数，如5",
    "greater_than_equal": lambda limit: f"不能小于{limit['ge']}",
    "less_than_equal": lambda limit: f"不能大于{limit['le']}",
    "value_error": lambda limit: str(limit["error"]),
    "extra_forbidden": lambda _: "没有这一项，请删去",
    "model_type": lambda _: "须是一个JSON对象，即{…}",
    "list_type": lambda _: "须是一个列表，即[…]",
}


Place = tuple[int | str, ...]
"""Where in a form something is wrong: a field's name, and within it a row's number, a part's name."""

MISTAKES_SAID = 1000
"""Mistakes that are said one by one: more are those of no person, and to say each takes time."""
SHOWN_OF_A_NAME = 40
"""Characters of the name of a field that there is not."""


def _title(place: Place, form: type[BaseModel]) -> str:
    """A field by its title; one of a form within the form, such as a line of a list, with where it stands."""
    name, *rest = place or ("",)
    field = form.model_fields.get(str(name))
    if field is None:
        # Whatever somebody has called it, and however long: a refusal is kept and printed.
        return "".join(filter(str.isprintable, str(name)[:SHOWN_OF_A_NAME]))
    title = field.title or str(name)
    kinds = get_args(field.annotation) or (field.annotation,)
    inner = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
    if inner is None or not rest:
        return title
    if isinstance(rest[0], int):
        title, rest = f"{title}第{rest[0] + 1}行", rest[1:]
    return f"{title}的{_title(tuple(rest), inner)}" if rest else title


def wrong_by_place(error: ValidationError, form: type[BaseModel]) -> Iterator[tuple[Place, str]]:
    """Of every problem its place and what is wrong there, by the title of the field."""
    if error.error_count() > MISTAKES_SAID:
        yield (), f"有{error.error_count()}处填写有误"
        return
    for problem in error.errors(include_url=False, include_input=False):
        title = _title(problem["loc"], form)
        say = _SAYINGS.get(problem["type"])
        yield problem["loc"], f"{title}{say(problem.get('ctx', {})) if say else '填写有误'}"


def wrong_fields(error: ValidationError, form: type[BaseModel]) -> list[str]:
    """Every wrong field of ``form`` by its title and what is wrong with it, in Chinese, without its value."""
    return list(dict.fromkeys(sentence for _, sentence in wrong_by_place(error, form)))


def wrong_by_field(error: ValidationError, form: type[BaseModel]) -> dict[str, str]:
    """The first thing that is wrong with each wrong field of ``form``, by the field's name, as ``wrong_fields`` says
    it."""
    found: dict[str, str] = {}
    for place, sentence in wrong_by_place(error, form):
        found.setdefault(str(place[0]) if place else "", sentence)
    return found


def in_chinese(error: ValidationError, form: type[BaseModel]) -> str:
    """One sentence that names every wrong field of ``form`` by its title and says what is wrong, without its value."""
    return f"{'；'.join(wrong_fields(error, form))}。请更正后重新提交。"


class NotFoundError(RefusalError):
    """No such certificate of this holder."""
