"""Service guides (办事指南) as departments publish them: which materials an item demands, and in what form.

Versions are only ever added; the newest one of an item counts.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, TypedJson
from regulation.service_guides import Material


class ServiceGuide(Base):
    """A version of a service item's guide. ``brought_by`` is the application or the officer it came from."""

    __tablename__ = "service_guides"
    __table_args__ = (UniqueConstraint("department_uscc", "item_code", "version", name="uq_service_guides_version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    department_uscc: Mapped[str] = mapped_column(ForeignKey("departments.uscc"))
    item_code: Mapped[str]
    version: Mapped[int]
    item_name: Mapped[str]
    materials: Mapped[tuple[Material, ...]] = mapped_column(TypedJson(tuple[Material, ...]))
    brought_by: Mapped[str]
    at: Mapped[datetime]
