"""Archived copies (存档副本, Article 11): handed out for one business case, and known again when they come back."""

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.certificate_uses import ArchivedCopy
from models.certificates import Certificate, CertificateType
from regulation.backfill.paper_values import BETWEEN
from regulation.catalogue import state_on
from regulation.certificate_use import UseRefusedError, shown_of_holder
from regulation.certificates import CertificateState, mask_name
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError
from runtime.settings import settings
from tasks.certificates.copy_documents import CopySheet, CopyVerdict, draw, examine, seal
from tasks.certificates.reading import changed_in_place
from tasks.certificates.requests import (
    AnsweredState,
    AuthenticationAnswer,
    AuthenticationRequest,
    CopyAnswer,
    CopyRequest,
)
from tasks.certificates.use import Use, admit, answered, answered_for, extracted, held
from tasks.register import faces
from tasks.register.faces import Held, face_of, holders_of

NOT_A_CERTIFICATE = (
    "不得作为电子证照使用（第十一条）：通过截图、扫描、拍照、打印等方式形成的证照复制件不支持作为电子证照使用。"
)
SAYS_WHAT_WAS = "这份存档副本取得以后，证照的内容有改动，副本所载的已被替代；请重新获取存档副本。"
HOW_TO_GET = "请持证主体在“浙里办”的“柯桥e证通”出示亮证码，或凭证件号码经用证接口查询、提取证照信息和获取存档副本。"
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def issue_copy(use: Use, request: CopyRequest) -> CopyAnswer:
    """Draw, sign and register an archived copy with the fields that the use list allows.

    Raises ``UseRefusedError`` (Article 11) for a certificate that does not hold today.
    """
    admit(use, request)
    found = held(use, request, request.certificate)
    state = AnsweredState(state_on(use.today, found.state, found.valid_until_on))
    if state is not AnsweredState.VALID:
        raise UseRefusedError(11, f"该证照{state.in_chinese}，存档副本只能取自有效的电子证照。")
    shown = extracted(use, found, face_of(found), None)
    copy_no = f"FB-{use.today:%Y%m%d}-{''.join(secrets.choice(_ALPHABET) for _ in range(8))}"
    sheet = CopySheet(
        copy_no=copy_no,
        type_name=use.kind.name,
        identifier=found.identifier,
        issuing_authority=use.kind.issuing_authority,
        holder=_holders(use, found),
        lines=tuple((field.name, field.value) for field in shown.fields if field.code != "holder"),
        state=state.in_chinese,
        department=use.department,
        item=use.allowed.item_name,
        business_no=request.business_no,
        purpose=request.purpose,
        made_at=use.at,
        check_url=copy_link(copy_no),
    )
    content = seal(draw(sheet), copy_no, use.at)
    sha256 = hashlib.sha256(content).hexdigest()
    with transaction() as session:
        session.add(
            ArchivedCopy(
                copy_no=copy_no,
                sha256=sha256,
                certificate_id=found.id,
                version_id=use.allowed.version_id,
                application_key=use.caller.key,
                operator=request.operator,
                business_no=request.business_no,
                made_at=use.at,
            )
        )
    use.result = copy_no
    return CopyAnswer(
        copy_no=copy_no,
        certificate=shown.certificate,
        sha256=sha256,
        content=base64.b64encode(content).decode(),
    )


def _holders(use: Use, found: Held) -> str:
    """The names of all holders, masked where no field that the department may see tells them."""
    return BETWEEN.join(
        each.name if shown_of_holder(use.allowed.fields, each.field, each.place)[0] else mask_name(each.name)
        for each in holders_of(found)
    )


