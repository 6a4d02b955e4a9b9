"""Answers to a story's questions, from officers, objectors, bureaus and the clock, each recorded before anything acts.

One answer is accepted per question and turn. Of what comes from outside, whatever comes later, or breaks a rule, is
kept with the reason why not; an officer is told before anything is recorded. The audit entry of an answer keeps a seal
over it, so that a later change of the answer is found.
"""

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeVar, cast

from pydantic import ValidationError
from sqlalchemy import Table, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from models.cases import Answer, AnswerSource, Case
from models.organisations import Officer, Role
from models.records import AuditEntry
from regulation.limits import Limit
from runtime import clock
from runtime.database import in_pieces, insert_many, reading, transaction
from runtime.keys import keys
from runtime.refusals import InputError, RefusalError, in_chinese, wrong_by_field
from tasks.audit import record
from tasks.case.attachments import File, keep_new_files
from tasks.case.deadlines import meet_deadline
from tasks.case.history import history_of
from tasks.case.questions import Asked, Question
from tasks.case.step import CaseClosedError, Step, Steps, locked_case
from tasks.office.officers import NO_AUDITOR
from tasks.office.signatures import UNKNOWN, SignatureError, look_at

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
TAKEN = select(Answer).where(
    Answer.case_no == bindparam("case_no"),
    Answer.question == bindparam("question"),
    Answer.turn == bindparam("turn"),
    Answer.refusal.is_(None),
)
WAITS = (
    update(Case)
    .where(Case.case_no == bindparam("waits"), Case.closed_at.is_(None))
    .values(waiting_for=bindparam("for"))
)
NEW_ANSWER = insert(Answer)
SEALED = ("case_no", "question", "turn", "source", "officer_no", "given", "at")
"""The columns of an answer that its seal is over."""
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


def taken_answer(session: Session, case_no: str, question: str, turn: int) -> Answer | None:
    """The answer as it was taken, with who gave it and when, or ``None``."""
    return session.scalar(TAKEN, {"case_no": case_no, "question": question, "turn": turn})


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


class AnsweredError(RefusalError):
    """A question that has an answer already, which is another one."""


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


@dataclass(frozen=True, slots=True)
class Signature:
    """How an officer signs: staff number, one-time code, and the address or door that they come from."""

    staff_no: str
    code: str
    source: str


class ChangedError(RefusalError):
    """A case that is not any more as the officer has seen it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What an officer saw of a case: its digest, and how that is computed ``now``."""

    digest: str
    now: Callable[[Session, Case], str]


def take_officer_answer(
    case_no: str,
    question: type[Question],
    turn: int,
    key: str,
    given: Mapping[str, Any],
    by: Signature,
    seen: Seen | None = None,
    files: Sequence[File] = (),
) -> None:
    """Record what an officer decided on the question that a case waits for; ``key`` names this one submission, which
    may come twice, ``seen`` is what the officer saw of the case, ``files`` are kept with it together with the answer.

    What is wrong with the answer is said before the code is looked at; code and answer are one transaction. Raises
    ``InputError`` (of which fields, where it is known), ``RefusalError`` for who may not answer and a case that waits
    for something else, ``AnsweredError``, ``ChangedError``, ``SignatureError``.
    """
    with transaction() as session:
        now = clock.now()
        case = locked_case(session, case_no)
        taken = taken_answer(session, case_no, question.question, turn)
        if taken is not None:
            # The same form again, as a browser sends it that has gone back: what it says now is another answer.
            if taken.source_key == key and taken.given == as_answered(question, given).recorded():
                return
            raise AnsweredError("这一步已有答复，以先登记的为准。")
        if case.closed_at is not None:
            raise RefusalError("本件已经办结，不再接受答复。")
        if case.waiting_for != f"{question.question}-{turn}":
            raise RefusalError("本件现在不等这一步的答复，请回到办件，看现在等什么。")
        if seen is not None and seen.now(session, case) != seen.digest:
            raise ChangedError("本件在您打开之后有了新的内容，已显示在本页；请看过后再提交。您填写的内容都还在。")
        answer = _worth_signing(session, case, question, given, by.staff_no, clock.local_date(now), files)
        officer = look_at(session, by.staff_no, by.code, by.source)
        if not isinstance(officer, SignatureError):
            keep_new_files(session, case_no, files, officer.staff_no, now)
            row = _answer(case, question, turn, AnswerSource.OFFICER, key, answer, officer.staff_no, now)
            _store(session, case, row, seen.digest if seen is not None else "")
    # Only now, because a wrong code has to be counted.
    if isinstance(officer, SignatureError):
        raise officer
    history_of(case_no).answers[question.question, turn] = answer


