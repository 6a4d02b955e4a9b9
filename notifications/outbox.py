"""The outbox: a notice is queued in the transaction of the step that causes it, and leaves later."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm import Session

from models.cases import StaffTask
from models.notices import NoticeState, OutgoingNotice
from notifications.notices import Notice
from runtime import clock
from runtime.database import in_pieces, insert_many, transaction
from runtime.refusals import InputError
from runtime.settings import settings

LONGEST_ADDRESS = 254
"""Characters (RFC 5321, 4.5.3.1.3: a path of 256 with its angle brackets)."""
LONGEST_LOCAL_PART = 64
"""Characters before the @ (RFC 5321, 4.5.3.1.1)."""
ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)

QUEUED = select(OutgoingNotice.message_id).where(
    OutgoingNotice.message_id.in_(bindparam("message_ids", expanding=True))
)

NOT_MADE = "通知无法生成："
"""What the trouble begins with of a notice that never got as far as the mail server."""


class AddressError(InputError):
    """Text that is not one plain e-mail address, said in Chinese."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A notice to one address; ``key`` and address name it once and for all."""

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

    Raises ``AddressError``. A letter is made when it leaves (docs/adr/0025): one that cannot be made keeps nothing else
    waiting.
    """
    for each in outgoing:
        check_address(each.to)
    wanted = {each.message_id: each for each in outgoing}
    connection = session.connection()
    for some in in_pieces(list(wanted)):
        for message_id in connection.scalars(QUEUED, {"message_ids": some}):
            del wanted[message_id]
    rows = [
        {
            "message_id": message_id,
            "case_no": each.case_no,
            "notice": each.notice.template(),
            "recipient": each.to,
            "context": each.notice.model_dump(mode="json"),
            "state": NoticeState.QUEUED,
            "queued_at": at,
            "next_attempt_at": at,
            "attempts": 0,
        }
        for message_id, each in wanted.items()
    ]
    insert_many(session, cast("Table", OutgoingNotice.__table__), rows)


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


def check_address(to: str) -> None:
    """Raise ``AddressError`` unless ``to`` is one plain ASCII e-mail address, in which no line break can hide.

    >>> check_address("zhang.san@mail.example.cn")
    """
    local, _, _ = to.partition("@")
    if len(to) > LONGEST_ADDRESS or len(local) > LONGEST_LOCAL_PART or not ADDRESS.fullmatch(to):
        raise AddressError("电子邮箱格式不对，请更正。")


def mask_address(to: str) -> str:
    """An address as staff tasks may show it: enough to recognise it, too little to write to it.

    >>> mask_address("zhang.san@example.cn"), mask_address("a@example.cn")
    ('z***@example.cn', '***@example.cn')
    """
    local, _, domain = to.rpartition("@")
    return f"{local[:1] if len(local) > 1 else ''}***@{domain}"
