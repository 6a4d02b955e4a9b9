"""The list that staff begin their day with: what waits, for whom, until when."""

from datetime import date, timedelta

import pytest

from models.cases import Case, CaseKind, Deadline
from models.organisations import Leave
from regulation.certificates import Level
from regulation.rectifications import Stage
from regulation.working_days import WorkingDays
from runtime import clock
from runtime.database import reading, transaction
from tasks.case import answers
from tasks.case.calendars import working_days
from tasks.case.questions import Question
from tasks.desk import to_do
from tasks.desk.figures import open_cases
from tasks.desk.matters import matters
from tasks.desk.to_do import PAGE, Urgency, Wanted, What, Whose, listed, next_to_decide, until
from tasks.objections.questions import InitialReview, SupplementReceived
from tasks.objections.steps import request_supplement
from tasks.office.staff_tasks import open_staff_task
from tests.conftest import Clerk, listed_for, officer_of


def waits_for(case_no: str, question: type[Question]) -> None:
    """The case's story has come to a question."""
    assert answers.answer_or_wait(case_no, question, 1) is None


def due(case_no: str, on: date) -> None:
    with transaction() as session:
        for deadline in session.query(Deadline).filter_by(case_no=case_no):
            deadline.due_on = on


def test_an_officer_finds_what_to_decide_with_its_day(clerk: Clerk) -> None:
    case_no = clerk.register().case_no
    waits_for(case_no, InitialReview)
    with reading() as session:
        review = session.query(Deadline).filter_by(case_no=case_no, limit_code="initial-review").one().due_on
    (row,) = listed(officer_of(case_no), Wanted()).rows
    assert (row.case_no, row.kind, row.stage) == (case_no, CaseKind.OBJECTION, "待初审")
    assert row.asks == InitialReview.asks
    # The review is due before the verification request.
    assert (row.due_on, row.urgency) == (review, Urgency.SOON)
    assert row.until.endswith("还有2个工作日")
    others = {"KQ001", "KQ002", "KQ003"} - {officer_of(case_no)}
    assert [listed(other, Wanted()).rows for other in others] == [(), ()]


def test_what_somebody_else_has_to_bring_is_not_among_the_decisions(clerk: Clerk) -> None:
    case = clerk.register()
    assert case.answer(InitialReview, verdict="要求补正", reason="请补门牌证复印件") is None
    assert listed_for(what=What.UNDER_WAY)[case.case_no].asks == "系统正在办理"
    request_supplement.run(case.case_no)
    waits_for(case.case_no, SupplementReceived)
    assert listed_for(what=What.DECIDE) == {}
    assert listed_for(what=What.AWAIT)[case.case_no].asks == "申请人补正"


def test_what_was_answered_waits_no_more_at_that_very_moment(clerk: Clerk) -> None:
    case = clerk.register()
    waits_for(case.case_no, InitialReview)
    assert list(listed_for(what=What.DECIDE)) == [case.case_no]
    assert case.answer(InitialReview, verdict="受理") is None
    assert listed_for(what=What.DECIDE) == {}


def test_a_case_stands_in_the_list_of_whoever_acts_today(clerk: Clerk) -> None:
    case_no = clerk.register().case_no
    waits_for(case_no, InitialReview)
    away = officer_of(case_no)
    substitute = "KQ002" if away != "KQ002" else "KQ003"
    with transaction() as session:
        today = clock.today()
        session.add(Leave(staff_no=away, substitute_no=substitute, from_on=today, until_on=today))
    assert [row.officer_no for row in listed(substitute, Wanted()).rows] == [substitute]
    assert listed(away, Wanted()).rows == ()


def test_the_most_urgent_comes_first_in_groups_and_nobody_is_named(clerk: Clerk) -> None:
    about: tuple[dict[str, object], ...] = ({}, {"field": "有效期"}, {"field": "发证日期"})
    later, sooner, today = (clerk.register(**changed).case_no for changed in about)
    for case_no, on in (
        (later, clock.today() + timedelta(days=60)),
        (sooner, date(2020, 1, 2)),
        (today, clock.today()),
    ):
        waits_for(case_no, InitialReview)
        due(case_no, on)
    found = listed("KQ004", Wanted(whose=Whose.ALL))
    assert [(urgency, [row.case_no for row in rows]) for urgency, rows in found.groups] == [
        (Urgency.OVERDUE, [sooner]),
        (Urgency.TODAY, [today]),
        (Urgency.LATER, [later]),
    ]
    assert found.rows[0].until.startswith("2020-01-02（周四），已超期")
    assert found.numbers == {Urgency.OVERDUE: 1, Urgency.TODAY: 1, Urgency.LATER: 1}
    only = listed("KQ004", Wanted(whose=Whose.ALL, urgency=Urgency.TODAY))
    assert ([row.case_no for row in only.rows], only.total) == ([today], 1)
    for told in ("俞小云", "yuxiaoyun", "84120001", "群贤路"):
        assert told not in str(found)


