"""Data keys change while everybody works: nothing that is stored becomes unreadable, and nothing keeps an old key."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, select

from ezt import children
from models.backfill_batches import BackfillBatch, BackfillChunk
from models.base import SEALED, Base, as_stored
from models.certificates import Certificate, CertificateType
from models.objections import Attachment
from models.organisations import Department, Officer
from models.records import AuditEntry
from runtime import clock
from runtime import keys as data
from runtime.database import reading, transaction
from runtime.keys import Keys, NotOursError, keys
from tasks.keeping import data_keys
from tasks.keeping.data_keys import DataKey
from tests.command_line.conftest import assert_refused, ezt
from tests.conftest import ROOT, Clerk, wait_until

WORK = """
import sys, time
from sqlalchemy import select
from models.certificates import Certificate
from models.organisations import Officer
from runtime.database import reading, transaction
turn = 0
while True:
    turn += 1
    with transaction() as session:
        officer = session.get(Officer, "KQ001", with_for_update=True)
        officer.email = f"turn{turn}@example.cn"
    with reading() as session:
        read = len([each.holder_name for each in session.scalars(select(Certificate))])
        assert session.get_one(Officer, "KQ001").email == f"turn{turn}@example.cn"
    print(turn, read, flush=True)
"""
"""A process that was there before the keys change: it writes, and reads everything, all the while."""


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class AtWork:
    """A process at work, and how far it has come."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self.process, self.log = process, log

    @property
    def turns(self) -> int:
        return len(self.log.read_text(encoding="utf-8").splitlines())

    def goes_on(self) -> None:
        """It is alive, and does another two turns."""
        before = self.turns
        wait_until(lambda: self.turns >= before + 2 or self.process.poll() is not None, "读写的进程停了", 60)
        assert self.process.poll() is None, (self.log.parent / "work.err").read_text(encoding="utf-8")


@contextmanager
def at_work(folder: Path) -> Iterator[AtWork]:
    log = folder / "work.log"
    with log.open("w") as out, (folder / "work.err").open("w") as err:
        process = children.start([sys.executable, "-c", WORK], stdout=out, stderr=err, cwd=ROOT, text=True)
    working = AtWork(process, log)
    try:
        wait_until(lambda: working.turns, "读写的进程没有开始", 60)
        yield working
    finally:
        process.kill()
        process.wait()


def listed() -> list[DataKey]:
    return [DataKey(**each) for each in json.loads(ezt("key", "list", "--json").stdout)]


def sealed_values() -> int:
    """How many values of the database are sealed, by what its tables say."""
    number = 0
    with reading() as session:
        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, SEALED):
                    number += len(session.execute(select(column).where(column.is_not(None))).all())
    return number


@pytest.mark.thorough
def test_keys_change_while_others_read_and_write(sample_data: Path, tmp_path: Path) -> None:
    (old,) = listed()
    assert (old.seals, old.values) == (True, sealed_values())
    with reading() as session:
        names = dict(session.execute(select(Certificate.id, Certificate.holder_name)).tuples().all())
        indexes = dict(session.execute(select(Certificate.id, Certificate.holder_index)).tuples().all())
    with at_work(tmp_path) as working:
        new = json.loads(ezt("key", "rotate", "--json").stdout)["name"]
        # Who was at work before seals with the new key too, without a restart.
        wait_until(lambda: {each.name: each.values for each in listed()}[new] > 0, "新密钥没有用起来", 60)
        working.goes_on()
        assert_refused(ezt("key", "retire", old.name), "不满7天")
        assert_refused(ezt("key", "retire", old.name, "--now"), "须用这把")
        assert_refused(ezt("key", "retire", new), "正用来加密")
        done = json.loads(ezt("key", "re-encrypt", "--json").stdout)
        assert done["rows"] > len(names)
        assert listed() == [DataKey(new, True, sealed_values()), DataKey(old.name, False, 0)]
        assert json.loads(ezt("key", "re-encrypt", "--json").stdout) == {"rows": 0}
        assert "已从ezt.env删去" in ezt("key", "retire", old.name, "--now").stdout
        working.goes_on()
    with reading() as session:
        assert dict(session.execute(select(Certificate.id, Certificate.holder_name)).tuples().all()) == names
        assert dict(session.execute(select(Certificate.id, Certificate.holder_index)).tuples().all()) == indexes
        wanted = select(AuditEntry.tag).where(AuditEntry.tag.startswith("key:"))
        tags = [*session.scalars(wanted.order_by(AuditEntry.id))]
    assert tags == ["key:data:added", *["key:data:re-encrypted"] * 2, "key:data:retired"]
    assert [each.name for each in listed()] == [new]