def recognise_copy(use: Use, request: AuthenticationRequest) -> AuthenticationAnswer:
    """What a file that somebody handed in is worth: an archived copy of ours, an altered one, or no certificate at all.

    Raises ``InputError`` for what is no Base64 text, and what ``admit`` raises.
    """
    admit(use, request)
    try:
        content = base64.b64decode(request.copy_file or "", validate=True)
    except (binascii.Error, ValueError):
        raise InputError("copy_file不是有效的Base64文本，请检查后重新提交。") from None
    examined = examine(content)
    if examined.verdict is CopyVerdict.FOREIGN:
        return answered(use, AnsweredState.NOT_A_CERTIFICATE, [NOT_A_CERTIFICATE, examined.why, HOW_TO_GET])
    if examined.verdict is CopyVerdict.TAMPERED:
        return answered(use, AnsweredState.TAMPERED, [examined.why, HOW_TO_GET])
    found = faces.by_copy(hashlib.sha256(content).hexdigest(), use.holder_index or "")
    if found is None or found.type_code != use.kind.code or found.holder_index != use.holder_index:
        why = "这份存档副本不是所填持证主体的这类证照，请核对证件号码和证照类型。"
        return answered(use, AnsweredState.UNKNOWN, [why])
    with reading() as session:
        copy = _copy_with(session, content)
        said_before = copy is not None and _state_of_copy(session, copy) is AnsweredState.SUPERSEDED
    if said_before and found.state is not CertificateState.SUPERSEDED:
        use.certificates = [found.identifier]
        return answered(use, AnsweredState.SUPERSEDED, [SAYS_WHAT_WAS], current_identifier=found.identifier)
    return answered_for(use, found, request.stated)


def _copy_with(session: Session, content: bytes) -> ArchivedCopy | None:
    return session.scalar(select(ArchivedCopy).where(ArchivedCopy.sha256 == hashlib.sha256(content).hexdigest()))


def _state_of_copy(session: Session, copy: ArchivedCopy) -> AnsweredState:
    """What holds today of the certificate as a copy shows it: superseded, too, where the same version was set right
    since and says something else."""
    certificate = session.get_one(Certificate, copy.certificate_id)
    state = AnsweredState(state_on(clock.today(), certificate.state, certificate.valid_until_on))
    if state is AnsweredState.VALID and changed_in_place(
        session, certificate.identifier, copy.made_at, but_for_state=True
    ):
        return AnsweredState.SUPERSEDED
    return state


class CopyKnown(StrEnum):
    """What a file that somebody handed in on the page turns out to be."""

    GENUINE = "genuine"
    CHANGED = "changed"
    NOT_OURS = "not-ours"


@dataclass(frozen=True, slots=True)
class CopyOnPage:
    """What anybody who has a file may learn of it: nothing of a person, and nothing that the file itself does not show
    but whether its certificate holds today. ``seal`` is the name in the signer's certificate."""

    known: CopyKnown
    why: str
    copy_no: str = ""
    seal: str = ""
    type_name: str = ""
    issuing_authority: str = ""
    made_on: date | None = None
    state: AnsweredState | None = None


def copy_on_page(content: bytes) -> CopyOnPage:
    """What a file is worth to whoever was given it. Raises nothing for any content."""
    examined = examine(content)
    if examined.verdict is CopyVerdict.FOREIGN:
        return CopyOnPage(CopyKnown.NOT_OURS, examined.why)
    if examined.verdict is CopyVerdict.TAMPERED:
        return CopyOnPage(CopyKnown.CHANGED, examined.why, examined.copy_no or "")
    with reading() as session:
        copy = _copy_with(session, content)
        if copy is None:
            why = "签名是本系统的，但没有出具这份副本的登记，请联系本中心核实。"
            return CopyOnPage(CopyKnown.NOT_OURS, why, examined.copy_no or "")
        certificate = session.get_one(Certificate, copy.certificate_id)
        kind = session.get_one(CertificateType, certificate.type_code)
        return CopyOnPage(
            known=CopyKnown.GENUINE,
            why=examined.why,
            copy_no=copy.copy_no,
            seal=examined.signer,
            type_name=kind.name,
            issuing_authority=kind.issuing_authority,
            made_on=clock.local_date(copy.made_at),
            state=_state_of_copy(session, copy),
        )


def copy_link(copy_no: str) -> str:
    """Where anybody can see whether a copy was handed out, and whether its certificate still holds."""
    return f"{settings().public_url}/copies/{copy_no}"


def standing_of_copy(copy_no: str) -> str:
    """One Chinese sentence on a copy, with nothing of a person in it. ``LookupError`` for an unknown number."""
    with reading() as session:
        copy = session.get(ArchivedCopy, copy_no.strip().upper())
        if copy is None:
            raise LookupError("没有这个编号的存档副本，请核对；打印件上的编号可能被改动。")
        word = _state_of_copy(session, copy).in_chinese
    made_on = clock.local_date(copy.made_at)
    return f"存档副本{copy.copy_no}由柯桥e证通于{made_on}出具，所载证照现为“{word}”。打印件不作为电子证照使用。"
