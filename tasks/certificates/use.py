"""Certificate use (用证, Articles 6 and 8-11): a department's call, checked against the use list and put on record.

Whatever a call comes to, its entry is durable before its answer leaves (Article 14): ``web.certificates`` sees to it.
What a process knows of the use list, the liaison officers and the catalogue is read anew every second, so that a change
reaches everybody at once.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from threading import Lock
from typing import Any, Generic, TypeVar, get_args

from cachetools import TTLCache, cached
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.certificate_uses import Authorisation, PaperException, UnavailableReceipt
from models.certificates import Certificate, CertificateType
from models.objections import Objection
from models.organisations import Department
from regulation.backfill.judge import SHARE
from regulation.catalogue import state_on
from regulation.certificate_use import (
    OF_HOLDERS,
    Operation,
    Permission,
    UseRefusedError,
    check_authorised,
    check_liaison,
    permission_for,
    shown_of_holder,
    visible,
)
from regulation.certificates import CertificateState, IdentifierError, mask_number, parse_identifier
from regulation.identity_numbers import same_name
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError, NotFoundError, RefusalError
from tasks.case.numbers import locked_counter, next_number
from tasks.certificates.journal import Entry
from tasks.certificates.reading import PlatformDownError, is_stale, read_through
from tasks.certificates.requests import (
    AnsweredState,
    AuthenticationAnswer,
    AuthenticationRequest,
    CertificateFacts,
    DisputeMark,
    EvenIf,
    ExtractionAnswer,
    ExtractionRequest,
    PaperDemand,
    QueryAnswer,
    QueryRequest,
    ShownField,
    ShownHolder,
    TypedRequest,
    UseRequest,
)
from tasks.objections.steps import dispute_on
from tasks.office.applications import KNOWN_FOR, Caller
from tasks.office.recipients import liaison_on_file
from tasks.register import faces
from tasks.register.faces import Face, Held, face_of, holder_asked_about, holder_index, holders_of
from tasks.register.origins import origin_of
from tasks.register.trial_holders import trial_indexes
from tasks.register.types import find_type
from tasks.use_list.standing import permissions_on

R = TypeVar("R", bound=UseRequest)
A = TypeVar("A")

RECEIPTS = "SL"
"""What the numbers of receipts for a platform that is down begin with."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a department may do today for an item with a certificate type."""

    department_uscc: str
    department: str
    liaison_on_file: bool
    kind: CertificateType | None
    permissions: tuple[Permission, ...]
    paper_demands: tuple[PaperDemand, ...]


@cached(TTLCache(maxsize=10_000, ttl=KNOWN_FOR), lock=Lock())
def standing_of(department: str, item: str, certificate_type: str, today: date) -> Standing:
    """The standing of a department (by its name) for an item and a type (by code or name), at most ``KNOWN_FOR``
    seconds old."""
    with reading() as session:
        known = session.scalars(select(Department).where(Department.name == department)).one_or_none()
        if known is None:
            raise UseRefusedError(9, "本应用所属的部门不在部门名册中，请联系综合管理单位。")
        kind = find_type(session, certificate_type)
        return Standing(
            known.uscc,
            known.name,
            liaison_on_file(session, known.uscc, today),
            kind,
            tuple(permissions_on(session, known.uscc, item, kind.code, today)) if kind is not None else (),
            tuple(_paper_demands(session, kind.code, item, today)) if kind is not None else (),
        )


def _paper_demands(session: Session, type_code: str, item: str, today: date) -> list[PaperDemand]:
    wanted = select(PaperException).where(
        PaperException.type_code == type_code,
        or_(PaperException.item_code.is_(None), PaperException.item_code == item),
        PaperException.from_on <= today,
        or_(PaperException.until_on.is_(None), PaperException.until_on >= today),
    )
    return [PaperDemand(citation=each.citation, until_on=each.until_on) for each in session.scalars(wanted)]


