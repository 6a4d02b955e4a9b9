"""What is being started at the desk: typed, kept, looked at before it is signed, signed, and what came of it.

Of an entry nothing happens before it is signed. Its id names the submission: however often it is sent, and from however
many windows, one thing comes of it.
"""

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.cases import Case
from models.desk import DeskEntry, DeskEntryFile
from models.organisations import Officer
from regulation.limits import ATTACHMENT_COUNT, ENTRIES, ENTRY_LIFE
from runtime import clock
from runtime.database import reading, together, transaction
from runtime.keys import keys
from runtime.refusals import InputError, RefusalError
from runtime.settings import settings
from tasks.audit import record
from tasks.case.answers import ChangedError
from tasks.case.attachments import File
from tasks.case.kind import REMARK, TYPED_LATE_WHY, Lines
from tasks.case.start import Begun, Start
from tasks.desk.door import SignedIn
from tasks.desk.sheets import OFFICER_LINE, Sheet, sheet_within
from tasks.desk.starts import STARTS
from tasks.desk.told import ToldNotice, told_since
from tasks.desk.typed import ROWS, read, under
from tasks.office.signatures import SignatureError, look_at
from tasks.register.look_ups import LOOKED_UP, root_named

LIFE = timedelta(days=ENTRY_LIFE.value)
REMEMBERED = timedelta(days=7)
"""How long it is known what came of an entry, once it has expired."""
GONE = "没有这份登记：它不是您的，或者已超过一天没有签名，内容已删除。请重新填写。"
CHANGED = "这份登记在您核对之后又改过，请按现在的内容再核对一次，然后签名。"
_ID = re.compile(r"[\w-]{32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as its pages show it. ``files``: number, name and size in bytes."""

    id: str
    start: type[Start]
    typed: Mapping[str, str]
    files: tuple[tuple[int, str, int], ...]
    expires_at: datetime
    case_no: str | None
    came_of_it: Mapping[str, Any] | None
    shown: str
    """The digest of what stands in it, which a signature is for."""

    @property
    def about(self) -> str:
        """The first things that were typed, by which one of several is told from the others."""
        said = [text.strip() for name, text in self.typed.items() if text.strip() and not name.endswith(f"-{ROWS}")]
        return "、".join(text[:12] for text in said[:3])


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would come of an entry: in a sentence, the cases as they would stand, and the letters that would go."""

    sentence: str
    sheet: Sheet | None
    officer_no: str
    letters: tuple[ToldNotice, ...]
    doubts: Mapping[str, str]


def new_id() -> str:
    """The id of an entry that is not kept yet."""
    return secrets.token_urlsafe(24)


def entry_of(entry_id: str, code: str, by: SignedIn) -> Entry:
    """An entry of one's own, or one that a run has opened for whoever takes it. Raises ``LookupError`` for another."""
    with reading() as session:
        return _as_shown(session, _own(session, entry_id, code, by.staff_no))


def known_entry(entry_id: str, code: str, by: SignedIn) -> Entry | None:
    """As ``entry_of``, ``None`` for an id that nothing is kept under yet."""
    with reading() as session:
        if session.get(DeskEntry, entry_id) is None and _ID.fullmatch(entry_id):
            return None
    return entry_of(entry_id, code, by)


def unfinished(by: SignedIn) -> list[Entry]:
    """The entries that somebody has not signed yet, the latest first."""
    with reading() as session:
        wanted = select(DeskEntry).where(*_unsigned(by, clock.now()))
        rows = session.scalars(wanted.order_by(DeskEntry.opened_at.desc()))
        return [_as_shown(session, row) for row in rows if row.start in STARTS]


def _unsigned(by: SignedIn, now: datetime) -> list[ColumnElement[bool]]:
    """What holds of the entries that somebody has not signed yet."""
    return [DeskEntry.opened_by == by.staff_no, DeskEntry.begun_at.is_(None), DeskEntry.expires_at > now]


def keep(
    entry_id: str,
    code: str,
    by: SignedIn,
    typed: Mapping[str, str],
    files: Sequence[File] = (),
    dropped: Sequence[int] = (),
) -> Entry:
    """Keep what was typed, and checked files; the entry. One that a run has opened is theirs from now on. Of an entry
    that is signed already nothing changes.

    Raises ``LookupError`` for an entry of somebody else's, ``InputError`` for more files than there may be,
    ``RefusalError`` for more entries than an officer may leave unsigned.
    """
    with transaction() as session:
        now = clock.now()
        if not _ID.fullmatch(entry_id):
            raise LookupError(GONE)
        new = {"id": entry_id, "start": code, "opened_by": by.staff_no, "typed": {}, "run_ended": True}
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        # The same page may be sent twice at once.
        opened = insert(DeskEntry).values(**new, opened_at=now, expires_at=now + LIFE)
        session.execute(opened.on_conflict_do_nothing())
        row = _own(session, entry_id, code, by.staff_no, locked=True)
        if (session.scalar(select(func.count()).where(*_unsigned(by, now))) or 0) > ENTRIES.value:
            raise RefusalError(f"您未完成的登记已有{ENTRIES.value}件，请先到“登记”页办完或者删除几件。")
        if row.begun_at is None:
            row.opened_by = by.staff_no
            row.typed = dict(typed)
            _keep_files(session, entry_id, files, dropped)
        session.flush()
        return _as_shown(session, row)


def _keep_files(session: Session, entry_id: str, files: Sequence[File], dropped: Sequence[int]) -> None:
    mine = DeskEntryFile.entry_id == entry_id
    session.execute(delete(DeskEntryFile).where(mine, DeskEntryFile.id.in_(dropped)))
    # Sent again with the back button, a file is the same file.
    there = {(file.name, file.content) for file in session.scalars(select(DeskEntryFile).where(mine))}
    for file in files:
        if (file.name, file.content) in there:
            continue
        if len(there) >= ATTACHMENT_COUNT.value:
            raise InputError.of("files", f"附件最多{ATTACHMENT_COUNT.value}个；请先去掉不需要的附件。")
        there.add((file.name, file.content))
        row = DeskEntryFile(entry_id=entry_id, name=file.name, media_type=file.media_type, content=file.content)
        session.add(row)


def drop(entry_id: str, code: str, by: SignedIn) -> None:
    """Forget an entry that is not wanted any more. Raises ``LookupError`` for somebody else's."""
    with transaction() as session:
        row = _own(session, entry_id, code, by.staff_no)
        if row.begun_at is None:
            session.execute(delete(DeskEntryFile).where(DeskEntryFile.entry_id == entry_id))
            row.typed, row.expires_at = {}, clock.now()


def check_may_start(start: type[Start], by: SignedIn) -> None:
    """Raise ``RefusalError`` for somebody who may not start this at all."""
    with reading() as session:
        start.check_officer(session.get_one(Officer, by.staff_no))


def follows(start: type[Start], typed: Mapping[str, str], by: SignedIn) -> Mapping[str, str]:
    """What follows for empty fields from what is typed. Where that is what a certificate says, it is a look at it, and
    on record."""
    with transaction() as session:
        known = start.known(session, typed)
        if known and start.about.finds:
            root = root_named(session, typed.get("certificate_type", ""), typed.get(start.about.finds, ""))
            record(session, LOOKED_UP, None, by.staff_no, clock.now(), roots=[root])
        return known


def check(entry: Entry, by: SignedIn) -> Start:
    """What an entry says, if it can be signed. Raises ``RefusalError``; ``InputError`` says of which fields."""
    with reading() as session:
        start = _read(session, entry)
        officer = session.get_one(Officer, by.staff_no)
        start.check_officer(officer)
        start.check(session, officer, clock.today())
    return start


def _read(session: Session, entry: Entry) -> Start:
    """What an entry says in the fields that its form has. Of a group whose fields follow from what is typed others may
    have been sent: nobody was shown them."""
    typed = dict(entry.typed)
    for name, parts in entry.start.parts(session, entry.typed).items():
        for other in under(typed, name).keys() - {part.name for part in parts}:
            del typed[f"{name}-{other}"]
    return read(entry.start, typed)


def foresee(entry: Entry, by: SignedIn) -> Foreseen:
    """What would come of an entry if it were signed now: it is done, looked at, and undone. That somebody looked is on
    record, because it tells them what the register knows of what they typed. Raises what ``check`` and the work itself
    raise."""
    start = check(entry, by)
    with transaction() as session:
        detail = {"start": entry.start.about.code, "shown": entry.shown}
        record(session, "desk:entry:foreseen", None, by.staff_no, clock.now(), **detail)
    with together(rehearsed=True) as session:
        now = clock.now()
        begun = start.begin(_key(entry.id), session.get_one(Officer, by.staff_no), _files(session, entry.id))
        session.flush()
        case = session.get_one(Case, begun.case_no) if begun.case_no is not None else None
        sheet = sheet_within(session, case) if case is not None else None
        remarks = {title: said for title, said in sheet.lines if title == REMARK} if sheet is not None else {}
        cases = [*begun.news, *([begun.case_no] if begun.case_no else [])]
        return Foreseen(
            sentence=begun.sentence,
            sheet=sheet,
            officer_no=case.officer_no if case is not None else "",
            letters=told_since(session, cases, now),
            doubts={**start.doubts(session, clock.local_date(now)), **remarks},
        )


def sign(entry_id: str, code: str, by: SignedIn, one_time_code: str, shown: str) -> Begun | None:
    """Do what an entry says: signature, work, and what is kept of it are one transaction. ``None`` where that has
    happened already.

    ``shown`` is the digest of what the officer has looked at. Raises what ``check`` and the work raise,
    ``ChangedError`` for an entry that says something else meanwhile, ``SignatureError``; then nothing has happened and
    no right code is spent.
    """
    with together() as session:
        row = _own(session, entry_id, code, by.staff_no, locked=True)
        if row.begun_at is not None:
            return None
        entry = _as_shown(session, row)
        if entry.shown != shown:
            raise ChangedError(CHANGED)
        start = _read(session, entry)
        officer = session.get_one(Officer, by.staff_no)
        start.check_officer(officer)
        start.check(session, officer, clock.today())
        found = look_at(session, by.staff_no, one_time_code, by.source)
        begun = None if isinstance(found, SignatureError) else start.begin(_key(row.id), found, _files(session, row.id))
        if begun is not None:
            _close(session, row, begun, by, shown)
    # Only now, because a wrong code has to be counted.
    if isinstance(found, SignatureError):
        raise found
    return begun


def _close(session: Session, row: DeskEntry, begun: Begun, by: SignedIn, shown: str) -> None:
    """Put on record what came of an entry, and keep no more of it than that."""
    now = clock.now()
    session.flush()
    lines: Lines = []
    if begun.case_no is not None:
        case = session.get_one(Case, begun.case_no)
        sheet = sheet_within(session, case)
        # It may go to whoever stands at the counter.
        lines = [*(line for line in sheet.lines if line[0] not in FOR_STAFF), ("经办人", f"工号{case.officer_no}")]
        lines += [(limit.label, f"{limit.due_on}{'（暂定）' if limit.provisional else ''}") for limit in sheet.limits]
    lines += [("登记人", f"工号{by.staff_no}"), ("登记时间", f"{now.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}")]
    row.opened_by, row.begun_at, row.case_no, row.typed = by.staff_no, now, begun.case_no, {}
    row.came_of_it = {"sentence": begun.sentence, "lines": lines}
    session.execute(delete(DeskEntryFile).where(DeskEntryFile.entry_id == row.id))
    detail = {"start": row.start, "case": begun.case_no, "shown": shown}
    record(session, "desk:entry:signed", None, by.staff_no, now, **detail)


FOR_STAFF = frozenset({REMARK, TYPED_LATE_WHY, OFFICER_LINE})
"""Lines of a sheet that are on no receipt, or stand there in other words."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An entry as the run that opened it knows it. ``came_of_it``: the number of the case, or what it was, once it is
    signed; nothing more of it goes into Prefect."""

    id: str
    came_of_it: str
    expired: bool


def open_for_run(code: str, run_id: str) -> Opened:
    """The entry that a run has opened, which it does now if it has not before."""
    with transaction() as session:
        now = clock.now()
        row = session.scalar(select(DeskEntry).where(DeskEntry.flow_run_id == run_id))
        if row is None:
            row = DeskEntry(id=new_id(), start=code, typed={}, opened_at=now, expires_at=now + LIFE, flow_run_id=run_id)
            session.add(row)
            session.flush()
        came_of_it = (row.case_no or STARTS[code].about.named) if row.begun_at is not None else ""
        expired = not came_of_it and row.expires_at <= now
        row.run_ended = expired or bool(came_of_it)
        return Opened(row.id, came_of_it, expired)


def runs_to_tell(now: datetime) -> dict[str, str]:
    """The runs that do not know yet what came of the entries that they opened, or that nothing will, by entry."""
    with reading() as session:
        over = or_(DeskEntry.begun_at.is_not(None), DeskEntry.expires_at <= now)
        wanted = select(DeskEntry.id, DeskEntry.flow_run_id).where(DeskEntry.run_ended.is_(False), over)
        return {entry: run for entry, run in session.execute(wanted).tuples() if run is not None}


def run_is_over(entry_id: str) -> None:
    """Nobody has to be told any more: the run of an entry has been cancelled or deleted."""
    with transaction() as session:
        session.get_one(DeskEntry, entry_id).run_ended = True


def entry_address(entry_id: str, code: str) -> str:
    """The desk's page of an entry."""
    return f"{settings().desk}/desk/start/{code}?entry={entry_id}"


def run_of(entry_id: str) -> str | None:
    """The run that has opened an entry, as long as it does not know what came of it."""
    with reading() as session:
        row = session.get(DeskEntry, entry_id)
        return row.flow_run_id if row is not None and not row.run_ended else None


def forget_entries(now: datetime) -> int:
    """Delete what was typed into entries that have expired; how many. What came of those that were signed is known for
    some days more."""
    with transaction() as session:
        expired = select(DeskEntry).where(DeskEntry.expires_at <= now, DeskEntry.begun_at.is_(None))
        rows = session.scalars(expired).all()
        session.execute(delete(DeskEntryFile).where(DeskEntryFile.entry_id.in_([row.id for row in rows])))
        forgotten = 0
        for row in rows:
            forgotten += bool(row.typed)
            row.typed = {}
        session.execute(delete(DeskEntry).where(DeskEntry.expires_at <= now - REMEMBERED))
        return forgotten


def _own(session: Session, entry_id: str, code: str, staff_no: str, *, locked: bool = False) -> DeskEntry:
    row = session.get(DeskEntry, entry_id, with_for_update=locked or None)
    theirs = row is not None and row.start == code and row.opened_by in (None, staff_no)
    if row is None or not theirs or (row.begun_at is None and row.expires_at <= clock.now()):
        raise LookupError(GONE)
    return row


def _as_shown(session: Session, row: DeskEntry) -> Entry:
    files = list(session.scalars(select(DeskEntryFile).where(DeskEntryFile.entry_id == row.id)))
    said = json.dumps([row.start, sorted(row.typed.items()), [file.id for file in files]], ensure_ascii=False)
    return Entry(
        id=row.id,
        start=STARTS[row.start],
        typed=row.typed,
        files=tuple((file.id, file.name, len(file.content)) for file in files),
        expires_at=row.expires_at,
        case_no=row.case_no,
        came_of_it=row.came_of_it,
        shown=keys().digest("entry", said),
    )


def _files(session: Session, entry_id: str) -> list[File]:
    rows = session.scalars(select(DeskEntryFile).where(DeskEntryFile.entry_id == entry_id).order_by(DeskEntryFile.id))
    return [File(row.name, row.media_type, row.content) for row in rows]


def _key(entry_id: str) -> str:
    return f"entry:{entry_id}"
