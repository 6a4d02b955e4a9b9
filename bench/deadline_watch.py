"""The deadline watch over 100,000 open cases, beside the bare indexed count: ``python bench/deadline_watch.py``."""

import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, insert, select

from models.cases import Case, CaseKind, Deadline
from models.migrations import migrate
from models.organisations import Officer, Role
from regulation.limits import INITIAL_REVIEW, MEASURES_VERSION
from runtime.database import reading, transaction
from runtime.keys import ensure_keys
from tasks.calendars import working_days
from tasks.deadlines import sweep

AT = datetime(2026, 6, 10, 0, 30, tzinfo=UTC)


def fill(cases: int) -> None:
    """Open cases whose limits end from a week ago to eight weeks ahead."""
    with transaction() as session:
        for number, role in ((1, Role.OFFICER), (2, Role.DIRECTOR)):
            person = {"name": "甲", "email": f"kq{number}@example.cn", "code_secret": "x", "active": True}
            session.execute(insert(Officer), [{"staff_no": f"KQ{number}", "role": role, **person}])
        numbers = [f"YY-2026-{n:06}" for n in range(1, cases + 1)]
        fixed = {"kind": CaseKind.OBJECTION, "stage": "待初审", "received_on": AT.date(), "opened_at": AT}
        fixed |= {"officer_no": "KQ1", "measures_version": MEASURES_VERSION, "runs_started": 0}
        session.execute(insert(Case), [{"case_no": no, **fixed} for no in numbers])
        calendar = working_days(session)
        rows = []
        for place, no in enumerate(numbers):
            starts_on = AT.date() - timedelta(days=9) + timedelta(days=place % 60)
            due_on, provisional = calendar.due_date(starts_on, INITIAL_REVIEW.value)
            limit = {"limit_code": INITIAL_REVIEW.code, "clock": INITIAL_REVIEW.clock, "days": INITIAL_REVIEW.value}
            rows.append(
                {"case_no": no, "turn": 1, "starts_on": starts_on, "due_on": due_on, "provisional": provisional}
                | limit
                | {"rule": INITIAL_REVIEW.source}
            )
        session.execute(insert(Deadline), rows)


def main() -> None:
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as home:
        os.environ["EZT_HOME"] = home
        ensure_keys()
        migrate()
        fill(cases)
        started = time.perf_counter()
        with reading() as session:
            due = select(func.count(Deadline.id)).where(Deadline.running, Deadline.due_on <= AT.date())
            session.scalar(due)
        bare = time.perf_counter() - started
        started = time.perf_counter()
        first = sweep(AT)
        swept = time.perf_counter() - started
        started = time.perf_counter()
        again = sweep(AT)
        said = {
            "cases": cases,
            "reminded": first.near,
            "overdue": first.overdue,
            "first_sweep_s": round(swept, 2),
            "second_sweep_s": round(time.perf_counter() - started, 2),
            "bare_count_s": round(bare, 4),
        }
        assert (again.near, again.overdue) == (0, 0)
        print(json.dumps(said))


if __name__ == "__main__":
    main()
