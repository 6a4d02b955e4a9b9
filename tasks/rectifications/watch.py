"""The watch over rectifications (Article 17): departments are reminded, and staff see what is open."""

from datetime import datetime

from sqlalchemy import func, select

from models.cases import Case, CaseKind, Deadline
from models.findings import Finding
from models.organisations import Department
from models.rectifications import Rectification
from notifications.notices import RectificationDue
from regulation.finding_rules import RULES
from regulation.limits import DEPARTMENT_REMINDER, RECTIFICATION
from runtime import clock
from runtime.database import reading, transaction
from tasks.case.calendars import working_days
from tasks.case.department_mail import take_unreminded
from tasks.case.kind import Table
from tasks.case.numbers import locked_counter
from tasks.case.step import Step
from tasks.rectifications.questions import DepartmentResponse
from tasks.rectifications.steps import tell


def remind_of_rectifications(at: datetime) -> int:
    """Remind each department once of a limit that ends within ``DEPARTMENT_REMINDER`` working days and to which it has
    not answered; of how many. What a watch missed, the next one makes up for while there is time."""
    today = clock.local_date(at)
    with transaction() as session:
        # One watch at a time, or two of them would remind twice.
        locked_counter(session, "rectification-watch", today.year)
        last = working_days(session).due_on(today, DEPARTMENT_REMINDER.value)
        due = take_unreminded(session, RECTIFICATION, DepartmentResponse, "department", today, last, at)
        for deadline in due:
            row = session.get_one(Rectification, deadline.case_no)
            case = session.get_one(Case, deadline.case_no)
            step = Step(session, case, "remind_of_rectifications", deadline.turn, "system", at)
            tell(step, row, RectificationDue, due_on=deadline.due_on, provisional=deadline.provisional)
            step.audit("rectification:department:reminded", due_on=str(deadline.due_on))
        return len(due)


def board(at: datetime) -> str:
    """What is open, by department, as Markdown for staff (督促整改台账)."""
    today = clock.local_date(at)
    first_due = select(func.min(Deadline.due_on)).where(Deadline.case_no == Case.case_no, Deadline.running)
    wanted = (
        select(
            Department.name, Case.case_no, Finding.rule, Case.stage, first_due.scalar_subquery(), Rectification.failures
        )
        .join(Finding, Finding.case_no == Case.case_no)
        .join(Department, Department.uscc == Finding.department_uscc)
        .outerjoin(Rectification, Rectification.case_no == Case.case_no)
        .where(Case.kind == CaseKind.RECTIFICATION, Case.closed_at.is_(None))
        .order_by(Department.name, Case.case_no)
    )
    with reading() as session:
        rows = tuple(
            (name, case_no, RULES[rule].title, stage, str(due_on or "—"), str(failures or 0))
            for name, case_no, rule, stage, due_on, failures in session.execute(wanted).tuples()
        )
    columns = ("部门", "办件", "问题", "环节", "截止日", "不到位次数")
    return f"## {today} 督促整改台账\n\n{Table(columns, rows).markdown() if rows else '没有在办的督促整改。'}"
