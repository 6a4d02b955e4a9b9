"""Rules that a program can run again for one department, to see whether a finding's cause is gone (Article 17)."""

from collections.abc import Callable, Mapping
from datetime import date

from sqlalchemy.orm import Session

from models.findings import Finding
from tasks import go_live_check
from tasks.liaisons import liaison_on_file


def _liaison_missing(session: Session, finding: Finding, today: date) -> str | None:
    if liaison_on_file(session, finding.department_uscc, today):
        return None
    return f"截至{today}，本部门仍没有在册的电子证照管理专人（第十三条）。"


RECHECKS: Mapping[str, Callable[[Session, Finding, date], str | None]] = {
    "liaison-missing": _liaison_missing,
    **go_live_check.RECHECKS,
}
"""By the rule's code: ``None`` when the cause of the finding is gone on a day, else the fact that remains, in Chinese
and without personal data. A rule that is not here is rechecked by a person."""
