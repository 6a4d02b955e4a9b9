"""The lists that staff begin their day with: what waits for whom (待办), what a director sees to (负责人待办), and all
open cases by stage (在办办件).

They name cases and staff numbers only: they stand in Prefect, where nothing of a person belongs.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from models.backfill_batches import BackfillBatch
from models.cases import Case, CaseKind, Deadline, StaffTask
from models.objections import Objection
from models.organisations import Officer, Role
from models.spot_checks import SpotCheckTeam
from regulation.rectifications import Stage
from regulation.spot_checks import TeamStage
from regulation.working_days import WEEKDAYS, WorkingDays
from runtime import clock
from runtime.database import reading
from runtime.settings import settings
from tasks.case.calendars import working_days
from tasks.case.kind import Table, cell
from tasks.case.questions import Question
from tasks.desk.kinds import QUESTIONS
from tasks.office.departments import department_names
from tasks.office.officers import acting_officer

LINES = 200
"""Cases that an officer's list shows; nobody reads a longer one, and it is drawn anew every few seconds."""

RESUME = "#resume"
"""The part of a run's page that is its form; a script of the desk opens it (docs/adr/0018)."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An open case: what its run waits for, until when, and who acts for its officer today."""

    case_no: str
    kind: CaseKind
    stage: str
    question: type[Question] | None
    due_on: date | None
    staff_no: str
    run_id: str | None
    at_rest: bool
    goes_on_for: tuple[str, ...]
    """Whose objections were joined to one that was withdrawn."""

    @property
    def link(self) -> str:
        """To the form itself, where there is one to answer."""
        return linked(self.case_no, self.run_id, RESUME if self.question else "")

    @property
    def order(self) -> tuple[date, str]:
        return self.due_on or date.max, self.case_no


def run_address(run_id: str) -> str:
    """The page of a run, where its form is answered."""
    return f"{settings().prefect_url}/runs/flow-run/{run_id}"


def linked(case_no: str, run_id: str | None, part: str = "") -> str:
    """A case's number, in Markdown, with the way to its run (or a ``part`` of its page) where it has one."""
    return f"[{case_no}]({run_address(run_id)}{part})" if run_id else case_no


def to_do() -> str:
    """What waits, for whom and until when, as Markdown: the earliest first, for each officer what they decide before
    what they only wait for."""
    with reading() as session:
        today, calendar = clock.today(), working_days(session)
        by_officer: dict[str, list[_Waiting]] = defaultdict(list)
        resting = 0
        for case in _open_cases(session, today):
            if case.at_rest:
                resting += 1
            else:
                by_officer[case.staff_no].append(case)
        parts = [
            f"{_as_of_now()}点办件编号，打开答复表单。",
            *(_section(staff_no, cases, today, calendar) for staff_no, cases in sorted(by_officer.items())),
            *([f"另有批量异议中的{resting}件在等待批量初审或上级核实，需要决定时列入。"] if resting else []),
            *_inspections(session, today, calendar),
            f"## 待阅事项\n\n{_staff_tasks(session)}",
        ]
    if not by_officer:
        parts.insert(1, "没有在办办件。")
    return "\n\n".join(parts)


def to_do_of_director() -> str:
    """What a director sees to, as Markdown: cases of their own, limits that were missed, and what went to the district
    government (Article 17)."""
    with reading() as session:
        today, calendar = clock.today(), working_days(session)
        directors = set(session.scalars(select(Officer.staff_no).where(Officer.role == Role.DIRECTOR, Officer.active)))
        cases = sorted(_open_cases(session, today), key=lambda case: case.order)
    said = (
        ("由负责人办理", [case for case in cases if case.staff_no in directors]),
        ("已超期", [case for case in cases if case.due_on is not None and case.due_on < today]),
        (str(Stage.ESCALATED), [case for case in cases if case.stage == Stage.ESCALATED]),
    )
    parts = [f"{_as_of_now()}点办件编号，打开答复表单；负责人可以答复任何一件。"]
    for heading, some in said:
        parts.append(f"## {heading}：{len(some)}件" + ("\n\n" + _table(some, today, calendar) if some else ""))
    return "\n\n".join(parts)


