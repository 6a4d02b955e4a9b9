"""What departments see of the rules they have listed (Article 16), and how they report them revised."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import AnswerSource, Case
from models.organisations import Department
from models.rule_revisions import RuleRevision
from regulation.limits import RULE_REVISION
from regulation.rule_revisions import check_in_force
from runtime import clock
from runtime.database import reading
from runtime.refusals import InputError, RefusalError
from tasks.case.answers import accepted_answer, record_answer
from tasks.case.attachments import File
from tasks.case.deadlines import running_deadline
from tasks.case.department_answers import take_word
from tasks.case.department_links import Correspondent
from tasks.rule_revisions.questions import RevisionReport

NO_FILE = "请附上修订后的文件。"


@dataclass(frozen=True, slots=True)
class OwnRevision:
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


def listed(who: Correspondent) -> OwnRevision:
    """A rule that a department has listed itself. ``NotFoundError`` for another's or none."""
    with reading() as session:
        return _listed(session, who.find(session, RuleRevision))


def revisions_of(department: str) -> list[OwnRevision]:
    """What a department (by name) has listed, the newest first."""
    wanted = (
        select(RuleRevision)
        .join(Department, Department.uscc == RuleRevision.department_uscc)
        .where(Department.name == department)
        .order_by(RuleRevision.case_no.desc())
    )
    with reading() as session:
        return [_listed(session, row) for row in session.scalars(wanted)]


def report(who: Correspondent, report: RevisionReport, files: Sequence[File], submission_no: str) -> str:
    """Record that a rule was revised, with its proof; the case number. The same submission again changes nothing.

    Raises ``RefusalError`` where no report is waited for, ``InputError`` without a file and for a day in force that
    cannot be, and what ``take_word`` raises.
    """

    def take(session: Session, case: Case, source_key: str, now: datetime) -> None:
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

    return take_word(who, RuleRevision, report, files, submission_no, take, "rule-revision:department:said")


def _listed(session: Session, row: RuleRevision) -> OwnRevision:
    case = session.get_one(Case, row.case_no)
    deadline = running_deadline(session, row.case_no, RULE_REVISION)
    return OwnRevision(
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
