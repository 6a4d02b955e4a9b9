"""A due date from the index table against the library's own search, in one run: ``python bench/working_days.py``."""

import json
import timeit
from collections.abc import Callable
from datetime import date, timedelta

import holidays

from regulation.working_days import WorkingDays

DAYS = [date(2024, 1, 1) + timedelta(days=n) for n in range(700)]
CALENDAR = WorkingDays()
LIBRARY = holidays.country_holidays("CN", years=range(2004, 2028))


def microseconds(search: Callable[[], None]) -> float:
    """Microseconds a call, the median of five rounds over 700 days."""
    rounds = sorted(timeit.repeat(search, number=1, repeat=5))
    return rounds[2] / len(DAYS) * 1e6


def table() -> None:
    for day in DAYS:
        CALENDAR.due_on(day, 5)


def library() -> None:
    for day in DAYS:
        LIBRARY.get_nth_working_day(day, 5)


if __name__ == "__main__":
    assert [CALENDAR.due_on(day, 5) for day in DAYS] == [LIBRARY.get_nth_working_day(day, 5) for day in DAYS]
    ours, theirs = microseconds(table), microseconds(library)
    print(json.dumps({"table_us": round(ours, 3), "library_us": round(theirs, 3), "ratio": round(theirs / ours, 1)}))
