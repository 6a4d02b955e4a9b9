"""The monthly and quarterly report on supervision (Article 17): its periods, and how its rates are counted.

第十七条：综合管理单位应当……进行日常监督，发现问题的，及时督促整改。

The measures ask for no report: it is the Center's own.
"""

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from runtime.refusals import InputError


@dataclass(frozen=True, slots=True)
class Period:
    """A calendar month or quarter, first and last day included."""

    code: str
    first: date
    last: date

    @property
    def label(self) -> str:
        """What people call it.

        >>> period_of("2026-10").label, period_of("2026-Q3").label
        ('2026年10月', '2026年第三季度')
        """
        if self.is_quarter:
            return f"{self.first.year}年第{'一二三四'[(self.first.month - 1) // 3]}季度"
        return f"{self.first.year}年{self.first.month}月"

    @property
    def is_quarter(self) -> bool:
        return "Q" in self.code

    def before(self) -> "Period":
        """The period of the same kind that ended when this one began.

        >>> period_of("2026-Q1").before().code, period_of("2026-01").before().code
        ('2025-Q4', '2025-12')
        """
        return _period_with(self.first - timedelta(days=1), quarter=self.is_quarter)


def period_of(code: str) -> Period:
    """The period that ``2026-10`` (a month) or ``2026-Q3`` (a quarter) names. Raises ``InputError`` for anything else.

    >>> period_of("2026-q3").last
    datetime.date(2026, 9, 30)
    """
    named = re.fullmatch(r"([12]\d{3})-(?:Q([1-4])|(0[1-9]|1[0-2]))", code.strip().upper(), re.ASCII)
    if named is None:
        raise InputError("报告期间写作月份（如2026-10）或季度（如2026-Q3），请更正。")
    year, quarter, month = named.groups()
    first = date(int(year), int(quarter) * 3 - 2 if quarter else int(month), 1)
    return _period_with(first, quarter=quarter is not None)


def _period_with(day: date, *, quarter: bool) -> Period:
    if not quarter:
        last = day.replace(day=monthrange(day.year, day.month)[1])
        return Period(f"{day:%Y-%m}", day.replace(day=1), last)
    number = (day.month - 1) // 3
    first, end = date(day.year, number * 3 + 1, 1), number * 3 + 3
    return Period(f"{day.year}-Q{number + 1}", first, date(day.year, end, monthrange(day.year, end)[1]))


def ended_before(day: date) -> tuple[Period, ...]:
    """The last month that ended before a day, and the quarter where one ended with it.

    >>> [period.code for period in ended_before(date(2026, 10, 9))]
    ['2026-09', '2026-Q3']
    >>> [period.code for period in ended_before(date(2026, 11, 2))]
    ['2026-10']
    """
    month = _period_with(day.replace(day=1) - timedelta(days=1), quarter=False)
    quarter = _period_with(month.last, quarter=True)
    return (month, quarter) if quarter.last == month.last else (month,)


def up_to(period: Period, number: int) -> tuple[Period, ...]:
    """So many periods of the same kind, the oldest first and ``period`` last.

    >>> [each.code for each in up_to(period_of("2026-02"), 3)]
    ['2025-12', '2026-01', '2026-02']
    """
    periods = [period]
    while len(periods) < number:
        periods.insert(0, periods[0].before())
    return tuple(periods)


def percentage(part: int, whole: int) -> str:
    """A rate as people read it, to one decimal; a dash where there was nothing to count.

    Never rounded up to 100: one case that is late in ten thousand has to be seen.

    >>> percentage(39, 40), percentage(9999, 10000), percentage(0, 0)
    ('97.5%', '99.9%', '—')
    """
    return f"{part * 1000 // whole / 10:.1f}%" if whole else "—"


def middle(values: Sequence[int]) -> str:
    """The median as people read it.

    >>> middle([3, 1, 8]), middle([1, 2]), middle([])
    ('3', '1.5', '—')
    """
    return f"{median(values):g}" if values else "—"