def _as_of_now() -> str:
    return f"更新于{clock.now().astimezone(clock.SHANGHAI):%m月%d日 %H:%M}。"


def _open_cases(session: Session, today: date) -> list[_Waiting]:
    due = (
        select(Deadline.case_no, func.min(Deadline.due_on).label("due_on"))
        .where(Deadline.running)
        .group_by(Deadline.case_no)
        .subquery()
    )
    wanted = (
        select(
            Case.case_no,
            Case.kind,
            Case.stage,
            Case.waiting_for,
            due.c.due_on,
            Case.officer_no,
            Case.flow_run_id,
            Case.at_rest,
            Objection.withdrawn_at.is_not(None),
        )
        .outerjoin(due, due.c.case_no == Case.case_no)
        .outerjoin(Objection, Objection.case_no == Case.case_no)
        # A joined objection is decided with the case that it was joined to.
        .where(Case.closed_at.is_(None), or_(Objection.case_no.is_(None), Objection.lead_case_no.is_(None)))
    )
    rows = session.execute(wanted).tuples().all()
    going_on = _going_on(session, [row[0] for row in rows if row[-1]])
    acting = {no: acting_officer(session, no, today).staff_no for no in {row[5] for row in rows}}
    return [
        _Waiting(
            case_no,
            kind,
            stage,
            _asked(waiting_for),
            due_on,
            acting[officer_no],
            run_id,
            at_rest,
            tuple(going_on.get(case_no, ())),
        )
        for case_no, kind, stage, waiting_for, due_on, officer_no, run_id, at_rest, _ in rows
    ]


def _going_on(session: Session, withdrawn: Sequence[str]) -> dict[str, list[str]]:
    """By the cases whose own objector withdrew, the objections that they go on for."""
    wanted = select(Objection.lead_case_no, Objection.case_no).where(
        Objection.lead_case_no.in_(withdrawn), Objection.withdrawn_at.is_(None)
    )
    found: dict[str, list[str]] = defaultdict(list)
    for lead_case_no, case_no in session.execute(wanted.order_by(Objection.case_no)).tuples():
        found[str(lead_case_no)].append(case_no)
    return found


def _asked(waiting_for: str | None) -> type[Question] | None:
    return QUESTIONS.get(waiting_for.rpartition("-")[0]) if waiting_for else None


def _section(staff_no: str, cases: Sequence[_Waiting], today: date, calendar: WorkingDays) -> str:
    cases = sorted(cases, key=lambda case: case.order)
    mine = [case for case in cases if case.question is not None and not case.question.awaits]
    others = [case for case in cases if case not in mine]
    said = [f"## 工号{staff_no}：待决定{len(mine)}件，等待他人{len(others)}件"]
    for heading, some in (("待决定", mine), ("等待他人（收到书面的可以代录）", others)):
        if some:
            said.append(f"{heading}\n\n{_table(some, today, calendar)}")
    return "\n\n".join(said)


def _table(cases: Sequence[_Waiting], today: date, calendar: WorkingDays) -> str:
    rows = "\n".join(_row(case, today, calendar) for case in cases[:LINES])
    more = f"\n\n另有{len(cases) - LINES}件未列出。" if len(cases) > LINES else ""
    return f"| 办件 | 截止 | 等什么 | 环节 | 工号 |\n| --- | --- | --- | --- | --- |\n{rows}{more}"


def _row(case: _Waiting, today: date, calendar: WorkingDays) -> str:
    what = "批量异议中等待" if case.at_rest else "系统正在办理"
    if case.question is not None:
        what = case.question.awaits or case.question.asks
    if case.goes_on_for:
        what = f"{what}（首位申请人已撤回，继续为{'、'.join(case.goes_on_for)}办理）"
    due, stage = until(case.due_on, today, calendar), f"{case.kind.label}：{case.stage}"
    return f"| {case.link} | {due} | {cell(what)} | {cell(stage)} | {case.staff_no} |"


