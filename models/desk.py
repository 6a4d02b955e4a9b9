"""The desk: who is signed in there, what they typed and have not sent, and what they are starting."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedBytes, EncryptedJson, EncryptedText


class DeskSession(Base):
    """A member of staff who signed in. What the browser brings is known by its digest only."""

    __tablename__ = "desk_sessions"

    token_digest: Mapped[str] = mapped_column(primary_key=True)
    staff_no: Mapped[str] = mapped_column(ForeignKey("officers.staff_no"), index=True)
    secret_mark: Mapped[str]
    """What the secret of the officer's codes was then: a new one ends the session."""
    source: Mapped[str]
    """The address that they signed in from."""
    begun_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]


class DeskPhrase(Base):
    """A reason that is often given (常用语), for a text field of a question; directors keep them."""

    __tablename__ = "desk_phrases"
    __table_args__ = (Index("ix_desk_phrases_question_field", "question", "field"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    question: Mapped[str]
    field: Mapped[str]
    text: Mapped[str]
    """It goes to anybody whose case it fits: there is nothing of a person in it."""
    kept_by: Mapped[str] = mapped_column(ForeignKey("officers.staff_no"))
    at: Mapped[datetime]


class DeskDraft(Base):
    """What somebody typed into a form that could not be taken because nobody was signed in any more."""

    __tablename__ = "desk_drafts"

    staff_no: Mapped[str] = mapped_column(ForeignKey("officers.staff_no"), primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    """The address that the form is sent to."""
    typed: Mapped[dict[str, Any]] = mapped_column(EncryptedJson)
    at: Mapped[datetime]


class DeskEntry(Base):
    """Something that is being started at the desk: what was typed so far, right or wrong, until it is signed or a day
    has gone. ``id`` cannot be guessed and names the one submission that comes of it."""

    __tablename__ = "desk_entries"

    id: Mapped[str] = mapped_column(primary_key=True)
    start: Mapped[str]
    """The code of what is started."""
    opened_by: Mapped[str | None] = mapped_column(ForeignKey("officers.staff_no"), index=True)
    """Whose it is; nobody's yet where a run in Prefect opened it."""
    typed: Mapped[dict[str, Any]] = mapped_column(EncryptedJson)
    opened_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    flow_run_id: Mapped[str | None] = mapped_column(unique=True)
    run_ended: Mapped[bool] = mapped_column(default=False)
    """Whether that run knows what came of it."""
    begun_at: Mapped[datetime | None]
    case_no: Mapped[str | None]
    came_of_it: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJson)
    """What was registered, in words, for its receipt."""


class DeskEntryFile(Base):
    """A file that was handed in with an entry, checked as an attachment is."""

    __tablename__ = "desk_entry_files"

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[str] = mapped_column(ForeignKey("desk_entries.id"), index=True)
    name: Mapped[str] = mapped_column(EncryptedText)
    media_type: Mapped[str]
    content: Mapped[bytes] = mapped_column(EncryptedBytes)
