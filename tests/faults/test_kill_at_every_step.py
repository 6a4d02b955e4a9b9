"""SIGKILL at every step boundary of the objection story: after recovery the case closes, each step happened once, each
notice was queued once, and the bureau was asked once."""

import signal
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import StateType
from sqlalchemy import select

from gateways.stand_in import StandIn
from gateways.superior_bureaus import BureauReply
from models.cases import Case, StepRecord
from models.notices import OutgoingNotice
from regulation.certificates import Level
from regulation.objections import Bureau
from runtime import clock
from runtime.database import reading
from tasks.desk.runs import ensure_run, recover, wake
from tasks.objections import questions as objection_questions
from tasks.objections import steps as objections
from tasks.objections.verifications import take_bureau_reply
from tests.faults.conftest import Legs
from tests.faults.leg_runner import STOPPED


def answers_of_today() -> dict[str, dict[str, Any]]:
    """What is answered, dated when the test runs: midnight may have passed since this file was read."""
    return {
        "initial-review-1": {"verdict": "要求补正", "reason": "请补交门牌证照片"},
        "supplement-1": {"kind": "已收到补正材料", "text": "门牌证照片"},
        "initial-review-2": {"verdict": "受理"},
        "letter-posted-1": {"letter_no": "柯数〔2026〕3号", "posted_on": str(clock.today())},
        "verification-reply-1": {
            "finding": "原数据有误",
            "content": "门牌号有误",
            "corrected_value": "群贤路9999号",
            "reply_no": "绍数函〔2026〕1号",
            "replied_on": str(clock.today()),
        },
        "outcome-1": {"outcome": "已更正", "reason": "登记的地址有误，现予更正。"},
        "approve-outcome-1": {"opinion": "退回重拟", "reason": "理由须写明依据。"},
        "outcome-2": {"outcome": "已更正", "reason": "经核实，登记的地址有误，已更正。"},
        "approve-outcome-2": {"opinion": "同意", "reason": "错误明显，已电话告知持证主体。"},
    }


DECLINED = {
    "initial-review-1": {"verdict": "不予受理", "reason": "不属于本区"},
    "approve-review-1": {"opinion": "退回重拟", "reason": "理由不清楚，请重拟。"},
    "initial-review-2": {"verdict": "不予受理", "reason": "该信息不属于电子证照信息"},
    "approve-review-2": {"opinion": "同意"},
}
QUESTIONS = {
    question.question: question
    for question in (
        objection_questions.InitialReview,
        objection_questions.SupplementReceived,
        objection_questions.LetterPosted,
        objection_questions.VerificationReply,
        objection_questions.OutcomeDecision,
        objection_questions.OutcomeApproval,
        objection_questions.ReviewApproval,
    )
}
CITY_STEPS = (
    "request_supplement",
    "take_supplement",
    "accept_objection",
    "prepare_pursuit",
    "record_sent",
    "take_reply",
    "submit_outcome",
    "take_outcome_approval",
    "decide_outcome",
    "correct_certificate",
    "tell_users_of_wrong_value",
    "close_objection",
)


Kills = Sequence[tuple[str, str]]
"""Where legs die: a step, and whether before or after it commits."""


def carry_through(
    client: SyncPrefectClient, legs: Legs, case: Any, answers: dict[str, dict[str, Any]], kills: Kills
) -> None:
    """Play worker and officer until the case is closed, with a leg that dies at each of ``kills``, in their order."""
    ensure_run(client, case.case_no)
    left = list(kills)
    for _ in range(40 + 2 * len(left)):
        with reading() as session:
            row = session.get_one(Case, case.case_no)
        if row.closed_at is not None and not left:
            return
        run = client.read_flow_run(UUID(row.flow_run_id))
        assert run.state is not None
        if run.state.type is StateType.SCHEDULED:
            code = legs.run(str(run.id), *(left[0] if left else ("", "")))
            assert code in {0, -signal.SIGKILL}, code
            if code:
                del left[0]
        elif run.state.type is StateType.PAUSED:
            question, _, turn = row.waiting_for.rpartition("-")
            given = answers[row.waiting_for]
            said = case.approve if question.startswith("approve-") else case.draft
            assert said(QUESTIONS[question], int(turn), **given) is None
            wake(client, case.case_no)
        else:
            assert row.closed_at is None, f"{case.case_no} closed before {left}"
            recovered = recover(client, clock.now() + timedelta(minutes=11))
            assert recovered.started == (case.case_no,)
    raise AssertionError(f"{case.case_no} did not close: {row.stage}, {run.state}, {left}")


def run_for(client: SyncPrefectClient, case: Any) -> str:
    """A case's run, started."""
    ensure_run(client, case.case_no)
    with reading() as session:
        run_id = session.get_one(Case, case.case_no).flow_run_id
    assert run_id is not None
    return run_id


def check_once(case: Any) -> None:
    with reading() as session:
        done = select(StepRecord.step, StepRecord.turn).where(StepRecord.case_no == case.case_no)
        steps = session.execute(done).tuples().all()
        # What is drafted anew comes back to its officer as the case itself came.
        told = OutgoingNotice.case_no == case.case_no, OutgoingNotice.notice != "case-assigned"
        sent = session.scalars(select(OutgoingNotice.notice).where(*told)).all()
    assert max(Counter(steps).values()) == 1
    assert max(Counter(sent).values()) == 1


def before_and_after(*steps: str) -> Kills:
    return [(step, when) for step in steps for when in ("before", "after")]


