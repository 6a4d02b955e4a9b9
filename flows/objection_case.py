"""The objection story (Article 12)."""

from itertools import count

from flows.asking import ask
from flows.story import story
from regulation.objections import Verdict
from tasks.case_runs import take_up
from tasks.corrections import tell_users_of_wrong_value
from tasks.objection_questions import (
    InitialReview,
    LetterPosted,
    OutcomeDecision,
    RefusedRequest,
    ReplyKind,
    SupplementReceived,
    VerificationReply,
    has_reply,
)
from tasks.objections import (
    accept_objection,
    close_objection,
    correct_certificate,
    decide_outcome,
    decline_objection,
    needs_correction,
    request_supplement,
    take_reply,
    take_supplement,
)
from tasks.verifications import deliver_verification, prepare_pursuit, record_letter


@story("异议核查")
def objection_case(case_no: str) -> None:
    """第十二条：对电子证照信息准确性、完整性、时效性有异议的，有权提出核查申请；综合管理单位在收到后5个工作日内向省、市大数据局
    提出核实需求，核实后将处理结果告知异议申请人。

    Args:
        case_no: 办件编号，如 YY-2026-000001；登记后自动发起，只有代录批量异议中一件的书面回复时才手工填写
    """
    take_up(case_no)
    if review(case_no) is Verdict.DECLINE:
        decline_objection(case_no)
        return
    accept_objection(case_no)
    verify(case_no)
    ask(case_no, OutcomeDecision)
    if needs_correction(decide_outcome(case_no)):
        correct_certificate(case_no)
        tell_users_of_wrong_value(case_no)
    close_objection(case_no)


def review(case_no: str) -> Verdict:
    """The initial review, again after each supplement."""
    for turn in count(1):
        verdict = Verdict(ask(case_no, InitialReview, turn)["verdict"])
        if verdict is not Verdict.SUPPLEMENT:
            return verdict
        request_supplement(case_no, turn)
        ask(case_no, SupplementReceived, turn)
        take_supplement(case_no, turn)
    raise AssertionError("count() has no end")


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
