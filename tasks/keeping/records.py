"""Sealing the audit trail, checking it against its seals, and handing it out (Article 14)."""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Text, cast, func, select, text, type_coerce
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models.records import AuditBlock, AuditEntry
from regulation.records import NO_BLOCK, Block, Entry, SealError, check_block, seal
from runtime.database import reading, transaction
from runtime.keys import SealKeys, seal_keys
from runtime.refusals import InputError

ENTRIES_IN_A_BLOCK = 20_000
LOCK_SECONDS = 2
"""How long a sealing waits for steps that are writing; the next minute's sealing tries again."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What checking the record came to; ``findings`` are Chinese sentences, none when everything agrees.

    ``head`` is the hash of the last block: whoever wrote it down elsewhere can tell that no block was cut off.
    """

    blocks: int
    entries: int
    unsealed: int
    head: str
    findings: tuple[str, ...]


def seal_record(at: datetime) -> int:
    """Seal every entry that is committed, block by block, each in one transaction; how many were sealed.

    Stopped at any moment it leaves whole blocks behind, and the next sealing goes on after the last of them.
    """
    horizon = _horizon()
    sealed = 0
    while True:
        with transaction() as session:
            if session.get_bind().dialect.name == "postgresql":
                # Two sealings at once would make the same block; SQLite lets only one transaction write.
                session.execute(text("LOCK TABLE audit_blocks IN EXCLUSIVE MODE"))
            last = session.scalar(select(AuditBlock).order_by(AuditBlock.number.desc()).limit(1))
            before = _block(last) if last else None
            entries = _entries(session, before.last_id if before else None, horizon, ENTRIES_IN_A_BLOCK)
            if not entries:
                return sealed
            block = seal(before.number + 1 if before else 1, entries, before.hash if before else NO_BLOCK, at)
            signature = seal_keys().sign(block.canonical())
            session.add(AuditBlock(**_parts(block), signature=signature))
            sealed += block.count


def _horizon() -> int:
    """The number up to which no entry can appear any more.

    PostgreSQL gives numbers before it commits, so a lower number may come after a higher one. The lock waits until
    nobody is in the middle of writing. Where that takes too long nothing is sealed this time.
    """
    with suppress(OperationalError), transaction() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
            session.execute(text("LOCK TABLE audit_entries IN SHARE MODE"))
        return session.scalar(select(func.max(AuditEntry.id))) or 0
    return 0


def _entries(session: Session, after: int | None, until: int, limit: int | None = None) -> list[Entry]:
    """A block's entries, as they are stored: the JSON of ``detail`` is not read and written anew."""
    detail = type_coerce(cast(AuditEntry.detail, Text), Text)
    columns = (AuditEntry.id, AuditEntry.at, AuditEntry.case_no, AuditEntry.actor, AuditEntry.tag)
    wanted = select(*columns, AuditEntry.holder_index, detail).order_by(AuditEntry.id)
    if after is not None:
        wanted = wanted.where(AuditEntry.id > after)
    return [Entry(*row) for row in session.execute(wanted.where(AuditEntry.id <= until).limit(limit))]


def _block(row: AuditBlock) -> Block:
    return Block(**_parts(row))


def _parts(block: Block | AuditBlock) -> dict[str, Any]:
    return {part.name: getattr(block, part.name) for part in fields(Block)}


def verify_record(head: str | None = None) -> Verified:
    """Check every entry and every block of the database.

    ``head`` is a block's hash that was written down elsewhere: without it nobody can tell that the last blocks were
    cut off together with their entries.
    """
    with reading() as session:
        return _verify(_sealed(session), seal_keys(), head, _unsealed(session))


@dataclass(frozen=True, slots=True)
class _Sealed:
    """A block with its signature and the entries that lie in its range."""

    block: Block
    signature: str
    entries: list[Entry]


def _sealed(session: Session) -> Iterator[_Sealed]:
    after: int | None = None
    for row in session.scalars(select(AuditBlock).order_by(AuditBlock.number)).all():
        yield _Sealed(_block(row), row.signature, _entries(session, after, row.last_id))
        after = row.last_id


