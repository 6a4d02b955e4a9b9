"""Drafts of objections (Article 12): what is filled in on the page is kept until it is handed in, or for some days.

A draft is known by an unguessable address and not by who writes it, since nobody has to sign in for an objection. It
becomes an objection when Zheliban says who hands it in, or when a link in a mail has confirmed the address.
"""

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from gateways.zheliban import Person
from models.certificates import CertificateType
from models.objection_drafts import DraftFile, ObjectionDraft
from models.organisations import Department
from notifications.notices import ObjectionToConfirm
from notifications.outbox import queue
from regulation.limits import ATTACHMENT_COUNT, DRAFT_LIFE
from regulation.objections import ObjectorKind, is_placeholder
from runtime import clock
from runtime.database import reading, transaction
from runtime.keys import NotOursError, keys
from runtime.refusals import InputError, RefusalError, wrong_by_field
from runtime.settings import settings
from tasks.case.attachments import File, check_files
from tasks.objections.applications import ObjectionApplication
from tasks.objections.doubts import doubts_of
from tasks.objections.named import roots_of
from tasks.objections.registrations import Registered, check_mandate, register_objection, registered_under
from tasks.office.recipients import addressees
from tasks.register.types import find_type, objectionable

FIELDS = tuple(ObjectionApplication.model_fields)
MOST_TYPED = 20_000
"""Characters in a draft: several times what an objection may have, so that what is too long can still be kept."""
LIFE = timedelta(days=DRAFT_LIFE.value)
GONE = "没有这份草稿：可能已经提交，或者超过保存期限已删除。提交过的，请从邮件里的链接查询。"


