"""Random spot checks (随机抽查, Article 17): the list of check items, the register of inspectors, and the rounds.

The register of objects (检查对象名录库) is made anew for each round and kept with it, as it was frozen.
"""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedText, TypedJson, enum_text
from regulation.spot_checks import CheckResult, ObjectKind, TeamStage


class CheckItem(Base):
    """An item of the list of check items (抽查事项清单); a failed one becomes a finding under ``rule``."""

    __tablename__ = "check_items"

    code: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    article: Mapped[int]
    how: Mapped[str]
    kinds: Mapped[tuple[ObjectKind, ...]] = mapped_column(TypedJson(tuple[ObjectKind, ...]))
    rule: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)


class Inspector(Base):
    """An officer on the register of inspectors (检查人员名录库)."""

    __tablename__ = "inspectors"

    staff_no: Mapped[str] = mapped_column(ForeignKey("officers.staff_no"), primary_key=True)
    active: Mapped[bool] = mapped_column(default=True)


class Ties(StrEnum):
    """Why an inspector may not check a department. The values are what people read."""

    OWN = "本部门"
    FORMER = "曾任职"
    DECLARED = "申报回避"


class InspectorConflict(Base):
    """A department that an inspector may not check, up to and with ``until_on`` (``None``: for good)."""

    __tablename__ = "inspector_conflicts"
    __table_args__ = (UniqueConstraint("staff_no", "department_uscc", name="uq_inspector_conflicts_pair"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_no: Mapped[str] = mapped_column(ForeignKey("inspectors.staff_no"))
    department_uscc: Mapped[str] = mapped_column(ForeignKey("departments.uscc"))
    ties: Mapped[Ties] = mapped_column(enum_text(Ties))
    until_on: Mapped[date | None]


class SpotCheck(Base):
    """A round: a case. ``frozen`` is canonical JSON of ``regulation.spot_check_draws.Frozen``."""

    __tablename__ = "spot_checks"

    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"), primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    """The quarter of a scheduled round, the run of one that staff asked for."""
    title: Mapped[str]
    frozen: Mapped[str]
    list_hash: Mapped[str]
    seed: Mapped[str | None] = mapped_column(EncryptedText)
    """64 hex digits; secret until the results are published."""
    commitment: Mapped[str | None]
    committed_at: Mapped[datetime | None]
    drawn_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]


class SpotCheckTeam(Base):
    """The team that checks a department in a round, and who of it signed the results."""

    __tablename__ = "spot_check_teams"

    case_no: Mapped[str] = mapped_column(ForeignKey("spot_checks.case_no"), primary_key=True)
    department_uscc: Mapped[str] = mapped_column(ForeignKey("departments.uscc"), primary_key=True)
    drawn: Mapped[list[str]]
    """The staff numbers that were drawn."""
    inspectors: Mapped[list[str]]
    """Who checks: those drawn but for whoever was replaced."""
    stage: Mapped[TeamStage] = mapped_column(enum_text(TeamStage))
    entered_by: Mapped[str | None] = mapped_column(ForeignKey("officers.staff_no"))
    confirmed_by: Mapped[str | None] = mapped_column(ForeignKey("officers.staff_no"))
    returned: Mapped[str | None] = mapped_column(EncryptedText)
    """Why the colleague sent the results back last."""


class SpotCheckObject(Base):
    """A drawn object."""

    __tablename__ = "spot_check_objects"

    case_no: Mapped[str] = mapped_column(ForeignKey("spot_checks.case_no"), primary_key=True)
    object_id: Mapped[str] = mapped_column(primary_key=True, index=True)
    department_uscc: Mapped[str] = mapped_column(ForeignKey("departments.uscc"))
    kind: Mapped[ObjectKind] = mapped_column(enum_text(ObjectKind))
    item: Mapped[str]
    title: Mapped[str]
    place: Mapped[int]
    """Its place in the sample, from 1."""
    drawn_on: Mapped[date]


class SpotCheckResult(Base):
    """What a team found of an object under a check item."""

    __tablename__ = "spot_check_results"

    case_no: Mapped[str] = mapped_column(ForeignKey("spot_checks.case_no"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    item_code: Mapped[str] = mapped_column(primary_key=True)
    result: Mapped[CheckResult] = mapped_column(enum_text(CheckResult))
    note: Mapped[str] = mapped_column(EncryptedText)
