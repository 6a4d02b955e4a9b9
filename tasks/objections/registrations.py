"""Objections are registered (Article 12): one that somebody handed in, or many that came at once."""

import secrets
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, bindparam, select
from sqlalchemy.orm import Session

from models.cases import Case, CaseKind
from models.certificates import Certificate, CertificateHolder, CertificateType
from models.objections import ContactChange, Objection, VerificationRequest
from notifications import notices
from regulation.backfill.judge import Judge
from regulation.certificates import CertificateState, Verdict, judge_identifier
from regulation.limits import INITIAL_REVIEW, TYPED_AGE, TYPED_LATE, VERIFICATION_REQUEST
from regulation.objections import SHOWN_BY, Ground, Stage, Way, may_be_joined
from runtime import clock
from runtime.database import in_pieces, insert_many, transaction
from runtime.keys import keys
from runtime.refusals import InputError
from tasks.case.attachments import File, keep_files
from tasks.case.calendars import working_days
from tasks.case.deadlines import start_deadlines
from tasks.case.marks import mark_cases
from tasks.case.numbers import locked_counter, new_case, next_numbers, tell_officer
from tasks.case.step import Steps, locked_case, locked_cases
from tasks.case.submissions import came_before
from tasks.objections.applications import ObjectionApplication
from tasks.objections.doubts import doubts_in, field_code_in, is_of_another_type
from tasks.objections.named import roots_of
from tasks.objections.steps import acting, status_link
from tasks.objections.ways import Contact
from tasks.office.officers import officers_by_load
from tasks.register.faces import holder_index
from tasks.register.types import find_type, objectionable
from tasks.register.versions import names_on

MISSING_REMARK = "申请人认为应当有这件证照而没有，请核对是否应有"
SEVERAL = "本区索引中有几件证照是所填的编号，请核对是哪一件，必要时请申请人以电子证照标识指明"
MISSING_BUT_THERE = "申请人认为没有这件证照，而本区索引中有所填的编号，请核对"
TYPED_IN = "由工作人员代为登记，申请人未经实名认证"
BY_BACKFILL_LINK = "凭补录告知邮件中的链接提出，申请人未经实名认证"
OTHER_TYPES_IDENTIFIER = (
    "所填的电子证照标识不是所填证照类型的，不会更正它所指的证照；"
    "请核对，可以不予受理，并请申请人按标识所属的证照类型另行提出"
)
PROVEN = "申请人经浙里办实名认证"
IS_HOLDER = f"{PROVEN}，证件号码与本区登记的持证主体核对一致"
IS_NOT_HOLDER = f"{PROVEN}，证件号码与本区登记的持证主体核对不一致，请核对其与证照的关系"
NOT_COMPARED = f"{PROVEN}；本区登记中没有查到这件证照，未能核对是不是持证主体"
About = tuple[str, str]
"""The root of a certificate in the register and the code of one of its fields."""

REGISTERED = select(Objection.submission_key, Objection.case_no, Objection.token, Objection.lead_case_no).where(
    Objection.submission_key.in_(bindparam("keys", expanding=True))
)
ABOUT = (
    select(Case.case_no, Objection.certificate_root, Objection.field_code)
    .join(Objection, Objection.case_no == Case.case_no)
    .where(Objection.certificate_root.in_(bindparam("roots", expanding=True)), Objection.lead_case_no.is_(None))
    .order_by(Case.case_no)
)
REQUESTED = select(VerificationRequest.case_no).where(
    VerificationRequest.case_no.in_(bindparam("case_nos", expanding=True))
)


def check_mandate(application: ObjectionApplication, files: Sequence[Any]) -> None:
    """Raise ``InputError`` where somebody acts for another and nothing comes along that could show it."""
    if application.acts_as is not None and not files:
        shown_by = SHOWN_BY[application.acts_as]
        raise InputError.of("files", f"以{application.acts_as}身份代他人办理的，须附{shown_by}，请添加附件。")


def handed_in_by(department: str) -> str:
    """What the reviewing officer should know of an objection that a department's system handed in."""
    return f"由{department}的系统报送，申请人未经本系统实名认证"


@dataclass(frozen=True, slots=True)
class Receipt:
    """How an application came and, of one that staff type in, on which day (``late_why`` where that is long ago), and
    where letters go to whoever has no e-mail address."""

    way: Way = Way.ONLINE
    on: date | None = None
    late_why: str = ""
    postal_address: str = ""


