"""Where its reviews of new systems stand, as a department's program reads it (Article 17)."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Case, Deadline
from models.system_reviews import SystemReview
from regulation.system_reviews import Stage, outside_because
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import NotFoundError
from tasks.case.answers import accepted_answer, answers_so_far
from tasks.office.departments import department_named
from tasks.system_reviews.go_live import listed_promises, promises_of, report_go_live
from tasks.system_reviews.kind import kinds_by_code
from tasks.system_reviews.questions import SystemReviewOpinion
from tasks.system_reviews.steps import form_of, versions_of
from tasks.system_reviews.submissions import GoLiveForm

CODES = {
    Stage.SUBMITTED: "submitted",
    Stage.OUTSIDE: "outside",
    Stage.NOT_REVIEWED: "not-reviewed",
    Stage.IN_REVIEW: "in-review",
    Stage.SUPPLEMENT: "supplement",
    Stage.PASSED: "passed",
    Stage.FAILED: "failed",
}
"""What programs branch on: refusing to review and failing are two of them."""


def standings(department: str) -> list[dict[str, Any]]:
    """Everything that a department (by name) has submitted, the newest first, in brief."""
    with reading() as session:
        uscc = department_named(session, department).uscc
        wanted = select(SystemReview).where(SystemReview.department_uscc == uscc)
        return [_brief(session, review) for review in session.scalars(wanted.order_by(SystemReview.case_no.desc()))]


def standing_of_review(department: str, case_no: str) -> dict[str, Any]:
    """One review with everything that the department is told. ``NotFoundError`` for another department's."""
    with reading() as session:
        uscc = department_named(session, department).uscc
        review = session.get(SystemReview, case_no.strip().upper())
        if review is None or review.department_uscc != uscc:
            raise NotFoundError("没有本部门的这一系统评审，请核对办件编号。")
        return _brief(session, review) | _whole(session, review)


def go_live(department: str, case_no: str, form: GoLiveForm, key: str) -> None:
    """What a department's application (``key``) says of going live; raises what ``report_go_live`` raises."""
    with transaction() as session:
        report_go_live(session, department_named(session, department).uscc, case_no, form, key)


def _brief(session: Session, review: SystemReview) -> dict[str, Any]:
    stage = Stage(session.get_one(Case, review.case_no).stage)
    running = select(Deadline.due_on).where(Deadline.case_no == review.case_no, Deadline.running)
    due_on = session.scalar(running.order_by(Deadline.due_on).limit(1))
    return {
        "case_no": review.case_no,
        "project_code": review.project_code,
        "project_name": review.project_name,
        "version": versions_of(session, review.case_no)[-1].version,
        "previous_case_no": review.previous_case_no,
        "stage": stage,
        "stage_code": CODES[stage],
        "due_on": str(due_on) if due_on is not None else None,
        "reference": review.reference,
    }


def _whole(session: Session, review: SystemReview) -> dict[str, Any]:
    stage = Stage(session.get_one(Case, review.case_no).stage)
    turns = answers_so_far(session, review.case_no, SystemReviewOpinion.question)
    opinion = accepted_answer(session, review.case_no, SystemReviewOpinion.question, turns)
    plan = form_of(versions_of(session, review.case_no)[-1]).plan()
    listed = listed_promises(session, review, clock.today())
    kinds = kinds_by_code(session)
    return {
        "outside_because": outside_because(plan) if stage is Stage.OUTSIDE else None,
        "gaps": [{"article": gap.article, "what": gap.what, "write": gap.write} for gap in review.gaps],
        "opinion": opinion["text"] if opinion is not None else None,
        "passed_on": str(review.passed_on) if review.passed_on is not None else None,
        "go_live_on": str(review.go_live_on),
        "live_on": str(review.live_on) if review.live_on is not None else None,
        "promised": [
            {
                "item_code": line.item_code,
                "certificate_type": {"code": line.type_code, "name": kinds[line.type_code].name},
                "scenario": line.scenario,
                "fields": list(line.fields),
                "listed": line.line in listed,
            }
            for line in promises_of(session, review.case_no)
        ],
    }
