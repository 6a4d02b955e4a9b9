"""What a person has to see to that no form asks for: an undeliverable notice, a late reply, a missing calendar."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import StaffTask


def open_staff_task(session: Session, key: str, case_no: str | None, what: str, at: datetime) -> None:
    """Leave something for a person to see to, once for a ``key``."""
    if session.scalar(select(StaffTask.id).where(StaffTask.key == key)) is None:
        session.add(StaffTask(key=key, case_no=case_no, what=what, opened_at=at))