def until(due_on: date | None, today: date, calendar: WorkingDays) -> str:
    """A due date as people read it, with its weekday and the working days left."""
    if due_on is None:
        return "—"
    said = f"{due_on}（周{WEEKDAYS[due_on.weekday()]}），{calendar.time_left(today, due_on)}"
    return f"**{said}**" if due_on <= today else said


def _inspections(session: Session, today: date, calendar: WorkingDays) -> list[str]:
    """Teams of spot checks whose results are still to be entered or confirmed."""
    due = select(func.min(Deadline.due_on)).where(Deadline.case_no == SpotCheckTeam.case_no, Deadline.running)
    wanted = (
        select(SpotCheckTeam, due.scalar_subquery())
        .join(Case, Case.case_no == SpotCheckTeam.case_no)
        .where(Case.closed_at.is_(None), SpotCheckTeam.stage != TeamStage.CONFIRMED)
        .order_by(SpotCheckTeam.case_no, SpotCheckTeam.department_uscc)
    )
    names = department_names(session)
    rows = tuple(
        (
            team.case_no,
            names[team.department_uscc],
            "、".join(no for no in team.inspectors if no != team.entered_by or team.stage is TeamStage.CHECKING),
            "登记检查结果" if team.stage is TeamStage.CHECKING else "确认检查结果",
            until(due_on, today, calendar).replace("**", ""),
        )
        for team, due_on in session.execute(wanted).tuples()
    )
    if not rows:
        return []
    table = Table(("抽查", "部门", "检查人员工号", "等什么", "截止"), rows).markdown()
    return [f"## 随机抽查的检查人员\n\n{table}"]


def _staff_tasks(session: Session) -> str:
    """What is open for staff as a Markdown table, the oldest first."""
    waiting = session.scalars(select(StaffTask).where(StaffTask.done_at.is_(None)).order_by(StaffTask.id)).all()
    rows = tuple(
        (str(task.id), str(clock.local_date(task.opened_at)), task.case_no or "—", task.what) for task in waiting
    )
    return Table(("序号", "日期", "办件", "事项"), rows).markdown() if rows else "没有待阅事项。"


def open_cases() -> str:
    """All open cases by kind and stage with what is overdue or due by Sunday, and how far batches have come."""
    with reading() as session:
        today = clock.today()
        sunday = today + timedelta(days=6 - today.weekday())
        counted: dict[tuple[CaseKind, str], list[int]] = defaultdict(lambda: [0, 0, 0])
        for case in _open_cases(session, today):
            number = counted[case.kind, case.stage]
            number[0] += 1
            if case.due_on is not None:
                number[1] += case.due_on < today
                number[2] += today <= case.due_on <= sunday
        order = list(CaseKind)
        rows = [
            (kind.label, stage, *map(str, number))
            for (kind, stage), number in sorted(counted.items(), key=lambda each: (order.index(each[0][0]), each[0][1]))
        ]
        total = [str(sum(number[column] for number in counted.values())) for column in range(3)]
        table = Table(("类别", "环节", "在办", "已超期", "本周到期"), (*rows, ("合计", "", *total))).markdown()
        parts = [_as_of_now(), table, *_batches(session)]
    return "\n\n".join(parts)


def _batches(session: Session) -> list[str]:
    wanted = (
        select(BackfillBatch, Case.stage, Case.flow_run_id)
        .join(Case, Case.case_no == BackfillBatch.case_no)
        .where(Case.closed_at.is_(None))
        .order_by(BackfillBatch.case_no)
    )
    lines = [
        f"| {linked(batch.case_no, run_id)} | {cell(stage)} "
        f"| {batch.good + batch.same + batch.conflict + batch.bad}/{batch.rows}行 |"
        for batch, stage, run_id in session.execute(wanted).tuples()
    ]
    head = "## 批量补录\n\n| 批次 | 环节 | 已核对 |\n| --- | --- | --- |\n"
    return [head + "\n".join(lines)] if lines else []
