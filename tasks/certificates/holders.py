"""What holders do themselves (Articles 10, 11, 14): present a certificate, authorise a department, see who used what.

A holder comes with a ticket of 浙里办, which names a real person once; it buys a session for what comes after.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import segno
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from gateways.zheliban import Person, TicketError, person_of
from models.certificate_uses import Authorisation, Presentation
from models.certificates import Certificate, CertificateHolder, CertificateType
from models.organisations import Department
from models.records import AuditEntry
from models.use_lists import UseListEntry, UseListVersion
from regulation.catalogue import state_on
from regulation.certificate_use import ANSWERED, Operation, UseRefusedError, check_holder_alone
from regulation.certificates import CertificateState, mask_name, mask_number
from regulation.identity_numbers import NumberKind
from regulation.limits import AUTHORISATION_LIFE, HOLDER_SESSION, PRESENTATION_LIFE
from runtime import clock
from runtime.database import reading, transaction
from runtime.keys import keys
from runtime.refusals import InputError, NotFoundError
from runtime.words import Words
from tasks.certificates.journal import Entry, journal
from tasks.certificates.reading import changed_in_place, is_stale
from tasks.certificates.requests import AnsweredState, RedemptionAnswer, RedemptionRequest
from tasks.certificates.use import Use, extracted, read_again
from tasks.register import faces
from tasks.register.faces import face_of, held_by, holder_asked_about, holder_index
from tasks.register.types import type_named, type_names
from tasks.use_list.standing import in_force, permissions_on

USES_SHOWN, VOIDED_SHOWN = 500, 20
"""Uses in one answer, the newest first."""
VOIDED = "presentation:code:voided"
"""The tag of an entry that records a code that was worth nothing when it was redeemed."""
NO_SUCH_CODE = "亮证码无效、已过期或已用过，请持证主体重新出示。"


class HolderRequest(BaseModel):
    """Who asks: by a ticket, which is spent by it, or by the session that a ticket bought."""

    model_config = ConfigDict(extra="forbid")

    ticket: Words | None = Field(None, title="浙里办票据", min_length=1, max_length=500)
    session: Words | None = Field(None, title="会话", min_length=1, max_length=2000)

    @model_validator(mode="after")
    def _one_of_them(self) -> "HolderRequest":
        if (self.ticket is None) == (self.session is None):
            raise ValueError("票据（ticket）和会话（session）须填其一，且只填其一")
        return self


class PresentationRequest(HolderRequest):
    """亮证：为一件证照取得一次性亮证码。"""

    certificate_type: Words = Field(title="证照类型", description="名称或类型代码", min_length=1, max_length=60)
    certificate: Words | None = Field(None, title="电子证照标识", description="有多件时指明", max_length=200)
    scenario: Words | None = Field(None, title="应用场景", description="只向这一场景出示", max_length=60)


class PresentationAnswer(BaseModel):
    code: str = Field(title="亮证码")
    qr: str = Field(title="二维码（SVG）", description="没有固定尺寸，随所在位置缩放")
    expires_at: datetime = Field(title="失效时间")
    certificate_type: str = Field(title="证照类型")


class AuthorisationRequest(HolderRequest):
    """授权一个部门为一个事项使用本人的一类证照。"""

    department: Words = Field(title="部门", description="全称或统一社会信用代码", min_length=2, max_length=100)
    item: Words = Field(title="事项编码", min_length=1, max_length=60)
    certificate_type: Words = Field(title="证照类型", description="名称或类型代码", min_length=1, max_length=60)
    days: int = Field(title="授权天数", ge=1, le=AUTHORISATION_LIFE.value)


class AuthorisationAnswer(BaseModel):
    authorisation_no: str = Field(title="授权编号")
    ends_at: datetime = Field(title="失效时间")


class WithdrawalRequest(HolderRequest):
    """撤回授权。"""

    authorisation_no: Words = Field(title="授权编号", min_length=1, max_length=60)


class SessionAnswer(BaseModel):
    session: str = Field(title="会话")
    name: str = Field(title="持证主体（掩码）")
    expires_at: datetime = Field(title="失效时间")


class CertificateUse(BaseModel):
    """A use as its holder reads it."""

    record_no: int = Field(title="记录编号", description="全区唯一，反映这一次用证时报此编号")
    at: datetime = Field(title="时间")
    department: str = Field(title="使用部门")
    item: str = Field(title="事项")
    certificate_type: str = Field(title="证照类型")
    business_no: str = Field(title="业务办件编号")
    sentence: str = Field(title="说明")


class UsesAnswer(BaseModel):
    uses: list[CertificateUse] = Field(title="用证记录")
    voided: list[str] = Field(title="作废的亮证码", description="出示以后证照有变动，窗口没有看到内容")
    more: bool = Field(title="是否还有更早的记录")


def holder_of(request: HolderRequest) -> Person:
    """The person behind a request. Raises ``TicketError`` for a ticket or session that does not hold, and
    ``ZhelibanUnavailableError``."""
    if request.ticket is not None:
        return person_of(request.ticket)
    try:
        life = timedelta(seconds=HOLDER_SESSION.value)
        said = json.loads(keys().read_ticket(request.session or "", life))
        return Person(said["name"], NumberKind(said["number_kind"]), said["number"])
    except (ValueError, KeyError, TypeError):
        raise TicketError("会话无效或已过期，请从“浙里办”重新进入。") from None


def open_session(request: HolderRequest) -> SessionAnswer:
    """A session for the person of a ticket."""
    person = holder_of(request)
    said = {"name": person.name, "number_kind": person.number_kind, "number": person.number}
    token = keys().ticket(json.dumps(said, ensure_ascii=False))
    expires_at = clock.now() + timedelta(seconds=HOLDER_SESSION.value)
    return SessionAnswer(session=token, name=mask_name(person.name), expires_at=expires_at.astimezone(clock.SHANGHAI))


def present(request: PresentationRequest) -> PresentationAnswer:
    """A code for one certificate of the holder's, good for ``PRESENTATION_LIFE`` seconds and one redemption.

    Raises ``NotFoundError`` where the holder has no such certificate, and ``UseRefusedError`` (Article 10) for one that
    does not hold today or that no scenario lets its holder present alone.
    """
    own = holder_index(holder_of(request).number)
    now = clock.now()
    today = clock.local_date(now)
    code = secrets.token_urlsafe(16)
    expires_at = now + timedelta(seconds=PRESENTATION_LIFE.value)
    with transaction() as session:
        kind = type_named(session, request.certificate_type)
        wanted = select(Certificate).where(
            held_by(own),
            Certificate.type_code == kind.code,
            Certificate.state != CertificateState.SUPERSEDED,
        )
        if request.certificate is not None:
            wanted = wanted.where(Certificate.identifier == request.certificate.upper())
        found = session.scalar(wanted.order_by(Certificate.issued_on.desc(), Certificate.id.desc()).limit(1))
        if found is None:
            raise NotFoundError(f"您名下没有这件“{kind.name}”；如应当有，可以提出核查申请（第十二条）。")
        state = AnsweredState(state_on(today, found.state, found.valid_until_on))
        if state is not AnsweredState.VALID:
            raise UseRefusedError(10, f"这件“{kind.name}”{state.in_chinese}，不能出示。")
        scenarios = {
            entry.scenario
            for entry, version in in_force(session, today, UseListEntry.type_code == kind.code)
            if version.holder_alone
        }
        if not scenarios or request.scenario not in {None, *scenarios}:
            raise UseRefusedError(10, f"目前没有可以单独出示“{kind.name}”的这一场景，请按窗口要求办理。")
        session.add(
            Presentation(
                code_index=_code_index(code),
                certificate_id=found.id,
                holder_index=own,
                scenario=request.scenario,
                made_at=now,
                expires_at=expires_at,
            )
        )
        detail = {"certificates": [found.identifier], "type": kind.code, "scenario": request.scenario}
        session.add(holder_entry("presentation:code:made", own, now, detail))
    qr = segno.make(code, error="m", micro=False).svg_inline(border=4, omitsize=True)
    local = expires_at.astimezone(clock.SHANGHAI)
    return PresentationAnswer(code=code, qr=qr, expires_at=local, certificate_type=kind.name)


def redeem(use: Use, request: RedemptionRequest) -> RedemptionAnswer:
    """What a presented certificate shows to the department that redeems its code: the scenario's fields, once.

    Raises ``UseRefusedError`` (Article 10) for a code that does not hold and a scenario that is not for it.
    """
    index = _code_index(request.code)
    with reading() as session:
        presented = session.get(Presentation, index)
    found = faces.by_id(presented.certificate_id, presented.holder_index) if presented is not None else None
    holder = holder_asked_about(found) if found is not None else None
    if (
        presented is None
        or found is None
        or holder is None
        or presented.redeemed_at is not None
        or presented.expires_at <= use.at
    ):
        raise UseRefusedError(10, NO_SUCH_CODE)
    use.certificate_type, use.holder_index = found.type_code, presented.holder_index
    use.subject = mask_number(holder.number)
    if presented.scenario is not None and request.scenario not in {None, presented.scenario}:
        raise UseRefusedError(10, f"持证主体只在场景“{presented.scenario}”出示，不能用于“{request.scenario}”。")
    use.permit(presented.scenario or request.scenario, presented=True)
    check_holder_alone(use.allowed)
    if is_stale(use.kind, found, use.at):
        read_again(use, identifier=found.identifier)
    _refuse_changed(use, presented)
    with transaction() as session:
        spending = update(Presentation).where(Presentation.code_index == index, Presentation.redeemed_at.is_(None))
        spent = spending.values(redeemed_at=use.at, redeemed_by=use.caller.key).returning(Presentation.code_index)
        if session.scalar(spent) is None:
            raise UseRefusedError(10, NO_SUCH_CODE)
    found = faces.by_id(presented.certificate_id, presented.holder_index) or found
    shown = extracted(use, found, face_of(found), None)
    return RedemptionAnswer(
        certificate=shown.certificate,
        holders=shown.holders,
        fields=shown.fields,
        withheld=[],
        scenario=use.allowed.scenario,
    )


def _refuse_changed(use: Use, presented: Presentation) -> None:
    """A code is for the certificate as its holder saw it: when that was corrected, suspended or revoked since, the code
    is worth nothing, and both who presented it and who redeems it are told (``UseRefusedError``)."""
    found = faces.by_id(presented.certificate_id, presented.holder_index)
    if found is None or found.holder_index is None:
        raise UseRefusedError(10, NO_SUCH_CODE)
    state = AnsweredState(state_on(use.today, found.state, found.valid_until_on))
    with transaction() as session:
        if state is AnsweredState.VALID and not changed_in_place(session, found.identifier, presented.made_at):
            return
        # Spent: it is not worth something again when the state changes back.
        spending = update(Presentation).where(
            Presentation.code_index == presented.code_index, Presentation.redeemed_at.is_(None)
        )
        spending = spending.values(redeemed_at=use.at, redeemed_by=use.caller.key)
        if session.scalar(spending.returning(Presentation.code_index)) is not None:
            detail = {"certificates": [found.identifier], "type": found.type_code, "state": state}
            session.add(holder_entry(VOIDED, presented.holder_index, use.at, detail))
    raise UseRefusedError(10, f"证照在出示以后{_what_happened(state)}，亮证码作废；请持证主体核对证照后重新出示。")


def _what_happened(state: AnsweredState) -> str:
    return "内容有改动" if state is AnsweredState.VALID else state.in_chinese


def authorise(request: AuthorisationRequest) -> AuthorisationAnswer:
    """Let a department use one type of the holder's certificates for one item, for some days.

    Raises ``InputError`` for an unknown department or type, ``UseRefusedError`` (Article 9) where the use list has no
    such entry: a holder cannot allow what the measures do not.
    """
    own = holder_index(holder_of(request).number)
    now = clock.now()
    with transaction() as session:
        kind = type_named(session, request.certificate_type)
        department = session.scalar(
            select(Department).where(
                or_(Department.name == request.department, Department.uscc == request.department.upper())
            )
        )
        if department is None:
            raise InputError("没有所填的部门，请填写全称或统一社会信用代码。")
        if not permissions_on(session, department.uscc, request.item, kind.code, clock.local_date(now)):
            raise UseRefusedError(9, "该部门的用证清单中没有这一事项和证照类型，无需也不能授权。")
        given = Authorisation(
            authorisation_no=f"SQ-{secrets.token_hex(8).upper()}",
            holder_index=own,
            department_uscc=department.uscc,
            item_code=request.item,
            type_code=kind.code,
            given_at=now,
            ends_at=now + timedelta(days=request.days),
        )
        session.add(given)
        detail = {"department": department.uscc, "item": request.item, "type": kind.code, "days": request.days}
        session.add(holder_entry("authorisation:holder:given", own, now, detail))
    return AuthorisationAnswer(
        authorisation_no=given.authorisation_no, ends_at=given.ends_at.astimezone(clock.SHANGHAI)
    )


def withdraw_authorisation(request: WithdrawalRequest) -> None:
    """End an authorisation at once. Doing it again changes nothing. ``NotFoundError`` for none of the holder's."""
    own = holder_index(holder_of(request).number)
    now = clock.now()
    with transaction() as session:
        given = session.get(Authorisation, request.authorisation_no, with_for_update=True)
        if given is None or given.holder_index != own:
            raise NotFoundError("您没有这个编号的授权，请核对。")
        if given.withdrawn_at is None:
            given.withdrawn_at = now
            detail = {"department": given.department_uscc, "item": given.item_code, "type": given.type_code}
            session.add(holder_entry("authorisation:holder:withdrawn", own, now, detail))