def check_receipt(session: Session, receipt: Receipt, today: date) -> None:
    """Raise ``InputError`` (``received_on``, ``late_why``) for a day on which nothing can have been received, and for
    one long ago without a reason. Of none, it is received now."""
    if receipt.on is None:
        return
    if receipt.on > today:
        raise InputError.of("received_on", "收到日期不能晚于今天，请更正。")
    if receipt.on < (first := first_received(today)):
        raise InputError.of("received_on", f"收到日期不能早于{first}，请核对年份。")
    late = working_days(session).working_days_between(receipt.on, today) > TYPED_LATE.value
    if late and not receipt.late_why:
        raise InputError.of("late_why", f"收到已超过{TYPED_LATE.value}个工作日，请写明为什么现在才登记。")


def first_received(today: date) -> date:
    """The first day that may be given as that on which something was received."""
    return today - timedelta(days=TYPED_AGE.value)


@dataclass(frozen=True, slots=True)
class Submission:
    """An application as it was handed in. ``key`` names this one submission: handing it in again returns the first
    registration. ``remark`` is what the reviewing officer should know of how it came."""

    application: ObjectionApplication
    key: str
    remark: str = ""
    files: Sequence[File] = ()
    receipt: Receipt = Receipt()
    proven: str = ""
    """The identity number that the sign-on has proven of whoever hands it in, if they signed in."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A registration's result: the number, the objector's private link token, whether it was joined to another, and
    whether it is new. No token once somebody else is told of the case: whoever handed it in need not be them."""

    case_no: str
    token: str
    joined: bool
    new: bool = field(default=False, compare=False)


def register_objection(
    application: ObjectionApplication,
    files: Sequence[File],
    submission_key: str,
    actor: str,
    remark: str = "",
    receipt: Receipt = Receipt(),
    proven: str = "",
) -> Registered:
    """Register an objection in one transaction: number, officer, deadlines from the day it came, acknowledgement.

    ``submission_key``, ``remark`` and ``proven`` as in ``Submission``; ``actor`` is who typed it in or which
    application sent it. A second objection to the same field of the same certificate joins the open one until the
    bureau is asked; later it is a case of its own, linked to the one before. Raises what ``came_before`` raises.
    """
    with transaction() as session:
        if came_before(session, CaseKind.OBJECTION, submission_key, application, files=files):
            return _known(session, [submission_key])[submission_key]
        check_mandate(application, files)
        now = clock.now()
        submission = Submission(application, submission_key, remark, files, receipt, proven)
        (registered,) = register_all(session, [submission], actor, now, now, received_on=receipt.on)
        if not registered.joined:
            case_no = registered.case_no
            tell_officer(session, locked_case(session, case_no), "新登记的异议", f"{case_no}:registered", now)
        return registered


def register_all(
    session: Session,
    submissions: Sequence[Submission],
    actor: str,
    received_at: datetime,
    at: datetime,
    *,
    together: bool = False,
    received_on: date | None = None,
) -> list[Registered]:
    """Register objections inside the caller's transaction, all received at one moment; what came of each, in order.
    ``received_on``: on an earlier day, from which their limits count.

    ``together``: those of which there is nothing to say rest, to be reviewed together, until they need a run.
    """
    received_on = received_on or clock.local_date(received_at)
    # The same submission may arrive twice at once: whoever waits here for the counter finds it registered.
    counter = locked_counter(session, CaseKind.OBJECTION, received_on.year)
    done = _known(session, [each.key for each in submissions])
    fresh = {each.key: each for each in submissions if each.key not in done}
    rows = _objections(session, fresh.values())
    earlier = _earlier(session, rows)
    leads = _leads(session, earlier)
    officers = iter(officers_by_load(session, clock.local_date(at), len(rows)))
    cases, joined = [], {}
    for row, case_no in zip(rows, next_numbers(counter, len(rows)), strict=True):
        row["case_no"] = case_no
        about = _about(row)
        # That somebody may act for another is looked at by itself, so they go along with nobody.
        lead = leads.get(about) if about is not None and row["acts_as"] is None else None
        if lead is None:
            officer_no = next(officers)
            if about is not None:
                leads.setdefault(about, (case_no, officer_no))
                row["earlier_case_no"] = earlier.get(about)
            rests = together and not row["remark"]
            case = new_case(case_no, CaseKind.OBJECTION, Stage.REGISTERED, received_on, received_at, officer_no, rests)
        else:
            row["lead_case_no"] = joined[case_no] = lead[0]
            case = new_case(case_no, CaseKind.OBJECTION, Stage.JOINED, received_on, received_at, lead[1])
        cases.append(case)
        done[row["submission_key"]] = Registered(case_no, row["token"], case_no in joined, new=True)
    insert_many(session, cast("Table", Case.__table__), cases)
    insert_many(session, cast("Table", Objection.__table__), rows)
    named = names_on(session, {row["certificate_root"] for row in rows if row["certificate_root"]})
    own = ("objector_name", "acts_for", "phone", "certificate_reference")
    marks = {row["case_no"]: [*filter(None, map(row.get, own)), *named[row["certificate_root"] or ""]] for row in rows}
    mark_cases(session, marks)
    for row in rows:
        keep_files(session, row["case_no"], fresh[row["submission_key"]].files, at)
    _acknowledge(session, rows, fresh, joined, actor, received_on, at)
    given, said = [], set()
    for each in submissions:
        registered = done[each.key]
        # The same submission twice in one hand is new once.
        given.append(registered if each.key not in said else replace(registered, new=False))
        said.add(each.key)
    return given


