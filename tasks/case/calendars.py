"""The working days as this installation knows them: the library's, and the years that staff published here."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from models.calendars import PublishedYear
from models.cases import Deadline, DeadlineChange
from models.organisations import Officer
from regulation.working_days import CalendarError, WorkingDays, YearArrangement, last_library_year, parse_day
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError, Mistakes, RefusalError
from tasks.audit import record

_built: dict[tuple[tuple[int, datetime], ...], WorkingDays] = {}


PUBLICATIONS = select(PublishedYear.year, PublishedYear.at).order_by(PublishedYear.year)


def working_days(session: Session) -> WorkingDays:
    """The calendar with every year published here: looked up once a session, and built again (0.4 s) only when a
    publication has changed."""
    known: WorkingDays | None = session.info.get(WorkingDays)
    if known is None:
        known = session.info[WorkingDays] = _up_to_date(session)
    return known


def _up_to_date(session: Session) -> WorkingDays:
    version = tuple(session.connection().execute(PUBLICATIONS).tuples())
    if version not in _built:
        published = session.scalars(select(PublishedYear).order_by(PublishedYear.year))
        calendar = WorkingDays(_arrangement(row) for row in published)
        _built.clear()
        _built[version] = calendar
    return _built[version]


def is_working_day(at: datetime) -> bool:
    """Whether offices here work on the day of an instant."""
    with reading() as session:
        return working_days(session).is_working_day(clock.local_date(at))


def _arrangement(row: PublishedYear) -> YearArrangement:
    return YearArrangement(
        row.year,
        {date.fromisoformat(day): name for day, name in row.days_off.items()},
        frozenset(date.fromisoformat(day) for day in row.days_worked),
    )


def publish_year(session: Session, arrangement: YearArrangement, officer_no: str, at: datetime) -> int:
    """Store a year's arrangement and recompute the running deadlines of every open case.

    Returns how many due dates moved. Each move is on record with the rule that caused it (design: time).
    """
    row = session.get(PublishedYear, arrangement.year) or PublishedYear(year=arrangement.year)
    row.days_off = {str(day): name for day, name in sorted(arrangement.days_off.items())}
    row.days_worked = sorted(map(str, arrangement.days_worked))
    row.officer_no, row.at = officer_no, at
    session.add(row)
    session.flush()
    record(session, "calendar:year:published", None, officer_no, at, year=arrangement.year)
    rule = f"国务院办公厅{arrangement.year}年放假安排公布"
    return recompute_deadlines(session, rule, at, since=_first_day_touched(arrangement.year))


def take_over_library_years(session: Session, at: datetime) -> None:
    """Let go of years published here that the library has learned meanwhile: from now on it is what counts.

    Dates counted with what was typed in here are counted again, in case a day was mistyped. The audit trail keeps
    who published it.
    """
    for row in session.scalars(select(PublishedYear).where(PublishedYear.year <= last_library_year())).all():
        session.delete(row)
        session.flush()
        record(session, "calendar:year:taken-over", None, "system", at, year=row.year)
        recompute_deadlines(session, f"系统日历收录{row.year}年放假安排", at, since=_first_day_touched(row.year))


def _first_day_touched(year: int) -> date:
    """An arrangement reaches back into the December before at most (regulation.working_days)."""
    return date(year - 1, 12, 1)


def recompute_deadlines(session: Session, rule: str, at: datetime, since: date | None = None) -> int:
    """Count every provisional running deadline again, and those due from ``since`` on; returns how many dates moved.

    No other date can have moved: a settled one lies where no arrangement still to come can reach. A move carries
    ``rule``.
    """
    calendar = session.info[WorkingDays] = _up_to_date(session)
    moved = 0
    reached = Deadline.provisional if since is None else or_(Deadline.provisional, Deadline.due_on >= since)
    movable = and_(Deadline.running, reached)
    # Many cases, few dates: what begins on the same day with the same limit ends on the same day.
    counted = select(Deadline.starts_on, Deadline.days, Deadline.due_on, Deadline.provisional).where(movable)
    for starts_on, days, was_due_on, was_provisional in session.execute(counted.distinct()).tuples().all():
        due_on, provisional = calendar.due_date(starts_on, days)
        if (due_on, provisional) == (was_due_on, was_provisional):
            continue
        alike = [movable, Deadline.starts_on == starts_on, Deadline.days == days]
        alike += [Deadline.due_on == was_due_on, Deadline.provisional == was_provisional]
        if due_on != was_due_on:
            moving = select(Deadline.id, Deadline.case_no, Deadline.limit_code).where(*alike)
            for deadline_id, case_no, limit_code in session.execute(moving).tuples().all():
                session.add(DeadlineChange(deadline_id=deadline_id, from_on=was_due_on, to_on=due_on, rule=rule, at=at))
                dates = {"from_on": str(was_due_on), "to_on": str(due_on)}
                record(session, "case:deadline:moved", case_no, "system", at, limit=limit_code, **dates, rule=rule)
                moved += 1
        session.execute(update(Deadline).where(*alike).values(due_on=due_on, provisional=provisional))
    return moved


def publish(year: int, days_off: str, days_worked: str, by: Officer) -> int:
    """Publish a year from a form's text, signed by an officer; returns how many due dates moved.

    Raises ``RefusalError`` for lines that are no dates, an arrangement that cannot be, a year that the library knows
    already.
    """
    arrangement = arranged(year, days_off, days_worked)
    with transaction() as session:
        return publish_year(session, arrangement, by.staff_no, clock.now())


def arranged(year: int, days_off: str, days_worked: str) -> YearArrangement:
    """The arrangement that a form's text says. Raises ``InputError``, by the fields of the form, for what ``publish``
    refuses."""
    if year <= last_library_year():
        raise InputError.of("year", f"{year}年的放假安排已在系统日历中，无需录入。")
    mistakes, off, worked = Mistakes(), dict[date, str](), frozenset[date]()
    with mistakes.beside("days_off"), _in_chinese():
        off = dict(_days_off(days_off))
    with mistakes.beside("days_worked"), _in_chinese():
        worked = frozenset(map(parse_day, days_worked.split()))
    mistakes.say()
    with mistakes.beside("days_off"), _in_chinese():
        return YearArrangement(year, off, worked)
    mistakes.say()
    raise AssertionError("what is wrong is said")


@contextmanager
def _in_chinese() -> Iterator[None]:
    try:
        yield
    except CalendarError as error:
        raise InputError(str(error)) from None


def _days_off(text: str) -> Iterator[tuple[date, str]]:
    """The days off of lines such as ``2027-02-05至2027-02-11 春节``."""
    for line in text.splitlines():
        span, _, name = line.strip().partition(" ")
        if not span:
            continue
        first, _, last = span.partition("至")
        from_on, until_on = parse_day(first), parse_day(last or first)
        if not name.strip() or not 0 <= (until_on - from_on).days <= 31:
            raise RefusalError(f"“{line.strip()}”应写成：2027-02-05至2027-02-11 春节，请更正。")
        for offset in range((until_on - from_on).days + 1):
            yield from_on + timedelta(days=offset), name.strip()
