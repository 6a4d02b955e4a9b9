"""Liaison officers (专人, Article 13): whom a department designates for electronic certificates, and every change."""

from datetime import date
from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedText, enum_text


class FilingKind(StrEnum):
    APPOINTMENT = "指定"
    HAND_OVER = "变更"
    """Somebody else takes over, or the same person's position or contact has changed."""
    END = "终止"


class LiaisonFiling(Base):
    """What a department files (备案), as it was filed: a case that staff confirm or send back."""

    __tablename__ = "liaison_filings"

    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"), primary_key=True)
    submission_key: Mapped[str] = mapped_column(unique=True)
    department_uscc: Mapped[str] = mapped_column(ForeignKey("departments.uscc"), index=True)
    kind: Mapped[FilingKind] = mapped_column(enum_text(FilingKind))
    name: Mapped[str] = mapped_column(EncryptedText)
    position: Mapped[str]
    phone: Mapped[str] = mapped_column(EncryptedText)
    email: Mapped[str] = mapped_column(EncryptedText)
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("liaison_officers.id"))
    """Whose filing a hand-over or an end ends."""
    last_on: Mapped[date | None]
    """The last day of whom it replaces: until then both are on file."""


class LiaisonOfficer(Base):
    """A designated person on file, from ``from_on`` to ``until_on`` inclusive (``None``: no end is filed)."""

    __tablename__ = "liaison_officers"

    id: Mapped[int] = mapped_column(primary_key=True)
    department_uscc: Mapped[str] = mapped_column(ForeignKey("departments.uscc"), index=True)
    name: Mapped[str] = mapped_column(EncryptedText)
    position: Mapped[str]
    phone: Mapped[str] = mapped_column(EncryptedText)
    email: Mapped[str] = mapped_column(EncryptedText)
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    filed_by_case: Mapped[str | None] = mapped_column(ForeignKey("cases.case_no"))
    """``None`` for whom the sample data or a migration brought along."""
    ended_by_case: Mapped[str | None] = mapped_column(ForeignKey("cases.case_no"))
