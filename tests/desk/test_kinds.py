"""Each kind of case has all of its parts, and is entered once (tasks/desk/kinds.py)."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from importlib import import_module
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from models.cases import CaseKind
from regulation import limits
from regulation.limits import Limit
from regulation.stages import Stages, TransitionError
from tasks.case.kind import Kind
from tasks.case.questions import Question
from tasks.desk.kinds import CASE_LIMITS, KINDS, QUESTIONS

ROOT = Path(__file__).parents[2]
MODULES = sorted(path.relative_to(ROOT) for path in (ROOT / "tasks").rglob("*.py"))
STORIES = {each["name"]: each for each in yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]}
LAYERS = ("ezt", "flows", "tasks", "web")
PUTS_A_LIMIT = {"announce", "start_deadline", "start_deadlines"}


def imported(ending: str) -> Iterator[ModuleType]:
    return (import_module(".".join(path.with_suffix("").parts)) for path in MODULES if path.stem.endswith(ending))


def kinds_made() -> list[Kind]:
    return [each for module in imported("kind") for each in vars(module).values() if isinstance(each, Kind)]


def questions_made() -> list[type[Question]]:
    list(imported("questions"))
    # Those that are another question's, too.
    made = [each for kind in Question.__subclasses__() for each in (kind, *kind.__subclasses__())]
    # An answer that is only kept, and for which no run waits, is of no kind.
    named = [each for each in made if each.__module__.startswith("tasks.") and hasattr(each, "question")]
    return [each for each in named if each.question != "late-response"]


def limits_put_on_cases() -> set[Limit]:
    calls = (
        call
        for path in MODULES
        for call in ast.walk(ast.parse((ROOT / path).read_text("utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in PUTS_A_LIMIT
    )
    named = {part.id for call in calls for part in ast.walk(call) if isinstance(part, ast.Name)}
    return {each for name in named if isinstance(each := getattr(limits, name, None), Limit)}


def changed_by(addition: str) -> list[str]:
    """What contributing.md says changes where something is added."""
    _, _, said = (ROOT / "docs" / "contributing.md").read_text("utf-8").partition(f"**{addition}.**")
    _, _, named = said.partition("\n\n")[0].partition("What is there and changes: ")
    return re.findall(r"`([\w/.-]+\.\w+)`", named)


@pytest.mark.parametrize(("addition", "at_most"), [("A notice", 4), ("A kind of case", 8)])
def test_an_addition_changes_few_files(addition: str, at_most: int) -> None:
    changed = changed_by(addition)
    assert 1 < len(changed) <= at_most
    assert [path for path in changed if not (ROOT / path).is_file()] == []


def test_there_is_no_other_register_of_kinds() -> None:
    sources = {path: path.read_text("utf-8") for layer in LAYERS for path in (ROOT / layer).rglob("*.py")}
    named = {path: set(re.findall(r"CaseKind\.[A-Z_]+", text)) for path, text in sources.items()}
    assert [path.name for path, kinds in named.items() if len(kinds) > 2] == []


def test_every_kind_that_is_made_is_entered_once() -> None:
    assert sorted(kind.code.name for kind in kinds_made()) == sorted(code.name for code in KINDS)


@pytest.mark.parametrize("code", CaseKind)
def test_a_case_of_every_kind_is_known(code: CaseKind) -> None:
    assert code in set(KINDS)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.code.name)
def test_a_kind_asks_something_within_limits(kind: Kind) -> None:
    assert kind.questions
    assert kind.limits


def may_go(stages: Stages[Any], now: StrEnum, to: StrEnum) -> bool:
    try:
        stages.check(now, to)
    except TransitionError:
        return False
    return True


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.code.name)
def test_every_stage_of_a_kind_is_on_the_way(kind: Kind) -> None:
    stages = kind.stages
    on_the_way = {each for now, to in product(stages.all, repeat=2) if may_go(stages, now, to) for each in (now, to)}
    assert on_the_way == set(stages.all)
    assert stages.ends


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.code.name)
def test_what_runs_a_kind_is_deployed(kind: Kind) -> None:
    flow, _, deployment = kind.deployment.partition("/")
    module, _, function = STORIES[deployment]["entrypoint"].rpartition(".")
    assert getattr(import_module(module), function).name == flow


def test_every_question_is_one_kind_s() -> None:
    asked = [question.__name__ for kind in KINDS.values() for question in kind.questions]
    assert sorted(asked) == sorted(question.__name__ for question in questions_made())


def test_no_two_questions_have_one_name() -> None:
    named = Counter(question.question for question in questions_made())
    assert [name for name, times in named.items() if times > 1] == []
    assert named.keys() == QUESTIONS.keys()


def test_every_limit_that_is_put_on_a_case_is_some_kind_s() -> None:
    assert {limit.code for limit in limits_put_on_cases()} == CASE_LIMITS.keys()
