"""The operator's guide as tests read it: its blocks, its commands, and its units as systemd starts them."""

import configparser
import os
import re
import shlex
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from ezt import children
from ezt.up import free_port

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "operator-guide.zh-CN.md").read_text(encoding="utf-8")
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+[^\n]*)\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
SETUP = "ezt migrate\nezt sample-data --holders 60\n"


def blocks(*kinds: str) -> str:
    """The blocks of these kinds in the guide's order, as one script."""
    return "".join(content for kind, content in BLOCKS if kind in kinds)


def run(script: str, home: Path, **environment: str) -> str:
    """Run a script as an operator does; what it printed."""
    given = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "EZT_HOME": str(home),
        "BACKUPS": str(home.parent / "backups"),
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=os.environ | given | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Host:
    """Reads the guide's units as systemd does, with the paths and ports of a test in place of the guide's."""

    def __init__(self, home: Path, backups: Path, web_port: int | None = None) -> None:
        self.prefect_port, self.web_port = free_port(), web_port or free_port()
        self.replaced = {
            "/opt/ezt/.venv/bin": str(Path(sys.executable).parent),
            "/var/lib/ezt": str(home),
            "/var/backups/ezt": str(backups),
            "4200": str(self.prefect_port),
            "4202": str(self.web_port),
            "%H": "host",
            "$$": "$",
            "%%": "%",
        }
        self.log = home.parent / "services.log"
        (environment,) = (content for kind, content in BLOCKS if kind == "ini service.env")
        self.environment = dict(line.split("=", 1) for line in self.here(environment).splitlines())
        self.environment |= {"EZT_PREFECT_PORT": str(self.prefect_port), "EZT_WEB_PORT": str(self.web_port)}

    @property
    def api(self) -> str:
        return self.environment["PREFECT_API_URL"]

    def workers(self) -> list[dict[str, str]]:
        """The workers that have reported to the server, which answers who names the installation's password."""
        kept = (Path(self.environment["EZT_HOME"]) / "ezt.env").read_text(encoding="utf-8")
        (password,) = re.findall(r"^EZT_PREFECT_PASSWORD=(.+)$", kept, re.MULTILINE)
        headers = {"Authorization": f"Basic {b64encode(password.encode()).decode()}"}
        url = f"{self.api}/work_pools/ezt/workers/filter"
        known: list[dict[str, str]] = httpx.post(url, json={}, headers=headers, timeout=5).raise_for_status().json()
        return known

    def here(self, given: str) -> str:
        for theirs, ours in self.replaced.items():
            given = given.replace(theirs, ours)
        return given

    def service(self, unit: str) -> configparser.SectionProxy:
        """The [Service] section of a unit: ``ezt-web.service``, or ``ezt-worker@2.service`` of a template."""
        name, _, instance = unit.removesuffix(".service").partition("@")
        wanted = f"ini {name}@.service" if instance else f"ini {unit}"
        (content,) = (content for kind, content in BLOCKS if kind == wanted)
        read = configparser.RawConfigParser()
        read.optionxform = str  # type: ignore[assignment,method-assign]
        read.read_string(content.replace("%i", instance))
        service = read["Service"]
        assert (service["User"], service["WorkingDirectory"]) == ("ezt", "/opt/ezt")
        assert service["EnvironmentFile"] == "/etc/ezt/service.env"
        return service

    def commands(self, unit: str) -> list[list[str]]:
        """ExecStart and ExecStartPost of a unit."""
        service = self.service(unit)
        wanted = (service[name] for name in ("ExecStart", "ExecStartPost") if name in service)
        return [shlex.split(self.here(line)) for line in wanted]

    def start(self, unit: str) -> "subprocess.Popen[bytes]":
        """Start a service, in a process group of its own."""
        (command,) = self.commands(unit)
        with self.log.open("ab") as log:
            return children.start(
                command,
                env=os.environ | self.environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @contextmanager
    def started(self, unit: str) -> Iterator[None]:
        """A service while the block runs."""
        process = self.start(unit)
        try:
            yield
        finally:
            process.terminate()
            process.wait(60)

    def carried_out(self, unit: str) -> str:
        """What a unit of one shot prints; it must succeed."""
        done = [
            subprocess.run(
                command, env=os.environ | self.environment, cwd=ROOT, capture_output=True, text=True, check=False
            )
            for command in self.commands(unit)
        ]
        assert [each.returncode for each in done] == [0] * len(done), done
        return "".join(each.stdout for each in done)
