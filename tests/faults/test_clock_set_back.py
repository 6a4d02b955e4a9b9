"""The clock is set back an hour, in the middle of everything: nothing happens twice, nothing out of order, and what was
spent stays spent."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import select, update

from gateways.stand_in import StandIn
from models.cases import Deadline, StepRecord
from models.notices import OutgoingNotice
from models.organisations import Officer
from notifications import sender
from notifications.sender import dispatch
from regulation.limits import OUTCOME_NOTICE, VERIFICATION_REQUEST
from regulation.objections import Stage
from runtime import clock
from runtime.database import reading, transaction
from tasks.desk.sheets import sheet_of
from tasks.keeping.records import seal_record, verify_record
from tasks.objections import steps as objections
from tasks.objections import verifications
from tasks.objections.questions import InitialReview, OutcomeDecision, has_reply
from tasks.office.signatures import CODE_SECONDS, DESK, SignatureError, sign
from tests.conftest import Clerk, Mailbox, Time

HOUR = timedelta(hours=1)
REPLY = 3
"""The step for which a story waits for the bureau."""
DECIDED: dict[str, Any] = {"outcome": "已更正", "reason": "经市局核实，登记的地址有误，已更正。"}


def carry_on(case: Clerk, upto: int) -> None:
    """The story from its first line, as a leg plays it, to the step of this number."""
    steps = (
        lambda: objections.accept_objection.run(case.case_no),
        lambda: case.request(),
        lambda: verifications.correspond(),
        lambda: objections.take_reply.run(case.case_no),
        lambda: case.answer(OutcomeDecision, **DECIDED),
        lambda: objections.decide_outcome.run(case.case_no),
        lambda: objections.correct_certificate.run(case.case_no),
        lambda: objections.close_objection.run(case.case_no),
    )
    for number, step in enumerate(steps[:upto]):
        if number == REPLY and not has_reply(case.case_no):
            return
        step()


@pytest.mark.parametrize("after", range(9))
def test_a_story_during_which_it_is_set_back_goes_its_way(
    present: Time, clerk: Clerk, city_bureau: StandIn, mailbox: Mailbox, after: int
) -> None:
    case = clerk.register()
    assert case.answer(InitialReview, verdict="受理") is None
    carry_on(case, after)
    dispatch()
    present.pass_by(-HOUR)
    carry_on(case, 8)
    # The bureau's clock is set back as well.
    for _ in range(40):
        if case.stage() == Stage.CLOSED:
            break
        present.pass_by(timedelta(minutes=2))
        carry_on(case, 8)
    assert case.stage() == Stage.CLOSED
    present.pass_by(HOUR)
    dispatch()
    assert [mail["Subject"][:8] for mail in mailbox.to("yuxiaoyun@example.com")] == [
        "已收到您的异议（",
        "您的异议已受理（",
        "已向绍兴市大数据",
        "异议处理结果（Y",
    ]
    assert len(city_bureau.taken) == 1
    with reading() as session:
        steps = session.scalars(select(StepRecord.step).where(StepRecord.case_no == case.case_no)).all()
        limits = {limit.limit_code: limit for limit in session.scalars(select(Deadline))}
    assert sorted(steps) == sorted(
        (
            "accept_objection",
            "prepare_pursuit",
            "record_sent",
            "take_reply",
            "decide_outcome",
            "correct_certificate",
            "close_objection",
        )
    )
    # Limits are counted in days, from the day on which it was received.
    assert str(limits[VERIFICATION_REQUEST.code].due_on) == "2026-03-10"
    assert (limits[VERIFICATION_REQUEST.code].missed_by, limits[OUTCOME_NOTICE.code].missed_by) == (0, 0)
    seal_record(clock.now())
    assert verify_record().findings == ()
    assert sheet_of(case.case_no).timeline[0][1].startswith("登记")


def test_a_one_time_code_that_was_spent_stays_spent(
    present: Time, clerk: Clerk, configure: Callable[..., None]
) -> None:
    configure(EZT_ONE_TIME_CODES="true")
    with reading() as session:
        totp = pyotp.TOTP(session.get_one(Officer, "KQ001").code_secret)
    code = totp.at(int(present.now.timestamp()))
    assert sign("KQ001", code, DESK).staff_no == "KQ001"
    present.pass_by(HOUR)
    present.pass_by(-HOUR)
    with pytest.raises(SignatureError, match="已用过"):
        sign("KQ001", code, DESK)
    # Nobody has to wait an hour for the next one.
    present.pass_by(-HOUR)
    earlier = totp.at(int(present.now.timestamp()) + CODE_SECONDS)
    assert sign("KQ001", earlier, DESK).staff_no == "KQ001"


def test_what_a_dispatcher_had_claimed_when_it_was_set_back_is_sent_once(
    present: Time, clerk: Clerk, mailbox: Mailbox
) -> None:
    clerk.register()
    # A dispatcher that died with its claim.
    with transaction() as session:
        session.execute(update(OutgoingNotice).values(claimed_until=present.now + sender.CLAIM))
    present.pass_by(-HOUR)
    for _ in range(50):
        present.pass_by(timedelta(minutes=2))
        dispatch()
    ids = [mail["Message-ID"] for mail in mailbox.mails]
    with reading() as session:
        assert sorted(ids) == sorted(session.scalars(select(OutgoingNotice.message_id)))
