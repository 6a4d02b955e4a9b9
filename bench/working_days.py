"""A due date from the index table against the library's own search, in one run: ``python -m bench.working_days``."""

import timeit
from collections.abc import Callable
from datetime import date, timedelta

import holidays

from bench.figures import Figure, arguments, save
from regulation.working_days import WorkingDays

DAYS = [date(2024, 1, 1) + timedelta(days=n) for n in range(700)]
CALENDAR = WorkingDays()
LIBRARY = holidays.country_holidays("CN", years=range(2004, 2028))


def microseconds(search: Callable[[], None], rounds: int) -> list[float]:
    """Microseconds a call, in rounds over 700 days."""
    return [seconds / len(DAYS) * 1e6 for seconds in timeit.repeat(search, number=1, repeat=rounds)]


def table() -> None:
    for day in DAYS:
        CALENDAR.due_on(day, 5)


def library() -> None:
    for day in DAYS:
        LIBRARY.get_nth_working_day(day, 5)


def main() -> None:
    given = arguments(__doc__, rounds=5)
    assert [CALENDAR.due_on(day, 5) for day in DAYS] == [LIBRARY.get_nth_working_day(day, 5) for day in DAYS]
    searched, of = "the library's search", "due dates a round"
    figures = [
        Figure(searched, "µs a date", len(DAYS), of, microseconds(library, given.rounds)),
        Figure("index table", "µs a date", len(DAYS), of, microseconds(table, given.rounds), searched),
    ]
    save(given.results, "working_days", figures)


if __name__ == "__main__":
    main()
