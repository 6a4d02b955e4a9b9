"""What departments say to their cases (Articles 16 and 17), by link or from a system of their own."""

from collections.abc import Callable, Sequence
from datetime import datetime

from pydantic import BaseModel
from sqlalchemy.orm import Session

from models.cases import Case
from runtime import clock
from runtime.database import transaction
from tasks.audit import record
from tasks.case.attachments import File, keep_files
from tasks.case.department_links import Correspondent, Told
from tasks.case.step import locked_case
from tasks.case.submissions import came_before

Take = Callable[[Session, Case, str, datetime], None]
"""Puts a word on record, given its case, which is locked, the key of its answer, and when it came."""


def take_word(
    who: Correspondent,
    what: type[Told],
    word: BaseModel,
    files: Sequence[File],
    submission_no: str,
    take: Take,
    tag: str,
    **detail: object,
) -> str:
    """Let ``take`` record a department's word about its case, together with its files and an entry in the audit trail;
    the case number. The same submission again changes nothing.

    Raises what ``take`` and ``came_before`` raise, and ``NotFoundError`` for another's case or none.
    """
    with transaction() as session:
        case, now = locked_case(session, who.find(session, what).case_no), clock.now()
        source_key = f"{case.case_no}:department:{who.by}:{submission_no}"
        if not came_before(session, "answer", source_key, word, files=files):
            take(session, case, source_key, now)
            keep_files(session, case.case_no, files, now)
            record(session, tag, case.case_no, who.by, now, **detail, files=len(files))
        return case.case_no
