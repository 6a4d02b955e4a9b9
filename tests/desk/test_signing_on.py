"""Signing in with the government's sign-on: who is recognised, what a browser has to bring back, and that a decision is
signed anew all the same. And what officers learn of those who guess at their codes."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pyotp
import pytest
from sqlalchemy import select

from gateways import zhezhengding
from gateways.zhezhengding_stand_in import Fault, StandIn, running
from models.notices import OutgoingNotice
from models.organisations import Officer
from models.records import AuditEntry
from regulation.limits import WRONG_CODES
from runtime import clock
from runtime.database import reading
from runtime.refusals import InputError
from tasks.case import answers
from tasks.desk import door
from tasks.desk.door import NotSignedInError
from tasks.objections.questions import InitialReview
from tasks.office import signatures
from tasks.office.officer_register import account_index, change_officer
from tests.conftest import Clerk, Time
from tests.desk.test_door import code_of, holds, key_on, let_in

Configure = Callable[..., None]


@pytest.fixture
def sign_on(configure: Configure) -> Iterator[StandIn]:
    """The government's sign-on, where somebody has an account that is ours and somebody one that is not."""
    with running(StandIn("ezt-desk", "its-secret", ["10001", "10002"])) as server:
        configure(
            EZT_ZHEZHENGDING__URL=server.url,
            EZT_ZHEZHENGDING__SIGN_IN_URL=server.sign_in_url,
            EZT_ZHEZHENGDING__APP_KEY="ezt-desk",
            EZT_ZHEZHENGDING__APP_SECRET="its-secret",
            EZT_ONE_TIME_CODES="true",
        )
        yield server
        zhezhengding.close()


@pytest.fixture
def browser(web: str, sign_on: StandIn, configure: Configure) -> Iterator[httpx.Client]:
    """A browser at the desk's door, KQ004 being recognised by an account."""
    configure(EZT_PUBLIC_URL=web)
    change_officer("KQ004", None, None, None, "ezt", "10001")
    with httpx.Client(base_url=web, headers={"Origin": web}, timeout=30) as opened:
        yield opened


def go(browser: httpx.Client, back: str = "") -> httpx.URL:
    """Where the button leads."""
    answer = browser.get("/desk/sign-on", params={"back": back})
    assert answer.status_code == 303
    return httpx.URL(answer.headers["location"])


def chosen(sign_on: StandIn, there: httpx.URL, account: str = "10001") -> str:
    """Where the sign-on sends whoever chose an account."""
    given = {"account": account, "back": there.params["redirect_uri"], "state": there.params["state"]}
    return httpx.get(f"{sign_on.url}/stand-in/chosen", params=given).headers["location"]


def test_whoever_signs_on_with_a_known_account_is_at_the_desk(browser: httpx.Client, sign_on: StandIn) -> None:
    page = browser.get("/desk/sign-in", params={"back": "/desk/figures"}).text
    assert "用浙政钉登录" in page
    assert "/desk/sign-on?back=%2Fdesk%2Ffigures" in page
    answer = browser.get(chosen(sign_on, go(browser, "/desk/figures")))
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/figures")
    assert "KQ004，负责人" in browser.get("/desk").text
    assert "ezt-desk-state" not in browser.cookies
    with reading() as session:
        assert "10001" not in str(vars(session.get_one(Officer, "KQ004")))


def test_an_account_of_nobody_here_lets_nobody_in(browser: httpx.Client, sign_on: StandIn) -> None:
    answer = browser.get(chosen(sign_on, go(browser), "10002"))
    assert answer.status_code == 409
    assert "没有对应的在职工作人员" in answer.text
    assert browser.get("/desk").status_code == 303


def test_a_code_serves_only_the_browser_that_asked_for_it_and_once(
    browser: httpx.Client, sign_on: StandIn, web: str
) -> None:
    back = chosen(sign_on, go(browser))
    # Somebody lures another browser to an address with a code of their own: it would work under their name.
    with httpx.Client(base_url=web) as lured:
        assert "不是从本页发起" in lured.get(back).text
        assert lured.get("/desk").status_code == 303
        go(lured)
        assert "不是从本页发起" in lured.get(back).text
    assert browser.get(back).status_code == 303
    assert "不是从本页发起" in browser.get(back).text
    state = go(browser).params["state"]
    spent = httpx.URL(back).copy_set_param("state", state)
    assert "已用过" in browser.get(spent).text


@pytest.mark.parametrize("without", ["state", "code"])
def test_who_comes_back_without_a_part_is_not_let_in(browser: httpx.Client, sign_on: StandIn, without: str) -> None:
    back = httpx.URL(chosen(sign_on, go(browser))).copy_set_param(without, "")
    assert "登录工作台" in browser.get(back).text
    assert browser.get("/desk").status_code == 303


def test_a_sign_on_that_is_away_keeps_nobody_from_the_other_way(browser: httpx.Client, sign_on: StandIn) -> None:
    sign_on.order(Fault.DOWN)
    answer = browser.get(chosen(sign_on, go(browser)))
    assert "请稍后再试，或用工号和一次性验证码登录" in answer.text
    assert let_in(browser, "KQ004").status_code == 303


def test_where_it_is_not_set_up_there_is_no_such_way(browser: httpx.Client, configure: Configure) -> None:
    configure(EZT_ZHEZHENGDING__URL="")
    assert "浙政钉" not in browser.get("/desk/sign-in").text
    assert browser.get("/desk/sign-on").status_code == 404


