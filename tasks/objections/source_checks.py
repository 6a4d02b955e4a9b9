"""The department of the district that keeps a record, or brought it in from paper, is asked what it says to an
objection (Article 12): beside the bureaus, never in their place, and nothing waits for it.

Where a bureau cannot tell, because the record is none of its own, what the keeper found is what a decision rests on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Select, bindparam, select
from sqlalchemy.orm import Session

from models.backfill_batches import BackfillBatch
from models.backfills import Backfill
from models.cases import Case
from models.certificates import Certificate, CertificateType
from models.objections import Objection
from models.organisations import Department
from models.source_checks import SourceCheck
from notifications.notices import SourceAsked
from regulation.certificates import CertificateState, Level
from regulation.limits import SOURCE_ANSWER
from regulation.objections import FOUND_WRONG, Finding, ObjectorKind, Stage
from runtime import clock
from runtime.database import in_pieces, reading, transaction
from runtime.refusals import InputError, RefusalError
from runtime.settings import settings
from runtime.words import Words
from tasks.audit import record
from tasks.case.calendars import working_days
from tasks.case.department_links import Correspondent, new_link, unanswered
from tasks.case.department_mail import letters_to
from tasks.case.numbers import tell_officer
from tasks.case.step import Steps, locked_case
from tasks.office.recipients import addressees
from tasks.office.staff_tasks import open_staff_task
from tasks.register.versions import check_value

BACKFILLED = select(Certificate.root, Certificate.backfilled_by_case).where(
    Certificate.root.in_(bindparam("roots", expanding=True)),
    Certificate.state != CertificateState.SUPERSEDED,
    Certificate.backfilled_by_case.is_not(None),
)
OVER = frozenset({Stage.DECIDED, Stage.CLOSED, Stage.WITHDRAWN, Stage.DECLINED, Stage.ANSWERED})
"""Where it is too late to say anything."""


class SourceAnswer(BaseModel):
    """What the record says, as the department that keeps it found."""

    model_config = ConfigDict(extra="forbid", title="核对情况")

    finding: Finding = Field(title="核对结论")
    value: Words = Field("", title="正确的内容", description="记录有误的填写", max_length=500)
    basis: Words = Field(title="依据", description="如档案、登记簿的名称和编号", min_length=5, max_length=2000)


@dataclass(frozen=True, slots=True)
class AskedOf:
    """What a department is asked, with what it needs in order to find the record, and what it answered."""

    case_no: str
    department: str
    certificate: str
    reference: str
    field: str
    stated: str
    proposed: str
    asked_on: date
    due_on: date
    finding: str | None
    value: str | None
    basis: str | None
    answered_on: date | None


def ask_sources(steps: Steps, objectors: Mapping[str, Sequence[Objection]]) -> None:
    """Ask whoever of the district keeps the records in question, by case and its objections, unless they object
    themselves."""
    departments = {each.uscc: each for each in steps.session.scalars(select(Department))}
    keepers = _keepers(steps.session, {case_no: mine[0] for case_no, mine in objectors.items()}, departments)
    due_on = working_days(steps.session).due_on(steps.today, SOURCE_ANSWER.value)
    known = {uscc: addressees(steps.session, departments[uscc], steps.today) for uscc in set(keepers.values())}
    for case_no, uscc in keepers.items():
        department, mine = departments[uscc], objectors[case_no]
        if any(
            each.objector_kind is ObjectorKind.DEPARTMENT and each.objector_name == department.name for each in mine
        ):
            continue
        check = SourceCheck(
            case_no=case_no, department_uscc=uscc, asked_at=steps.now, due_on=due_on, **new_link(SourceCheck)
        )
        steps.session.add(check)
        what = f"{case_no}的核对请求"
        there = letters_to(steps.session, department, f"{case_no}:source", what, steps.now, case_no, known[uscc])
        for recipient, address in there or [(department.name, "")]:
            notice = SourceAsked(
                recipient=recipient,
                department=department.name,
                case_no=case_no,
                certificate=mine[0].public_type,
                field=mine[0].public_field,
                due_on=due_on,
                link=f"{settings().public_url}/source-checks/{check.token}",
            )
            steps.notify(notice, address, case_no)
        steps.audit("objection:source:asked", case_no, department=uscc)


def _keepers(session: Session, about: Mapping[str, Objection], departments: Mapping[str, Department]) -> dict[str, str]:
    """By case, the department (its credit code) that keeps the record in question, where the district does: whoever
    issues certificates of the type, else whoever brought this one in."""
    kinds = {kind.code: kind for kind in session.scalars(select(CertificateType))}
    by_name = {each.name: uscc for uscc, each in departments.items()}
    entered: dict[str, str] = {}
    for some in in_pieces(sorted({each.certificate_root for each in about.values() if each.certificate_root})):
        entered |= {root: str(case_no) for root, case_no in session.execute(BACKFILLED, {"roots": some}).tuples()}
    found = {}
    for case_no, objection in about.items():
        kind, backfill = kinds.get(objection.type_code or ""), entered.get(objection.certificate_root or "")
        if kind is None or (kind.source is not Level.DISTRICT and backfill is None):
            continue
        uscc = by_name.get(kind.issuing_authority) or (_entered_by(session, backfill) if backfill else None)
        if uscc is not None:
            found[case_no] = uscc
    return found


def _entered_by(session: Session, case_no: str) -> str:
    return (session.get(Backfill, case_no) or session.get_one(BackfillBatch, case_no)).department_uscc


def said_by_source(session: Session, case_no: str) -> SourceCheck | None:
    """Who was asked in a case, and what they answered, if they have."""
    return session.get(SourceCheck, case_no)


def answers_of(session: Session, case_nos: Sequence[str]) -> dict[str, str]:
    """By case, what the department that keeps the record answered, in words; nothing of those that have not."""
    found: dict[str, str] = {}
    for some in in_pieces(list(case_nos)):
        wanted = select(SourceCheck, Department.name).join(Department, Department.uscc == SourceCheck.department_uscc)
        answered = wanted.where(SourceCheck.case_no.in_(some), SourceCheck.answered_at.is_not(None))
        for check, name in session.execute(answered).tuples():
            said = (str(check.finding), check.value, check.basis)
            found[check.case_no] = f"{name}：{'；'.join(filter(None, said))}"
    return found


def asked_of(who: Correspondent) -> AskedOf:
    """What a department is asked. ``NotFoundError`` for another's or none."""
    with reading() as session:
        return _asked_of(session, who.find(session, SourceCheck))


