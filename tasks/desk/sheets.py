"""A case on one sheet, with nothing of a person on it that is not masked: for forms, timelines and status pages."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from models.cases import Case, Deadline, DeadlineChange
from models.objections import Attachment
from models.organisations import Officer
from models.records import AuditEntry
from regulation.limits import Clock
from regulation.working_days import DayCounted
from runtime import clock
from runtime.database import reading, transaction
from runtime.keys import keys
from runtime.refusals import InputError, RefusalError
from runtime.settings import settings
from tasks.audit import record
from tasks.backfill.steps import scan_added
from tasks.case.attachments import check_files, keep_files
from tasks.case.calendars import working_days
from tasks.case.kind import Happened, KindSheet, Table, in_words
from tasks.case.step import locked_case
from tasks.desk.kinds import CASE_LIMITS, KINDS
from tasks.office.officers import check_may_act
from tasks.office.signatures import SignatureError, sign_on_page

HAPPENED: Happened = {
    "case:deadline:moved": "截止日变动：{from_on}改为{to_on}（{rule}）",
    "case:officer:changed": "移交经办人",
    "case:attachments:added": "工作人员添加附件（{files}个）",
}
"""What the entries of the audit trail that a case of any kind can have are called on a timeline."""


@dataclass(frozen=True, slots=True)
class LimitLine:
    """A time limit on the sheet; ``left`` is what is left of it today, in words."""

    label: str
    statutory: bool
    starts_on: date
    due_on: date
    provisional: bool
    met_on: date | None
    lapsed_on: date | None
    missed_by: int | None
    left: str
    moves: tuple[str, ...]
    explanation: tuple[DayCounted, ...]

    @property
    def standing(self) -> str:
        missed = f"，超期{self.missed_by}个工作日" if self.missed_by else ""
        if self.met_on is not None:
            return f"已于{self.met_on}完成{missed}"
        if self.lapsed_on is not None:
            return f"已于{self.lapsed_on}终止，不再适用{missed}"
        return self.left


@dataclass(frozen=True, slots=True)
class Sheet:
    """The masked case as people see it."""

    case_no: str
    stage: str
    kind: str
    subject: str
    lines: tuple[tuple[str, str], ...]
    limits: tuple[LimitLine, ...]
    timeline: tuple[tuple[str, str], ...]
    further: Table | None
    """A table of the kind's own, below the others."""

    @property
    def run_name(self) -> str:
        return f"{self.kind} {self.case_no} · {self.subject} · {self.stage}"

    def table(self) -> str:
        """The sheet as Markdown, for the head of a form."""
        rows = (*self.lines, *((limit.label, _due(limit)) for limit in self.limits))
        tables = [Table(("项目", "内容"), rows), self.further]
        return "\n\n".join(table.markdown() for table in tables if table is not None)

    def timeline_table(self) -> str:
        """What happened so far as a Markdown table."""
        return Table(("时间", "事项"), self.timeline).markdown()


def _due(limit: LimitLine) -> str:
    kind = "法定" if limit.statutory else "内部"
    unsettled = "（暂定，放假安排尚未公布）" if limit.provisional else ""
    return f"{kind}，{limit.due_on}截止{unsettled}，{limit.standing}"


def sheet_of(case_no: str, kind: KindSheet | None = None) -> Sheet:
    """The sheet of a case as staff see it, or as another ``kind`` of sheet shows it. ``LookupError`` when there is no
    such case."""
    with reading() as session:
        case = session.get(Case, case_no)
        if case is None:
            raise LookupError(f"没有编号为{case_no}的办件。")
        kind = kind or KINDS[case.kind].sheet
        stage, ended_at = kind.stage(session, case), kind.ended_at(session, case)
        return Sheet(
            case_no=case_no,
            stage=stage,
            kind=kind.name,
            subject=kind.subject(session, case),
            lines=(
                ("办件编号", case.case_no),
                ("当前环节", stage),
                ("收到日期", str(case.received_on)),
                *kind.lines(session, case),
                ("经办人", case.officer_no),
                ("适用办法", case.measures_version),
            ),
            # Those that run on are the others'.
            limits=tuple(_limits(session, case_no)) if ended_at is None else (),
            timeline=tuple(_timeline(session, case, kind, ended_at)),
            further=kind.further(session, case),
        )


def _limits(session: Session, case_no: str) -> list[LimitLine]:
    calendar, today = working_days(session), clock.today()
    lines = []
    for deadline in session.scalars(select(Deadline).where(Deadline.case_no == case_no).order_by(Deadline.id)):
        moves = session.scalars(
            select(DeadlineChange).where(DeadlineChange.deadline_id == deadline.id).order_by(DeadlineChange.id)
        )
        lines.append(
            LimitLine(
                label=CASE_LIMITS[deadline.limit_code].label,
                statutory=deadline.clock is Clock.STATUTORY,
                starts_on=deadline.starts_on,
                due_on=deadline.due_on,
                provisional=deadline.provisional and deadline.running,
                met_on=deadline.met_on,
                lapsed_on=deadline.lapsed_on,
                missed_by=deadline.missed_by,
                left=calendar.time_left(today, deadline.due_on),
                explanation=tuple(calendar.explain(deadline.starts_on, deadline.days)),
                moves=tuple(f"{move.from_on}改为{move.to_on}：{move.rule}" for move in moves),
            )
        )
    return lines


