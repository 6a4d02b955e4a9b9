"""Verification requests to the superior bureaus (Article 12): prepared in a step, sent outside of it, answered."""

from contextlib import suppress
from datetime import date, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from gateways.superior_bureaus import BureauReply, VerificationMessage, fetch_reply, send_verification
from gateways.zhejiang_gateway import (
    BureauRefusedError,
    BureauUnavailableError,
    MappingError,
    Matter,
    has_gateway,
)
from models.cases import AnswerSource, Case, Deadline
from models.certificates import CertificateType
from models.objections import Objection, VerificationRequest
from notifications.notices import VerificationSent
from regulation.certificates import Level
from regulation.limits import URGE, VERIFICATION_REQUEST
from regulation.objections import (
    Bureau,
    Pursued,
    Pursuit,
    Stage,
    answering_bureau,
    pursuit_after_silence,
)
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import RefusalError
from tasks.answers import accepted_answer, answers_so_far, record_answer
from tasks.cases import meet_deadline, start_deadline
from tasks.objection_questions import LetterPosted, RefusedRequest, Remedy, ReplyKind, VerificationReply, reply_of
from tasks.objections import go_to, objection_of, parties
from tasks.questions import Asked
from tasks.staff_tasks import open_staff_task
from tasks.step import CaseClosedError, Step, durable, locked_case, once, record

RETRY_AFTER_MINUTES = (2, 5, 10, 30, 60)
"""Minutes until a bureau that could not be reached is tried again; the last one repeats."""


@durable("准备核实需求")
def prepare_pursuit(step: Step) -> str:
    """Write down what is done next to get a reply: the request, an urge, an escalation, or what staff chose.

    Returns ``"gateway"``, ``"letter"``, or ``"answered"`` when the reply came first and nothing has to be sent.
    """
    if accepted_answer(step.session, step.case.case_no, VerificationReply.question, step.turn) is not None:
        return "answered"
    history = list(
        step.session.scalars(
            select(VerificationRequest)
            .where(VerificationRequest.case_no == step.case.case_no)
            .order_by(VerificationRequest.turn)
        )
    )
    next_move, by_letter = _next_move(step, history)
    request = VerificationRequest(
        case_no=step.case.case_no,
        turn=step.turn,
        pursuit=next_move.pursuit,
        bureau=next_move.bureau,
        idempotency_key=f"{step.case.case_no}-{step.turn}",
        by_letter=by_letter or not has_gateway(next_move.bureau),
        prepared_at=step.now,
        next_attempt_at=step.now,
        asked_at=step.now,
    )
    step.session.add(request)
    step.audit(
        "objection:verification:prepared", bureau=request.bureau, pursuit=request.pursuit, by_letter=request.by_letter
    )
    return "letter" if request.by_letter else "gateway"


def _next_move(step: Step, history: list[VerificationRequest]) -> tuple[Pursued, bool]:
    if not history:
        objection = objection_of(step.session, step.case.case_no)
        kind = step.session.get(CertificateType, objection.type_code) if objection.type_code else None
        return Pursued(Pursuit.REQUEST, answering_bureau(kind.source if kind else Level.CITY)), False
    choice = accepted_answer(step.session, step.case.case_no, RefusedRequest.question, step.turn - 1)
    if choice is None:
        return pursuit_after_silence([Pursued(past.pursuit, past.bureau) for past in history]), False
    return {
        Remedy.AGAIN: (Pursued(Pursuit.AGAIN, history[-1].bureau), False),
        Remedy.LETTER: (Pursued(Pursuit.LETTER, history[-1].bureau), True),
        Remedy.ESCALATE: (Pursued(Pursuit.ESCALATE, Bureau.PROVINCE), False),
    }[Remedy(choice["remedy"])]


def deliver_verification(case_no: str, turn: int) -> bool:
    """Hand a prepared request to the bureau's gateway, outside of any transaction, and record what came of it.

    Sent, refused by the bureau (which becomes a question to staff), or not reached: then it is tried again by the
    scheduled correspondence, and the case goes on waiting with its clock shown. Returns whether the bureau could be
    reached. Raises ``CaseClosedError`` when the objector withdrew meanwhile.
    """
    with reading() as session:
        request = _request(session, case_no, turn)
        if request is None or request.sent_at is not None or request.refusal is not None or request.by_letter:
            return True
        message = _message(session, request)
    try:
        remote_no = send_verification(request.bureau, message)
    except (BureauUnavailableError, MappingError) as why:
        _postpone(case_no, turn, str(why))
        return False
    except BureauRefusedError as why:
        _refused(case_no, turn, str(why))
    else:
        once(case_no, "record_sent", turn, str(request.bureau), lambda step: _record_sent(step, remote_no, step.today))
    return True