@dataclass(slots=True)
class Use:
    """A call at work: who asks for what, what allows it, and what of it goes on record."""

    operation: Operation
    caller: Caller
    request: UseRequest
    at: datetime
    certificate_type: str
    may_wait: bool = True
    standing: Standing | None = None
    permission: Permission | None = None
    holder_index: str | None = None
    subject: str | None = None
    certificates: list[str] = field(default_factory=list)
    """Identifiers of what was used."""
    fields: tuple[str, ...] | None = None
    """Codes of the fields whose values were shown or compared."""
    result: str = ""

    @property
    def today(self) -> date:
        return clock.local_date(self.at)

    @property
    def kind(self) -> CertificateType:
        if self.standing is None or self.standing.kind is None:
            raise InputError("证照目录中没有所填的证照类型，请填写目录中的名称或21位类型代码。")
        return self.standing.kind

    @property
    def allowed(self) -> Permission:
        if self.permission is None:
            raise AssertionError("a use without a permission")
        return self.permission

    @property
    def department(self) -> str:
        """The department's name."""
        return self.caller.speaks_for

    @property
    def paper_demands(self) -> list[PaperDemand]:
        return list(self.standing.paper_demands) if self.standing is not None else []

    @property
    def on_trial(self) -> bool:
        """Whether this is no real use: the holder is an invented one, or the Center tries the interface (Article 17).
        Our own registers say so, nothing that a caller sends."""
        return self.caller.on_trial or self.holder_index in trial_indexes()

    def permit(self, scenario: str | None, *, presented: bool = False) -> None:
        """Check the call against the liaison officers and the use list: of what is ``presented`` by its holder alone,
        against the scenarios for that first. Raises ``UseRefusedError`` and ``InputError``."""
        if self.caller.on_trial and self.holder_index not in trial_indexes():
            raise UseRefusedError(17, "模拟办事用的密钥只能使用测试持证主体的证照。")
        self.standing = standing_of(self.caller.speaks_for, self.request.item, self.certificate_type, self.today)
        check_liaison(self.standing.liaison_on_file)
        in_force = self.standing.permissions
        alone = [permission for permission in in_force if permission.holder_alone]
        self.permission = permission_for(alone if presented and alone else in_force, scenario, self.kind.name)

    def entry(self, outcome: str, **more: Any) -> Entry:
        """What goes on record: nothing of a person that is not masked."""
        said = {
            "department": self.standing.department_uscc if self.standing else None,
            "item": self.request.item,
            "type": self.standing.kind.code if self.standing and self.standing.kind else None,
            "entry": self.permission.entry_id if self.permission else None,
            "version": self.permission.version_id if self.permission else None,
            "operator": self.request.operator,
            "business_no": self.request.business_no,
            "purpose": self.request.purpose,
            "certificates": self.certificates or None,
            "fields": list(self.fields) if self.fields is not None else None,
            "subject": self.subject,
            "result": self.result or None,
            "test": True if self.on_trial else None,
        }
        detail = {name: value for name, value in (said | more).items() if value is not None}
        tag = f"certificate:{self.operation}:{outcome}"
        return Entry(self.at, self.caller.key, tag, detail, self.holder_index)


