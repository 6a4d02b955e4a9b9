"""Benches run, if on hardly anything, and say what they measured so that docs/performance.md can be written of it."""

import importlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.figures import Figure, save
from bench.objection_life import able, measure
from bench.performance import write
from tests.conftest import forget_settings

QUICK = {
    "bulk_objections": ["--rows", "20"],
    "deadline_watch": ["--cases", "20"],
    "mail": ["--mails", "10"],
    "paper_backfill": ["--rows", "20"],
    "record_sealing": ["--entries", "20"],
    "working_days": [],
}


@pytest.fixture(autouse=True)
def _environment_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Benches are programs: they set their own environment, which the tests after them must not have."""
    before = dict(os.environ)
    for name in before:
        if name.startswith("EZT_"):
            del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(before)
    forget_settings()


def figures_of(results: Path, bench: str) -> list[dict[str, object]]:
    figures: list[dict[str, object]] = json.loads((results / f"{bench}.json").read_text(encoding="utf-8"))["figures"]
    return figures


@pytest.mark.parametrize("bench", QUICK)
def test_a_bench_says_each_value_and_the_ratio_of_medians(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bench: str
) -> None:
    monkeypatch.setattr(sys, "argv", [bench, *QUICK[bench], "--rounds", "2", "--results", str(tmp_path)])
    importlib.import_module(f"bench.{bench}").main()
    figures = figures_of(tmp_path, bench)
    by_name = {each["name"]: each for each in figures}
    assert any(each["ratio"] for each in figures)
    for each in figures:
        values = each["values"]
        assert isinstance(values, list)
        assert len(values) == 2
        assert all(value > 0 for value in values)
        if each["ratio_to"]:
            assert each["ratio"] == pytest.approx(each["median"] / by_name[each["ratio_to"]]["median"])


def test_an_objection_is_played_by_everybody_who_needs_no_server() -> None:
    contenders, missing = able("sqlite")
    # The floor plays the steps at once, too, to know what to write.
    played = [each for each in contenders if each.module != "prefect_flow" and each.way != "at-once"]
    figures = measure("sqlite", played, 1, 1)
    assert len(figures) == len(played) >= 2
    assert all(figure.median > 0 for figure in figures)
    # Who is not here is named, not left out in silence.
    assert len(figures) + len(missing) == 5


def test_the_page_shows_what_was_measured_and_draws_what_grows(tmp_path: Path) -> None:
    results, docs = tmp_path / "results", tmp_path / "docs"
    docs.mkdir()
    grown = [
        Figure(name, "s", size, "cases", [size * factor, size * factor, size], beside)
        for size in (1_000, 10_000, 1_000_000)
        for name, factor, beside in (("bare", 1e-6, None), ("ours", 2e-6, "bare"))
    ]
    save(results, "sweep", grown, ["X on sqlite: not here"])
    write(results, docs)
    page = (docs / "performance.md").read_text(encoding="utf-8")
    assert "| ours | 1,000,000 cases | 2 (2 to 1,000,000) s | 3 | 2 of bare |" in page
    assert "Not measured: X on sqlite: not here." in page
    drawn = (docs / "images" / "performance.svg").read_text(encoding="utf-8")
    assert drawn.count("<polyline") == 2
    assert "sweep: ours" in drawn


def test_without_results_the_page_is_not_touched(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="make bench"):
        write(tmp_path, tmp_path)
    assert list(tmp_path.iterdir()) == []