def _known(session: Session, submission_keys: Sequence[str]) -> dict[str, Registered]:
    """What was registered before, by the submission's key."""
    found: dict[str, Registered] = {}
    for some in in_pieces(submission_keys):
        for key, case_no, token, lead in session.connection().execute(REGISTERED, {"keys": some}):
            found[key] = Registered(case_no, token, lead is not None)
    passed_on = changed_hands(session, [each.case_no for each in found.values()])
    return {key: replace(each, token="") if each.case_no in passed_on else each for key, each in found.items()}


def registered_under(session: Session, submission_key: str) -> Registered | None:
    """What was registered with a submission's key, if anything."""
    return _known(session, [submission_key]).get(submission_key)


def changed_hands(session: Session, case_nos: Sequence[str]) -> set[str]:
    """Those of the cases whose objector has been reached otherwise since they came."""
    found: set[str] = set()
    for some in in_pieces(list(case_nos)):
        found |= set(session.scalars(select(ContactChange.case_no).where(ContactChange.case_no.in_(some))))
    return found


def _acknowledge(
    session: Session,
    rows: Sequence[dict[str, Any]],
    fresh: dict[str, Submission],
    joined: dict[str, str],
    actor: str,
    received_on: date,
    at: datetime,
) -> None:
    """Start the limits, tell the objectors, and put it on record."""
    steps = Steps(session, (), "register_objection", 1, actor, at)
    case_nos = [row["case_no"] for row in rows]
    deadline = start_deadlines(session, case_nos, VERIFICATION_REQUEST, received_on)
    start_deadlines(session, [each for each in case_nos if each not in joined], INITIAL_REVIEW, received_on)
    explanation = [
        notices.DayLine(date=day.date, counts=day.counts, why=day.why)
        for day in working_days(session).explain(received_on, deadline.days)
    ]
    for row in rows:
        case_no, lead, submission = row["case_no"], row["lead_case_no"], fresh[row["submission_key"]]
        public_type = row["certificate_type"] if row["type_code"] else Objection.OTHER_TYPE
        about: dict[str, Any] = {
            "case_no": case_no,
            "certificate": public_type,
            "field": Objection.public_field_of(row["field_code"], row["field_name"], row["grounds"]),
            "link": status_link(row["token"]),
            "acting": acting(row["acts_as"]),
        }
        to = Contact(row["email"], row["phone"], row["postal_address"] or "").to
        registered = notices.ObjectionRegistered(
            **about,
            received_on=received_on,
            due_on=deadline.due_on,
            provisional=deadline.provisional,
            explanation=explanation,
            late=deadline.due_on < steps.today,
        )
        steps.notify(registered, to, case_no)
        steps.audit("objection:case:registered", case_no, type=public_type, files=len(submission.files))
        if lead is not None:
            steps.notify(notices.ObjectionJoined(**about), to, case_no)
            steps.audit("objection:case:joined", case_no, lead=lead)
    steps.write()


def _objections(session: Session, submissions: Iterable[Submission]) -> list[dict[str, Any]]:
    """Objections as rows that have no number yet."""
    kinds: dict[str, CertificateType | None] = {}
    wanted = []
    for each in submissions:
        text = each.application.certificate_type
        if text not in kinds:
            kinds[text] = find_type(session, text)
        wanted.append((kinds[text], each.application.certificate))
    found, judges, today = roots_of(session, wanted), dict[str, Judge](), clock.today()
    return [
        _objection(
            replace(each, remark=_who(session, each.proven, root)) if each.proven else each,
            kind,
            root,
            several,
            doubts_in(session, kind, each.application, today, judges),
        )
        for each, (kind, _), (root, several) in zip(submissions, wanted, found, strict=True)
    ]


def _who(session: Session, proven: str, root: str | None) -> str:
    """Whether whoever has proven their number holds the certificate: nobody is somebody because they say so."""
    if root is None:
        return NOT_COMPARED
    holds = (
        select(CertificateHolder.certificate_id)
        .join(Certificate, Certificate.id == CertificateHolder.certificate_id)
        .where(
            Certificate.root == root,
            Certificate.state != CertificateState.SUPERSEDED,
            CertificateHolder.holder_index == holder_index(proven),
        )
    )
    return IS_HOLDER if session.scalar(holds.limit(1)) is not None else IS_NOT_HOLDER