class MustWaitError(Exception):
    """The call needs what takes a while, and it was begun where nobody may wait: begin it again where one may."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[A]):
    """What a call came to. ``entry`` has to be durable before the answer, or the refusal, leaves."""

    entry: Entry
    answer: A | None = None
    refusal: RefusalError | None = None


def carry_out(
    operation: Operation, caller: Caller, request: R, work: Callable[[Use, R], A], *, may_wait: bool
) -> Outcome[A]:
    """Do the work of a call. Raises ``MustWaitError`` where it would have to wait and may not."""
    certificate_type = request.certificate_type if isinstance(request, TypedRequest) else ""
    use = Use(operation, caller, request, clock.now(), certificate_type, may_wait)
    try:
        answer = work(use, request)
    except PlatformDownError as down:
        return Outcome(use.entry("unavailable", receipt_no=down.receipt_no), refusal=down)
    except RefusalError as why:
        article = why.article if isinstance(why, UseRefusedError) else None
        return Outcome(use.entry("refused", why=str(why), article=article), refusal=why)
    return Outcome(use.entry("answered"), answer)


def unreadable(operation: Operation, caller: Caller, why: InputError) -> Outcome[Any]:
    """What a call comes to whose body cannot even be read."""
    detail = {"why": str(why)} | ({"test": True} if caller.on_trial else {})
    return Outcome(Entry(clock.now(), caller.key, f"certificate:{operation}:refused", detail), refusal=why)


def query(use: Use, request: QueryRequest) -> QueryAnswer:
    """The certificates of one type that a holder has, newest versions only; their faces stay where they are."""
    admit(use, request)
    own = use.holder_index or ""
    found = faces.of_holder(own, use.kind.code)
    stale = [each.identifier for each in found if is_stale(use.kind, each, use.at)]
    if stale or not found:
        for identifier in stale:
            read_again(use, identifier=identifier)
        if not stale:
            read_again(use, holder_number=request.holder_number)
        found = faces.of_holder(own, use.kind.code)
    found = [each for each in found if _is_named(each, request.holder_name)]
    use.certificates = [each.identifier for each in found]
    use.result = str(len(found))
    return QueryAnswer(certificates=[_facts(use, each) for each in found], paper_demands=use.paper_demands)


def authenticate(use: Use, request: AuthenticationRequest) -> AuthenticationAnswer:
    """Whether a certificate holds today, by its number or identifier, and whether what is shown agrees with it."""
    admit(use, request)
    if request.certificate is None:
        raise InputError("请填写certificate（证照编号或电子证照标识），或以copy_file提交存档副本文件。")
    try:
        found = _held(use, request, request.certificate)
    except PlatformDownError as down:
        return answered(use, AnsweredState.UNAVAILABLE, [str(down)], receipt_no=down.receipt_no)
    except IdentifierError as wrong:
        return answered(use, AnsweredState.TAMPERED, [str(wrong)])
    except NotFoundError as unknown:
        return answered(use, AnsweredState.UNKNOWN, [str(unknown)])
    return answered_for(use, found, request.stated)


def answered_for(use: Use, found: Held, stated: dict[str, str]) -> AuthenticationAnswer:
    """The answer for a certificate of the register, compared with what was shown of it. Raises ``UseRefusedError`` for
    a comparison of fields that this department may not see: it would tell what they hold."""
    use.certificates = [found.identifier]
    names = use.kind.names
    if withheld := [code for code in stated if code not in use.allowed.fields]:
        said = "、".join(names.get(code, code)[:40] for code in withheld)
        raise UseRefusedError(9, f"用证清单不允许本事项比对这些项目：{said}，请去掉后重试。")
    standing = state_on(use.today, found.state, found.valid_until_on)
    if standing in get_args(EvenIf):
        # Its values are for nobody who does not ask for them in spite of that, so none is confirmed by comparing.
        stated = {}
    use.fields = tuple(stated) or None
    # Any value is compared as names are: without regard to width, case and spaces.
    face = face_of(found).values if stated else {}
    differing = [names[code] for code, value in stated.items() if not same_name(value, str(face.get(code, "")))]
    if differing:
        state = AnsweredState.TAMPERED
        reasons = [
            f"出示的内容与登记不一致：{'、'.join(differing)}。以登记为准；对登记有异议的，可以提出核查申请（第十二条）。"
        ]
    else:
        state = AnsweredState(standing)
        reasons = [_reason(state, found)]
    facts = _facts(use, found)
    return answered(use, state, reasons, facts, facts.current_identifier)


def answered(
    use: Use,
    state: AnsweredState,
    reasons: list[str],
    certificate: CertificateFacts | None = None,
    current_identifier: str | None = None,
    receipt_no: str | None = None,
) -> AuthenticationAnswer:
    """An authentication's answer, its state noted for the record."""
    use.result = state
    return AuthenticationAnswer(
        state=state,
        state_name=state.in_chinese,
        reasons=reasons,
        certificate=certificate,
        current_identifier=current_identifier,
        receipt_no=receipt_no,
        paper_demands=use.paper_demands,
    )


def extract(use: Use, request: ExtractionRequest) -> ExtractionAnswer:
    """The fields that the use list allows, of those that are asked for."""
    admit(use, request)
    if unknown := [code for code in request.fields or () if code not in use.kind.names]:
        raise InputError(f"“{use.kind.name}”没有项目{'、'.join(unknown)[:100]}，请按证照目录更正。")
    found = held(use, request, request.certificate)
    state = state_on(use.today, found.state, found.valid_until_on)
    if state in get_args(EvenIf) and state not in request.even_if:
        use.certificates, use.fields, use.result = [found.identifier], (), state
        why = f"{_reason(AnsweredState(state), found)}未给出内容；确需查阅的，请在even_if中写明{state}。"
        return ExtractionAnswer(certificate=_facts(use, found), fields=[], withheld=[], why_empty=why)
    return extracted(use, found, face_of(found), request.fields)


