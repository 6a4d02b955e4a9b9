"""Citizens' reports (群众反映) that a counter demanded paper: staff look into them, and only then they are findings."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import CaseKind
from models.certificates import CertificateType
from models.organisations import Department
from models.paper_reports import PaperReport
from notifications.notices import PaperReportHandled, PaperReportReceived
from regulation.findings import Source
from regulation.limits import PAPER_REPORT_CHECK, REPORT_AGE
from regulation.paper_reports import STAGE_AFTER, STAGES, Stage, Verdict
from regulation.service_guides import CITIZEN_RULES, subject_of
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError
from tasks.case.answers import answered
from tasks.case.attachments import File, keep_files
from tasks.case.deadlines import start_deadline
from tasks.case.marks import mark_cases
from tasks.case.numbers import announce, end_case, locked_counter, next_number, opening
from tasks.case.step import Step, durable
from tasks.case.submissions import came_before
from tasks.guides.items import item_meant
from tasks.office.departments import department_named
from tasks.rectifications.findings import Found, note_findings
from tasks.register.types import type_named
from tasks.supervision.paper_report_questions import PaperReportForm, PaperReportVerdict


def report_of(session: Session, case_no: str) -> PaperReport:
    """The report of a case that is known to exist."""
    return session.get_one(PaperReport, case_no)


def choices() -> tuple[list[str], list[str]]:
    """What the public page offers: the departments and the certificate types by name."""
    with reading() as session:
        departments = session.scalars(select(Department.name).order_by(Department.name)).all()
        return list(departments), list(session.scalars(select(CertificateType.name).order_by(CertificateType.name)))


def register_report(form: PaperReportForm, files: Sequence[File], submission_key: str) -> str:
    """Register a report in one transaction; its number, which is the citizen's receipt. Handing it in again
    under ``submission_key`` returns the first one's.

    Raises ``InputError`` for an unknown department, and for a day to come or long past, and what ``came_before``
    raises.
    """
    with transaction() as session:
        now = clock.now()
        today = clock.local_date(now)
        if came_before(session, CaseKind.PAPER_REPORT, submission_key, form, files=files):
            wanted = select(PaperReport.case_no).where(PaperReport.submission_key == submission_key)
            return session.scalars(wanted).one()
        counter = locked_counter(session, CaseKind.PAPER_REPORT, today.year)
        department = department_named(session, form.department)
        if not today - timedelta(days=REPORT_AGE.value) <= form.happened_on <= today:
            raise InputError.of("happened_on", f"日期应在今天（{today}）及之前{REPORT_AGE.value}天以内，请更正。")
        case_no = next_number(counter)
        step = opening(session, case_no, Stage.RECEIVED, "register_report", "citizen", now)
        session.add(
            PaperReport(
                case_no=case_no,
                submission_key=submission_key,
                department_uscc=department.uscc,
                matter=form.matter,
                material=form.material,
                demand=form.demand,
                happened_on=form.happened_on,
                account=form.account,
                email=form.email or None,
                phone=form.phone or None,
            )
        )
        mark_cases(session, {case_no: (form.phone,)})
        keep_files(session, case_no, files, now)
        deadline = start_deadline(session, case_no, PAPER_REPORT_CHECK, today)
        step.audit("paper-report:citizen:registered", department=department.uscc, demand=form.demand, files=len(files))
        if form.email:
            notice = PaperReportReceived(
                case_no=case_no,
                department=department.name,
                demand=form.demand,
                article=CITIZEN_RULES[form.demand].article,
                received_on=today,
                due_on=deadline.due_on,
                provisional=deadline.provisional,
            )
            step.notify(notice, form.email)
        announce(step, "新收到的群众反映")
        return case_no


@durable("办结群众反映")
def close_report(step: Step) -> list[str]:
    """Carry out what staff found: a finding or none, and the citizen is told where they left an address. The
    rectification cases that were opened."""
    case_no = step.case.case_no
    answer = answered(step, PaperReportVerdict, PAPER_REPORT_CHECK)
    step.move(STAGES, STAGE_AFTER[answer.verdict])
    report = report_of(step.session, case_no)
    opened: tuple[str, ...] = ()
    if answer.verdict is Verdict.CONFIRM:
        # Whether there is such an item was asked when it was answered.
        item_code = item_meant(step.session, answer.item_code, report.department_uscc, answer.basis or answer.reason)
        kind = type_named(step.session, answer.certificate_type)
        rule = CITIZEN_RULES[report.demand]
        said = f"群众反映{report.happened_on}办理事项{item_code}时，窗口对“{kind.name}”{report.demand}"
        subject = subject_of(item_code, kind.name)
        found = Found(rule.code, report.department_uscc, subject, f"{said}，经核实属实。", report.happened_on)
        opened = note_findings(step.session, Source.CITIZEN, [found], step.now, ()).opened
    step.audit("paper-report:citizen:closed", department=report.department_uscc, verdict=answer.verdict)
    if report.email:
        notice = PaperReportHandled(
            case_no=case_no,
            department=step.session.get_one(Department, report.department_uscc).name,
            demand=report.demand,
            confirmed=answer.verdict is Verdict.CONFIRM,
            reason=answer.reason,
        )
        step.notify(notice, report.email)
    end_case(step, step.case)
    return list(opened)
