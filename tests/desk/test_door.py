"""Signing in at the desk: who is let in, for how long, from where; and forms of nobody's."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pyotp
import pytest
from sqlalchemy import select

from models.desk import DeskDraft, DeskSession
from models.organisations import Officer, Role, SpentCode
from models.records import AuditEntry
from regulation.limits import DESK_IDLE, DESK_SESSION, WRONG_CODES
from runtime import clock
from runtime.database import reading, transaction
from tasks.case import answers
from tasks.desk import door
from tasks.desk.door import NotSignedInError
from tasks.objections.questions import InitialReview
from tests.conftest import Clerk, Time, officer_of

HERE = "10.1.2.3"
IDLE, LONGEST = timedelta(minutes=DESK_IDLE.value), timedelta(minutes=DESK_SESSION.value)


@pytest.fixture
def codes(configure: Callable[..., None]) -> None:
    configure(EZT_ONE_TIME_CODES="true")


@pytest.fixture
def browser(web: str, codes: None) -> Iterator[httpx.Client]:
    """A browser at the desk's door."""
    with httpx.Client(base_url=web, headers={"Origin": web}, timeout=30) as opened:
        yield opened


def code_of(staff_no: str, seconds: int = 0) -> str:
    with reading() as session:
        return pyotp.TOTP(session.get_one(Officer, staff_no).code_secret).at(int(clock.now().timestamp()) + seconds)


def let_in(browser: httpx.Client, staff_no: str = "KQ004", back: str = "") -> httpx.Response:
    return browser.post("/desk/sign-in", data={"staff_no": staff_no, "code": code_of(staff_no), "back": back})


def key_on(page: str) -> str:
    return re.findall(r'name="form_key" value="(\w+)"', page)[0]


def holds(token: str) -> bool:
    try:
        door.signed_in(token)
    except NotSignedInError:
        return False
    return True


def test_a_whole_office_behind_one_address_signs_in(browser: httpx.Client) -> None:
    for _ in range(70):
        assert let_in(browser).status_code == 303
        forget_code("KQ004")


def test_whoever_guesses_at_an_address_does_not_shut_out_who_signed_in_there(browser: httpx.Client) -> None:
    assert let_in(browser).status_code == 303
    for guessed in range(70):
        answer = browser.post("/desk/sign-in", data={"staff_no": f"KQ9{guessed:02}", "code": "123456"})
        assert answer.status_code == 403
    # With the code that comes next.
    coming = {"staff_no": "KQ004", "code": code_of("KQ004", seconds=30)}
    assert browser.post("/desk/sign-in", data=coming).status_code == 303


def test_whoever_guesses_at_the_door_does_not_keep_who_is_signed_in_from_deciding(
    browser: httpx.Client, clerk: Clerk
) -> None:
    case_no = clerk.register().case_no
    assert answers.answer_or_wait(case_no, InitialReview, 1) is None
    let_in(browser)
    page = browser.get(f"/desk/cases/{case_no}").text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.rpartition('id="asks"')[2]))
    for _ in range(WRONG_CODES.value):
        browser.post("/desk/sign-in", data={"staff_no": "KQ004", "code": "000000"}, headers={"Cookie": ""})
    with httpx.Client(base_url=browser.base_url, headers={"Origin": str(browser.base_url)}) as other:
        assert let_in(other).status_code == 403
    given = hidden | {"verdict": "受理", "code": code_of("KQ004", seconds=30)}
    assert browser.post(f"/desk/cases/{case_no}/answers", data=given).status_code == 303


def test_nobody_sees_the_desk_without_signing_in(browser: httpx.Client) -> None:
    for path in ("/desk", "/desk/matters", "/desk/figures", "/desk/cases/YY-2026-000001"):
        answer = browser.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/desk/sign-in?back={path.replace('/', '%2F')}"
    assert "工号" in browser.get("/desk/sign-in").text


def test_who_signs_in_comes_to_where_they_were_going(browser: httpx.Client) -> None:
    answer = let_in(browser, back="/desk/figures")
    assert answer.headers["location"] == "/desk/figures"
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert "在办统计" in browser.get("/desk/figures").text
    assert "KQ004，负责人" in browser.get("/desk").text


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example/desk", "/desk/x\\y", "/my/certificates", ""])
def test_nobody_is_sent_anywhere_else(browser: httpx.Client, back: str) -> None:
    assert let_in(browser, back=back).headers["location"] == "/desk"


def test_a_code_that_is_wrong_or_spent_lets_nobody_in(browser: httpx.Client) -> None:
    code = code_of("KQ004")
    wrong = browser.post("/desk/sign-in", data={"staff_no": "KQ004", "code": f"{(int(code) + 1) % 10**6:06}"})
    assert wrong.status_code == 403
    assert 'value="KQ004"' in wrong.text
    assert "set-cookie" not in wrong.headers
    assert browser.post("/desk/sign-in", data={"staff_no": "KQ004", "code": code}).status_code == 303
    assert browser.post("/desk/sign-in", data={"staff_no": "KQ004", "code": code}).status_code == 403
    assert browser.post("/desk/sign-in", data={"code": code}).status_code == 422


def test_signing_out_ends_it_and_another_sign_in_gives_another_session(browser: httpx.Client, web: str) -> None:
    let_in(browser)
    first = browser.cookies["ezt-desk"]
    let_in(browser, "KQ001")
    second = browser.cookies["ezt-desk"]
    assert first != second
    assert (holds(first), holds(second)) == (False, True)
    key = key_on(browser.get("/desk").text)
    assert browser.post("/desk/sign-out", data={"form_key": key}).headers["location"] == "/desk/sign-in"
    assert not holds(second)
    assert "ezt-desk" not in browser.cookies


