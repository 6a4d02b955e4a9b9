"""The figures of a report on supervision (Article 17), each with the query that gives it.

Only what had happened by the end of the period is counted, so the report of a period that is over comes out the same
whenever it is made.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, or_, select, union_all
from sqlalchemy.orm import Session

from models.backfill_batches import BackfillBatch
from models.backfills import Backfill
from models.cases import Case, CaseKind, Deadline
from models.certificates import Certificate
from models.findings import Finding
from models.organisations import Department
from models.records import AuditEntry
from models.use_lists import UseListEntry
from regulation.certificate_use import ANSWERED, REFUSED
from regulation.finding_rules import RULES
from regulation.limits import REPORT_TREND, VERIFICATION_REQUEST
from regulation.objections import Stage
from regulation.supervision_reports import Period, middle, percentage, up_to
from runtime import clock
from tasks.case.calendars import working_days
from tasks.office.departments import department_names
from tasks.register.trial_holders import REAL
from tasks.use_list.standing import standing_on


@dataclass(frozen=True, slots=True)
class Query:
    """A query as it was put to the database, for whoever wants to count again."""

    number: int
    title: str
    sql: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a section; ``query`` is the number of the query that gives its values, 0 for names. ``bar``: its
    values are drawn as bars as well."""

    title: str
    query: int = 0
    bar: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the report, with what has to be known to read it."""

    title: str
    note: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    trend: tuple[tuple[str, int, int], ...] = ()
    """Of each period its label, how many of how many: drawn as a line of rates."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything a report says. ``summary``: the main figures, name and value."""

    period: Period
    summary: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    queries: tuple[Query, ...]


@dataclass(slots=True)
class _Inquiry:
    """The queries of one report over one reading transaction, numbered as they are put."""

    session: Session
    period: Period
    queries: list[Query] = field(default_factory=list)

    @property
    def start(self) -> datetime:
        return clock.start_of(self.period.first)

    @property
    def end(self) -> datetime:
        return clock.start_of(self.period.last + timedelta(days=1))

    @property
    def last(self) -> date:
        return self.period.last

    def ask(self, title: str, statement: Select[Any]) -> Sequence[Row[Any]]:
        """The rows, and the query kept: ``self.number`` is its number."""
        # Named parameters, or percent signs would be doubled for the driver.
        dialect = type(self.session.get_bind().dialect)(paramstyle="named")  # type: ignore[call-arg]
        sql = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        self.queries.append(Query(len(self.queries) + 1, title, sql))
        return self.session.execute(statement).all()

    def counts(self, title: str, statement: Select[Any]) -> dict[str, int]:
        """``ask`` for rows of a key and a number."""
        return dict(row._tuple() for row in self.ask(title, statement))

    @property
    def number(self) -> int:
        return len(self.queries)


def figures_of(session: Session, period: Period) -> Figures:
    """The figures of a period that is over. Departments without any are left out of the lists by department."""
    inquiry = _Inquiry(session, period)
    parts = [part(inquiry) for part in (_verification_requests, _cases, _uses, _findings, _rectifications, _backfill)]
    return Figures(
        period,
        tuple(line for summary, _ in parts for line in summary),
        tuple(section for _, section in parts),
        tuple(inquiry.queries),
    )