def uses_of_holder(request: HolderRequest) -> UsesAnswer:
    """Who used the holder's certificates and when, in plain words, the newest first (Article 14; Art. 44 and 45 of the
    Personal Information Protection Law), whichever of their holders was named. The asking goes on record too."""
    own = holder_index(holder_of(request).number)
    with reading() as session:
        theirs = OwnUses.of(session, own)
        entries = list(islice(theirs.entries(session), USES_SHOWN + 1))
        uses = [_in_plain_words(session, entry, own) for entry in entries[:USES_SHOWN]]
        voided = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.holder_index == own, AuditEntry.tag == VOIDED)
            .order_by(AuditEntry.id.desc())
            .limit(VOIDED_SHOWN)
        )
        kinds = type_names(session)
        told = [_voided_in_words(entry, kinds) for entry in voided]
    entry = Entry(clock.now(), "holder", "certificate:uses:read", {"count": len(uses)}, own)
    journal().enter(None, entry).result()
    return UsesAnswer(uses=uses, voided=told, more=len(entries) > USES_SHOWN)


@dataclass(frozen=True, slots=True)
class OwnUses:
    """Which uses a holder may see: those under their own number, and those of a certificate that they hold, whoever of
    its holders was named and under whatever number. What else another holder has stays hidden."""

    own: str
    holders: frozenset[str]
    """The indexes of all holders that any version of such a certificate has had."""
    identifiers: frozenset[str]
    """Of all its versions."""

    @classmethod
    def of(cls, session: Session, own: str) -> "OwnUses":
        roots = select(Certificate.root).where(held_by(own), Certificate.state != CertificateState.SUPERSEDED)
        versions = session.execute(
            select(Certificate.identifier, CertificateHolder.holder_index)
            .join(CertificateHolder, CertificateHolder.certificate_id == Certificate.id)
            .where(Certificate.root.in_(roots))
        ).all()
        holders = frozenset({own, *(holder for _, holder in versions)})
        return cls(own, holders, frozenset(identifier for identifier, _ in versions))

    def include(self, entry: AuditEntry) -> bool:
        if entry.tag not in ANSWERED:
            return False
        return entry.holder_index == self.own or not self.identifiers.isdisjoint(entry.detail.get("certificates", ()))

    def entries(self, session: Session) -> Iterator[AuditEntry]:
        """The uses, the newest first."""
        wanted = select(AuditEntry).where(AuditEntry.holder_index.in_(self.holders), AuditEntry.tag.in_(ANSWERED))
        found = session.scalars(wanted.order_by(AuditEntry.id.desc()).execution_options(yield_per=USES_SHOWN))
        return filter(self.include, found)


