"""What supervision found at departments (Article 17): one row a matter, however many nights it is found again."""

from datetime import date

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedText, enum_text
from regulation.findings import Severity, Source


class Finding(Base):
    """A finding, open until its cause is gone (``cleared_on``), whatever became of its case. Nothing of a person is in
    it but in its ``particulars``."""

    __tablename__ = "findings"
    __table_args__ = (
        Index(
            "uq_findings_open",
            "rule",
            "department_uscc",
            "subject",
            unique=True,
            sqlite_where=text("cleared_on IS NULL"),
            postgresql_where=text("cleared_on IS NULL"),
        ),
        Index("ix_findings_matter", "rule", "department_uscc", "subject"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[str]
    """A code of ``regulation.finding_rules.RULES``."""
    source: Mapped[Source] = mapped_column(enum_text(Source))
    department_uscc: Mapped[str] = mapped_column(ForeignKey("departments.uscc"), index=True)
    subject: Mapped[str]
    """What within the department, such as a service item's code; empty: the department as a whole."""
    severity: Mapped[Severity] = mapped_column(enum_text(Severity))
    facts: Mapped[str]
    particulars: Mapped[str | None] = mapped_column(EncryptedText)
    """Which operator and which business cases it is about, as callers wrote it, which may name a person: for the
    department alone."""
    first_on: Mapped[date]
    last_on: Mapped[date]
    times: Mapped[int]
    """How often it was found, the first time included."""
    cleared_on: Mapped[date | None]
    """The day on whose morning its cause was gone: what happened from then on is news."""
    repeats_id: Mapped[int | None] = mapped_column(ForeignKey("findings.id"))
    """The finding before about the same matter."""
    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"), unique=True)
    """The rectification."""
