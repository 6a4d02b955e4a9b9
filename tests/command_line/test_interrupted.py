"""Ctrl-C while ``ezt migrate`` is at work or only beginning: one line says how things stand."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ezt import children
from tests.conftest import wait_until

LINE = "已中断，数据库没有改动，请再运行 ezt migrate。\n"
BLOCKED = "BEGIN IMMEDIATE"


def start(home: Path) -> "subprocess.Popen[str]":
    return children.start(
        [str(Path(sys.executable).with_name("ezt")), "migrate"],
        env=os.environ | {"EZT_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answers_signals(process: "subprocess.Popen[str]") -> bool:
    """Whether it answers Ctrl-C by code of its own: which signals are caught stands in the mask of its status, one for
    Python itself."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    (mask,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(mask, 16) & 1 << (signal.SIGTERM - 1))


@pytest.mark.parametrize("after", [0.0, 0.5, 1.5])
def test_in_the_first_seconds(after: float, tmp_path: Path) -> None:
    process = start(tmp_path / "var")
    wait_until(lambda: answers_signals(process), "没有开始", 60)
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)
    assert (process.returncode, *said) == (130, "", LINE)
    assert not (tmp_path / "var" / "ezt.env").exists()


def test_while_it_waits_for_the_database(installation: Path) -> None:
    with sqlite3.connect(installation / "ezt.db", isolation_level=None) as other:
        other.execute(BLOCKED)
        process = start(installation)
        wait_until(lambda: _has_open(process.pid, installation / "ezt.db"), "没有打开数据库", 120)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)
        assert (process.returncode, *said) == (130, "", LINE)
        other.execute("ROLLBACK")


def _has_open(pid: int, file: Path) -> bool:
    return any(os.path.realpath(each) == str(file) for each in Path(f"/proc/{pid}/fd").iterdir())
