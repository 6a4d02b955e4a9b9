"""What the department of the district that keeps a record says to an objection against it (Article 12)."""

from datetime import date, datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedText, enum_text
from regulation.objections import Finding


class SourceCheck(Base):
    """One department, asked once about a case, with its own link; ``value`` is what it says should stand there."""

    __tablename__ = "source_checks"

    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"), primary_key=True)
    department_uscc: Mapped[str] = mapped_column(ForeignKey("departments.uscc"), index=True)
    token: Mapped[str] = mapped_column(EncryptedText)
    token_index: Mapped[str] = mapped_column(unique=True)
    asked_at: Mapped[datetime]
    due_on: Mapped[date]
    finding: Mapped[Finding | None] = mapped_column(enum_text(Finding))
    value: Mapped[str | None] = mapped_column(EncryptedText)
    basis: Mapped[str | None] = mapped_column(EncryptedText)
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None]
