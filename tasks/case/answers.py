"""Answers to a story's questions, from officers, objectors, bureaus and the clock, each recorded before anything acts.

One answer is accepted per question and turn; whatever comes later, or breaks a rule, is kept with the reason why not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar, cast

from pydantic import ValidationError
from sqlalchemy import Table, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from models.cases import Answer, AnswerSource, Case
from regulation.limits import Limit
from runtime import clock
from runtime.database import in_pieces, insert_many, one_read, reading, transaction
from runtime.refusals import RefusalError, in_chinese
from tasks.audit import record
from tasks.case.deadlines import meet_deadline
from tasks.case.history import history_of
from tasks.case.questions import Asked, Question
from tasks.case.step import CaseClosedError, Step, Steps, locked_case
from tasks.office.officers import acting_officer
from tasks.office.signatures import DESK, SignatureError, sign, submission_of

Q = TypeVar("Q", bound=Question)

ACCEPTED = select(Answer.given).where(
    Answer.case_no == bindparam("case_no"),
    Answer.question == bindparam("question"),
    Answer.turn == bindparam("turn"),
    Answer.refusal.is_(None),
)
LAST_ACCEPTED = (
    select(Answer.given)
    .where(
        Answer.case_no == bindparam("case_no"),
        Answer.question == bindparam("question"),
        Answer.refusal.is_(None),
    )
    .order_by(Answer.turn.desc())
    .limit(1)
)
GIVEN_BEFORE = select(Answer.refusal).where(Answer.source_key == bindparam("source_key"))
WAITS = (
    update(Case)
    .where(Case.case_no == bindparam("waits"), Case.closed_at.is_(None))
    .values(waiting_for=bindparam("for"))
)
NEW_ANSWER = insert(Answer)
ANSWERED = (
    select(Answer.case_no, Answer.at)
    .where(
        Answer.case_no.in_(bindparam("case_nos", expanding=True)),
        Answer.question == bindparam("question"),
        Answer.refusal.is_(None),
    )
    .order_by(Answer.turn)
)


def accepted_answer(session: Session, case_no: str, question: str, turn: int) -> dict[str, Any] | None:
    """What was answered to this question in this turn, or ``None``."""
    known = history_of(case_no).answers
    if (question, turn) not in known:
        asked = {"case_no": case_no, "question": question, "turn": turn}
        given: dict[str, Any] | None = session.connection().execute(ACCEPTED, asked).scalar_one_or_none()
        return given
    return known[question, turn]


def last_accepted_answer(session: Session, case_no: str, question: str) -> dict[str, Any] | None:
    """What was answered in the last turn of a question that may be asked again, or ``None``."""
    given: dict[str, Any] | None = session.connection().scalar(
        LAST_ACCEPTED, {"case_no": case_no, "question": question}
    )
    return given


def settled(case_no: str, question: type[Question], turn: int) -> bool:
    """Whether nobody need answer this question any more: it has an answer on record, or its case has ended."""
    with reading() as session:
        ended = session.get_one(Case, case_no).closed_at is not None
        return ended or accepted_answer(session, case_no, question.question, turn) is not None


def answer_or_wait(case_no: str, question: type[Question], turn: int) -> dict[str, Any] | None:
    """The recorded answer; ``None`` after noting on the case that its story now waits for it.

    Raises ``CaseClosedError`` when the case ended meanwhile: there is nothing left to ask.
    """
    known = history_of(case_no).answers.get((question.question, turn))
    if known is not None:
        return known
    with transaction() as session:
        # This locks the case: who answers it from here on finds it waiting.
        is_open = session.connection().execute(WAITS, {"waits": case_no, "for": f"{question.question}-{turn}"}).rowcount
        given = accepted_answer(session, case_no, question.question, turn)
        if given is None and not is_open:
            raise CaseClosedError(case_no)
        return given


@dataclass(frozen=True, slots=True)
class Offered:
    """What is known of an answer before it is given: ``choices`` of fields that take only what the case allows, and who
    acts for the case's officer today."""

    choices: Mapping[str, Sequence[str]]
    staff_no: str


def offered(case_no: str, question: type[Question]) -> Offered:
    """What the form of a question can offer for a case."""
    with reading() as session:
        case = session.get_one(Case, case_no)
        officer = acting_officer(session, case.officer_no, clock.today())
        return Offered(question.choices(session, case), officer.staff_no)


def answers_so_far(session: Session, case_no: str, question: str) -> int:
    """How many rounds of a question have been answered."""
    wanted = select(func.count(Answer.id)).where(
        Answer.case_no == case_no, Answer.question == question, Answer.refusal.is_(None)
    )
    return session.scalar(wanted) or 0


def answered_on(session: Session, case_no: str, question: str, turn: int) -> date:
    """The day of the accepted answer: what an answer does to a limit does not wait for the run that acts on it."""
    wanted = select(Answer.at).where(
        Answer.case_no == case_no, Answer.question == question, Answer.turn == turn, Answer.refusal.is_(None)
    )
    return clock.local_date(session.scalars(wanted).one())


def meet_by_answer(step: Step, question: type[Question], limit: Limit) -> date:
    """Meet a limit on the day on which a question was answered in the step's turn; the day."""
    on = answered_on(step.session, step.case.case_no, question.question, step.turn)
    meet_deadline(step.session, step.case.case_no, limit, on)
    return on


def answered(step: Step, question: type[Q], limit: Limit | None = None) -> Q:
    """What was answered to a question in the step's turn, on the day of which ``limit`` is met."""
    if limit is not None:
        meet_by_answer(step, question, limit)
    return question.model_validate(accepted_answer(step.session, step.case.case_no, question.question, step.turn))


