"""Paper certificates that are backfilled (信息补录, Article 11): what was entered, each time, and what came of it."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedJson, EncryptedText


class Backfill(Base):
    """A paper certificate met at a counter, during the department's own case ``service_case_no``."""

    __tablename__ = "backfills"

    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"), primary_key=True)
    submission_key: Mapped[str] = mapped_column(unique=True)
    department_uscc: Mapped[str] = mapped_column(ForeignKey("departments.uscc"), index=True)
    type_code: Mapped[str] = mapped_column(ForeignKey("certificate_types.code"))
    service_case_no: Mapped[str]
    email: Mapped[str | None] = mapped_column(EncryptedText)
    """The holder's, for the notice; ``None`` when the holder gave none."""
    token: Mapped[str] = mapped_column(EncryptedText)
    token_index: Mapped[str] = mapped_column(unique=True)
    """Of the holder's link to what was backfilled."""
    identifier: Mapped[str | None]
    """The electronic certificate's, once it is in the register."""


class BackfillEntry(Base):
    """What somebody read off the paper, by field codes as it was written; a correction is a further turn."""

    __tablename__ = "backfill_entries"

    case_no: Mapped[str] = mapped_column(ForeignKey("backfills.case_no"), primary_key=True)
    turn: Mapped[int] = mapped_column(primary_key=True)
    given: Mapped[dict[str, str]] = mapped_column(EncryptedJson)
    entered_by: Mapped[str]
    """A staff number, or a department's application with its operator."""
    at: Mapped[datetime]
