"""The outbox: a notice is queued in the transaction of the step that causes it, and leaves later."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from gateways.text_messages import over
from models.cases import StaffTask
from models.notices import Channel, NoticeState, OutgoingNotice
from models.postings import Posting
from notifications.notices import Notice, ToMailbox
from notifications.own_addresses import own_addresses
from runtime import clock
from runtime.contacts import AddressError, mobile_number, plain_address
from runtime.database import in_pieces, insert_many, transaction
from runtime.settings import settings

QUEUED = select(OutgoingNotice.message_id).where(
    OutgoingNotice.message_id.in_(bindparam("message_ids", expanding=True))
)

NOT_MADE = "通知无法生成："
"""What the trouble begins with of a notice that never got as far as the mail server."""
UNWRITABLE = "邮箱格式不对"
"""The trouble of a notice whose address is none."""
NO_ADDRESS = "没有邮箱"
"""The trouble of a notice to somebody who has no address."""


TO_MAILBOXES = tuple(each.template() for each in ToMailbox.__subclasses__())
"""Notices about a mailbox and nobody behind it."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A notice to one address, or to one mobile number; ``key`` and address name it once and for all."""

    notice: Notice
    to: str
    key: str
    case_no: str | None

    @property
    def message_id(self) -> str:
        return message_id_of(self.key, self.to)


def queue(session: Session, notice: Notice, to: str, *, key: str, case_no: str | None, at: datetime) -> None:
    """``queue_many`` for one."""
    queue_many(session, [Outgoing(notice, to, key, case_no)], at)


def queue_many(session: Session, outgoing: Sequence[Outgoing], at: datetime) -> None:
    """Queue notices inside the caller's transaction, each once.

    An address that cannot be written to stops nobody: the notice is given up at once, and staff are asked to mend the
    address or to tell whose it is in another way; of no address at all (empty) whoever queues it has told them. A
    letter is made when it leaves (docs/adr/0025): one that cannot be made keeps nothing else waiting.
    """
    wanted = {each.message_id: each for each in outgoing}
    connection = session.connection()
    for some in in_pieces(list(wanted)):
        for message_id in connection.scalars(QUEUED, {"message_ids": some}):
            del wanted[message_id]
    rows, lost, texts_go = [], [], over() is not None
    for message_id, each in wanted.items():
        to, state, trouble = each.to, NoticeState.QUEUED, None
        mobile = mobile_number(to) if texts_go else None
        try:
            to = mobile or plain_address(to)
        except AddressError:
            state, trouble = NoticeState.DEAD, UNWRITABLE if to else NO_ADDRESS
            if to and not isinstance(each.notice, ToMailbox):
                lost.append(each)
        rows.append(
            {
                "message_id": message_id,
                "case_no": each.case_no,
                "notice": each.notice.template(),
                "channel": Channel.TEXT if mobile else Channel.MAIL,
                "recipient": to,
                "context": each.notice.model_dump(mode="json"),
                "state": state,
                "last_error": trouble,
                "queued_at": at,
                "next_attempt_at": at,
                "attempts": 0,
            }
        )
    insert_many(session, cast("Table", OutgoingNotice.__table__), rows)
    for each in lost:
        _ask_about_address(session, each, at)


def _ask_about_address(session: Session, lost: Outgoing, at: datetime) -> None:
    """Open the staff task of a notice whose address cannot be written to: of an address of our own one until it is
    mended, of anybody else's one for each notice, which has to reach them in another way."""
    ours = [each for each in own_addresses(session, clock.local_date(at)) if each.to == lost.to]
    for own in ours:
        what = f"{own.whose}登记的{UNWRITABLE}，发给它的通知都没有发出。{own.todo}；改正前请当面或电话告知。"
        ask_staff(session, f"unwritable:{own.key}", None, what, at)
    if not ours:
        what = f"一封通知无法送达（{UNWRITABLE}）。请按登记的电话联系收件人，告知通知内容并核对邮箱。"
        ask_staff(session, f"undeliverable:{lost.message_id}", lost.case_no, what, at)


def ask_staff(session: Session, key: str, case_no: str | None, what: str, at: datetime) -> None:
    """Open the staff task of what cannot be delivered, or open it again if it was done with and has come back."""
    connection = session.connection()
    # Several transactions may find out at once: a task is a reason for none of them to fail.
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    task = insert(StaffTask).values(key=key, case_no=case_no, what=what, opened_at=at)
    again = {"what": what, "opened_at": at, "done_at": None}
    done = StaffTask.done_at.is_not(None)
    connection.execute(task.on_conflict_do_update(index_elements=[StaffTask.key], set_=again, where=done))


def settle(session: Session, letter: OutgoingNotice, known: Posting | None, why: str, at: datetime) -> Posting:
    """Take a notice off the list of what is posted, for a reason in Chinese, with the staff tasks about it; ``known``
    is what is kept of its posting."""
    posting = known or Posting(notice_id=letter.id, address="")
    session.add(posting)
    posting.posted_on, posting.told_how, posting.at = clock.local_date(at), why, at
    about = (f"undeliverable:{letter.message_id}", f"unposted:{letter.id}")
    for task in session.scalars(select(StaffTask).where(StaffTask.key.in_(about), StaffTask.done_at.is_(None))):
        task.done_at, task.note = at, why
    return posting


def send_again() -> int:
    """Queue what was given up because it could not be made, now that its template or key is mended; how many they are.
    Their staff tasks are done with."""
    now = clock.now()
    with transaction() as session:
        given_up = (OutgoingNotice.state == NoticeState.DEAD, OutgoingNotice.last_error.startswith(NOT_MADE))
        ids = session.scalars(select(OutgoingNotice.message_id).where(*given_up).with_for_update()).all()
        tasks = (StaffTask.key.in_([f"undeliverable:{each}" for each in ids]), StaffTask.done_at.is_(None))
        session.execute(update(StaffTask).where(*tasks).values(done_at=now))
        queued = {"state": NoticeState.QUEUED, "attempts": 0, "next_attempt_at": now}
        session.execute(update(OutgoingNotice).where(OutgoingNotice.message_id.in_(ids)).values(**queued))
    return len(ids)


def message_id_of(key: str, to: str) -> str:
    """The Message-ID: the same for the same key and address, so that a mail sent twice is known to be one."""
    digest = hashlib.sha256(f"{key}\0{to}".encode()).hexdigest()[:40]
    return f"<{digest}@{settings().mail_from.partition('@')[2]}>"


def mask_address(to: str) -> str:
    """An address or a mobile number as staff tasks may show it: enough to recognise it, too little to write to it.

    >>> mask_address("zhang.san@example.cn"), mask_address("a@example.cn"), mask_address("13800000000")
    ('z***@example.cn', '***@example.cn', '138****0000')
    """
    if mobile_number(to):
        return f"{to[:3]}****{to[-4:]}"
    local, _, domain = to.rpartition("@")
    return f"{local[:1] if len(local) > 1 else ''}***@{domain}"
