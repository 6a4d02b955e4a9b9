"""The files of a case as its page shows them: who handed what in when, and what can be seen in place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Case
from models.objections import Attachment
from models.records import AuditEntry
from runtime import clock
from runtime.database import reading
from tasks.case.attachments import OFD
from tasks.case.kind import KindSheet, in_words
from tasks.desk.kinds import KINDS
from tasks.desk.pictures import SHOWN_PAGES, count_pages, known_pages
from tasks.desk.sheets import HAPPENED

PICTURES = ("image/jpeg", "image/png")
"""Types of files that a browser shows by itself and that hold nothing to run."""
PDF = "application/pdf"
KINDS_OF_FILES = {PDF: "PDF", "image/jpeg": "JPEG", "image/png": "PNG", OFD: "OFD"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file of the case. ``pages`` are those of a PDF that are shown in place, of ``all_pages``."""

    id: int
    name: str
    media_type: str
    size: int
    case_no: str
    at: datetime
    all_pages: int = 0

    @property
    def is_picture(self) -> bool:
        return self.media_type in PICTURES

    @property
    def pages(self) -> range:
        return range(1, min(self.all_pages, SHOWN_PAGES) + 1)

    @property
    def described(self) -> str:
        """What it is, in a few words."""
        size = f"{self.size / 2**20:.1f}MB" if self.size >= 2**20 else f"{max(1, round(self.size / 2**10))}KB"
        pages = f"，{self.all_pages}页" if self.all_pages > 1 else ""
        return f"{KINDS_OF_FILES.get(self.media_type, '文件')}，{size}{pages}"


@dataclass(frozen=True, slots=True)
class HandedIn:
    """Files that came together: when, on what occasion, and from whom."""

    day: str
    what: str
    who: str
    case_no: str
    files: tuple[Evidence, ...]


def handed_in(session: Session, case: Case, sheet: KindSheet, named: Callable[[str], str]) -> tuple[HandedIn, ...]:
    """The case's files by when they came, the latest first; ``named`` says who an actor of the audit trail is."""
    groups: dict[tuple[datetime, str], list[Evidence]] = {}
    for file in _files(session, sheet.files_of(session, case)):
        groups.setdefault((file.at, file.case_no), []).append(file)
    return tuple(
        _group(session, sheet, named, files, at, case_no) for (at, case_no), files in sorted(groups.items())[::-1]
    )


def look_at_files(case_no: str) -> None:
    """Find out how many pages a case's PDFs have, where that is not known: outside of any transaction, because other
    programs are asked."""
    with reading() as session:
        case = session.get(Case, case_no)
        if case is None:
            return
        mine = Attachment.case_no.in_(KINDS[case.kind].sheet.files_of(session, case))
        wanted = select(Attachment.id, Attachment.sha256).where(mine, Attachment.media_type == PDF)
        files = session.execute(wanted.order_by(Attachment.id)).tuples().all()
    for number, sha256 in files:
        count_pages(sha256, partial(_content, number))


def _content(number: int) -> bytes:
    with reading() as session:
        return session.scalars(select(Attachment.content).where(Attachment.id == number)).one()


def _group(
    session: Session, sheet: KindSheet, named: Callable[[str], str], files: Sequence[Evidence], at: datetime, of: str
) -> HandedIn:
    happened = {**HAPPENED, **sheet.happened}
    wanted = select(AuditEntry).where(AuditEntry.case_no == of, AuditEntry.at == at, AuditEntry.tag.in_(happened))
    entry = session.scalars(wanted.order_by(AuditEntry.id)).first()
    first = select(AuditEntry.at).where(AuditEntry.case_no == of).order_by(AuditEntry.id).limit(1)
    what = "登记时提交" if at <= (session.scalar(first) or at) else "后来提交"
    if entry is not None and what != "登记时提交":
        what = in_words(happened[entry.tag], entry.detail)
    who = named(entry.actor) if entry is not None else ""
    return HandedIn(f"{clock.local_date(at)}", what, who, of, tuple(files))


def _files(session: Session, case_nos: Sequence[str]) -> list[Evidence]:
    wanted = (
        select(
            Attachment.id, Attachment.name, Attachment.media_type, Attachment.size, Attachment.case_no, Attachment.at
        )
        .add_columns(Attachment.sha256)
        .where(Attachment.case_no.in_(case_nos))
    )
    found = []
    for *columns, sha256 in session.execute(wanted.order_by(Attachment.case_no, Attachment.id)).tuples():
        number, name, media_type, size, of, at = columns
        found.append(Evidence(number, name, media_type, size, of, at, known_pages(sha256)))
    return found
