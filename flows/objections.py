"""Objections (Article 12): one, and many handed in together."""

from itertools import count

from flows.asking import ask
from flows.story import story
from regulation.objections import FINAL, Verdict
from tasks.desk.runs import give_runs, nudge, show_case, take_up
from tasks.objections.batches import (
    accept_some,
    chunks_to_register,
    close_batch,
    deliver_some,
    judge_batch,
    prepare_letters,
    record_letters,
    register_chunk,
    still_to_deliver,
    sum_up,
)
from tasks.objections.endings import conclude
from tasks.objections.questions import (
    BatchLetterPosted,
    BatchReview,
    InitialReview,
    LetterPosted,
    OutcomeApproval,
    OutcomeDecision,
    RefusedRequest,
    ReplyKind,
    ReviewApproval,
    SupplementReceived,
    VerificationReply,
    has_reply,
)
from tasks.objections.steps import (
    accept_objection,
    decline_objection,
    refer_to_decision,
    request_supplement,
    submit_outcome,
    submit_review,
    take_outcome_approval,
    take_reply,
    take_review_approval,
    take_supplement,
)
from tasks.objections.verifications import deliver_verification, prepare_pursuit, record_letter


@story("异议核查")
def objection_case(case_no: str) -> None:
    """第十二条：对电子证照信息准确性、完整性、时效性有异议的，有权提出核查申请；综合管理单位在收到后5个工作日内向省、市大数据局
    提出核实需求，核实后将处理结果告知异议申请人。

    Args:
        case_no: 办件编号，如 YY-2026-000001；登记后自动发起，只有代录批量异议中一件的书面回复时才手工填写
    """
    take_up(case_no)
    match review(case_no):
        case Verdict.DECLINE:
            let_go_on(decline_objection(case_no))
        case Verdict.ANSWERED:
            let_go_on(refer_to_decision(case_no))
        case _:
            accept_objection(case_no)
            verify(case_no)
            decide(case_no)
            conclude(lambda step: step(case_no))


def let_go_on(released: str | None) -> None:
    """Give whoever was joined to a case that has ended a run of their own."""
    if released is not None:
        nudge(released)


def review(case_no: str) -> Verdict:
    """The initial review, again after each supplement, and where an end that was drafted is not approved."""
    for turn in count(1):
        verdict = Verdict(ask(case_no, InitialReview, turn)["verdict"])
        if verdict is Verdict.SUPPLEMENT:
            request_supplement(case_no, turn)
            ask(case_no, SupplementReceived, turn)
            take_supplement(case_no, turn)
            continue
        if verdict in FINAL:
            submit_review(case_no, turn)
            ask(case_no, ReviewApproval, turn)
            if not take_review_approval(case_no, turn):
                continue
        return verdict
    raise AssertionError("count() has no end")


def decide(case_no: str) -> None:
    """Draft the outcome, as often as it takes until another approves it."""
    for turn in count(1):
        ask(case_no, OutcomeDecision, turn)
        submit_outcome(case_no, turn)
        ask(case_no, OutcomeApproval, turn)
        if take_outcome_approval(case_no, turn):
            return


def verify(case_no: str) -> None:
    """Ask the bureau that answers for the certificate; urge it and escalate to the province until it replies."""
    for turn in count(1):
        match prepare_pursuit(case_no, turn):
            case "gateway":
                deliver_verification(case_no, turn)
            case "letter":
                ask(case_no, LetterPosted, turn)
                record_letter(case_no, turn)
        reply = ReplyKind(ask(case_no, VerificationReply, turn)["kind"])
        if reply is ReplyKind.REPLIED:
            take_reply(case_no)
            return
        if reply is ReplyKind.REFUSED and not has_reply(case_no):
            ask(case_no, RefusedRequest, turn)


@story("批量异议")
def objection_batch(case_no: str) -> None:
    """第十二条：对电子证照信息准确性、完整性、时效性有异议的，有权提出核查申请；综合管理单位在收到后5个工作日内向省、市大数据局
    提出核实需求。一次报送的多件异议一并登记、一并初审、一并提出核实需求。

    Args:
        case_no: 办件编号，如 YP-2026-000001；报送批次后自动发起，通常无需手工填写
    """
    show_case(case_no)
    for chunk in chunks_to_register(case_no):
        register_chunk(case_no, chunk)
    together = sum_up(case_no)
    give_runs(case_no)
    if together:
        ask(case_no, BatchReview)
        accepted = judge_batch(case_no)
        give_runs(case_no)
        if accepted:
            request(case_no)
            close_batch(case_no)


def request(case_no: str) -> None:
    """Accept together and ask the bureaus: through their gateways, and with one letter to each that has none."""
    for part in count(1):
        if not accept_some(case_no, part):
            break
    for part in count(1):
        deliver_some(case_no)
        if not still_to_deliver(case_no, part):
            break
    parts = count(1)
    for turn, _ in enumerate(prepare_letters(case_no), 1):
        ask(case_no, BatchLetterPosted, turn)
        while record_letters(case_no, next(parts)):
            pass
