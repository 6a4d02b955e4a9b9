"""What stands around the use of certificates: authorisations, presentations, archived copies, and the two honest
exceptions to the electronic certificate (a platform that is down, a law that demands paper)."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedText


class Authorisation(Base):
    """A holder lets one department use one type of their certificates for one service item, until an instant."""

    __tablename__ = "authorisations"

    authorisation_no: Mapped[str] = mapped_column(primary_key=True)
    holder_index: Mapped[str] = mapped_column(index=True)
    department_uscc: Mapped[str] = mapped_column(ForeignKey("departments.uscc"))
    item_code: Mapped[str]
    type_code: Mapped[str] = mapped_column(ForeignKey("certificate_types.code"))
    given_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class Presentation(Base):
    """A certificate that its holder presents (亮证, Article 10): the code is stored by its blind index only."""

    __tablename__ = "presentations"

    code_index: Mapped[str] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificates.id"))
    holder_index: Mapped[str] = mapped_column(server_default="")
    """Which of its holders presents it."""
    scenario: Mapped[str | None]
    """The one scenario for which the holder presents; ``None``: any in which they may present alone."""
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    redeemed_at: Mapped[datetime | None]
    redeemed_by: Mapped[str | None]


class ArchivedCopy(Base):
    """An archived copy (存档副本, Article 11) that was handed out, known again by its hash."""

    __tablename__ = "archived_copies"

    copy_no: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(unique=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificates.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("use_list_versions.id"))
    application_key: Mapped[str] = mapped_column(ForeignKey("applications.key"))
    operator: Mapped[str]
    business_no: Mapped[str]
    made_at: Mapped[datetime]


class UnavailableReceipt(Base):
    """The platform above was down: under this number the counter may take paper (the honest exception to Article 8)."""

    __tablename__ = "unavailable_receipts"
    __table_args__ = (
        UniqueConstraint("application_key", "business_no", "type_code", "on", name="uq_unavailable_receipts_matter"),
    )

    receipt_no: Mapped[str] = mapped_column(primary_key=True)
    application_key: Mapped[str] = mapped_column(ForeignKey("applications.key"))
    business_no: Mapped[str]
    type_code: Mapped[str] = mapped_column(ForeignKey("certificate_types.code"))
    on: Mapped[date]
    at: Mapped[datetime]


class PaperException(Base):
    """A law or regulation that demands the paper certificate (Article 7): its citation, for what, and until when."""

    __tablename__ = "paper_exceptions"

    id: Mapped[int] = mapped_column(primary_key=True)
    type_code: Mapped[str] = mapped_column(ForeignKey("certificate_types.code"), index=True)
    item_code: Mapped[str | None]
    """The service item for which it is demanded; ``None``: for every one."""
    citation: Mapped[str]
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    entered_by_no: Mapped[str] = mapped_column(ForeignKey("officers.staff_no"))
    entered_at: Mapped[datetime]


class WrongValueUse(Base):
    """A department has used a value that an objection then corrected (Article 12): it is told, and answers what it did.

    One row a case and department, with the department's own business numbers.
    """

    __tablename__ = "wrong_value_uses"
    __table_args__ = (UniqueConstraint("case_no", "department_uscc"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"))
    department_uscc: Mapped[str] = mapped_column(ForeignKey("departments.uscc"), index=True)
    business_nos: Mapped[list[str]]
    token: Mapped[str] = mapped_column(EncryptedText)
    token_index: Mapped[str] = mapped_column(unique=True)
    told_at: Mapped[datetime]
    due_on: Mapped[date]
    answer: Mapped[str | None] = mapped_column(EncryptedText)
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None]
