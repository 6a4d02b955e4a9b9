"""A case on one sheet, with nothing of a person on it that is not masked: for Prefect, lists and status pages."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from models.cases import Case, Deadline, DeadlineChange
from models.records import AuditEntry
from regulation.limits import Clock
from regulation.working_days import DayCounted
from runtime import clock
from runtime.database import reading
from tasks.case.attachments import ADDED
from tasks.case.calendars import working_days
from tasks.case.kind import Happened, KindSheet, Table, in_words
from tasks.desk.kinds import CASE_LIMITS, KINDS

OFFICER_LINE = "经办人"
"""What the line with whose case it is, by staff number, is called."""


def _in_right_of(said: dict[str, Any]) -> str:
    """In whose right somebody approved who stands in for them."""
    return "" if said["by_no"] == said["right_of"] else f"（代理负责人{said['right_of']}）"


HAPPENED: Happened = {
    "case:deadline:moved": "截止日变动：{from_on}改为{to_on}（{rule}）",
    "case:officer:changed": "移交经办人",
    "case:approval:asked": "拟稿，报请审签",
    "case:approval:given": lambda said: f"审签同意{_in_right_of(said)}",
    "case:approval:refused": lambda said: f"审签退回重拟{_in_right_of(said)}",
    ADDED: "工作人员添加附件（{files}个）",
    "case:notice:posted": "“{subject}”已邮寄（挂号号码{tracking_no}，{posted_on}寄出）",
    "case:notice:returned": "“{subject}”退回（挂号号码{tracking_no}），将重新送达",
    "case:notice:told": "“{subject}”已于{posted_on}另行告知",
    "case:notice:collected": "“{subject}”已于{posted_on}当面领取",
    "case:notice:number-corrected": "“{subject}”的挂号号码由{was}更正为{tracking_no}",
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
        """The sheet as Markdown."""
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
        return sheet_within(session, case, kind)


def sheet_within(session: Session, case: Case, kind: KindSheet | None = None) -> Sheet:
    """As ``sheet_of``, in the caller's transaction."""
    of_staff = kind is None
    kind = kind or KINDS[case.kind].sheet
    stage, ended_at = kind.stage(session, case), kind.ended_at(session, case)
    return Sheet(
        case_no=case.case_no,
        stage=stage,
        kind=kind.name,
        subject=kind.subject(session, case),
        lines=(
            ("办件编号", case.case_no),
            ("当前环节", stage),
            ("收到日期", str(case.received_on)),
            *kind.lines(session, case),
            # Who guesses codes need not be told for whom.
            *([(OFFICER_LINE, case.officer_no)] if of_staff else []),
            ("适用办法", case.measures_version),
        ),
        # Those that run on are the others'.
        limits=tuple(_limits(session, case.case_no)) if ended_at is None else (),
        timeline=tuple((when, what) for when, what, _ in timeline(session, case, kind, ended_at)),
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


def timeline(
    session: Session, case: Case, kind: KindSheet, until: datetime | None = None, also: Happened | None = None
) -> list[tuple[str, str, str]]:
    """When what happened, and whose doing it was as the audit trail names them; ``also``: what not everybody reads."""
    happened = {**HAPPENED, **kind.happened, **(also or {})}
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
            entry.actor,
        )
        for entry in session.scalars(wanted.order_by(AuditEntry.id))
    ]
