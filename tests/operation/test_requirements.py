"""What is imported is declared in pyproject.toml, what is declared is used, and the locks hold just that."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS = {each.removesuffix("*") for each in PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]}
OURS = ROOMS | {"tests", "bench"}
KNOWN = packages_distributions()

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-bench.lock", ".ci/pip.lock")

NEVER_IMPORTED = {
    "httptools": "uvicorn reads requests with it",
    "python-multipart": "FastAPI reads forms with it",
    "setuptools": "pip installs the program with it",
    "tzdata": "zoneinfo finds Asia/Shanghai in it on a machine that has no time zones",
}
CHECKS_ONLY = {
    "import-linter": "make lint starts it",
    "mypy": "make lint starts it",
    "ruff": "make lint starts it",
    "pytest-timeout": "pytest loads it: no test may hang",
    "pytest-xdist": "pytest loads it: -n auto",
}


def declared(given: Iterable[str]) -> dict[str, Requirement]:
    """Requirements by the name of what they require."""
    return {canonicalize_name(each.name): each for each in map(Requirement, given)}


RUNS = declared(PROJECT["project"]["dependencies"])
TESTS = declared(PROJECT["dependency-groups"]["dev"])


def sources(*folders: str) -> list[Path]:
    """The Python files in these folders. What the objection's life is measured beside has an environment of its own."""
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in files if not path.is_relative_to(ROOT / "bench" / "lives")]


@cache
def modules(path: Path) -> set[str]:
    """The top names of what a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return {name.partition(".")[0] for name in found} - sys.stdlib_module_names - OURS


def distributions(module: str) -> set[str]:
    """What brings a module; a module that nothing here brings stands for itself."""
    return {canonicalize_name(each) for each in KNOWN.get(module, [module])}


def imported(*folders: str) -> dict[str, set[str]]:
    """What the files in these folders import, by distribution, and in which files."""
    found: dict[str, set[str]] = {}
    for path in sources(*folders):
        for each in (each for module in modules(path) for each in distributions(module)):
            found.setdefault(each, set()).add(str(path.relative_to(ROOT)))
    return found


def test_what_the_program_imports_is_declared() -> None:
    missing = {name: files for name, files in imported(*ROOMS).items() if name not in RUNS}
    assert missing == {}, "请写入pyproject.toml的dependencies，再 make locks"


def test_what_tests_and_measurements_import_is_declared() -> None:
    missing = {name: files for name, files in imported("tests", "bench").items() if name not in RUNS | TESTS}
    assert missing == {}, "请写入pyproject.toml的dev组，再 make locks"


def test_what_is_declared_is_imported_or_has_a_reason() -> None:
    assert RUNS.keys() - imported(*ROOMS).keys() == NEVER_IMPORTED.keys()
    assert TESTS.keys() - imported("tests", "bench").keys() == CHECKS_ONLY.keys()
    # Declared in one place: what runs is there where it is tested.
    assert RUNS.keys() & TESTS.keys() == set()


def locked(name: str) -> dict[str, set[str]]:
    """The versions of each package that a lock file names."""
    found: dict[str, set[str]] = {}
    for package, version in re.findall(r"(?m)^([\w.-]+)==([^\s;]+)", (ROOT / name).read_text(encoding="utf-8")):
        found.setdefault(canonicalize_name(package), set()).add(version)
    return found


@pytest.mark.parametrize(
    ("lock", "wanted"), [("requirements.lock", RUNS), ("requirements-dev.lock", TESTS)], ids=["runs", "tests"]
)
def test_a_lock_holds_what_is_declared(lock: str, wanted: dict[str, Requirement]) -> None:
    held = locked(lock)
    for name, requirement in wanted.items():
        versions = held.get(name, set())
        assert versions, f"{lock}没有{name}，请 make locks"
        assert all(requirement.specifier.contains(version) for version in versions), f"{lock}的{name}不合pyproject.toml"


def test_both_locks_name_the_same_versions() -> None:
    runs, tests = locked("requirements.lock"), locked("requirements-dev.lock")
    both = runs.keys() & tests.keys()
    assert both
    assert {name: tests[name] for name in both} == {name: runs[name] for name in both}


def test_what_tests_is_not_in_the_lock_of_what_runs() -> None:
    assert locked("requirements.lock").keys() & {"pytest", "hypothesis", "playwright", *CHECKS_ONLY} == set()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index_and_a_hash_for_everything(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index-url" not in text
    entries = re.split(r"(?m)^(?=[^\s#])", text)
    assert [each.partition(" ")[0] for each in entries if "==" in each and "--hash=sha256:" not in each] == []
