"""Mystery applications (模拟办事, Article 17): invented holders, calls tried with them, and visits in person."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedText, enum_text
from regulation.catalogue import HolderKind
from regulation.identity_numbers import NumberKind
from regulation.mystery_applications import CallOutcome
from regulation.service_guides import Demand


class TrialHolder(Base):
    """An invented holder, one of each kind. Whatever is done with their certificates counts nowhere as a use: this
    register alone says so, and nothing that a caller can send."""

    __tablename__ = "trial_holders"

    holder_index: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[HolderKind] = mapped_column(enum_text(HolderKind), unique=True)
    name: Mapped[str] = mapped_column(EncryptedText)
    number_kind: Mapped[NumberKind] = mapped_column(enum_text(NumberKind))
    number: Mapped[str] = mapped_column(EncryptedText)
    made_at: Mapped[datetime]


class MysteryRound(Base):
    """A round of mystery applications; ``run_key`` names the run that began it. ``untried`` entries of the use list
    could not be tried for a reason of ours."""

    __tablename__ = "mystery_rounds"

    round_no: Mapped[str] = mapped_column(primary_key=True)
    run_key: Mapped[str] = mapped_column(unique=True)
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    untried: Mapped[int] = mapped_column(default=0)


class TrialCall(Base):
    """A call that was tried for an entry of the use list, in the order of its steps, and what came back.

    ``status`` is the HTTP status (``None``: nothing came back, or the department has no application); ``said`` the
    sentence of a refusal.
    """

    __tablename__ = "trial_calls"
    __table_args__ = (UniqueConstraint("round_no", "entry_id", "step", name="uq_trial_calls_step"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    round_no: Mapped[str] = mapped_column(ForeignKey("mystery_rounds.round_no"))
    entry_id: Mapped[int] = mapped_column(ForeignKey("use_list_entries.id"))
    department_uscc: Mapped[str] = mapped_column(ForeignKey("departments.uscc"))
    application_key: Mapped[str | None] = mapped_column(ForeignKey("applications.key"))
    step: Mapped[str]
    outcome: Mapped[CallOutcome] = mapped_column(enum_text(CallOutcome))
    status: Mapped[int | None]
    article: Mapped[int | None]
    said: Mapped[str]
    milliseconds: Mapped[int]
    at: Mapped[datetime]


class Visit(Base):
    """A visit in person (现场体验) to a department's counter, and what was demanded there."""

    __tablename__ = "visits"

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_key: Mapped[str] = mapped_column(unique=True)
    department_uscc: Mapped[str] = mapped_column(ForeignKey("departments.uscc"), index=True)
    item_code: Mapped[str]
    visited_on: Mapped[date]
    material: Mapped[str]
    type_code: Mapped[str | None] = mapped_column(ForeignKey("certificate_types.code"))
    demand: Mapped[Demand] = mapped_column(enum_text(Demand))
    remarks: Mapped[str] = mapped_column(EncryptedText)
    officer_no: Mapped[str] = mapped_column(ForeignKey("officers.staff_no"))
    at: Mapped[datetime]
