"""Files that people hand in: their type is sniffed, their size limited, their content scanned before it is kept."""

import base64
import binascii
import hashlib
import io
import shlex
import subprocess
import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import filetype
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.objections import Attachment
from models.records import AuditEntry
from regulation.limits import ATTACHMENT_COUNT, ATTACHMENT_SIZE
from runtime.refusals import InputError, RefusalError
from runtime.settings import settings
from tasks.audit import record

ADDED = "case:attachments:added"
"""What the audit trail calls it that staff brought files."""
COLLECTED = "case:notice:collected"
"""As ``ADDED``, of what somebody signed who collected a letter: it is evidence of nothing else."""
OFD = "application/ofd"
ACCEPTED_TYPES = {"application/pdf": "PDF", "image/jpeg": "JPEG", "image/png": "PNG", OFD: "OFD"}
ENDINGS = {"application/pdf": (".pdf",), "image/jpeg": (".jpg", ".jpeg"), "image/png": (".png",), OFD: (".ofd",)}
"""What the name of a file of a type ends in."""
SCAN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class File:
    """A file that was checked: its name as given, its sniffed type, its bytes."""

    name: str
    media_type: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def check_files(files: Sequence[tuple[str, bytes]]) -> list[File]:
    """The files (name, content), each checked. ``InputError`` names all that cannot be taken and why; ``RefusalError``
    when there is a scanner and it does not work."""
    if len(files) > ATTACHMENT_COUNT.value:
        raise InputError(f"附件最多{ATTACHMENT_COUNT.value}个，收到{len(files)}个；请合并后重新提交。")
    taken, wrong = list[File](), list[str]()
    for name, content in files:
        try:
            taken.append(_checked(name, content))
        except InputError as why:
            wrong.append(str(why))
    if wrong:
        raise InputError("".join(wrong))
    return taken


def from_base64(name: str, text: str) -> tuple[str, bytes]:
    """A file as it travels in JSON. Raises ``InputError`` for text that is not base64."""
    try:
        return name, base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InputError(f"附件“{name}”不是有效的Base64，请重新编码。") from None


def keep_files(session: Session, case_no: str, files: Sequence[File], at: datetime) -> None:
    """Keep checked files with a case, inside the caller's transaction."""
    for file in files:
        session.add(
            Attachment(
                case_no=case_no,
                name=file.name,
                media_type=file.media_type,
                size=len(file.content),
                sha256=file.sha256,
                content=file.content,
                at=at,
            )
        )


def added(session: Session, case_no: str, files: Sequence[File]) -> list[File]:
    """Those of the files that a case does not have yet, each once."""
    kept = set(session.scalars(select(Attachment.sha256).where(Attachment.case_no == case_no)))
    return [file for sha256, file in {file.sha256: file for file in files}.items() if sha256 not in kept]


def keep_new_files(session: Session, case_no: str, files: Sequence[File], by: str, at: datetime) -> int:
    """Keep checked files that a member of staff (``by``) brings to a case, but for those that it has; how many are
    new."""
    new = added(session, case_no, files)
    if new:
        keep_files(session, case_no, new, at)
        record(session, ADDED, case_no, by, at, files=len(new))
    return len(new)


def added_since(session: Session, case_nos: Sequence[str], since: datetime) -> bool:
    """Whether staff have brought files to one of the cases since a moment."""
    added = select(AuditEntry.id).where(AuditEntry.case_no.in_(case_nos), AuditEntry.tag == ADDED)
    return session.scalar(added.where(AuditEntry.at >= since).limit(1)) is not None


def _checked(name: str, content: bytes) -> File:
    if not content:
        raise InputError(f"附件“{name}”是空文件，请重新选择。")
    if len(content) > ATTACHMENT_SIZE.value:
        raise InputError(f"附件“{name}”超过{ATTACHMENT_SIZE.value // 2**20}MB，请压缩或拆分后重新提交。")
    media_type = _sniff(content)
    if media_type not in ACCEPTED_TYPES:
        names = "、".join(ACCEPTED_TYPES.values())
        raise InputError(f"附件“{name}”的内容不是{names}中的一种，请转换格式后重新提交。")
    scan(name, content)
    return File(_safe_name(name, media_type), media_type, content)


def _safe_name(name: str, media_type: str) -> str:
    """A name that says what the file is: a stranger's may end in what a computer runs, or be written so that it is read
    otherwise than it is."""
    plain = "".join(letter for letter in name if unicodedata.category(letter) not in {"Cc", "Cf"})
    endings = ENDINGS[media_type]
    return plain if plain.lower().endswith(endings) else f"{plain}{endings[0]}"


def _sniff(content: bytes) -> str | None:
    if content.startswith(b"PK\x03\x04"):
        # An OFD document (GB/T 33190) is a zip with OFD.xml at its root. What zipfile raises for an archive that it
        # cannot read is no closed list: besides BadZipFile at least NotImplementedError and UnicodeDecodeError.
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return OFD if "OFD.xml" in archive.namelist() else None
        except Exception:
            return None
    kind = filetype.guess(content)
    return str(kind.mime) if kind is not None else None


def scan(name: str, content: bytes) -> None:
    """Hand the content to the operator's scanner, if one is set: exit code 0 clean, 1 infected (``InputError``), else
    it failed (``RefusalError``)."""
    command = settings().virus_scanner
    if not command:
        return
    try:
        done = subprocess.run(
            shlex.split(command), input=content, capture_output=True, timeout=SCAN_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        raise RefusalError("附件查毒暂时不可用，请稍后重新提交。") from None
    if done.returncode == 1:
        raise InputError(f"附件“{name}”查出病毒，未予接收；请清除后重新提交。")
    if done.returncode != 0:
        raise RefusalError("附件查毒暂时不可用，请稍后重新提交。")
