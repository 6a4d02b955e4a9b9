"""What holders see of their own on the pages (Articles 10, 11, 14): their certificates, whom they authorised, and their
doubts about a use."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import StaffTask
from models.certificate_uses import Authorisation
from models.certificates import Certificate, CertificateType
from models.organisations import Department
from models.records import AuditEntry
from models.use_lists import UseListEntry, UseListVersion
from regulation.catalogue import state_on
from regulation.certificates import CertificateState, mask_number
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError, NotFoundError, RefusalError
from tasks.case.attachments import File
from tasks.certificates.holders import (
    AuthorisationAnswer,
    AuthorisationRequest,
    HolderRequest,
    OwnUses,
    authorise,
    holder_entry,
    holder_of,
)
from tasks.certificates.requests import AnsweredState
from tasks.objections.hearings import Heard, comment_on_page, objected_to, seen_on_page
from tasks.objections.told_holders import Corrected, Dispute, corrections_of, disputes_about
from tasks.office.staff_tasks import open_staff_task
from tasks.register.faces import held_by, holder_index
from tasks.register.origins import origin_of
from tasks.register.types import objectionable, stated, type_names
from tasks.use_list.standing import in_force

DOUBTED = "certificate:use:doubted"
NOT_YOURS = "您名下没有这件证照；如应当有，可以提出核查申请（第十二条）。"


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """A certificate as its holder sees it in the list: masked. ``scenarios``: in which they may present it alone
    (Article 10), none where it does not hold."""

    number: int
    type_name: str
    masked: str
    issuing_authority: str
    issued_on: date
    valid_until_on: date | None
    state: AnsweredState
    scenarios: tuple[str, ...]
    heard: bool = False
    """Whether somebody else objects to it and the holder can still say something."""


@dataclass(frozen=True, slots=True)
class OwnFace:
    """All that a certificate of the holder's says (Article 11: 查阅). ``objectionable``: what they can object to
    (Article 12), and what stands there."""

    own: OwnCertificate
    identifier: str
    number: str
    lines: tuple[tuple[str, str], ...]
    objectionable: tuple[tuple[str, str], ...]
    remark: str
    origin: str
    """Of what was backfilled, who entered and checked it, and whether its issuer has confirmed it; else empty."""
    disputes: tuple[Dispute, ...] = ()
    """What of it is being verified (Article 12)."""
    corrections: tuple[Corrected, ...] = ()
    """What of it was corrected, the latest first."""
    heard: tuple[Heard, ...] = ()
    """Others' objections to it, on which the holder is heard, the latest first."""

    @property
    def type_name(self) -> str:
        return self.own.type_name


@dataclass(frozen=True, slots=True)
class GivenAuthorisation:
    """An authorisation that the holder gave; ``holds`` while it can be used."""

    authorisation_no: str
    department: str
    item: str
    certificate_type: str
    given_on: date
    ends_on: date
    holds: bool
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class AuthorisationChoice:
    """What a holder can authorise: a department to use a type of their certificates for an item. ``number`` is the use
    list's."""

    number: int
    department: str
    department_uscc: str
    item: str
    item_code: str
    certificate_type: str
    type_code: str


class Doubt(StrEnum):
    """What holders can have against a use. Choices and no free text: what comes of it stands where staff work, which
    nothing of a person may reach."""

    NOT_MINE = "我没有办过这件事"
    TOO_MUCH = "看的内容超出办事需要"
    OTHER_PURPOSE = "用途与我办的事不符"
    NOT_THEN = "我办事不是在那个时候"


class DoubtStanding(StrEnum):
    """What became of a doubt, after who had it."""

    OPEN = "已反映，正在核实"
    SEEN_TO = "已反映，工作人员已核实处理"


def own_certificates(request: HolderRequest) -> list[OwnCertificate]:
    """The holder's certificates, superseded versions left out, those that hold first."""
    own = holder_index(holder_of(request).number)
    with reading() as session:
        rows = session.execute(
            select(Certificate, CertificateType)
            .join(CertificateType, CertificateType.code == Certificate.type_code)
            .where(held_by(own), Certificate.state != CertificateState.SUPERSEDED)
        )
        scenarios, heard = _alone(session), objected_to(session, own)
        found = [
            replace(_own(certificate, kind, scenarios), heard=certificate.root in heard) for certificate, kind in rows
        ]
    return sorted(found, key=lambda each: (each.state is not AnsweredState.VALID, each.type_name, each.number))


