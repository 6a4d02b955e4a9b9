"""The articles on the days on which a program that counts days goes wrong: ``python -m tests.days``.

The machine's clock is moved by Debian's faketime, for pytest and for all that it starts, PostgreSQL and Prefect too,
and goes on from there. Prints a line a day, and of a day on which tests failed what pytest said; then it ends with 1.
``python -m tests.days "2026-12-31 23:50" tests/stories`` runs what is named at one moment (in Shanghai).
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from regulation.working_days import last_library_year
from runtime.clock import SHANGHAI
from tests.conftest import ROOT

TESTS = ("tests/articles", "tests/calendar", "regulation", "runtime")
ONE_DATABASE = ("-k", "not postgresql")
"""Which kind of database it is does not change what day it is: both kinds are run on two of the days only."""

DAYS: dict[str, tuple[str, Sequence[str]]] = {
    "Sunday": ("2026-11-22 10:00", ()),
    "worked Saturday": ("2026-10-10 10:00", ONE_DATABASE),
    "1 October": ("2026-10-01 10:00", ONE_DATABASE),
    "last minutes of a year": ("2026-12-31 23:50", ()),
    # Midnight passes while the first tests run.
    "1 January": ("2026-12-31 23:59", ONE_DATABASE),
    "29 February": ("2028-02-29 10:00", ONE_DATABASE),
    "year not yet published": (f"{last_library_year() + 1}-06-16 10:00", ONE_DATABASE),
}

LEFT_OUT = (
    # It tells those who keep the program what is missing today: on a day that is not today it would be a false alarm.
    "tests/calendar/test_working_days.py::test_next_year_is_known_after_mid_december",
    # PostgreSQL's own timers, here that of a lock, go wrong when faketime moves its clock: too early, or never.
    "tests/articles/test_article_14_record.py::test_an_entry_still_being_written_is_not_sealed_over",
)
"""Tests that say nothing about days that are not today."""

LIBRARY = "faketime/libfaketimeMT.so.1"
SLEEP = """import select, time
time.sleep = lambda seconds: select.select((), (), (), seconds) and None
"""
"""What every Python does first. Were the monotonic clock moved as well, CPython's locks would wait for months; as it is
not, faketime 0.9.10 takes the moment until which CPython sleeps for one of the clock that it moved."""


def run(at: datetime, arguments: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    """Run pytest on all cores with the machine's clock at ``at``."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "auto", "--dist", "worksteal"]
    with TemporaryDirectory() as folder:
        (Path(folder) / "sitecustomize.py").write_text(SLEEP, encoding="utf-8")
        moved = {
            "LD_PRELOAD": f"/usr/$LIB/{LIBRARY}",
            "FAKETIME": f"{at.timestamp() - time.time():+.0f}",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "PYTHONPATH": folder,
        }
        return subprocess.run(
            [*command, *(f"--deselect={test}" for test in LEFT_OUT), *arguments],
            cwd=ROOT,
            env=os.environ | moved,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(moment: str = "", *arguments: str) -> int:
    """Run the articles on every day, or what ``arguments`` name at one moment; 0 if all of it holds."""
    if not any(Path("/usr/lib").glob(f"*/{LIBRARY}")):
        say("请安装faketime（Debian：apt-get install faketime），测试用它拨动系统时钟")
        return 1
    days = {"one moment": (moment, arguments)} if moment else DAYS
    failed = False
    for name, (at, more) in days.items():
        done = run(datetime.fromisoformat(at).replace(tzinfo=SHANGHAI), more if moment else [*TESTS, *more])
        if done.returncode:
            failed = True
            say(done.stdout)
        say(f"{name} ({at}): {done.stdout.strip().splitlines()[-1].strip('= ')}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
