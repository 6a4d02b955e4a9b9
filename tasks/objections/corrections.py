"""Whoever used a value that turned out wrong is told, and answers what was done about it (Articles 12 and 14).

A corrected record helps nobody who has already acted on the wrong one; the audit trail knows who that is.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from models.certificate_uses import WrongValueUse
from models.certificates import Certificate, CertificateHolder
from models.objections import Objection
from models.organisations import Department
from models.records import AuditEntry
from notifications import notices
from regulation.backfill.judge import HOLDER_NUMBER, ISSUED_ON, NUMBER, VALID_UNTIL
from regulation.catalogue import STATE
from regulation.certificate_use import ANSWERED
from regulation.limits import WRONG_VALUE_ANSWER
from regulation.objections import Outcome
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import RefusalError
from runtime.settings import settings
from tasks.audit import record
from tasks.case.calendars import working_days
from tasks.case.department_links import Correspondent, new_link, unanswered
from tasks.case.department_mail import tell_department
from tasks.case.step import Step, durable, recorded
from tasks.objections.steps import objection_of, sync_certificate
from tasks.office.staff_tasks import open_staff_task
from tasks.register.versions import CURRENT_VERSION

CORRECTED = select(Certificate).where(Certificate.corrected_by_case == bindparam("case_no"))
VERSIONS = select(Certificate).where(Certificate.root == bindparam("root"))
HOLDERS = (
    select(CertificateHolder.holder_index)
    .join(Certificate, Certificate.id == CertificateHolder.certificate_id)
    .where(Certificate.root == bindparam("root"))
)
SEEN = (
    select(AuditEntry.detail)
    .where(
        AuditEntry.holder_index.in_(bindparam("holders", expanding=True)),
        AuditEntry.tag.in_(ANSWERED),
    )
    .order_by(AuditEntry.id)
)
TOLD_TO_ALL = frozenset({STATE.code, ISSUED_ON, VALID_UNTIL, NUMBER, HOLDER_NUMBER, "husband_number", "wife_number"})
"""What every use is told without asking for its value, or goes by: the state, the dates, which one and whose it is."""
BUSINESSES_IN_A_NOTICE = 100
"""Business numbers listed in one notice; the rest stands on the page."""


@dataclass(frozen=True, slots=True)
class ToldUse:
    """What a department was told and what it answered, with nothing of a person in it."""

    case_no: str
    department: str
    certificate: str
    field: str
    business_nos: tuple[str, ...]
    told_on: date
    due_on: date
    answer: str | None
    answered_on: date | None


@durable("告知用过错误信息的部门")
def tell_users_of_wrong_value(step: Step) -> int:
    """Tell every department that used the corrected value, with its own business numbers; how many are told."""
    objection = objection_of(step.session, step.case.case_no)
    used = _used_by(step.session, step.case.case_no, objection)
    for uscc, business_nos in used.items():
        _tell_user(step, objection, uscc, business_nos)
    return len(used)


def _tell_user(step: Step, objection: Objection, uscc: str, business_nos: list[str]) -> None:
    due_on, _ = working_days(step.session).due_date(step.today, WRONG_VALUE_ANSWER.value)
    use = WrongValueUse(
        case_no=step.case.case_no,
        department_uscc=uscc,
        business_nos=business_nos,
        told_at=step.now,
        due_on=due_on,
        **new_link(WrongValueUse),
    )
    step.session.add(use)
    notice = notices.WrongValueUsed(
        case_no=step.case.case_no,
        department=step.session.get_one(Department, uscc).name,
        certificate=objection.public_type,
        field=objection.public_field,
        business_nos=business_nos[:BUSINESSES_IN_A_NOTICE],
        more=len(business_nos) > BUSINESSES_IN_A_NOTICE,
        due_on=due_on,
        link=f"{settings().public_url}/wrong-value-uses/{use.token}",
    )
    tell_department(step, uscc, lambda _: notice, about=uscc)
    step.audit("correction:department:told", department=uscc, businesses=len(business_nos))


def _used_by(session: Session, case_no: str, objection: Objection) -> dict[str, list[str]]:
    """The business numbers, by department, under which the corrected field was seen in a version that had its wrong
    value."""
    code, of_state = objection.field_code, objection.field_code == STATE.code
    new = session.scalar(CORRECTED, {"case_no": case_no})
    in_place = new is None and objection.outcome is Outcome.SYNCED
    if in_place:
        synced = recorded(session.connection(), case_no, sync_certificate.name, 1)
        new = session.scalar(CURRENT_VERSION, {"root": objection.certificate_root})
        if new is None or synced is None or synced.result != new.identifier:
            return {}
    if new is None or code is None:
        return {}
    versions = session.scalars(VERSIONS, {"root": new.root}).all()
    if in_place:
        # The version stayed, and said something else until now.
        wrong = {new.identifier}
    else:
        past = [each for each in versions if each.version < new.version]
        before = max(past, key=lambda each: each.version)
        # What state a version was in before it was superseded only the record knows, use by use.
        wrong = {each.identifier for each in past if of_state or each.face.get(code) == before.face.get(code)}
    # A holder's corrected number is not the one under which the certificate was used; any of its holders may be.
    holders = sorted(set(session.scalars(HOLDERS, {"root": new.root})))
    used: dict[str, list[str]] = defaultdict(list)
    for said in session.connection().scalars(SEEN, {"holders": holders}):
        if of_state and said.get("result") == new.state:
            continue
        if wrong & set(said.get("certificates", ())) and (code in TOLD_TO_ALL or code in said.get("fields", ())):
            businesses = used[said["department"]]
            if said["business_no"] not in businesses:
                businesses.append(said["business_no"])
    return used


def told(who: Correspondent) -> ToldUse:
    """What a department was told. ``NotFoundError`` for another's or none."""
    with reading() as session:
        return _told(session, who.find(session, WrongValueUse))


