"""Which stage of a case may follow which: one table a noun, one check for all."""

from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from typing import TypeVar

S = TypeVar("S", bound=StrEnum)


class TransitionError(ValueError):
    """A stage that a case cannot go to, said in Chinese."""


def transitions(noun: str, allowed: Mapping[S, Collection[S]]) -> Callable[[S, S], None]:
    """What raises ``TransitionError`` unless a case in its first stage may go to its second one.

    ``allowed`` holds what may come after each stage; whatever is not in it is an end. ``noun`` is what people call the
    case.
    """

    def check(now: S, to: S) -> None:
        if to not in allowed.get(now, ()):
            raise TransitionError(f"处于“{now}”的{noun}不能转为“{to}”。")

    return check
