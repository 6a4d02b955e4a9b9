"""What was handed in under a number of its sender's, so that it is one thing however often it comes."""

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Submission(Base):
    """A submission: what it is about, who sent it under which number, and a keyed digest of its content (empty: from
    before these were kept)."""

    __tablename__ = "submissions"

    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
