"""Answers to a story's questions, from officers, objectors, bureaus and the clock, each recorded before anything acts.

One answer is accepted per question and turn; whatever comes later, or breaks a rule, is kept with the reason why not.
"""

from datetime import date, datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.backfill_batches import BackfillBatch
from models.backfills import BackfillEntry
from models.cases import Answer, AnswerSource, Case
from models.use_lists import ProposedLine
from regulation.objections import Finding
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import RefusalError, in_chinese
from tasks.backfill_entries import correction_refusal
from tasks.officers import check_may_act, identify
from tasks.questions import BackfillCorrection, Circumstances, Question, ReplyKind, VerificationReply
from tasks.step import CaseClosedError, locked_case, record


def accepted_answer(session: Session, case_no: str, question: str, turn: int) -> dict[str, Any] | None:
    """What was answered to this question in this turn, or ``None``."""
    wanted = select(Answer.given).where(
        Answer.case_no == case_no, Answer.question == question, Answer.turn == turn, Answer.refusal.is_(None)
    )
    return session.scalar(wanted)


def answer_or_wait(case_no: str, question: type[Question], turn: int) -> dict[str, Any] | None:
    """The recorded answer; ``None`` after noting on the case that its story now waits for it.

    Raises ``CaseClosedError`` when the case ended meanwhile: there is nothing left to ask.
    """
    with transaction() as session:
        case = locked_case(session, case_no)
        given = accepted_answer(session, case_no, question.question, turn)
        if given is None:
            if case.closed_at is not None:
                raise CaseClosedError(case_no)
            case.waiting_for = f"{question.question}-{turn}"
        return given


def answers_so_far(session: Session, case_no: str, question: str) -> int:
    """How many rounds of a question have been answered."""
    wanted = select(func.count(Answer.id)).where(
        Answer.case_no == case_no, Answer.question == question, Answer.refusal.is_(None)
    )
    return session.scalar(wanted) or 0


def reply_answer(session: Session, case_no: str) -> Answer | None:
    """The answer that holds the bureau's reply: the first one, on which everything after it rests."""
    wanted = select(Answer).where(
        Answer.case_no == case_no, Answer.question == VerificationReply.question, Answer.refusal.is_(None)
    )
    answers = session.scalars(wanted.order_by(Answer.turn))
    return next((answer for answer in answers if answer.given["kind"] == ReplyKind.REPLIED), None)


def reply_of(session: Session, case_no: str) -> dict[str, Any] | None:
    """What the bureau replied, once it is on record."""
    answer = reply_answer(session, case_no)
    return answer.given if answer is not None else None


def has_reply(case_no: str) -> bool:
    """Whether the bureau's reply is on record, so that nothing about the asking needs to be decided any more."""
    with reading() as session:
        return reply_of(session, case_no) is not None


def answered_on(session: Session, case_no: str, question: str, turn: int) -> date:
    """The day of the accepted answer: what an answer does to a limit does not wait for the run that acts on it."""
    wanted = select(Answer.at).where(
        Answer.case_no == case_no, Answer.question == question, Answer.turn == turn, Answer.refusal.is_(None)
    )
    return clock.local_date(session.scalars(wanted).one())


def take_officer_answer(
    case_no: str, question: type[Question], turn: int, source_key: str, given: dict[str, Any], staff_no: str, code: str
) -> str | None:
    """Check and record what an officer answered in a form; ``None`` when accepted, else the Chinese reason why not.

    ``source_key`` names this one submission. The officer's code is spent either way.
    """
    with transaction() as session:
        known = session.scalar(select(Answer).where(Answer.source_key == source_key))
        if known is not None:
            return known.refusal
        now = clock.now()
        case = locked_case(session, case_no)
        officer_no: str | None = None
        try:
            officer = identify(session, staff_no, code, now)
            officer_no = officer.staff_no
            # Whoever entered a paper corrects it, though the case is its reviewer's.
            if not (question is BackfillCorrection and officer.staff_no in _entered_by(session, case_no)):
                check_may_act(session, officer, case, clock.local_date(now))
            answer = _checked(session, case, question, given, officer.staff_no)
            refusal = None
        except RefusalError as why:
            answer, refusal = given, str(why)
        return _store(session, case, question, turn, AnswerSource.OFFICER, source_key, answer, officer_no, now, refusal)


