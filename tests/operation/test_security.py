"""docs/security.md: what it names as shown by tests is tested, and the audit of dependencies can be run."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tasks.desk.kinds import second_eyes
from tests.conftest import ROOT

TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)
ROWS = [line for line in TEXT.partition("## 检查工具")[0].splitlines() if line.startswith("| ")]


def names_in(file: Path) -> set[str]:
    """The tests of a file, those in classes included."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")}


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_what_is_said_to_be_tested_is(file: str, name: str) -> None:
    assert name in names_in(ROOT / file)


def test_every_threat_names_what_shows_that_it_is_stopped() -> None:
    threats = [row for row in ROWS if not row.startswith(("| 谁可能", "| 办件 ", "| ---"))]
    assert len(threats) > 20
    assert [row for row in threats if "::test_" not in row.rpartition(" | ")[2]] == []


def test_every_step_that_one_person_does_not_decide_alone_is_said() -> None:
    section = TEXT.partition("### 一个人决定不了的")[2].partition("###")[0]
    rows = [tuple(row.strip("| ").split(" | ")[:3]) for row in section.splitlines() if row.startswith("| ")][2:]
    assert rows == second_eyes(), "请照tasks.desk.kinds.second_eyes()改表"


def test_the_audit_looks_at_what_is_installed() -> None:
    said = subprocess.run(["make", "--dry-run", "audit"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.search(r"pip-audit .*--strict .*-r requirements\.lock", said)
