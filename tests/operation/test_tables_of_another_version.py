"""A new program over tables that nobody has upgraded: each service says what to run, and a monitor sees it."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
from alembic import command

from ezt import children
from ezt.up import free_port
from models.migrations import alembic_config
from runtime.database import forget_engine
from tests.command_line.conftest import ezt
from tests.conftest import ROOT, wait_until

TODO = "请先运行 ezt migrate"


def health(port: int) -> httpx.Response | None:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", timeout=5)
    except httpx.HTTPError:
        return None


def test_the_web_process_says_it_and_answers_once_they_are_upgraded(home: Path, tmp_path: Path) -> None:
    command.upgrade(alembic_config(), "0027")
    forget_engine()
    port, log = free_port(), tmp_path / "web.log"
    start = [sys.executable, "-m", "uvicorn", "web.app:app", "--port", str(port)]
    with log.open("wb") as said, children.start(start, env=os.environ, cwd=ROOT, stderr=said) as process:
        try:
            wait_until(lambda: health(port) is not None, "网页进程没有启动", 120)
            refused = health(port)
            assert refused is not None
            assert (refused.status_code, TODO in refused.text) == (503, True)
            assert TODO in log.read_text(encoding="utf-8")
            assert ezt("migrate").returncode == 0
            answered = health(port)
            assert answered is not None
            assert (answered.status_code, answered.json()) == (200, {"status": "ok"})
        finally:
            process.terminate()


def test_looking_makes_no_database(home: Path) -> None:
    port = free_port()
    start = [sys.executable, "-m", "uvicorn", "web.app:app", "--port", str(port), "--log-level", "critical"]
    with children.start(start, env=os.environ, cwd=ROOT) as process:
        try:
            wait_until(lambda: health(port) is not None, "网页进程没有启动", 120)
            assert not (home / "ezt.db").exists()
        finally:
            process.terminate()


def test_the_worker_does_not_start(home: Path) -> None:
    command.upgrade(alembic_config(), "0027")
    forget_engine()
    start = [sys.executable, "-m", "ezt.engine.worker", "--pool", "ezt", "--name", "本机"]
    done = subprocess.run(start, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert TODO in line