def record_answer(
    session: Session,
    case: Case,
    question: type[Question],
    turn: int,
    source: AnswerSource,
    source_key: str,
    given: dict[str, Any],
    at: datetime,
) -> str | None:
    """Record an answer that did not come through a form, inside the caller's transaction; the case is locked.

    Returns ``None`` when it was accepted (or already is on record), else the Chinese reason why not.
    """
    known = session.scalar(select(Answer).where(Answer.source_key == source_key))
    if known is not None:
        return known.refusal
    return _store(session, case, question, turn, source, source_key, given, None, at, None)


def _checked(
    session: Session, case: Case, question: type[Question], given: dict[str, Any], officer_no: str
) -> dict[str, Any]:
    try:
        answer = question.model_validate(given)
    except ValidationError as error:
        raise RefusalError(in_chinese(error, question)) from None
    reply = reply_of(session, case.case_no)
    finding = Finding(reply["finding"]) if reply else None
    lines = session.scalars(select(ProposedLine.line).where(ProposedLine.case_no == case.case_no))
    entered_by = _entered_by(session, case.case_no)
    sample = session.scalar(select(BackfillBatch.sample).where(BackfillBatch.case_no == case.case_no)) or ()
    circumstances = Circumstances(
        case.received_on, clock.today(), finding, tuple(lines), officer_no, entered_by, tuple(sample)
    )
    if why := answer.refusal(circumstances):
        raise RefusalError(why)
    if isinstance(answer, BackfillCorrection) and (why := correction_refusal(session, case, answer.values)):
        raise RefusalError(why)
    checked = answer.model_dump(mode="json")
    return checked | {"kind": ReplyKind.REPLIED} if question is VerificationReply else checked


def _entered_by(session: Session, case_no: str) -> frozenset[str]:
    """Who entered the paper certificates of a backfill; nobody for a case of another kind."""
    one = select(BackfillEntry.entered_by).where(BackfillEntry.case_no == case_no)
    many = select(BackfillBatch.entered_by).where(BackfillBatch.case_no == case_no)
    return frozenset(session.scalars(one.union_all(many)))


def _store(
    session: Session,
    case: Case,
    question: type[Question],
    turn: int,
    source: AnswerSource,
    source_key: str,
    given: dict[str, Any],
    officer_no: str | None,
    at: datetime,
    refusal: str | None,
) -> str | None:
    if refusal is None and case.closed_at is not None:
        refusal = "本件已经办结，不再接受答复。"
    if refusal is None and accepted_answer(session, case.case_no, question.question, turn) is not None:
        refusal = "这一步已有答复，以先登记的为准。"
    answer = Answer(
        case_no=case.case_no,
        question=question.question,
        turn=turn,
        source=source,
        source_key=source_key,
        given=given,
        officer_no=officer_no,
        at=at,
        refusal=refusal,
    )
    session.add(answer)
    action = "answered" if refusal is None else "refused"
    actor = officer_no or source
    record(session, f"case:{question.question}:{action}", case.case_no, actor, at, turn=turn, refusal=refusal)
    return refusal


def last_refusal(case_no: str, question: str, turn: int) -> str | None:
    """Why the last officer's answer in this turn was refused, for the head of the form that asks again."""
    with reading() as session:
        wanted = select(Answer.refusal).where(
            Answer.case_no == case_no,
            Answer.question == question,
            Answer.turn == turn,
            Answer.source == AnswerSource.OFFICER,
            Answer.refusal.is_not(None),
        )
        return session.scalar(wanted.order_by(Answer.id.desc()).limit(1))
