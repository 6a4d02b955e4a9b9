"""Which stage of a case may follow which: one table a noun, one check for all."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Generic, TypeVar

S = TypeVar("S", bound=StrEnum)


class TransitionError(ValueError):
    """A stage that a case cannot go to, said in Chinese."""


class Stages(Generic[S]):
    """The stages of a case: ``all`` in their order, and the ``ends``, which nothing follows.

    ``allowed`` holds what may come after each stage; whatever is not in it is an end. ``noun`` is what people call the
    case.
    """

    def __init__(self, noun: str, allowed: Mapping[S, Collection[S]]) -> None:
        self._noun, self._allowed = noun, allowed
        self.all = tuple(type(next(iter(allowed))))
        self.ends = frozenset(stage for stage in self.all if not allowed.get(stage))

    def check(self, now: S, to: S) -> None:
        """Raise ``TransitionError`` unless a case in its first stage may go to its second one."""
        if to not in self._allowed.get(now, ()):
            raise TransitionError(f"处于“{now}”的{self._noun}不能转为“{to}”。")
