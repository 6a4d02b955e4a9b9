"""Scans by certificate number: of the rows that were drawn, and of nothing else in the archive."""

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from models.backfill_batches import BackfillBatch
from models.objections import Attachment
from runtime.database import reading
from runtime.refusals import InputError, RefusalError
from tasks.backfill.scans import Attached, attach_scans
from tests.articles.test_article_11_batch import BOX, check_all, found_wrong, submit, written
from tests.conftest import Clerk

PNG = b"\x89PNG\r\n\x1a\n"


def number(row: int) -> str:
    """The number of the certificate in a row of the box."""
    return f"J330621-1998-{row - 1:06}"


def scan(row: int) -> bytes:
    return PNG + str(row).encode() * 20


@pytest.fixture
def drawn(clerk: Any, tmp_path: Path) -> Clerk:
    """A batch whose sample was drawn."""
    case = submit(written(tmp_path / "结婚证.csv", BOX))
    assert check_all(case) == 13
    return case


def sample_of(case: Clerk) -> list[int]:
    with reading() as session:
        return session.get_one(BackfillBatch, case.case_no).sample or []


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def attach(case: Clerk, path: Path) -> Attached:
    return attach_scans(case.case_no, path, "KQ002", "")


def attached(case: Clerk) -> dict[str, bytes]:
    with reading() as session:
        wanted = select(Attachment).where(Attachment.case_no == case.case_no)
        return {each.name: each.content for each in session.scalars(wanted)}


def test_the_scans_of_the_sample_are_taken_once_and_the_missing_are_named(drawn: Clerk, tmp_path: Path) -> None:
    rows = sample_of(drawn)
    others = next(row for row in range(2, 32) if row not in rows)
    files = {f"扫描/{number(row)}.png": scan(row) for row in [*rows[:-1], others]}
    archive = packed(tmp_path / "扫描.zip", files | {"说明.txt": b"x", "__MACOSX/._a": b"x"})
    assert attach(drawn, archive) == Attached(12, (rows[-1],))
    assert attached(drawn) == {f"第{row}行的扫描件.png": scan(row) for row in rows[:-1]}
    assert attach(drawn, archive).scans == 0


@pytest.mark.parametrize(
    "name", ["../../etc/{}.png", "C:\\scans\\{}.PNG", "/{}-1.png", "{}(2).png", "{}_12.png", " {} .png"]
)
def test_wherever_a_name_points_it_is_only_a_name(drawn: Clerk, tmp_path: Path, name: str) -> None:
    row = sample_of(drawn)[0]
    archive = packed(tmp_path / "a.zip", {name.format(number(row)): scan(row)})
    assert attach(drawn, archive).scans == 1
    assert [path.name for path in tmp_path.parent.glob("*.png")] == []


def test_names_of_a_chinese_windows_are_read(drawn: Clerk, tmp_path: Path) -> None:
    row = sample_of(drawn)[0]
    utf_8 = packed(tmp_path / "utf-8.zip", {f"扫描/{number(row)}.png": scan(row)}).read_bytes()
    # Python marks such names as UTF-8; a Chinese Windows does not, and writes them in its own encoding.
    gb18030 = renamed(utf_8, "扫描/".encode(), "扫描/".encode("gb18030"))
    (tmp_path / "gb18030.zip").write_bytes(gb18030)
    assert attach(drawn, tmp_path / "gb18030.zip").scans == 1


def renamed(content: bytes, old: bytes, new: bytes) -> bytes:
    """An archive of one file with part of its name in other, fewer bytes: flags, lengths and offsets follow."""
    less = len(old) - len(new)
    local, rest = content.split(b"PK\x01\x02")
    central, end = rest.split(b"PK\x05\x06")

    def header(block: bytes, length_at: int, flags_at: int) -> bytes:
        (length,) = struct.unpack_from("<H", block, length_at)
        changed = bytearray(block)
        struct.pack_into("<H", changed, length_at, length - less)
        struct.pack_into("<H", changed, flags_at, 0)
        return bytes(changed).replace(old, new)

    local, central = header(local, 26, 6), header(central, 24, 4)
    closing = bytearray(end)
    size, offset = struct.unpack_from("<II", closing, 8)
    struct.pack_into("<II", closing, 8, size - less, offset - less)
    return local + b"PK\x01\x02" + central + b"PK\x05\x06" + bytes(closing)


def bomb() -> bytes:
    return b"\0" * (11 * 1024 * 1024)


@pytest.mark.parametrize(
    ("content", "said"),
    [(lambda: b"MZ not a picture", "不是PDF"), (bomb, "超过10MB"), (lambda: b"", "空文件")],
)
def test_what_is_no_scan_is_named_by_its_row_and_nothing_is_kept(
    drawn: Clerk, tmp_path: Path, content: Callable[[], bytes], said: str
) -> None:
    first, second = sample_of(drawn)[:2]
    files = {f"{number(first)}.png": scan(first), f"{number(second)}.png": content()}
    with pytest.raises(InputError, match=said) as refusal:
        attach(drawn, packed(tmp_path / "a.zip", files))
    assert f"第{second}行" in str(refusal.value)
    assert number(second) not in str(refusal.value)
    assert attached(drawn) == {}


def test_archives_that_are_none_are_said_so(drawn: Clerk, tmp_path: Path) -> None:
    row = sample_of(drawn)[0]
    good = packed(tmp_path / "good.zip", {f"{number(row)}.png": scan(row) * 50}).read_bytes()
    locked = bytearray(good)
    locked[6] |= 1
    locked[good.index(b"PK\x01\x02") + 8] |= 1
    damaged = bytearray(good)
    damaged[70] ^= 0xFF
    for name, content, said in [
        ("a.zip", b"no archive", "不是ZIP"),
        ("b.zip", good[:-30], "不是ZIP"),
        ("c.zip", bytes(locked), "加了密码"),
        ("d.zip", bytes(damaged), "已损坏"),
    ]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=said):
            attach(drawn, tmp_path / name)
    assert attached(drawn) == {}


def test_before_the_sample_and_after_the_answer_there_is_nothing_to_attach(
    clerk: Any, drawn: Clerk, tmp_path: Path
) -> None:
    row = sample_of(drawn)[0]
    archive = packed(tmp_path / "a.zip", {f"{number(row)}.png": scan(row)})
    early = submit(written(tmp_path / "另一盒.csv", BOX[:5]))
    with pytest.raises(RefusalError, match="核对中"):
        attach(early, archive)
    assert found_wrong(drawn, "无") is None
    with pytest.raises(RefusalError, match="没有编号"):
        attach_scans("PL-2026-999999", archive, "KQ002", "")
