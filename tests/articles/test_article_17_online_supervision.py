"""第十七条：……通过……电子督查等方式……进行日常监督。What the nightly rules read in the record, night after night."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from ezt import sample_catalogue
from ezt import sample_data as samples
from models.cases import Case
from models.certificate_uses import UnavailableReceipt
from models.findings import Finding
from models.organisations import Application
from models.records import AuditEntry
from models.use_lists import UseListEntry
from regulation.certificate_use import UseRefusedError
from regulation.limits import BUSY_USES, EXPIRED_MATTERS, LIAISON_ABSENT, MATTER_HOLDERS, NIGHTS_MADE_UP
from regulation.online_supervision import looking_back
from runtime import clock
from runtime.database import reading, transaction
from tasks import liaisons, rechecks
from tasks.liaisons import REMINDED
from tasks.online_supervision import Night, recheck, report_of, signs_of, supervise
from tasks.step import record
from tests.articles.conftest import Counter, valid
from tests.conftest import Clerk

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
    days: list[date] | date, times: int = 1, *, hour: int = 10, tag: str = "certificate:query:answered", **said: Any
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
                session.add(AuditEntry(at=at, actor="KQ-SCJG", tag=tag, detail=detail, holder_index=holder))


def fired(on: date = YESTERDAY) -> dict[str, str]:
    """Of the rules that fire what they say."""
    with reading() as session:
        return {sign.rule: sign.facts for sign in signs_of(session, looking_back(on))}


def subjects(rule: str) -> list[str]:
    with reading() as session:
        return [sign.subject for sign in signs_of(session, looking_back(YESTERDAY)) if sign.rule == rule]


def supervised(on_day: Day, day: date) -> list[Night]:
    on_day(day)
    return supervise(clock.now())


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
    assert f"SP-1（{MATTER_HOLDERS.value}个）" in fired()["one-matter"]


def test_an_operator_far_outside_their_pattern_is_found_under_a_mark_and_not_by_name(night: datetime) -> None:
    for number in range(6):
        uses(WORKDAYS, 5, operator=f"甲{number}")
    uses(WORKDAYS[3], 60, hour=11, operator="甲0")
    (subject,) = subjects("operator")
    assert subject.startswith("甲***·")
    assert "甲0" not in fired()["operator"]
    assert subjects("operator") == [subject], "the same mark every night"


def test_nights_and_days_off_count_and_what_holders_set_off_does_not(night: datetime) -> None:
    uses(WORKDAYS, 5)
    uses(date(2026, 10, 5), 30, hour=12)
    assert date(2026, 10, 5).isoweekday() == 1, "a Monday, and a holiday"
    uses(WORKDAYS[0], 60, hour=23, tag="certificate:presentation:answered", operator="SCJG-099")
    assert "off-hours" not in fired()
    uses(WORKDAYS[0], 20, hour=22)
    assert "其中50次" in fired()["off-hours"]


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


def test_what_is_taken_from_an_expired_certificate_counts_unless_a_valid_one_took_its_place(night: datetime) -> None:
    taken = {"tag": "certificate:extract:answered", "type": "T", "result": "expired", "holder": "h{}"}
    uses(WORKDAYS[0], EXPIRED_MATTERS.value, **taken)
    uses(WORKDAYS[1], 9, tag="certificate:authenticate:answered", type="T", result="expired", holder="h{}")
    assert f"有{EXPIRED_MATTERS.value}个办件" in fired()["expired"]
    business_no = f"SP-{WORKDAYS[0]}-10-0"
    uses(WORKDAYS[4], 1, tag="certificate:extract:answered", type="T", result="valid", business_no=business_no)
    assert fired() == {}


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
        assert not liaisons.liaison_on_file(session, nobody, YESTERDAY)


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
    assert report_of([Night(MONDAY, (), second.noted)]).endswith("没有发现问题。")


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


def test_after_it_was_cleared_a_matter_is_judged_by_what_happened_since(night: datetime, on_day: Day) -> None:
    uses(WORKDAYS[-3:], 10, tag="certificate:query:refused", article=9)
    supervised(on_day, MONDAY)
    with transaction() as session:
        (finding,) = session.scalars(select(Finding))
        finding.cleared_on = MONDAY
    uses(MONDAY + timedelta(days=1), 1, tag="certificate:query:refused", article=9)
    (one_more,) = supervised(on_day, MONDAY + timedelta(days=2))[-1:]
    assert one_more.noted.opened == (), "one more is not what was found before"
    uses([MONDAY + timedelta(days=n) for n in (1, 2, 3)], 10, tag="certificate:query:refused", article=9)
    (again,) = supervised(on_day, MONDAY + timedelta(days=4))[-1:]
    assert len(again.noted.opened) == 1
    with reading() as session:
        assert session.scalars(select(Finding.repeats_id)).all() == [None, finding.id]


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