def own_certificate(request: HolderRequest, number: int) -> OwnFace:
    """One of them with all that it says, in its present version, whichever version ``number`` is of; that its holder
    looked is on record. ``NotFoundError`` for anybody else's."""
    whose = holder_of(request).number
    own = holder_index(whose)
    with transaction() as session:
        root = select(Certificate.root).where(Certificate.id == number, held_by(own)).scalar_subquery()
        present = Certificate.root == root, Certificate.state != CertificateState.SUPERSEDED
        found = session.scalar(select(Certificate).where(*present, held_by(own)))
        if found is None:
            raise NotFoundError(NOT_YOURS)
        kind = session.get_one(CertificateType, found.type_code)
        detail = {"certificates": [found.identifier], "type": kind.code}
        session.add(holder_entry("certificate:own:read", own, clock.now(), detail))
        lines = tuple((field.name, str(found.face.get(field.code) or "")) for field in kind.fields)
        return OwnFace(
            own=_own(found, kind, _alone(session)),
            identifier=found.identifier,
            number=found.number,
            lines=lines,
            objectionable=tuple(
                (name, stated(found, code, whose, clock.today())) for code, name in objectionable(kind).items()
            ),
            remark=found.remark,
            origin=_origin(session, found),
            disputes=tuple(disputes_about(session, found.root)),
            heard=tuple(seen_on_page(session, own, found.root, clock.now())),
            corrections=tuple(corrections_of(session, [found.root])),
        )


def comment_on_objection(request: HolderRequest, case_no: str, text: str, files: Sequence[File] = ()) -> None:
    """Say something to somebody else's objection to one's own certificate. Raises what ``comment_on_page`` raises."""
    comment_on_page(holder_index(holder_of(request).number), case_no, text, files)


def corrections_for(request: HolderRequest) -> list[Corrected]:
    """What was corrected in the certificates that are the holder's now, the latest first."""
    own = holder_index(holder_of(request).number)
    with reading() as session:
        present = Certificate.state != CertificateState.SUPERSEDED
        roots = session.scalars(select(Certificate.root).where(held_by(own), present)).all()
        return corrections_of(session, roots)


def _origin(session: Session, found: Certificate) -> str:
    if found.backfilled_by_case is None:
        return ""
    corrected = found.corrected_by_case is not None
    return origin_of(session, found.backfilled_by_case, found.confirmed_at, corrected=corrected)


def authorisations_of(request: HolderRequest) -> list[GivenAuthorisation]:
    """The holder's authorisations, the latest first."""
    own = holder_index(holder_of(request).number)
    now = clock.now()
    with reading() as session:
        kinds = type_names(session)
        wanted = select(Authorisation).where(Authorisation.holder_index == own)
        return [
            GivenAuthorisation(
                authorisation_no=each.authorisation_no,
                department=session.get_one(Department, each.department_uscc).name,
                item=_item_name(session, each),
                certificate_type=kinds[each.type_code],
                given_on=clock.local_date(each.given_at),
                ends_on=clock.local_date(each.ends_at),
                holds=each.withdrawn_at is None and each.ends_at > now,
                withdrawn=each.withdrawn_at is not None,
            )
            for each in session.scalars(wanted.order_by(Authorisation.given_at.desc()))
        ]


def authorisation_choices(request: HolderRequest) -> list[AuthorisationChoice]:
    """What the holder can authorise today, by certificate type: the uses on the list that ask for an authorisation
    (Articles 9 and 15), of certificates of theirs that hold, without those that they authorise already."""
    own = holder_index(holder_of(request).number)
    now = clock.now()
    today = clock.local_date(now)
    with reading() as session:
        kinds = {kind.code: kind.name for kind in _held_on(session, own, today)}
        standing = select(Authorisation).where(
            Authorisation.holder_index == own, Authorisation.withdrawn_at.is_(None), Authorisation.ends_at > now
        )
        known = {(each.department_uscc, each.item_code, each.type_code) for each in session.scalars(standing)}
        departments = {each.uscc: each.name for each in session.scalars(select(Department))}
        found: dict[tuple[str, str, str], AuthorisationChoice] = {}
        for entry, version in in_force(session, today, UseListEntry.type_code.in_(kinds)):
            identity = entry.department_uscc, entry.item_code, entry.type_code
            # The scenarios of an item are authorised together.
            if version.authorisation and identity not in known and identity not in found:
                found[identity] = AuthorisationChoice(
                    number=entry.id,
                    department=departments[entry.department_uscc],
                    department_uscc=entry.department_uscc,
                    item=version.item_name,
                    item_code=entry.item_code,
                    certificate_type=kinds[entry.type_code],
                    type_code=entry.type_code,
                )
    return sorted(found.values(), key=lambda each: (each.certificate_type, each.department, each.item))


def give_authorisation(request: HolderRequest, number: int, days: int) -> AuthorisationAnswer:
    """Authorise one of ``authorisation_choices``. Raises ``InputError`` for what is none of them (any more), and what
    ``authorise`` raises."""
    chosen = next((each for each in authorisation_choices(request) if each.number == number), None)
    if chosen is None:
        raise InputError.of("number", "请在列表中选择授权的内容；已经授权、还没到期的，不用再授权。")
    return authorise(
        AuthorisationRequest(
            session=request.session,
            department=chosen.department_uscc,
            item=chosen.item_code,
            certificate_type=chosen.type_code,
            days=days,
        )
    )