def open_for(department: str) -> list[ToldUse]:
    """What a department (by name) was told and has not answered, the oldest first."""
    with reading() as session:
        wanted = unanswered(WrongValueUse, Department.name == department).order_by(WrongValueUse.id)
        return [_told(session, row) for row in session.scalars(wanted)]


def answer(who: Correspondent, text: str) -> ToldUse:
    """Record what a department answers. Raises as ``told`` and ``RefusalError`` for a second answer."""
    with transaction() as session:
        number = who.find(session, WrongValueUse).id
        row = session.get_one(WrongValueUse, number, with_for_update=True, populate_existing=True)
        if row.answer is not None and row.answer != text:
            raise RefusalError("已经答复过；如有补充，请联系综合管理单位。")
        if row.answer is None:
            row.answer, row.answered_at, row.answered_by = text, clock.now(), who.by
            said = {"department": row.department_uscc}
            record(session, "correction:department:answered", row.case_no, who.by, row.answered_at, **said)
        return _told(session, row)


def note_unanswered(at: datetime) -> int:
    """Leave to staff, once each, what departments have not answered in time; how many such answers are missing."""
    today = clock.local_date(at)
    with transaction() as session:
        late = session.execute(unanswered(WrongValueUse, WrongValueUse.due_on < today)).all()
        for row, name in late:
            what = f"{name}没有按时答复如何处理用过的错误证照信息，请督促"
            open_staff_task(session, f"wrong-value:{row.id}", row.case_no, what, at)
        return len(late)


def _told(session: Session, row: WrongValueUse) -> ToldUse:
    objection = session.get_one(Objection, row.case_no)
    return ToldUse(
        case_no=row.case_no,
        department=session.get_one(Department, row.department_uscc).name,
        certificate=objection.public_type,
        field=objection.public_field,
        business_nos=tuple(row.business_nos),
        told_on=clock.local_date(row.told_at),
        due_on=row.due_on,
        answer=row.answer,
        answered_on=clock.local_date(row.answered_at) if row.answered_at else None,
    )