@durable("登记发函")
def record_letter(step: Step) -> None:
    """The letter that staff posted counts as the request, from the day on which they say it went out."""
    posted = LetterPosted.model_validate(
        accepted_answer(step.session, step.case.case_no, LetterPosted.question, step.turn)
    )
    _record_sent(step, posted.letter_no, posted.posted_on)


def _record_sent(step: Step, remote_no: str, sent_on: date) -> None:
    """The statutory duty is done on the day the first request goes out; its lateness, if any, stays on the case."""
    request = _request(step.session, step.case.case_no, step.turn)
    if request is None:
        raise LookupError(f"{step.case.case_no}没有第{step.turn}次核实需求。")
    request.sent_at, request.remote_no = step.now, remote_no
    if step.case.stage == Stage.ACCEPTED:
        go_to(step, Stage.VERIFYING)
    for party in parties(step):
        # Who joined after the letter was posted cannot have been late.
        met_on = max(sent_on, party.case.received_on)
        deadline = meet_deadline(step.session, party.case.case_no, VERIFICATION_REQUEST, met_on)
        if deadline is not None:
            step.audit("objection:time-limit:met", party.case.case_no, missed_by=deadline.missed_by)
        if request.pursuit is not Pursuit.URGE:
            step.notify(
                VerificationSent(
                    case_no=party.case.case_no,
                    objector=party.objector,
                    certificate=party.objection.certificate_type,
                    bureau=request.bureau,
                    sent_on=sent_on,
                    link=party.link,
                ),
                party.objection.email,
                party.case.case_no,
            )
    meet_deadline(step.session, step.case.case_no, URGE, step.today)
    if step.case.stage == Stage.VERIFYING:
        # The reply may have come, on paper, while the request was on its way: then there is nothing to urge.
        start_deadline(step.session, step.case.case_no, URGE, sent_on, step.turn)
    step.audit("objection:verification:sent", bureau=request.bureau, pursuit=request.pursuit, remote_no=remote_no)


def _request(session: Session, case_no: str, turn: int) -> VerificationRequest | None:
    return session.scalar(
        select(VerificationRequest).where(VerificationRequest.case_no == case_no, VerificationRequest.turn == turn)
    )


def _message(session: Session, request: VerificationRequest) -> VerificationMessage:
    case = session.get_one(Case, request.case_no)
    objection = session.get_one(Objection, request.case_no)
    statutory = select(Deadline.due_on).where(
        Deadline.case_no == case.case_no, Deadline.limit_code == VERIFICATION_REQUEST.code
    )
    return VerificationMessage(
        case_no=case.case_no,
        idempotency_key=request.idempotency_key,
        pursuit=request.pursuit,
        type_code=objection.type_code or "",
        type_name=objection.certificate_type,
        certificate_reference=objection.certificate_reference,
        field_code=objection.field_code or "",
        field_name=objection.field_name,
        stated=objection.stated,
        proposed=objection.proposed,
        reason=objection.reason,
        grounds=objection.grounds,
        received_on=case.received_on,
        due_on=session.scalars(statutory).one(),
        matter=Matter(
            power_matters="异议核查",
            sub_power_matters="电子证照数据核实",
            accesscard_id=case.officer_no,
            material_name=objection.certificate_type,
            sponsor_name="绍兴市柯桥区大数据发展管理中心",
            sponsor_code="330603",
            project_id=case.case_no,
        ),
    )


def _postpone(case_no: str, turn: int, why: str) -> None:
    with transaction() as session:
        locked_case(session, case_no)
        request = _request(session, case_no, turn)
        if request is None or request.sent_at is not None:
            return
        now = clock.now()
        wait = RETRY_AFTER_MINUTES[min(request.attempts, len(RETRY_AFTER_MINUTES) - 1)]
        request.attempts += 1
        request.next_attempt_at = now + timedelta(minutes=wait)
        record(session, "objection:verification:not-reached", case_no, str(request.bureau), now, why=why, retry=wait)


def _refused(case_no: str, turn: int, why: str) -> None:
    with transaction() as session:
        case = locked_case(session, case_no)
        request = _request(session, case_no, turn)
        if request is None or request.sent_at is not None or request.refusal is not None:
            return
        now = clock.now()
        request.refusal = why
        record(session, "objection:verification:refused", case_no, str(request.bureau), now, why=why)
        record_answer(
            session,
            case,
            VerificationReply,
            turn,
            AnswerSource.BUREAU,
            f"{request.idempotency_key}:refused",
            {"kind": ReplyKind.REFUSED},
            now,
        )


