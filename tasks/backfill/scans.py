"""The scans of a batch's sample, from the zip in which an archive keeps them by certificate number (Article 11).

Only what the reviewer needs is taken: the scans of the rows that were drawn. Nothing is unpacked to disk, so that a
name in the archive can lead nowhere; and nothing is read that is longer than an attachment may be.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sqlalchemy import select

from models.backfill_batches import BackfillBatch, BackfillRow
from models.objections import Attachment
from regulation.backfill.batches import BatchStage
from regulation.limits import ATTACHMENT_SIZE
from runtime import clock
from runtime.database import reading, transaction
from runtime.keys import keys
from runtime.refusals import InputError, RefusalError
from tasks.audit import record
from tasks.case.attachments import ADDED, File, check_files, keep_files
from tasks.case.step import locked_case
from tasks.office.signatures import COMMAND_LINE, sign

_UTF_8_NAME, _ENCRYPTED = 0x800, 0x1
_PAGE = re.compile(r"[-_ （(]\d{1,2}[)）]?$")
"""What tells several pages of one certificate apart: 编号-2, 编号(2)."""


@dataclass(frozen=True, slots=True)
class Attached:
    """How many scans were taken, and the rows of the sample that the archive has none for."""

    scans: int
    missing: tuple[int, ...]


def attach_scans(case_no: str, path: Path, staff_no: str, code: str) -> Attached:
    """Attach the scans of a batch's sample to its case, signed by an officer. Doing it again adds only what is new.

    Raises ``RefusalError`` for a case that is no batch or waits for no sample, ``InputError`` for an archive that
    cannot be read and for a scan that is no picture or document, and what ``sign`` raises. Then nothing has been
    attached.
    """
    officer = sign(staff_no, code, COMMAND_LINE)
    with reading() as session:
        batch = session.get(BackfillBatch, case_no.strip().upper())
        if batch is None:
            raise RefusalError(f"没有编号为{case_no}的批量补录，请核对编号。")
        drawn = BackfillRow.row.in_(batch.sample or [])
        wanted = select(BackfillRow.number_index, BackfillRow.row).where(BackfillRow.case_no == batch.case_no, drawn)
        rows = dict(session.execute(wanted).tuples().all())
    with _opened(path) as archive:
        found = list(_of_sample(archive, rows))
        # Once to see that all of them are scans, and once more to keep them: so many do not fit into memory at once.
        for row, entry in found:
            _read(archive, row, entry)
        with transaction() as session:
            case = locked_case(session, batch.case_no)
            if case.stage != BatchStage.SAMPLED:
                raise RefusalError(f"本件现为“{case.stage}”，抽样之后、答复抽检结果之前才能添加扫描件。")
            now = clock.now()
            kept = set(session.scalars(select(Attachment.sha256).where(Attachment.case_no == case.case_no)))
            added = 0
            for row, entry in found:
                file = _read(archive, row, entry)
                if file.sha256 not in kept:
                    keep_files(session, case.case_no, [file], now)
                    kept.add(file.sha256)
                    added += 1
            record(session, ADDED, case.case_no, officer.staff_no, now, files=added)
    return Attached(added, tuple(sorted(set(rows.values()) - {row for row, _ in found})))


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError, UnicodeDecodeError, NotImplementedError):
        raise InputError(f"“{path.name}”不是ZIP压缩包，或已损坏，请重新打包后重试。") from None


def _of_sample(archive: zipfile.ZipFile, rows: dict[str, int]) -> Iterator[tuple[int, zipfile.ZipInfo]]:
    """The archive's files that bear the number of a row that was drawn."""
    for entry in archive.infolist():
        stem = PurePosixPath(_name(entry).replace("\\", "/")).stem.strip()
        for number in (stem, _PAGE.sub("", stem)):
            row = rows.get(keys().blind_index("certificate-number", number))
            if row is not None and not entry.is_dir():
                yield row, entry
                break


def _name(entry: zipfile.ZipInfo) -> str:
    """A file's name. Archives made on a Chinese Windows hold it in GB18030 without saying so."""
    if entry.flag_bits & _UTF_8_NAME:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return entry.filename


def _read(archive: zipfile.ZipFile, row: int, entry: zipfile.ZipInfo) -> File:
    """One scan, checked. It is called by its row: a name in the archive is a certificate's number."""
    called = f"第{row}行的扫描件{PurePosixPath(entry.filename).suffix.lower()[:5]}"
    if entry.flag_bits & _ENCRYPTED:
        raise InputError(f"压缩包加了密码，无法读取{called}，请去掉密码后重试。")
    try:
        with archive.open(entry) as packed:
            # One byte more than may be, so that a file that unfolds for ever is seen to be too long.
            content = packed.read(ATTACHMENT_SIZE.value + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError):
        raise InputError(f"压缩包中{called}已损坏，请重新打包后重试。") from None
    (file,) = check_files([(called, content)])
    return file
