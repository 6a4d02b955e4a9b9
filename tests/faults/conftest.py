"""Legs of runs that can be told where to die."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient

from gateways.stand_in import StandIn


class Legs:
    """The process that forks a leg for us."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(self, run_id: str, step: str = "", when: str = "") -> int:
        """Run one leg over the test's installation; its exit code, or ``STOPPED``."""
        environment = {name: value for name, value in os.environ.items() if name.startswith(("EZT_", "PREFECT_"))}
        order = {"run_id": run_id, "step": step, "when": when, "environment": environment}
        return self._told(json.dumps(order))

    def go_on(self) -> int:
        """Let the leg that has stopped go on; its exit code."""
        return self._told("")

    def _told(self, line: str) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@pytest.fixture(scope="module")
def leg_process() -> Iterator[Legs]:
    command = [sys.executable, str(Path(__file__).with_name("leg_runner.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Legs(process)
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def legs(clerk: Any, city_bureau: StandIn, prefect_client: SyncPrefectClient, leg_process: Legs) -> Legs:
    return leg_process
