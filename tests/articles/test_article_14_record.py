"""第十四条：电子证照使用部门应当按照职责分工，采取身份认证、存取访问控制、信息审计跟踪等技术手段，
建立电子证照更新、应用等全过程日志记录。"""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from models.records import AuditBlock, AuditEntry
from regulation.records import Block, Entry, merkle_root, seal
from runtime import clock
from runtime.database import engine, reading, transaction
from runtime.keys import SealKeys, seal_keys
from runtime.refusals import InputError
from tasks.audit import record
from tasks.keeping import records
from tasks.keeping.records import export_record, seal_record, verify_file, verify_record

REST = "at, case_no, actor, tag, detail, holder_index"
COLUMNS = f"id, {REST}"


def write(count: int, first: int = 1) -> None:
    with transaction() as session:
        for number in range(first, first + count):
            record(session, "case:sheet:read", None, "KQ001", clock.now(), number=number, 说明="查阅")


@pytest.fixture
def sealed(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty entries in blocks of eight, and two that are not sealed yet."""
    monkeypatch.setattr(records, "ENTRIES_IN_A_BLOCK", 8)
    write(30)
    assert seal_record(clock.now()) == 30
    write(2, first=31)


def tamper(*statements: str) -> None:
    """What somebody with the database's own password can do: take the triggers away and change rows."""
    postgresql = engine().dialect.name == "postgresql"
    with transaction() as session:
        for table in ("audit_entries", "audit_blocks"):
            if postgresql:
                session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            else:
                session.execute(text(f"DROP TRIGGER {table}_no_update"))
                session.execute(text(f"DROP TRIGGER {table}_no_delete"))
        for statement in statements:
            session.execute(text(statement))


def test_a_record_that_nobody_touched_agrees_with_its_seals(sealed: None) -> None:
    verified = verify_record()
    assert (verified.blocks, verified.entries, verified.unsealed, verified.findings) == (4, 30, 2, ())


@pytest.mark.parametrize("change", ["UPDATE audit_entries SET actor = 'KQ999'", "DELETE FROM audit_entries"])
@pytest.mark.parametrize("table", ["audit_entries", "audit_blocks"])
def test_the_database_itself_refuses_changes(sealed: None, change: str, table: str) -> None:
    statement = change.replace("audit_entries", table).replace("actor", "root" if table == "audit_blocks" else "actor")
    with pytest.raises(DBAPIError, match="only grows"), transaction() as session:
        session.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("UPDATE audit_entries SET actor = 'KQ002' WHERE id = 12", "第2号（第9至16条）中有日志被改动"),
        ("UPDATE audit_entries SET detail = '{\"number\": 99}' WHERE id = 12", "第2号（第9至16条）中有日志被改动"),
        ("UPDATE audit_entries SET holder_index = 'x' WHERE id = 12", "第2号（第9至16条）中有日志被改动"),
        ("DELETE FROM audit_entries WHERE id = 12", "第2号应有第9至16条共8条日志，实有7条"),
        ("DELETE FROM audit_entries WHERE id BETWEEN 9 AND 16", "第2号应有第9至16条共8条日志，实有0条"),
        (f"INSERT INTO audit_entries ({COLUMNS}) SELECT 0, {REST} FROM audit_entries WHERE id = 1", "第0条的次序不对"),
        ("UPDATE audit_blocks SET root = previous WHERE number = 2", "第2号的签名不符"),
        ("UPDATE audit_blocks SET signature = 'zz' WHERE number = 2", "第2号的签名不符"),
        ("DELETE FROM audit_blocks WHERE number = 2", "第3号之前缺少封存块"),
    ],
)
def test_every_kind_of_tampering_is_found_and_placed(sealed: None, statement: str, finding: str) -> None:
    tamper(statement)
    assert finding in " ".join(verify_record().findings)


def test_swapped_entries_are_found(sealed: None) -> None:
    tamper(
        "UPDATE audit_entries SET id = 1000 WHERE id = 3",
        "UPDATE audit_entries SET id = 3 WHERE id = 4",
        "UPDATE audit_entries SET id = 4 WHERE id = 1000",
    )
    assert "第1号（第1至8条）中有日志被改动或调换过" in " ".join(verify_record().findings)


def test_a_record_cut_off_at_its_end_is_found_by_whoever_kept_the_head(sealed: None) -> None:
    head = verify_record().head
    tamper("DELETE FROM audit_blocks WHERE number = 4", "DELETE FROM audit_entries WHERE id > 24")
    assert verify_record().findings == ()
    assert "链首哈希" in verify_record(head).findings[0]


def test_sealing_again_seals_only_what_is_new(sealed: None) -> None:
    assert seal_record(clock.now()) == 2
    assert seal_record(clock.now()) == 0
    assert verify_record().unsealed == 0


def test_sealing_that_dies_half_way_leaves_whole_blocks(sealed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    write(20, first=33)
    sign, signed = SealKeys.sign, []

    def dies(self: SealKeys, message: bytes) -> str:
        signed.append(message)
        if len(signed) == 2:
            raise KeyboardInterrupt
        return sign(self, message)

    monkeypatch.setattr(SealKeys, "sign", dies)
    with pytest.raises(KeyboardInterrupt):
        seal_record(clock.now())
    verified = verify_record()
    assert (verified.entries, verified.unsealed, verified.findings) == (38, 14, ())
    assert seal_record(clock.now()) == 14
    assert verify_record().findings == ()


def test_sealings_at_once_seal_each_entry_once(sealed: None) -> None:
    write(200, first=33)
    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(lambda _: seal_record(clock.now()), range(4))) == 202
    assert verify_record().findings == ()