NOT_READY = "草稿还有没填好的项目，请回到草稿更正后再提交。"
BY_ADDRESS = "申请人只确认了邮箱，未经实名认证"
BY_DEPARTMENTS_ADDRESS = "以该部门登记的邮箱确认"


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as its page shows it. ``files``: number, name and size in bytes; ``fields``: what of the chosen
    certificate type an objection can be about, by name, none for a type that the catalogue does not have."""

    token: str
    typed: Mapping[str, Any]
    files: tuple[tuple[int, str, int], ...]
    fields: tuple[str, ...]
    kept_until: date


def type_choices() -> list[str]:
    """The certificate types of the catalogue by name."""
    with reading() as session:
        return list(session.scalars(select(CertificateType.name).order_by(CertificateType.name)))


def reference_to(certificate_type: str, number: str, identifier: str) -> str:
    """By what an objection names a certificate of the register: its number, or its identifier where what stands as its
    number is none, or is that of several."""
    if is_placeholder(number):
        return identifier
    with reading() as session:
        (named,) = roots_of(session, [(find_type(session, certificate_type), number)])
    return identifier if named.several else number


def open_draft(typed: Mapping[str, Any]) -> str:
    """A new draft; the token of its address."""
    token = secrets.token_urlsafe(24)
    with transaction() as session:
        session.add(ObjectionDraft(token_index=_index(token), typed=_kept(typed), changed_at=clock.now()))
    return token


def draft_of(token: str) -> Draft:
    """A draft. ``LookupError`` for one that there is not, not any more."""
    with reading() as session:
        found = _found(session, token)
        kind = find_type(session, found.typed.get("certificate_type") or "")
        files = session.scalars(select(DraftFile).where(DraftFile.token_index == found.token_index))
        return Draft(
            token=token,
            typed=found.typed,
            files=tuple((file.id, file.name, len(file.content)) for file in files),
            fields=tuple(objectionable(kind).values()) if kind else (),
            kept_until=clock.local_date(found.changed_at + LIFE),
        )


def save_draft(
    token: str, typed: Mapping[str, Any], given: Sequence[tuple[str, bytes]], dropped: Iterable[int] = ()
) -> list[str]:
    """Keep what was typed and the files (name, content) that can be taken; why the others cannot, in Chinese.

    Raises ``InputError`` for more text than a draft may hold, ``LookupError`` for a draft that there is not.
    """
    refused: list[str] = []
    taken: list[File] = []
    for name, content in given:
        try:
            taken += check_files([(name, content)])
        except RefusalError as why:
            refused.append(str(why))
    with transaction() as session:
        found = _found(session, token)
        found.typed, found.changed_at = _kept({**found.typed, **typed}), clock.now()
        mine = DraftFile.token_index == found.token_index
        session.execute(delete(DraftFile).where(mine, DraftFile.id.in_(list(dropped))))
        there = {(file.name, file.content) for file in session.scalars(select(DraftFile).where(mine))}
        # Sent again with the back button, a file is the same file.
        for file in taken:
            if (file.name, file.content) in there:
                continue
            if len(there) >= ATTACHMENT_COUNT.value:
                refused.append(f"附件最多{ATTACHMENT_COUNT.value}个，“{file.name}”没有保存；请先去掉不需要的附件。")
                continue
            there.add((file.name, file.content))
            session.add(
                DraftFile(
                    token_index=found.token_index, name=file.name, media_type=file.media_type, content=file.content
                )
            )
    return refused


def wrong_in(draft: Draft, signed_in: Person | None) -> dict[str, str]:
    """What keeps a draft from being handed in, in Chinese by field."""
    try:
        application = _application(draft.typed, signed_in)
    except ValidationError as error:
        return wrong_by_field(error, ObjectionApplication)
    try:
        check_mandate(application, draft.files)
    except InputError as why:
        return dict(why.wrong)
    return _no_department(application, signed_in)


def _no_department(application: ObjectionApplication, signed_in: Person | None) -> dict[str, str]:
    """Why whoever says that they are a using department is not taken for one, by field: it is the one that answers at
    an address on its file, to which the confirmation goes."""
    if application.objector_kind is not ObjectorKind.DEPARTMENT:
        return {}
    if signed_in is not None:
        return {"objector_kind": "您登录的是个人身份；代表使用部门提出的，请退出登录，以部门登记的邮箱确认"}
    with reading() as session:
        department = session.scalar(select(Department).where(Department.name == application.objector_name))
        if department is None:
            return {"objector_name": "不是登记的使用部门，请填写部门的全称"}
        known = {address.lower() for _, address in addressees(session, department, clock.today())}
    if application.email.lower() in known:
        return {}
    return {"email": "不是该部门登记的邮箱；请用部门办公或者专人的邮箱，或者由部门的业务系统报送"}


def doubtful_in(draft: Draft, signed_in: Person | None) -> dict[str, str]:
    """What is better looked at again in a draft that can be handed in, in Chinese by field."""
    return doubts_of(_application(draft.typed, signed_in))


def hand_in(token: str, signed_in: Person | None, code: str = "") -> Registered:
    """Register the draft's objection and forget the draft. Doing it again, or twice at once, returns the first one.

    Who hands it in has signed in with Zheliban, or has the ``code`` that went to the draft's e-mail address. Raises
    ``RefusalError`` where neither holds and ``InputError`` for a draft that is not ready.
    """
    with reading() as session:
        found = session.get(ObjectionDraft, _index(token))
        rows = session.scalars(select(DraftFile).where(DraftFile.token_index == _index(token)))
        files = [File(row.name, row.media_type, row.content) for row in rows]
    # Only now: a draft that is gone was registered before it went.
    known = registered_from(token)
    if known is not None:
        return known
    if found is None:
        raise LookupError(GONE)
    if signed_in is None:
        _check_code(token, code, str(found.typed.get("email", "")))
    try:
        application = _application(found.typed, signed_in)
    except ValidationError:
        raise InputError(NOT_READY) from None
    if _no_department(application, signed_in):
        raise InputError(NOT_READY)
    key, is_department = _submission(token), application.objector_kind is ObjectorKind.DEPARTMENT
    if signed_in is not None:
        registered = register_objection(application, files, key, "zheliban", proven=signed_in.number)
    else:
        remark = BY_DEPARTMENTS_ADDRESS if is_department else BY_ADDRESS
        registered = register_objection(application, files, key, "e-mail", remark)
    with transaction() as session:
        _forget(session, [_index(token)])
    return registered


def send_confirmation(token: str) -> str:
    """Send a link to the draft's address that hands the draft in; the address. Raises ``InputError`` for a draft that
    is not ready."""
    draft = draft_of(token)
    if wrong_in(draft, None):
        raise InputError(NOT_READY)
    now = clock.now()
    email = str(draft.typed["email"]).strip()
    code = keys().ticket(json.dumps([_index(token), email]))
    with transaction() as session:
        kind = find_type(session, draft.typed["certificate_type"])
        notice = ObjectionToConfirm(
            certificate=kind.name if kind is not None else "",
            until=clock.local_date(now + LIFE),
            link=f"{settings().public_url}/objection-drafts/{token}/confirmation/{code}",
        )
        queue(session, notice, email, key=f"draft:{_index(token)}:{secrets.token_hex(8)}", case_no=None, at=now)
    return email


def check_link(token: str, code: str) -> None:
    """Raise ``RefusalError`` unless ``code`` is the one that went to the address the draft has now."""
    _check_code(token, code, str(draft_of(token).typed.get("email", "")))


def forget_drafts(now: datetime) -> int:
    """Delete the drafts that nobody has touched for ``DRAFT_LIFE``; how many."""
    with transaction() as session:
        old = session.scalars(select(ObjectionDraft.token_index).where(ObjectionDraft.changed_at < now - LIFE)).all()
        _forget(session, old)
        return len(old)


def registered_from(token: str) -> Registered | None:
    """What became of a draft that was handed in."""
    with reading() as session:
        return registered_under(session, _submission(token))


def _check_code(token: str, code: str, email: str) -> None:
    try:
        said = json.loads(keys().read_ticket(code, LIFE))
    except NotOursError:
        said = None
    if said != [_index(token), email.strip()]:
        raise RefusalError("确认链接无效、已过期，或者草稿里的邮箱后来改过；请回到草稿重新发送确认邮件。")


def _forget(session: Session, indexes: Sequence[str]) -> None:
    session.execute(delete(DraftFile).where(DraftFile.token_index.in_(indexes)))
    session.execute(delete(ObjectionDraft).where(ObjectionDraft.token_index.in_(indexes)))


def _found(session: Session, token: str) -> ObjectionDraft:
    found = session.get(ObjectionDraft, _index(token))
    if found is None or found.changed_at < clock.now() - LIFE:
        raise LookupError(GONE)
    return found


def _application(typed: Mapping[str, Any], signed_in: Person | None) -> ObjectionApplication:
    """The application that a draft makes; whoever signed in bears the name that Zheliban knows."""
    given = {name: typed[name] for name in FIELDS if typed.get(name)}
    return ObjectionApplication.model_validate(given | ({"objector_name": signed_in.name} if signed_in else {}))


def _kept(typed: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in typed.items() if name in FIELDS}
    if len(json.dumps(kept, ensure_ascii=False)) > MOST_TYPED:
        raise InputError(f"填写的内容共超过{MOST_TYPED}个字，没有保存；请缩短理由，详细情况可以放进附件。")
    return kept


def _submission(token: str) -> str:
    return f"page:{_index(token)}"


def _index(token: str) -> str:
    return keys().blind_index("objection-draft", token)
