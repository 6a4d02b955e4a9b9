"""Article 14: who did what is on record. A one-time code is spent when it is looked at, and wrong ones are counted."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError

from models.cases import Answer
from models.organisations import Officer, SpentCode, WrongCode
from models.records import AuditEntry
from regulation.limits import (
    SIGNED_BEFORE,
    STRANGERS_WRONG_CODES,
    WRONG_CODE_WINDOW,
    WRONG_CODES,
)
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import RefusalError
from tasks.case import answers
from tasks.case.answers import changed_answers
from tasks.desk import door
from tasks.objections.lists import list_of_batch
from tasks.objections.questions import InitialReview
from tasks.office.signatures import (
    COMMAND_LINE,
    DESK,
    SignatureError,
    SlowedError,
    sign,
    sign_on_page,
)
from tests.conftest import Clerk, Time, answered, officer_of

DIRECTOR = "KQ004"
OFFICE, STRANGER = "10.1.2.3", "203.0.113.7"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def signing(clerk: Clerk, present: Time, configure: Callable[..., None]) -> Iterator[Clerk]:
    """A clerk over the sample data where one-time codes are asked for."""
    configure(EZT_ONE_TIME_CODES="true")
    return clerk


def shown(staff_no: str, later: int = 0) -> str:
    """What an officer's authenticator shows ``later`` seconds from now."""
    with reading() as session:
        return pyotp.TOTP(session.get_one(Officer, staff_no).code_secret).at(int(clock.now().timestamp()) + later)


def wrong(staff_no: str) -> str:
    """Six digits that it shows neither now nor soon."""
    near = {shown(staff_no, 30 * step) for step in range(-3, 4)}
    return next(code for code in map("{:06}".format, range(10)) if code not in near)


def guess(staff_no: str, source: str, times: int = 1) -> None:
    code = wrong(staff_no) if staff_no != "KQ999" else "000000"
    for _ in range(times):
        with pytest.raises(SignatureError):
            sign(staff_no, code, source)


def looked_at(staff_no: str = DIRECTOR) -> int:
    """How many wrong codes are counted of a number."""
    with reading() as session:
        return session.scalar(select(func.count()).where(WrongCode.staff_no == staff_no)) or 0


def spent() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(SpentCode)) or 0


def recorded(tag: str) -> list[tuple[str, object]]:
    with reading() as session:
        rows = session.scalars(select(AuditEntry).where(AuditEntry.tag == tag).order_by(AuditEntry.id))
        return [(entry.actor, entry.detail) for entry in rows]


def answer(case_no: str, staff_no: str, code: str, **given: object) -> str | None:
    return answered(case_no, InitialReview, 1, given, staff_no, code)


def read_from(address: str) -> str:
    """The director signs in from an address; who that was."""
    return door.signed_in(door.sign_in(DIRECTOR, shown(DIRECTOR), address)).staff_no


# A code is good once


def test_the_officers_code_is_asked_for_and_spent(signing: Clerk, present: Time) -> None:
    assert sign("kq001", shown("KQ001"), DESK).staff_no == "KQ001"
    with pytest.raises(SignatureError, match="已用过，请等待下一个"):
        sign("KQ001", shown("KQ001"), DESK)
    with pytest.raises(SignatureError, match="不对或已过期"):
        sign("KQ001", shown("KQ001", 180), DESK)
    with pytest.raises(SignatureError, match="未填写"):
        sign("KQ001", " ", DESK)
    with pytest.raises(SignatureError, match="工号不存在或已停用"):
        sign("KQ999", shown("KQ001"), DESK)


def test_what_is_wrong_with_an_answer_is_said_before_its_code_is_looked_at(signing: Clerk) -> None:
    case_no = signing.register().case_no
    code = shown(DIRECTOR)
    assert "理由" in str(answer(case_no, DIRECTOR, code, verdict="不予受理", reason=""))
    assert "初审意见" in str(answer(case_no, DIRECTOR, code, verdict="随便"))
    assert (spent(), looked_at()) == (0, 0)
    assert answer(case_no, DIRECTOR, code, verdict="受理") is None
    assert spent() == 1


def test_who_may_not_answer_spends_no_code(signing: Clerk) -> None:
    case_no = signing.register().case_no
    own = officer_of(case_no)
    other = next(no for no in ("KQ001", "KQ002") if no != own)
    assert "办理" in str(answer(case_no, other, shown(other), verdict="受理"))
    assert spent() == 0


