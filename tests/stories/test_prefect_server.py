"""What the desk's server does besides being Prefect's (docs/adr/0019,
docs/adr/0026)."""

import gc
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import ObjectNotFound
from prefect.states import Completed, Suspended
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from ezt.engine import prefect_server
from ezt.up import PREFECT
from runtime import clock
from tests.conftest import PASSWORD, ROOT, reaching, wait_until
from tests.conftest import prefect_server as started_server


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Collects garbage as the server does, for this test only."""
    monkeypatch.setattr(prefect_server, "COLLECT_EVERY", 0.02)
    enough = prefect_server.collect_elsewhere()
    yield
    enough.set()
    gc.unfreeze()
    gc.enable()


class Waste:
    """Garbage that only a collector finds, and that says in which thread it was found."""

    def __init__(self, found_in: list[str]) -> None:
        self.itself, self.found_in = self, found_in

    def __del__(self) -> None:
        self.found_in.append(threading.current_thread().name)


def test_garbage_is_collected_by_nobody_who_has_something_else_to_do(collector: None) -> None:
    found_in: list[str] = []
    Waste(found_in)
    # Enough of it for Python's own collector to have come by.
    kept = [[] for _ in range(200_000)]
    assert len(kept) == 200_000
    wait_until(lambda: found_in, "垃圾没有回收", 20)
    assert found_in == ["garbage"]


@pytest.mark.timeout(400)
def test_what_ended_long_ago_goes_and_what_waits_for_an_answer_stays(deployed_prefect: Path, tmp_path: Path) -> None:
    assert "flow_runs" in PREFECT["PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED"]
    home = tmp_path / "prefect"
    shutil.copytree(deployed_prefect, home)
    hurried = {"PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS": "1"}
    with started_server(home, **hurried) as reached, reaching(reached) as client:
        story = client.read_deployment_by_name("系统巡检/system-round")
        waiting, ended, recent = (
            client.create_flow_run_from_deployment(story.id, state=state()).id
            for state in (lambda: Suspended(pause_key="k"), Completed, Completed)
        )
        # A year ago, as Prefect's own database has it.
        then = (clock.now() - timedelta(days=365)).strftime("%Y-%m-%d %H:%M:%S.%f")
        with closing(sqlite3.connect(home / "prefect.db", timeout=60)) as database, database:
            for run in (waiting, ended):
                database.execute(
                    "UPDATE flow_run SET created = ?, start_time = ?, expected_start_time = ?, state_timestamp = ?,"
                    " end_time = CASE WHEN end_time IS NULL THEN NULL ELSE ? END WHERE id = ?",
                    (*[then] * 5, str(run)),
                )
        wait_until(lambda: not _is_there(client, ended), "Prefect没有删去早已结束的运行", 90)
        assert _is_there(client, waiting)
        assert _is_there(client, recent)


def test_nobody_without_the_password_is_answered(shared_prefect: dict[str, str]) -> None:
    url = shared_prefect["PREFECT_API_URL"]
    assert httpx.get(f"{url}/health").json() is True
    for given in (None, ":", "desk-password", f"ezt:{PASSWORD}", "é"):
        headers = {} if given is None else {"Authorization": f"Basic {b64encode(given.encode()).decode()}"}
        asked = [httpx.get(f"{url}/{each}", headers=headers) for each in ("version", "admin/settings", "docs", "hello")]
        for each in ("deployments/", "deployments/filter", "flow_runs/filter", "artifacts/filter", "logs/filter"):
            asked.append(httpx.post(f"{url}/{each}", json={}, headers=headers))
        assert {each.status_code for each in asked} == {401}
    for token in (None, "", "desk-password"):
        with connect(f"{url.replace('http', 'ws')}/events/out", subprotocols=["prefect"]) as events:  # type: ignore[list-item]
            events.send(json.dumps({"type": "auth", "token": token}))
            with pytest.raises(ConnectionClosed):
                events.recv(timeout=10)
    with reaching(shared_prefect) as client:
        assert client.api_version()


def test_pages_of_elsewhere_get_nothing(shared_prefect: dict[str, str]) -> None:
    url, elsewhere = shared_prefect["PREFECT_API_URL"], {"Origin": "http://evil.example"}
    wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    with httpx.Client(headers={"Authorization": f"Basic {b64encode(PASSWORD.encode()).decode()}"}) as knowing:
        answers = [
            knowing.options(f"{url}/deployments/", headers=elsewhere | wanted),
            knowing.get(f"{url}/health", headers=elsewhere),
            knowing.get(f"{url}/version", headers=elsewhere),
            knowing.get(f"{shared_prefect['EZT_PREFECT_URL']}/ui-settings", headers=elsewhere),
        ]
    assert answers[0].status_code == 400
    assert [each.headers for each in answers if "Access-Control-Allow-Origin" in each.headers] == []


@pytest.mark.parametrize("module", ["ezt.engine.prefect_server --port 4200", "ezt.engine.worker --pool p --name n"])
def test_without_a_password_nothing_starts(module: str, tmp_path: Path) -> None:
    nothing = {"EZT_HOME": str(tmp_path / "none"), "PREFECT_HOME": str(tmp_path), "EZT_PREFECT_PASSWORD": ""}
    done = subprocess.run(
        [sys.executable, "-m", *module.split()],
        env=os.environ | nothing,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "EZT_PREFECT_PASSWORD" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def _is_there(client: SyncPrefectClient, run: UUID) -> bool:
    try:
        client.read_flow_run(run)
    except ObjectNotFound:
        return False
    return True
