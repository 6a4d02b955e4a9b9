"""Stories told without Prefect, from question to question: how a kept installation was made, and how a test goes on
with it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, NoReturn

import pytest
from prefect.exceptions import Pause
from sqlalchemy import func, select

from ezt.engine.deployments import stories
from flows import asking
from flows import objections as objection_batch
from models.base import Base
from models.cases import Case, Deadline
from models.certificates import Certificate, IssuingAuthority
from models.notices import OutgoingNotice
from models.objections import Objection
from models.records import AuditEntry
from runtime import clock
from runtime.database import reading
from tasks.backfill import questions as backfill_questions
from tasks.case.answers import settled
from tasks.case.approvals import Approval, who_may_approve
from tasks.case.questions import Asked, Question
from tasks.case.step import DurableStep
from tasks.desk.case_page import add_files
from tasks.desk.kinds import KINDS
from tasks.liaisons import questions as liaison_questions
from tasks.objections import questions as objection_batch_questions
from tasks.objections import questions as objection_questions
from tasks.objections.questions import correction_refusal, reply_of
from tasks.office.officers import acting_officer
from tasks.rectifications import questions as rectification_questions
from tasks.rule_revisions import questions as rule_revision_questions
from tasks.spot_checks import questions as spot_check_questions
from tasks.supervision import paper_report_questions
from tasks.system_reviews import questions as system_review_questions
from tasks.use_list import questions as use_list_questions
from tests.articles.test_article_11_backfill import SCAN
from tests.conftest import SCAN as LETTER
from tests.conftest import answered, at_desk

ENTERED_BY = "KQ001"
"""Who enters papers and what comes by post."""
NEVER_ASKED = {rectification_questions.LateResponse}
"""What no story waits for."""

Given = Mapping[str, Any]
Steered = Mapping[type[Question], Given]
"""What is answered otherwise than ``answer_to`` says."""


def every_question(of: type[Question] = Question) -> set[type[Question]]:
    """Every question that some story may wait at."""
    below = {each for kind in of.__subclasses__() for each in {kind, *every_question(kind)}}
    # The forms that ``flows.asking`` makes are no classes of their own here.
    return {each for each in below if each.__module__.startswith("tasks.") and hasattr(each, "question")} - NEVER_ASKED


def question_named(waiting_for: str) -> tuple[type[Question], int]:
    """The question, and its turn, that a case says it waits for."""
    name, _, turn = waiting_for.rpartition("-")
    return next(each for each in every_question() if each.question == name), int(turn)


def answer_to(question: type[Question], case: Case) -> Given:
    """An answer that leads on, whatever day it is."""
    then, why = str(case.received_on), "经核实，情况属实，有关材料已经核对。"
    letter = {"letter_no": "柯数函〔2026〕8号", "posted_on": str(clock.today())}
    answers: Mapping[type[Question], Given] = {
        objection_questions.InitialReview: {"verdict": "受理"},
        objection_questions.SupplementReceived: {"kind": "不再等待，按现有材料继续"},
        objection_questions.LetterPosted: letter,
        objection_questions.VerificationReply: {
            "finding": "原数据无误",
            "content": "与档案一致",
            "reply_no": "绍数函〔2026〕1号",
            "replied_on": str(clock.today()),
        },
        objection_questions.RefusedRequest: {"remedy": "书面发函"},
        objection_questions.ReviewApproval: {"opinion": "同意"},
        objection_questions.OutcomeApproval: {"opinion": "同意", "reason": why},
        objection_questions.OutcomeDecision: {"reason": why, "differs": why, "value": fitting_value(case.case_no)},
        objection_batch_questions.BatchReview: {"verdict": "一并受理"},
        objection_batch_questions.BatchLetterPosted: letter,
        backfill_questions.BackfillReview: {"verdict": "通过"},
        backfill_questions.BackfillCorrection: {"values": "登记日期：1998年6月12日"},
        backfill_questions.BatchSampleReview: {"wrong": "无"},
        liaison_questions.LiaisonConfirmation: {"verdict": "确认"},
        use_list_questions.UseListReview: {"verdict": "通过"},
        paper_report_questions.PaperReportVerdict: {"verdict": "不属实", "reason": why},
        rectification_questions.FindingDecision: {"decision": "督促整改", "severity": "一般", "days": 10},
        rectification_questions.DepartmentResponse: {"kind": "整改情况", "text": why},
        rectification_questions.ExtensionDecision: {"verdict": "同意延期"},
        rectification_questions.Recheck: {"verdict": "已整改"},
        rectification_questions.FinalStanding: {"conclusion": "已整改", "reason": why},
        # Its planned day passes; to send it back is right on any day.
        rule_revision_questions.RevisionConfirmation: {"verdict": "退回", "reason": why},
        rule_revision_questions.RevisionReport: {"document_no": "柯民〔2026〕9号", "in_force_on": then},
        rule_revision_questions.RevisionCheck: {"verdict": "已修订"},
        system_review_questions.SystemReviewOpinion: {"verdict": "评审通过"},
        system_review_questions.MaterialReceived: {"kind": "不再等待，按现有材料评审"},
        spot_check_questions.SpotCheckResults: {"kind": "不再等待，未确认的按未完成公布", "reason": why},
        spot_check_questions.SpotCheckPublication: {},
    }
    with reading() as session:
        # What only this case allows.
        choices = question.choices(session, session.get_one(Case, case.case_no))
    return {name: given[0] for name, given in choices.items() if name == "outcome"} | {**answers[question]}


def fitting_value(case_no: str) -> str:
    """What the disputed field of a case can become: what another certificate of its type says. Earlier versions took
    any text for a reply's right value. Empty where the case corrects nothing here."""
    with reading() as session:
        objection = session.get(Objection, case_no)
        if objection is None or objection.field_code is None or reply_of(session, case_no) is None:
            return ""
        asked = Asked(session, session.get_one(Case, case_no), "", clock.today())
        others = select(Certificate).where(Certificate.type_code == objection.type_code)
        values = [each.face.get(objection.field_code, "") for each in session.scalars(others.order_by(Certificate.id))]
        values += session.scalars(select(IssuingAuthority.name))
        return next((value for value in values if value and correction_refusal(asked, value) is None), "")


