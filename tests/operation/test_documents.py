"""The documents agree with one another: turns of design have one form and an index, links lead to what exists."""

import re
from datetime import date
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.conftest import ROOT

TURNS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FORM = re.compile(
    r"# (?P<number>\d+)\. (?P<title>\S.*)\n\nDate: (?P<date>\d{4}-\d\d-\d\d)\. Status: (?P<status>.+)\.\n\n"
    r"## Context\n\n(?s:.+?)\n\n## Decision\n\n(?s:.+?)\n\n## Consequences\n\n(?s:.+)\n"
)
STATUS = re.compile(r"superseded by \d{4}|accepted(; (supersedes|takes back [^;]+ of|[^;]+ taken back by) \d{4})*")
FENCED = re.compile(r"^ *(```+|~~~+).*?^ *\1 *$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(<?([^)>\s]+)|^ *\[[^\]]+\]: +(\S+)|(?:src|href)=\"([^\"]+)\"", re.MULTILINE)


def name(document: Path) -> str:
    return str(document.relative_to(ROOT))


def form_of(turn: Path) -> re.Match[str]:
    form = FORM.fullmatch(turn.read_text(encoding="utf-8"))
    assert form, f"{name(turn)}: number and title, date and status, then Context, Decision and Consequences"
    return form


def prose(document: Path) -> str:
    return FENCED.sub("", document.read_text(encoding="utf-8"))


def links(document: Path) -> list[str]:
    found = ["".join(groups) for groups in LINK.findall(re.sub(r"`[^`\n]*`", "", prose(document)))]
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def anchors(document: Path) -> set[str]:
    """What a link can name in a document, made of its headings as GitHub makes it."""
    seen: dict[str, int] = {}
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", prose(document), re.MULTILINE):
        said = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", said).replace(" ", "-")
        seen[anchor] = seen.get(anchor, -1) + 1
    return {anchor + (f"-{again}" if again else "") for anchor, last in seen.items() for again in range(last + 1)}


def leads_somewhere(document: Path, link: str) -> bool:
    path, _, heading = unquote(link).partition("#")
    target = (document.parent / path).resolve() if path else document
    return target.exists() and (not heading or heading in anchors(target))


@pytest.mark.parametrize("turn", TURNS, ids=name)
def test_a_turn_of_design_has_number_date_status_and_three_sections(turn: Path) -> None:
    form = form_of(turn)
    assert int(form["number"]) == int(turn.name[:4])
    date.fromisoformat(form["date"])
    assert STATUS.fullmatch(form["status"])
    assert re.findall(r"^## (.+)", prose(turn), re.MULTILINE) == ["Context", "Decision", "Consequences"]


def test_turns_of_design_are_numbered_without_a_gap() -> None:
    assert [int(turn.name[:4]) for turn in TURNS] == list(range(1, len(TURNS) + 1))


def test_the_index_lists_every_turn_of_design_with_its_status() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    lines = [
        f"- [{turn.name[:4]}]({turn.name}) {form['title']}: {form['status']}."
        for turn in TURNS
        for form in [form_of(turn)]
    ]
    assert re.findall(r"^- \[\d.*", index, re.MULTILINE) == lines


def test_what_a_later_turn_takes_back_stands_on_both() -> None:
    named = {(turn.name[:4], other) for turn in TURNS for other in re.findall(r"\d{4}", form_of(turn)["status"])}
    assert {(other, number) for number, other in named} == named


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_lead_to_files_and_headings_that_exist(document: Path) -> None:
    assert [link for link in links(document) if not leads_somewhere(document, link)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_a_turn_of_design_that_is_named_by_its_number_exists(document: Path) -> None:
    numbers = r"\b(0\d{3})\b" if document.parent.name == "adr" else r"adr/(\d{4})"
    assert set(re.findall(numbers, prose(document))) <= {turn.name[:4] for turn in TURNS}


def test_a_test_that_is_allowed_longer_is_said_what_for() -> None:
    said = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8").partition("<!-- suite -->")[2]
    files = [file for file in (ROOT / "tests").rglob("test_*.py") if "mark.timeout" in file.read_text(encoding="utf-8")]
    allowed = {name(file) for file in files if file != Path(__file__)}
    assert allowed
    assert {file for file in allowed if f"`{file}`" not in said} == set()


def test_the_staff_guide_has_a_page_for_each_job_that_begins_with_the_morning() -> None:
    guide = (ROOT / "docs" / "staff-guide.zh-CN.md").read_text("utf-8")
    chapter = guide.partition("## 一、")[2].partition("\n## ")[0]
    pages = dict(re.findall(r"\n### (\S+)\n\n(.+?)(?=\n### |\Z)", chapter, re.DOTALL))
    assert list(pages) == ["窗口登记人员", "经办人", "负责人", "检查人员", "审计人员"]
    assert all(text.startswith("1. **早上先") for text in pages.values())
