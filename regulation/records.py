"""Sealing the record (Article 14): so that a changed, removed, inserted or reordered entry is found.

第十四条：……采取身份认证、存取访问控制、信息审计跟踪等技术手段，建立电子证照更新、应用等全过程日志记录。

Entries are sealed in blocks. A block holds the Merkle root over its entries in the order of their numbers, the hash of
the block before it, and a signature. Leaves and nodes are hashed as in RFC 9162, section 2.1.1 (Certificate
Transparency): a leaf as SHA-256 of 0x00 and its bytes, a node as SHA-256 of 0x01 and its two children, so that a node
cannot be passed off as a leaf.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

NO_BLOCK = "0" * 64
"""What the first block names as the hash of the block before it."""


class SealError(ValueError):
    """A record that does not agree with its seals; ``str()`` says in Chinese which place and how."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it is sealed. ``detail`` is the JSON text as it is stored, ``at`` an instant."""

    id: int
    at: datetime
    case_no: str | None
    actor: str
    tag: str
    holder_index: str | None
    detail: str

    def canonical(self) -> bytes:
        """The bytes that are sealed: a JSON array of the fields in this order, without spaces, UTF-8.

        ``detail`` goes in as a text, so that no other reading of its JSON can give other bytes.

        >>> Entry(1, datetime(2026, 3, 2, tzinfo=UTC), None, "KQ001", "a:b:c", None, "{}").canonical().decode()
        '[1,"2026-03-02T00:00:00.000000+00:00",null,"KQ001","a:b:c",null,"{}"]'
        """
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        return _json([self.id, at, self.case_no, self.actor, self.tag, self.holder_index, self.detail])


@dataclass(frozen=True, slots=True)
class Block:
    """A sealed block: the numbers of its first and last entry, how many there are, and what binds them."""

    number: int
    first_id: int
    last_id: int
    count: int
    root: str
    """The Merkle root of its entries, 64 hex digits."""
    previous: str
    """The hash of the block before it, 64 hex digits; ``NO_BLOCK`` for the first."""
    sealed_at: datetime

    def canonical(self) -> bytes:
        """The bytes that are hashed and signed."""
        at = self.sealed_at.astimezone(UTC).isoformat(timespec="microseconds")
        return _json([self.number, self.first_id, self.last_id, self.count, self.root, self.previous, at])

    @property
    def hash(self) -> str:
        """64 hex digits."""
        return hashlib.sha256(self.canonical()).hexdigest()


def _json(fields: list[Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def merkle_root(leaves: Iterable[bytes]) -> str:
    """The root over leaves (their bytes, in order) as 64 hex digits; of none, the hash of nothing (RFC 9162, 2.1.1).

    >>> merkle_root([]) == hashlib.sha256(b"").hexdigest()
    True
    """
    # One open subtree a size, as in binary counting: memory stays logarithmic however many leaves there are.
    sha256 = hashlib.sha256
    open_trees: list[tuple[int, bytes]] = []
    for leaf in leaves:
        size, node = 1, sha256(b"\x00" + leaf).digest()
        while open_trees and open_trees[-1][0] == size:
            size, node = 2 * size, sha256(b"\x01" + open_trees.pop()[1] + node).digest()
        open_trees.append((size, node))
    if not open_trees:
        return sha256(b"").hexdigest()
    _, root = open_trees.pop()
    while open_trees:
        root = sha256(b"\x01" + open_trees.pop()[1] + root).digest()
    return root.hex()


@dataclass(frozen=True, slots=True)
class _Bound:
    """What a block says of its entries."""

    first_id: int
    last_id: int
    count: int
    root: str


def _bind(entries: Iterable[Entry]) -> _Bound:
    first = last = count = 0

    def leaves() -> Iterable[bytes]:
        nonlocal first, last, count
        for entry in entries:
            if entry.id <= last:
                raise SealError(f"日志第{entry.id}条的次序不对。")
            first, last, count = first or entry.id, entry.id, count + 1
            yield entry.canonical()

    root = merkle_root(leaves())
    return _Bound(first, last, count, root)


def seal(number: int, entries: Iterable[Entry], previous: str, sealed_at: datetime) -> Block:
    """The block over ``entries``, in the order of their numbers; at least one. ``SealError`` for a wrong order."""
    bound = _bind(entries)
    return Block(number, bound.first_id, bound.last_id, bound.count, bound.root, previous, sealed_at)


def check_block(block: Block, before: Block | None, entries: Iterable[Entry]) -> None:
    """Raise ``SealError`` unless ``block`` follows ``before`` and seals just these ``entries``.

    ``entries`` are all that lie after the last entry of ``before``, up to ``block.last_id``.
    """
    place = f"封存块第{block.number}号"
    if block.number != (before.number + 1 if before else 1):
        raise SealError(f"{place}之前缺少封存块，记录不完整。")
    if block.previous != (before.hash if before else NO_BLOCK):
        raise SealError(f"{place}与前一块不衔接，前一块被改动过。")
    found = _bind(entries)
    if (found.first_id, found.last_id, found.count) != (block.first_id, block.last_id, block.count):
        raise SealError(
            f"{place}应有第{block.first_id}至{block.last_id}条共{block.count}条日志，"
            f"实有{found.count}条（第{found.first_id}至{found.last_id}条）：有增删。"
        )
    if found.root != block.root:
        raise SealError(f"{place}（第{block.first_id}至{block.last_id}条）中有日志被改动或调换过。")
