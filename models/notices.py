"""The outbox: notices that left a step's transaction and are on their way to somebody's mailbox or mobile phone."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedJson, EncryptedText, enum_text


class NoticeState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    DEAD = "dead"


class Channel(StrEnum):
    """How a notice leaves."""

    MAIL = "mail"
    TEXT = "text"
    """A text message (短信) that says what there is to read, and where."""


class OutgoingNotice(Base):
    """One e-mail or one text message to one person. ``claimed_until`` keeps a second dispatcher away while one is
    sending it."""

    __tablename__ = "outgoing_notices"
    __table_args__ = (
        Index(
            "ix_outgoing_notices_queued",
            "next_attempt_at",
            sqlite_where=text("state = 'queued'"),
            postgresql_where=text("state = 'queued'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(unique=True)
    case_no: Mapped[str | None] = mapped_column(ForeignKey("cases.case_no"), index=True)
    notice: Mapped[str]
    channel: Mapped[Channel] = mapped_column(enum_text(Channel), default=Channel.MAIL, server_default=Channel.MAIL)
    recipient: Mapped[str] = mapped_column(EncryptedText)
    context: Mapped[dict[str, Any]] = mapped_column(EncryptedJson)
    state: Mapped[NoticeState] = mapped_column(enum_text(NoticeState), default=NoticeState.QUEUED)
    queued_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    claimed_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
