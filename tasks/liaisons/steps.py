"""The steps of a filing about liaison officers (专人, Article 13): designated, handed over or ended; and reminders."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Case, CaseKind
from models.liaisons import FilingKind, LiaisonFiling, LiaisonOfficer
from models.organisations import Department
from models.records import AuditEntry
from notifications.notices import LiaisonMissing, LiaisonOffFile, LiaisonOnFile, LiaisonReturned
from notifications.outbox import queue
from regulation.certificates import mask_name
from regulation.liaisons import STAGES, Stage, check_last_day, is_due_for_reminder, last_day
from regulation.limits import LIAISON_CONFIRMATION, LIAISON_REMINDER
from runtime import clock
from runtime.contacts import can_be_written_to
from runtime.database import reading, transaction
from runtime.refusals import InputError, RefusalError
from tasks.audit import record
from tasks.case.answers import answered, meet_by_answer
from tasks.case.department_mail import tell_department
from tasks.case.hand_over import FILED
from tasks.case.marks import mark_cases
from tasks.case.numbers import announce, end_case, locked_counter, next_number, opening
from tasks.case.step import Step, durable
from tasks.case.submissions import came_before
from tasks.liaisons.filings import LiaisonFilingForm
from tasks.liaisons.questions import LiaisonConfirmation
from tasks.office.departments import department_named
from tasks.office.recipients import liaisons_on_file, on_file
from tasks.office.staff_tasks import open_staff_task


def filing_of(session: Session, case_no: str) -> LiaisonFiling:
    """The filing of a case that is known to exist."""
    return session.get_one(LiaisonFiling, case_no)


def register_filing(form: LiaisonFilingForm, department_uscc: str, submission_key: str, actor: str) -> str:
    """Register a filing in one transaction and return its case number; handing it in again under ``submission_key``
    returns the first one's.

    Raises ``InputError`` for somebody who is not on file and for a last day that cannot be, ``RefusalError`` for
    somebody who is on file already or whose end is being filed, and what ``came_before`` raises.
    """
    with transaction() as session:
        now = clock.now()
        today = clock.local_date(now)
        if came_before(session, CaseKind.LIAISON, submission_key, form):
            wanted = select(LiaisonFiling.case_no).where(LiaisonFiling.submission_key == submission_key)
            return session.scalars(wanted).one()
        counter = locked_counter(session, CaseKind.LIAISON, today.year)
        there = liaisons_on_file(session, department_uscc, today)
        replaced = _replaced(session, form, there)
        if any((each.name, each.phone) == (form.name, form.phone) for each in there if each is not replaced):
            raise RefusalError("该专人已经在册，不必再次备案；职务或联系方式有变的，请用“变更”。")
        if form.last_day is not None:
            check_last_day(form.last_day, today, form.kind is FilingKind.HAND_OVER)
        case_no = next_number(counter)
        step = opening(session, case_no, Stage.FILED, "register_filing", actor, now, but_not=actor)
        filed = form if replaced is None or form.kind is FilingKind.HAND_OVER else replaced
        session.add(
            LiaisonFiling(
                case_no=case_no,
                submission_key=submission_key,
                department_uscc=department_uscc,
                kind=form.kind,
                name=filed.name,
                position=filed.position,
                phone=filed.phone,
                email=filed.email,
                replaces_id=replaced.id if replaced else None,
                last_on=form.last_day,
            )
        )
        mark_cases(session, {case_no: (filed.name, filed.phone, *((replaced.name,) if replaced else ()))})
        step.audit(FILED, department=department_uscc, kind=form.kind)
        announce(step, "新收到的专人备案", LIAISON_CONFIRMATION)
        return case_no


def file_for_department(form: LiaisonFilingForm, department: str, submission_key: str, actor: str) -> str:
    """``register_filing`` for a department by its name. Raises ``InputError`` for an unknown one as well."""
    with reading() as session:
        uscc = department_named(session, department).uscc
    return register_filing(form, uscc, submission_key, actor)


def _replaced(session: Session, form: LiaisonFilingForm, there: Sequence[LiaisonOfficer]) -> LiaisonOfficer | None:
    """Whom a filing replaces or ends: one of those ``there`` whose end is not filed yet."""
    if form.kind is FilingKind.APPOINTMENT:
        return None
    lasting = [each for each in there if each.until_on is None]
    named = [each for each in lasting if form.replaces in {each.name, each.phone}]
    if not named:
        raise InputError("在册专人中没有所填的被替换或终止的专人（或其终止已经备案），请核对姓名。")
    if len(named) > 1:
        raise InputError("在册专人中有同名的，请改填其登记的电话。")
    open_filing = (
        select(LiaisonFiling.case_no)
        .join(Case, Case.case_no == LiaisonFiling.case_no)
        .where(LiaisonFiling.replaces_id == named[0].id, Case.closed_at.is_(None))
    )
    if (pending := session.scalar(open_filing)) is not None:
        raise RefusalError(f"该专人的变更或终止正在办理（{pending}），请等待其办结。")
    return named[0]


def would_leave_nobody(session: Session, filing: LiaisonFiling, today: date) -> bool:
    """Whether a department has nobody on file once this filing has ended somebody."""
    if filing.kind is not FilingKind.END:
        return False
    after = last_day(filing.last_on, today) + timedelta(days=1)
    others = select(LiaisonOfficer.id).where(
        LiaisonOfficer.department_uscc == filing.department_uscc,
        LiaisonOfficer.id != filing.replaces_id,
        on_file(after),
    )
    return session.scalar(others.limit(1)) is None


@durable("备案")
def put_on_file(step: Step) -> None:
    """Put whom the department designated on file from today, and let whom a hand-over or an end names go off it."""
    step.move(STAGES, Stage.ON_FILE)
    meet_by_answer(step, LiaisonConfirmation, LIAISON_CONFIRMATION)
    filing = filing_of(step.session, step.case.case_no)
    department = step.session.get_one(Department, filing.department_uscc)
    told = {"case_no": step.case.case_no, "department": department.name}
    replaced = until_on = None
    if filing.replaces_id is not None:
        replaced = step.session.get_one(LiaisonOfficer, filing.replaces_id, with_for_update=True)
        until_on = replaced.until_on = last_day(filing.last_on, step.today)
        replaced.ended_by_case = step.case.case_no
        off = LiaisonOffFile(
            recipient=mask_name(replaced.name), liaison=mask_name(replaced.name), until_on=until_on, **told
        )
        if filing.kind is FilingKind.END or replaced.name != filing.name:
            # Whose telephone number has changed is not told to have left.
            step.notify(off, replaced.email)
        if filing.kind is FilingKind.END and department.email:
            step.notify(off.model_copy(update={"recipient": department.name}), department.email)
    if filing.kind is not FilingKind.END:
        step.session.add(
            LiaisonOfficer(
                department_uscc=filing.department_uscc,
                name=filing.name,
                position=filing.position,
                phone=filing.phone,
                email=filing.email,
                from_on=step.today,
                filed_by_case=step.case.case_no,
            )
        )
        for recipient, address in _addresses(department, filing):
            on = LiaisonOnFile(
                recipient=recipient,
                liaison=mask_name(filing.name),
                from_on=step.today,
                replaced=mask_name(replaced.name) if replaced else "",
                until_on=until_on,
                **told,
            )
            step.notify(on, address)
    step.audit("liaison:filing:confirmed", department=filing.department_uscc, kind=filing.kind)
    end_case(step, step.case)


@durable("退回备案")
def return_filing(step: Step) -> None:
    """Send a filing back with the reason; who is on file stays as it was."""
    step.move(STAGES, Stage.RETURNED)
    reason = answered(step, LiaisonConfirmation, LIAISON_CONFIRMATION).reason
    filing = filing_of(step.session, step.case.case_no)
    department = step.session.get_one(Department, filing.department_uscc)
    tell_department(
        step,
        department.uscc,
        lambda recipient: LiaisonReturned(
            recipient=recipient,
            department=department.name,
            case_no=step.case.case_no,
            kind=filing.kind,
            liaison=mask_name(filing.name),
            reason=reason,
        ),
        instead=_addresses(department, filing),
    )
    step.audit("liaison:filing:returned", department=filing.department_uscc, kind=filing.kind)
    end_case(step, step.case)


def _addresses(department: Department, filing: LiaisonFiling) -> list[tuple[str, str]]:
    """Who is told about a filing: the office, and whom it designates, who is not told of an end that may not come."""
    addresses = [(department.name, department.email)] if department.email else []
    return addresses if filing.kind is FilingKind.END else [(mask_name(filing.name), filing.email), *addresses]


REMINDED = "liaison:department:reminded"
"""The tag that remembers when a department was reminded."""


def remind_departments(at: datetime) -> int:
    """Remind every department that has nobody on file (Article 13), at most once in ``LIAISON_REMINDER`` days, at its
    office; how many were. Whoever has filed and waits for us is not reminded."""
    today = clock.local_date(at)
    with transaction() as session:
        # One watch at a time, or two of them would remind the same department twice.
        locked_counter(session, "liaison-watch", today.year)
        there = select(LiaisonOfficer.department_uscc).where(on_file(today))
        waiting = (
            select(LiaisonFiling.department_uscc)
            .join(Case, Case.case_no == LiaisonFiling.case_no)
            .where(Case.closed_at.is_(None))
        )
        wanted = select(Department).where(Department.uscc.not_in(there), Department.uscc.not_in(waiting))
        since = at - timedelta(days=LIAISON_REMINDER.value + 1)
        given = select(AuditEntry).where(AuditEntry.tag == REMINDED, AuditEntry.at > since).order_by(AuditEntry.id)
        last = {entry.detail["department"]: clock.local_date(entry.at) for entry in session.scalars(given)}
        reminded = 0
        for department in session.scalars(wanted.order_by(Department.uscc)):
            if not is_due_for_reminder(last.get(department.uscc), today):
                continue
            if can_be_written_to(department.email):
                notice = LiaisonMissing(recipient=department.name, department=department.name, day=today)
                key = f"liaison-missing:{department.uscc}:{today}"
                queue(session, notice, department.email, key=key, case_no=None, at=at)
            else:
                what = f"“{department.name}”没有在册专人，也没有可用的办公邮箱，请电话提醒并补登邮箱"
                open_staff_task(session, f"liaison-missing:{department.uscc}", None, what, at)
            record(session, REMINDED, None, "system", at, department=department.uscc)
            reminded += 1
        return reminded
