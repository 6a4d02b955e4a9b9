"""The deadline watch over up to a million open cases, beside indexed SQL that gives the same reminders and
tells nobody: ``python -m bench.deadline_watch --cases 1000 1000000 --rounds 5``."""

import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import TextClause, bindparam, delete, insert, text

from bench.figures import Figure, arguments, save
from models.cases import Case, CaseKind, Deadline, Reminder
from models.migrations import migrate
from models.notices import OutgoingNotice
from models.organisations import Officer, Role
from regulation.limits import INITIAL_REVIEW, MEASURES_VERSION, REMINDER_DAYS
from runtime.database import reading, transaction
from runtime.keys import ensure_keys
from tasks.case.calendars import working_days
from tasks.desk.deadline_watch import OVERDUE, sweep
from tests.conftest import forget_settings

AT = datetime(2026, 6, 10, 0, 30, tzinfo=UTC)
TOGETHER = 10_000


def fill(cases: int) -> None:
    """Open cases whose limits end from a week ago to eight weeks ahead."""
    with transaction() as session:
        for number, role in ((1, Role.OFFICER), (2, Role.DIRECTOR)):
            person = {"name": "甲", "email": f"kq{number}@example.cn", "code_secret": "x", "active": True}
            session.execute(insert(Officer), [{"staff_no": f"KQ{number}", "role": role, **person}])
        calendar = working_days(session)
        case = {"kind": CaseKind.OBJECTION, "stage": "待初审", "received_on": AT.date(), "opened_at": AT}
        case |= {"officer_no": "KQ1", "measures_version": MEASURES_VERSION, "runs_started": 0}
        limits = []
        for day in range(60):
            starts_on = AT.date() + timedelta(days=day - 9)
            due_on, provisional = calendar.due_date(starts_on, INITIAL_REVIEW.value)
            limit = {"turn": 1, "limit_code": INITIAL_REVIEW.code, "clock": INITIAL_REVIEW.clock}
            limit |= {"days": INITIAL_REVIEW.value, "rule": INITIAL_REVIEW.source, "starts_on": starts_on}
            limits.append(limit | {"due_on": due_on, "provisional": provisional})
        for first in range(0, cases, TOGETHER):
            numbers = range(first, min(first + TOGETHER, cases))
            session.execute(insert(Case), [case | {"case_no": f"YY-2026-{n:06}"} for n in numbers])
            session.execute(insert(Deadline), [limits[n % 60] | {"case_no": f"YY-2026-{n:06}"} for n in numbers])


def bare_statements() -> list[tuple[TextClause, dict[str, Any]]]:
    """By indexed SQL alone what a sweep writes down: a reminder for each limit that is near or missed and has none."""
    with reading() as session:
        calendar = working_days(session)
    near = {str(days): calendar.due_on(AT.date(), days) if days else AT.date() for days in REMINDER_DAYS}
    columns = [
        bindparam("at", type_=Reminder.at.type),
        bindparam("day", type_=Deadline.due_on.type),
    ]
    statements = []
    for kind, day in {**near, OVERDUE: AT.date()}.items():
        reached = "<" if kind == OVERDUE else "="
        statement = text(
            "INSERT INTO reminders (deadline_id, kind, at) SELECT d.id, :kind, :at FROM deadlines d "  # noqa: S608
            f"WHERE d.met_on IS NULL AND d.lapsed_on IS NULL AND d.due_on {reached} :day AND NOT EXISTS "
            "(SELECT 1 FROM reminders r WHERE r.deadline_id = d.id AND r.kind = :kind)"
        )
        statements.append((statement.bindparams(*columns), {"kind": kind, "at": AT, "day": day}))
    return statements


def bare(statements: list[tuple[TextClause, dict[str, Any]]]) -> int:
    """Carry them out; how many reminders they gave."""
    with transaction() as session:
        return sum(session.execute(*statement).rowcount for statement in statements)  # type: ignore[attr-defined]


def swept() -> int:
    """The watch itself; how many reminders it gave."""
    found = sweep(AT)
    return found.near + found.overdue


def forget() -> None:
    """Take back what this morning gave, so that it can be given once more."""
    with transaction() as session:
        session.execute(delete(Reminder).where(Reminder.at == AT))
        session.execute(delete(OutgoingNotice))


def timed(work: Callable[[], int]) -> tuple[float, int]:
    started = time.perf_counter()
    given = work()
    return time.perf_counter() - started, given


def measure(cases: int, rounds: int) -> list[Figure]:
    """Three mornings: the first ever, one like all others, and a second sweep, which finds everything given."""
    figures = []
    with tempfile.TemporaryDirectory() as home:
        os.environ["EZT_HOME"] = home
        forget_settings()
        ensure_keys()
        migrate()
        fill(cases)
        alone = partial(bare, bare_statements())
        for morning in ("first sweep", "next morning's sweep", "second sweep"):
            if morning == "next morning's sweep":
                forget()
                sweep(AT - timedelta(days=1))
            took: dict[str, list[float]] = {"watch": [], "SQL": []}
            for _ in range(rounds):
                reminders = set()
                for who, work in (("SQL", alone), ("watch", swept)):
                    if morning != "second sweep":
                        forget()
                    seconds, given = timed(work)
                    took[who].append(seconds)
                    reminders.add(given)
                assert len(reminders) == 1, reminders
            (many,) = reminders
            sql = f"{morning}, bare indexed SQL"
            figures.append(Figure(sql, "s", cases, "open cases", took["SQL"], None, f"{many} reminders"))
            note = f"{many} reminders, with what officers and the director are told"
            figures.append(Figure(morning, "s", cases, "open cases", took["watch"], sql, note))
    return figures


def main() -> None:
    given = arguments(__doc__, cases=[1_000, 10_000, 100_000, 1_000_000], rounds=5)
    save(given.results, "deadline_watch", [each for cases in given.cases for each in measure(cases, given.rounds)])


if __name__ == "__main__":
    main()
