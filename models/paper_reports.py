"""Citizens' reports (群众反映) that a counter demanded paper: cases that staff look into."""

from datetime import date

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedText, enum_text
from regulation.service_guides import Demand


class PaperReport(Base):
    """A report as it was made on the public page. Whoever made it need not say who they are."""

    __tablename__ = "paper_reports"

    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"), primary_key=True)
    submission_key: Mapped[str] = mapped_column(unique=True)
    department_uscc: Mapped[str] = mapped_column(ForeignKey("departments.uscc"), index=True)
    matter: Mapped[str] = mapped_column(EncryptedText)
    """What the citizen came for, in their words."""
    material: Mapped[str] = mapped_column(EncryptedText)
    demand: Mapped[Demand] = mapped_column(enum_text(Demand))
    happened_on: Mapped[date]
    account: Mapped[str] = mapped_column(EncryptedText)
    email: Mapped[str | None] = mapped_column(EncryptedText)
    phone: Mapped[str | None] = mapped_column(EncryptedText)
