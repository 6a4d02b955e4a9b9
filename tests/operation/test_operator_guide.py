"""The operator's guide: its commands and service units are run as printed, its table and numbers are the program's."""

import configparser
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
import typer
from sqlalchemy import func, select

from ezt.commands import app
from ezt.up import answers, free_port
from models.certificates import Certificate, CertificateType, IssuingAuthority
from models.organisations import Department, Officer
from notifications.sender import ATTEMPTS
from regulation.limits import REQUEST_SIZE
from runtime.database import engine, reading
from runtime.settings import Settings, table
from tests.conftest import ROOT, wait_until

Configure = Callable[..., None]

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


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_commands_work_as_printed_on_either_database(
    kind: str, home: Path, request: pytest.FixtureRequest, configure: Configure
) -> None:
    environment = {}
    if kind == "postgresql":
        url: str = request.getfixturevalue("empty_postgresql")
        host, port = url.split("@")[1].split("/")[0].split(":")
        environment = {"PGHOST": host, "PGPORT": port, "PGUSER": "ezt", "EZT_DATABASE_URL": url}
        run("dropdb --if-exists ezt_restored", home, **environment)
    printed = run(
        SETUP + blocks("sh run", f"sh run-{kind}") + 'echo "DATABASE $EZT_DATABASE_URL"',
        home,
        **{"EZT_DATABASE_URL": "", **environment},
    )
    restored = printed.rpartition("DATABASE ")[2].strip()
    assert printed.count("没有发现改动") >= 2
    assert restored.endswith("/ezt_restored") == (kind == "postgresql")
    assert (home / "replaced" / "ezt.db").exists() == (kind == "sqlite")
    configure(EZT_DATABASE_URL=restored)
    with reading() as session:
        assert session.scalar(select(func.count(Certificate.id)))
    engine().dispose()


def test_an_empty_installation_is_filled_as_printed(home: Path, tmp_path: Path, configure: Configure) -> None:
    for kind, content in BLOCKS:
        if kind.startswith("csv "):
            (tmp_path / kind.removeprefix("csv ")).write_text(content, encoding="utf-8")
    run(f"ezt migrate\ncd {shlex.quote(str(tmp_path))}\n{blocks('sh run-register')}", home, PYTHONPATH=str(ROOT))
    configure()
    with reading() as session:
        assert {each.staff_no: each.active for each in session.scalars(select(Officer))} == {
            "KQ901": True,
            "KQ902": False,
        }
        for table_of, rows in ((Department, 1), (CertificateType, 1), (IssuingAuthority, 2), (Certificate, 1)):
            assert session.scalar(select(func.count()).select_from(table_of)) == rows


@pytest.mark.timeout(600)
def test_the_services_start_as_printed_and_the_doctor_is_content(home: Path, tmp_path: Path) -> None:
    host = Host(home, tmp_path / "backups")
    home.mkdir(mode=0o700, exist_ok=True)
    home.chmod(0o700)
    (tmp_path / "backups").mkdir()
    run(SETUP, home)
    with ExitStack() as services:
        services.enter_context(host.started("ezt-prefect.service"))
        wait_until(lambda: answers(f"{host.api}/health"), "Prefect没有启动", 180)
        # An upgrade deploys with the same command as an installation; once takes long enough.
        run("\n".join(dict.fromkeys(blocks("sh run-services").splitlines())), home, **host.environment)
        services.enter_context(host.started("ezt-worker@.service"))
        services.enter_context(host.started("ezt-web.service"))
        wait_until(lambda: answers(f"http://127.0.0.1:{host.web_port}/health"), "网页没有启动", 60)
        url = f"{host.api}/work_pools/ezt/workers/filter"
        wait_until(lambda: httpx.post(url, json={}).json(), "执行器没有报到", 60)
        said = host.carried_out("ezt-doctor.service")
        assert "错误" not in said
        assert "个在运行：" in said
    host.carried_out("ezt-backup.service")
    (backup,) = (tmp_path / "backups").glob("ezt-*.ezt")
    # What is older than a week goes with the next one.
    os.utime(backup, (time.time() - 9 * 86400,) * 2)
    time.sleep(1)
    host.carried_out("ezt-backup.service")
    assert len(list((tmp_path / "backups").glob("ezt-*.ezt"))) == 1
    assert not backup.exists()


