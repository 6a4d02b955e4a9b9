"""The dispatcher: takes due notices from the outbox to the mail server, each once, however many dispatchers there are.

A notice is claimed in a short transaction, sent outside of any, and marked as soon as the server's answer is known. A
crash in between sends it again with the same Message-ID, by which receivers know it for the same mail.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from enum import StrEnum

import aiosmtplib
from sqlalchemy import exists, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, aliased

from models.cases import StaffTask
from models.notices import NoticeState, OutgoingNotice
from notifications.notices import NOTICES
from notifications.outbox import NOT_MADE, mask_address
from notifications.rendering import message
from runtime import clock
from runtime.database import reading, transaction
from runtime.keys import NotOursError, keys
from runtime.settings import settings

ATTEMPTS = 12
"""Times that a notice is tried before it is given up: with the waits below, within about 60 hours, so that a server can
be away for a day and then come and go."""
FIRST_WAIT = timedelta(minutes=1)
WAIT_FACTOR = 4
LONGEST_WAIT = timedelta(hours=9)
JITTER = 0.2
"""The part of a wait by which chance makes it longer or shorter, so that what failed together returns scattered."""
TIMEOUT_SECONDS = 60.0
"""For one answer of the server. Shorter than RFC 5321 (4.5.3.2) allows it, so that a dead server holds nobody long."""
EXCHANGE_TIMEOUTS = 4
"""A whole exchange (connection, login, one mail) may take so many times the above."""
CLAIM = timedelta(minutes=15)
"""How long claimed notices belong to one dispatcher at the most; much longer than an exchange."""
CLAIM_EXCHANGES = 4
"""A claim lasts so many whole exchanges: after a dispatcher that was killed nobody waits longer than is needed."""


class MailNotSetUpError(RuntimeError):
    """No mail server is set; notices stay queued."""


class Result(StrEnum):
    SENT = "sent"
    RETRY = "retry"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Dispatched:
    """How many notices were sent, put off, and given up."""

    sent: int
    retried: int
    dead: int


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What came of one attempt; ``error`` goes into the database and holds nothing of a person."""

    result: Result
    error: str = ""


class ServerAwayError(Exception):
    """No connection that mail could be sent over; ``str()`` says why in Chinese. No notice is at fault."""


@dataclass(slots=True)
class _Batch:
    """Claimed notices on their way over a few connections. ``until`` is when the claim ends, and its token too.

    ``waiting`` holds the notices case by case, each in the order in which it was queued: one connection takes a case
    at a time, because nobody should read of the outcome before the acceptance.
    """

    waiting: list[list[int]]
    until: datetime
    timeout: float
    results: list[Result] = field(default_factory=list)

    def next_case(self) -> list[int]:
        """The notices of the next case; empty at the end."""
        return self.waiting.pop(0) if self.waiting else []

    def has_time(self) -> bool:
        """Whether one more exchange is sure to end before the claim does."""
        return clock.now() + timedelta(seconds=self.timeout * EXCHANGE_TIMEOUTS) < self.until

    def left(self) -> list[int]:
        """What nobody has tried."""
        return [notice_id for case in self.waiting for notice_id in case]

    async def mark(self, notice_id: int, attempt: _Attempt) -> None:
        if result := await asyncio.to_thread(_mark, notice_id, self.until, attempt):
            self.results.append(result)


def dispatch(limit: int = 200, timeout: float = TIMEOUT_SECONDS) -> Dispatched:
    """Send up to ``limit`` due notices; ``timeout`` is in seconds for one answer of the server.

    Raises ``MailNotSetUpError`` when no server is set, ``KeysMissingError`` without keys, and what the database raises
    when it is away: the notices stay queued then.
    """
    if not settings().smtp_host:
        raise MailNotSetUpError("未设置邮件服务器（EZT_SMTP_HOST），通知留在发件箱中，设置后会自动发出。")
    keys()
    batch = _claim(limit, timeout)
    if batch.waiting:
        asyncio.run(_send_all(batch))
    count = batch.results.count
    return Dispatched(count(Result.SENT), count(Result.RETRY), count(Result.DEAD))


def check_server(timeout: float) -> None:
    """Connect and log in as a dispatch does, and leave without sending anything; ``timeout`` in seconds for all of it.

    Raises ``ServerAwayError``.
    """

    async def greet() -> None:
        client = _client(timeout)
        try:
            async with asyncio.timeout(timeout):
                await _connect(client)
                with suppress(aiosmtplib.SMTPException, OSError):
                    await client.quit()
        except TimeoutError:
            raise ServerAwayError("邮件服务器答复太慢") from None
        finally:
            client.close()

    asyncio.run(greet())


