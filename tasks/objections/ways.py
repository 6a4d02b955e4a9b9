"""How whoever objects is told (Article 12): by e-mail, else by the post they asked for, else by text message."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateways.text_messages import over
from models.notices import OutgoingNotice
from models.objections import ContactChange, Objection
from models.postings import Posting
from notifications.notices import LettersStop
from notifications.outbox import message_id_of, queue
from runtime.contacts import mobile_number, plain_address
from runtime.refusals import InputError

NO_WAY = "没有邮箱的，请填写通信地址：进展和结果要寄到那里。"
NO_MOBILE = "不是能收短信的手机号码，请更正；没有手机和邮箱的，请填写通信地址。"
NO_WAY_BUT_TEXTS = "没有邮箱的，请填写通信地址，或者能收短信的手机号码：进展和结果要告知到那里。"


def texts_go() -> bool:
    """Whether text messages are sent at all."""
    return over() is not None


@dataclass(frozen=True, slots=True)
class Contact:
    """Where somebody is reached: by e-mail, by telephone, by post; each may be empty."""

    email: str
    phone: str
    postal_address: str

    @property
    def to(self) -> str:
        """Where notices go: an e-mail address or, of whoever has neither that nor a postal one, a mobile number while
        text messages are sent at all; empty where they go by post."""
        if self.email or self.postal_address or not texts_go():
            return self.email
        return mobile_number(self.phone) or ""

    @property
    def place(self) -> str:
        """Where they are told in the end, by whichever way."""
        return self.to or self.postal_address

    @property
    def in_words(self) -> str:
        """Where notices go, as staff are told: 发到邮箱."""
        return "寄到通信地址" if not self.to else "发到邮箱" if self.email else "以短信发到手机"

    def check(self) -> None:
        """Raise ``InputError`` (``postal_address``, ``phone``) where somebody could be told in no way."""
        if not self.place:
            if self.phone and texts_go():
                raise InputError.of("phone", NO_MOBILE)
            raise InputError.of("postal_address", NO_WAY_BUT_TEXTS if texts_go() else NO_WAY)


def contact_of(objection: Objection) -> Contact:
    """How an objector is reached now."""
    return Contact(objection.email, objection.phone, objection.postal_address or "")


def former_contact(change: ContactChange) -> Contact:
    """How they were reached before a change."""
    return Contact(*(change.was[name] for name in ("email", "phone", "postal_address")))


def written_to(text: str) -> str:
    """Where somebody says they can be told: an e-mail address or, while text messages are sent, a mobile number. Raises
    ``AddressError`` for what is neither."""
    mobile = mobile_number(text) if texts_go() else None
    return mobile or plain_address(text)


def tell_former(
    session: Session, objection: Objection, former: Contact, at: datetime, *, withdrawn: bool = False
) -> None:
    """Tell whoever was told there until now, by mail, text message or post, that they are not any more; or that the
    objection was ``withdrawn`` since, of which they would never hear."""
    notice = LettersStop(case_no=objection.case_no, certificate=objection.public_type, withdrawn=withdrawn)
    key = f"{objection.case_no}:contact-stops:{at.isoformat()}:{former.postal_address if not former.to else ''}"
    queue(session, notice, former.to, key=key, case_no=objection.case_no, at=at)
    if not former.to:
        wanted = select(OutgoingNotice.id).where(OutgoingNotice.message_id == message_id_of(key, ""))
        session.add(Posting(notice_id=session.scalars(wanted).one(), address=former.postal_address, at=at))


def tell_all_former(session: Session, objection: Objection, at: datetime) -> None:
    """Tell everywhere that an objector was told before that the objection was withdrawn: who has its link need not be
    who objected."""
    told = {contact_of(objection).place}
    wanted = select(ContactChange).where(ContactChange.case_no == objection.case_no).order_by(ContactChange.id)
    for former in map(former_contact, session.scalars(wanted)):
        if former.place not in told:
            told.add(former.place)
            tell_former(session, objection, former, at, withdrawn=True)
