"""Reports on supervision as they were made: what leaders were shown stays what they were shown."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, TypedJson


class SupervisionReport(Base):
    """The report of a month (``2026-10``) or a quarter (``2026-Q3``). Nothing of a person is in it."""

    __tablename__ = "supervision_reports"

    code: Mapped[str] = mapped_column(primary_key=True)
    made_at: Mapped[datetime]
    summary: Mapped[tuple[tuple[str, str], ...]] = mapped_column(TypedJson(tuple[tuple[str, str], ...]))
    """Its main figures: name and value."""
    html: Mapped[str]
    markdown: Mapped[str]
    """As the Prefect UI shows it."""
    pdf: Mapped[bytes]
