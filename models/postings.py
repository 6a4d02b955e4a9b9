"""Notices that go by post or are told in another way, because no e-mail reaches whom they are for."""

from datetime import date, datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedText


class Posting(Base):
    """Where a notice is posted to and, once it was, on which day, under which number of the post's, and who says so; or
    on which day it was collected, or how its recipient was told in another way, or that nothing reaches them."""

    __tablename__ = "postings"

    notice_id: Mapped[int] = mapped_column(ForeignKey("outgoing_notices.id"), primary_key=True)
    address: Mapped[str] = mapped_column(EncryptedText)
    posted_on: Mapped[date | None]
    tracking_no: Mapped[str | None]
    told_how: Mapped[str | None] = mapped_column(EncryptedText)
    collected_by: Mapped[str | None] = mapped_column(EncryptedText)
    """Who signed for it at the counter (送达回证), and how it was checked who they are."""
    tried: Mapped[str | None] = mapped_column(EncryptedText)
    """What was tried in vain, where it can reach its recipient in no way (无法送达)."""
    posted_by_no: Mapped[str | None] = mapped_column(ForeignKey("officers.staff_no"))
    at: Mapped[datetime]