def _voided_in_words(entry: AuditEntry, kinds: Mapping[str, str]) -> str:
    at, state = entry.at.astimezone(clock.SHANGHAI), _what_happened(AnsweredState(entry.detail["state"]))
    name = kinds[entry.detail["type"]]
    return f"{at:%Y年%m月%d日%H:%M}，您出示的{name}的亮证码作废：出示以后证照{state}。请核对证照后重新出示。"


def _in_plain_words(session: Session, entry: AuditEntry, own: str) -> CertificateUse:
    said, named = entry.detail, entry.holder_index == own
    department = session.get_one(Department, said["department"]).name
    kind = session.get_one(CertificateType, said["type"])
    version = session.get_one(UseListVersion, said["version"])
    fields = "、".join(kind.names.get(code, code) for code in said.get("fields", ()))
    did = {
        Operation.QUERY: f"查询了您名下有无{kind.name}" if named else f"查询到了您的{kind.name}",
        Operation.AUTHENTICATE: f"核验了您的{kind.name}" + (f"，比对了{fields}" if fields else ""),
        Operation.EXTRACT: f"提取了您的{kind.name}上的{fields}" if fields else f"查询了您的{kind.name}的状态",
        Operation.COPY: f"取得了您的{kind.name}的存档副本，载有{fields}",
        Operation.REDEEM: f"查看了{'您' if named else ''}出示的{kind.name}上的{fields}",
    }[Operation(entry.tag.split(":")[1])]
    at = entry.at.astimezone(clock.SHANGHAI)
    sentence = f"{at:%Y年%m月%d日%H:%M}，{department}为办理“{version.item_name}”{did}。用途：{said['purpose']}。"
    return CertificateUse(
        record_no=entry.id,
        at=at,
        department=department,
        item=version.item_name,
        certificate_type=kind.name,
        business_no=said["business_no"],
        sentence=sentence,
    )


def _code_index(code: str) -> str:
    return keys().blind_index("presentation-code", code)


def holder_entry(tag: str, holder: str, at: datetime, detail: Mapping[str, object]) -> AuditEntry:
    """What stands on record of something that a holder did, by their index; what is not known is left out."""
    kept = {name: value for name, value in detail.items() if value is not None}
    return AuditEntry(at=at, case_no=None, actor="holder", tag=tag, holder_index=holder, detail=kept)