def extracted(use: Use, found: Held, face: Face, wanted: Sequence[str] | None) -> ExtractionAnswer:
    """What may be shown of a certificate under the permission of this use."""
    use.certificates = [found.identifier]
    use.fields = visible(use.allowed, wanted)
    use.result = state_on(use.today, found.state, found.valid_until_on)
    names = use.kind.names
    return ExtractionAnswer(
        certificate=_facts(use, found),
        fields=[ShownField(code=code, name=names[code], value=str(face.values.get(code, ""))) for code in use.fields],
        withheld=[code for code in wanted or () if code not in use.fields],
        holders=_shown_holders(use, found),
    )


def _shown_holders(use: Use, found: Held) -> list[ShownHolder]:
    """The holders of a certificate, of each what stands in a field that this use shows."""
    fields = set(use.fields or ())
    if not fields & OF_HOLDERS:
        return []
    shown = []
    for each in holders_of(found):
        name, number = shown_of_holder(fields, each.field, each.place)
        if name or number:
            shown.append(
                ShownHolder(
                    name=each.name if name else None,
                    number=each.number if number else None,
                    share=each.share if SHARE in fields else None,
                )
            )
    return shown


def held(use: Use, request: TypedRequest, reference: str) -> Held:
    """The holder's certificate, no staler than its type allows, that a number or identifier names.

    Raises ``NotFoundError``, ``PlatformDownError``, and ``InputError`` for an identifier that is none.
    """
    try:
        return _held(use, request, reference)
    except IdentifierError as wrong:
        raise InputError(str(wrong)) from None


def admit(use: Use, request: TypedRequest) -> None:
    """Check a call against the use list, and against the holder's authorisation where the entry asks for one.

    Raises ``UseRefusedError`` and ``InputError``.
    """
    use.holder_index = holder_index(request.holder_number)
    use.subject = mask_number(request.holder_number)
    use.permit(request.scenario)
    check_authorised(use.allowed, _is_authorised(use, request.authorisation))


def _is_authorised(use: Use, authorisation_no: str | None) -> bool:
    if authorisation_no is None or use.standing is None:
        return False
    wanted = select(Authorisation.authorisation_no).where(
        Authorisation.authorisation_no == authorisation_no,
        Authorisation.holder_index == use.holder_index,
        Authorisation.department_uscc == use.standing.department_uscc,
        Authorisation.item_code == use.request.item,
        Authorisation.type_code == use.kind.code,
        Authorisation.ends_at > use.at,
        Authorisation.withdrawn_at.is_(None),
    )
    with reading() as session:
        return session.scalar(wanted) is not None


def _held(use: Use, request: TypedRequest, reference: str) -> Held:
    look, asked = _naming(use, reference)
    found = look()
    if found is None or is_stale(use.kind, found, use.at):
        read_again(use, **asked)
        found = look()
    # Whoever was a holder by mistake learns nothing of what the certificate has become; its holder finds it by what it
    # said before, too.
    present = _present(found, use.holder_index) if found is not None else None
    if found is not None and present is not None and present.holder_index == use.holder_index:
        if _is_named(present, request.holder_name):
            return found
        # An older printout bears an older name: it is real, and superseded.
        for before in faces.versions_before(found.root, use.holder_index or ""):
            if _is_named(before, request.holder_name):
                return before
    raise NotFoundError("登记中没有该持证主体的这件证照，请核对证照编号或标识、证件号码和名称。")


def _present(found: Held, holder: str | None) -> Held | None:
    """The version that holds now in place of the one that was found."""
    current = faces.current_identifier(found.root) if found.state is CertificateState.SUPERSEDED else None
    return faces.by_identifier(current, holder or "") if current is not None else found


