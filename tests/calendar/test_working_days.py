"""Working days: day zero, 调休, provisional dates, and the account of every day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulation.working_days import (
    CalendarError,
    WorkingDays,
    YearArrangement,
    missing_year,
    parse_day,
)
from runtime import clock

CALENDAR = WorkingDays()

ARRANGEMENT_2027 = YearArrangement(
    2027,
    {date(2027, 1, 1): "元旦", date(2027, 2, 8): "春节", date(2027, 2, 9): "春节"},
    frozenset({date(2027, 1, 9)}),
)


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("Thursday 2026-02-12", "Thursday 2026-02-26"),
        ("Friday 2026-02-13", "Friday 2026-02-27"),
        ("Saturday 2026-02-14", "Saturday 2026-02-28"),
        ("Wednesday 2026-04-29", "Saturday 2026-05-09"),
        ("Friday 2026-09-18", "Thursday 2026-09-24"),
        ("Wednesday 2026-09-30", "Tuesday 2026-10-13"),
        ("Saturday 2026-11-28", "Friday 2026-12-04"),
    ],
)
def test_five_working_days_worked_by_hand_from_the_notices(received: str, due: str) -> None:
    for text in (received, due):
        weekday, day = text.split()
        assert f"{date.fromisoformat(day):%A}" == weekday
    received_on, due_on = (date.fromisoformat(text.split()[1]) for text in (received, due))
    assert CALENDAR.due_on(received_on, 5) == due_on
    assert CALENDAR.due_date(received_on, 5) == (due_on, False)


def naive_due_on(received_on: date, days: int) -> date:
    day = received_on
    while days:
        day += timedelta(days=1)
        days -= CALENDAR.is_working_day(day)
    return day


@given(st.dates(date(2004, 1, 1), date(2026, 12, 31)), st.integers(1, 60))
def test_due_dates_are_those_of_a_naive_day_counter(received_on: date, days: int) -> None:
    due_on = CALENDAR.due_on(received_on, days)
    assert due_on == naive_due_on(received_on, days)
    assert CALENDAR.is_working_day(due_on)
    assert CALENDAR.working_days_between(received_on, due_on) == days
    assert sum(day.counts for day in CALENDAR.explain(received_on, days)) == days


@pytest.mark.parametrize("year", range(2004, 2027))
def test_every_published_year_agrees_with_the_library_on_every_day(year: int) -> None:
    import holidays

    library = holidays.country_holidays("CN", years=year)
    day = date(year, 1, 1)
    while day.year == year:
        assert CALENDAR.is_working_day(day) == library.is_working_day(day), day
        day += timedelta(days=1)


# Weekend days that the State Council's notices made working days, by month and day.
WORKED_WEEKENDS = {
    2004: "0117 0118 0508 0509 1009 1010",
    2005: "0205 0206 0430 0508 1008 1009 1231",
    2006: "0128 0205 0429 0430 0930 1008 1230 1231",
    2007: "0217 0225 0428 0429 0929 0930 1229",
    2008: "0202 0203 0504 0927 0928",
    2009: "0104 0124 0201 0531 0927 1010",
    2010: "0220 0221 0612 0613 0919 0925 0926 1009",
    2011: "0130 0212 0402 1008 1009 1231",
    2012: "0121 0129 0331 0401 0428 0929",
    2013: "0105 0106 0216 0217 0407 0427 0428 0608 0609 0922 0929 1012",
    2014: "0126 0208 0504 0928 1011",
    2015: "0104 0215 0228 0906 1010",
    2016: "0206 0214 0612 0918 1008 1009",
    2017: "0122 0204 0401 0527 0930",
    2018: "0211 0224 0408 0428 0929 0930 1229",
    2019: "0202 0203 0428 0505 0929 1012",
    2020: "0119 0426 0509 0628 0927 1010",
    2021: "0207 0220 0425 0508 0918 0926 1009",
    2022: "0129 0130 0402 0424 0507 1008 1009",
    2023: "0128 0129 0423 0506 0625 1007 1008",
    2024: "0204 0218 0407 0428 0511 0914 0929 1012",
    2025: "0126 0208 0427 0928 1011",
    2026: "0104 0214 0228 0509 0920 1010",
}


@pytest.mark.parametrize("year", WORKED_WEEKENDS)
def test_weekend_days_worked_are_those_of_the_notice(year: int) -> None:
    days = (date(year, 1, 1) + timedelta(days=n) for n in range(366))
    worked = [d for d in days if d.year == year and d.weekday() > 4 and CALENDAR.is_working_day(d)]
    assert " ".join(f"{day:%m%d}" for day in worked) == WORKED_WEEKENDS[year]


@pytest.mark.parametrize(
    ("today", "due_on", "said"),
    [
        ("Thursday 2026-11-26", "Monday 2026-11-30", "还有2个工作日"),
        ("Friday 2026-11-27", "Friday 2026-11-27", "今天截止"),
        ("Saturday 2026-11-28", "Friday 2026-11-27", "已超期，不足1个工作日"),
        ("Saturday 2026-11-28", "Monday 2026-11-30", "还有1个工作日"),
        ("Friday 2026-11-27", "Sunday 2026-11-29", "截止前不再有工作日"),
        ("Saturday 2026-11-28", "Saturday 2026-11-28", "今天截止"),
        ("Monday 2026-11-30", "Friday 2026-11-27", "已超期1个工作日"),
        ("Saturday 2026-02-14, worked", "Friday 2026-02-13", "已超期1个工作日"),
    ],
)
def test_what_is_left_is_said_in_one_way(today: str, due_on: str, said: str) -> None:
    days = [date.fromisoformat(day.split()[1].rstrip(",")) for day in (today, due_on)]
    assert CALENDAR.time_left(*days) == said


def test_the_day_of_receipt_is_day_zero_and_says_why() -> None:
    first, second, *_, last = CALENDAR.explain(date(2026, 2, 13), 5)
    assert (first.counts, "民法典" in first.why) == (False, True)
    assert second == (date(2026, 2, 14), True, "星期六，调休上班，第1个工作日")
    assert last.date == date(2026, 2, 27)
    assert last.why.endswith("第5个工作日")


def test_a_date_past_the_published_year_is_provisional() -> None:
    assert CALENDAR.due_date(date(2026, 12, 21), 5) == (date(2026, 12, 28), False)
    assert CALENDAR.due_date(date(2026, 12, 28), 5).provisional
    assert "尚未公布" in CALENDAR.explain(date(2026, 12, 28), 5)[-1].why


def test_publishing_a_year_moves_the_date_and_makes_it_certain() -> None:
    published = WorkingDays([ARRANGEMENT_2027])
    assert published.published_until == date(2027, 12, 28)
    assert published.is_working_day(date(2027, 1, 9))
    assert not published.is_working_day(date(2027, 2, 8))
    assert published.due_date(date(2027, 1, 4), 5) == (date(2027, 1, 9), False)
    assert CALENDAR.due_date(date(2027, 1, 4), 5) == (date(2027, 1, 11), True)


@pytest.mark.parametrize(
    ("off", "worked", "complaint"),
    [
        ({}, [], "没有任何放假日期"),
        ({date(2028, 1, 1): "元旦"}, [], "不属于2027年"),
        ({date(2027, 1, 2): "元旦"}, [date(2027, 1, 2)], "同时列为"),
        ({date(2027, 1, 1): "元旦"}, [date(2027, 1, 4)], "本来就是工作日"),
    ],
)
def test_an_impossible_arrangement_is_refused(off: dict[date, str], worked: list[date], complaint: str) -> None:
    with pytest.raises(CalendarError, match=complaint):
        YearArrangement(2027, off, frozenset(worked))


@pytest.mark.parametrize(
    ("received", "days"), [("1999-01-01", 5), ("2026-01-01", 0), ("2029-12-31", 5), ("2026-01-01", 10**9)]
)
def test_what_cannot_be_counted_is_refused(received: str, days: int) -> None:
    with pytest.raises(CalendarError):
        CALENDAR.due_on(parse_day(received), days)


@pytest.mark.parametrize("text", ["", "2026-2-30", "2026/02/13", "26-02-13", "明天", "2026-13-01", "２０２６-01-01"])
def test_a_date_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(CalendarError, match="不是有效日期"):
        parse_day(text)


def test_a_year_is_missing_from_mid_december_before_it_until_it_is_known() -> None:
    last = CALENDAR.last_published_year
    assert missing_year(CALENDAR, date(last - 1, 12, 31)) is None
    assert missing_year(CALENDAR, date(last, 12, 14)) is None
    assert missing_year(CALENDAR, date(last, 12, 15)) == last + 1
    assert missing_year(CALENDAR, date(last + 1, 1, 4)) == last + 1
    assert missing_year(CALENDAR, date(last + 2, 2, 28)) == last + 1


def test_next_year_is_known_after_mid_december() -> None:
    """Fails when a year's arrangement is missing today: upgrade ``holidays`` and compile the lock again."""
    missing = missing_year(CALENDAR, clock.today())
    assert missing is None, f"请升级holidays并重新生成requirements.lock，收录{missing}年放假安排"
