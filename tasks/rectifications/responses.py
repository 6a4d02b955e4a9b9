"""What departments see of their rectifications (Article 17), and what they say to them: by link or by interface."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Answer, AnswerSource, Case, Deadline, DeadlineChange
from models.organisations import Department
from models.rectifications import Rectification
from regulation.finding_rules import RULES
from regulation.limits import RECTIFICATION
from regulation.rectifications import ExtensionVerdict, Response, Stage, Verdict, check_extension
from regulation.working_days import DayCounted
from runtime import clock
from runtime.database import reading
from runtime.refusals import RefusalError
from tasks.case.answers import accepted_answer, answers_so_far, last_accepted_answer, record_answer
from tasks.case.attachments import File
from tasks.case.calendars import working_days
from tasks.case.deadlines import running_deadline
from tasks.case.department_answers import take_word
from tasks.case.department_links import Correspondent
from tasks.case.numbers import tell_officer
from tasks.case.questions import Question, in_short
from tasks.rectifications.questions import (
    DepartmentResponse,
    ExtensionDecision,
    FinalStanding,
    LateResponse,
    Recheck,
    extension_asked,
)
from tasks.rectifications.steps import finding_of, first_of


@dataclass(frozen=True, slots=True)
class Said:
    """What a department said, and when."""

    on: date
    kind: str
    text: str
    days: int


@dataclass(frozen=True, slots=True)
class OwnRectification:
    """A rectification as its department sees it. ``due_on`` is the running limit's, ``None`` when none runs."""

    case_no: str
    department: str
    stage: str
    problem: str
    article: int
    severity: str
    facts: str
    particulars: str
    requirement: str
    first_on: date
    times: int
    earlier_case: str | None
    ordered_on: date
    due_on: date | None
    provisional: bool
    explanation: tuple[DayCounted, ...]
    moves: tuple[str, ...]
    failures: int
    returned_for: str | None
    extension: str | None
    """What was decided on its request for more time, and why."""
    concluded: str | None
    """By what it was found mended, or how else it ended, in the words of whoever looked."""
    said: tuple[Said, ...]
    may_answer: bool
    may_extend: bool
    closed_on: date | None


def followed(who: Correspondent) -> OwnRectification:
    """What a department was told to mend. ``NotFoundError`` for another's or none."""
    with reading() as session:
        return _followed(session, who.find(session, Rectification))


def rectifications_of(department: str, only_open: bool) -> list[OwnRectification]:
    """What a department (by name) was told to mend, the newest first."""
    wanted = (
        select(Rectification)
        .join(Case, Case.case_no == Rectification.case_no)
        .join(Department, Department.uscc == Rectification.department_uscc)
        .where(Department.name == department)
        .order_by(Rectification.case_no.desc())
    )
    if only_open:
        wanted = wanted.where(Case.closed_at.is_(None))
    with reading() as session:
        return [_followed(session, row) for row in session.scalars(wanted)]


def respond(who: Correspondent, response: DepartmentResponse, files: Sequence[File], submission_no: str) -> str:
    """Record what a department has done, with its evidence, or that it asks for more time; the case number. The same
    submission again changes nothing.

    Raises ``RefusalError`` where nothing is waited for, ``InputError`` for an extension that cannot be, and what
    ``take_word`` raises.
    """

    def take(session: Session, case: Case, source_key: str, now: datetime) -> None:
        if case.stage == Stage.ESCALATED:
            _say_late(session, case, response, source_key, now)
            return
        turn, given = _awaited(session, case, response, now), response.model_dump(mode="json")
        record_answer(session, case, DepartmentResponse, turn, AnswerSource.DEPARTMENT, source_key, given, now)

    tag = "rectification:department:said"
    return take_word(who, Rectification, response, files, submission_no, take, tag, kind=response.kind)


def _say_late(session: Session, case: Case, response: DepartmentResponse, source_key: str, at: datetime) -> None:
    if response.kind is Response.EXTENSION:
        raise RefusalError("本件已提请区政府督查通报，不能再申请延期；整改到位后请答复整改情况。")
    turn, given = answers_so_far(session, case.case_no, LateResponse.question) + 1, response.model_dump(mode="json")
    record_answer(session, case, LateResponse, turn, AnswerSource.DEPARTMENT, source_key, given, at)
    tell_officer(session, case, "部门答复已整改，请核实并登记", f"{case.case_no}:late:{turn}", at)