def test_an_entry_still_being_written_is_not_sealed_over(installation: Path) -> None:
    """A lower number may be committed after a higher one; sealing waits for it, or waits for its next turn."""
    write(3)
    begun, end = threading.Event(), threading.Event()

    def writes_slowly() -> None:
        with transaction() as session:
            record(session, "case:sheet:read", None, "KQ001", clock.now())
            session.flush()
            begun.set()
            end.wait(60)

    with ThreadPoolExecutor(2) as threads:
        slow = threads.submit(writes_slowly)
        assert begun.wait(60)
        sealing = threads.submit(seal_record, clock.now())
        if engine().dialect.name == "postgresql":
            assert sealing.result(30) == 0
        end.set()
        slow.result()
        sealing.result(30)
    seal_record(clock.now())
    verified = verify_record()
    assert (verified.entries, verified.findings) == (4, ())


def test_an_exported_record_is_checked_without_any_database(sealed: None, tmp_path: Path) -> None:
    file, head, key = tmp_path / "日志.jsonl", verify_record().head, seal_keys().public[0]
    assert export_record(file) == 30
    for checked in (verify_file(file), verify_file(file, key, head)):
        assert (checked.blocks, checked.entries, checked.findings) == (4, 30, ())
    stranger = SealKeys.of_private("11" * 32).public[0]
    assert len(verify_file(file, stranger).findings) == 4


def edit(file: Path, change: Callable[[list[str]], list[str]]) -> Path:
    edited = file.with_name("edited.jsonl")
    edited.write_text("\n".join(change(file.read_text(encoding="utf-8").splitlines())) + "\n", encoding="utf-8")
    return edited


def test_tampering_with_an_exported_record_is_found(sealed: None, tmp_path: Path) -> None:
    file = tmp_path / "record.jsonl"
    export_record(file)
    assert verify_file(edit(file, lambda lines: [*lines[:5], *lines[6:]])).findings
    assert verify_file(edit(file, lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]])).findings
    assert verify_file(edit(file, lambda lines: [line.replace("KQ001", "KQ002") for line in lines])).findings


@pytest.mark.parametrize("content", [b"", b"{}\n", b"\xff\xfe", b"[1]\n", b'{"public_keys":["zz"]}\n', b"null\n"])
def test_what_is_no_exported_record_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "nothing.jsonl"
    file.write_bytes(content)
    with pytest.raises(InputError, match="不是导出的日志"):
        verify_file(file)
    with pytest.raises(InputError, match="不存在"):
        verify_file(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="公钥"):
        verify_file(file, "xyz")


def test_keys_are_rotated_by_putting_the_new_one_first(sealed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from runtime.settings import settings

    old = settings().seal_keys.get_secret_value()
    monkeypatch.setenv("EZT_SEAL_KEYS", f"{'22' * 32},{old}")
    settings.cache_clear()
    seal_keys.cache_clear()
    assert seal_record(clock.now()) == 2
    assert verify_record().findings == ()
    monkeypatch.setenv("EZT_SEAL_KEYS", "22" * 32)
    settings.cache_clear()
    seal_keys.cache_clear()
    assert len(verify_record().findings) == 4


def test_every_step_leaves_entries_and_all_of_them_are_sealed(installation: Path) -> None:
    write(5)
    seal_record(clock.now() + timedelta(minutes=1))
    with reading() as session:
        last = session.scalars(select(func.max(AuditEntry.id))).one()
        assert session.scalars(select(func.max(AuditBlock.last_id))).one() == last


entries = st.lists(
    st.builds(
        Entry,
        id=st.integers(1, 10**12),
        at=st.datetimes(timezones=st.just(clock.SHANGHAI)),
        case_no=st.none() | st.text(max_size=9),
        actor=st.text(max_size=9),
        tag=st.text(max_size=9),
        holder_index=st.none() | st.text(max_size=9),
        detail=st.text(max_size=20),
    ),
    min_size=1,
    max_size=20,
    unique_by=lambda entry: entry.id,
).map(lambda drawn: sorted(drawn, key=lambda entry: entry.id))


@given(entries)
def test_what_is_exported_reads_back_to_the_same_bytes(drawn: list[Entry]) -> None:
    for entry in drawn:
        block = seal(1, [entry], "0" * 64, clock.now())
        lines = (b'{"entry":' + entry.canonical(), b'{"block":' + block.canonical() + b',"signature":""')
        (sealed,) = records._in_file(json.loads(line + b"}") for line in lines)
        (back,) = sealed.entries
        assert sealed.block == block
        assert back.canonical() == entry.canonical()


@given(entries, st.data())
def test_no_two_records_have_one_root(drawn: list[Entry], data: st.DataObject) -> None:
    leaves = [entry.canonical() for entry in drawn]
    place = data.draw(st.integers(0, len(leaves) - 1))
    root = merkle_root(leaves)
    assert merkle_root([*leaves[:place], leaves[place] + b" ", *leaves[place + 1 :]]) != root
    assert merkle_root([*leaves[:place], *leaves[place + 1 :]]) != root
    assert merkle_root([*leaves, leaves[place]]) != root
    block = seal(1, drawn, "0" * 64, clock.now())
    assert isinstance(block, Block)
    assert (block.root, block.count) == (root, len(drawn))
