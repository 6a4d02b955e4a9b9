"""The watch over the revision of rules (Article 16): departments are reminded before their day and after it."""

from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from models.cases import Deadline
from models.organisations import Department
from models.rule_revisions import RuleRevision
from notifications.notices import RuleRevisionDue
from notifications.outbox import queue
from regulation.limits import RULE_REVISION, RULE_REVISION_REMINDER
from runtime import clock
from runtime.database import transaction
from tasks.audit import record
from tasks.case.calendars import working_days
from tasks.case.department_mail import take_unreminded
from tasks.case.numbers import locked_counter
from tasks.office.recipients import addressees
from tasks.rule_revisions.questions import RevisionReport
from tasks.rule_revisions.steps import about


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
    row = session.get_one(RuleRevision, deadline.case_no)
    department, today = session.get_one(Department, row.department_uscc), clock.local_date(at)
    for recipient, address in addressees(session, department, today):
        notice = RuleRevisionDue(
            recipient=recipient,
            **about(session, row),
            due_on=deadline.due_on,
            provisional=deadline.provisional,
            overdue=deadline.due_on < today,
        )
        queue(session, notice, address, key=f"{row.case_no}:{kind}:{deadline.turn}", case_no=row.case_no, at=at)
    record(session, "rule-revision:department:reminded", row.case_no, "system", at, due_on=str(deadline.due_on))