def doubt_use(request: HolderRequest, record_no: int, doubt: Doubt) -> None:
    """Have staff look into a use of the holder's certificate (Articles 14, 15, 17). Doing it again, or another of its
    holders doing it, changes nothing. ``RefusalError`` for another doubt about the same use.

    The measures know no procedure for it. So staff get it as something to see to, with the record's number; what they
    find wrong becomes a finding by the way that findings take. ``NotFoundError`` for a use of anybody else's.
    """
    own = holder_index(holder_of(request).number)
    with transaction() as session:
        used = session.get(AuditEntry, record_no)
        if used is None or not OwnUses.of(session, own).include(used):
            raise NotFoundError("没有这一次用证记录，请在“谁用过我的证照”中选择。")
        now = clock.now()
        before = session.scalar(select(StaffTask.what).where(StaffTask.key == _key(record_no)))
        if before is not None:
            if f"（{doubt}）" not in before:
                raise RefusalError("这一次用证已经反映过，这次选的疑问与那次不同，没有更改；请等待核实处理。")
            return
        department = session.get_one(Department, used.detail["department"]).name
        at = used.at.astimezone(clock.SHANGHAI)
        what = (
            f"持证主体对一次用证有疑问（{doubt}）：{department}，{at:%Y-%m-%d %H:%M}，日志记录{record_no}。"
            f"请向部门核实（第十四条、第十五条），确有问题的按第十七条督促整改。"
        )
        open_staff_task(session, _key(record_no), None, what, now)
        detail = {"record": record_no, "doubt": str(doubt), "department": used.detail["department"]}
        session.add(holder_entry(DOUBTED, own, now, detail))


def doubts_about(request: HolderRequest, record_nos: list[int]) -> dict[int, str]:
    """What became of the doubts about these uses, by record, and whether the holder or another one of the certificate
    had them; uses that nobody doubted are left out."""
    own = holder_index(holder_of(request).number)
    keys = {_key(number): number for number in record_nos}
    with reading() as session:
        said = session.scalars(
            select(AuditEntry.detail).where(AuditEntry.holder_index == own, AuditEntry.tag == DOUBTED)
        )
        mine = {each["record"] for each in said}
        rows = session.execute(select(StaffTask.key, StaffTask.done_at).where(StaffTask.key.in_(keys)))
        standing = {keys[key]: DoubtStanding.SEEN_TO if done_at else DoubtStanding.OPEN for key, done_at in rows}
    return {number: f"{'您' if number in mine else '共同的持证主体'}{each}" for number, each in standing.items()}


def _key(record_no: int) -> str:
    return f"use-doubted:{record_no}"


def _alone(session: Session) -> dict[str, tuple[str, ...]]:
    """The scenarios in which holders may present alone today, by certificate type."""
    found: dict[str, set[str]] = {}
    for entry, version in in_force(session, clock.today()):
        if version.holder_alone:
            found.setdefault(entry.type_code, set()).add(entry.scenario)
    return {code: tuple(sorted(scenarios)) for code, scenarios in found.items()}


def _held_on(session: Session, own: str, day: date) -> list[CertificateType]:
    """The types of which the holder has a certificate that holds on a day."""
    rows = session.execute(
        select(Certificate, CertificateType)
        .join(CertificateType, CertificateType.code == Certificate.type_code)
        .where(held_by(own))
    )
    return [
        kind
        for certificate, kind in rows
        if state_on(day, certificate.state, certificate.valid_until_on) is CertificateState.VALID
    ]


def _own(certificate: Certificate, kind: CertificateType, scenarios: dict[str, tuple[str, ...]]) -> OwnCertificate:
    state = AnsweredState(state_on(clock.today(), certificate.state, certificate.valid_until_on))
    return OwnCertificate(
        number=certificate.id,
        type_name=kind.name,
        masked=mask_number(certificate.number),
        issuing_authority=kind.issuing_authority,
        issued_on=certificate.issued_on,
        valid_until_on=certificate.valid_until_on,
        state=state,
        scenarios=scenarios.get(kind.code, ()) if state is AnsweredState.VALID else (),
    )


def _item_name(session: Session, given: Authorisation) -> str:
    """The item's name as the use list has it, its code where the list does not have it any more."""
    wanted = (
        select(UseListVersion.item_name)
        .join(UseListEntry, UseListEntry.id == UseListVersion.entry_id)
        .where(UseListEntry.department_uscc == given.department_uscc, UseListEntry.item_code == given.item_code)
    )
    return session.scalar(wanted.order_by(UseListVersion.id.desc()).limit(1)) or given.item_code