def wait_after(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts, before jitter.

    >>> [wait_after(attempts) // timedelta(minutes=1) for attempts in range(1, ATTEMPTS)]
    [1, 4, 16, 64, 256, 540, 540, 540, 540, 540, 540]
    """
    return min(FIRST_WAIT * int(WAIT_FACTOR ** (attempts - 1)), LONGEST_WAIT)


def _claim(limit: int, timeout: float) -> _Batch:
    now = clock.now()
    earlier = aliased(OutgoingNotice)
    # What another dispatcher is sending right now goes before what came later in the same case.
    overtakes = exists().where(
        earlier.case_no == OutgoingNotice.case_no,
        earlier.id < OutgoingNotice.id,
        earlier.state == NoticeState.QUEUED,
        earlier.claimed_until > now,
    )
    with transaction() as session:
        due = (
            select(OutgoingNotice.id, OutgoingNotice.case_no)
            .where(
                OutgoingNotice.state == NoticeState.QUEUED,
                OutgoingNotice.next_attempt_at <= now,
                or_(OutgoingNotice.claimed_until.is_(None), OutgoingNotice.claimed_until <= now),
                ~overtakes,
            )
            .order_by(OutgoingNotice.next_attempt_at, OutgoingNotice.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        cases: dict[str | int, list[int]] = defaultdict(list)
        for notice_id, case_no in session.execute(due).tuples():
            cases[case_no or notice_id].append(notice_id)
        waiting = [sorted(notices) for notices in cases.values()]
        claim = min(CLAIM, timedelta(seconds=timeout * EXCHANGE_TIMEOUTS * CLAIM_EXCHANGES))
        batch = _Batch(waiting, now + claim, timeout)
        claimed = update(OutgoingNotice).where(OutgoingNotice.id.in_(batch.left()))
        session.execute(claimed.values(claimed_until=batch.until))
    return batch


async def _send_all(batch: _Batch) -> None:
    connections = min(settings().smtp_connections, len(batch.waiting))
    workers = (_send_over_one_connection(batch) for _ in range(connections))
    # A worker that fails leaves the rest to the others, so that what they send is still marked.
    ends = await asyncio.gather(*workers, return_exceptions=True)
    away = [end for end in ends if isinstance(end, ServerAwayError)]
    for end in ends:
        if isinstance(end, BaseException) and end not in away:
            raise end
    # Nobody got through to the server: that was an attempt for all that are left.
    if len(away) == connections:
        for notice_id in batch.left():
            await batch.mark(notice_id, _Attempt(Result.RETRY, str(away[0])))
    else:
        await asyncio.to_thread(_release, batch.left(), batch.until)


async def _send_over_one_connection(batch: _Batch) -> None:
    """Send notices until none is left, over one connection that is opened again when it breaks.

    Raises ``ServerAwayError`` when it cannot be opened.
    """
    client = _client(batch.timeout)
    case: list[int] = []
    try:
        while batch.has_time() and (case := case or batch.next_case()):
            notice_id = case.pop(0)
            try:
                async with asyncio.timeout(batch.timeout * EXCHANGE_TIMEOUTS):
                    attempt = await _attempt(client, notice_id)
            except TimeoutError:
                client.close()
                attempt = _Attempt(Result.RETRY, "邮件服务器答复太慢")
            except ServerAwayError as error:
                await batch.mark(notice_id, _Attempt(Result.RETRY, str(error)))
                raise
            await batch.mark(notice_id, attempt)
        with suppress(aiosmtplib.SMTPException, OSError):
            await client.quit()
    finally:
        batch.waiting.append(case)
        client.close()


def _client(timeout: float) -> aiosmtplib.SMTP:
    given = settings()
    return aiosmtplib.SMTP(
        hostname=given.smtp_host,
        port=given.smtp_port,
        username=given.smtp_user or None,
        password=given.smtp_password.get_secret_value() or None,
        use_tls=given.smtp_security == "tls",
        start_tls=given.smtp_security == "starttls",
        cert_bundle=given.smtp_ca_file or None,
        timeout=timeout,
    )


async def _attempt(client: aiosmtplib.SMTP, notice_id: int) -> _Attempt:
    try:
        mail = await asyncio.to_thread(_mail, notice_id)
    except SQLAlchemyError:
        raise
    except Exception as error:
        # Whatever is wrong with one notice (a template, a key, a field) must not keep the others waiting.
        why = "无法解密" if isinstance(error, NotOursError) else type(error).__name__
        return _Attempt(Result.DEAD, f"{NOT_MADE}{why}")
    if not client.is_connected:
        await _connect(client)
    try:
        await client.send_message(mail)
    except aiosmtplib.SMTPRecipientsRefused as error:
        return _by_code(error.recipients[0].code)
    except aiosmtplib.SMTPSenderRefused as error:
        # Our own address or login is wrong, not the notice: there is a day to mend the settings.
        return _Attempt(Result.RETRY, f"邮件服务器不接受发件地址（{error.code}）")
    except aiosmtplib.SMTPResponseException as error:
        if error.code in (aiosmtplib.SMTPStatus.domain_unavailable, aiosmtplib.SMTPStatus.invalid_response):
            client.close()
        return _by_code(error.code)
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        # It may have arrived when the connection broke. Sent again, it has the same Message-ID.
        client.close()
        return _Attempt(Result.RETRY, f"与邮件服务器的连接中断：{type(error).__name__}")
    return _Attempt(Result.SENT)


async def _connect(client: aiosmtplib.SMTP) -> None:
    try:
        await client.connect()
    except aiosmtplib.SMTPAuthenticationError as error:
        raise ServerAwayError(f"邮件服务器登录失败（{error.code}）") from error
    except aiosmtplib.SMTPResponseException as error:
        raise ServerAwayError(f"邮件服务器拒绝连接（{error.code}）") from error
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise ServerAwayError(f"邮件服务器无法连接：{type(error).__name__}") from error


def _by_code(code: int) -> _Attempt:
    return _Attempt(Result.DEAD if 500 <= code < 600 else Result.RETRY, f"邮件服务器答复{code}")


def _mail(notice_id: int) -> EmailMessage:
    with reading() as session:
        row = session.get_one(OutgoingNotice, notice_id)
        notice = NOTICES[row.notice].model_validate(row.context)
        return message(notice, row.recipient, row.message_id, row.queued_at)


def _mark(notice_id: int, claimed_until: datetime, attempt: _Attempt) -> Result | None:
    """Write down what came of an attempt; ``None`` when the claim has passed to another dispatcher meanwhile."""
    now = clock.now()
    with transaction() as session:
        # The encrypted columns stay out: a notice that cannot be decrypted has to be marked as well.
        ours = (
            select(OutgoingNotice.attempts, OutgoingNotice.message_id, OutgoingNotice.case_no)
            .where(OutgoingNotice.id == notice_id, OutgoingNotice.claimed_until == claimed_until)
            .with_for_update()
        )
        row = session.execute(ours).one_or_none()
        if row is None:
            return None
        attempts = row.attempts + 1
        result = attempt.result
        if result is Result.RETRY and attempts >= ATTEMPTS:
            result = Result.DEAD
        session.execute(
            update(OutgoingNotice)
            .where(OutgoingNotice.id == notice_id)
            .values(
                attempts=attempts,
                claimed_until=None,
                last_error=attempt.error or None,
                **_outcome(result, attempts, now),
            )
        )
        if result is Result.DEAD:
            _ask_staff(session, notice_id, row.message_id, row.case_no, attempt.error, now)
        return result


def _outcome(result: Result, attempts: int, now: datetime) -> dict[str, object]:
    if result is Result.SENT:
        return {"state": NoticeState.SENT, "sent_at": now}
    if result is Result.DEAD:
        return {"state": NoticeState.DEAD}
    return {"next_attempt_at": now + wait_after(attempts) * random.uniform(1 - JITTER, 1 + JITTER)}


def _ask_staff(
    session: Session, notice_id: int, message_id: str, case_no: str | None, error: str, now: datetime
) -> None:
    """Open the staff task of a dead notice, or open it again if the notice was revived and died once more."""
    whose = _recipient(session, notice_id)
    what = f"{whose}的一封通知无法送达（{error}）。请按登记的电话联系收件人，告知通知内容并核对邮箱。"
    key = f"undeliverable:{message_id}"
    task = session.scalar(select(StaffTask).where(StaffTask.key == key))
    if task is None:
        session.add(StaffTask(key=key, case_no=case_no, what=what, opened_at=now))
    else:
        task.what, task.opened_at, task.done_at = what, now, None


def _recipient(session: Session, notice_id: int) -> str:
    try:
        return f"发往{mask_address(session.scalars(select(OutgoingNotice.recipient).filter_by(id=notice_id)).one())}"
    except NotOursError:
        return "收件地址无法解密"


def _release(ids: Sequence[int], claimed_until: datetime) -> None:
    """Give back what was claimed and not tried; it is still due."""
    with transaction() as session:
        session.execute(
            update(OutgoingNotice)
            .where(OutgoingNotice.id.in_(ids), OutgoingNotice.claimed_until == claimed_until)
            .values(claimed_until=None)
        )
