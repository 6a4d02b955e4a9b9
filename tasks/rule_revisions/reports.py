"""What departments see of the rules they have listed (Article 16), and how they report them revised."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import AnswerSource, Case
from models.organisations import Department
from models.rule_revisions import RuleRevision
from regulation.limits import RULE_REVISION
from regulation.rule_revisions import check_in_force
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError, RefusalError
from tasks.audit import record
from tasks.case.answers import accepted_answer, record_answer
from tasks.case.attachments import File, keep_files
from tasks.case.numbers import running_deadline
from tasks.case.step import locked_case
from tasks.case.submissions import came_before
from tasks.office.department_links import behind_link, of_department
from tasks.rule_revisions.questions import RevisionReport

NO_FILE = "请附上修订后的文件。"


@dataclass(frozen=True, slots=True)
class Listed:
    """A rule as its department sees it. ``due_on`` is the running limit's, ``None`` when none runs."""

    case_no: str
    department: str
    stage: str
    document: str
    clause: str
    article: int
    why: str
    planned_on: date
    due_on: date | None
    provisional: bool
    returned_for: str | None
    may_report: bool
    document_no: str | None
    in_force_on: date | None
    closed_on: date | None


def listed_by_link(token: str) -> Listed:
    """What stands behind a department's link. ``NotFoundError`` for none."""
    with reading() as session:
        return _listed(session, behind_link(session, RuleRevision, token))


def listed_by_department(department: str, case_no: str) -> Listed:
    """A rule that a department has listed itself. ``NotFoundError`` for another's or none."""
    with reading() as session:
        return _listed(session, of_department(session, RuleRevision, department, case_no))


def revisions_of(department: str) -> list[Listed]:
    """What a department (by name) has listed, the newest first."""
    wanted = (
        select(RuleRevision)
        .join(Department, Department.uscc == RuleRevision.department_uscc)
        .where(Department.name == department)
        .order_by(RuleRevision.case_no.desc())
    )
    with reading() as session:
        return [_listed(session, row) for row in session.scalars(wanted)]


def report_by_link(token: str, report: RevisionReport, files: Sequence[File], submission_no: str) -> str:
    """A report from the page behind a department's link; the case number. See ``_report``."""
    with transaction() as session:
        row = behind_link(session, RuleRevision, token)
        return _report(session, row, report, files, f"link:{submission_no}", "link")


def report_by_application(
    department: str, case_no: str, report: RevisionReport, files: Sequence[File], submission_no: str, key: str
) -> str:
    """A report from a department's system, ``key`` being its application's; the case number. See ``_report``."""
    with transaction() as session:
        row = of_department(session, RuleRevision, department, case_no)
        return _report(session, row, report, files, f"{key}:{submission_no}", key)


def _report(
    session: Session, row: RuleRevision, report: RevisionReport, files: Sequence[File], key: str, by: str
) -> str:
    """Record that a rule was revised, with its proof; the case number. The same submission again changes nothing.

    Raises ``RefusalError`` where no report is waited for, ``InputError`` without a file and for a day in force that
    cannot be, and what ``came_before`` raises.
    """
    case, now = locked_case(session, row.case_no), clock.now()
    source_key = f"{case.case_no}:department:{key}"
    if came_before(session, "answer", source_key, report, files=files):
        return case.case_no
    deadline = running_deadline(session, case.case_no, RULE_REVISION)
    if deadline is None:
        raise RefusalError(f"本件现为“{case.stage}”，不需要报告。")
    if accepted_answer(session, case.case_no, RevisionReport.question, deadline.turn) is not None:
        raise RefusalError("已经报告过，请等待综合管理单位核对；结果将告知本部门。")
    if not files:
        raise InputError.of("files", NO_FILE)
    check_in_force(report.in_force_on, case.received_on, clock.local_date(now))
    given = report.model_dump(mode="json")
    record_answer(session, case, RevisionReport, deadline.turn, AnswerSource.DEPARTMENT, source_key, given, now)
    keep_files(session, case.case_no, files, now)
    record(session, "rule-revision:department:said", case.case_no, by, now, files=len(files))
    return case.case_no


def _listed(session: Session, row: RuleRevision) -> Listed:
    case = session.get_one(Case, row.case_no)
    deadline = running_deadline(session, row.case_no, RULE_REVISION)
    return Listed(
        case_no=row.case_no,
        department=session.get_one(Department, row.department_uscc).name,
        stage=case.stage,
        document=row.document,
        clause=row.clause,
        article=row.article,
        why=row.why,
        planned_on=row.planned_on,
        due_on=deadline.due_on if deadline else None,
        provisional=deadline is not None and deadline.provisional,
        returned_for=row.returned_for,
        may_report=deadline is not None
        and accepted_answer(session, row.case_no, RevisionReport.question, deadline.turn) is None,
        document_no=row.document_no,
        in_force_on=row.in_force_on,
        closed_on=clock.local_date(case.closed_at) if case.closed_at else None,
    )
