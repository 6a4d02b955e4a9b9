"""Every pattern of the program answers at once, whatever is written to it."""

import ast
import importlib
import pkgutil
import re
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest

from runtime.words import LONGEST_WORDS
from tests.conftest import ROOT

PACKAGES = ("ezt", "flows", "gateways", "models", "notifications", "regulation", "runtime", "tasks", "web")
PROGRAMS = ("ezt.__main__", "ezt.engine.preloaded", "models.migrations.env")
"""What does its work when it is imported."""
CALLS = {"compile", "search", "match", "fullmatch", "split", "findall", "finditer", "sub", "subn"}
SECONDS = 1
"""A pattern that goes over a text once takes milliseconds for ``LENGTH``; one that begins anew at each character, as
most that are found do, many seconds."""
LENGTH = 2 * LONGEST_WORDS
"""Of hostile texts: no text that comes in is looked at that is longer than half of it."""


def trees() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            yield str(file.relative_to(ROOT)), ast.parse(file.read_text(encoding="utf-8"))


def literals() -> Iterator[tuple[str, Any, int, set[str]]]:
    """Where patterns stand as literals where they are used, their flags, and what they are used for. Those of
    pydantic's fields are matched by its own engine, which goes over a text once whatever they are."""
    for file, tree in trees():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and getattr(node.func.value, "id", "") == "re"
                and node.func.attr in CALLS
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                flags = re.DOTALL if "DOTALL" in ast.dump(node) else 0
                yield f"{file}:{node.lineno}", node.args[0].value, flags, {node.func.attr}


def patterns() -> dict[str, tuple["re.Pattern[Any]", set[str]]]:
    """Every pattern of the tree by where it stands, and what it is used for: those of modules and classes, and those
    written where they are used. One of a table of patterns is matched as a whole."""
    used = uses()
    found: dict[str, tuple[re.Pattern[Any], set[str]]] = {}

    def gather(where: str, name: str, value: object) -> None:
        if isinstance(value, re.Pattern):
            found[where] = value, used.get(name, {"search"} if where.endswith(name) else {"fullmatch"})
        elif isinstance(value, Mapping):
            for key, each in value.items():
                gather(f"{where}[{key}]", name, each)
        elif isinstance(value, list | tuple | set | frozenset):
            for number, each in enumerate(value):
                gather(f"{where}[{number}]", name, each)

    for package in map(importlib.import_module, PACKAGES):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name in PROGRAMS or "versions" in module.name:
                continue
            there = vars(importlib.import_module(module.name))
            for name, value in list(there.items()):
                gather(f"{module.name}.{name}", name, value)
                if isinstance(value, type) and value.__module__ == module.name:
                    for attribute, inner in list(vars(value).items()):
                        gather(f"{module.name}.{name}.{attribute}", attribute, inner)
    for where, pattern, flags, methods in literals():
        if methods != {"compile"}:
            found[where] = re.compile(pattern, flags), methods
    return found


def sample(items: Iterable[tuple[Any, Any]]) -> str:
    """A text that a parsed pattern matches, without look at its assertions."""
    return "".join(_one(operation, argument) for operation, argument in items)


def _one(operation: Any, argument: Any) -> str:
    match operation:
        case sre.LITERAL:
            return chr(argument)
        case sre.NOT_LITERAL:
            return "x" if argument != ord("x") else "y"
        case sre.ANY:
            return "x"
        case sre.IN:
            return _member(argument)
        case sre.MAX_REPEAT | sre.MIN_REPEAT | sre.POSSESSIVE_REPEAT:
            least, _, inner = argument
            return sample(inner) * max(1, least)
        case sre.SUBPATTERN:
            return sample(argument[-1])
        case sre.ATOMIC_GROUP:
            return sample(argument)
        case sre.BRANCH:
            return sample(argument[1][0])
    return ""