_Part = tuple[list[tuple[str, str]], Section]


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _verification_requests(inquiry: _Inquiry) -> _Part:
    """How many verification requests went out in the five working days of Article 12. What was declined or withdrawn
    before its date does not count, nor what was answered by an outcome that there was, which is counted by itself; what
    is late stays late whenever it went out."""
    periods = up_to(inquiry.period, REPORT_TREND.value)
    void = func.coalesce(Deadline.lapsed_on <= Deadline.due_on, False)
    kept = func.coalesce(Deadline.met_on <= Deadline.due_on, False)
    trend, rows = [], []
    for period in periods:
        wanted = select(_count(~void), _count(and_(~void, kept))).where(
            Deadline.limit_code == VERIFICATION_REQUEST.code, Deadline.due_on.between(period.first, period.last)
        )
        ((due, on_time),) = inquiry.ask(f"{period.label}到期的核实需求及按期数", wanted)
        trend.append((period.label, on_time, due))
        rows.append([period.label, str(due), str(on_time), str(due - on_time), percentage(on_time, due)])
    asked = inquiry.number
    for period, row in zip(periods, rows, strict=True):
        start, end = clock.start_of(period.first), clock.start_of(period.last + timedelta(days=1))
        answered = select(func.count()).where(
            Case.kind == CaseKind.OBJECTION, Case.stage == Stage.ANSWERED, Case.closed_at >= start, Case.closed_at < end
        )
        row += [str(number) for (number,) in inquiry.ask(f"{period.label}援引已有结论办结的异议数", answered)]
    _, on_time, due = trend[-1]
    section = Section(
        "异议核实需求按期率（第十二条）",
        "收到异议之日起5个工作日内向省、市大数据局提出核实需求；按截止日所在期间统计。截止前援引已有结论办结的不再提出，另行计数。",
        (
            Column("期间"),
            *(Column(title, asked) for title in ("应提出", "按期", "逾期")),
            Column("按期率", asked, bar=True),
            Column("已有结论", inquiry.number),
        ),
        tuple(map(tuple, rows)),
        tuple(trend),
    )
    return [("核实需求按期率", percentage(on_time, due)), ("核实需求逾期", f"{due - on_time}件")], section


def _cases(inquiry: _Inquiry) -> _Part:
    received, closed = (and_(at >= inquiry.start, at < inquiry.end) for at in (Case.opened_at, Case.closed_at))
    still_open = and_(Case.opened_at < inquiry.end, or_(Case.closed_at.is_(None), Case.closed_at >= inquiry.end))
    wanted = (
        select(Case.kind, _count(received), _count(closed), _count(still_open))
        .where(Case.opened_at < inquiry.end)
        .group_by(Case.kind)
        .order_by(Case.kind)
    )
    rows = [(kind.label, *map(str, counts)) for kind, *counts in inquiry.ask("各类办件的收办情况", wanted)]
    columns = (Column("办件"), *(Column(title, inquiry.number) for title in ("收到", "办结", "期末在办")))
    return [], Section("办件收办情况", "期末在办：期末尚未办结的全部办件。", columns, tuple(rows))


def _uses(inquiry: _Inquiry) -> _Part:
    department = AuditEntry.detail["department"].as_string()
    real = and_(
        AuditEntry.at >= inquiry.start,
        AuditEntry.at < inquiry.end,
        REAL,
        department.is_not(None),
    )
    answered = AuditEntry.tag.in_(ANSWERED)
    used = inquiry.counts("各部门用证次数", _by(department, func.count()).where(answered, real))
    uses = inquiry.number
    refused = inquiry.counts(
        "各部门用证被拒次数", _by(department, func.count()).where(AuditEntry.tag.in_(REFUSED), real)
    )
    refusals = inquiry.number
    standing = standing_on(inquiry.last).order_by(None)
    listed = inquiry.counts(
        "期末用证清单的条目数",
        standing.with_only_columns(UseListEntry.department_uscc, func.count()).group_by(UseListEntry.department_uscc),
    )
    entries = inquiry.number
    entry = AuditEntry.detail["entry"].as_integer()
    covered = inquiry.counts(
        "期末清单中本期用过的条目数",
        _by(department, func.count(entry.distinct())).where(
            answered, real, entry.in_(standing.with_only_columns(UseListEntry.id))
        ),
    )
    names = department_names(inquiry.session)
    rows = [
        (
            names.get(uscc, uscc),
            *(str(counts.get(uscc, 0)) for counts in (used, refused, listed, covered)),
            percentage(covered.get(uscc, 0), listed.get(uscc, 0)),
        )
        for uscc in sorted({*used, *refused, *listed}, key=lambda uscc: (-used.get(uscc, 0), uscc))
    ]
    section = Section(
        "各部门用证与清单覆盖（第八、九条）",
        "覆盖率：期末用证清单的条目中，本期至少用过一次的占比；模拟办事的调用不计。",
        (
            Column("部门"),
            Column("用证", uses, bar=True),
            Column("被拒", refusals),
            Column("清单条目", entries),
            Column("用过", inquiry.number),
            Column("覆盖率", inquiry.number),
        ),
        tuple(rows),
    )
    coverage = percentage(sum(covered.values()), sum(listed.values()))
    return [("用证次数", f"{sum(used.values())}次"), ("清单覆盖率", coverage)], section


