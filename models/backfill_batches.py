"""Batches of paper certificates (批量补录, Article 11): the file in chunks, its rows on their way to the register, and
what is wrong with those that do not get there."""

from datetime import date

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedJson, EncryptedText, SealedBytes, enum_text
from regulation.backfill.problems import ProblemCode
from regulation.catalogue import HolderKind
from regulation.identity_numbers import NumberKind


class BackfillBatch(Base):
    """A file of one type's certificates that a department handed in, and how far it has come."""

    __tablename__ = "backfill_batches"

    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"), primary_key=True)
    department_uscc: Mapped[str] = mapped_column(ForeignKey("departments.uscc"), index=True)
    type_code: Mapped[str] = mapped_column(ForeignKey("certificate_types.code"))
    service_case_no: Mapped[str]
    entered_by: Mapped[str]
    """Who handed it in and does not review it: a staff number, or a department's application with its operator."""
    sha256: Mapped[str] = mapped_column(index=True)
    """Of the file as it came: 64 hex digits."""
    seed: Mapped[str]
    """Decides the sample. Drawn when the file comes: nobody can make a file that keeps its errors out of it."""
    columns: Mapped[list[str]]
    """The fields of the chunks' columns by their codes, in order."""
    rows: Mapped[int]
    chunks: Mapped[int]
    next_chunk: Mapped[int] = mapped_column(default=0)
    """Where checking goes on; all chunks before it are done."""
    good: Mapped[int] = mapped_column(default=0)
    same: Mapped[int] = mapped_column(default=0)
    conflict: Mapped[int] = mapped_column(default=0)
    bad: Mapped[int] = mapped_column(default=0)
    sample: Mapped[list[int] | None]
    """The rows that were drawn, in order."""
    accept: Mapped[int | None]
    """How many of the sample may be wrong (Ac)."""
    wrong: Mapped[list[int] | None]
    """Those of the sample that were found wrong."""
    registered: Mapped[int | None]
    """How many rows the register got."""


class BackfillChunk(Base):
    """A piece of a batch's file: its rows as JSON, compressed, and sealed before they are stored. Kept until the case
    is closed."""

    __tablename__ = "backfill_chunks"

    case_no: Mapped[str] = mapped_column(ForeignKey("backfill_batches.case_no"), primary_key=True)
    chunk: Mapped[int] = mapped_column(primary_key=True)
    sealed: Mapped[bytes] = mapped_column(SealedBytes)


class BackfillRow(Base):
    """A row that may enter the register, in the register's own columns, until the batch is approved or sent back."""

    __tablename__ = "backfill_rows"
    __table_args__ = (Index("ix_backfill_rows_case_no_number_index", "case_no", "number_index"),)

    case_no: Mapped[str] = mapped_column(ForeignKey("backfill_batches.case_no"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str]
    """A blind index of everything that the row says, to tell equal rows of a file from others."""
    identifier: Mapped[str]
    root: Mapped[str]
    number: Mapped[str] = mapped_column(EncryptedText)
    number_index: Mapped[str]
    holder_kind: Mapped[HolderKind] = mapped_column(enum_text(HolderKind))
    holder_name: Mapped[str] = mapped_column(EncryptedText)
    holder_number_kind: Mapped[NumberKind] = mapped_column(enum_text(NumberKind))
    holder_number: Mapped[str] = mapped_column(EncryptedText)
    holder_index: Mapped[str]
    face: Mapped[dict[str, str]] = mapped_column(EncryptedJson)
    issued_on: Mapped[date]
    valid_until_on: Mapped[date | None]


class BackfillRowHolder(Base):
    """One of the holders of such a row, where it has several or its face names one elsewhere than as the holder: in the
    columns of ``CertificateHolder``, so that what is sealed goes over as it is."""

    __tablename__ = "backfill_row_holders"
    __table_args__ = (
        ForeignKeyConstraint(["case_no", "row"], ["backfill_rows.case_no", "backfill_rows.row"], ondelete="CASCADE"),
    )

    case_no: Mapped[str] = mapped_column(primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    field: Mapped[str]
    holder_kind: Mapped[HolderKind] = mapped_column(enum_text(HolderKind))
    name: Mapped[str] = mapped_column(EncryptedText)
    number_kind: Mapped[NumberKind] = mapped_column(enum_text(NumberKind))
    number: Mapped[str] = mapped_column(EncryptedText)
    holder_index: Mapped[str]
    share: Mapped[str | None] = mapped_column(EncryptedText)


class BackfillProblem(Base):
    """What keeps a row out of the register: a code, a field, a limit or another row, never a value."""

    __tablename__ = "backfill_problems"

    case_no: Mapped[str] = mapped_column(ForeignKey("backfill_batches.case_no"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    field: Mapped[str]
    code: Mapped[ProblemCode] = mapped_column(enum_text(ProblemCode))
    detail: Mapped[str]