def _timeline(session: Session, case: Case, kind: KindSheet, until: datetime | None) -> list[tuple[str, str]]:
    happened = {**HAPPENED, **kind.happened}
    # A batch has an entry for every row, which are nobody's to look through here.
    theirs = and_(AuditEntry.case_no == case.case_no, AuditEntry.tag.in_(sorted(happened)))
    lead = kind.handled_in(session, case)
    if lead is not None:
        tags = AuditEntry.tag.in_(sorted(kind.shared))
        theirs = or_(theirs, and_(AuditEntry.case_no == lead, AuditEntry.at >= case.opened_at, tags))
    wanted = select(AuditEntry).where(theirs)
    if until is not None:
        wanted = wanted.where(AuditEntry.at <= until)
    return [
        (
            f"{entry.at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}",
            in_words((kind.shared if entry.case_no == lead else happened)[entry.tag], entry.detail),
        )
        for entry in session.scalars(wanted.order_by(AuditEntry.id))
    ]


@dataclass(frozen=True, slots=True)
class FullSheet:
    """A case with everything in it, for an officer who signed; attachments as (name, ticket)."""

    case_no: str
    lines: tuple[tuple[str, str], ...]
    attachments: tuple[tuple[str, str], ...]
    upload_ticket: str
    """Lets the officer add attachments; empty for a closed case, which takes none."""


def full_sheet_link(case_no: str) -> str:
    """Where an officer signs to read the unmasked case: it must not pass through Prefect."""
    return f"{settings().public_url}/desk/{case_no}"


def full_sheet(case_no: str, staff_no: str, code: str, address: str) -> FullSheet:
    """The unmasked case, for an officer who may act on it and signs from an ``address``; the look itself goes on record
    (Article 14).

    Raises what ``sign_on_page`` raises, ``RefusalError`` for an unknown case or somebody else's.
    """
    officer = sign_on_page(staff_no, code, address)
    with transaction() as session:
        return _full_sheet(session, case_no, officer, clock.now())


def _full_sheet(session: Session, case_no: str, officer: Officer, at: datetime) -> FullSheet:
    case = session.get(Case, case_no)
    if case is None:
        raise RefusalError(f"没有编号为{case_no}的办件，请核对编号。")
    check_may_act(session, officer, case, clock.local_date(at))
    record(session, "case:sheet:read", case_no, officer.staff_no, at)
    kind = KINDS[case.kind].sheet
    lines = (("环节", case.stage), *kind.full_lines(session, case))
    mine = Attachment.case_no.in_(kind.files_of(session, case))
    files = session.scalars(select(Attachment).where(mine).order_by(Attachment.case_no, Attachment.id))
    attachments = tuple(
        (
            file.name if file.case_no == case_no else f"并案{file.case_no} {file.name}",
            keys().ticket(f"attachment:{file.id}"),
        )
        for file in files
    )
    upload_ticket = "" if case.closed_at else keys().ticket(f"upload:{case_no}:{officer.staff_no}")
    return FullSheet(case_no, lines, attachments, upload_ticket)


def add_attachments(case_no: str, ticket: str, files: Sequence[tuple[str, bytes]], life: timedelta) -> int:
    """Keep files (name, content) that came on paper or by mail, for the officer who has just signed for the sheet;
    how many are new. The same content again is not kept twice.

    Raises ``SignatureError`` for a ticket that is forged, too old or another case's, ``RefusalError`` for a closed
    case, and what ``check_files`` raises.
    """
    staff_no = _uploader(case_no, ticket, life)
    if not files:
        raise InputError("请选择要添加的附件。")
    checked = {file.sha256: file for file in check_files(files)}
    with transaction() as session:
        case = locked_case(session, case_no)
        if case.closed_at is not None:
            raise RefusalError("本件已经办结，不能再添加附件。")
        kept = set(session.scalars(select(Attachment.sha256).where(Attachment.case_no == case_no)))
        new = [file for sha256, file in checked.items() if sha256 not in kept]
        if new:
            now = clock.now()
            keep_files(session, case_no, new, now)
            record(session, "case:attachments:added", case_no, staff_no, now, files=len(new))
            scan_added(session, case, now)
        return len(new)


def _uploader(case_no: str, ticket: str, life: timedelta) -> str:
    with suppress(ValueError):
        sealed = keys().read_ticket(ticket, life)
        staff_no = sealed.removeprefix(f"upload:{case_no}:")
        if staff_no != sealed:
            return staff_no
    raise SignatureError("签名已过期，请回到办件重新签名后添加附件。")


def attachment_of(ticket: str, life: timedelta) -> Attachment | None:
    """The attachment that a ticket of a full sheet names; ``None`` when the ticket is forged or too old."""
    with suppress(ValueError):
        kind, _, number = keys().read_ticket(ticket, life).partition(":")
        if kind == "attachment":
            with reading() as session:
                return session.get(Attachment, int(number))
    return None
