"""Objections (Article 12), their attachments and supplements, and the verification requests they cause."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedBytes, EncryptedJson, EncryptedText, enum_text
from regulation.objections import WHOLE, Bureau, Capacity, Ground, ObjectorKind, Outcome, Pursuit, Way


class Objection(Base):
    """An objection: who objects, to which field of which certificate, and how it ended.

    ``type_code`` and ``field_code`` are empty for what the catalogue does not have, ``certificate_root`` for what the
    register does not have. Objections that share root and field are joined (并案) while nobody was asked about them,
    the later ones pointing to their lead; after that a later one has a case of its own and points to the latest
    ``earlier_case_no``. ``certificate_key`` and ``field_key``, which name both as they were given, are read by the
    version before only. ``withdrawn_at``: the objector took it back, though the case may go on for whoever joined it.
    ``outcome`` is how the case ended. ``remark`` is what the reviewing officer should
    know, and nobody else: what registration found or could not find, what is doubtful, and how the objector made
    themselves known. ``way`` is how it came, which earlier versions did not ask; ``typed_late_why``, for staff only,
    why it was not on record within days.
    """

    __tablename__ = "objections"
    __table_args__ = (Index("ix_objections_certificate_key_field_key", "certificate_key", "field_key"),)

    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"), primary_key=True)
    token: Mapped[str] = mapped_column(EncryptedText)
    token_index: Mapped[str] = mapped_column(unique=True)
    submission_key: Mapped[str] = mapped_column(unique=True)
    objector_kind: Mapped[ObjectorKind] = mapped_column(enum_text(ObjectorKind))
    objector_name: Mapped[str] = mapped_column(EncryptedText)
    email: Mapped[str] = mapped_column(EncryptedText)
    phone: Mapped[str] = mapped_column(EncryptedText)
    postal_address: Mapped[str | None] = mapped_column(EncryptedText)
    """Where letters go to whoever has no e-mail address."""
    certificate_type: Mapped[str] = mapped_column(EncryptedText)
    type_code: Mapped[str | None] = mapped_column(ForeignKey("certificate_types.code"))
    certificate_reference: Mapped[str] = mapped_column(EncryptedText)
    certificate_key: Mapped[str]
    certificate_root: Mapped[str | None] = mapped_column(index=True)
    field_code: Mapped[str | None]
    field_key: Mapped[str]
    field_name: Mapped[str] = mapped_column(EncryptedText)
    grounds: Mapped[list[str]]
    stated: Mapped[str] = mapped_column(EncryptedText)
    proposed: Mapped[str] = mapped_column(EncryptedText)
    reason: Mapped[str] = mapped_column(EncryptedText)
    remark: Mapped[str]
    way: Mapped[Way | None] = mapped_column(enum_text(Way))
    typed_late_why: Mapped[str | None] = mapped_column(EncryptedText)
    interest: Mapped[str | None] = mapped_column(EncryptedText)
    """What somebody who neither holds nor issues the certificate uses it for."""
    acts_as: Mapped[Capacity | None] = mapped_column(enum_text(Capacity))
    """Empty where whoever objects does it for themselves; else they do it for ``acts_for``."""
    acts_for: Mapped[str | None] = mapped_column(EncryptedText)
    proven_index: Mapped[str | None]
    """The blind index of the number that the sign-on has proven of whoever objects, if they signed in."""
    lead_case_no: Mapped[str | None] = mapped_column(ForeignKey("cases.case_no"), index=True)
    earlier_case_no: Mapped[str | None] = mapped_column(ForeignKey("cases.case_no"), index=True)
    withdrawn_at: Mapped[datetime | None]
    outcome: Mapped[Outcome | None] = mapped_column(enum_text(Outcome))
    disagreement: Mapped[str | None] = mapped_column(EncryptedText)
    disagreed_at: Mapped[datetime | None]

    OTHER_TYPE: ClassVar = "目录外证照"
    OTHER_FIELD: ClassVar = "目录外项目"

    @property
    def public_type(self) -> str:
        """The type's name where nothing of a person may stand: what was typed freely could be anything."""
        return self.certificate_type if self.type_code else self.OTHER_TYPE

    @property
    def public_field(self) -> str:
        """The field's name where nothing of a person may stand."""
        return self.public_field_of(self.field_code, self.field_name, self.grounds)

    @classmethod
    def public_field_of(cls, code: str | None, name: str, grounds: Sequence[str]) -> str:
        """As ``public_field``, of an objection that is not in the database yet."""
        if Ground.MISSING in grounds:
            return WHOLE
        return name if code else cls.OTHER_FIELD


class ContactChange(Base):
    """How an objector was reached until then (``was``: name, e-mail, telephone, address), why that was changed, and who
    did it."""

    __tablename__ = "contact_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"), index=True)
    was: Mapped[dict[str, str]] = mapped_column(EncryptedJson)
    why: Mapped[str] = mapped_column(EncryptedText)
    by: Mapped[str]
    at: Mapped[datetime]


class Supplement(Base):
    """What an objector handed in later (补正)."""

    __tablename__ = "supplements"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"), index=True)
    text: Mapped[str] = mapped_column(EncryptedText)
    at: Mapped[datetime]


class Attachment(Base):
    """A file handed in with an objection or a supplement; its type is sniffed, not believed."""

    __tablename__ = "attachments"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"), index=True)
    name: Mapped[str] = mapped_column(EncryptedText)
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    content: Mapped[bytes] = mapped_column(EncryptedBytes)
    at: Mapped[datetime]


class VerificationRequest(Base):
    """One message to a superior bureau about a case: the request, an urge, an escalation.

    Prepared inside a step, sent outside of it: ``sent_at`` is empty until the bureau has taken it, ``refusal`` says why
    it would not, and ``next_attempt_at`` when to try again because it could not be reached.
    """

    __tablename__ = "verification_requests"
    __table_args__ = (
        UniqueConstraint("case_no", "turn"),
        Index(
            "ix_verification_requests_unsent",
            "next_attempt_at",
            sqlite_where=text("sent_at IS NULL AND refusal IS NULL"),
            postgresql_where=text("sent_at IS NULL AND refusal IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"))
    turn: Mapped[int]
    pursuit: Mapped[Pursuit] = mapped_column(enum_text(Pursuit))
    bureau: Mapped[Bureau] = mapped_column(enum_text(Bureau))
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    by_letter: Mapped[bool] = mapped_column(default=False)
    prepared_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    asked_at: Mapped[datetime]
    """When the bureau was last asked for its reply."""
    sent_at: Mapped[datetime | None]
    remote_no: Mapped[str | None]
    refusal: Mapped[str | None]
