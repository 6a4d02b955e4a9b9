"""Rectifications (督促整改, Article 17): what a department was told to mend, and how often it has not."""

from datetime import date

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedText, enum_text
from regulation.findings import Severity


class Rectification(Base):
    """A finding that a department was told to mend, by its case. Without a row nobody has decided yet, or there was
    nothing to mend."""

    __tablename__ = "rectifications"

    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"), primary_key=True)
    department_uscc: Mapped[str] = mapped_column(ForeignKey("departments.uscc"), index=True)
    severity: Mapped[Severity] = mapped_column(enum_text(Severity))
    """As the officer decided, which may differ from the rule's."""
    requirement: Mapped[str] = mapped_column(EncryptedText)
    """What the officer added for the department; may be empty."""
    ordered_on: Mapped[date]
    token: Mapped[str] = mapped_column(EncryptedText)
    token_index: Mapped[str] = mapped_column(unique=True)
    failures: Mapped[int] = mapped_column(default=0)
    """How often the limit passed in silence or a recheck found the cause again."""
    returned_for: Mapped[str | None] = mapped_column(EncryptedText)
    """Why it was last sent back."""
