"""A run of the tests that is broken off leaves nothing behind, and runs on one machine leave each other alone."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ezt import children
from tests.conftest import ROOT, wait_until
from tests.run_folders import MARK

pytestmark = pytest.mark.thorough

WAITING = """
import shutil, sys, time
BROWSER = shutil.which("chromium-headless-shell")
from pathlib import Path
import pytest
from playwright.sync_api import sync_playwright
from ezt import children
from tests.postgresql_server import as_superuser, postgresql_server, server_folder

@pytest.mark.parametrize("number", range(TESTS))
def test_waits(number, tmp_path):
    (tmp_path / "something").touch()
    sleeping = [sys.executable, "-c", "import time; time.sleep(600)"]
    with (
        server_folder() as data,
        postgresql_server(data) as url,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=BROWSER, chromium_sandbox=False) as browser,
        children.start(sleeping) as process,
    ):
        Path("READY", str(number)).touch()
        while not Path("READY", "go on").exists():
            time.sleep(0.1)
        # They are all still there.
        browser.new_page().goto("about:blank")
        as_superuser(url).close()
        assert process.poll() is None
        assert (tmp_path / "something").exists()
        process.kill()
"""


def parents() -> dict[int, int]:
    """Whose child each process of the machine is."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rsplit(") ", 1)[1].split()[:2]
        except OSError:
            continue  # It has ended meanwhile.
        if state != "Z":
            found[int(path.parent.name)] = int(parent)
    return found


def descendants(root: int) -> set[int]:
    """The processes that descend from one."""
    known, found = parents(), {root}
    while more := {each for each, parent in known.items() if parent in found} - found:
        found |= more
    return found - {root}


def command_of(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


@dataclass
class Run:
    """A run of the tests on its own."""

    process: "subprocess.Popen[bytes]"
    ready: Path
    within: Path
    log: Path
    tests: int

    @property
    def folders(self) -> list[Path]:
        return list(self.within.glob(f"*{MARK}*"))

    def wait_until_it_waits(self) -> set[int]:
        """Until all its tests wait; the processes that it has by then."""
        poll = self.process.poll
        wait_until(lambda: poll() is not None or len(list(self.ready.iterdir())) == self.tests, "测试没有开始等待", 200)
        assert poll() is None, self.log.read_text(encoding="utf-8")
        found = descendants(self.process.pid)
        commands = "\n".join(map(command_of, found))
        for program in ("postgres", "sleep(600)", "chromium-headless-shell", "playwright"):
            assert program in commands
        return found

    def go_on(self) -> None:
        (self.ready / "go on").touch()


@pytest.fixture
def start_run(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Starts a run of so many tests at a time, which wait with servers of their own."""
    with ExitStack() as stack:
        # Not so long a path: PostgreSQL has a socket in there.
        within = Path(stack.enter_context(TemporaryDirectory()))

        def started(name: str, tests: int = 1, source: str = WAITING) -> Run:
            ready = tmp_path / f"{name} ready"
            ready.mkdir()
            file = tmp_path / name / "test_waiting.py"
            file.parent.mkdir()
            file.write_text(source.replace("READY", str(ready)).replace("TESTS", str(tests)), encoding="utf-8")
            command = [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "-p", "tests.run_folders"]
            command += ["-p", "no:cacheprovider", "-n", str(tests), file]
            environment = os.environ | {"PYTEST_DEBUG_TEMPROOT": str(within), "PYTHONPATH": str(ROOT)}
            log = file.with_suffix(".log")
            with log.open("wb") as said:
                process = children.start(command, cwd=ROOT, env=environment, stdout=said, stderr=said)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return Run(process, ready, within, log, tests)

        yield started


def are_gone(processes: set[int]) -> bool:
    return not processes & parents().keys()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_broken_off_leaves_no_process(start_run: Callable[..., Run], how: signal.Signals) -> None:
    run = start_run("one", tests=2 if how == signal.SIGKILL else 1)
    left = run.wait_until_it_waits()
    run.process.send_signal(how)
    wait_until(lambda: are_gone(left), "还有进程没有结束", 180)
    run.process.wait(60)
    # Who was killed could not remove it.
    assert len(run.folders) == (how == signal.SIGKILL)


@pytest.mark.timeout(900)
def test_two_runs_leave_each_other_alone_and_a_third_clears_up_after_one_that_was_killed(
    start_run: Callable[..., Run],
) -> None:
    one, other = start_run("one"), start_run("other")
    one.wait_until_it_waits()
    left = other.wait_until_it_waits()
    other.process.kill()
    wait_until(lambda: are_gone(left), "还有进程没有结束", 180)
    assert len(one.folders) == 2
    third = start_run("third", source="def test_nothing(tmp_path): pass")
    assert third.process.wait(120) == 0
    assert len(one.folders) == 1
    one.go_on()
    assert one.process.wait(120) == 0, one.log.read_text(encoding="utf-8")
    assert one.folders == []
