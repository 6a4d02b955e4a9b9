"""Departments, the Center's officers and their leave, and the applications that call our interface."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, false
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedText, enum_text


class Role(StrEnum):
    OFFICER = "经办人"
    DIRECTOR = "负责人"
    AUDITOR = "审计人员"
    """Reads everything and decides nothing."""


class Department(Base):
    """A using department (使用部门), by its unified social credit code."""

    __tablename__ = "departments"

    uscc: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str]
    """The office's own address, for what its liaison officer is not there for."""


class Officer(Base):
    """A member of the Center's staff. The name is shown to colleagues; the code's secret to nobody."""

    __tablename__ = "officers"

    staff_no: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(EncryptedText)
    role: Mapped[Role] = mapped_column(enum_text(Role))
    email: Mapped[str] = mapped_column(EncryptedText)
    code_secret: Mapped[str] = mapped_column(EncryptedText)
    account_index: Mapped[str | None] = mapped_column(unique=True)
    """Of the account of the government's sign-on by which they are recognised; the account itself is kept nowhere."""
    active: Mapped[bool] = mapped_column(default=True)
    approves: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether a director has named them to approve what others draft (审签); directors need no naming."""


class Leave(Base):
    """Days on which an officer is away and who stands in."""

    __tablename__ = "leaves"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_no: Mapped[str] = mapped_column(ForeignKey("officers.staff_no"), index=True)
    substitute_no: Mapped[str] = mapped_column(ForeignKey("officers.staff_no"))
    from_on: Mapped[date]
    until_on: Mapped[date]


class SpentCode(Base):
    """A one-time code that was used: the officer and the 30-second step it belongs to."""

    __tablename__ = "spent_codes"

    staff_no: Mapped[str] = mapped_column(ForeignKey("officers.staff_no"), primary_key=True)
    time_step: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    """The door, or the address of a page, that it was used from."""


class WrongCode(Base):
    """A one-time code that was looked at and was wrong, kept as long as it counts. The number is as it was given: whose
    it is, if anybody's, a stranger must not find out."""

    __tablename__ = "wrong_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_no: Mapped[str] = mapped_column(index=True)
    source: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(index=True)


class ApplicationKind(StrEnum):
    DEPARTMENT = "department"
    BUREAU = "bureau"


class Application(Base):
    """A program that may call us: its key, and for whom it speaks (a department or a bureau by name)."""

    __tablename__ = "applications"

    key: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[ApplicationKind] = mapped_column(enum_text(ApplicationKind))
    speaks_for: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    networks: Mapped[list[str]] = mapped_column(default=list)
    """Networks (CIDR) that it calls from; none: from anywhere."""
    self_service: Mapped[bool] = mapped_column(default=False)
    """Whether holders serve themselves by it, online or at a machine: nobody at a counter sets off its calls, and its
    "operator" is no person."""
    calls_a_minute: Mapped[int | None]
    """What it may call in a minute; ``None``: ``regulation.limits.CALLS_A_MINUTE``."""


class ApplicationSecret(Base):
    """A secret of an application, good up to and without ``until_at``: while they change, both the old and the new one
    are."""

    __tablename__ = "application_secrets"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(ForeignKey("applications.key"), index=True)
    secret: Mapped[str] = mapped_column(EncryptedText)
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]
    of_center: Mapped[bool] = mapped_column(default=False)
    """Whether it is the Center's own, with which it tries the interface as this application (Article 17): it opens
    trial holders' certificates only."""


class Nonce(Base):
    """A nonce that a signed request has used, kept as long as its signature could be replayed."""

    __tablename__ = "nonces"

    key: Mapped[str] = mapped_column(primary_key=True)
    nonce: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
