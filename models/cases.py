"""What every case has, whatever it is about: officer, run, recorded steps and answers, deadlines."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ColumnElement, ForeignKey, Index, String, UniqueConstraint, and_, false, text
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedJson, EncryptedText, enum_text
from regulation.limits import Clock


class CaseKind(StrEnum):
    """What a case is about; the value begins its number."""

    OBJECTION = "YY"
    USE_LIST = "QD"
    LIAISON = "ZR"
    BACKFILL = "BL"
    BATCH = "PL"
    RECTIFICATION = "ZG"
    SPOT_CHECK = "CC"
    RULE_REVISION = "XD"
    SYSTEM_REVIEW = "PS"
    PAPER_REPORT = "FY"
    OBJECTION_BATCH = "YP"

    @property
    def label(self) -> str:
        """What it is called where people read it."""
        return _LABELS[self.value]


_LABELS = {
    "YY": "异议核查",
    "QD": "用证清单",
    "ZR": "专人备案",
    "BL": "纸质证照补录",
    "PL": "批量补录",
    "ZG": "督促整改",
    "CC": "随机抽查",
    "XD": "制度修订",
    "PS": "系统评审",
    "FY": "群众反映",
    "YP": "批量异议",
}


class Case(Base):
    """One case. ``stage`` is a value of its kind's own stages; the case is open while ``closed_at`` is empty."""

    __tablename__ = "cases"
    __table_args__ = (
        Index(
            "ix_cases_open",
            "kind",
            "officer_no",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    case_no: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[CaseKind] = mapped_column(enum_text(CaseKind))
    stage: Mapped[str]
    received_on: Mapped[date]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    officer_no: Mapped[str] = mapped_column(ForeignKey("officers.staff_no"))
    measures_version: Mapped[str]
    waiting_for: Mapped[str | None]
    """The question (``name-turn``) that the case's run last suspended on."""
    flow_run_id: Mapped[str | None] = mapped_column(index=True)
    runs_started: Mapped[int] = mapped_column(default=0)
    at_rest: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it waits without a run, as one of many that were handed in at once does: the next answer ends that."""


class CaseCounter(Base):
    """The last number given in a year, of cases and of what else is numbered. Incremented inside the transaction that
    uses it: no gaps."""

    __tablename__ = "case_counters"

    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]


class StepRecord(Base):
    """A step that happened, with its result; its primary key is why it cannot happen twice."""

    __tablename__ = "step_records"

    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"), primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    turn: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    result: Mapped[Any] = mapped_column(JSON)


class AnswerSource(StrEnum):
    OFFICER = "officer"
    OBJECTOR = "objector"
    BUREAU = "bureau"
    DEPARTMENT = "department"
    TIME_LIMIT = "time-limit"


class Answer(Base):
    """An answer to a question of a story. One is accepted per question and turn; refused ones are kept with why."""

    __tablename__ = "answers"
    __table_args__ = (
        Index(
            "uq_answers_accepted",
            "case_no",
            "question",
            "turn",
            unique=True,
            sqlite_where=text("refusal IS NULL"),
            postgresql_where=text("refusal IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"), index=True)
    question: Mapped[str]
    turn: Mapped[int]
    source: Mapped[AnswerSource] = mapped_column(enum_text(AnswerSource))
    source_key: Mapped[str] = mapped_column(unique=True)
    """Names the one submission this is, so that submitting it again changes nothing."""
    given: Mapped[dict[str, Any]] = mapped_column(EncryptedJson)
    officer_no: Mapped[str | None] = mapped_column(ForeignKey("officers.staff_no"))
    at: Mapped[datetime]
    refusal: Mapped[str | None]


class Deadline(Base):
    """A time limit on a case: which limit, on which clock, since when, and when it was met or by how much missed."""

    __tablename__ = "deadlines"
    __table_args__ = (
        UniqueConstraint("case_no", "limit_code", "turn"),
        # The watch asks for running ones: in the order of their days, by limit, and those whose day may still move.
        Index(
            "ix_deadlines_running",
            "due_on",
            "case_no",
            sqlite_where=text("met_on IS NULL AND lapsed_on IS NULL"),
            postgresql_where=text("met_on IS NULL AND lapsed_on IS NULL"),
        ),
        Index(
            "ix_deadlines_running_by_limit",
            "limit_code",
            "due_on",
            sqlite_where=text("met_on IS NULL AND lapsed_on IS NULL"),
            postgresql_where=text("met_on IS NULL AND lapsed_on IS NULL"),
        ),
        Index(
            "ix_deadlines_provisional",
            "starts_on",
            "days",
            sqlite_where=text("provisional = 1 AND met_on IS NULL AND lapsed_on IS NULL"),
            postgresql_where=text("provisional AND met_on IS NULL AND lapsed_on IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"))
    limit_code: Mapped[str]
    turn: Mapped[int]
    clock: Mapped[Clock] = mapped_column(enum_text(Clock))
    starts_on: Mapped[date]
    days: Mapped[int]
    due_on: Mapped[date]
    provisional: Mapped[bool]
    rule: Mapped[str]
    met_on: Mapped[date | None]
    lapsed_on: Mapped[date | None]
    """When the case ended without it: declined or withdrawn, there was nothing left to be done in time."""
    missed_by: Mapped[int | None]
    """Working days by which it was missed when it was met or lapsed; 0 when it was not."""
    officer_no: Mapped[str | None] = mapped_column(ForeignKey("officers.staff_no"))
    """Who had the case when it ended, or when its day passed, where the case was handed over since; empty: the case's
    officer."""

    @hybrid_property
    def running(self) -> bool:
        """Whether it is still to be met."""
        return self.met_on is None and self.lapsed_on is None

    @running.inplace.expression
    @classmethod
    def _running(cls) -> ColumnElement[bool]:
        return and_(cls.met_on.is_(None), cls.lapsed_on.is_(None))


class Handover(Base):
    """A case that passed from one officer to another, with the reason."""

    __tablename__ = "handovers"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"), index=True)
    from_no: Mapped[str] = mapped_column(ForeignKey("officers.staff_no"))
    to_no: Mapped[str] = mapped_column(ForeignKey("officers.staff_no"))
    why: Mapped[str] = mapped_column(EncryptedText)
    by_no: Mapped[str] = mapped_column(ForeignKey("officers.staff_no"))
    at: Mapped[datetime]


class CaseMark(Base):
    """A whole name or number by which a case is found, as a blind index: of its objector, of its certificate and whom
    that names, of whoever is filed."""

    __tablename__ = "case_marks"

    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"), primary_key=True)
    mark: Mapped[str] = mapped_column(primary_key=True, index=True)
    """64 hex digits (``tasks.case.marks``)."""


class DeadlineChange(Base):
    """A due date that moved, and the rule that moved it."""

    __tablename__ = "deadline_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    deadline_id: Mapped[int] = mapped_column(ForeignKey("deadlines.id"), index=True)
    from_on: Mapped[date]
    to_on: Mapped[date]
    rule: Mapped[str]
    at: Mapped[datetime]


class Reminder(Base):
    """A reminder that was given; its primary key is why it is given once."""

    __tablename__ = "reminders"

    deadline_id: Mapped[int] = mapped_column(ForeignKey("deadlines.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class StaffTask(Base):
    """Something a person has to see to that no form asks for (an undeliverable notice, a missing calendar)."""

    __tablename__ = "staff_tasks"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    case_no: Mapped[str | None] = mapped_column(ForeignKey("cases.case_no"), index=True)
    what: Mapped[str]
    opened_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    done_by_no: Mapped[str | None] = mapped_column(ForeignKey("officers.staff_no"))
    note: Mapped[str | None] = mapped_column(EncryptedText)