class Host:
    """Reads the guide's units as systemd does, with the paths and ports of a test in place of the guide's."""

    def __init__(self, home: Path, backups: Path) -> None:
        self.desk_port, self.web_port = free_port(), free_port()
        self.replaced = {
            "/opt/ezt/.venv/bin": str(Path(sys.executable).parent),
            "/var/lib/ezt": str(home),
            "/var/backups/ezt": str(backups),
            "4200": str(self.desk_port),
            "4202": str(self.web_port),
            "%H-%i": "host-1",
            "$$": "$",
            "%%": "%",
        }
        self.log = home.parent / "services.log"
        (environment,) = (content for kind, content in BLOCKS if kind == "ini service.env")
        self.environment = dict(line.split("=", 1) for line in self.here(environment).splitlines())
        self.environment |= {"EZT_DESK_PORT": str(self.desk_port), "EZT_WEB_PORT": str(self.web_port)}

    @property
    def api(self) -> str:
        return self.environment["PREFECT_API_URL"]

    def here(self, given: str) -> str:
        for theirs, ours in self.replaced.items():
            given = given.replace(theirs, ours)
        return given

    def commands(self, unit: str) -> list[list[str]]:
        """ExecStart and ExecStartPost of a unit."""
        (content,) = (content for kind, content in BLOCKS if kind == f"ini {unit}")
        read = configparser.RawConfigParser()
        read.optionxform = str  # type: ignore[assignment,method-assign]
        read.read_string(content)
        service = read["Service"]
        assert (service["User"], service["WorkingDirectory"]) == ("ezt", "/opt/ezt")
        assert service["EnvironmentFile"] == "/etc/ezt/service.env"
        wanted = (service[name] for name in ("ExecStart", "ExecStartPost") if name in service)
        return [shlex.split(self.here(line)) for line in wanted]

    @contextmanager
    def started(self, unit: str) -> Iterator[None]:
        """A service while the block runs."""
        (command,) = self.commands(unit)
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, env=os.environ | self.environment, cwd=ROOT, stdout=log, stderr=log)
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


NEEDED_BY_NONE = {
    "NoNewPrivileges": "true",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "ProtectSystem": "strict",
    "ProtectHome": "true",
    "PrivateTmp": "true",
    "PrivateDevices": "true",
    "RestrictSUIDSGID": "true",
    "RestrictNamespaces": "true",
    "SystemCallFilter": "@system-service",
    "UMask": "0077",
}


def test_services_have_no_privilege_that_they_do_not_need() -> None:
    units = {kind.removeprefix("ini "): content for kind, content in BLOCKS if kind.endswith(".service")}
    assert len(units) == 5
    for name, content in units.items():
        read = configparser.RawConfigParser()
        read.optionxform = str  # type: ignore[assignment,method-assign]
        read.read_string(content)
        service = read["Service"]
        assert {key: service.get(key) for key in NEEDED_BY_NONE} == NEEDED_BY_NONE, name
        assert service["User"] == "ezt"
        wanted = "/var/lib/ezt /var/backups/ezt" if name == "ezt-backup.service" else "/var/lib/ezt"
        assert service["ReadWritePaths"] == wanted


def test_the_table_of_settings_is_the_programs() -> None:
    printed = GUIDE.partition("<!-- settings -->\n")[2].partition("<!-- /settings -->")[0]
    assert printed == f"\n{table()}\n", "请把runtime.settings.table()的输出填入手册第三节"
    assert {f"`EZT_{name}".upper() for name in Settings.model_fields} <= {
        line.split("__")[0].split("` ")[0].removeprefix("| ") for line in printed.splitlines()
    }
    assert "None" not in printed


def test_every_setting_that_the_guide_speaks_of_exists() -> None:
    known = set(re.findall(r"EZT_[A-Z_]+", table()))
    said = set(re.findall(r"EZT_[A-Z]+(?:_+[A-Z]+)*(?![A-Z_])", GUIDE))
    assert {name for name in said if not any(each.startswith(name) for each in known)} == set()


def test_every_command_that_the_guide_speaks_of_exists() -> None:
    said = re.findall(r"(?:`|bin/|^|\| )ezt ((?:[a-z-]+ ?)+)", GUIDE, re.MULTILINE)
    assert len(said) > 15
    for words in said:
        command = typer.main.get_command(app)
        for word in words.split():
            known = getattr(command, "commands", None)
            if known is None:
                break
            assert word in known, f"ezt {words}"
            command = known[word]


def test_every_unit_that_the_guide_starts_is_printed_in_it() -> None:
    printed = {kind.removeprefix("ini ").rpartition(".")[0] for kind, _ in BLOCKS if kind.startswith("ini ezt-")}
    said = set(re.findall(r"\bezt-(?:prefect|worker@|web|doctor|backup)", GUIDE))
    assert said == printed


def test_the_guides_numbers_are_the_programs() -> None:
    assert f"（{REQUEST_SIZE.value // 2**20}MB）" in GUIDE
    assert f"共试{ATTEMPTS}次" in GUIDE
