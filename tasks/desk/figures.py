"""How many cases stand where, how limits were kept, who has how much to do: tables, which the desk's charts show."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from sqlalchemy import ColumnElement, and_, case, func, select

from models.backfill_batches import BackfillBatch
from models.cases import Case, CaseKind, Deadline
from models.organisations import Officer, Role
from regulation.limits import URGENT_DAYS
from runtime import clock
from runtime.database import reading
from tasks.case.calendars import working_days
from tasks.case.kind import Table
from tasks.desk.to_do import DUE, OPEN, of_cases, waits_for_staff

WEEKS = 12
"""Weeks over which it is counted how limits were kept, this one included."""


def open_cases() -> Table:
    """All open cases by kind and stage with what is overdue or due by Sunday."""
    with reading() as session:
        today = clock.today()
        sunday = today + timedelta(days=6 - today.weekday())
        late, this_week = DUE.c.due_on < today, DUE.c.due_on.between(today, sunday)
        counted = of_cases(
            select(Case.kind, Case.stage, func.count(), func.count().filter(late), func.count().filter(this_week))
        )
        found = session.execute(counted.where(OPEN).group_by(Case.kind, Case.stage)).tuples().all()
    order = list(CaseKind)
    rows = [
        (kind.label, stage, str(there), str(overdue), str(due))
        for kind, stage, there, overdue, due in sorted(found, key=lambda each: (order.index(each[0]), each[1]))
    ]
    total = [str(sum(numbers)) for numbers in zip(*(each[2:] for each in found), strict=True)] or ["0"] * 3
    return Table(("类别", "环节", "在办（件）", "已超期（件）", "本周到期（件）"), (*rows, ("合计", "", *total)))


def batches() -> Table | None:
    """How far batches of paper certificates have come."""
    with reading() as session:
        wanted = (
            select(BackfillBatch, Case.stage)
            .join(Case, Case.case_no == BackfillBatch.case_no)
            .where(Case.closed_at.is_(None))
            .order_by(BackfillBatch.case_no)
        )
        rows = tuple(
            (batch.case_no, stage, f"{batch.good + batch.same + batch.conflict + batch.bad}/{batch.rows}")
            for batch, stage in session.execute(wanted).tuples()
        )
    return Table(("批次", "环节", "已核对（行）"), rows) if rows else None


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _kept(today: date) -> tuple[ColumnElement[int], ColumnElement[int], ColumnElement[int]]:
    """Of limits how many were met in time, how many were missed, whatever came of them later, and how many may still be
    met. What a case ended without before its day does not count."""
    on_time = func.coalesce(Deadline.met_on <= Deadline.due_on, False)
    void = func.coalesce(Deadline.lapsed_on <= Deadline.due_on, False)
    still = and_(Deadline.running, Deadline.due_on >= today)
    return _count(on_time), _count(and_(~on_time, ~void, ~still)), _count(still)


def _first(today: date) -> date:
    """The Monday from which it is counted how limits were kept."""
    return today - timedelta(days=today.weekday(), weeks=WEEKS - 1)


def _counted(today: date) -> ColumnElement[bool]:
    """The limits of which it is counted how they were kept: by week and by officer the same ones."""
    return Deadline.due_on.between(_first(today), _first(today) + timedelta(weeks=WEEKS, days=-1))


def limits_by_week() -> Table:
    """Limits by the week in which they end: met, missed, still running; in all in the last row."""
    with reading() as session:
        today = clock.today()
        first = _first(today)
        counted = select(Deadline.due_on, *_kept(today)).where(_counted(today))
        found = session.execute(counted.group_by(Deadline.due_on)).tuples().all()
    weeks = [[0, 0, 0] for _ in range(WEEKS)]
    for due_on, *numbers in found:
        week = weeks[(due_on - first).days // 7]
        for place, number in enumerate(numbers):
            week[place] += number
    days = [first + timedelta(weeks=place) for place in range(WEEKS)]
    rows = tuple((f"{day:%m-%d}", *map(str, numbers)) for day, numbers in zip(days, weeks, strict=True))
    return Table(
        ("截止日所在周（周一）", "按时（个期限）", "逾期（个期限）", "未到期（个期限）"), (*rows, _total(weeks))
    )


def _total(rows: Iterable[Sequence[int]]) -> tuple[str, ...]:
    """The last row of a table, with the sums of the others."""
    return ("合计", *(str(sum(numbers)) for numbers in zip(*rows, strict=True)))


def load() -> Table:
    """By officer in service: what is open in their name, what of it is late or due soon, what of it waits for a
    decision of staff, and how limits were kept by whoever had the case then; in all in the last row."""
    with reading() as session:
        today = clock.today()
        soon = working_days(session).due_on(today, URGENT_DAYS.value)
        late, due = _count(DUE.c.due_on < today), _count(DUE.c.due_on.between(today, soon))
        open_of = of_cases(select(Case.officer_no, func.count(), late, due, _count(waits_for_staff())))
        there = {no: of for no, *of in session.execute(open_of.where(OPEN).group_by(Case.officer_no)).tuples()}
        on_time, missed, _ = _kept(today)
        whose = func.coalesce(Deadline.officer_no, Case.officer_no)
        limits = select(whose, on_time, missed).join(Case, Case.case_no == Deadline.case_no)
        kept = {no: of for no, *of in session.execute(limits.where(_counted(today)).group_by(whose)).tuples()}
        numbers = {
            f"{each.staff_no} {each.name}": (*there.get(each.staff_no, (0,) * 4), *kept.get(each.staff_no, (0,) * 2))
            for each in session.scalars(select(Officer).order_by(Officer.staff_no))
            # Whoever has left is there as long as anything is counted in their name.
            if (each.active and each.role is not Role.AUDITOR) or each.staff_no in there | kept
        }
    rows = tuple((name, *map(str, of)) for name, of in numbers.items())
    cases = ("在办（件）", "已超期（件）", "两日内到期（件）", "待决定（件）")
    columns = ("经办人", *cases, f"近{WEEKS}周按时（个期限）", f"近{WEEKS}周逾期（个期限）")
    return Table(columns, (*rows, _total(numbers.values())))
