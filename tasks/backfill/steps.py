"""The steps of a paper certificate's backfill (Article 11), from what is entered to the register."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.backfills import Backfill, BackfillEntry
from models.cases import Answer, AnswerSource, Case, CaseKind
from models.certificates import Certificate, CertificateType
from models.objections import Attachment
from models.organisations import Department
from notifications import notices
from regulation.backfill.files import identifier
from regulation.backfill.review import STAGES, Stage
from regulation.certificates import CertificateState, mask_name, mask_number
from regulation.limits import BACKFILL_CORRECTION, BACKFILL_REVIEW
from runtime import clock
from runtime.database import reading, transaction
from runtime.keys import keys
from runtime.refusals import RefusalError
from runtime.settings import settings
from tasks.backfill.entries import (
    backfill_of,
    by_code,
    check,
    corrected,
    entered,
    known_authorities,
    latest_entry,
    marks_in,
    values_in,
)
from tasks.backfill.questions import BackfillCorrection, BackfillReview, ScanAttached
from tasks.case.answers import accepted_answer, answered, meet_by_answer, record_answer
from tasks.case.attachments import File, keep_files
from tasks.case.deadlines import start_deadline
from tasks.case.department_mail import tell_department
from tasks.case.marks import mark_cases
from tasks.case.numbers import announce, end_case, locked_counter, next_number, opening
from tasks.case.step import Step, durable, locked_case
from tasks.case.submissions import came_before
from tasks.office.departments import department_named
from tasks.office.staff_tasks import open_staff_task
from tasks.register.types import type_named
from tasks.register.versions import as_row, enter

AT_THE_COUNTER = 99_999
"""The batch in the identifiers of what was met at a counter; batches of files are numbered from 1."""


def register_backfill(
    department: str,
    certificate_type: str,
    given: Mapping[str, str],
    service_case_no: str,
    email: str,
    files: Sequence[File],
    submission_key: str,
    entered_by: str,
) -> str:
    """Register what somebody read off a paper, in one transaction; the case number. Handing it in again under
    ``submission_key`` returns the first one's.

    Raises ``InputError`` for an unknown department or type and for what is missing or impossible on the paper,
    ``RefusalError`` for a certificate that the register has, and what ``came_before`` raises.
    """
    with transaction() as session:
        now = clock.now()
        today = clock.local_date(now)
        said = (department, certificate_type, given, service_case_no, email, entered_by)
        if came_before(session, CaseKind.BACKFILL, submission_key, *said, files=files):
            return session.scalars(select(Backfill.case_no).where(Backfill.submission_key == submission_key)).one()
        counter = locked_counter(session, CaseKind.BACKFILL, today.year)
        whose = department_named(session, department)
        kind = type_named(session, certificate_type)
        written = by_code(kind, given)
        entry = entered(session, kind, written, today)
        check(entry)
        case_no = next_number(counter)
        step = opening(session, case_no, Stage.ENTERED, "register_backfill", entered_by, now, but_not=entered_by)
        token = secrets.token_urlsafe(24)
        session.add(
            Backfill(
                case_no=case_no,
                submission_key=submission_key,
                department_uscc=whose.uscc,
                type_code=kind.code,
                service_case_no=service_case_no,
                email=email or None,
                token=token,
                token_index=keys().blind_index("backfill-token", token),
            )
        )
        session.flush()
        session.add(BackfillEntry(case_no=case_no, turn=1, given=written, entered_by=entered_by, at=now))
        mark_cases(session, {case_no: marks_in(entry.judged)})
        keep_files(session, case_no, files, now)
        step.audit("backfill:entry:registered", type=kind.code, department=whose.uscc, service_case_no=service_case_no)
        announce(step, "新收到的纸质证照补录", BACKFILL_REVIEW)
        return case_no


def has_scan(case_no: str) -> bool:
    """Whether the paper's scan is with the case."""
    with reading() as session:
        wanted = select(func.count(Attachment.id)).where(Attachment.case_no == case_no)
        return bool(session.scalar(wanted))


def scan_added(session: Session, case: Case, at: datetime) -> None:
    """A file was added to a case: where a backfill waits for its scan, that is the answer."""
    if case.kind is CaseKind.BACKFILL and (case.waiting_for or "").startswith(f"{ScanAttached.question}-"):
        key = f"{case.case_no}:scan"
        record_answer(session, case, ScanAttached, 1, AnswerSource.OFFICER, key, {"note": ""}, at)


@durable("退回更正")
def return_for_correction(step: Step) -> None:
    """Send an entry back with what is wrong on it; whoever entered it corrects it and sends it again."""
    step.move(STAGES, Stage.RETURNED)
    due_on = start_deadline(step.session, step.case.case_no, BACKFILL_CORRECTION, step.today, step.turn).due_on
    _send_back(step, answered(step, BackfillReview, BACKFILL_REVIEW).reason, due_on)
    step.audit("backfill:entry:returned")


def _send_back(step: Step, reason: str, due_on: date | None) -> None:
    """Tell the department why an entry comes back, and until when it is to be corrected, if it can be."""
    backfill = backfill_of(step.session, step.case.case_no)
    kind = step.session.get_one(CertificateType, backfill.type_code)
    tell_department(
        step,
        backfill.department_uscc,
        lambda recipient: notices.BackfillReturned(
            recipient=recipient,
            case_no=step.case.case_no,
            certificate=kind.name,
            service_case_no=backfill.service_case_no,
            reason=reason,
            final=due_on is None,
            due_on=due_on,
        ),
    )