def last_answered_on(session: Session, case_nos: Sequence[str], question: str) -> dict[str, date]:
    """By case, the day of the last accepted answer to a question, where there is one."""
    found: dict[str, date] = {}
    for some in in_pieces(case_nos):
        answers = session.connection().execute(ANSWERED, {"case_nos": some, "question": question}).tuples()
        found |= {case_no: clock.local_date(at) for case_no, at in answers}
    return found


def take_officer_answer(
    case_no: str, question: type[Question], turn: int, source_key: str, given: dict[str, Any], staff_no: str, code: str
) -> str | None:
    """Check and record what an officer answered in a form; ``None`` when accepted, else the Chinese reason why not.

    ``source_key`` names this one submission. The officer's code is spent either way.
    """
    with one_read() as connection:
        known = connection.execute(GIVEN_BEFORE, {"source_key": source_key}).tuples().one_or_none()
    if known is not None:
        return known[0]
    officer, refusal, answer = None, None, given
    try:
        submission = submission_of(source_key, {**given, "staff_no": staff_no})
        officer = sign(staff_no, code, DESK, submission)
    except SignatureError as why:
        refusal = str(why)
    with transaction() as session:
        known = session.connection().execute(GIVEN_BEFORE, {"source_key": source_key}).tuples().one_or_none()
        if known is not None:
            return known[0]
        now = clock.now()
        case = locked_case(session, case_no)
        if officer is not None:
            today = clock.local_date(now)
            try:
                question.check_officer(session, officer, case, today)
                answer = checked(Asked(session, case, officer.staff_no, today), question, given)
            except RefusalError as why:
                refusal = str(why)
        officer_no = officer.staff_no if officer is not None else None
        row = _answer(case, question, turn, AnswerSource.OFFICER, source_key, answer, officer_no, now, refusal)
        refusal = _store(session, case, row)
    if refusal is None:
        history_of(case_no).answers[question.question, turn] = answer
    return refusal


def record_answer(
    session: Session,
    case: Case,
    question: type[Question],
    turn: int,
    source: AnswerSource,
    source_key: str,
    given: dict[str, Any],
    at: datetime,
    officer_no: str | None = None,
) -> str | None:
    """Record an answer that did not come through a form, inside the caller's transaction; the case is locked.

    Returns ``None`` when it was accepted (or already is on record), else the Chinese reason why not.
    """
    known = session.connection().execute(GIVEN_BEFORE, {"source_key": source_key}).tuples().one_or_none()
    if known is not None:
        return known[0]
    return _store(session, case, _answer(case, question, turn, source, source_key, given, officer_no, at))


def answer_for_all(
    steps: Steps,
    question: type[Question],
    given: dict[str, Any],
    key: str,
    source: AnswerSource = AnswerSource.OFFICER,
) -> None:
    """Record the same answer, of the officer who is the actor of ``steps`` or of another ``source``, for each of the
    cases, which are open and have none, and write it; ``key`` names the decision that holds for them all."""
    officer_no = steps.actor if source is AnswerSource.OFFICER else None
    rows = [
        _answer(case, question, steps.turn, source, f"{key}:{case.case_no}", given, officer_no, steps.now)
        for case in steps.cases
    ]
    insert_many(steps.session, cast("Table", Answer.__table__), rows)
    for case in steps.cases:
        steps.audit(f"case:{question.question}:answered", case.case_no, turn=steps.turn, refusal=None)
    steps.write()


def checked(asked: Asked, question: type[Question], given: Mapping[str, Any]) -> dict[str, Any]:
    """An officer's answer as it goes on record. ``RefusalError`` says what is wrong with it."""
    answer = as_answered(question, given)
    if why := answer.refusal(asked):
        raise RefusalError(why)
    return answer.recorded()


def as_answered(question: type[Q], given: Mapping[str, Any]) -> Q:
    """An officer's answer, whatever state its case is in. ``RefusalError`` for what is no answer to the question."""
    try:
        return question.model_validate(given)
    except ValidationError as error:
        raise RefusalError(in_chinese(error, question)) from None


def _store(session: Session, case: Case, answer: dict[str, Any]) -> str | None:
    """Put an answer's columns on record; why it is refused, if it is."""
    question, turn = answer["question"], answer["turn"]
    refusal: str | None = answer["refusal"]
    if refusal is None and case.closed_at is not None:
        refusal = "本件已经办结，不再接受答复。"
    if refusal is None and accepted_answer(session, case.case_no, question, turn) is not None:
        refusal = "这一步已有答复，以先登记的为准。"
    session.connection().execute(NEW_ANSWER, answer | {"refusal": refusal})
    if refusal is None:
        # There is something to do now: recovery gives it a run, if nobody does before.
        case.at_rest = False
    action = "answered" if refusal is None else "refused"
    actor = answer["officer_no"] or answer["source"]
    record(session, f"case:{question}:{action}", case.case_no, actor, answer["at"], turn=turn, refusal=refusal)
    return refusal


def _answer(
    case: Case,
    question: type[Question],
    turn: int,
    source: AnswerSource,
    source_key: str,
    given: dict[str, Any],
    officer_no: str | None,
    at: datetime,
    refusal: str | None = None,
) -> dict[str, Any]:
    """An answer's columns."""
    return {
        "case_no": case.case_no,
        "question": question.question,
        "turn": turn,
        "source": source,
        "source_key": source_key,
        "given": given,
        "officer_no": officer_no,
        "at": at,
        "refusal": refusal,
    }


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
