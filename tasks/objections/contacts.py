"""Whoever objects is reached in another way from now on (Article 12): at another address, or themselves, because nobody
acts for them any more. Their link is a new one: who had the old one is nobody any more. What has not reached them is
sent again.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from hmac import compare_digest

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.notices import NoticeState, OutgoingNotice
from models.objections import ContactChange, Objection
from models.postings import Posting
from notifications.notices import (
    NOTICES,
    ContactChanged,
    ContactToConfirm,
    SupplementRequested,
    ToObjector,
)
from notifications.outbox import NO_ADDRESS, mask_address, queue, settle
from regulation.limits import SUPPLEMENT
from regulation.objections import Capacity
from runtime import clock
from runtime.database import reading, transaction
from runtime.keys import keys
from runtime.refusals import InputError, RefusalError
from tasks.audit import record
from tasks.case.attachments import File, keep_files
from tasks.case.deadlines import count_from, running_deadline
from tasks.objections.claims import CONTACT_ASKED
from tasks.objections.steps import acting, case_of_token, locked_with_lead, objection_of, status_link
from tasks.objections.ways import Contact, contact_of, former_contact, tell_former

BY_THEMSELVES = "申请人在办理页面要求，并填写了发到新邮箱或者手机的验证码"
SENT_AGAIN = "联系方式变更后重新发送"
SAME = "与现在登记的相同，没有要改的。"


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants it changed and how that was checked, with what they brought; ``by`` is who says so."""

    why: str
    by: str
    files: Sequence[File] = ()


def change_contact(case_no: str, contact: Contact, wish: Wish) -> str:
    """Reach the objector of a case so from now on; the objection's new token. Whoever was written to until now hears
    that they are not any more. Raises ``InputError`` where that changes nothing."""
    with transaction() as session:
        locked_with_lead(session, case_no)
        objection = _fresh(session, case_no)
        if contact == contact_of(objection):
            raise InputError.of("email", SAME)
        _change(session, objection, contact, "objection:contact:changed", _before(session, objection, wish))
        return objection.token


def end_mandate(case_no: str, contact: Contact, wish: Wish) -> None:
    """Let nobody act for whoever objects any more: they are written to themselves. Raises ``RefusalError`` where nobody
    acts for them."""
    with transaction() as session:
        locked_with_lead(session, case_no)
        objection = _fresh(session, case_no)
        check_mandate_runs(objection)
        kept = _before(session, objection, wish)
        objection.objector_name, objection.acts_as, objection.acts_for = str(objection.acts_for), None, None
        objection.proven_index = None
        _change(session, objection, contact, "objection:mandate:ended", kept)


def _fresh(session: Session, case_no: str) -> Objection:
    """The objection as it is now that its case is locked."""
    return session.get_one(Objection, case_no, populate_existing=True)


def check_mandate_runs(objection: Objection) -> None:
    """Raise ``RefusalError`` where nobody acts for whoever objects, or for somebody who is there no more."""
    if objection.acts_as is None:
        raise RefusalError(f"异议{objection.case_no}是申请人自己办理的，没有可以终止的代理。")
    if objection.acts_as in (Capacity.HEIR, Capacity.SUCCESSOR):
        raise RefusalError(
            f"{objection.acts_as}以自己的名义办理，没有可以终止的代理；联系方式变了的，请选“改联系方式”。"
        )


def _before(session: Session, objection: Objection, wish: Wish) -> ContactChange:
    """Keep what is about to change, and what came along with the wish."""
    was = {"name": objection.objector_name, **asdict(contact_of(objection))}
    kept = ContactChange(case_no=objection.case_no, was=was, why=wish.why, by=wish.by, at=clock.now())
    session.add(kept)
    if wish.files:
        keep_files(session, objection.case_no, wish.files, kept.at)
        record(session, CONTACT_ASKED, objection.case_no, wish.by, kept.at, files=len(wish.files))
    return kept


def contact_changes(session: Session, case_no: str) -> list[tuple[str, str]]:
    """What was changed in a case, why and by whom, as its page says it."""
    wanted = select(ContactChange).where(ContactChange.case_no == case_no).order_by(ContactChange.id)
    return [
        (f"联系方式{clock.local_date(each.at)}变更", f"原为{'  '.join(filter(None, each.was.values()))}；{each.why}")
        for each in session.scalars(wanted)
    ]


def who_was_reached(session: Session, case_no: str, address: str) -> str:
    """Who was written to at a postal address in a case, before it was another."""
    wanted = select(ContactChange).where(ContactChange.case_no == case_no).order_by(ContactChange.id.desc())
    return next((each.was["name"] for each in session.scalars(wanted) if each.was["postal_address"] == address), "")


