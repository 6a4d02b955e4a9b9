"""Who is away is said before cases or a leave are signed over to them; it may go on after that."""

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from ezt.desk import Desk
from models.notices import OutgoingNotice
from models.organisations import Leave
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError
from tasks.case.hand_over import give_cases
from tasks.desk.entries import foresee, keep, new_id
from tasks.desk.to_do import receivers
from tasks.office.leave import change_leave, end_leave, file_leave
from tests.conftest import Clerk, at_desk, by_officer, officer_of, signing

DIRECTOR = "KQ004"


def away(staff_no: str, substitute: str, days: int = 3) -> str:
    """Send an officer on leave today, for so many days more; the last one."""
    today = clock.today()
    with transaction() as session:
        until_on = today + timedelta(days=days)
        session.add(Leave(staff_no=staff_no, substitute_no=substitute, from_on=today, until_on=until_on))
    return str(until_on)


def another(case_no: str) -> tuple[str, str]:
    """Two officers who do not have a case."""
    one, other = sorted({"KQ001", "KQ002", "KQ003"} - {officer_of(case_no)})[:2]
    return one, other


def test_many_cases_go_to_somebody_away_only_after_that_was_said(clerk: Clerk) -> None:
    case_no = clerk.register().case_no
    to, substitute = another(case_no)
    until_on = away(to, substitute)
    for though_away in ("", substitute):
        with pytest.raises(InputError) as refused:
            give_cases([case_no], to, "轮岗", signing(DIRECTOR), though_away)
        assert list(refused.value.wrong) == ["though_away"]
        assert f"休假至{until_on}，由工号{substitute}代理" in str(refused.value)
    assert officer_of(case_no) != to
    assert give_cases([case_no], to, "轮岗", signing(DIRECTOR), to) == 1
    assert officer_of(case_no) == to


def said_before(code: str, **typed: object) -> str:
    """What a director is asked to look at again before they sign this start."""
    by = at_desk(DIRECTOR)
    entry = keep(new_id(), code, by, {name: str(value) for name, value in typed.items()})
    return "".join(foresee(entry, by).doubts.values())


def test_that_the_receiver_of_a_case_is_away_is_said_before_it_is_signed(clerk: Clerk) -> None:
    case_no = clerk.register().case_no
    to, substitute = another(case_no)
    given = {"case_no": case_no, "to": to, "why": "轮岗"}
    assert said_before("hand-over", **given) == ""
    # Whoever stands in is away, too: a director acts.
    until_on, _ = away(to, substitute), away(substitute, to)
    assert re.search(rf"{to}）休假至{until_on}，由工号{DIRECTOR}代理", said_before("hand-over", **given))
    assert officer_of(case_no) != to


def test_who_is_away_stands_in_the_list_of_receivers(clerk: Clerk) -> None:
    until_on = away("KQ003", "KQ002")
    names = dict(receivers())
    assert names["KQ003"].endswith(f"超期0件；休假至{until_on}，由工号KQ002代理）")
    assert "休假" not in names["KQ002"]


def test_a_leave_says_who_acts_where_the_substitute_is_away_too(clerk: Clerk) -> None:
    today = clock.today()
    until_on = away("KQ002", "KQ003")
    days = {"from_on": today, "until_on": today + timedelta(days=1)}
    said = said_before("leave", absent="KQ001", substitute="KQ002", **days)
    assert said == f"代理人KQ002在{today}至{until_on}也休假，其间由工号KQ003代理。"
    said = said_before("leave", absent="KQ003", substitute="KQ001", **days)
    assert said == f"休假人KQ003在{today}至{until_on}代理工号KQ002，其间改由工号KQ001代理。"
    later = today + timedelta(days=30)
    assert said_before("leave", absent="KQ003", substitute="KQ002", from_on=later, until_on=later) == ""
    file_leave("KQ003", "KQ002", later, later, by_officer(DIRECTOR))
    with reading() as session:
        number = session.scalar(select(Leave.id).where(Leave.staff_no == "KQ003"))
    change = {"leave": number, "what": "改日期或代理人", "from_on": today, "until_on": today, "substitute": "KQ001"}
    assert "其间改由工号KQ001代理" in said_before("leave-change", **change)


def told_of_leave() -> list[tuple[str, bool]]:
    """Who was written to about a leave, and whether it was taken back."""
    with reading() as session:
        wanted = select(OutgoingNotice).where(OutgoingNotice.notice == "leave-filed").order_by(OutgoingNotice.id)
        return [(each.context["officer"], each.context["taken_back"]) for each in session.scalars(wanted)]


def test_who_acts_and_who_is_away_are_told_by_letter(clerk: Clerk) -> None:
    today = clock.today()
    names = {each: by_officer(each).name for each in ("KQ001", "KQ002", "KQ003")}
    file_leave("KQ001", "KQ002", today, today + timedelta(days=3), by_officer("KQ001"))
    assert told_of_leave() == [(names["KQ002"], False)]
    with reading() as session:
        number = session.scalars(select(Leave.id)).one()
    # By a director, with another substitute: the one before is told, too.
    change_leave(number, "KQ003", today, today + timedelta(days=3), by_officer(DIRECTOR))
    assert told_of_leave()[1:] == [(names[each], False) for each in ("KQ001", "KQ002", "KQ003")]
    end_leave(number, today - timedelta(days=1), by_officer(DIRECTOR))
    assert told_of_leave()[4:] == [(names[each], True) for each in ("KQ001", "KQ003")]


def test_nobody_is_on_leave_twice_at_once(clerk: Clerk) -> None:
    today, by = clock.today(), by_officer(DIRECTOR)
    file_leave("KQ001", "KQ002", today, today + timedelta(days=3), by)
    for first, last in ((1, 2), (-1, 0), (3, 9)):
        with pytest.raises(InputError, match="不要重复登记"):
            file_leave("KQ001", "KQ003", today + timedelta(days=first), today + timedelta(days=last), by)
    file_leave("KQ001", "KQ003", today + timedelta(days=4), today + timedelta(days=9), by)
    with reading() as session:
        number = session.scalars(select(Leave.id).order_by(Leave.id)).first()
    assert number is not None
    with pytest.raises(InputError, match="不要重复登记"):
        change_leave(number, "KQ002", today, today + timedelta(days=4), by)
    change_leave(number, "KQ002", today, today + timedelta(days=2), by)


def send(desk: Desk, **typed: Any) -> httpx.Response:
    browser = desk.browser(DIRECTOR)
    key = browser.get("/desk").text.partition('name="form_key" value="')[2].partition('"')[0]
    data = {"form_key": key, "address": "whose=all", "why": "轮岗"} | typed
    return browser.post("/desk/hand-over", data=data, follow_redirects=True)


def test_the_page_asks_about_this_very_receiver_and_loses_nothing(clerk: Clerk, desk: Desk) -> None:
    case_no = clerk.register().case_no
    to, substitute = another(case_no)
    away(to, substitute)
    assert 'name="though_away"' not in desk.browser(DIRECTOR).get("/desk?whose=all").text
    asked = send(desk, to=to, case=[case_no])
    assert (asked.status_code, officer_of(case_no) == to) == (422, False)
    assert f'name="though_away" value="{to}"' in asked.text
    assert f'value="{case_no}" id="cases"' in asked.text
    done = send(desk, to=to, case=[case_no], though_away=to)
    assert "已移交1件" in done.text
    assert officer_of(case_no) == to