def _unsealed(session: Session) -> int:
    last = select(func.coalesce(func.max(AuditBlock.last_id), 0)).scalar_subquery()
    return session.scalars(select(func.count(AuditEntry.id)).where(AuditEntry.id > last)).one()


def unsealed_since() -> datetime | None:
    """When the oldest entry that no block seals yet was made; ``None`` when all are sealed."""
    last = select(func.coalesce(func.max(AuditBlock.last_id), 0)).scalar_subquery()
    with reading() as session:
        return session.scalar(select(func.min(AuditEntry.at)).where(AuditEntry.id > last))


def last_block_is_ours() -> bool:
    """Whether our keys signed the last block; so does a record without any."""
    with reading() as session:
        row = session.scalar(select(AuditBlock).order_by(AuditBlock.number.desc()).limit(1))
        return row is None or seal_keys().signed(_block(row).canonical(), row.signature)


def _verify(record: Iterable[_Sealed], keys: SealKeys, head: str | None, unsealed: int) -> Verified:
    findings: list[str] = []
    hashes = {NO_BLOCK}
    before: Block | None = None
    blocks = entries = 0
    for sealed in record:
        try:
            if not keys.signed(sealed.block.canonical(), sealed.signature):
                raise SealError(f"封存块第{sealed.block.number}号的签名不符：被改动过，或不是用所信任的封存密钥签的。")
            check_block(sealed.block, before, sealed.entries)
        except SealError as finding:
            findings.append(str(finding))
        before, blocks, entries = sealed.block, blocks + 1, entries + sealed.block.count
        hashes.add(before.hash)
    if head is not None and head.strip().lower() not in hashes:
        findings.append("没有所给的链首哈希：它之前的封存块被改动过，或末尾的封存块被删除。")
    return Verified(blocks, entries, unsealed, before.hash if before else NO_BLOCK, tuple(findings))


def export_record(path: Path) -> int:
    """Write the sealed record to a file that ``verify_file`` reads; how many entries.

    One JSON value a line: the public keys, then each block's entries and the block itself. The file is written beside
    its name and renamed, so that there is never half a one. Raises ``InputError`` when it cannot be written.
    """
    written = 0
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with reading() as session, unfinished.open("wb") as file:
            file.write(_line("public_keys", json.dumps(seal_keys().public).encode()))
            for sealed in _sealed(session):
                file.writelines(_line("entry", entry.canonical()) for entry in sealed.entries)
                file.write(_line("block", sealed.block.canonical(), sealed.signature))
                written += sealed.block.count
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise InputError(f"文件{path}不能写入，请检查文件夹和权限。") from None
    return written


def _line(kind: str, value: bytes, signature: str = "") -> bytes:
    signed = f',"signature":"{signature}"' if signature else ""
    return b'{"' + kind.encode() + b'":' + value + signed.encode() + b"}\n"


def verify_file(path: Path, public_key: str | None = None, head: str | None = None) -> Verified:
    """Check an exported record, without any database. ``public_key`` (64 hex digits) is the one to trust; without it
    those that the file itself names. ``head`` as in ``verify_record``. Raises ``InputError`` for what is no exported
    record and no key."""
    try:
        trusted = SealKeys.of_public([public_key]) if public_key else None
    except ValueError:
        raise InputError("封存公钥应为64位十六进制，请核对后重填。") from None
    try:
        with path.open("rb") as file:
            lines = (json.loads(line) for line in file)
            named = SealKeys.of_public(next(lines)["public_keys"])
            return _verify(_in_file(lines), trusted or named, head, unsealed=0)
    except OSError:
        raise InputError(f"文件{path}不存在或无法读取，请检查。") from None
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration):
        raise InputError(f"文件{path}不是导出的日志，或已残缺。") from None


def _in_file(lines: Iterable[dict[str, Any]]) -> Iterator[_Sealed]:
    entries: list[Entry] = []
    for line in lines:
        if "entry" in line:
            number, at, *rest = line["entry"]
            entries.append(Entry(number, datetime.fromisoformat(at), *rest))
        else:
            number, first_id, last_id, count, root, previous, at = line["block"]
            block = Block(number, first_id, last_id, count, root, previous, datetime.fromisoformat(at))
            yield _Sealed(block, str(line["signature"]), entries)
            entries = []
    if entries:
        raise ValueError("entries without a block")
