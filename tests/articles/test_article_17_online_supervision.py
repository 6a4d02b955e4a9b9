"""第十七条：……通过……电子督查等方式……进行日常监督。What the nightly rules read in the record, night after night."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from functools import partial
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ezt.samples import catalogue as sample_catalogue
from ezt.samples import data as samples
from models.cases import Case
from models.certificate_uses import UnavailableReceipt
from models.certificates import Certificate
from models.findings import Finding
from models.liaisons import LiaisonOfficer
from models.organisations import Application
from models.records import AuditEntry
from models.use_lists import UseListEntry, UseListVersion
from regulation.certificate_use import UseRefusedError
from regulation.certificates import CertificateState
from regulation.limits import BUSY_USES, LIAISON_ABSENT, MATTER_HOLDERS, NIGHTS_MADE_UP, NOT_VALID_MATTERS
from regulation.online_supervision import RULES, Sign, looking_back
from runtime import clock
from runtime.database import reading, transaction
from tasks.audit import record
from tasks.liaisons.steps import REMINDED
from tasks.office import recipients
from tasks.office.applications import mark_self_service
from tasks.rectifications.findings import Noted
from tasks.supervision import rechecks
from tasks.supervision import uses as online_uses
from tasks.supervision.nights import Night, last_nights, recheck, report_of, signs_of, supervise
from tasks.supervision.tallies import tallies_of
from tasks.supervision.uses import CountingError
from tests.articles.conftest import Counter, of, valid
from tests.conftest import ROOT, Clerk, wait_until

MONDAY = date(2026, 11, 2)
"""The night that is looked at; the days before it are those of October, with the holidays of its first week."""
YESTERDAY = MONDAY - timedelta(days=1)
WORKDAYS = [date(2026, 10, day) for day in (*range(12, 17), *range(19, 24), *range(26, 31))]
MARKET = "绍兴市柯桥区市场监督管理局"
ITEM = "330603-SCJG-001"

Day = Callable[[date], datetime]


def uscc(name: str) -> str:
    return samples.department_code(samples.DEFAULT_SEED, name)


@pytest.fixture
def night(clerk: Clerk, on_day: Day) -> datetime:
    return on_day(MONDAY)


@pytest.fixture(autouse=True)
def everybody_on_file(request: pytest.FixtureRequest, clerk: Clerk) -> None:
    """No department is reminded of its liaison officer unless a test says so."""
    with reading() as session:
        assert session.scalar(select(AuditEntry.id).where(AuditEntry.tag == REMINDED)) is None


def uses(
    days: list[date] | date,
    times: int = 1,
    *,
    hour: int = 10,
    tag: str = "certificate:query:answered",
    actor: str = "KQ-SCJG",
    **said: Any,
) -> None:
    """So many uses a day, as the interface puts them on record; each is a case and a holder of its own."""
    with transaction() as session:
        for day in days if isinstance(days, list) else [days]:
            for number in range(times):
                at = datetime.combine(day, time(hour, number % 60, number // 60), clock.SHANGHAI)
                holder = said.get("holder", "h{}").format(number)
                detail = {
                    "department": uscc(MARKET),
                    "item": ITEM,
                    "operator": "SCJG-017",
                    "business_no": f"SP-{day}-{hour}-{number}",
                    **{key: value for key, value in said.items() if key != "holder"},
                }
                session.add(AuditEntry(at=at, actor=actor, tag=tag, detail=detail, holder_index=holder))


def fired(on: date = YESTERDAY) -> dict[str, str]:
    """Of the rules that fire what they say."""
    with reading() as session:
        return {sign.rule: sign.facts for sign in signs_of(session, looking_back(on))}


def signs(rule: str) -> list[Sign]:
    with reading() as session:
        return [sign for sign in signs_of(session, looking_back(YESTERDAY)) if sign.rule == rule]


def subjects(rule: str) -> list[str]:
    return [sign.subject for sign in signs(rule)]


def supervised(on_day: Day, day: date) -> list[Night]:
    """The nights that are judged on a day, in order."""
    on_day(day)
    return last_nights(supervise(clock.now()))[::-1]


# 各条规则


def test_what_the_interface_refuses_by_the_use_list_is_read_as_outside_of_it(counter: Counter, on_day: Day) -> None:
    held = valid("身份证")
    counter.matter["item"] = "330603-NIE-001"
    for day in WORKDAYS[:3]:
        on_day(day)
        for _ in range(7):
            with pytest.raises(UseRefusedError):
                counter.query(holder_number=held.holder_number, certificate_type="身份证")
    assert fired() == {"outside-list": fired()["outside-list"]}
    assert "21次用证因超出用证清单被拒绝，分布在3天" in fired()["outside-list"]
    assert held.holder_number not in fired()["outside-list"]


def test_refusals_of_two_days_or_for_another_reason_are_none(night: datetime) -> None:
    uses(WORKDAYS[:2], 30, tag="certificate:query:refused", article=9)
    uses(WORKDAYS, 10, tag="certificate:query:refused")
    uses(WORKDAYS, 10, tag="certificate:query:refused", article=13)
    assert fired() == {}


def test_one_case_number_for_many_holders_over_several_days_is_found_and_counted_once_each(night: datetime) -> None:
    half = MATTER_HOLDERS.value // 2
    uses(WORKDAYS[0], half, business_no="SP-1", holder="a{}")
    uses(WORKDAYS[1], half, business_no="SP-1", holder="a{}")
    assert fired() == {}, "the same holders on another day"
    uses(WORKDAYS[2], half, business_no="SP-1", holder="b{}")
    assert "1个业务办件编号" in fired()["one-matter"]
    assert signs("one-matter")[0].particulars == f"业务办件编号：SP-1（{MATTER_HOLDERS.value}个持证主体）。"


def test_an_operator_far_outside_their_pattern_is_found_under_a_mark_and_not_by_name(night: datetime) -> None:
    for number in range(6):
        uses(WORKDAYS, 5, operator=f"甲{number}")
    uses(WORKDAYS[3], 60, hour=11, operator="甲0")
    (sign,) = signs("operator")
    assert re.fullmatch("操作员·[0-9a-f]{8}", sign.subject)
    assert "甲" not in sign.facts
    assert sign.particulars == f"{sign.subject}即工号甲0。"
    assert subjects("operator") == [sign.subject], "the same mark every night"


def test_an_item_that_may_be_anything_goes_by_a_mark(night: datetime) -> None:
    uses(WORKDAYS[:3], 10, tag="certificate:query:refused", article=9, item="俞小云的事")
    uses(WORKDAYS[:3], 10, tag="certificate:query:refused", article=9, item="330603-NIE-001")
    first, second = sorted(signs("outside-list"), key=lambda sign: sign.subject)
    assert (first.subject, first.particulars) == ("330603-NIE-001", "")
    assert re.fullmatch("事项·[0-9a-f]{8}", second.subject)
    assert "俞小云" not in second.facts
    assert second.particulars == f"{second.subject}即编码“俞小云的事”。"


def test_nights_and_days_off_count_and_what_holders_set_off_does_not(night: datetime) -> None:
    uses(WORKDAYS, 5)
    uses(date(2026, 10, 5), 30, hour=12)
    assert date(2026, 10, 5).isoweekday() == 1, "a Monday, and a holiday"
    uses(WORKDAYS[0], 60, hour=23, tag="certificate:presentation:answered", operator="SCJG-099")
    assert "off-hours" not in fired()
    uses(WORKDAYS[0], 20, hour=22)
    assert "其中50次" in fired()["off-hours"]


def test_a_program_by_which_holders_serve_themselves_has_no_working_hours(night: datetime) -> None:
    uses(WORKDAYS, 5)
    uses(WORKDAYS[0], 60, hour=23, actor="KQ-GA")
    assert "off-hours" in fired()
    assert "operator" in fired()
    mark_self_service("KQ-GA", True, "ezt")
    assert not {"off-hours", "operator"} & set(fired())
    mark_self_service("KQ-GA", False, "ezt")
    assert "off-hours" in fired()


def test_that_a_holder_may_present_a_certificate_alone_makes_nobody_of_a_clerk_at_night(night: datetime) -> None:
    with reading() as session:
        alone = session.scalars(select(UseListVersion.id).where(UseListVersion.holder_alone)).first()
    uses(WORKDAYS[0], 60, hour=23, version=alone)
    assert "off-hours" in fired()


def test_a_saturday_that_is_worked_is_no_day_off(night: datetime) -> None:
    assert date(2026, 10, 10).isoweekday() == 6
    uses(date(2026, 10, 10), 80)
    assert fired() == {}


def listed_kinds() -> list[str]:
    with reading() as session:
        wanted = select(UseListEntry.type_code).where(UseListEntry.item_code == ITEM).distinct()
        return sorted(session.scalars(wanted))


def test_a_listed_certificate_that_a_busy_item_never_uses_is_found_until_it_is_used(night: datetime) -> None:
    used, *others = listed_kinds()
    assert others
    uses(WORKDAYS, BUSY_USES.value // len(WORKDAYS), type=used)
    assert "listed-unused" not in fired()
    uses(WORKDAYS, 1, hour=11, type=used)
    assert subjects("listed-unused") == [f"{ITEM}/{kind}" for kind in others]
    uses(WORKDAYS[0], 1, hour=12, type=others[0])
    assert subjects("listed-unused") == [f"{ITEM}/{kind}" for kind in others[1:]]


def test_paper_taken_while_the_platform_answered_everybody_else_is_found(night: datetime) -> None:
    kind = listed_kinds()[0]
    for name in sample_catalogue.DEPARTMENTS[:6]:
        if name != MARKET:
            uses(WORKDAYS, 10, type=kind, department=uscc(name), item=name, operator=name)
    uses(WORKDAYS, 4, type=kind)
    with transaction() as session:
        key = session.scalars(select(Application.key).where(Application.speaks_for == MARKET)).one()
        for number in range(30):
            day = WORKDAYS[number % len(WORKDAYS)]
            at = datetime.combine(day, time(9), clock.SHANGHAI)
            receipt = {"receipt_no": f"SL-{number}", "business_no": f"B{number}", "type_code": kind}
            session.add(UnavailableReceipt(application_key=key, on=day, at=at, **receipt))
    assert "收取纸质证照30件" in fired()["paper"]


@pytest.mark.parametrize("state", ["expired", "suspended", "revoked", "superseded"])
def test_what_is_taken_from_a_certificate_that_does_not_hold_counts_unless_a_valid_one_took_its_place(
    night: datetime, state: str
) -> None:
    taken = {"tag": "certificate:extract:answered", "type": "T", "result": state}
    uses(WORKDAYS[0], NOT_VALID_MATTERS.value, **taken)
    uses(WORKDAYS[1], 9, tag="certificate:authenticate:answered", type="T", result=state)
    uses(WORKDAYS[2], 9, tag="certificate:extract:answered", type="T", result="valid")
    assert f"有{NOT_VALID_MATTERS.value}个办件" in fired()["not-valid"]
    business_no = f"SP-{WORKDAYS[0]}-10-0"
    uses(WORKDAYS[4], 1, tag="certificate:extract:answered", type="T", result="valid", business_no=business_no)
    assert fired() == {}


def test_the_interface_says_at_each_extraction_whether_the_certificate_holds(counter: Counter, on_day: Day) -> None:
    held = valid("营业执照")
    now = on_day(WORKDAYS[0])
    with transaction() as session:
        # Its source was asked just now, also where the sample data are older than that day.
        revoked = session.get_one(Certificate, held.id)
        revoked.state, revoked.read_at = CertificateState.REVOKED, now
    for number in range(NOT_VALID_MATTERS.value):
        counter.matter["business_no"] = f"SP-{number}"
        counter.extract(**of(held, "营业执照"))
    assert f"有{NOT_VALID_MATTERS.value}个办件" in fired()["not-valid"]


def remind(department: str, day: date) -> None:
    at = datetime.combine(day, time(9), clock.SHANGHAI)
    with transaction() as session:
        record(session, REMINDED, None, "system", at, department=department)


def test_a_department_with_nobody_on_file_is_found_two_weeks_after_its_first_reminder(night: datetime) -> None:
    nobody = uscc(sample_catalogue.DEPARTMENTS[9])
    remind(nobody, YESTERDAY - timedelta(days=LIAISON_ABSENT.value - 1))
    assert fired() == {}
    remind(nobody, YESTERDAY - timedelta(days=LIAISON_ABSENT.value))
    assert "共提醒2次" in fired()["liaison-missing"]
    with reading() as session:
        assert not recipients.liaison_on_file(session, nobody, YESTERDAY)


def test_calls_of_mystery_applications_are_nobodys_use(night: datetime) -> None:
    uses(WORKDAYS, 30, tag="certificate:query:refused", article=9, test=True)
    uses(WORKDAYS[0], 40, business_no="SP-1", test=True)
    assert fired() == {}


def test_only_the_days_looked_back_on_count(night: datetime) -> None:
    for day in (date(2026, 10, 2), date(2026, 10, 3), MONDAY):
        uses(day, 20, tag="certificate:query:refused", article=9)
    assert fired() == {}
    uses(date(2026, 10, 5), 1, tag="certificate:query:refused", article=9)
    assert fired() == {}, "on two of the thirty days"
    uses(date(2026, 10, 6), 1, tag="certificate:query:refused", article=9)
    assert "22次" in fired()["outside-list"]


# 一夜又一夜


def test_a_night_opens_a_rectification_once_and_the_next_one_finds_it_again(night: datetime, on_day: Day) -> None:
    uses(WORKDAYS[-3:], 10, tag="certificate:query:refused", article=9)
    (first,) = supervised(on_day, MONDAY)
    assert first.day == YESTERDAY
    (case_no,) = first.noted.opened
    assert supervised(on_day, MONDAY) == [], "the same night again"
    (second,) = supervised(on_day, MONDAY + timedelta(days=1))
    assert (second.noted.opened, second.noted.again) == ((), 1)
    with reading() as session:
        (finding,) = session.scalars(select(Finding))
        assert (finding.case_no, finding.times, finding.subject) == (case_no, 2, ITEM)
    said = report_of([first])
    assert "2026-11-01 电子督查日报" in said
    assert MARKET in said
    assert report_of([Night(MONDAY, clock.now(), (), Noted((), 0, ()))]).endswith("没有发现问题。")


def test_what_a_night_came_to_is_on_record_for_whoever_reports_it_later(night: datetime, on_day: Day) -> None:
    uses(WORKDAYS[-3:], 10, tag="certificate:query:refused", article=9)
    (judged,) = supervised(on_day, MONDAY)
    supervised(on_day, MONDAY + timedelta(days=2))
    assert [each.day for each in last_nights()] == [MONDAY + timedelta(days=n) for n in (1, 0, -1)]
    assert last_nights()[-1] == judged
    ((rule, department, facts),) = judged.seen
    assert (rule, department) == ("outside-list", uscc(MARKET))
    assert "30次用证" in facts
    assert len(judged.noted.opened) == 1


def test_what_leaves_the_days_looked_back_on_is_cleared_with_its_case(night: datetime, on_day: Day) -> None:
    uses(WORKDAYS[-3:], 10, tag="certificate:query:refused", article=9)
    ((case_no,),) = [each.noted.opened for each in supervised(on_day, MONDAY)]
    for day in range(1, 30):
        nights = supervised(on_day, MONDAY + timedelta(days=day))
        if nights[0].noted.cleared:
            break
    assert nights[0].noted.cleared == (case_no,)
    assert nights[0].day == WORKDAYS[-1] + timedelta(days=28), "two days of it are left, which are too few"
    with reading() as session:
        assert session.get_one(Case, case_no).closed_at is not None


def test_missed_nights_are_made_up_in_order_and_not_for_ever(night: datetime, on_day: Day) -> None:
    supervised(on_day, MONDAY)
    nights = supervised(on_day, MONDAY + timedelta(days=3))
    assert [each.day for each in nights] == [MONDAY + timedelta(days=n) for n in range(3)]
    later = supervised(on_day, MONDAY + timedelta(days=60))
    assert len(later) == NIGHTS_MADE_UP.value
    assert later[-1].day == MONDAY + timedelta(days=59)


def clear(on: date) -> None:
    """As a recheck on that day does."""
    with transaction() as session:
        (finding,) = session.scalars(select(Finding).where(Finding.cleared_on.is_(None)))
        finding.cleared_on = on


def repeats() -> list[int | None]:
    with reading() as session:
        return list(session.scalars(select(Finding.repeats_id).order_by(Finding.id)))


def test_after_it_was_cleared_a_matter_is_judged_by_what_happened_from_that_day_on(
    night: datetime, on_day: Day
) -> None:
    uses(WORKDAYS[-3:], 10, tag="certificate:query:refused", article=9)
    supervised(on_day, MONDAY)
    clear(MONDAY)
    uses(MONDAY + timedelta(days=1), 1, tag="certificate:query:refused", article=9)
    (one_more,) = supervised(on_day, MONDAY + timedelta(days=2))[-1:]
    assert one_more.noted.opened == (), "one more is not what was found before"
    uses([MONDAY + timedelta(days=n) for n in (0, 2, 3)], 10, tag="certificate:query:refused", article=9)
    nights = supervised(on_day, MONDAY + timedelta(days=4))
    assert [len(each.noted.opened) for each in nights] == [1, 0]
    assert repeats() == [None, 1]


def test_what_happens_on_the_day_of_the_clearing_counts(night: datetime, on_day: Day) -> None:
    uses(WORKDAYS[-1], MATTER_HOLDERS.value, business_no="SP-1")
    supervised(on_day, MONDAY)
    clear(MONDAY)
    uses(MONDAY, MATTER_HOLDERS.value, business_no="SP-2")
    (again,) = supervised(on_day, MONDAY + timedelta(days=1))
    assert len(again.noted.opened) == 1
    assert repeats() == [None, 1]


def test_nights_that_are_made_up_are_noted_as_of_their_own_mornings(night: datetime, on_day: Day) -> None:
    """A matter that is cleared in one night that is made up can come back in the next."""
    uses(date(2026, 10, 5), MATTER_HOLDERS.value, business_no="SP-1")
    supervised(on_day, MONDAY)
    uses(MONDAY + timedelta(days=4), MATTER_HOLDERS.value, business_no="SP-2")
    nights = supervised(on_day, MONDAY + timedelta(days=6))
    came_to = {each.day: (len(each.noted.opened), each.noted.again, len(each.noted.cleared)) for each in nights}
    assert came_to == {
        MONDAY: (0, 1, 0),
        MONDAY + timedelta(days=1): (0, 1, 0),
        MONDAY + timedelta(days=2): (0, 0, 1),
        MONDAY + timedelta(days=3): (0, 0, 0),
        MONDAY + timedelta(days=4): (1, 0, 0),
        MONDAY + timedelta(days=5): (0, 1, 0),
    }
    with reading() as session:
        first, second = session.scalars(select(Finding).order_by(Finding.id))
        case = session.get_one(Case, second.case_no)
    assert (first.first_on, first.last_on, first.times) == (MONDAY, MONDAY + timedelta(days=2), 3)
    assert first.cleared_on == MONDAY + timedelta(days=3)
    assert (second.first_on, second.last_on, second.times) == (
        MONDAY + timedelta(days=5),
        MONDAY + timedelta(days=6),
        2,
    )
    assert case.received_on == MONDAY + timedelta(days=6), "the officer's time begins when there is a case"


def test_a_recheck_counts_what_happened_since_the_department_was_told(night: datetime, on_day: Day) -> None:
    uses(WORKDAYS[-3:], 10, tag="certificate:query:refused", article=9)
    supervised(on_day, MONDAY)
    with reading() as session:
        (finding,) = session.scalars(select(Finding))
        assert rechecks.RECHECKS[finding.rule] is recheck
        assert recheck(session, finding, MONDAY) is None, "no full day has passed"
        assert recheck(session, finding, MONDAY + timedelta(days=5)) is None
    uses([MONDAY + timedelta(days=n) for n in (1, 2, 3)], 10, tag="certificate:query:refused", article=9)
    with reading() as session:
        remains = recheck(session, finding, MONDAY + timedelta(days=5))
    assert remains is not None
    assert "30次" in remains


# 每条规则：同一问题只有一件，原因消除即消除，再发生即为重复


OTHERS = [name for name in sample_catalogue.DEPARTMENTS[:6] if name != MARKET]
NOBODY = sample_catalogue.DEPARTMENTS[9]


def days_to(last: date, number: int) -> list[date]:
    return [last - timedelta(days=n) for n in reversed(range(number))]


def busy(last: date) -> None:
    uses(days_to(last, 12), 10, type=listed_kinds()[0])


def take_paper(last: date) -> None:
    kind = listed_kinds()[0]
    for name in OTHERS:
        uses(days_to(last, 15), 10, type=kind, department=uscc(name), item=name, operator=name)
    with transaction() as session:
        key = session.scalars(select(Application.key).where(Application.speaks_for == MARKET)).first()
        for number, day in enumerate([*days_to(last, 15), *days_to(last, 15)]):
            receipt = {"receipt_no": f"SL-{last}-{number}", "business_no": f"B{number}", "type_code": kind}
            at = datetime.combine(day, time(9), clock.SHANGHAI)
            session.add(UnavailableReceipt(application_key=key, on=day, at=at, **receipt))


def exceed(last: date) -> None:
    for number in range(6):
        uses(days_to(last, 12), 5, operator=f"SCJG-{number}")
    uses(last, 60, hour=11, operator="SCJG-0")


def lack_a_liaison(last: date) -> None:
    """Whoever was on file left, and the department was reminded."""
    left_on = last - timedelta(days=LIAISON_ABSENT.value + 1)
    with transaction() as session:
        for officer in session.scalars(select(LiaisonOfficer).where(LiaisonOfficer.department_uscc == uscc(NOBODY))):
            officer.until_on = left_on
    remind(uscc(NOBODY), left_on + timedelta(days=1))


def file_a_liaison(on: date) -> None:
    with transaction() as session:
        like = session.scalars(select(LiaisonOfficer)).first()
        assert like is not None
        columns = [column.key for column in LiaisonOfficer.__table__.columns if column.key != "id"]
        given = {name: getattr(like, name) for name in columns}
        session.add(LiaisonOfficer(**given | {"department_uscc": uscc(NOBODY), "from_on": on, "until_on": None}))


CAUSES: dict[str, Callable[[date], None]] = {
    "outside-list": lambda last: uses(days_to(last, 3), 10, tag="certificate:query:refused", article=9),
    "one-matter": lambda last: uses(last, MATTER_HOLDERS.value, business_no=f"SP-{last}"),
    "operator": exceed,
    "off-hours": lambda last: uses(last, 50, hour=22),
    "listed-unused": busy,
    "paper": take_paper,
    "not-valid": lambda last: uses(
        last, NOT_VALID_MATTERS.value, tag="certificate:extract:answered", type="T", result="revoked"
    ),
    "liaison-missing": lack_a_liaison,
}
"""By rule how its cause comes about, up to a day."""


@pytest.mark.parametrize("rule", [rule.code for rule in RULES])
def test_a_matter_is_one_finding_until_its_cause_is_gone_and_a_linked_repeat_when_it_comes_back(
    night: datetime, on_day: Day, rule: str
) -> None:
    def found() -> list[tuple[int, date, date | None, int | None]]:
        with reading() as session:
            every = session.scalars(select(Finding).where(Finding.rule == rule).order_by(Finding.id))
            return [(each.times, each.last_on, each.cleared_on, each.repeats_id) for each in every]

    def subject() -> list[tuple[str, str]]:
        with reading() as session:
            wanted = select(Finding.department_uscc, Finding.subject).where(Finding.rule == rule)
            return sorted(set(session.execute(wanted).tuples()))

    CAUSES[rule](YESTERDAY)
    supervised(on_day, MONDAY)
    supervised(on_day, MONDAY + timedelta(days=1))
    seen, matters = found(), subject()
    assert {each[:3] for each in seen} == {(2, MONDAY + timedelta(days=1), None)}
    assert len(seen) == len(matters), "each matter once"

    later = MONDAY + timedelta(days=60)
    if rule == "liaison-missing":
        file_a_liaison(MONDAY)
    nights = supervised(on_day, later)
    gone_on = nights[0].day + timedelta(days=1)
    assert {each[2] for each in found()} == {gone_on}

    again = later + timedelta(days=30)
    CAUSES[rule](again - timedelta(days=1))
    supervised(on_day, again)
    assert subject() == matters
    first, second = found()[: len(matters)], found()[len(matters) :]
    assert {each[2:] for each in first} == {(gone_on, None)}
    assert [each[2] for each in second] == [None] * len(matters)
    with reading() as session:
        for each in session.scalars(select(Finding).where(Finding.rule == rule, Finding.repeats_id.is_not(None))):
            before = session.get_one(Finding, each.repeats_id)
            assert (before.rule, before.department_uscc, before.subject) == (rule, each.department_uscc, each.subject)
    assert all(each[3] is not None for each in second)


# 几个进程一起数


@pytest.mark.thorough
@pytest.mark.parametrize("processes", [2, 3, 4])
def test_it_comes_to_the_same_however_many_processes_count(night: datetime, processes: int) -> None:
    most = MATTER_HOLDERS.value
    # One holder a day, so that every process sees some of a case; nearly all on one day, and the last on another.
    for number, day in enumerate([*WORKDAYS, *(date(2026, 10, day) for day in range(4, 9))]):
        uses(day, business_no="SP-1", holder=f"a{number}")
    uses(WORKDAYS[0], most - 1, business_no="SP-2", holder="b{}")
    uses(WORKDAYS[1], business_no="SP-2", holder="c")
    uses(WORKDAYS[2], most - 1, business_no="SP-3", holder="b{}")
    uses(WORKDAYS[3], business_no="SP-3", holder="b0")
    taken = {"tag": "certificate:extract:answered", "type": "T", "item": "俞小云的事"}
    uses(WORKDAYS[0], 9, business_no="SP-4", holder="d{}", result="expired", **taken)
    uses(WORKDAYS[1], 5, business_no="SP-4", holder="d{}", result="expired", hour=22, **taken)
    uses(WORKDAYS[6], 3, business_no="SP-4", holder="d{}", result="valid", **taken)
    uses(WORKDAYS[4:], 4, item="俞 小云的事", tag="certificate:query:refused", article=9)
    uses(WORKDAYS, 6, hour=23, tag="certificate:presentation:answered", operator="甲")
    with reading() as session:
        alone, together = (tallies_of(session, looking_back(YESTERDAY), number) for number in (1, processes))
    assert together == alone
    matters = {matter.business_no: matter for matter in alone.matters}
    assert sorted(matters) == ["SP-1", "SP-2", "SP-4"]
    assert len(matters["SP-1"].holders) >= most
    assert matters["SP-2"].holders == (WORKDAYS[0],) * (most - 1) + (WORKDAYS[1],)
    assert matters["SP-4"].not_valid == (WORKDAYS[0],) * 4 + (WORKDAYS[1],) * 2


@pytest.mark.parametrize(
    ("uses_there", "processors", "processes"), [(19, 8, 1), (20, 8, 2), (200, 8, 4), (200, 2, 2), (200, 1, 1)]
)
def test_more_processes_count_only_what_is_worth_their_start(
    night: datetime, monkeypatch: pytest.MonkeyPatch, uses_there: int, processors: int, processes: int
) -> None:
    started: list[int] = []
    others = online_uses._others

    @contextmanager
    def counted_start(number: int) -> Iterator[list[ProcessPoolExecutor]]:
        with others(number) as there:
            started.append(len({each.submit(os.getpid).result() for each in there}))
            hashes = {each.submit(hash, "SP-1").result() for each in there}
            assert len(hashes) == 1, "else they would not know a case again"
            assert not any(each.submit(eval, "'prefect' in __import__('sys').modules").result() for each in there)
            yield there

    monkeypatch.setattr(online_uses, "_others", counted_start)
    monkeypatch.setattr(online_uses, "ENTRIES", 10)
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    uses(WORKDAYS[0], uses_there)
    with reading() as session:
        assert tallies_of(session, looking_back(YESTERDAY)).desk == {uscc(MARKET): {WORKDAYS[0]: uses_there}}
    assert started == ([processes] if processes > 1 else [])


def children() -> set[str]:
    """The processes that this one has started and not seen the end of."""
    return set(Path(f"/proc/{os.getpid()}/task/{threading.get_native_id()}/children").read_text().split())


@pytest.mark.parametrize(
    "end", [partial(signal.raise_signal, signal.SIGKILL), partial(os._exit, 3), partial(os._exit, 0)]
)
@pytest.mark.thorough
def test_a_night_whose_counting_process_ends_leaves_nothing_and_is_made_up(
    night: datetime, on_day: Day, monkeypatch: pytest.MonkeyPatch, end: Callable[[], None]
) -> None:
    others = online_uses._others

    @contextmanager
    def ending(number: int) -> Iterator[list[ProcessPoolExecutor]]:
        with others(number) as there:
            there[-1].submit(end)
            yield there

    # One process of multiprocessing's looks after the names of the others' locks, and stays.
    resource_tracker.ensure_running()
    uses(WORKDAYS[-3:], 10, tag="certificate:query:refused", article=9)
    before = children()
    with monkeypatch.context() as patched:
        patched.setattr(online_uses, "ENTRIES", 10)
        patched.setattr(os, "cpu_count", lambda: 3)
        patched.setattr(online_uses, "_others", ending)
        with pytest.raises(CountingError, match="电子督查的计数进程中途结束"):
            supervised(on_day, MONDAY)
    assert children() == before
    assert last_nights() == []
    nights = supervised(on_day, MONDAY + timedelta(days=1))
    assert [each.day for each in nights] == [MONDAY], "a first night has none before it"


@pytest.mark.thorough
def test_who_counts_ends_when_who_asked_has_ended() -> None:
    program = """
import os, time
from tasks.supervision.uses import _others
with _others(2) as others:
    print(*[other.submit(os.getpid).result() for other in others], flush=True)
    for other in others:
        other.submit(time.sleep, 600)
    time.sleep(600)
"""
    command, environment = [sys.executable, "-P", "-c", program], os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as asker:
        assert asker.stdout is not None
        counting = [Path("/proc") / number for number in asker.stdout.readline().split()]
        assert [each.exists() for each in counting] == [True, True]
        asker.kill()
    wait_until(lambda: not any(each.exists() for each in counting), "计数进程没有随之结束")
