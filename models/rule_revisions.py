"""Internal rules and processes that stand in the way of the measures (制度修订, Article 16), until they are revised."""

from datetime import date

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedText


class RuleRevision(Base):
    """A clause that a department lists, by its case, with the proof once it was revised."""

    __tablename__ = "rule_revisions"

    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"), primary_key=True)
    submission_key: Mapped[str] = mapped_column(unique=True)
    department_uscc: Mapped[str] = mapped_column(ForeignKey("departments.uscc"), index=True)
    document: Mapped[str]
    clause: Mapped[str]
    article: Mapped[int]
    """The article of the measures that it stands in the way of."""
    why: Mapped[str] = mapped_column(EncryptedText)
    planned_on: Mapped[date]
    token: Mapped[str] = mapped_column(EncryptedText)
    token_index: Mapped[str] = mapped_column(unique=True)
    returned_for: Mapped[str | None] = mapped_column(EncryptedText)
    """Why it was last sent back."""
    document_no: Mapped[str | None]
    """Of the revised document."""
    in_force_on: Mapped[date | None]
