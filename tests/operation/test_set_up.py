"""The set-up of a machine: what is missing is installed or named, and what was broken off is not taken for done."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ezt import children
from tests.conftest import ROOT, wait_until

TOOLS = ("bash", "sh", "env", "make", "cat", "cp", "dirname", "grep", "mkdir", "readlink", "rm", "sleep", "touch")
INSTALLS = "apt-get install -y --no-install-recommends"
NOBODY = 65534

NO_VENV = """#!/bin/sh
case "$*" in
*version_info*) echo 3.11 ;;
*) exit 1 ;;
esac
"""
PYTHON = """#!/bin/sh
echo "$*" >> called
case "$*" in
*version_info*) echo 3.11 ;;
*-m\\ venv*) for folder; do :; done; mkdir -p "$folder/bin"; cp pip "$folder/bin/python" ;;
esac
"""
PIP = """#!/bin/sh
echo "$*" >> called
case "$*" in *pip.lock* | *compileall*) exit 0 ;; esac
echo "Collecting one==1.0"
echo "Installing collected packages: one"
touch half-installed
while [ ! -e go-on ]; do sleep 0.1; done
"""


@dataclass
class Machine:
    """A machine with hardly a program on it, and a checkout of this one."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": str(self.folder / "bin"), "LANG": "C.UTF-8"}

    def has(self, name: str, script: str) -> None:
        """Put a program of this text on it."""
        path = self.folder / "bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script, encoding="utf-8")
        path.chmod(0o755)

    def run(self, *command: str, user: int | None = None) -> "subprocess.CompletedProcess[str]":
        """Run a command in the checkout, as somebody else where the tests are root's."""
        more = {"user": user, "group": user} if user is not None and os.geteuid() == 0 else {}
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, **more
        )

    @property
    def asked_for(self) -> list[str]:
        """What apt-get was called with."""
        asked = self.folder / "asked"
        return asked.read_text(encoding="utf-8").splitlines() if asked.exists() else []


@pytest.fixture
def machine() -> Iterator[Machine]:
    with TemporaryDirectory() as folder:
        made = Machine(Path(folder))
        for each in (made.folder, *made.folder.parents):
            if each.stat().st_uid == os.geteuid() and each != Path("/"):
                each.chmod(each.stat().st_mode | 0o011)
        made.has("apt-get", f'#!/bin/sh\necho "$*" >> {folder}/asked\n')
        made.has("python3", NO_VENV)
        for tool in TOOLS:
            (made.folder / "bin" / tool).symlink_to(str(shutil.which(tool)))
        shutil.copy(ROOT / "Makefile", made.folder)
        shutil.copytree(ROOT / ".ci", made.folder / ".ci")
        for lock in ("requirements.lock", "requirements-dev.lock", "requirements-bench.lock", "pyproject.toml"):
            (made.folder / lock).write_text("one==1.0\n", encoding="utf-8")
        # Whoever is nobody could write here.
        if os.geteuid() == 0:
            shutil.chown(made.folder, NOBODY)
        yield made


@pytest.mark.parametrize("command", [("make", "test"), ("make", "bench"), (".ci/run",)])
def test_without_root_one_line_says_what_to_install_and_nothing_is(machine: Machine, command: tuple[str, ...]) -> None:
    done = machine.run(*command, user=NOBODY)
    assert done.returncode != 0
    assert done.stdout == ""
    (line,) = (each for each in done.stderr.splitlines() if not each.startswith("make"))
    _, _, packages = line.partition(INSTALLS)
    assert {"python3.11-venv", "chromium-headless-shell", "fonts-noto-cjk", "libreoffice-calc", "faketime"} <= set(
        packages.split()
    )
    for name in ("Chromium", "中文字体", "LibreOffice Calc"):
        assert name in line
    assert machine.asked_for == []
    assert not (machine.folder / ".venv").exists()


def test_where_there_is_no_apt_the_programs_are_named(machine: Machine) -> None:
    (machine.folder / "bin" / "apt-get").unlink()
    done = machine.run("make", "test", user=NOBODY)
    assert done.returncode != 0
    (line,) = (each for each in done.stderr.splitlines() if not each.startswith("make"))
    assert "LibreOffice Calc" in line
    assert "apt-get install" not in line
    assert not (machine.folder / ".venv").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs")