def _objection(
    submission: Submission, kind: CertificateType | None, root: str | None, several: bool, doubts: Mapping[str, str]
) -> dict[str, Any]:
    """The objection as a row, its certificate looked up. What cannot be found is a remark for the reviewing officer:
    the right to object (Article 12) does not hang on a slip of the pen."""
    application = submission.application
    remarks = [submission.remark] if submission.remark else []
    if application.acts_as is not None:
        remarks.append(f"由{application.acts_as}代他人提出，请核对{SHOWN_BY[application.acts_as]}")
    wanted, missing = application.certificate_type, Ground.MISSING in application.grounds
    if kind is None:
        remarks.append("证照目录中没有所填的证照类型，默认由市局核实")
    if missing:
        remarks.append(MISSING_BUT_THERE if root is not None or several else MISSING_REMARK)
        # Whatever number came along, it is about no certificate that there is.
        root = None
    elif several:
        remarks.append(SEVERAL)
    elif kind is not None and is_of_another_type(kind, application.certificate):
        remarks.append(OTHER_TYPES_IDENTIFIER)
    elif root is None:
        remarks.append("本区索引中未找到该证照，如需更正由上级更正")
    if unicodedata.normalize("NFKC", application.certificate).startswith("1.2.156"):
        verdict, why = judge_identifier(application.certificate)
        if verdict is not Verdict.ISO:
            remarks.append(why)
    names = objectionable(kind) if kind and not missing else {}
    field_code = field_code_in(kind, application.field) if kind and not missing else None
    if kind is not None and field_code is None and not missing:
        remarks.append(f"“{kind.name}”没有所填的项目，请核对")
    if "proposed" in doubts:
        remarks.append(
            f"申请人认为应当是的内容不能直接登记（{doubts['proposed'].rstrip('。')}），请向申请人核对或要求补正"
        )
    token = secrets.token_urlsafe(24)
    key = root or f"{kind.code if kind else wanted}:{application.certificate}"
    return {
        "token": token,
        "token_index": keys().blind_index("objection-token", token),
        "submission_key": submission.key,
        "objector_kind": application.objector_kind,
        "objector_name": application.objector_name,
        "email": application.email,
        "phone": application.phone,
        "certificate_type": kind.name if kind else wanted,
        "type_code": kind.code if kind else None,
        "certificate_reference": application.certificate,
        "certificate_key": keys().blind_index("certificate", key),
        "certificate_root": root,
        "field_code": field_code,
        "field_key": keys().blind_index("certificate-field", field_code or application.field),
        "field_name": names[field_code] if field_code else application.field,
        "grounds": [str(ground) for ground in application.grounds],
        "stated": application.stated,
        "proposed": application.proposed,
        "reason": application.reason,
        "remark": "；".join(remarks),
        "interest": application.interest or None,
        "acts_as": application.acts_as,
        "acts_for": application.acts_for or None,
        "proven_index": holder_index(submission.proven) if submission.proven else None,
        "way": submission.receipt.way,
        "typed_late_why": submission.receipt.late_why or None,
        "postal_address": submission.receipt.postal_address or None,
        "lead_case_no": None,
        "earlier_case_no": None,
    }


def _about(row: Mapping[str, Any]) -> About | None:
    """What an objection is about, where both are known: what was only typed alike may be another certificate."""
    root, field_code = row["certificate_root"], row["field_code"]
    return (root, field_code) if root is not None and field_code is not None else None


def _earlier(session: Session, rows: Sequence[Mapping[str, Any]]) -> dict[About, str]:
    """By what the rows are about, the latest case about it, whatever its stage."""
    wanted = {about for row in rows if (about := _about(row)) is not None}
    found: dict[About, str] = {}
    for some in in_pieces(sorted({root for root, _ in wanted})):
        there = session.connection().execute(ABOUT, {"roots": some})
        found |= {(root, field): case_no for case_no, root, field in there if (root, field) in wanted}
    return found


def _leads(session: Session, earlier: Mapping[About, str]) -> dict[About, tuple[str, str]]:
    """Those of the cases that others may still join, with their officers; locked.

    Each claim goes along with the request, so none can join once that is prepared.
    """
    cases = {case.case_no: case for case in locked_cases(session, list(earlier.values()))}
    requested: set[str] = set()
    for some in in_pieces(sorted(cases)):
        requested |= set(session.connection().scalars(REQUESTED, {"case_nos": some}))
    return {
        about: (case_no, cases[case_no].officer_no)
        for about, case_no in earlier.items()
        if may_be_joined(Stage(cases[case_no].stage)) and case_no not in requested
    }
