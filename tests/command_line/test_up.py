"""``ezt up``: the whole system starts, answers, and leaves nothing behind when it stops."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from prefect.client.orchestration import SyncPrefectClient

from ezt import children
from ezt.samples import data as sample_data
from ezt.up import free_port
from tests.command_line.conftest import ezt, running_in
from tests.conftest import wait_until


@contextmanager
def up(home: Path, *options: str, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    """``ezt up --sample-data --stand-in`` in a folder and on ports of its own; stopped by SIGTERM at the latest."""
    command = [sys.executable, "-m", "ezt", "up", "--sample-data", "--stand-in", *options]
    process = children.start(
        command,
        env=os.environ | {"EZT_HOME": str(home)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=120)


def read_until(process: "subprocess.Popen[str]", word: str) -> list[str]:
    """What it prints, up to the line with ``word`` (or all of it, when it ends before)."""
    lines: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line.rstrip())
        if word in line:
            break
    return lines


def password_of(home: Path) -> str:
    """What opens Prefect's pages of an installation."""
    (password,) = re.findall(r"^EZT_PREFECT_PASSWORD=(.+)$", (home / "ezt.env").read_text(), re.MULTILINE)
    return str(password)


def children_of(pid: int) -> dict[int, str]:
    """The command lines of the children of all threads of a process, by process id."""
    listed = [
        child for thread in Path(f"/proc/{pid}/task").iterdir() for child in (thread / "children").read_text().split()
    ]
    return {int(child): Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ") for child in listed}


def group_is_gone(leader: int) -> bool:
    """Whether no process is left in a group, not even a zombie."""
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture
def ports() -> dict[str, str]:
    return {"EZT_PREFECT_PORT": str(free_port()), "EZT_WEB_PORT": str(free_port())}


@pytest.fixture(scope="module")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str], str]:
    """The data folder that a first start leaves behind, its ports, and what it printed for a program."""
    home = tmp_path_factory.mktemp("installed") / "var"
    ports = {"EZT_PREFECT_PORT": str(free_port()), "EZT_WEB_PORT": str(free_port())}
    with up(home, "--json", **ports) as process:
        assert process.stdout is not None
        printed = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=120) == ("", "")
    assert process.returncode == 0
    return home, ports, printed


@pytest.fixture
def started_before(first_start: tuple[Path, dict[str, str], str], tmp_path: Path) -> Path:
    """A data folder in which the system has run before: it starts sooner."""
    shutil.copytree(first_start[0], tmp_path / "var")
    return tmp_path / "var"


@pytest.mark.parametrize("taken", ["EZT_PREFECT_PORT", "EZT_WEB_PORT"])
def test_a_taken_port_is_one_chinese_line_and_exit_2(taken: str, home: Path, ports: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", int(ports[taken]))):
        done = ezt("up", "--sample-data", "--stand-in", EZT_HOME=str(home), **ports)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert f"端口{ports[taken]}已被占用" in done.stderr
    assert taken in done.stderr


def test_a_folder_that_cannot_be_written_is_one_chinese_line_and_exit_2(home: Path, ports: dict[str, str]) -> None:
    done = ezt("up", "--sample-data", "--stand-in", EZT_HOME="/dev/null/nowhere", **ports)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "EZT_HOME" in done.stderr


def test_all_addresses_answer_and_sigterm_leaves_nothing_behind(started_before: Path, ports: dict[str, str]) -> None:
    home = started_before
    deploy = home / "log" / "deploy.log"
    before = deploy.read_text(encoding="utf-8")
    assert "system-round" in before
    with up(home, EZT_ONE_TIME_CODES="false", **ports) as process:
        printed = read_until(process, "Ctrl-C")
        prefect, web = (f"http://127.0.0.1:{ports[name]}" for name in ("EZT_PREFECT_PORT", "EZT_WEB_PORT"))
        said = {line.split()[0]: line.split()[-1] for line in printed}
        assert said["网页接口"] == web
        assert said["工作台"] == f"{web}/desk"
        assert said["Prefect"].startswith(f"{prefect}（口令{password_of(home)}，")
        assert any(str(home / "mail") in line for line in printed)
        assert any("一次性验证码已关闭" in line for line in printed)
        sign_on = next(line.split()[-1] for line in printed if "浙里办替身" in line)
        holder = sample_data.persons(sample_data.DEFAULT_SEED, 1)[0]
        assert httpx.post(f"{sign_on}/stand-in/tickets", json={"number": holder.number}).json()["ticket"]
        assert httpx.get(f"{prefect}/api/health").status_code == 200
        assert httpx.get(f"{web}/health").status_code == 200
        signed_in = httpx.post(said["工作台"] + "/sign-in", data={"staff_no": "KQ004"}, headers={"Origin": web})
        assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/desk")
        password = password_of(home)
        assert httpx.post(f"{prefect}/api/deployments/filter", json={}).status_code == 401
        with SyncPrefectClient(f"{prefect}/api", auth_string=password) as client:
            deployed = {found.name for found in client.read_deployments(limit=200)}
            # The recovery, the dispatch and the rest come by themselves.
            wait_until(lambda: any(run.auto_scheduled for run in client.read_flow_runs()), "没有定时的运行", 90)
        assert {"objection-case", "system-round"} <= deployed
        assert [command for command in running_in(home) if password in command] == []
        started = children_of(process.pid)
        assert len(started) == 7, started
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=120)
        assert (process.returncode, error) == (0, "")
        # A later start finds the stories deployed and does not deploy them again.
        assert deploy.read_text(encoding="utf-8") == before
        assert [command for leader, command in started.items() if not group_is_gone(leader)] == []


