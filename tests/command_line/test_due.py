"""``ezt due``: what a clerk or another program gets on the command line."""

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from models.organisations import Officer, Role
from regulation.working_days import WorkingDays, YearArrangement
from runtime import clock
from runtime.database import transaction
from tasks.case.calendars import publish_year
from tests.command_line.conftest import assert_refused, ezt


def test_due_as_json() -> None:
    answer = json.loads(ezt("due", "2026-02-13", "--days", "5", "--json").stdout)
    assert (answer["received_on"], answer["due_on"], answer["provisional"]) == (
        "2026-02-13",
        "2026-02-27",
        False,
    )
    assert answer["explanation"][1] == {
        "date": "2026-02-14",
        "counts": True,
        "why": "星期六，调休上班，第1个工作日",
    }


def test_due_for_people_says_when_it_is_provisional() -> None:
    assert "暂定" in ezt("due", "2026-12-30").stdout.splitlines()[-1]


@pytest.mark.parametrize(
    "arguments",
    [
        ("due", "2026-02-30"),
        ("due", "2026-02-13", "--days", "0"),
        ("due", "2026-02-13", "--days", "x"),
        ("nothing",),
    ],
)
def test_bad_input_is_one_chinese_line_and_exit_2(arguments: tuple[str, ...]) -> None:
    assert_refused(ezt(*arguments))


def test_a_year_published_here_counts_as_it_does_for_cases(installation: Path) -> None:
    """The year after the last that the library knows: its 1 January and the four working days after it are off."""
    year = WorkingDays().last_published_year + 1
    eve = f"{year - 1}-12-31"
    before = json.loads(ezt("due", eve, "--days", "1", "--json").stdout)
    assert before["provisional"]
    days_off = {date(year, 1, day): "元旦" for day in range(1, 9)}
    with transaction() as session:
        session.add(
            Officer(staff_no="KQ001", name="某人", role=Role.OFFICER, email="a@example.cn", code_secret="A" * 32)
        )
        session.flush()
        publish_year(session, YearArrangement(year, days_off), "KQ001", clock.now())
    after = json.loads(ezt("due", eve, "--days", "1", "--json").stdout)
    assert (before["due_on"] < after["due_on"], after["due_on"] > f"{year}-01-08") == (True, True)
    assert not after["provisional"]


def test_without_an_installation_the_library_answers_and_nothing_is_made(home: Path) -> None:
    (home / "ezt.env").unlink()
    assert ezt("due", "2026-02-13").stdout.splitlines()[-1] == "截止日：2026-02-27"
    assert list(home.iterdir()) == []
    home.rmdir()
    assert ezt("due", "2026-02-13").stdout.splitlines()[-1] == "截止日：2026-02-27"
    assert not home.exists()


def test_an_installation_that_cannot_be_asked_is_not_passed_over(home: Path) -> None:
    (home / "ezt.db").write_bytes(os.urandom(9000))
    assert_refused(ezt("due", "2026-02-13"), "数据库不能使用")


def test_a_terminal_without_chinese_gets_escapes() -> None:
    done = ezt("due", "2026-02-13", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u622a\\u6b62\\u65e5" in done.stdout


def test_a_reader_who_has_had_enough_causes_no_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "ezt", "due", "2026-02-13"], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert done.stderr == b""


def test_a_full_disk_is_one_chinese_line() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ezt", "due", "2026-02-13"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
