"""Benches run, if on hardly anything, and say what they measured so that docs/performance.md can be written of it."""

import importlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings
from prefect.states import Suspended

from bench import objection_life
from bench.__main__ import run
from bench.figures import Figure, save
from bench.lives.prefect_flow import objection, play
from bench.objection_life import CONTENDERS, FLOOR, OURS, Contender, Player, able, measure, prefect_server
from bench.performance import write
from tests.conftest import forget_settings

QUICK = {
    "bulk_objections": ["--rows", "20"],
    "deadline_watch": ["--cases", "20"],
    # Cases that go on to their next question need the whole system.
    "desk": ["--cases", "20", "--answers", "3", "--lives", "0"],
    "desk_list": ["--cases", "20"],
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


@pytest.mark.thorough
def test_an_objection_is_played_by_everybody_who_needs_no_server() -> None:
    contenders, missing = able("sqlite")
    # The floor plays the steps at once, too, to know what to write.
    played = [each for each in contenders if each.module != "prefect_flow" and each.way != "at-once"]
    figures = measure("sqlite", played, 1, 1)
    assert len(figures) == len(played) >= 2
    assert all(figure.median > 0 for figure in figures)
    # Who is not here is named, not left out in silence.
    assert len(figures) + len(missing) == 5


def contender(name: str) -> Contender:
    """One of those who need no server."""
    return next(each for each in CONTENDERS if each.name == name)


@pytest.mark.thorough
def test_a_peer_that_dies_is_a_line_and_the_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    floor, ours = contender(FLOOR), contender(OURS)
    # It has nothing to say, not even at first.
    silent = Contender("silent", "player", "", ours=True)
    played = Player.milliseconds

    def killed_after_a_round(player: Player, cases: int) -> float:
        took = played(player, cases)
        if player.contender is ours:
            player.process.kill()
        return took

    monkeypatch.setattr(Player, "milliseconds", killed_after_a_round)
    by_name = {figure.name: figure for figure in measure("sqlite", [floor, ours, silent], 1, 2)}
    assert len(by_name[f"{FLOOR}, sqlite"].values) == 2
    assert "ended with -9" in by_name[f"{OURS}, sqlite"].failed
    assert "ended with 0" in by_name["silent, sqlite"].failed
    with pytest.raises(SystemExit) as ended:
        save(tmp_path, "objection_life", by_name.values())
    assert ended.value.code
    write(tmp_path, tmp_path)
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert f"| {FLOOR}, sqlite | 1 objections a round |" in page
    assert f"| {OURS}, sqlite | 1 objections a round | failed: RuntimeError: ended with -9 |" in page
    assert "| silent, sqlite | 1 objections a round | failed: RuntimeError: ended with 0 |" in page


def test_a_peer_that_hangs_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objection_life, "LONGEST", 0)
    (figure,) = measure("sqlite", [contender(FLOOR)], 1, 1)
    assert "said nothing" in figure.failed


def test_a_bench_that_does_not_come_to_its_end_is_a_line(tmp_path: Path) -> None:
    assert run("working_days", tmp_path, "--rounds", "2")
    assert not run("working_days", tmp_path, "--no-such-option")
    assert not run("record_sealing", tmp_path, seconds=0.1)
    write(tmp_path, tmp_path)
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    # What was measured another time is not shown as if it was now.
    assert "index table" not in page
    assert "| working days | 1 bench | failed: ended with 2 |" in page
    assert "| record sealing | 1 bench | failed: not done after 0.1 s |" in page


@pytest.mark.thorough
def test_a_watcher_that_ends_late_does_not_end_the_next_leg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def late(_flow_run_id: UUID, request: Any) -> Iterator[None]:
        # As what watched the leg before does on a slow machine: it finds the next one under the same number.
        request.mark_requested(Suspended())
        yield

    monkeypatch.setattr("prefect.flow_engine.observe_flow_run_suspension", late)
    with (
        prefect_server(tmp_path, f"sqlite+aiosqlite:///{tmp_path / 'bench.db'}") as (url, _),
        temporary_settings({PREFECT_API_URL: url, PREFECT_HOME: tmp_path, PREFECT_LOGGING_TO_API_ENABLED: False}),
        get_client(sync_client=True) as client,
    ):
        play(client, client.create_deployment(client.create_flow(objection), "bench"))


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
