"""The smaller stories that staff and schedules start, on a real Prefect server: watch, leave, a year's holidays."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from prefect.client.schemas.objects import StateType
from sqlalchemy import func, select

from models.calendars import PublishedYear
from models.organisations import Leave
from regulation.working_days import WorkingDays
from runtime import clock
from runtime.database import reading

pytestmark = pytest.mark.timeout(300)


def test_watch_leave_and_publication(desk: Any) -> None:
    watch = desk.submit("时限巡查/deadline-watch")
    desk.wait(watch, StateType.COMPLETED)

    today = clock.today()
    leave = {"absent": "KQ001", "substitute": "KQ001", "from_on": str(today), "until_on": str(today)}
    away = desk.submit("登记休假/officer-leave", leave=leave | desk.sign("KQ004"))
    # Nobody can stand in for themselves: the same form comes back with the reason, and nothing is on file yet.
    assert "不能是休假人本人" in refusal(desk, away)
    assert count(Leave.id) == 0
    until_on = today + timedelta(days=3)
    mended = leave | {"substitute": "KQ002", "until_on": str(until_on)}
    desk.resume(away, **mended, **desk.sign("KQ004"))
    desk.wait(away, StateType.COMPLETED)
    with reading() as session:
        filed = session.scalars(select(Leave)).one()
    assert (filed.staff_no, filed.substitute_no, filed.until_on) == ("KQ001", "KQ002", until_on)

    year = WorkingDays().last_published_year + 1
    published = {"year": year, "days_off": f"{year}-01-01 元旦", "days_worked": ""}
    holidays = desk.submit("公布放假安排/calendar-publication", publication=published | desk.sign("KQ002"))
    desk.wait(holidays, StateType.COMPLETED)
    assert count(PublishedYear.year) == 1


def refusal(desk: Any, run_id: UUID) -> str:
    desk.wait(run_id, StateType.PAUSED)
    head: str = desk.form(run_id)["description"]
    assert "未能采纳" in head
    return head


def count(column: Any) -> int:
    with reading() as session:
        return session.scalar(select(func.count(column))) or 0