def test_what_a_browser_brings_is_not_in_the_database(clerk: Clerk) -> None:
    token = door.begin("KQ004", HERE)
    with reading() as session:
        (known,) = session.scalars(select(DeskSession))
    assert token not in str(vars(known))


def test_a_session_ends_after_a_while_of_nothing_and_after_a_working_day(clerk: Clerk, present: Time) -> None:
    token = door.begin("KQ004", HERE)
    present.pass_by(IDLE - timedelta(seconds=1))
    assert holds(token)
    present.pass_by(IDLE)
    assert not holds(token)
    token, began = door.begin("KQ004", HERE), present.now
    while present.now - began < LONGEST - IDLE:
        present.pass_by(IDLE / 2)
        assert holds(token)
    present.now = began + LONGEST
    assert not holds(token)


def test_who_leaves_or_has_a_new_secret_is_signed_out(clerk: Clerk) -> None:
    gone, changed = door.begin("KQ002", HERE), door.begin("KQ003", HERE)
    with transaction() as session:
        session.get_one(Officer, "KQ002").active = False
        session.get_one(Officer, "KQ003").code_secret = pyotp.random_base32()
    assert (holds(gone), holds(changed)) == (False, False)
    with pytest.raises(NotSignedInError, match="没有对应的在职工作人员"):
        door.begin("KQ002", HERE)


def test_signing_in_and_out_is_on_record(clerk: Clerk) -> None:
    door.sign_out(door.begin("KQ004", HERE))
    with reading() as session:
        tags = session.scalars(select(AuditEntry.tag).where(AuditEntry.actor == "KQ004").order_by(AuditEntry.id))
        assert list(tags) == ["desk:session:begun", "desk:session:ended"]


def test_the_desk_is_only_where_its_networks_are(browser: httpx.Client, configure: Callable[..., None]) -> None:
    configure(EZT_DESK_NETWORKS='["10.33.0.0/16", "::1/128"]')
    for path in ("/desk", "/desk/sign-in", "/desk/cases/YY-2026-000001"):
        assert browser.get(path).status_code == 404
    assert browser.post("/desk/sign-in", data={"staff_no": "KQ004"}).status_code == 404
    configure(EZT_DESK_NETWORKS='["127.0.0.0/8"]')
    assert browser.get("/desk/sign-in").status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_no_page_of_somebody_elses_acts_for_whoever_is_signed_in(browser: httpx.Client, origin: str) -> None:
    let_in(browser)
    key = key_on(browser.get("/desk").text)
    answer = browser.post("/desk/sign-out", data={"form_key": key}, headers={"Origin": origin})
    assert answer.status_code == 403
    assert browser.get("/desk").status_code == 200


def test_a_form_without_its_key_is_none_of_ours(browser: httpx.Client) -> None:
    let_in(browser)
    for key in ("", "0" * 64, "长"):
        assert browser.post("/desk/sign-out", data={"form_key": key}).status_code == 403
    assert browser.get("/desk").status_code == 200


def test_what_was_typed_when_the_session_had_ended_is_there_after_signing_in(
    browser: httpx.Client, clerk: Clerk, web: str
) -> None:
    case_no = clerk.register().case_no
    assert answers.answer_or_wait(case_no, InitialReview, 1) is None
    let_in(browser)
    page = browser.get(f"/desk/cases/{case_no}").text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.rpartition('id="asks"')[2]))
    with transaction() as session:
        for known in session.scalars(select(DeskSession)):
            known.ended_at = clock.now()
    typed = hidden | {"verdict": "不予受理", "reason": "所述项目不是电子证照的内容", "code": "123456"}
    answer = browser.post(f"/desk/cases/{case_no}/answers", data=typed)
    again = answer.headers["location"]
    assert again == f"/desk/sign-in?back=%2Fdesk%2Fcases%2F{case_no}&ended=form"
    assert "刚才提交的没有登记；填写的文字已保留" in browser.get(again).text
    with reading() as session:
        (kept,) = session.scalars(select(DeskDraft))
    assert not {"code", "form_key"} & set(kept.typed)
    # Somebody else who signs in at this browser has nothing of it.
    own = officer_of(case_no)
    if own != "KQ004":
        with httpx.Client(base_url=web, headers={"Origin": web}) as other:
            let_in(other, own)
            assert "所述项目不是电子证照的内容" not in other.get(f"/desk/cases/{case_no}").text
    forget_code("KQ004")
    let_in(browser)
    again = browser.get(f"/desk/cases/{case_no}").text
    assert "所述项目不是电子证照的内容" in again
    assert re.search(r'value="不予受理" checked', again)
    assert "没有提交的内容还在下面" in again


def forget_code(staff_no: str) -> None:
    """As if half a minute had passed."""
    with transaction() as session:
        session.query(SpentCode).filter_by(staff_no=staff_no).delete()


def test_an_auditor_reads_everything_and_decides_nothing(browser: httpx.Client, clerk: Clerk) -> None:
    case_no = clerk.register().case_no
    assert answers.answer_or_wait(case_no, InitialReview, 1) is None
    with transaction() as session:
        session.get_one(Officer, "KQ003").role = Role.AUDITOR
        session.query(DeskSession).delete()
    let_in(browser, "KQ003")
    page = browser.get(f"/desk/cases/{case_no}").text
    assert "俞小云" in page
    assert "审计人员只能查看，不能办理" in page
    assert 'id="asks"' not in page
    data = {"form_key": key_on(page), "asked": "initial-review-1", "verdict": "受理", "shown": "x"}
    assert "审计人员只能查看" in browser.post(f"/desk/cases/{case_no}/answers", data=data).text
    assert Clerk(case_no).stage() == "待初审"
    assert "待办" in browser.get("/desk?whose=all").text