def test_killed_at_any_chunk_it_goes_on(sample_data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (old,) = listed()
    ezt("key", "rotate")
    tell = "lambda done, of: print(done, of, flush=True)"
    slowly = f"from tasks.keeping import data_keys as work; work.ROWS = 5; work.re_encrypt('ezt', {tell})"
    done: list[int] = []
    for killed_after in (1, 3):
        process = subprocess.Popen([sys.executable, "-c", slowly], stdout=subprocess.PIPE, cwd=ROOT, text=True)
        assert process.stdout is not None
        for _ in range(killed_after):
            done.append(int(process.stdout.readline().split()[0]))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    left = next(each for each in listed() if each.name == old.name)
    assert 0 < left.values < old.values
    monkeypatch.setattr(data, "LOOK_EVERY", 0)
    heard: list[tuple[int, int]] = []
    rest = data_keys.re_encrypt("ezt", lambda done, of: heard.append((done, of)))
    assert heard[-1] == (rest, rest)
    assert {each.name: each.values for each in listed()}[old.name] == 0
    assert all(step > 0 for step in done)


def test_files_and_chunks_are_sealed_anew(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "LOOK_EVERY", 0)
    case_no = clerk.register().case_no
    with transaction() as session:
        rows = {"rows": 1, "chunks": 25, "columns": [], "seed": "s", "sha256": "", "entered_by": "KQ001"}
        department, kind = session.scalar(select(Department.uscc)), session.scalar(select(CertificateType.code))
        whose = {"department_uscc": department, "type_code": kind, "service_case_no": ""}
        session.add(BackfillBatch(case_no=case_no, **whose, **rows))
        session.flush()
        for number in range(25):
            session.add(BackfillChunk(case_no=case_no, chunk=number, sealed=keys().encrypt(b"rows")))
        about = {"media_type": "image/png", "size": 4, "sha256": "", "at": clock.now()}
        session.add_all(Attachment(case_no=case_no, name="图", content=b"file", **about) for _ in range(25))
    data_keys.add_data_key("ezt")
    data_keys.re_encrypt("ezt")
    with reading() as session:
        newest = keys().newest
        chunks = session.scalars(select(BackfillChunk.sealed)).all()
        stored = session.scalars(select(as_stored(Attachment.__table__).c.content)).all()
        assert {bytes(each)[:4] for each in (*chunks, *stored)} == {newest}
        assert {keys().decrypt(bytes(each)) for each in chunks} == {b"rows"}
        assert set(session.scalars(select(Attachment.content))) == {b"file"}


def test_only_a_published_report_is_stored_in_bytes_that_nobody_has_sealed() -> None:
    columns = [column for table in Base.metadata.sorted_tables for column in table.columns]
    bare = [each for each in columns if isinstance(each.type, LargeBinary)]
    assert [str(each) for each in bare] == ["supervision_reports.pdf"]


def test_several_machines_get_a_key_before_it_seals(sample_data: Path) -> None:
    (old,) = listed()
    waiting = json.loads(ezt("key", "rotate", "--later", "--json").stdout)
    assert waiting["seals"] is False
    assert [(each.name, each.seals) for each in listed()] == [(old.name, True), (waiting["name"], False)]
    assert "加密" in ezt("key", "use", waiting["name"]).stdout
    assert [(each.name, each.seals) for each in listed()] == [(waiting["name"], True), (old.name, False)]


def test_a_value_whose_key_is_lost_is_said_and_its_row_stays(sample_data: Path, home: Path) -> None:
    (old,) = listed()
    with transaction() as session:
        lost = Keys(data.new_data_key(), "index").encrypt_text("某人")
        session.connection().exec_driver_sql(f"UPDATE officers SET name = '{lost}' WHERE staff_no = 'KQ003'")
    assert listed() == [DataKey(old.name, True, old.values - 1), DataKey("不明", False, 1)]
    ezt("key", "rotate")
    assert_refused(ezt("key", "re-encrypt"), "表officers")
    assert_refused(ezt("key", "retire", old.name, "--now"), "须用这把或不明的密钥")
    with reading() as session, pytest.raises(NotOursError):
        assert session.get_one(Officer, "KQ003").name


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
class TestTheFile:
    def test_it_keeps_what_else_stands_in_it_and_who_may_read_it(self, installation: Path) -> None:
        file = installation / "ezt.env"
        before = file.read_text(encoding="utf-8")
        file.write_text(f"# 说明\n{before}EZT_SMTP_PORT=26\n", encoding="utf-8")
        ezt("key", "rotate")
        after = file.read_text(encoding="utf-8")
        keep = re.compile(r"^EZT_DATA_KEYS=.*$", re.MULTILINE)
        assert keep.sub("", after) == keep.sub("", f"# 说明\n{before}EZT_SMTP_PORT=26\n")
        assert (file.stat().st_mode & 0o777, [*installation.glob(".ezt.env*")]) == (0o600, [])

    def test_two_at_once_lose_no_key(self, installation: Path) -> None:
        both = [subprocess.Popen([sys.executable, "-m", "ezt", "key", "rotate"], cwd=ROOT) for _ in range(2)]
        assert [each.wait() for each in both] == [0, 0]
        assert len(listed()) == 3

    def test_keys_of_the_environment_are_its_owners_to_change(
        self, installation: Path, configure: Callable[..., None]
    ) -> None:
        configure(EZT_DATA_KEYS=data.present_data_keys()[0])
        assert_refused(ezt("key", "rotate"), "环境变量")
        with reading() as session:
            assert session.scalars(select(AuditEntry)).all() == []

    def test_who_is_at_work_outlives_a_slip_in_the_file(
        self, installation: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(data, "LOOK_EVERY", 0)
        file = installation / "ezt.env"
        sealed, text = keys().encrypt_text("某人"), file.read_text(encoding="utf-8")
        for slip in ("EZT_DATA_KEYS=短\n", "EZT_SMTP_PORT=x\n", ""):
            file.write_text(slip, encoding="utf-8")
            time.sleep(0.01)
            assert keys().decrypt_text(keys().encrypt_text("甲")) == "甲"
            assert keys().decrypt_text(sealed) == "某人"
        file.write_text(text, encoding="utf-8")


def test_without_tables_it_says_what_to_do_first(home: Path) -> None:
    assert_refused(ezt("key", "list"), "ezt migrate")


def test_a_name_that_no_key_has_is_refused(installation: Path) -> None:
    assert_refused(ezt("key", "use", "00000000"), "ezt key list")
    assert_refused(ezt("key", "retire", "00000000"), "ezt key list")
