"""Due dates over the State Council's calendar.

"在收到异议申请5个工作日内" (Article 12): the day of receipt is day zero (Civil Code Art. 201 by analogy), and the limit
ends with the fifth working day. A weekend that is worked because of 调休 counts; a weekday that was swapped off does
not. A limit counted in working days ends on a working day by itself, so Civil Code Art. 203 never has to move it.

The calendar is an argument of every rule. It is built from the ``holidays`` library, to which the arrangements that
staff published here (years the library does not know yet) are added.
"""

import calendar as gregorian
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from typing import NamedTuple

import holidays

FIRST_YEAR = 2004
YEARS_AHEAD = 3
LAST_SETTLED_DAY = (12, 28)
"""Month and day up to which a published year can no longer be moved by the *next* year's arrangement.

The State Council's notices since 2005 have reached back as far as 29 December (2007, 2018)."""

WEEKDAYS = "一二三四五六日"
"""Of their names what follows 星期, from Monday on."""


class CalendarError(ValueError):
    """A date or a number of days that the calendar cannot count, said in Chinese."""


class DueDate(NamedTuple):
    """When a limit ends, and whether a calendar that is yet to be published may still move it."""

    due_on: date
    provisional: bool


class DayCounted(NamedTuple):
    """One day on the way to a due date: whether it counts, and why or why not."""

    date: date
    counts: bool
    why: str


STATUTORY_HOLIDAYS = 13
"""Days off that all citizens have in a year since 2025-01-01 (《全国年节及纪念日放假办法》第二条); no year of which an
arrangement is still to be entered is an earlier one."""


@dataclass(frozen=True, slots=True)
class YearArrangement:
    """The State Council's arrangement for a year: days off with their names, and weekend days worked.

    Both may reach into the December before, as those of 2006 and 2019 did.
    """

    year: int
    days_off: Mapping[date, str]
    days_worked: frozenset[date] = field(default_factory=frozenset)

    @property
    def incomplete(self) -> str:
        """Why it can hardly be the whole year's, in Chinese; empty where it can.

        >>> YearArrangement(2027, {date(2027, 1, 1): "元旦"}).incomplete
        '放假日期只有1天，而法定节假日有13天（《全国年节及纪念日放假办法》第二条），请核对是否漏填。'
        """
        number = len(self.days_off)
        if number >= STATUTORY_HOLIDAYS:
            return ""
        law = f"法定节假日有{STATUTORY_HOLIDAYS}天（《全国年节及纪念日放假办法》第二条）"
        return f"放假日期只有{number}天，而{law}，请核对是否漏填。"

    def __post_init__(self) -> None:
        if not self.days_off:
            raise CalendarError(f"{self.year}年的放假安排没有任何放假日期，请对照国务院办公厅通知填写。")
        days = [*self.days_off, *self.days_worked]
        strangers = [day for day in days if day.year != self.year and (day.year, day.month) != (self.year - 1, 12)]
        if strangers:
            raise CalendarError(f"{min(strangers)}不属于{self.year}年的放假安排（可含上一年12月），请更正。")
        if both := sorted(self.days_worked & set(self.days_off)):
            raise CalendarError(f"{both[0]}同时列为放假和上班，请更正。")
        if weekdays := sorted(day for day in self.days_worked if day.weekday() < 5):
            raise CalendarError(
                f"{weekdays[0]}本来就是工作日（星期{WEEKDAYS[weekdays[0].weekday()]}），不是调休上班日，请更正。"
            )


def last_library_year() -> int:
    """The last year whose arrangement the library knows: of a later one it knows no moved working day.

    >>> last_library_year() == WorkingDays().last_published_year
    True
    """
    last = FIRST_YEAR
    while any(day.year == last + 1 for day in _library_year(last + 1)[1]):
        last += 1
    return last


