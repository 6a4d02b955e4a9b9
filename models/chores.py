"""What the system does by itself every few minutes, and when each was last done."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class ChoreDone(Base):
    """When a chore was last taken up and last done; ``trouble`` is the kind of error that it ended with since, empty
    where it was done."""

    __tablename__ = "chores"

    chore: Mapped[str] = mapped_column(primary_key=True)
    """Its name as staff read it (tasks.desk.rounds.Chore)."""
    began_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    trouble: Mapped[str]