def _worth_signing(
    session: Session,
    case: Case,
    question: type[Question],
    given: Mapping[str, Any],
    staff_no: str,
    today: date,
    files: Sequence[File],
) -> dict[str, Any]:
    """The answer as it would go on record, of an officer who may give it."""
    officer = session.get(Officer, staff_no)
    if officer is None or not officer.active:
        raise SignatureError(UNKNOWN)
    if officer.role is Role.AUDITOR:
        raise RefusalError(NO_AUDITOR)
    question.check_officer(session, officer, case, today)
    return checked(Asked(session, case, officer.staff_no, today, files), question, given)


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
    for case, row in zip(steps.cases, rows, strict=True):
        seal = {"seal": seal_of(row, ""), "shown": ""}
        steps.audit(f"case:{question.question}:answered", case.case_no, turn=steps.turn, refusal=None, **seal)
        if case.waiting_for == f"{question.question}-{steps.turn}":
            case.waiting_for = None
    steps.write()


def checked(asked: Asked, question: type[Question], given: Mapping[str, Any]) -> dict[str, Any]:
    """An officer's answer as it goes on record. ``RefusalError`` says what is wrong with it, ``InputError`` where."""
    answer = as_answered(question, given)
    answer.check(asked)
    return answer.recorded()


def as_answered(question: type[Q], given: Mapping[str, Any]) -> Q:
    """An officer's answer, whatever state its case is in. ``InputError`` for what is no answer to the question."""
    try:
        return question.model_validate(given)
    except ValidationError as error:
        raise InputError(in_chinese(error, question), wrong_by_field(error, question)) from None


def _store(session: Session, case: Case, answer: dict[str, Any], shown: str = "") -> str | None:
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
        if case.waiting_for == f"{question}-{turn}":
            case.waiting_for = None
    action = "answered" if refusal is None else "refused"
    actor = answer["officer_no"] or answer["source"]
    seal = {"seal": seal_of(answer, shown), "shown": shown} if refusal is None else {}
    record(session, f"case:{question}:{action}", case.case_no, actor, answer["at"], turn=turn, refusal=refusal, **seal)
    return refusal


def seal_of(answer: Mapping[str, Any], shown: str) -> str:
    """64 hex digits over an answer's columns and what was shown to whoever gave it, by a key that does not change when
    the data keys do (Article 14: 追踪溯源)."""
    said = [answer[name] for name in SEALED]
    return keys().digest("answer", json.dumps([*said, shown], ensure_ascii=False, sort_keys=True, default=_in_utc))


def _in_utc(at: datetime) -> str:
    """An instant, which a database gives back in the time zone that it likes."""
    return at.astimezone(UTC).isoformat()


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


def changed_answers() -> list[str]:
    """The answers (case, question and turn) that are not any more what their audit entries sealed, are gone, or were
    never entered. What was answered before there were seals is only looked for."""
    changed, entered = [], set()
    with reading() as session:
        sealed = select(AuditEntry.case_no, AuditEntry.tag, AuditEntry.detail).where(
            AuditEntry.tag.like("case:%:answered"), AuditEntry.case_no.is_not(None)
        )
        for case_no, tag, detail in session.execute(sealed.order_by(AuditEntry.id).execution_options(yield_per=1000)):
            asked = {"case_no": case_no, "question": tag.split(":")[1], "turn": detail["turn"]}
            entered.add(tuple(asked.values()))
            if "seal" not in detail:
                continue
            answer = taken_answer(session, **asked)
            row = None if answer is None else {name: getattr(answer, name) for name in SEALED}
            if row is None or not hmac.compare_digest(seal_of(row, detail["shown"]), detail["seal"]):
                changed.append(f"{case_no} {asked['question']}-{asked['turn']}")
        kept = select(Answer.case_no, Answer.question, Answer.turn).where(Answer.refusal.is_(None))
        kept = kept.order_by(Answer.id).execution_options(yield_per=1000)
        changed += [f"{each[0]} {each[1]}-{each[2]}" for each in session.execute(kept).tuples() if each not in entered]
    return changed