def take_bureau_reply(bureau: Bureau, reply: BureauReply) -> bool:
    """Record a bureau's reply, whichever way it came and however often; whether it was news that a run should hear.

    Raises ``LookupError`` for a case that this bureau was never asked about, ``RefusalError`` for a reply that cannot
    be (a finding of error without the right value).
    """
    form = VerificationReply.model_validate(reply.model_dump(exclude={"case_no"}))
    with transaction() as session:
        asked = select(VerificationRequest.id).where(
            VerificationRequest.case_no == reply.case_no, VerificationRequest.bureau == bureau
        )
        if session.scalar(asked.limit(1)) is None:
            raise LookupError(f"没有向{bureau}提出过编号为{reply.case_no}的核实需求。")
        case = locked_case(session, reply.case_no)
        now = clock.now()
        if why := form.refusal(Asked(session, case, "", clock.local_date(now))):
            raise RefusalError(why)
        key = f"{bureau}:{reply.reply_no}:{case.case_no}"
        known = reply_of(session, case.case_no)
        if known is not None or Stage(case.stage) not in {Stage.ACCEPTED, Stage.VERIFYING}:
            if known is None or (known["reply_no"], known["finding"]) != (reply.reply_no, reply.finding):
                stands = f"本件已登记{known['reply_no']}为准" if known else f"本件已为“{case.stage}”"
                what = f"{bureau}回复了核实结果（{reply.reply_no}），但{stands}，请阅处"
                open_staff_task(session, f"late-reply:{key}", case.case_no, what, now)
            record(session, "objection:reply:late", case.case_no, str(bureau), now, reply_no=reply.reply_no)
            return False
        turn = answers_so_far(session, case.case_no, VerificationReply.question) + 1
        given = form.model_dump(mode="json") | {"kind": ReplyKind.REPLIED}
        if record_answer(session, case, VerificationReply, turn, AnswerSource.BUREAU, key, given, now) is not None:
            return False
        # Whatever the story waits for, a form about a refused request included: this answers it.
        case.waiting_for = f"{VerificationReply.question}-{turn}"
        return True


def correspond(limit: int = 500) -> list[str]:
    """Send what could not be sent before and fetch replies that nobody pushed; the case numbers that have news.

    A bureau that cannot be reached is left for the next round, so that it does not keep the others waiting; who was
    not asked for the longest time is asked first.
    """
    now = clock.now()
    with reading() as session:
        unsent = session.scalars(
            select(VerificationRequest)
            .join(Case, Case.case_no == VerificationRequest.case_no)
            .where(
                VerificationRequest.sent_at.is_(None),
                VerificationRequest.refusal.is_(None),
                VerificationRequest.by_letter.is_(False),
                VerificationRequest.next_attempt_at <= now,
                Case.stage.in_((Stage.ACCEPTED, Stage.VERIFYING)),
            )
            .order_by(VerificationRequest.next_attempt_at)
            .limit(limit)
        ).all()
        asked = session.scalars(
            select(VerificationRequest)
            .join(Case, Case.case_no == VerificationRequest.case_no)
            .where(
                Case.stage == Stage.VERIFYING,
                VerificationRequest.sent_at.is_not(None),
                VerificationRequest.by_letter.is_(False),
                VerificationRequest.pursuit != Pursuit.URGE,
            )
            .order_by(VerificationRequest.asked_at, VerificationRequest.id)
            .limit(limit)
        ).all()
    unreachable = {bureau for bureau in Bureau if not has_gateway(bureau)}
    news = []
    for request in unsent:
        if request.bureau not in unreachable:
            with suppress(CaseClosedError):
                if deliver_verification(request.case_no, request.turn):
                    news.append(request.case_no)
                else:
                    unreachable.add(request.bureau)
    for request in asked:
        if request.bureau not in unreachable:
            try:
                if _fetch(request):
                    news.append(request.case_no)
            except (BureauUnavailableError, MappingError):
                unreachable.add(request.bureau)
    return news


def _fetch(request: VerificationRequest) -> bool:
    """Ask the bureau for its reply to a request; whether there is news. What cannot be recorded is left to staff."""
    news = False
    try:
        reply = fetch_reply(request.bureau, request.remote_no or "")
        if reply is not None:
            news = take_bureau_reply(request.bureau, reply)
    except MappingError:
        raise
    except (BureauRefusedError, RefusalError, LookupError) as why:
        with transaction() as session:
            what = f"{request.bureau}的核实结果无法登记：{why}"
            open_staff_task(session, f"bad-reply:{request.case_no}", request.case_no, what, clock.now())
    with transaction() as session:
        session.execute(
            update(VerificationRequest).where(VerificationRequest.id == request.id).values(asked_at=clock.now())
        )
    return news
