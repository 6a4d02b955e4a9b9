"""The audit trail (Article 14): who did what to which case, with nothing of a person in it, and its seals.

Both tables only ever grow: triggers refuse every change (migration 0003). Nothing deletes entries, so they outlast the
three years that Art. 56 of the Personal Information Protection Law asks for.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class AuditEntry(Base):
    """One thing that happened. ``tag`` reads ``noun:subject:action``; ``detail`` holds masked or public values only.

    ``holder_index`` is the blind index of the holder whose certificate was used or shown, so that holders can ask.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_tag_at", "tag", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    case_no: Mapped[str | None] = mapped_column(index=True)
    actor: Mapped[str]
    tag: Mapped[str]
    holder_index: Mapped[str | None] = mapped_column(index=True)
    detail: Mapped[dict[str, Any]]


class AuditBlock(Base):
    """A sealed block of entries (regulation.records.Block) with its Ed25519 signature, 128 hex digits."""

    __tablename__ = "audit_blocks"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_id: Mapped[int]
    last_id: Mapped[int]
    count: Mapped[int]
    root: Mapped[str]
    previous: Mapped[str]
    sealed_at: Mapped[datetime]
    signature: Mapped[str]
