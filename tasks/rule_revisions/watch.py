"""The watch over the revision of rules (Article 16): departments are reminded before their day and after it."""

from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from models.cases import Case, Deadline
from notifications.notices import RuleRevisionDue
from regulation.limits import RULE_REVISION, RULE_REVISION_REMINDER
from runtime import clock
from runtime.database import transaction
from tasks.case.calendars import working_days
from tasks.case.department_mail import take_unreminded
from tasks.case.numbers import locked_counter
from tasks.case.step import Step
from tasks.rule_revisions.questions import RevisionReport
from tasks.rule_revisions.steps import revision_of, tell


def remind_of_revisions(at: datetime) -> int:
    """Remind each department once within ``RULE_REVISION_REMINDER`` working days before a rule's day and once after it;
    of how many."""
    today = clock.local_date(at)
    with transaction() as session:
        # One watch at a time, or two of them would remind twice.
        locked_counter(session, "rule-revision-watch", today.year)
        last = working_days(session).due_on(today, RULE_REVISION_REMINDER.value)
        yesterday = today - timedelta(days=1)
        spans = {"department": (today, last), "department-overdue": (date.min, yesterday)}
        reminded = 0
        for kind, (first, until) in spans.items():
            for deadline in take_unreminded(session, RULE_REVISION, RevisionReport, kind, first, until, at):
                _remind(session, deadline, kind, at)
                reminded += 1
        return reminded


def _remind(session: Session, deadline: Deadline, kind: str, at: datetime) -> None:
    step = Step(session, session.get_one(Case, deadline.case_no), f"remind_{kind}", deadline.turn, "system", at)
    due = {"due_on": deadline.due_on, "provisional": deadline.provisional, "overdue": deadline.due_on < step.today}
    tell(step, revision_of(session, deadline.case_no), RuleRevisionDue, **due)
    step.audit("rule-revision:department:reminded", due_on=str(deadline.due_on))