def open_for(department: str) -> list[AskedOf]:
    """What a department (by name) was asked and has not answered, the oldest first."""
    with reading() as session:
        wanted = _still_asked(Department.name == department).order_by(SourceCheck.case_no)
        return [_asked_of(session, each) for each in session.scalars(wanted)]


def _still_asked(which: ColumnElement[bool]) -> Select[tuple[SourceCheck, str]]:
    """What is not answered and could still be of use."""
    return unanswered(SourceCheck, which, Case.closed_at.is_(None)).join(Case, Case.case_no == SourceCheck.case_no)


def answer(who: Correspondent, said: SourceAnswer) -> AskedOf:
    """Record what a department found; the same again changes nothing. Raises as ``asked_of``, ``InputError`` for a
    value that cannot be, ``RefusalError`` for another answer and once the case is decided."""
    with transaction() as session:
        case_no = who.find(session, SourceCheck).case_no
        case = locked_case(session, case_no)
        check = session.get_one(SourceCheck, case_no, populate_existing=True)
        if check.answered_at is None:
            if Stage(case.stage) in OVER:
                raise RefusalError(
                    f"本件现为“{case.stage}”，不用再核对；登记仍有误的，可以另行提出核查申请（第十二条）。"
                )
            _check(session, case_no, said)
            check.finding, check.value, check.basis = said.finding, said.value or None, said.basis
            check.answered_at, check.answered_by = clock.now(), who.by
            detail = {"department": check.department_uscc, "finding": str(said.finding)}
            record(session, "objection:source:answered", case_no, who.by, check.answered_at, **detail)
            tell_officer(session, case, "责任部门答复了核对情况", f"{case_no}:source:answered", check.answered_at)
        elif (check.finding, check.value or "", check.basis) != (said.finding, said.value, said.basis):
            raise RefusalError("已经答复过；如有补充，请联系综合管理单位。")
        return _asked_of(session, check)


def _check(session: Session, case_no: str, said: SourceAnswer) -> None:
    if said.finding not in FOUND_WRONG:
        return
    if not said.value:
        raise InputError.of("value", "记录有误的，请填写正确的内容。")
    objection = session.get_one(Objection, case_no)
    kind = session.get(CertificateType, objection.type_code) if objection.type_code else None
    if kind is not None and objection.field_code is not None:
        try:
            check_value(session, kind, objection.field_code, said.value, clock.today())
        except InputError as why:
            raise InputError.of("value", str(why)) from None


def note_unanswered_checks(at: datetime) -> int:
    """Leave to staff, once each, what departments have not answered in time; how many such answers are missing."""
    today = clock.local_date(at)
    with transaction() as session:
        late = session.execute(_still_asked(SourceCheck.due_on < today)).all()
        for check, name in late:
            what = f"{name}没有按时答复有异议的登记是否有误，请督促"
            open_staff_task(session, f"source-check:{check.case_no}", check.case_no, what, at)
        return len(late)


def _asked_of(session: Session, check: SourceCheck) -> AskedOf:
    objection = session.get_one(Objection, check.case_no)
    return AskedOf(
        case_no=check.case_no,
        department=session.get_one(Department, check.department_uscc).name,
        certificate=objection.public_type,
        reference=objection.certificate_reference,
        field=objection.public_field,
        stated=objection.stated,
        proposed=objection.proposed,
        asked_on=clock.local_date(check.asked_at),
        due_on=check.due_on,
        finding=check.finding,
        value=check.value,
        basis=check.basis,
        answered_on=clock.local_date(check.answered_at) if check.answered_at is not None else None,
    )
