"""Objections that somebody is still filling in on the page (Article 12), known by an address that cannot be guessed."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedBytes, EncryptedJson, EncryptedText


class ObjectionDraft(Base):
    """What was typed so far, right or wrong. It is deleted when it is handed in, or some days after the last change."""

    __tablename__ = "objection_drafts"

    token_index: Mapped[str] = mapped_column(primary_key=True)
    typed: Mapped[dict[str, Any]] = mapped_column(EncryptedJson)
    changed_at: Mapped[datetime] = mapped_column(index=True)


class DraftFile(Base):
    """A file that was handed in with a draft, checked as an attachment is."""

    __tablename__ = "objection_draft_files"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_index: Mapped[str] = mapped_column(ForeignKey("objection_drafts.token_index"), index=True)
    name: Mapped[str] = mapped_column(EncryptedText)
    media_type: Mapped[str]
    content: Mapped[bytes] = mapped_column(EncryptedBytes)
