"""Years whose arrangement of holidays staff have published here because the calendar library did not know it yet."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class PublishedYear(Base):
    """The State Council's arrangement for a year: ISO dates off with their names, and ISO weekend dates worked."""

    __tablename__ = "published_years"

    year: Mapped[int] = mapped_column(primary_key=True)
    days_off: Mapped[dict[str, Any]]
    days_worked: Mapped[list[str]]
    officer_no: Mapped[str] = mapped_column(ForeignKey("officers.staff_no"))
    at: Mapped[datetime]