def test_a_decision_is_signed_anew_all_the_same(browser: httpx.Client, sign_on: StandIn, clerk: Clerk) -> None:
    case_no = clerk.register().case_no
    assert answers.answer_or_wait(case_no, InitialReview, 1) is None
    browser.get(chosen(sign_on, go(browser)))
    page = browser.get(f"/desk/cases/{case_no}").text
    given = {"form_key": key_on(page), "asked": "initial-review-1", "verdict": "受理"}
    assert browser.post(f"/desk/cases/{case_no}/answers", data=given).status_code != 303
    assert Clerk(case_no).stage() == "待初审"
    with reading() as session:
        assert answers.accepted_answer(session, case_no, "initial-review", 1) is None


def test_an_account_that_is_taken_away_or_changed_ends_what_was_begun(clerk: Clerk) -> None:
    change_officer("KQ002", None, None, None, "ezt", "20001")
    token = door.begin_with_account("20001", "10.1.2.3")
    assert holds(token)
    change_officer("KQ002", None, None, None, "ezt", "")
    assert not holds(token)
    with pytest.raises(NotSignedInError):
        door.begin_with_account("20001", "10.1.2.3")
    # Nobody is recognised by nothing.
    with pytest.raises(NotSignedInError):
        door.begin_with_account("", "10.1.2.3")


def test_an_account_is_one_officer_s(clerk: Clerk) -> None:
    change_officer("KQ002", None, None, None, "ezt", "20001")
    with pytest.raises(InputError, match="已登记在工号KQ002名下"):
        change_officer("KQ003", None, None, None, "ezt", " 20001 ")
    change_officer("KQ002", None, None, None, "ezt", "20001")
    with reading() as session:
        assert session.get_one(Officer, "KQ002").account_index == account_index("20001")
        detail = session.scalars(
            select(AuditEntry.detail).where(AuditEntry.tag == "officer:register:changed").order_by(AuditEntry.id)
        ).all()[-1]
    assert detail == {"staff_no": "KQ002", "fields": ["account_index"]}


# Who guesses


def guess(times: int, staff_no: str = "KQ002", source: str = "203.0.113.9") -> None:
    for number in range(times):
        with pytest.raises(signatures.SignatureError):
            signatures.sign(staff_no, f"{number:06}", source)


def told() -> list[OutgoingNotice]:
    with reading() as session:
        return list(session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == "codes-guessed")))


@pytest.fixture
def codes(clerk: Clerk, configure: Configure) -> None:
    configure(EZT_ONE_TIME_CODES="true")


def test_an_officer_whose_number_is_guessed_at_is_told_once_a_day(codes: None, present: Time) -> None:
    guess(WRONG_CODES.value - 1)
    assert told() == []
    guess(1)
    (notice,) = told()
    with reading() as session:
        assert notice.recipient == session.get_one(Officer, "KQ002").email
    assert notice.context["times"] == WRONG_CODES.value
    assert "KQ002" not in str(notice.context)
    guess(3, source="203.0.113.10")
    assert len(told()) == 1
    present.pass_by(timedelta(days=1))
    guess(WRONG_CODES.value, source="203.0.113.11")
    assert len(told()) == 2


def test_guesses_at_a_number_that_nobody_has_tell_nobody(codes: None) -> None:
    guess(WRONG_CODES.value + 1, "KQ999")
    assert told() == []


def test_an_officer_sees_when_and_from_where_they_last_signed_in(
    web: str, codes: None, present: Time, configure: Configure
) -> None:
    door.begin("KQ004", "10.9.8.7")
    present.pass_by(timedelta(days=3))
    with httpx.Client(base_url=web, headers={"Origin": web}, timeout=30) as browser:
        let_in(browser)
        page = browser.get("/desk").text
    assert "您上次登录：2026-03-03 10:20，从10.9.8.7" in page


def test_strangers_who_guess_do_not_shut_the_officer_out_of_the_desk(web: str, codes: None) -> None:
    with httpx.Client(base_url=web, headers={"Origin": web}, timeout=30) as browser:
        assert let_in(browser, "KQ002").status_code == 303
        for number in range(8):
            guess(4, "KQ002", f"203.0.113.{number}")
        # From where they have signed in before, with the code that comes next.
        with reading() as session:
            coming = pyotp.TOTP(session.get_one(Officer, "KQ002").code_secret).at(int(clock.now().timestamp()) + 30)
        with httpx.Client(base_url=web, headers={"Origin": web}, timeout=30) as again:
            assert again.post("/desk/sign-in", data={"staff_no": "KQ002", "code": coming}).status_code == 303
    with pytest.raises(signatures.SlowedError):
        signatures.sign("KQ002", code_of("KQ002"), "203.0.113.77")


def test_the_desk_s_door_tells_nobody_which_numbers_there_are(web: str, codes: None) -> None:
    said = set()
    for number, staff_no in enumerate(("KQ002", "KQ777")):
        with httpx.Client(base_url=web, headers={"Origin": web}, timeout=30) as browser:
            answer = browser.post("/desk/sign-in", data={"staff_no": staff_no, "code": f"0000{number:02}"})
            said.add((answer.status_code, answer.text.replace(staff_no, "")))
    assert len(said) == 1
