"""The use list (用证清单, Article 9): what each department may see of which certificate, for what, since when.

Versions are only ever added, so what a department could see on any day stays answerable: the version in force on a day
is the one with the latest ``in_force_from`` that is not after it, and of those the one decided last.
"""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedText, TypedJson, enum_text
from regulation.use_lists import Enquiry


class UseListEntry(Base):
    """What stays the same over an entry's versions: department, service item, certificate type, scenario."""

    __tablename__ = "use_list_entries"
    __table_args__ = (
        UniqueConstraint("department_uscc", "item_code", "type_code", "scenario", name="uq_use_list_entries_identity"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    department_uscc: Mapped[str] = mapped_column(ForeignKey("departments.uscc"))
    item_code: Mapped[str]
    type_code: Mapped[str] = mapped_column(ForeignKey("certificate_types.code"))
    scenario: Mapped[str]


class UseListVersion(Base):
    """An entry as it is from a day on. ``ended`` takes it off the list."""

    __tablename__ = "use_list_versions"
    __table_args__ = (Index("ix_use_list_versions_entry_id_in_force_from", "entry_id", "in_force_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("use_list_entries.id"))
    item_name: Mapped[str]
    fields: Mapped[tuple[str, ...]] = mapped_column(TypedJson(tuple[str, ...]))
    """Codes of the fields that may be seen, in the order of the face."""
    holder_alone: Mapped[bool]
    """Whether the holder may present the certificate alone (Article 10)."""
    authorisation: Mapped[bool]
    """Whether a use needs the holder's authorisation."""
    ended: Mapped[bool]
    in_force_from: Mapped[date]
    decided_at: Mapped[datetime]
    case_no: Mapped[str | None] = mapped_column(ForeignKey("cases.case_no"))
    """The proposal; ``None`` for what the sample data brought along or the department ended itself."""


class UseListProposal(Base):
    """A department's proposal: a case that staff review. Its lines are what was proposed, as it was proposed."""

    __tablename__ = "use_list_proposals"

    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"), primary_key=True)
    submission_key: Mapped[str] = mapped_column(unique=True)
    department_uscc: Mapped[str] = mapped_column(ForeignKey("departments.uscc"), index=True)


class ProposedLine(Base):
    """A line of a proposal; ``refused`` is why staff did not take it over."""

    __tablename__ = "use_list_proposed_lines"

    case_no: Mapped[str] = mapped_column(ForeignKey("use_list_proposals.case_no"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    item_code: Mapped[str]
    item_name: Mapped[str]
    type_code: Mapped[str] = mapped_column(ForeignKey("certificate_types.code"))
    scenario: Mapped[str]
    fields: Mapped[tuple[str, ...]] = mapped_column(TypedJson(tuple[str, ...]))
    holder_alone: Mapped[bool]
    authorisation: Mapped[bool]
    ended: Mapped[bool]
    in_force_from: Mapped[date | None]
    refused: Mapped[str | None]


class EntryEnquiry(Base):
    """A department is asked whether an entry is still needed, and what it answered."""

    __tablename__ = "use_list_enquiries"

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("use_list_entries.id"), index=True)
    why: Mapped[Enquiry] = mapped_column(enum_text(Enquiry))
    token: Mapped[str] = mapped_column(EncryptedText)
    """Of the link in the mail; the enquiries of one mail share it."""
    token_index: Mapped[str] = mapped_column(index=True)
    asked_on: Mapped[date]
    due_on: Mapped[date]
    keep: Mapped[bool | None]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None]