@pytest.mark.thorough
def test_when_one_process_dies_it_says_which_and_stops_the_others(started_before: Path, ports: dict[str, str]) -> None:
    with up(started_before, **ports) as process:
        read_until(process, "Ctrl-C")
        started = children_of(process.pid)
        worker = next(pid for pid, command in started.items() if "ezt.engine.worker" in command)
        os.kill(worker, signal.SIGKILL)
        _, error = process.communicate(timeout=120)
        assert process.returncode == 2
        assert len(error.splitlines()) == 1
        assert "worker" in error
        assert str(started_before / "log" / "worker.log") in error
        wait_until(lambda: all(map(group_is_gone, started)), f"还有进程没有停：{started}", 20)


@pytest.mark.thorough
def test_killed_it_leaves_no_process_behind(started_before: Path, ports: dict[str, str]) -> None:
    with up(started_before, **ports) as process:
        read_until(process, "Ctrl-C")
        assert len(running_in(started_before)) >= 8
        process.kill()
        process.wait()
        wait_until(lambda: running_in(started_before) == [], "还有进程没有停", 30)


def test_a_program_gets_the_addresses_as_one_json_line(first_start: tuple[Path, dict[str, str], str]) -> None:
    home, ports, printed = first_start
    assert json.loads(printed) == {
        "desk": f"http://127.0.0.1:{ports['EZT_WEB_PORT']}/desk",
        "web": f"http://127.0.0.1:{ports['EZT_WEB_PORT']}",
        "prefect": f"http://127.0.0.1:{ports['EZT_PREFECT_PORT']}",
        "password": password_of(home),
        "mail": str(home / "mail"),
    }


def listens(pid: int) -> bool:
    """Whether a process catches SIGTERM: Python by itself does not."""
    caught = re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text())
    return caught is not None and bool(int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)


def test_ctrl_c_right_after_the_start_stops_everything_quietly(home: Path, ports: dict[str, str]) -> None:
    with up(home, **ports) as process:
        wait_until(lambda: listens(process.pid), "没有开始")
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    # Before there was anything to stop it is a command like any other that is interrupted.
    assert process.returncode in (0, 128 + signal.SIGINT)
    assert error == ""
    assert running_in(home) == []


@pytest.mark.thorough
@pytest.mark.parametrize("log", ["prefect.log", "deploy.log"])
def test_ctrl_c_in_the_middle_of_starting_stops_everything_quietly(log: str, home: Path, ports: dict[str, str]) -> None:
    with up(home, **ports) as process:
        wait_until((home / "log" / log).exists, f"没有{log}", 180)
        process.send_signal(signal.SIGINT)
        printed, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (0, "")
    assert "Ctrl-C" not in printed
    assert running_in(home) == []