def test_root_gets_what_is_missing_installed_once(machine: Machine) -> None:
    binaries = machine.folder / "bin"
    installed = "\n".join(
        f"[ $1 != install ] || {{ echo '#!/bin/sh' > {binaries / name}; echo 'echo Noto' >> {binaries / name}; "
        f"{shutil.which('chmod')} +x {binaries / name}; }}"
        for name in ("chromium-headless-shell", "faketime", "fc-list", "soffice", "scalc", "python3", "nginx")
    )
    machine.has("apt-get", f'#!/bin/sh\necho "$*" >> {machine.folder}/asked\n{installed}\n')
    done = machine.run("make", "programs")
    assert done.returncode == 0, done.stderr
    update, install = machine.asked_for
    assert update.startswith("update")
    assert {"chromium-headless-shell", "libreoffice-calc"} <= set(install.split())
    assert machine.run("make", "programs").returncode == 0
    assert len(machine.asked_for) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs")
def test_what_is_still_missing_after_an_installation_stops_everything(machine: Machine) -> None:
    done = machine.run("make", "test")
    assert done.returncode != 0
    assert "仍缺少" in done.stderr
    assert not (machine.folder / ".venv").exists()


def test_running_it_needs_a_python_with_venv_and_says_so_on_one_line(machine: Machine) -> None:
    done = machine.run("make", "run")
    assert done.returncode != 0
    (line,) = (each for each in done.stderr.splitlines() if not each.startswith("make"))
    assert "apt-get install -y python3.11-venv" in line
    assert not (machine.folder / ".venv").exists()
    assert machine.asked_for == []


def has_pip(machine: Machine) -> None:
    """Let there be a Python that makes environments, and in each a pip that waits for a file ``go-on``."""
    machine.has("python3", PYTHON)
    (machine.folder / "pip").write_text(PIP, encoding="utf-8")
    (machine.folder / "pip").chmod(0o755)


def called(machine: Machine, word: str) -> list[str]:
    """The calls of Python with this word among what it was told."""
    lines = (machine.folder / "called").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if word in line]


def test_running_installs_what_runs_and_testing_adds_what_tests(machine: Machine) -> None:
    has_pip(machine)
    (machine.folder / "go-on").touch()
    assert machine.run("make", ".venv/ready").returncode == 0
    assert called(machine, "requirements.lock")
    assert not called(machine, "requirements-dev.lock")
    assert all("--require-hashes" in each for each in called(machine, ".lock"))
    assert machine.run("make", ".venv/ready-dev").returncode == 0
    assert len(called(machine, "requirements.lock")) == 1
    assert len(called(machine, "requirements-dev.lock")) == 1
    # Nothing is left to do for either.
    before = called(machine, "")
    assert machine.run("make", ".venv/ready", ".venv/ready-dev").returncode == 0
    assert called(machine, "") == before


def test_an_environment_in_which_adding_what_tests_was_broken_off_is_not_taken_for_ready(machine: Machine) -> None:
    has_pip(machine)
    (machine.folder / "go-on").touch()
    assert machine.run("make", ".venv/ready").returncode == 0
    (machine.folder / "pip").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    shutil.copy(machine.folder / "pip", machine.folder / ".venv" / "bin" / "python")
    assert machine.run("make", "lint").returncode != 0
    assert not (machine.folder / ".venv" / "ready").exists()
    assert not (machine.folder / ".venv" / "ready-dev").exists()


@pytest.mark.thorough
def test_an_environment_that_was_broken_off_is_begun_anew(machine: Machine) -> None:
    has_pip(machine)
    log = machine.folder / "said"
    with log.open("wb") as said:
        first = children.start(
            ["make", ".venv/ready"], cwd=machine.folder, env=machine.environment, stdout=said, start_new_session=True
        )
    wait_until((machine.folder / "half-installed").exists, "没有开始安装", 120)
    # It says what it waits for while it does.
    wait_until(lambda: "正在安装" in log.read_text(encoding="utf-8"), "没有说明进度", 120)
    assert "第一次约需" in log.read_text(encoding="utf-8")
    os.killpg(first.pid, signal.SIGINT)
    assert first.wait(120) != 0
    assert not (machine.folder / ".venv" / "ready").exists()
    (machine.folder / "go-on").touch()
    assert machine.run("make", ".venv/ready").returncode == 0
    assert ["--clear" in each for each in called(machine, "-m venv")] == [True, True]
    assert (machine.folder / ".venv" / "ready").exists()
    # What was done once is only brought up to date.
    os.utime(machine.folder / "requirements.lock", (2**32, 2**32))
    assert machine.run("make", ".venv/ready").returncode == 0
    last = (machine.folder / "called").read_text(encoding="utf-8").rpartition("-m venv")[2]
    assert "--clear" not in last