class WorkingDays:
    """The working days from 2004 to a few years past the last published one, as an index table.

    ``published_until`` is the last day that no arrangement still to come can move.
    """

    def __init__(self, arrangements: Iterable[YearArrangement] = ()) -> None:
        last = last_library_year()
        known = {given.year: given for given in arrangements if given.year > last}
        while last + 1 in known:
            last += 1
        self.last_published_year = last
        self.published_until = date(last, *LAST_SETTLED_DAY)
        self._first = date(FIRST_YEAR, 1, 1)
        self._last = date(last + YEARS_AHEAD, 12, 31)
        self._off: dict[date, str] = {}
        self._worked: set[date] = set()
        for year in range(FIRST_YEAR, self._last.year + 1):
            off, worked = _library_year(year)
            self._off |= off
            self._worked |= worked
        # What staff published replaces what the library derives for a year it does not know.
        for given in known.values():
            self._off = {day: name for day, name in self._off.items() if day.year != given.year} | dict(given.days_off)
            self._worked |= given.days_worked
        self._origin = self._first.toordinal()
        every_day = [self._first + timedelta(days=n) for n in range((self._last - self._first).days + 1)]
        flags = [self.is_working_day(day) for day in every_day]
        self._working = [day for day, works in zip(every_day, flags, strict=True) if works]
        # _upto[i] working days lie on or before the i-th day: the n-th after it is _working[_upto[i] + n - 1].
        self._upto = list(accumulate(flags))

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on ``day`` (a date between 2004 and the calendar's last year)."""
        if day in self._worked:
            return True
        return day.weekday() < 5 and day not in self._off

    def due_on(self, received_on: date, days: int) -> date:
        """The last day of a limit of ``days`` working days, the day of receipt not counted.

        Raises ``CalendarError`` where the calendar does not reach.

        >>> WorkingDays().due_on(date(2026, 2, 13), 5)
        datetime.date(2026, 2, 27)
        """
        place = received_on.toordinal() - self._origin
        if place < 0 or days < 1:
            raise self._cannot_count(received_on, days)
        try:
            return self._working[self._upto[place] + days - 1]
        except IndexError:
            raise self._cannot_count(received_on, days) from None

    def due_date(self, received_on: date, days: int) -> DueDate:
        """``due_on`` with the word whether an unpublished arrangement may still move it (design: provisional)."""
        due_on = self.due_on(received_on, days)
        return DueDate(due_on, due_on > self.published_until)

    def working_days_between(self, after: date, until: date) -> int:
        """How many working days lie after ``after`` up to and with ``until``; negative if ``until`` comes first.

        Days left to a due date is ``working_days_between(today, due_on)``; days missed is the other way round.
        """
        for day in (after, until):
            if not self._first <= day <= self._last:
                raise self._cannot_count(day, 1)
        return self._upto[until.toordinal() - self._origin] - self._upto[after.toordinal() - self._origin]

    def time_left(self, today: date, due_on: date) -> str:
        """A due date as people are told of it on a day: the working days left, or by how many it was missed.

        On a day off there may be no working day between: a limit that ended on Friday is over on Saturday, though it
        is missed by none yet; one that ends on Sunday leaves none to a Friday.

        >>> WorkingDays().time_left(date(2026, 11, 28), date(2026, 11, 27))
        '已超期，不足1个工作日'
        """
        days = self.working_days_between(today, due_on)
        if due_on == today:
            return "今天截止"
        if due_on < today:
            return f"已超期{-days}个工作日" if days else "已超期，不足1个工作日"
        return f"还有{days}个工作日" if days else "截止前不再有工作日"

    def explain(self, received_on: date, days: int) -> list[DayCounted]:
        """Every day from receipt to the end of the limit: which counted, which did not, and why (in Chinese)."""
        due_on = self.due_on(received_on, days)
        account = [DayCounted(received_on, False, "收到当日不计入（参照《民法典》第二百零一条）")]
        counted = 0
        for offset in range(1, (due_on - received_on).days + 1):
            day = received_on + timedelta(days=offset)
            works = self.is_working_day(day)
            counted += works
            account.append(DayCounted(day, works, self._why(day, counted if works else None)))
        return account

    def _why(self, day: date, nth: int | None) -> str:
        weekday = f"星期{WEEKDAYS[day.weekday()]}"
        unsettled = "（放假安排尚未公布，暂计）" if day > self.published_until else ""
        if nth is not None:
            kind = "调休上班" if day.weekday() >= 5 else "工作日"
            return f"{weekday}，{kind}，第{nth}个工作日{unsettled}"
        if name := self._off.get(day):
            return f"{weekday}，放假：{name}{unsettled}"
        return f"{weekday}，周末{unsettled}"

    def _cannot_count(self, day: date, days: int) -> CalendarError:
        if days < 1:
            return CalendarError(f"工作日数应为不小于1的整数，收到的是{days}。")
        return CalendarError(
            f"工作日历只能推算{self._first.year}年至{self._last.year}年，无法从{day}起推算{days}个工作日；请检查日期。"
        )


_SWAPPED = re.compile(r"（由 \d{4}-(\d\d)-(\d\d) 调休）")
"""How the library names a day that is off because another one is worked."""


def _in_chinese(swapped: re.Match[str]) -> str:
    return f"（由{int(swapped[1])}月{int(swapped[2])}日调休）"


@cache
def _library_year(year: int) -> tuple[dict[date, str], set[date]]:
    """The days off (with Chinese names) and worked weekend days that lie in ``year``, as the library has them."""
    data = holidays.country_holidays("CN", years=year, language="zh_CN")
    off = {day: _SWAPPED.sub(_in_chinese, name) for day, name in data.items() if day.year == year}
    return off, {day for day in data.weekend_workdays if day.year == year}


def missing_year(calendar: WorkingDays, today: date) -> int | None:
    """The first year whose arrangement is unknown here and should not be any more; ``None`` if there is none.

    The State Council publishes a year's in the November before as a rule; from 15 December on, somebody has to act.

    >>> missing_year(WorkingDays(), date(last_library_year(), 12, 15)) == last_library_year() + 1
    True
    """
    known_until = today.year + ((today.month, today.day) >= (12, 15))
    return calendar.last_published_year + 1 if calendar.last_published_year < known_until else None


def parse_day(text: str) -> date:
    """A date from ``YYYY-MM-DD``; ``CalendarError`` in Chinese for anything else.

    >>> parse_day("2026-02-13")
    datetime.date(2026, 2, 13)
    """
    parts = text.strip().split("-")
    if len(parts) == 3 and all(part.isascii() and part.isdigit() for part in parts) and len(parts[0]) == 4:
        year, month, day = map(int, parts)
        if 1 <= month <= 12 and year >= 1 and 1 <= day <= gregorian.monthrange(year, month)[1]:
            return date(year, month, day)
    raise CalendarError(f"“{text}”不是有效日期，请写成2026-02-13这样的格式。")