def _member(of: list[tuple[Any, Any]]) -> str:
    if of[0][0] is sre.NEGATE:
        shut_out = re.compile(f"[{''.join(_in_class(*each) for each in of[1:])}]")
        return next(letter for letter in " xX0-中\n" if not shut_out.match(letter))
    operation, argument = of[0]
    match operation:
        case sre.RANGE:
            return chr(argument[0])
        case sre.CATEGORY:
            return {sre.CATEGORY_DIGIT: "7", sre.CATEGORY_SPACE: " ", sre.CATEGORY_WORD: "w"}.get(argument, "x")
    return chr(argument)


def _in_class(operation: Any, argument: Any) -> str:
    match operation:
        case sre.RANGE:
            return f"{re.escape(chr(argument[0]))}-{re.escape(chr(argument[1]))}"
        case sre.CATEGORY:
            return {sre.CATEGORY_DIGIT: r"\d", sre.CATEGORY_SPACE: r"\s", sre.CATEGORY_WORD: r"\w"}[argument]
    return re.escape(chr(argument))


def repeated(items: Iterable[tuple[Any, Any]], before: str = "") -> Iterator[tuple[str, str]]:
    """Of everything that a parsed pattern repeats, what comes before it and what is repeated."""
    for operation, argument in items:
        if operation in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            yield before, sample(argument[2])
            yield from repeated(argument[2], before)
        elif operation is sre.SUBPATTERN:
            yield from repeated(argument[-1], before)
        elif operation in (sre.ASSERT, sre.ASSERT_NOT):
            yield from repeated(argument[1], before)
        elif operation is sre.ATOMIC_GROUP:
            yield from repeated(argument, before)
        elif operation is sre.BRANCH:
            for branch in argument[1]:
                yield from repeated(branch, before)
        before += _one(operation, argument)


def hostile(pattern: "re.Pattern[Any]", length: int) -> Iterator[str]:
    """Texts that a pattern may go over again and again: all that it repeats, alone, after what has to come before and
    together with that, followed by what it does not take."""
    parsed = parser.parse(pattern.pattern, pattern.flags)
    units = {(before, unit) for before, unit in repeated(parsed) if unit}
    units |= {("", unit) for unit in (" ", "0", "a", "中", "\n", " \t", "，")}
    whole = sample(parsed)
    units |= {("", whole), ("", whole[:-1]), ("", whole[: len(whole) // 2])}
    units |= {("", before + unit) for before, unit in units}
    for before, unit in units:
        if unit:
            text = before + unit * (length // len(unit))
            yield from (text, f"{text}\0", f"{text}x!")


def uses() -> Mapping[str, set[str]]:
    """By the name of a pattern the methods that the program calls of it."""
    found: dict[str, set[str]] = defaultdict(set)
    for _, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in CALLS and isinstance(node.value, ast.Name):
                found[node.value.id].add(node.attr)
    return found


def apply(pattern: "re.Pattern[Any]", methods: set[str], text: str) -> None:
    """Use a pattern as the program does."""
    subject = text.encode("utf-8", "surrogatepass") if isinstance(pattern.pattern, bytes) else text
    for method in methods:
        if method in {"match", "fullmatch"}:
            getattr(pattern, method)(subject)
        else:
            # What splits, replaces or finds the first goes on in the same way to the next.
            deque(pattern.finditer(subject), maxlen=0)


def test_every_pattern_of_the_program_goes_over_hostile_text_once() -> None:
    slow = {}
    for where, (pattern, methods) in patterns().items():
        for text in hostile(pattern, LENGTH):
            before = time.process_time()
            apply(pattern, methods, text)
            if (taken := time.process_time() - before) > SECONDS:
                slow[where] = f"{pattern.pattern!r} takes {taken:.1f} s for {text[:20]!r}..."
                break
    assert slow == {}


@pytest.mark.thorough
@pytest.mark.parametrize("pattern", ["[ \\t]*[\\n\\t]+[ \\t]*", r"\s+$", r"<style>(.*?)</style>", r"x*[^@]+@"])
def test_the_hostile_texts_tell_a_pattern_that_begins_anew_at_each_character(pattern: str) -> None:
    before = time.process_time()
    for text in hostile(re.compile(pattern), 4000):
        apply(re.compile(pattern), {"search"}, text)
        if time.process_time() - before > 0.05:
            return
    raise AssertionError(f"{pattern} is not seen to be slow")