def _naming(use: Use, reference: str) -> tuple[Callable[[], Held | None], dict[str, str]]:
    """How to find what an identifier (that very version) or a number (the newest one) names: here, and above."""
    own = use.holder_index or ""
    if not unicodedata.normalize("NFKC", reference).lstrip().startswith("1.2.156"):
        return partial(faces.by_number, reference, use.kind.code, own), {"number": reference}
    identifier = parse_identifier(reference)
    if identifier.type_code != use.kind.code:
        raise InputError(f"电子证照标识不是“{use.kind.name}”的，请更正证照类型或标识。")
    return partial(faces.by_identifier, str(identifier), own), {"identifier": str(identifier)}


def read_again(use: Use, **asked: str) -> None:
    """Bring the register up to date from the platform above. Raises ``PlatformDownError`` with a receipt's number."""
    if use.on_trial:
        return  # Nobody above has heard of an invented holder.
    if not use.may_wait:
        raise MustWaitError
    if use.standing is None:
        raise AssertionError("a use without its standing")
    try:
        read_through(use.kind, use.allowed, use.standing.department, use.standing.department_uscc, use.request, **asked)
    except PlatformDownError as down:
        raise PlatformDownError(down.bureau, _receipt(use)) from None


def _receipt(use: Use) -> str:
    """The number under which this business case may go on with paper today; the same one when it is asked for again."""
    matter = {
        "application_key": use.caller.key,
        "business_no": use.request.business_no,
        "type_code": use.kind.code,
        "on": use.today,
    }
    with transaction() as session:
        counter = locked_counter(session, RECEIPTS, use.today.year)
        known = session.scalar(select(UnavailableReceipt.receipt_no).filter_by(**matter))
        if known is not None:
            return known
        receipt = UnavailableReceipt(receipt_no=next_number(counter), at=use.at, **matter)
        session.add(receipt)
        return receipt.receipt_no


def _facts(use: Use, found: Held) -> CertificateFacts:
    state = AnsweredState(state_on(use.today, found.state, found.valid_until_on))
    return CertificateFacts(
        identifier=found.identifier,
        version=found.version,
        certificate_type=use.kind.name,
        state=state,
        state_name=state.in_chinese,
        issuing_authority=use.kind.issuing_authority,
        issued_on=found.issued_on,
        valid_until_on=found.valid_until_on,
        remark=found.remark,
        origin=_origin(found),
        current_identifier=faces.current_identifier(found.root) if found.state is CertificateState.SUPERSEDED else None,
        as_of=found.read_at.astimezone(clock.SHANGHAI),
        dispute=_dispute(found.root) if found.disputed else None,
    )


def _origin(found: Held) -> str | None:
    if found.backfilled_by is None:
        return None
    with reading() as session:
        corrected_by = session.scalar(
            select(Certificate.corrected_by_case).where(Certificate.identifier == found.identifier)
        )
        return origin_of(session, found.backfilled_by, found.confirmed_at, corrected=corrected_by is not None)


def _dispute(root: str) -> DisputeMark:
    with reading() as session:
        cases = dispute_on(session, root)
        objections = session.scalars(select(Objection).where(Objection.case_no.in_(cases)).order_by(Objection.case_no))
        fields = sorted({objection.public_field for objection in objections})
    may = (
        f"该证照的{'、'.join(fields)}有异议，正在核实（第十二条）。核实期间证照继续有效，窗口可以照常受理；"
        "涉及有异议的项目时，请向持证主体核对并在办件中注明，不得仅因异议标记要求提交纸质证照（第八条）。"
    )
    return DisputeMark(fields=fields, may=may)


def _reason(state: AnsweredState, found: Held) -> str:
    match state:
        case AnsweredState.VALID:
            until = f"有效期至{found.valid_until_on}" if found.valid_until_on else "长期有效"
            return f"证照有效，{until}。"
        case AnsweredState.EXPIRED:
            return f"证照已于{found.valid_until_on}到期，请持证主体向颁证机构换发。"
        case AnsweredState.SUSPENDED:
            return "证照处于暂停状态，恢复前不得使用，请向颁证机构核实。"
        case AnsweredState.REVOKED:
            return "证照已被吊销、撤销或注销，不得使用。"
        case _:
            return "该版本已被新版本替代，请使用现行版本。"


def _is_named(found: Held, name: str | None) -> bool:
    if name is None:
        return True
    holder = holder_asked_about(found)
    return holder is not None and same_name(name, holder.name)