def _change(session: Session, objection: Objection, contact: Contact, tag: str, kept: ContactChange) -> None:
    case_no, at = objection.case_no, kept.at
    objection.email, objection.phone, objection.postal_address = (
        contact.email,
        contact.phone,
        contact.postal_address or None,
    )
    objection.token = secrets.token_urlsafe(24)
    objection.token_index = keys().blind_index("objection-token", objection.token)
    before = former_contact(kept)
    record(session, tag, case_no, kept.by, at, was=_shown(before), now=_shown(contact))
    if before.place != contact.place:
        tell_former(session, objection, before, at)
    about = {"case_no": case_no, "certificate": objection.public_type}
    queue(
        session,
        ContactChanged(**about, **_led_by(objection)),
        contact.to,
        key=f"{case_no}:contact:{at.isoformat()}",
        case_no=case_no,
        at=at,
    )
    _send_again(session, objection, at)


def _shown(contact: Contact) -> str:
    """A way to be reached as the record may say it."""
    return mask_address(contact.to) if contact.to else "邮寄"


def _led_by(objection: Objection) -> dict[str, str]:
    return {"link": status_link(objection.token), "acting": acting(objection.acts_as)}


def _send_again(session: Session, objection: Objection, at: datetime) -> None:
    """Send what has not reached the objector, by mail or by post, to where they are reached now. An address that was
    kept for a letter is nobody's any more."""
    unsent = or_(
        OutgoingNotice.state == NoticeState.DEAD,
        (OutgoingNotice.state == NoticeState.QUEUED)
        & or_(OutgoingNotice.claimed_until.is_(None), OutgoingNotice.claimed_until < at),
    )
    wanted = select(OutgoingNotice).where(
        OutgoingNotice.case_no == objection.case_no, OutgoingNotice.queued_at < at, unsent
    )
    for lost in session.scalars(wanted.order_by(OutgoingNotice.id).with_for_update()).all():
        posting, kind = session.get(Posting, lost.id), NOTICES[lost.notice]
        if not issubclass(kind, ToObjector) or (posting is not None and posting.posted_on is not None):
            continue
        # That they are told here from now on has just been said.
        if kind is not ContactChanged:
            told_anew = _led_by(objection) | _counted_anew(session, objection, lost, at)
            notice, key = kind.model_validate(lost.context | told_anew), f"{lost.message_id}:again:{at.isoformat()}"
            queue(session, notice, contact_of(objection).to, key=key, case_no=objection.case_no, at=at)
        lost.state, lost.last_error = NoticeState.DEAD, lost.last_error or NO_ADDRESS
        settle(session, lost, posting, SENT_AGAIN, at).address = ""


def _counted_anew(session: Session, objection: Objection, lost: OutgoingNotice, at: datetime) -> dict[str, str]:
    """Of what asks for something within a limit: it counts from now, as nobody knew of it."""
    if lost.notice != SupplementRequested.template():
        return {}
    running = running_deadline(session, objection.lead_case_no or objection.case_no, SUPPLEMENT)
    if running is None:
        return {}
    count_from(session, running, clock.local_date(at), f"通知于{clock.local_date(at)}重新发送", at)
    return {"due_on": str(running.due_on)}


def ask_for_contact(token: str, to: str) -> None:
    """Send a code to another address, or mobile number, at which an objector wants to be told. ``LookupError`` for an
    unknown token, ``InputError`` for the one that they have."""
    case_no = case_of_token(token)
    with transaction() as session:
        objection = objection_of(session, case_no)
        if contact_of(objection).to == to:
            raise InputError.of("email", SAME)
        now = clock.now()
        notice = ContactToConfirm(
            case_no=case_no, certificate=objection.public_type, code=_code(token, to, clock.local_date(now))
        )
        queue(session, notice, to, key=f"{case_no}:contact:{secrets.token_hex(8)}", case_no=case_no, at=now)


def confirm_contact(token: str, to: str, code: str) -> str:
    """Write to another address, or mobile number, from now on, for whoever has both the objection's link and the code
    that went there: a stranger who gets it by a slip of the pen has only one of them. The objection's new token. Raises
    ``InputError`` for a wrong or an old code."""
    today, case_no = clock.today(), case_of_token(token)
    said = "".join(code.split())
    if not any(compare_digest(_code(token, to, day), said) for day in (today, today - timedelta(days=1))):
        raise InputError.of("code", "验证码不对，或者已过期；请照最近一封邮件填写，或重新发送。")
    with reading() as session:
        known = contact_of(objection_of(session, case_no))
    by_mail = Contact(to, known.phone, known.postal_address)
    contact = by_mail if "@" in to else Contact("", to, "")
    return change_contact(case_no, contact, Wish(BY_THEMSELVES, "objector"))


def _code(token: str, to: str, day: date) -> str:
    """Eight digits that hold for an address and a day, and the one after it."""
    return f"{int(keys().digest('objection-contact', json.dumps([token, to, str(day)])), 16) % 10**8:08}"
