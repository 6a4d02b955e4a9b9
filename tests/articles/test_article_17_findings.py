"""第十七条：……进行日常监督，发现问题的，及时督促整改。What is found, once a matter, until its cause is gone."""

from collections.abc import Callable, Collection
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from ezt.samples import catalogue as sample_catalogue
from ezt.samples import data as samples
from models.cases import Case, CaseKind, Deadline
from models.findings import Finding
from regulation.findings import Severity, Source
from regulation.limits import FINDING_DECISION
from regulation.online_supervision import LIAISON_MISSING
from runtime import clock
from runtime.database import reading, transaction
from tasks.desk.sheets import sheet_of
from tasks.rectifications.findings import Found, Noted, note_findings
from tests.conftest import Clerk

MONDAY = date(2026, 3, 2)
FIRST, SECOND = (samples.department_code(samples.DEFAULT_SEED, name) for name in sample_catalogue.DEPARTMENTS[8:10])

Day = Callable[[date], datetime]


@pytest.fixture
def monday(clerk: Clerk, on_day: Day) -> datetime:
    return on_day(MONDAY)


def found(department: str, facts: str = "截至今日没有在册的专人。", seen_on: date | None = None) -> Found:
    return Found(LIAISON_MISSING.code, department, "", facts, seen_on)


def note(*what: Found, ran: Collection[str] = (LIAISON_MISSING.code,)) -> Noted:
    with transaction() as session:
        return note_findings(session, Source.ONLINE, what, clock.now(), ran)


def findings() -> list[Finding]:
    with reading() as session:
        return list(session.scalars(select(Finding).order_by(Finding.id)))


def test_each_matter_opens_a_rectification_with_an_officer_and_a_limit(monday: datetime) -> None:
    noted = note(found(FIRST), found(SECOND))
    assert noted == Noted(("ZG-2026-000001", "ZG-2026-000002"), 0, ())
    with reading() as session:
        case = session.get_one(Case, "ZG-2026-000002")
        assert (case.kind, case.closed_at) == (CaseKind.RECTIFICATION, None)
        deadline = session.scalars(select(Deadline).where(Deadline.case_no == case.case_no)).one()
    assert (deadline.limit_code, deadline.due_on) == (FINDING_DECISION.code, date(2026, 3, 5))
    lines = dict(sheet_of("ZG-2026-000002").lines)
    assert lines["部门"] == sample_catalogue.DEPARTMENTS[9]
    assert lines["问题"] == "没有在册的电子证照专人（第13条）"
    assert lines["情况"] == "截至今日没有在册的专人。"


def test_the_same_matter_on_another_night_is_found_again_and_opens_nothing(monday: datetime, on_day: Day) -> None:
    note(found(FIRST))
    assert note(found(FIRST)) == Noted((), 1, ())
    assert findings()[0].times == 1, "a second run of the same night counts nothing"
    on_day(MONDAY + timedelta(days=1))
    assert note(found(FIRST, "已连续两日没有在册的专人。")) == Noted((), 1, ())
    (finding,) = findings()
    assert (finding.times, finding.first_on, finding.last_on) == (2, MONDAY, MONDAY + timedelta(days=1))
    assert finding.facts == "已连续两日没有在册的专人。"


def test_what_a_rule_does_not_find_any_more_is_cleared_and_only_by_that_rule(monday: datetime, on_day: Day) -> None:
    note(found(FIRST), found(SECOND))
    on_day(MONDAY + timedelta(days=1))
    assert note(ran=()) == Noted((), 0, ())
    assert note(found(SECOND)) == Noted((), 1, ("ZG-2026-000001",))
    assert [finding.cleared_on for finding in findings()] == [MONDAY + timedelta(days=1), None]
    assert note(found(SECOND)).cleared == ()


def test_what_comes_back_is_a_repeat_linked_to_its_first_and_more_severe(monday: datetime, on_day: Day) -> None:
    note(found(FIRST))
    note()
    on_day(MONDAY + timedelta(days=7))
    assert note(found(FIRST)).opened == ("ZG-2026-000002",)
    first, repeat = findings()
    assert (first.severity, repeat.severity) == (Severity.MINOR, Severity.MAJOR)
    assert repeat.repeats_id == first.id
    assert dict(sheet_of("ZG-2026-000002").lines)["重复发生"] == "2026-03-02已发现过（ZG-2026-000001）"


def test_what_was_seen_before_the_day_of_the_clearing_is_no_news(monday: datetime, on_day: Day) -> None:
    note(found(FIRST, seen_on=MONDAY - timedelta(days=1)))
    on_day(MONDAY + timedelta(days=3))
    note()
    assert note(found(FIRST, seen_on=MONDAY + timedelta(days=2))) == Noted((), 0, ())
    on_day(MONDAY + timedelta(days=4))
    assert note(found(FIRST, seen_on=MONDAY + timedelta(days=3))).opened == ("ZG-2026-000002",)