@durable("收到更正")
def take_correction(step: Step) -> None:
    """Put the corrected entry up for review again."""
    step.move(STAGES, Stage.ENTERED)
    wanted = select(Answer).where(
        Answer.case_no == step.case.case_no,
        Answer.question == BackfillCorrection.question,
        Answer.turn == step.turn,
        Answer.refusal.is_(None),
    )
    answer = step.session.scalars(wanted).one()
    backfill = backfill_of(step.session, step.case.case_no)
    kind = step.session.get_one(CertificateType, backfill.type_code)
    changes = by_code(kind, values_in(answer.given["values"]))
    given = latest_entry(step.session, step.case.case_no).given | changes
    step.session.add(
        BackfillEntry(
            case_no=step.case.case_no,
            turn=step.turn + 1,
            given=given,
            entered_by=answer.officer_no or answer.given["entered_by"],
            at=answer.at,
        )
    )
    judged = entered(step.session, kind, given, step.today).judged
    mark_cases(step.session, {step.case.case_no: marks_in(judged)})
    on = meet_by_answer(step, BackfillCorrection, BACKFILL_CORRECTION)
    start_deadline(step.session, step.case.case_no, BACKFILL_REVIEW, on, step.turn + 1)
    step.audit("backfill:entry:corrected")


def correct_by_application(department: str, case_no: str, values: Mapping[str, str], entered_by: str) -> None:
    """A correction from the department's own system.

    Raises ``RefusalError`` for another department's case and one that waits for no correction, or has got another
    one, ``InputError`` for what the rules do not let pass.
    """
    with transaction() as session:
        case = locked_case(session, case_no)
        backfill = session.get(Backfill, case_no)
        if backfill is None or session.get_one(Department, backfill.department_uscc).name != department:
            raise RefusalError("没有本部门的这一补录办件，请核对办件编号。")
        if case.stage != Stage.RETURNED:
            raise RefusalError(f"本件现为“{case.stage}”，不需要更正。")
        text = "\n".join(f"{name}：{value}" for name, value in values.items())
        corrected(session, case, values_in(text))
        turn = latest_entry(session, case_no).turn
        key, said = f"{case_no}:correction:{turn}", {"values": text, "entered_by": entered_by}
        if accepted_answer(session, case_no, BackfillCorrection.question, turn) not in (None, said):
            raise RefusalError("本轮的更正已经登记，内容与这次不同，这次的没有登记；请等待审核，再次退回的可以再更正。")
        record_answer(session, case, BackfillCorrection, turn, AnswerSource.DEPARTMENT, key, said, clock.now())


@durable("不予补录")
def refuse_backfill(step: Step) -> None:
    """End without a certificate, with the reason."""
    step.move(STAGES, Stage.REFUSED)
    _send_back(step, answered(step, BackfillReview, BACKFILL_REVIEW).reason, None)
    step.audit("backfill:entry:refused")
    end_case(step, step.case)


THERE_ALREADY = "审核通过时，证照库中已有同一证照，不再入库；库中的内容有误的，请提出核查申请（第十二条）。"


@durable("证照入库")
def put_in_register(step: Step) -> str | None:
    """Make the electronic certificate: usable at once, with an identifier of its own. Its holder is told.

    Returns the identifier; ``None`` where the register has got the same certificate meanwhile, which is left to staff.
    Its department is told.
    """
    meet_by_answer(step, BackfillReview, BACKFILL_REVIEW)
    # One after the other: two papers of one certificate must not both get in.
    locked_counter(step.session, CaseKind.BACKFILL, step.today.year)
    backfill = backfill_of(step.session, step.case.case_no)
    kind = step.session.get_one(CertificateType, backfill.type_code)
    given = latest_entry(step.session, step.case.case_no).given
    entry = entered(step.session, kind, given, step.today)
    judged = entry.judged
    kept = judged.columns
    if entry.there is not None or kept is None:
        step.move(STAGES, Stage.REFUSED)
        what = f"补录{step.case.case_no}审核通过时，证照库中已有同一证照，未再入库，请核对"
        open_staff_task(step.session, f"backfill:{step.case.case_no}", step.case.case_no, what, step.now)
        _send_back(step, THERE_ALREADY, None)
        step.audit("backfill:certificate:there-already")
        end_case(step, step.case)
        return None
    step.move(STAGES, Stage.REGISTERED)
    year, serial = step.case.received_on.year, int(step.case.case_no.rpartition("-")[2])
    issuer = known_authorities(step.session)[judged.issuer]
    made = identifier(kind.code, issuer, year, AT_THE_COUNTER, serial)
    certificate = Certificate(
        identifier=str(made),
        root=made.root,
        version=1,
        type_code=kind.code,
        face=judged.face,
        state=CertificateState.VALID,
        remark="由纸质证照补录",
        backfilled_by_case=step.case.case_no,
        read_at=step.now,
        **as_row(kept),
    )
    enter(step.session, certificate, judged.holders(kept))
    backfill.identifier = str(made)
    step.audit("backfill:certificate:registered", identifier=str(made), type=kind.code)
    if backfill.email:
        step.notify(
            notices.CertificateBackfilled(
                case_no=step.case.case_no,
                holder=mask_name(judged.holder_name),
                certificate=kind.name,
                number=mask_number(judged.number),
                department=step.session.get_one(Department, backfill.department_uscc).name,
                done_on=step.today,
                link=backfill_link(backfill.token),
            ),
            backfill.email,
        )
    end_case(step, step.case)
    return str(made)


def backfill_link(token: str) -> str:
    """Where a holder sees what was backfilled and can object to it."""
    return f"{settings().public_url}/backfills/{token}"
