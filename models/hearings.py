"""Holders who are heard on objections that somebody else made to their certificates (Article 12)."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedText, enum_text
from regulation.hearings import Reached
from regulation.objections import Way


class Hearing(Base):
    """One holder of the disputed certificate, as the register had them when the objection was accepted; ``number``
    counts those of a case from 1. ``told_on`` is empty until they have been told, or could not be (``reached``)."""

    __tablename__ = "hearings"

    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    holder_index: Mapped[str] = mapped_column(index=True)
    holder_name: Mapped[str] = mapped_column(EncryptedText)
    address: Mapped[str] = mapped_column(EncryptedText)
    """As it stands on the certificate; empty where none does."""
    told_on: Mapped[date | None]
    reached: Mapped[Reached | None] = mapped_column(enum_text(Reached))
    told_by_no: Mapped[str | None] = mapped_column(ForeignKey("officers.staff_no"))
    """Who registered that; empty where they saw it themselves."""


class HolderComment(Base):
    """What a holder says to an objection, on which day it was received and how; ``by_no`` typed it in."""

    __tablename__ = "holder_comments"
    __table_args__ = (ForeignKeyConstraint(("case_no", "number"), ("hearings.case_no", "hearings.number")),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_no: Mapped[str] = mapped_column(index=True)
    number: Mapped[int]
    text: Mapped[str] = mapped_column(EncryptedText)
    way: Mapped[Way] = mapped_column(enum_text(Way))
    received_on: Mapped[date]
    by_no: Mapped[str | None] = mapped_column(ForeignKey("officers.staff_no"))
    at: Mapped[datetime]