def test_a_code_and_its_answer_are_recorded_together_or_not_at_all(
    signing: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_no = signing.register().case_no
    code = shown(DIRECTOR)
    with monkeypatch.context() as broken:
        broken.setattr(answers, "NEW_ANSWER", text("INSERT INTO nowhere VALUES (1)"))
        with pytest.raises(DatabaseError):
            answer(case_no, DIRECTOR, code, verdict="受理")
    assert spent() == 0
    assert answer(case_no, DIRECTOR, code, verdict="受理") is None


def test_an_answer_that_was_changed_afterwards_is_found(signing: Clerk) -> None:
    case_no = signing.register().case_no
    assert answer(case_no, DIRECTOR, shown(DIRECTOR), verdict="受理") is None
    assert changed_answers() == []
    with transaction() as session:
        row = session.scalars(select(Answer)).one()
        row.given = row.given | {"verdict": "不予受理"}
    assert changed_answers() == [f"{case_no} initial-review-1"]


def test_an_answer_that_was_put_in_or_dated_otherwise_afterwards_is_found(signing: Clerk) -> None:
    case_no = signing.register().case_no
    assert answer(case_no, DIRECTOR, shown(DIRECTOR), verdict="受理") is None
    with transaction() as session:
        row = session.scalars(select(Answer)).one()
        row.at -= timedelta(days=10)
        copied = {each.name: getattr(row, each.name) for each in Answer.__table__.columns if each.name != "id"}
        session.add(Answer(**copied | {"turn": 2, "source_key": "put in"}))
    assert changed_answers() == [f"{case_no} initial-review-1", f"{case_no} initial-review-2"]


def test_a_code_is_spent_though_the_command_refuses(signing: Clerk) -> None:
    code = shown(DIRECTOR)
    with pytest.raises(RefusalError, match="请核对编号"):
        list_of_batch("YP-2026-000099", DIRECTOR, code)
    with pytest.raises(SignatureError, match="已用过"):
        sign(DIRECTOR, code, DESK)


def test_two_who_come_at_once_with_one_code_are_not_both_let_in(signing: Clerk) -> None:
    code = shown(DIRECTOR)

    def come(_: int) -> str:
        try:
            return sign(DIRECTOR, code, DESK).staff_no
        except SignatureError as why:
            return str(why)

    with ThreadPoolExecutor(8) as pool:
        came = list(pool.map(come, range(8)))
    assert came.count(DIRECTOR) == 1
    assert sum("已用过" in said for said in came) == 7


def test_an_answer_that_is_sent_twice_is_recorded_once(signing: Clerk, present: Time) -> None:
    case_no = signing.register().case_no
    signature = answers.Signature(DIRECTOR, shown(DIRECTOR), OFFICE)
    assert answers.answer_or_wait(case_no, InitialReview, 1) is None
    for _ in range(2):
        answers.take_officer_answer(case_no, InitialReview, 1, "form-1", {"verdict": "受理"}, signature)
        present.pass_by(10 * MINUTE)
    with reading() as session:
        assert session.scalar(select(func.count(Answer.id))) == 1


# Wrong codes are counted


def test_twenty_guesses_at_a_form_are_five_looks(signing: Clerk, present: Time) -> None:
    case_no = signing.register().case_no
    said = [answer(case_no, DIRECTOR, wrong(DIRECTOR), verdict="受理") for _ in range(20)]
    assert ["不对或已过期" in str(why) for why in said] == [True] * 5 + [False] * 15
    assert all("请在10:21以后" in str(why) for why in said[5:])
    assert recorded("officer:code:refused") == [(DIRECTOR, {"door": DESK})] * WRONG_CODES.value
    # The right one is not looked at either, and so it is not spent.
    code = shown(DIRECTOR, 60)
    assert "没有核对" in str(answer(case_no, DIRECTOR, shown(DIRECTOR), verdict="受理"))
    present.pass_by(MINUTE)
    assert answer(case_no, DIRECTOR, code, verdict="受理") is None


@pytest.mark.parametrize("source", [DESK, COMMAND_LINE, STRANGER])
def test_every_door_counts(signing: Clerk, source: str) -> None:
    guess(DIRECTOR, source, 5)
    with pytest.raises(SlowedError):
        sign(DIRECTOR, shown(DIRECTOR), source)
    assert sign("KQ001", shown("KQ001"), source).staff_no == "KQ001"


def test_each_wrong_code_more_doubles_the_wait_up_to_an_hour(signing: Clerk, present: Time) -> None:
    guess(DIRECTOR, DESK, WRONG_CODES.value)
    waits = []
    for counted in range(WRONG_CODES.value, 13):
        since = present.now
        while looked_at() == counted:
            present.pass_by(MINUTE)
            guess(DIRECTOR, DESK)
        waits.append((present.now - since) // MINUTE)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_day_later_nothing_is_held_against_anybody(signing: Clerk, present: Time) -> None:
    guess(DIRECTOR, DESK, 5)
    present.pass_by(timedelta(seconds=WRONG_CODE_WINDOW.value))
    guess(DIRECTOR, DESK, 4)
    assert sign(DIRECTOR, shown(DIRECTOR), DESK).staff_no == DIRECTOR
    # What does not count any more is not kept either.
    present.pass_by(timedelta(seconds=WRONG_CODE_WINDOW.value + 1))
    guess("KQ001", DESK)
    assert (looked_at(), looked_at("KQ001")) == (0, 1)


def test_guesses_that_come_at_once_are_all_counted(signing: Clerk) -> None:
    code = wrong(DIRECTOR)

    def come(_: int) -> None:
        with pytest.raises(SignatureError):
            sign_on_page(DIRECTOR, code, STRANGER)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(come, range(24)))
    assert looked_at() == len(recorded("officer:code:refused")) == WRONG_CODES.value


# Strangers shut nobody out


def test_guesses_by_strangers_do_not_shut_the_officer_out(signing: Clerk, present: Time) -> None:
    assert read_from(OFFICE) == DIRECTOR
    present.pass_by(MINUTE)
    for host in range(1, 60):
        guess(DIRECTOR, f"203.0.113.{host}", 3)
    assert len(recorded("officer:code:refused")) == looked_at() == STRANGERS_WRONG_CODES.value
    with pytest.raises(SlowedError, match="以后"):
        sign_on_page(DIRECTOR, shown(DIRECTOR), "198.51.100.1")
    assert read_from(OFFICE) == DIRECTOR
    present.pass_by(MINUTE)
    assert sign(DIRECTOR, shown(DIRECTOR), DESK).staff_no == DIRECTOR
    present.pass_by(MINUTE)
    assert sign(DIRECTOR, shown(DIRECTOR), COMMAND_LINE).staff_no == DIRECTOR
    # An address from which the officer has not signed for long is a stranger's.
    present.pass_by(timedelta(days=SIGNED_BEFORE.value + 1))
    for host in range(1, 60):
        guess(DIRECTOR, f"203.0.113.{host}", 3)
    with pytest.raises(SlowedError):
        sign_on_page(DIRECTOR, shown(DIRECTOR), OFFICE)


def test_who_guesses_for_everybody_is_slowed_too(signing: Clerk) -> None:
    for staff_no in ("KQ001", "KQ002", "KQ004", "KQ999"):
        guess(staff_no, STRANGER, STRANGERS_WRONG_CODES.value // 4)
    with pytest.raises(SlowedError):
        sign_on_page("KQ003", shown("KQ003"), STRANGER)


def test_a_network_of_version_6_counts_as_one_address(signing: Clerk) -> None:
    for host in range(WRONG_CODES.value):
        with pytest.raises(SignatureError):
            sign_on_page(DIRECTOR, wrong(DIRECTOR), f"2001:db8::{host + 1:x}")
    with pytest.raises(SlowedError):
        sign_on_page(DIRECTOR, shown(DIRECTOR), "2001:db8::ffff")
    assert sign_on_page(DIRECTOR, shown(DIRECTOR), "2001:db8:0:1::1").staff_no == DIRECTOR


def test_a_stranger_does_not_learn_which_staff_numbers_there_are(signing: Clerk) -> None:
    told = []
    for staff_no in ("KQ001", "KQ999"):
        said = []
        for _ in range(7):
            with pytest.raises(SignatureError) as why:
                sign_on_page(staff_no, "000000" if staff_no == "KQ999" else wrong(staff_no), f"10.0.0.{staff_no[-1]}")
            said.append(str(why.value))
        told.append(said)
    assert told[0] == told[1]
    assert recorded("officer:code:refused") == [("KQ001", {"door": "page"})] * WRONG_CODES.value