@contextmanager
def without_prefect() -> Iterator[None]:
    """While the block runs, stories can be told in this process: steps are not shown as tasks, and where a run would be
    suspended the story ends."""

    def suspended(**_: object) -> NoReturn:
        raise Pause

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(DurableStep, "_shown", DurableStep.run)
        patched.setattr(asking, "suspend_flow_run", suspended)
        patched.setattr(objection_batch, "give_runs", lambda _batch_no: None)
        yield


def case_of(case_no: str) -> Case:
    with reading() as session:
        return session.get_one(Case, case_no)


def tell(case_no: str) -> None:
    """Tell a case's story up to the question that it waits at, or to its end."""
    entrypoint = stories()[KINDS[case_of(case_no).kind].deployment.rpartition("/")[2]].entrypoint
    module, _, name = entrypoint.rpartition(".")
    with suppress(Pause):
        getattr(import_module(module), name).fn(case_no)


def answer(case_no: str, question: type[Question], turn: int, given: Given) -> None:
    """Answer as the officer whose case it is, or who acts for them; whoever entered a paper corrects it, another
    approves what was drafted."""
    if issubclass(question, Approval):
        with reading() as session:
            staff_no = who_may_approve(session, question, case_no, clock.today())[0].staff_no
    else:
        staff_no = ENTERED_BY if question is backfill_questions.BackfillCorrection else acting(case_no)
    files = [LETTER] if question is objection_questions.VerificationReply else []
    said = answered(case_no, question, turn, {**given}, staff_no, files=files)
    assert said is None, f"{case_no} {question.question}: {said}"


def acting(case_no: str) -> str:
    """Who acts today for the officer whose case it is."""
    with reading() as session:
        return acting_officer(session, session.get_one(Case, case_no).officer_no, clock.today()).staff_no


def give_scan(case_no: str, of: bytes = SCAN.content) -> None:
    """What no answer is: the officer adds the scan at the desk."""
    add_files(case_no, at_desk(acting(case_no)), [(SCAN.name, of)])


def go_on(case_no: str, until: type[Question] | None = None, steered: Steered | None = None) -> None:
    """Tell a story and answer what it asks, up to the question ``until`` or to its end."""
    for _ in range(30):
        tell(case_no)
        case = case_of(case_no)
        if case.closed_at is not None:
            assert until is None, f"{case_no}没有问到{until}"
            return
        question, turn = question_named(str(case.waiting_for))
        if question is until:
            return
        if question is backfill_questions.ScanAttached:
            give_scan(case_no)
        else:
            answer(case_no, question, turn, {**answer_to(question, case), **(steered or {}).get(question, {})})
    raise AssertionError(f"{case_no}没有走完")


def standing(case_no: str) -> dict[str, Any]:
    """Where a case stands, in words that later versions of the program can still say."""
    with reading() as session:
        case = session.get_one(Case, case_no)
        limits = session.scalars(select(Deadline).where(Deadline.case_no == case_no).order_by(Deadline.id))
        last = select(OutgoingNotice.notice).where(OutgoingNotice.case_no == case_no)
        entries = select(func.count(AuditEntry.id)).where(AuditEntry.case_no == case_no)
        said = {
            "kind": str(case.kind),
            "stage": case.stage,
            "officer": case.officer_no,
            "received_on": str(case.received_on),
            "closed": case.closed_at is not None,
            "at_rest": case.at_rest,
            "has_run": case.flow_run_id is not None,
            "deadlines": [
                [each.limit_code, each.turn, str(each.starts_on), str(each.due_on), each.met_on and str(each.met_on)]
                for each in limits
            ],
            "last_letter": session.scalar(last.order_by(OutgoingNotice.id.desc()).limit(1)),
            "entries": session.scalar(entries),
        }
    # What is answered waits for its story only; nobody need answer it again.
    waits = None if said["closed"] or case.waiting_for is None else case.waiting_for
    answered = waits is not None and settled(case_no, *question_named(waits))
    return said | {"waiting_for": waits, "answered": answered}


def totals() -> dict[str, int]:
    """How many rows each table has."""
    with reading() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }
