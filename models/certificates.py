"""Certificate types and the local register of certificates, one row a version, with its holders."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedJson, EncryptedText, TypedJson, enum_text
from regulation.catalogue import Field, HolderKind, Validity
from regulation.certificates import CertificateState, Level
from regulation.identity_numbers import NumberKind


class CertificateType(Base):
    """A type of the catalogue. ``source`` answers for its data, whoever issues it."""

    __tablename__ = "certificate_types"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    issuing_authority: Mapped[str]
    issuing_level: Mapped[Level] = mapped_column(enum_text(Level))
    source: Mapped[Level] = mapped_column(enum_text(Level))
    validity: Mapped[Validity] = mapped_column(enum_text(Validity))
    validity_years: Mapped[int | None]
    stale_after_hours: Mapped[int]
    """How old a cached face may be before the platform above is asked again."""
    holder_kinds: Mapped[tuple[HolderKind, ...]] = mapped_column(TypedJson(tuple[HolderKind, ...]))
    fields: Mapped[tuple[Field, ...]] = mapped_column(TypedJson(tuple[Field, ...]))

    @property
    def names(self) -> dict[str, str]:
        """The fields' Chinese names by their codes."""
        return {field.code: field.name for field in self.fields}


class IssuingAuthority(Base):
    """Who may stand as the issuer on a paper certificate, by full name; authorities that have been merged or renamed
    stay. ``code`` goes into the identifiers of what is backfilled: a credit code, or a region's six digits."""

    __tablename__ = "issuing_authorities"

    name: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str]


class Certificate(Base):
    """One version of one certificate. ``root`` is what its versions share (regulation.certificates.Identifier.root)."""

    __tablename__ = "certificates"
    __table_args__ = (
        Index("ix_certificates_type_code_number_index", "type_code", "number_index"),
        Index(
            "ix_certificates_unconfirmed",
            "identifier",
            sqlite_where=text("backfilled_by_case IS NOT NULL AND confirmed_at IS NULL"),
            postgresql_where=text("backfilled_by_case IS NOT NULL AND confirmed_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    identifier: Mapped[str] = mapped_column(unique=True)
    root: Mapped[str] = mapped_column(index=True)
    version: Mapped[int]
    type_code: Mapped[str] = mapped_column(ForeignKey("certificate_types.code"))
    number: Mapped[str] = mapped_column(EncryptedText)
    number_index: Mapped[str]
    # The first holder once more, for lists and letters; who is found by what is in CertificateHolder.
    holder_kind: Mapped[HolderKind] = mapped_column(enum_text(HolderKind))
    holder_name: Mapped[str] = mapped_column(EncryptedText)
    holder_number_kind: Mapped[NumberKind] = mapped_column(enum_text(NumberKind))
    holder_number: Mapped[str] = mapped_column(EncryptedText)
    holder_index: Mapped[str] = mapped_column(index=True)
    face: Mapped[dict[str, Any]] = mapped_column(EncryptedJson)
    issued_on: Mapped[date]
    valid_until_on: Mapped[date | None]
    state: Mapped[CertificateState] = mapped_column(enum_text(CertificateState))
    """What was last heard or decided; ``regulation.catalogue.state_on`` says what that means on a day."""
    remark: Mapped[str] = mapped_column(default="")
    """What a clerk should know of it, such as a check character that is not the standard's."""
    corrected_by_case: Mapped[str | None]
    backfilled_by_case: Mapped[str | None] = mapped_column(ForeignKey("cases.case_no"))
    """The backfill that brought it in from paper (Article 11): its source above may know nothing of it."""
    confirmed_at: Mapped[datetime | None]
    """When its issuing authority said that what was backfilled is its own; ``confirmed_by`` is the operator who did."""
    confirmed_by: Mapped[str | None]
    read_at: Mapped[datetime]
    """When its source last said what stands here; ``CertificateType.stale_after_hours`` says how long that will do."""


class CertificateHolder(Base):
    """One of the holders of a version (regulation.backfill.judge.Holder), the first at ``place`` 1."""

    __tablename__ = "certificate_holders"
    __table_args__ = (
        Index(
            "ix_certificate_holders_holder_index_certificate_id",
            "holder_index",
            "certificate_id",
            unique=True,
        ),
    )

    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificates.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    field: Mapped[str]
    """Where the face names them: holder, husband, wife."""
    holder_kind: Mapped[HolderKind] = mapped_column(enum_text(HolderKind))
    name: Mapped[str] = mapped_column(EncryptedText)
    number_kind: Mapped[NumberKind] = mapped_column(enum_text(NumberKind))
    number: Mapped[str] = mapped_column(EncryptedText)
    holder_index: Mapped[str]
    share: Mapped[str | None] = mapped_column(EncryptedText)
