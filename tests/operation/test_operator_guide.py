"""The operator's guide: its commands and service units are run as printed, its table and numbers are the program's."""

import configparser
import os
import re
import shlex
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from sqlalchemy import func, select

from ezt.commands import app
from ezt.doctor import RENAMED
from ezt.up import answers
from models.certificates import Certificate, CertificateType, IssuingAuthority
from models.organisations import Department, Officer
from notifications.sender import ATTEMPTS
from regulation.limits import REQUEST_SIZE
from runtime.database import engine, reading
from runtime.settings import Settings, table
from tests.conftest import ROOT, wait_until
from tests.operator_guide import BLOCKS, GUIDE, SETUP, Host, blocks, run

Configure = Callable[..., None]


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.thorough)])
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
def test_the_services_start_as_printed_and_the_doctor_is_content(
    home: Path, tmp_path: Path, deployed_prefect: Path
) -> None:
    host = Host(home, tmp_path / "backups")
    home.mkdir(mode=0o700, exist_ok=True)
    home.chmod(0o700)
    (tmp_path / "backups").mkdir()
    run(SETUP, home)
    # Deployed as printed, too (tests.conftest.deploy), and now as far as it says: nothing was due before.
    shutil.copytree(deployed_prefect, home / "prefect")
    with closing(sqlite3.connect(home / "prefect" / "prefect.db")) as database, database:
        database.execute("UPDATE deployment SET created = ?", (datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),))
    with ExitStack() as services:
        services.enter_context(host.started("ezt-prefect.service"))
        wait_until(lambda: answers(f"{host.api}/health"), "Prefect没有启动", 180)
        services.enter_context(host.started("ezt-worker@1.service"))
        services.enter_context(host.started("ezt-web.service"))
        wait_until(lambda: answers(f"http://127.0.0.1:{host.web_port}/health"), "网页没有启动", 60)
        wait_until(host.workers, "执行器没有报到", 60)
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
    known = set(re.findall(r"EZT_[A-Z_]+", table())) | RENAMED.keys()
    said = set(re.findall(r"EZT_[A-Z]+(?:_+[A-Z]+)*(?![A-Z_])", GUIDE))
    assert {name for name in said if not any(each.startswith(name) for each in known)} == set()


def test_every_command_that_the_guide_speaks_of_exists() -> None:
    said = re.findall(r"(?:`|bin/|^|\| )ezt ((?:[a-z][a-z-]* ?)+)", GUIDE, re.MULTILINE)
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