def _by(key: ColumnElement[str], value: ColumnElement[Any]) -> Select[Any]:
    return select(key, value).group_by(key).order_by(key)


def _findings(inquiry: _Inquiry) -> _Part:
    new = Finding.first_on.between(inquiry.period.first, inquiry.last)
    still_open = or_(Finding.cleared_on.is_(None), Finding.cleared_on > inquiry.last)
    wanted = (
        select(
            Finding.rule,
            _count(new),
            _count(and_(new, Finding.repeats_id.is_not(None))),
            _count(Finding.cleared_on.between(inquiry.period.first, inquiry.last)),
            _count(still_open),
        )
        .where(Finding.first_on <= inquiry.last, or_(still_open, Finding.cleared_on >= inquiry.period.first))
        .group_by(Finding.rule)
        .order_by(Finding.rule)
    )
    found = inquiry.ask("各类问题的发现与消除", wanted)
    rows = [(RULES[rule].title, f"第{RULES[rule].article}条", *map(str, counts)) for rule, *counts in found]
    columns = (
        Column("问题"),
        Column("条款"),
        Column("新发现", inquiry.number, bar=True),
        *(Column(title, inquiry.number) for title in ("其中重复发生", "已消除", "期末未消除")),
    )
    summary = [
        ("新发现问题", f"{sum(row[1] for row in found)}个"),
        ("期末未消除问题", f"{sum(row[4] for row in found)}个"),
    ]
    return summary, Section("监督发现的问题（第十七条）", "随机抽查、模拟办事、电子督查等发现。", columns, tuple(rows))


def _rectifications(inquiry: _Inquiry) -> _Part:
    wanted = (
        select(Case.stage, Case.received_on, Case.closed_at)
        .where(Case.kind == CaseKind.RECTIFICATION, Case.closed_at >= inquiry.start, Case.closed_at < inquiry.end)
        .order_by(Case.stage, Case.case_no)
    )
    calendar = working_days(inquiry.session)
    took: dict[str, list[int]] = defaultdict(list)
    for stage, received_on, closed_at in inquiry.ask("本期办结的督促整改及其起止", wanted):
        took[stage].append(calendar.working_days_between(received_on, clock.local_date(closed_at)))
    rows = [
        (stage, str(len(days)), middle(days), str(max(days)))
        for stage, days in sorted(took.items(), key=lambda each: (-len(each[1]), each[0]))
    ]
    columns = (
        Column("结果"),
        *(Column(title, inquiry.number) for title in ("办结", "用时中位数（工作日）", "最长（工作日）")),
    )
    everything = [days for each in took.values() for days in each]
    summary = [("整改用时中位数", f"{middle(everything)}个工作日" if everything else "—")]
    return summary, Section("整改用时（第十七条“及时”）", "从发现问题至办结。", columns, tuple(rows))


def _backfill(inquiry: _Inquiry) -> _Part:
    whose = union_all(
        select(Backfill.case_no, Backfill.department_uscc), select(BackfillBatch.case_no, BackfillBatch.department_uscc)
    ).subquery()
    wanted = (
        select(
            Department.name,
            _count(Case.closed_at >= inquiry.start),
            func.count(),
        )
        .select_from(Certificate)
        .join(Case, Case.case_no == Certificate.backfilled_by_case)
        .join(whose, whose.c.case_no == Case.case_no)
        .join(Department, Department.uscc == whose.c.department_uscc)
        # What was corrected since was backfilled once.
        .where(Case.closed_at < inquiry.end, Certificate.version == 1)
        .group_by(Department.name)
        .order_by(func.count().desc(), Department.name)
    )
    done = inquiry.ask("各部门补录入库的证照数", wanted)
    rows = [(name, str(now), str(in_all)) for name, now, in_all in done]
    columns = (Column("部门"), Column("本期入库", inquiry.number, bar=True), Column("累计入库", inquiry.number))
    summary = [("补录入库", f"{sum(row[1] for row in done)}张")]
    return summary, Section("纸质证照补录进度（第十一条）", "以补录办结、证照入库为准。", columns, tuple(rows))
