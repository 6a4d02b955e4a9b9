"""``ezt migrate-data``: from SQLite to PostgreSQL with nothing lost, changed, or readable that was not."""

import json
import os
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, inspect, make_url, select

from ezt.moving import move
from ezt.up import free_port
from models.base import Base
from models.cases import Case
from models.certificates import Certificate
from models.objections import Attachment
from models.records import AuditEntry
from runtime import clock
from runtime.database import build_engine, engine, forget_engine, reading
from runtime.refusals import InputError, RefusalError
from tasks.desk.case_page import add_files
from tasks.desk.sheets import sheet_of
from tasks.keeping.records import seal_record, verify_record
from tasks.objections.questions import InitialReview
from tests.command_line.conftest import assert_refused, ezt
from tests.conftest import Clerk, at_desk, forget_settings, officer_of, web_process

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
LIFE = timedelta(minutes=10)


@pytest.fixture(autouse=True)
def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else runs on this machine is not the system."""
    for name in ("EZT_WEB_PORT", "EZT_PREFECT_PORT"):
        monkeypatch.setenv(name, str(free_port()))


def counts() -> dict[str, int]:
    with engine().connect() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


def tables_of(url: str) -> list[str]:
    target = build_engine(url)
    try:
        return inspect(target).get_table_names()
    finally:
        target.dispose()


def test_an_installation_goes_on_where_it_was(
    clerk: Clerk, empty_postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = clerk.register()
    add_files(first.case_no, at_desk(officer_of(first.case_no)), [("门牌.png", PNG)])
    seal_record(clock.now())
    clerk.register()
    before = counts()
    with reading() as session:
        holder, face = session.execute(select(Certificate.holder_number, Certificate.face).limit(1)).one()

    forget_engine()
    done = ezt("migrate-data", empty_postgresql, "--json")
    assert done.returncode == 0, done.stderr
    moved = {each["table"]: each["rows"] for each in json.loads(done.stdout)["moved"]}
    assert moved == before
    assert moved["certificates"] > 100

    monkeypatch.setenv("EZT_DATABASE_URL", empty_postgresql)
    forget_settings()
    assert engine().dialect.name == "postgresql"
    assert counts() == before
    with reading() as session:
        assert session.scalar(select(func.count()).where(Certificate.face.is_not(None))) == moved["certificates"]
        assert holder in session.scalars(select(Certificate.holder_number)).all()
        assert face in session.scalars(select(Certificate.face)).all()
        (attached,) = session.scalars(select(Attachment))
        assert attached.content == PNG
    assert verify_record().findings == ()
    assert first.answer(InitialReview, verdict="要求补正", reason="请补交门牌证照片") is None
    assert sheet_of(first.case_no).stage == "待初审"
    third = clerk.register()
    assert third.case_no.endswith("000003"), "numbers go on"
    seal_record(clock.now())
    assert verify_record().findings == ()
    with reading() as session:
        assert session.scalar(select(func.max(AuditEntry.id))) == session.scalar(select(func.count(AuditEntry.id)))


def test_what_is_encrypted_is_copied_encrypted(clerk: Clerk, empty_postgresql: str) -> None:
    move(empty_postgresql)
    for wanted in (
        "SELECT id, holder_number FROM certificates ORDER BY id",
        "SELECT * FROM certificate_holders ORDER BY certificate_id, place",
    ):
        with psycopg.connect(empty_postgresql.replace("+psycopg", "")) as connection:
            there = connection.execute(wanted).fetchall()
        with engine().connect() as connection:
            here = connection.exec_driver_sql(wanted).fetchall()
        assert there == [tuple(row) for row in here]
        assert there


def test_a_move_that_fails_leaves_the_target_empty(
    clerk: Clerk, empty_postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk.register()
    last = Base.metadata.sorted_tables[-1].name

    def fall(moved: Any) -> None:
        if moved.table == last:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        move(empty_postgresql, fall)
    assert tables_of(empty_postgresql) == ["alembic_version"]
    with reading() as session:
        assert session.scalar(select(func.count(Case.case_no))) == 1
    assert move(empty_postgresql)[-1].table == last, "and may be tried again"


def test_text_that_postgresql_cannot_hold_is_said_and_nothing_arrives(clerk: Clerk, empty_postgresql: str) -> None:
    with engine().begin() as connection:
        connection.exec_driver_sql("UPDATE departments SET name = name || char(0) WHERE rowid = 1")
    with pytest.raises(RefusalError, match="目标数据库已恢复为空，原数据库没有改动"):
        move(empty_postgresql)
    assert tables_of(empty_postgresql) == ["alembic_version"]


def test_the_record_is_moved_letter_by_letter(
    clerk: Clerk, empty_postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As SQLite itself writes it for the many rows of a batch: without the spaces that Python puts.
    with engine().begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO audit_entries (at, actor, tag, detail) VALUES"
            " ('2026-03-02 01:00:00.000000', 'system', 'a:b:c', json_object('identifier', '1.2'))"
        )
    clerk.register()
    seal_record(clock.now())
    move(empty_postgresql)
    monkeypatch.setenv("EZT_DATABASE_URL", empty_postgresql)
    forget_settings()
    assert verify_record().findings == ()


@pytest.mark.parametrize("to", ["sqlite:///elsewhere.db", "mysql://a/b", "nonsense"])
def test_a_target_that_is_none_is_refused(installation: Any, to: str) -> None:
    with pytest.raises((InputError, RefusalError), match="postgresql"):
        move(to)


def test_a_target_that_has_tables_is_refused(clerk: Clerk, empty_postgresql: str) -> None:
    with psycopg.connect(empty_postgresql.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE TABLE theirs (n int)")
    assert_refused(ezt("migrate-data", empty_postgresql), "已经有表", "新建一个空的数据库")


def test_a_source_that_is_not_ready_is_refused(home: Any, empty_postgresql: str) -> None:
    assert_refused(ezt("migrate-data", empty_postgresql), "ezt migrate")


def test_a_system_that_runs_is_not_moved(
    clerk: Clerk, empty_postgresql: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("EZT_WEB_PORT", str(port))
    forget_engine()
    with web_process(os.environ, port):
        # It answers, or is too busy to and has the file open.
        assert_refused(ezt("migrate-data", empty_postgresql), "系统还在运行", "请先停止")
    # A worker, or whoever else may write, has the file open.
    with closing(sqlite3.connect(home / "ezt.db")) as other:
        other.execute("SELECT count(*) FROM cases").fetchall()
        assert_refused(ezt("migrate-data", empty_postgresql), "系统还在运行", "请先停止")
    assert tables_of(empty_postgresql) in ([], ["alembic_version"])
    forget_engine()
    assert ezt("migrate-data", empty_postgresql).returncode == 0


def test_nobody_writes_while_it_is_moved(clerk: Clerk, empty_postgresql: str, home: Path) -> None:
    refused: list[bool] = []

    def write(_: Any) -> None:
        if not refused:
            with closing(sqlite3.connect(home / "ezt.db", timeout=0)) as other:
                with pytest.raises(sqlite3.OperationalError, match="locked"):
                    other.execute("UPDATE departments SET name = name")
                refused.append(True)

    move(empty_postgresql, write)
    assert refused


def ask_for_passwords(url: str, role: str) -> None:
    """Let the tests' server, which trusts everybody, ask this role for its password."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"DROP ROLE IF EXISTS {role}".encode())
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'right'".encode())
        row = connection.execute("SHOW hba_file").fetchone()
        assert row is not None
        file, rule = Path(row[0]), f"host all {role} all scram-sha-256\n"
        if rule not in file.read_text():
            file.write_text(rule + file.read_text())
        connection.execute("SELECT pg_reload_conf()")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"username": "locked", "password": "wrong@:/%"}, "用户或密码不对"),
        ({"username": "nobody"}, "没有这个库或用户"),
        ({"database": "nowhere"}, "没有这个库"),
        ({"port": 1}, "主机或端口不对"),
        ({"host": "nowhere.invalid"}, "找不到这台主机"),
    ],
)
def test_what_is_wrong_with_the_target_is_said_of_the_target(
    clerk: Clerk, empty_postgresql: str, change: dict[str, Any], said: str
) -> None:
    ask_for_passwords(empty_postgresql, "locked")
    to = make_url(empty_postgresql).set(**change).render_as_string(hide_password=False)
    done = ezt("migrate-data", to)
    assert_refused(done, said, "目标", "%40")
    assert "EZT_DATABASE_URL" not in done.stderr
