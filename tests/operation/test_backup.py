"""``ezt backup`` and ``ezt restore``, on both databases, while somebody is writing."""

import sqlite3
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, inspect, select

from ezt.backups import back_up, restore
from ezt.samples import data as samples
from models.certificates import Certificate
from models.migrations import migrate
from models.records import AuditEntry
from runtime import clock
from runtime.database import engine, forget_engine, reading, transaction
from runtime.refusals import InputError, RefusalError
from tasks.audit import record
from tasks.keeping.records import seal_record, verify_record
from tests.command_line.conftest import assert_refused, ezt
from tests.conftest import FEW

Configure = Callable[..., None]


@pytest.fixture
def another(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """The URL of an empty database of the same kind as a given one."""

    def make(url: str) -> str:
        if url.startswith("sqlite"):
            return f"sqlite:///{tmp_path / 'another' / 'ezt.db'}"
        import psycopg

        server, _, name = url.replace("+psycopg", "").rpartition("/")
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}_2"'.encode())
            connection.execute(f'CREATE DATABASE "{name}_2"'.encode())
        return f"{url}_2"

    return make


def test_a_backup_made_while_others_write_is_restored_whole(
    empty_database: str, another: Callable[[str], str], configure: Configure, tmp_path: Path
) -> None:
    configure(EZT_DATABASE_URL=empty_database)
    migrate()
    samples.load(sizes=FEW)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with transaction() as session:
                record(session, "case:sheet:read", None, "KQ001", clock.now())
                session.flush()
                record(session, "case:sheet:read", None, "KQ002", clock.now())

    writer = threading.Thread(target=write)
    writer.start()
    file = tmp_path / "备份.ezt"
    try:
        size = back_up(file)
        seal_record(clock.now())
        whole = tmp_path / "封存后.ezt"
        back_up(whole)
    finally:
        stop.set()
        writer.join()
    assert size == file.stat().st_size
    assert file.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != "") == sorted([file.name, whole.name])
    with reading() as session:
        certificate = session.scalars(select(Certificate).order_by(Certificate.id)).first()
        assert certificate is not None

    configure(EZT_DATABASE_URL=another(empty_database))
    restore(whole)
    with reading() as session:
        kept = session.get_one(Certificate, certificate.id)
        assert (kept.holder_name, kept.face) == (certificate.holder_name, certificate.face)
        # Transactions are in it as a whole or not at all.
        counted = select(AuditEntry.actor, func.count()).group_by(AuditEntry.actor)
        by_actor = dict(session.execute(counted).tuples().all())
        assert by_actor["KQ001"] == by_actor["KQ002"] > 0
    verified = verify_record()
    assert verified.findings == ()
    assert verified.entries > 0
    assert ezt("migrate").returncode == 0
    # What was restored is itself protected from being restored over.
    with pytest.raises(RefusalError, match="不会覆盖"):
        restore(whole)


def test_a_backup_alone_tells_nobodys_data(sample_data: Path, tmp_path: Path) -> None:
    with reading() as session:
        held = session.scalars(select(Certificate).order_by(Certificate.id)).first()
    assert held is not None
    back_up(tmp_path / "backup.ezt")
    content = (tmp_path / "backup.ezt").read_bytes()
    assert held.holder_name.encode() not in content
    assert held.holder_number.encode() not in content


def test_the_commands_say_what_they_did_and_refuse_in_one_line(installation: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.ezt"
    assert "密钥不在其中" in ezt("backup", str(file)).stdout
    assert_refused(ezt("backup", str(file)), "已经存在")
    assert_refused(ezt("backup", str(tmp_path / "none" / "backup.ezt")), "不能写入")
    assert_refused(ezt("backup", str(tmp_path / "b"), EZT_HOME=str(tmp_path / "fresh")), "ezt migrate")
    assert_refused(ezt("restore", str(file)), str(installation / "ezt.db"), "移到别处")
    assert_refused(ezt("restore", str(tmp_path / "none")), "不存在")
    (tmp_path / "text").write_text("不是备份")
    assert_refused(ezt("restore", str(tmp_path / "text")), "不是 ezt backup 的备份")
    forget_engine()
    for name in ("ezt.db", "ezt.db-wal", "ezt.db-shm"):
        (installation / name).unlink(missing_ok=True)
    assert "ezt audit verify" in ezt("restore", str(file)).stdout
    assert ezt("migrate").returncode == 0
    assert (installation / "ezt.db").stat().st_mode & 0o077 == 0


def test_a_log_that_another_database_left_behind_stops_a_restore(installation: Path, tmp_path: Path) -> None:
    back_up(tmp_path / "backup.ezt")
    forget_engine()
    (installation / "ezt.db").unlink()
    (installation / "ezt.db-wal").write_bytes(b"a log of the database that was here")
    with pytest.raises(RefusalError, match=r"ezt\.db-wal"):
        restore(tmp_path / "backup.ezt")
    assert not (installation / "ezt.db").exists()


def test_half_a_backup_is_refused(sample_data: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.ezt"
    back_up(file)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    forget_engine()
    for name in ("ezt.db", "ezt.db-wal", "ezt.db-shm"):
        (sample_data / name).unlink(missing_ok=True)
    with pytest.raises(RefusalError, match="损坏"):
        restore(file)
    assert [path.name for path in sample_data.glob("*ezt.db*")] == []


def test_a_backup_of_the_other_kind_is_refused(
    installation: Path, empty_postgresql: str, configure: Configure, tmp_path: Path
) -> None:
    back_up(tmp_path / "sqlite.ezt")
    configure(EZT_DATABASE_URL=empty_postgresql)
    with pytest.raises(InputError, match="SQLite的备份"):
        restore(tmp_path / "sqlite.ezt")
    assert inspect(engine()).get_table_names() == []


def test_a_password_is_not_on_the_command_line(
    empty_postgresql: str, configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(EZT_DATABASE_URL=empty_postgresql.replace("ezt@", "ezt:s3cret@"))
    migrate()
    seen = []
    real = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda command, **more: seen.append(command) or real(command, **more))
    back_up(tmp_path / "backup.ezt")
    assert seen
    assert "s3cret" not in str(seen)


def test_without_postgresqls_programs_it_says_what_to_install(
    empty_postgresql: str, configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(EZT_DATABASE_URL=empty_postgresql)
    migrate()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RefusalError, match="postgresql-client"):
        back_up(tmp_path / "backup.ezt")
    assert list(tmp_path.glob("*backup*")) == []


def test_a_sqlite_backup_is_one_whole_file(installation: Path, tmp_path: Path) -> None:
    back_up(tmp_path / "backup.ezt")
    with sqlite3.connect(tmp_path / "backup.ezt") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert [path.name for path in tmp_path.glob("backup*")] == ["backup.ezt"]
