"""Objections that were handed in together (批量异议, Article 12): the table in chunks, and what came of each row."""

from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedJson, EncryptedText, enum_text
from regulation.objections import Way


class ObjectionBatch(Base):
    """A table of objections that somebody handed in, and how far its registration has come."""

    __tablename__ = "objection_batches"
    __table_args__ = (UniqueConstraint("sender_key", "sha256"),)

    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"), primary_key=True)
    sender: Mapped[str]
    """A department or a bureau, by name."""
    email: Mapped[str] = mapped_column(EncryptedText)
    """Where the sender is told what came of it; may be empty."""
    entered_by: Mapped[str]
    """A staff number, or an application."""
    sender_key: Mapped[str]
    """Whose submissions are told apart by what is in them: an application, or a name that an officer gave."""
    way: Mapped[Way | None] = mapped_column(enum_text(Way))
    late_why: Mapped[str | None] = mapped_column(EncryptedText)
    """How it came and, of one that was typed in late, why; as on each of its objections."""
    sha256: Mapped[str]
    """Of the file as it came: 64 hex digits."""
    rows: Mapped[int]
    """Rows that are objections; what is wrong is not counted."""
    chunks: Mapped[int]
    next_chunk: Mapped[int] = mapped_column(default=0)
    """Where registration goes on; all chunks before it are done."""


class ObjectionBatchChunk(Base):
    """A piece of a batch: its rows, each its number and the application. Kept until it is registered."""

    __tablename__ = "objection_batch_chunks"

    batch_no: Mapped[str] = mapped_column(ForeignKey("objection_batches.case_no"), primary_key=True)
    chunk: Mapped[int] = mapped_column(primary_key=True)
    rows: Mapped[list[Any]] = mapped_column(EncryptedJson)


class ObjectionBatchRow(Base):
    """What came of a row: its case, ``new`` or registered before, or the ``problem`` for which it was handed back."""

    __tablename__ = "objection_batch_rows"

    batch_no: Mapped[str] = mapped_column(ForeignKey("objection_batches.case_no"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    case_no: Mapped[str | None] = mapped_column(ForeignKey("cases.case_no"), index=True)
    new: Mapped[bool]
    problem: Mapped[str]
    """Fields and limits in words, never a value."""
