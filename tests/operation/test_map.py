"""The map is true: paths, modules and names in documents and docstrings exist, READMEs list every command and room."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from ezt.commands import app
from tests.conftest import ROOT
from tests.operation.test_documents import name, prose

READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
MAPS = [*READMES, ROOT / "docs" / "architecture.md", ROOT / "docs" / "contributing.md"]
LAYERS = ("ezt", "flows", "web", "tasks", "notifications", "gateways", "models", "regulation", "runtime")
SOURCES = sorted(file for layer in LAYERS for file in (ROOT / layer).rglob("*.py"))
PATH = re.compile(r"(?!var/|build/|\.venv/|/)[\w.*-]*(/[\w.*-]*)+|[\w-]+\.(md|py|yaml|toml|lock)")
NAME = re.compile(rf"(?:{'|'.join(LAYERS)}|tests|bench)(?:\.\w+)+")


def is_there(said: str) -> bool:
    """Whether a path, seen from the top, or a dotted name leads to something; what is neither does. Nothing is
    imported: some modules begin to work when they are."""
    if PATH.fullmatch(said):
        return any(ROOT.glob(said.rstrip("/")))
    if not NAME.fullmatch(said):
        return True
    place, inside = ROOT, said.split(".")
    while inside and (place / inside[0]).is_dir():
        place /= inside.pop(0)
    file = place / f"{inside.pop(0)}.py" if inside else place
    if not inside:
        return file.exists()
    code = file.read_text("utf-8") if file.exists() else ""
    return all(re.search(rf"^ *((async )?def|class) {each}\b|^ *{each}\b.*=", code, re.M) for each in inside)


@pytest.mark.parametrize("document", MAPS, ids=name)
def test_what_a_map_names_is_there(document: Path) -> None:
    said = re.findall(r"`([^`\n]+)`", prose(document))
    assert [each for each in said if not is_there(each.removesuffix("()"))] == []


def test_what_docstrings_name_is_there() -> None:
    said = {(name(file), each) for file in SOURCES for each in re.findall(r"``([\w.]+)``", file.read_text("utf-8"))}
    assert [each for each in sorted(said) if NAME.fullmatch(each[1]) and not is_there(each[1])] == []


@pytest.mark.parametrize("document", MAPS, ids=name)
def test_a_map_names_targets_of_the_makefile(document: Path) -> None:
    there = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M)
    assert set(re.findall(r"`make ([\w-]+)`", document.read_text("utf-8"))) <= set(there)


@pytest.mark.parametrize("readme", READMES, ids=name)
def test_a_readme_lists_every_command(readme: Path) -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    assert set(re.findall(r"`ezt ([\w-]+)`", readme.read_text("utf-8"))) == set(commands)


@pytest.mark.parametrize("readme", READMES, ids=name)
def test_a_readme_lists_every_room_of_tasks(readme: Path) -> None:
    rooms = {file.parent.name for file in (ROOT / "tasks").glob("*/__init__.py")}
    assert set(re.findall(r"`tasks/(\w+)/`", readme.read_text("utf-8"))) == rooms


@pytest.mark.parametrize("readme", READMES, ids=name)
def test_a_readme_prints_what_the_set_up_installs(readme: Path) -> None:
    wanted = re.findall(r"^    needs (?:\"([\w -]+)\"|([\w-]+)) ", (ROOT / ".ci" / "prepare").read_text("utf-8"), re.M)
    printed = re.findall(r"apt-get install -y(?: --[\w-]+)? (.+)", readme.read_text("utf-8"))
    assert {each for packages in wanted for each in "".join(packages).split()} <= set(" ".join(printed).split())
