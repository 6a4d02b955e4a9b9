"""An installation as the operator's guide describes a growing one, each part of which can be killed: PostgreSQL for
both databases, two workers, two web processes. What ends is started again, as systemd does it."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import httpx

from ezt.up import answers
from tests.conftest import wait_until
from tests.operator_guide import Host, blocks, run
from tests.postgresql_server import PostgreSQL

DATABASE, SERVER, WEB, WORKERS = "database", "server", "web", ("worker 1", "worker 2")
UNITS = {
    SERVER: "ezt-prefect.service",
    WEB: "ezt-web.service",
    WORKERS[0]: "ezt-worker@1.service",
    WORKERS[1]: "ezt-worker@2.service",
}
DATABASE_RESTARTS_AFTER = 2.0
"""Seconds. No unit of ours starts the database."""


@dataclass
class Machine:
    """The host's services and its database server; ``settings`` are lines of ezt.env."""

    host: Host
    home: Path
    database: PostgreSQL
    settings: dict[str, str]
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    _ended: dict[str, float] = field(default_factory=dict)
    _began: dict[str, datetime] = field(default_factory=dict)

    @property
    def web(self) -> str:
        return f"http://127.0.0.1:{self.host.web_port}"

    @cached_property
    def restarts_after(self) -> dict[str, float]:
        """Seconds until each is started again."""
        each = {name: float(self.host.service(unit)["RestartSec"]) for name, unit in UNITS.items()}
        return each | {DATABASE: DATABASE_RESTARTS_AFTER}

    def install(self, holders: int) -> None:
        """From an empty folder to running services, by the commands of the guide."""
        self.home.mkdir(mode=0o700)
        self.database.start()
        self.database.wait()
        growing = self._growing()
        (self.home / "ezt.env").write_text(
            "".join(f"{name}={value}\n" for name, value in (growing | self.settings).items()), encoding="utf-8"
        )
        self.host.environment |= {name: value for name, value in growing.items() if name.startswith("PREFECT_")}
        postgresql = {"PGHOST": "127.0.0.1", "PGPORT": str(self.database.port), "PGUSER": "ezt"}
        # Here the server's owner is the user whom the guide makes first.
        run(re.sub(r"sudo -u postgres |.*createuser.*\n", "", blocks("sh growing")), self.home, **postgresql)
        run(f"ezt migrate\nezt sample-data --holders {holders}\n", self.home)
        self.start(SERVER)
        wait_until(lambda: self.is_well(SERVER), "Prefect没有启动", 180)
        run("\n".join(dict.fromkeys(blocks("sh run-services").splitlines())), self.home, **self.host.environment)
        for name in (*WORKERS, WEB):
            self.start(name)
        wait_until(self.all_well, "服务没有全部启动", 90)

    def _growing(self) -> dict[str, str]:
        """What the guide sets on the way to PostgreSQL, with this server for the guide's."""
        here = blocks("ini growing").replace("ezt:口令@数据库主机", f"ezt@127.0.0.1:{self.database.port}")
        return dict(line.split("=", 1) for line in here.splitlines() if "=" in line)

    def start(self, name: str) -> None:
        """Start one of them."""
        self._began[name] = datetime.now(UTC)
        if name == DATABASE:
            self.database.start()
        else:
            self.processes[name] = self.host.start(UNITS[name])

    def kill(self, name: str) -> None:
        """SIGKILL everything that belongs to one of them."""
        if name == DATABASE:
            self.database.kill()
        else:
            # Whatever else runs in a service's group ends with its first process.
            _kill(self.processes[name])
        self._ended[name] = time.monotonic()

    def tend(self) -> None:
        """Start again what has been down long enough, killed by us or ended by itself."""
        now = time.monotonic()
        for name, process in self.processes.items():
            if name not in self._ended and process.poll() is not None:
                _kill(process)
                self._ended[name] = now
        for name, ended in list(self._ended.items()):
            if now - ended >= self.restarts_after[name]:
                del self._ended[name]
                self.start(name)

    def is_well(self, name: str) -> bool:
        """Whether one of them does its work."""
        if name in self._ended:
            return False
        match name:
            case "database":
                return self.database.lets_in()
            case "server":
                return answers(f"{self.host.api}/ready")
            case "web":
                return answers(f"{self.web}/health")
        number = name.rpartition(" ")[2]
        return self._heard_of(f"host-{number}", self._began[name])

    def all_well(self) -> bool:
        return all(self.is_well(name) for name in (DATABASE, *UNITS))

    def _heard_of(self, worker: str, since: datetime) -> bool:
        """Whether a worker has reported to the server since it was started."""
        try:
            return any(
                each["name"] == worker and datetime.fromisoformat(each["last_heartbeat_time"]) > since
                for each in self.host.workers()
            )
        except (httpx.HTTPError, ValueError, TypeError, KeyError):
            return False

    def stop(self) -> None:
        """End everything."""
        for process in self.processes.values():
            _kill(process)
        self.database.stop()


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def machine(folder: Path, web_port: int, holders: int, **settings: str) -> Iterator[Machine]:
    """An installation with sample data in an empty folder, running while the block runs."""
    data = folder / "pg"
    data.mkdir()
    home = folder / "var"
    # As anybody runs it: what is written is waited for.
    made = Machine(Host(home, folder / "backups", web_port), home, PostgreSQL(data), settings)
    try:
        made.install(holders)
        yield made
    finally:
        made.stop()