def _awaited(session: Session, case: Case, response: DepartmentResponse, at: datetime) -> int:
    """The turn of the question that a department's word answers now. Raises as ``respond`` does."""
    deadline = running_deadline(session, case.case_no, RECTIFICATION)
    if case.closed_at is not None or deadline is None:
        raise RefusalError(f"本件现为“{case.stage}”，不需要答复。")
    if response.kind is Response.EXTENSION:
        check_extension(response.days, extension_asked(session, case.case_no))
        if clock.local_date(at) > deadline.due_on:
            raise RefusalError(f"整改已于{deadline.due_on}截止，不能再申请延期；请尽快整改并答复。")
    turn = _open_turn(session, deadline)
    if turn is None:
        raise RefusalError("本轮的答复已经登记，请等待综合管理单位复查；结果将告知本部门。")
    if turn > deadline.turn:
        # Who has mended it while the request was looked at needs no answer to that any more.
        moot = {"verdict": ExtensionVerdict.MOOT, "reason": ""}
        key = f"{case.case_no}:extension:moot"
        record_answer(session, case, ExtensionDecision, deadline.turn, AnswerSource.DEPARTMENT, key, moot, at)
    return turn


def _open_turn(session: Session, deadline: Deadline) -> int | None:
    """The turn that can still be answered within a limit: its own, or the next while its own has become a request for
    more time."""
    for turn in (deadline.turn, deadline.turn + 1):
        answer = accepted_answer(session, deadline.case_no, DepartmentResponse.question, turn)
        if answer is None:
            return turn
        if answer["kind"] != Response.EXTENSION:
            break
    return None


def _followed(session: Session, row: Rectification) -> OwnRectification:
    case, finding = session.get_one(Case, row.case_no), finding_of(session, row.case_no)
    rule, calendar = RULES[finding.rule], working_days(session)
    earlier = first_of(session, finding)
    deadline = running_deadline(session, row.case_no, RECTIFICATION)
    moves = select(DeadlineChange).join(Deadline, Deadline.id == DeadlineChange.deadline_id)
    moves = moves.where(Deadline.case_no == row.case_no).order_by(DeadlineChange.id)
    awaited = deadline is not None and _open_turn(session, deadline) is not None
    in_time = deadline is not None and clock.today() <= deadline.due_on
    return OwnRectification(
        case_no=row.case_no,
        department=session.get_one(Department, row.department_uscc).name,
        stage=case.stage,
        problem=rule.title,
        article=rule.article,
        severity=row.severity,
        facts=finding.facts,
        particulars=finding.particulars or "",
        requirement=row.requirement,
        first_on=finding.first_on,
        times=finding.times,
        earlier_case=earlier.case_no if earlier else None,
        ordered_on=row.ordered_on,
        due_on=deadline.due_on if deadline else None,
        provisional=deadline is not None and deadline.provisional,
        explanation=tuple(calendar.explain(deadline.starts_on, deadline.days)) if deadline else (),
        moves=tuple(f"{move.from_on}改为{move.to_on}：{move.rule}" for move in session.scalars(moves)),
        failures=row.failures,
        returned_for=row.returned_for,
        extension=_decided(session, row.case_no, ExtensionDecision),
        concluded=_concluded(session, case),
        said=tuple(_said(session, row.case_no)),
        may_answer=awaited or case.stage == Stage.ESCALATED,
        may_extend=awaited and in_time and not extension_asked(session, row.case_no),
        closed_on=clock.local_date(case.closed_at) if case.closed_at else None,
    )


def _decided(session: Session, case_no: str, question: type[Question]) -> str | None:
    """What was decided last on a question, with labels; ``None`` where nothing was."""
    given = last_accepted_answer(session, case_no, question.question)
    return in_short(question.said(given)) if given is not None else None


def _concluded(session: Session, case: Case) -> str | None:
    """How a closed case ended in the words of whoever looked; ``None`` where a rule did."""
    if case.closed_at is None:
        return None
    recheck = last_accepted_answer(session, case.case_no, Recheck.question)
    by_recheck = Recheck if recheck is not None and recheck["verdict"] == Verdict.MENDED else None
    final = _decided(session, case.case_no, FinalStanding)
    return final or (_decided(session, case.case_no, by_recheck) if by_recheck is not None else None)


def _said(session: Session, case_no: str) -> list[Said]:
    questions = (DepartmentResponse.question, LateResponse.question)
    wanted = select(Answer).where(Answer.case_no == case_no, Answer.question.in_(questions), Answer.refusal.is_(None))
    answers = session.scalars(wanted.order_by(Answer.id))
    # Silence is on record as an answer, too, and has neither a text nor days.
    rows = [(clock.local_date(answer.at), answer.given) for answer in answers]
    return [Said(on, given["kind"], given.get("text", ""), given.get("days", 0)) for on, given in rows]
