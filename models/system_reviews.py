"""New-system reviews (新建系统评审, Article 17): what departments submit, version by version, and what they promise."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedJson, TypedJson
from regulation.system_reviews import Gap


class SystemReview(Base):
    """A case about a project. One that was not reviewed, or failed, comes again as a case of its own, which names the
    one before."""

    __tablename__ = "system_reviews"
    __table_args__ = (Index("ix_system_reviews_department_uscc_project_code", "department_uscc", "project_code"),)

    case_no: Mapped[str] = mapped_column(ForeignKey("cases.case_no"), primary_key=True)
    department_uscc: Mapped[str] = mapped_column(ForeignKey("departments.uscc"))
    project_code: Mapped[str]
    project_name: Mapped[str]
    previous_case_no: Mapped[str | None] = mapped_column(ForeignKey("system_reviews.case_no"))
    gaps: Mapped[tuple[Gap, ...]] = mapped_column(TypedJson(tuple[Gap, ...]))
    """Why it is not reviewed; empty for one that is."""
    reference: Mapped[str | None] = mapped_column(unique=True)
    """Of a review that was passed."""
    passed_on: Mapped[date | None]
    go_live_on: Mapped[date]
    """The planned day of going live."""
    live_on: Mapped[date | None]
    """The day on which it went live, once the department has reported it."""

    @property
    def went_live_on(self) -> date:
        """From when the promises count: the reported day, else the planned one."""
        return self.live_on or self.go_live_on


class SystemReviewVersion(Base):
    """A submission as it came. Versions are numbered over all cases of a project."""

    __tablename__ = "system_review_versions"

    case_no: Mapped[str] = mapped_column(ForeignKey("system_reviews.case_no"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    submission_key: Mapped[str] = mapped_column(unique=True)
    given: Mapped[dict[str, Any]] = mapped_column(EncryptedJson)
    """``tasks.system_reviews.submissions.SystemReviewForm``, certificate types and fields by their codes."""
    entered_by: Mapped[str]
    at: Mapped[datetime]


class PromisedEntry(Base):
    """A line of the use list that a passed project promised to propose and to use."""

    __tablename__ = "system_review_promises"

    case_no: Mapped[str] = mapped_column(ForeignKey("system_reviews.case_no"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    item_code: Mapped[str]
    item_name: Mapped[str]
    type_code: Mapped[str] = mapped_column(ForeignKey("certificate_types.code"))
    scenario: Mapped[str]
    fields: Mapped[tuple[str, ...]] = mapped_column(TypedJson(tuple[str, ...]))
    holder_alone: Mapped[bool]
    used_on: Mapped[date | None]
    """A day after going live on which it was used; ``None``: none has been seen."""
    looked_until: Mapped[datetime | None]
    """Up to when the audit trail has been looked through for a use."""
