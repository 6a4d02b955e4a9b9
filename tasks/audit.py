"""The audit trail (Article 14): what was done to which case, by whom and when, as entries that are only ever added."""

from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from models.records import AuditEntry

NEW_ENTRY = insert(AuditEntry)


def record(session: Session, tag: str, case_no: str | None, actor: str, at: datetime, **detail: Any) -> None:
    """Append an entry to the audit trail (Article 14) inside the caller's transaction."""
    session.connection().execute(NEW_ENTRY, new_entry(tag, case_no, actor, at, detail))


def new_entry(tag: str, case_no: str | None, actor: str, at: datetime, detail: dict[str, Any]) -> dict[str, Any]:
    """An entry's columns: many are kept and appended together."""
    return {"at": at, "case_no": case_no, "actor": actor, "tag": tag, "holder_index": None, "detail": detail}