def test_the_list_is_narrowed_by_what_stands_in_sight(clerk: Clerk) -> None:
    case_no = clerk.register().case_no
    other = clerk.register(Level.PROVINCE, certificate="330603199001011234").accept()
    assert other is None
    assert set(listed_for(stage="待初审")) == {case_no}
    assert len(listed_for(kind=CaseKind.OBJECTION)) == 2
    assert listed_for(kind=CaseKind.BACKFILL) == {}
    assert set(listed_for(officer_no=officer_of(case_no))) >= {case_no}


def test_a_page_holds_fifty(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert PAGE == 50
    monkeypatch.setattr(to_do, "PAGE", 2)
    fields = ({}, {"field": "有效期"}, {"field": "发证日期"})
    numbers = [clerk.register(**changed).case_no for changed in fields]
    first, second = (listed("KQ004", Wanted(whose=Whose.ALL, page=page)) for page in (1, 2))
    assert (first.total, first.pages) == (3, 2)
    assert sorted(row.case_no for row in (*first.rows, *second.rows)) == sorted(numbers)


def test_a_director_sees_what_was_missed_and_what_went_to_the_government(clerk: Clerk) -> None:
    about: tuple[dict[str, object], ...] = ({}, {"field": "有效期"}, {"field": "发证日期"}, {"field": "证照状态"})
    own, missed, escalated, nothing = (clerk.register(**changed).case_no for changed in about)
    due(missed, date(2020, 1, 2))
    with transaction() as session:
        session.get_one(Case, escalated).stage = Stage.ESCALATED
        session.get_one(Case, own).officer_no = "KQ004"
    assert set(listed_for("KQ004", whose=Whose.DIRECTORS)) == {own, missed, escalated}
    assert nothing in listed_for()


def test_the_next_case_to_decide_is_the_most_urgent_other_one(clerk: Clerk) -> None:
    first, second = clerk.register().case_no, clerk.register(field="有效期").case_no
    for case_no, on in ((first, date(2026, 12, 31)), (second, date(2020, 1, 2))):
        waits_for(case_no, InitialReview)
        due(case_no, on)
        with transaction() as session:
            session.get_one(Case, case_no).officer_no = "KQ002"
    assert next_to_decide("KQ002", but_not=second) == first
    assert next_to_decide("KQ002", but_not=first) == second
    assert next_to_decide("KQ003", but_not=first) is None


def test_matters_that_nobody_asks_for_stand_apart(clerk: Clerk) -> None:
    with transaction() as session:
        open_staff_task(session, "k", None, "一件通知无法送达", clock.now())
    assert [each.what for each in matters("KQ001").rows] == ["一件通知无法送达"]


def test_open_cases_are_counted_by_kind_and_stage(clerk: Clerk) -> None:
    first = clerk.register().case_no
    clerk.register(Level.PROVINCE).accept()
    due(first, date(2020, 1, 2))
    rows = open_cases().rows
    assert ("异议核查", "待初审", "1", "1", "0") in rows
    assert rows[-1][:4] == ("合计", "", "2", "1")


def test_without_cases_there_is_a_total_of_none(sample_data: object) -> None:
    assert open_cases().rows == (("合计", "", "0", "0", "0"),)


def test_days_left_are_working_days(installation: object) -> None:
    with reading() as session:
        calendar: WorkingDays = working_days(session)
    friday = date(2026, 11, 27)
    assert until(date(2026, 12, 1), friday, calendar) == "2026-12-01（周二），还有2个工作日"
    assert until(friday, friday, calendar) == "2026-11-27（周五），今天截止"
    assert until(date(2026, 11, 26), friday, calendar) == "2026-11-26（周四），已超期1个工作日"
    assert until(None, friday, calendar) == "—"
