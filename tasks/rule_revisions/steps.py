"""The steps of a rule's revision (制度修订, Article 16), from what a department lists to what it has revised."""

from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import CaseKind, Deadline
from models.organisations import Department
from models.rule_revisions import RuleRevision
from notifications import notices
from notifications.notices import ToRevise
from regulation.limits import RULE_REVISION, RULE_REVISION_CHECK, RULE_REVISION_CONFIRMATION
from regulation.rule_revisions import STAGES, Check, Stage, check_planned_day, days_until
from runtime import clock
from runtime.database import transaction
from runtime.settings import settings
from tasks.case.answers import answered, meet_by_answer
from tasks.case.calendars import working_days
from tasks.case.deadlines import start_deadline
from tasks.case.department_links import new_link
from tasks.case.department_mail import tell_department
from tasks.case.numbers import announce, end_case, locked_counter, next_number, opening, tell_officer
from tasks.case.step import Step, durable
from tasks.case.submissions import came_before
from tasks.office.departments import department_named
from tasks.rule_revisions.questions import RevisionCheck, RevisionConfirmation, RevisionReport, RuleRevisionForm


def revision_of(session: Session, case_no: str) -> RuleRevision:
    """What was listed in a case that is known to exist."""
    return session.get_one(RuleRevision, case_no)


def revision_link(token: str) -> str:
    """The address under which a department follows what it has listed and reports."""
    return f"{settings().public_url}/rule-revisions/{token}"


def list_rule(form: RuleRevisionForm, department: str, submission_key: str, actor: str) -> str:
    """Register a rule that stands in the way, in one transaction, and return its case number; handing it
    in again under ``submission_key`` returns the first one's.

    Raises ``InputError`` for an unknown department and a planned day that cannot be, and what ``came_before`` raises.
    """
    with transaction() as session:
        now = clock.now()
        today = clock.local_date(now)
        if came_before(session, CaseKind.RULE_REVISION, submission_key, form, department):
            wanted = select(RuleRevision.case_no).where(RuleRevision.submission_key == submission_key)
            return session.scalars(wanted).one()
        counter = locked_counter(session, CaseKind.RULE_REVISION, today.year)
        whose = department_named(session, department)
        check_planned_day(form.planned_on, today)
        case_no = next_number(counter)
        step = opening(session, case_no, Stage.LISTED, "list_rule", actor, now)
        session.add(
            RuleRevision(
                case_no=case_no,
                submission_key=submission_key,
                department_uscc=whose.uscc,
                **new_link(RuleRevision),
                **form.model_dump(),
            )
        )
        step.audit("rule-revision:rule:listed", department=whose.uscc, article=form.article)
        announce(step, "部门报送的制度障碍", RULE_REVISION_CONFIRMATION)
        return case_no


@durable("退回报送")
def return_listing(step: Step) -> None:
    """Send back what was listed, with the reason; it may be listed again."""
    step.move(STAGES, Stage.RETURNED)
    row = revision_of(step.session, step.case.case_no)
    row.returned_for = answered(step, RevisionConfirmation, RULE_REVISION_CONFIRMATION).reason
    tell(
        step,
        row,
        notices.RuleRevisionReturned,
        reason=row.returned_for,
        final=True,
        due_on=None,
        provisional=False,
    )
    step.audit("rule-revision:rule:returned")
    end_case(step, step.case)


@durable("跟踪修订")
def track_revision(step: Step) -> None:
    """Follow a rule to its revision: the department's own planned day is its limit."""
    step.move(STAGES, Stage.REVISING)
    row = revision_of(step.session, step.case.case_no)
    meet_by_answer(step, RevisionConfirmation, RULE_REVISION_CONFIRMATION)
    days = days_until(working_days(step.session), step.today, row.planned_on)
    deadline = _set_limit(step, days, 1)
    due = {"due_on": deadline.due_on, "provisional": deadline.provisional}
    tell(step, row, notices.RuleRevisionTracked, **due)
    step.audit("rule-revision:rule:tracked", due_on=str(deadline.due_on))


@durable("收到修订报告")
def take_report(step: Step) -> None:
    """Put up for a check what the department reports as revised."""
    step.move(STAGES, Stage.CHECKING)
    on = meet_by_answer(step, RevisionReport, RULE_REVISION)
    start_deadline(step.session, step.case.case_no, RULE_REVISION_CHECK, on, step.turn)
    why = "部门报告已经修订，请核对"
    tell_officer(step.session, step.case, why, f"{step.case.case_no}:report:{step.turn}", step.now)
    step.audit("rule-revision:rule:reported")


@durable("核对修订")
def carry_out_check(step: Step) -> str:
    """Close what was revised, or send it back with the reason and another limit; the stage that the case is in now."""
    check = answered(step, RevisionCheck, RULE_REVISION_CHECK)
    if check.verdict is Check.RETURN:
        step.move(STAGES, Stage.REVISING)
        row = revision_of(step.session, step.case.case_no)
        row.returned_for = check.reason
        deadline = _set_limit(step, check.days, step.turn + 1)
        due = {"due_on": deadline.due_on, "provisional": deadline.provisional}
        tell(step, row, notices.RuleRevisionReturned, reason=check.reason, final=False, **due)
        step.audit("rule-revision:rule:sent-back", due_on=str(deadline.due_on))
        return step.case.stage
    step.move(STAGES, Stage.REVISED)
    row = revision_of(step.session, step.case.case_no)
    report = answered(step, RevisionReport)
    row.document_no, row.in_force_on = report.document_no, report.in_force_on
    proof = {"document_no": report.document_no, "in_force_on": report.in_force_on}
    tell(step, row, notices.RuleRevisionClosed, **proof)
    step.audit("rule-revision:rule:revised", in_force_on=str(report.in_force_on))
    end_case(step, step.case)
    return step.case.stage


def _set_limit(step: Step, days: int, turn: int) -> Deadline:
    return start_deadline(step.session, step.case.case_no, replace(RULE_REVISION, value=days), step.today, turn)


def about(session: Session, row: RuleRevision) -> dict[str, Any]:
    """What every notice about a rule's revision names, but for its recipient."""
    return {
        "department": session.get_one(Department, row.department_uscc).name,
        "case_no": row.case_no,
        "document": row.document,
        "clause": row.clause,
        "article": row.article,
        "link": revision_link(row.token),
    }


def tell(step: Step, row: RuleRevision, notice: type[ToRevise], **said: Any) -> None:
    """Send the department of a rule a notice of this kind."""
    facts = about(step.session, row) | said
    tell_department(step, row.department_uscc, lambda recipient: notice(recipient=recipient, **facts))