def test_killed_before_and_after_every_step(
    clerk: Any, legs: Legs, prefect_client: SyncPrefectClient, city_bureau: StandIn
) -> None:
    case = clerk.register(Level.CITY)
    carry_through(prefect_client, legs, case, answers_of_today(), before_and_after(*CITY_STEPS))
    check_once(case)
    assert case.stage() == "已办结"
    assert len(city_bureau.taken) == 1


@pytest.mark.thorough
def test_killed_at_the_letter(clerk: Any, legs: Legs, prefect_client: SyncPrefectClient) -> None:
    case = clerk.register(Level.PROVINCE)
    carry_through(prefect_client, legs, case, answers_of_today(), before_and_after("record_letter"))
    check_once(case)
    assert case.stage() == "已办结"


@pytest.mark.thorough
def test_killed_at_declining(clerk: Any, legs: Legs, prefect_client: SyncPrefectClient) -> None:
    case = clerk.register(Level.CITY)
    carry_through(
        prefect_client,
        legs,
        case,
        DECLINED,
        before_and_after("submit_review", "take_review_approval", "decline_objection"),
    )
    check_once(case)
    assert case.stage() == "不予受理"


def test_a_run_that_slept_through_its_case_s_withdrawal_is_woken_to_end(
    clerk: Any, legs: Legs, prefect_client: SyncPrefectClient
) -> None:
    case = clerk.register(Level.CITY)
    run_id = run_for(prefect_client, case)
    assert legs.run(run_id) == 0
    objections.withdraw_objection(case.token)
    assert recover(prefect_client, clock.now()).woken == (case.case_no,)
    assert legs.run(run_id) == 0
    run = prefect_client.read_flow_run(UUID(run_id))
    assert run.state is not None
    assert run.state.type is StateType.COMPLETED
    assert run.name.endswith("已撤回")
    assert recover(prefect_client, clock.now()).woken == ()


def test_an_answer_recorded_while_the_run_was_going_to_sleep_wakes_it(
    clerk: Any, legs: Legs, prefect_client: SyncPrefectClient
) -> None:
    case = clerk.register(Level.CITY)
    run_id = run_for(prefect_client, case)
    assert legs.run(run_id) == 0
    assert case.answer(objection_questions.InitialReview, verdict="受理") is None
    assert recover(prefect_client, clock.now()).woken == (case.case_no,)
    assert legs.run(run_id) == 0
    assert case.stage() == "核实中"


def test_a_bureau_s_reply_of_which_the_run_never_heard_wakes_it(
    clerk: Any, legs: Legs, prefect_client: SyncPrefectClient
) -> None:
    case = clerk.register(Level.CITY)
    run_id = run_for(prefect_client, case)
    assert case.answer(objection_questions.InitialReview, verdict="受理") is None
    assert legs.run(run_id) == 0
    assert case.stage() == "核实中"
    reply = {"case_no": case.case_no, **answers_of_today()["verification-reply-1"]}
    assert take_bureau_reply(Bureau.CITY, BureauReply.model_validate(reply))
    assert recover(prefect_client, clock.now()).woken == (case.case_no,)
    assert legs.run(run_id) == 0
    assert case.stage() == "待拟定结果"


@pytest.mark.parametrize("news", ["answered", "withdrawn"])
def test_what_comes_between_a_leg_s_last_look_and_its_sleep_wakes_it(
    clerk: Any, legs: Legs, prefect_client: SyncPrefectClient, news: str
) -> None:
    case = clerk.register(Level.CITY)
    run_id = run_for(prefect_client, case)
    assert legs.run(run_id, "suspension", "meanwhile") == STOPPED
    if news == "answered":
        assert case.answer(objection_questions.InitialReview, verdict="受理") is None
    else:
        objections.withdraw_objection(case.token)
    # Whoever brings the news finds the run awake and leaves it alone.
    wake(prefect_client, case.case_no)
    assert legs.go_on() == 0
    run = prefect_client.read_flow_run(UUID(run_id))
    assert run.state is not None
    assert run.state.type is StateType.SCHEDULED
    assert legs.run(run_id) == 0
    assert case.stage() == ("核实中" if news == "answered" else "已撤回")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_dies_at_its_suspension_waits_all_the_same(
    clerk: Any, legs: Legs, prefect_client: SyncPrefectClient, when: str
) -> None:
    case = clerk.register(Level.CITY)
    run_id = UUID(run_for(prefect_client, case))
    assert legs.run(str(run_id), "suspension", when) == -signal.SIGKILL
    if when == "before":
        assert recover(prefect_client, clock.now() + timedelta(minutes=11)).started == (case.case_no,)
        assert legs.run(str(run_id)) == 0
    assert case.answer(objection_questions.InitialReview, verdict="受理") is None
    wake(prefect_client, case.case_no)
    assert legs.run(str(run_id)) == 0
    assert case.stage() == "核实中"


def test_two_recoveries_at_once_start_one_run(clerk: Any, prefect_client: SyncPrefectClient) -> None:
    case = clerk.register(Level.CITY)
    recover(prefect_client, clock.now())
    with reading() as session:
        first = session.get_one(Case, case.case_no).flow_run_id
    ensure_run(prefect_client, case.case_no)
    assert recover(prefect_client, clock.now()).started == ()
    with reading() as session:
        assert session.get_one(Case, case.case_no).flow_run_id == first


def test_a_run_woken_for_nothing_asks_the_same_again(clerk: Any, legs: Legs, prefect_client: SyncPrefectClient) -> None:
    case = clerk.register(Level.CITY)
    run_id = run_for(prefect_client, case)
    for _ in range(2):
        assert legs.run(run_id) == 0
        run = prefect_client.read_flow_run(UUID(run_id))
        assert run.state is not None
        assert run.state.type is StateType.PAUSED
        wake(prefect_client, case.case_no)
    assert case.stage() == "待初审"
