"""The dispatcher: takes due notices from the outbox to the mail server, and text messages to their gateway, each once,
however many dispatchers there are.

Notices are claimed and read in a short transaction, sent outside of any, and marked soon after the server's answer is
known, several in a transaction. A crash in between sends them again with the same Message-ID, by which receivers know
it for the same mail.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import Any, cast

import aiosmtplib
from sqlalchemy import Row, Table, exists, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from gateways.text_messages import NumberRefusedError, send_text
from gateways.zhejiang_gateway import BureauRefusedError, BureauUnavailableError, MappingError
from models.base import as_stored
from models.notices import Channel, NoticeState, OutgoingNotice
from notifications.messages import message, text_message
from notifications.notices import NOTICES, Notice
from notifications.outbox import NOT_MADE, TO_MAILBOXES, ask_staff, mask_address
from runtime import clock
from runtime.database import transaction
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
MARKED_TOGETHER = 32
"""Attempts marked in one transaction. When the machine goes down, no more than twice as many, and what is on the
connections, can leave again."""
MARKED_WITHIN = 0.2
"""Seconds after which attempts are marked however few they are."""
AWAY = "短信网关没有答复"
_OUTBOX = as_stored(cast("Table", OutgoingNotice.__table__))
"""Addresses and contents are opened one by one: what cannot be decrypted must not hide the others."""


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

    waiting: list[list[Row[Any]]]
    until: datetime
    timeout: float
    results: list[Result] = field(default_factory=list)
    attempted: dict[int, _Attempt] = field(default_factory=dict)
    marking: asyncio.Lock = field(default_factory=asyncio.Lock)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def next_case(self) -> list[Row[Any]]:
        """The notices of the next case; empty at the end."""
        return self.waiting.pop(0) if self.waiting else []

    def has_time(self) -> bool:
        """Whether one more exchange is sure to end before the claim does."""
        return clock.now() + timedelta(seconds=self.timeout * EXCHANGE_TIMEOUTS) < self.until

    def left(self) -> list[int]:
        """What nobody has tried."""
        return [notice.id for case in self.waiting for notice in case]

    async def note(self, notice_id: int, attempt: _Attempt) -> None:
        """Remember what came of an attempt; once there are many, mark them before anything else is sent."""
        self.attempted[notice_id] = attempt
        if len(self.attempted) >= MARKED_TOGETHER:
            await self.mark()

    async def mark(self) -> None:
        """Write down what came of attempts since the last time."""
        async with self.marking:
            together, self.attempted = self.attempted, {}
            if together:
                try:
                    self.results += await asyncio.to_thread(_mark, together, self.until)
                except Exception:
                    self.attempted |= together
                    raise

    async def mark_in_time(self) -> None:
        """Write it down now and then, and at the end."""
        while not self.over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self.over.wait(), MARKED_WITHIN)
            await self.mark()
        # While it was being written down, more may have come, and the end.
        await self.mark()


def dispatch(limit: int = 200, timeout: float = TIMEOUT_SECONDS, within: timedelta = CLAIM) -> Dispatched:
    """Send up to ``limit`` due notices of either channel; ``timeout`` is in seconds for one answer of the server. After
    ``within``, which is longer than an exchange with it, the rest is left to the next dispatcher.

    Raises ``MailNotSetUpError`` when no server is set, ``KeysMissingError`` without keys, and what the database raises
    when it is away: the notices stay queued then.
    """
    if not settings().smtp_host:
        raise MailNotSetUpError("未设置邮件服务器（EZT_SMTP_HOST），通知留在发件箱中，设置后会自动发出。")
    keys()
    # One channel that is away holds up nothing of the other.
    results: list[Result] = []
    for channel, send_all in ((Channel.MAIL, _send_all), (Channel.TEXT, _send_texts)):
        batch = _claim(channel, limit, timeout, within)
        if batch.waiting:
            asyncio.run(send_all(batch))
        results += batch.results
    count = results.count
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


def _claim(channel: Channel, limit: int, timeout: float, within: timedelta) -> _Batch:
    now = clock.now()
    earlier = _OUTBOX.alias()
    # What another dispatcher is sending right now goes before what came later in the same case.
    overtakes = exists().where(
        earlier.c.case_no == _OUTBOX.c.case_no,
        earlier.c.id < _OUTBOX.c.id,
        earlier.c.state == NoticeState.QUEUED,
        earlier.c.claimed_until > now,
    )
    with transaction() as session:
        due = (
            select(_OUTBOX)
            .where(
                _OUTBOX.c.state == NoticeState.QUEUED,
                _OUTBOX.c.channel == channel,
                _OUTBOX.c.next_attempt_at <= now,
                or_(_OUTBOX.c.claimed_until.is_(None), _OUTBOX.c.claimed_until <= now),
                ~overtakes,
            )
            .order_by(_OUTBOX.c.next_attempt_at, _OUTBOX.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True, of=_OUTBOX)
        )
        cases: dict[str | int, list[Row[Any]]] = defaultdict(list)
        for notice in session.execute(due):
            cases[notice.case_no or notice.id].append(notice)
        waiting = [sorted(notices, key=attrgetter("id")) for notices in cases.values()]
        claim = min(within, timedelta(seconds=timeout * EXCHANGE_TIMEOUTS * CLAIM_EXCHANGES))
        batch = _Batch(waiting, now + claim, timeout)
        claimed = update(_OUTBOX).where(_OUTBOX.c.id.in_(batch.left()))
        session.execute(claimed.values(claimed_until=batch.until))
    return batch


async def _send_all(batch: _Batch) -> None:
    connections = min(settings().smtp_connections, len(batch.waiting))
    marking = asyncio.create_task(batch.mark_in_time())
    # A worker that fails leaves the rest to the others, so that what they send is still marked.
    workers = (_send_over_one_connection(batch) for _ in range(connections))
    ends = await asyncio.gather(*workers, return_exceptions=True)
    away = [end for end in ends if isinstance(end, ServerAwayError)]
    if len(away) == connections:
        # Nobody got through to the server: that was an attempt for all that are left.
        batch.attempted |= dict.fromkeys(batch.left(), _Attempt(Result.RETRY, str(away[0])))
        batch.waiting.clear()
    await _finish(batch, marking)
    for end in ends:
        if isinstance(end, BaseException) and end not in away:
            raise end


async def _finish(batch: _Batch, marking: asyncio.Task[None]) -> None:
    """Write down what came of the last attempts, and give back what there was no time for."""
    batch.over.set()
    await marking
    if left := batch.left():
        await asyncio.to_thread(_release, left, batch.until)


async def _send_texts(batch: _Batch) -> None:
    """Hand in text messages one after the other; when their gateway does not answer, the others are put off too."""
    marking = asyncio.create_task(batch.mark_in_time())
    attempt, case = _Attempt(Result.SENT), list[Row[Any]]()
    try:
        while batch.has_time() and (case := case or batch.next_case()):
            notice = case.pop(0)
            if attempt.error != AWAY:
                attempt = await asyncio.to_thread(_text, notice, batch.timeout)
            await batch.note(notice.id, attempt)
    finally:
        batch.waiting.append(case)
        await _finish(batch, marking)


def _text(claimed: Row[Any], timeout: float) -> _Attempt:
    try:
        to, notice = _opened(claimed)
        said = text_message(notice)
    except Exception as error:
        return _not_made(error)
    try:
        send_text(to, said, claimed.message_id, timeout)
    except NumberRefusedError as refused:
        return _Attempt(Result.DEAD, f"短信网关答复这个号码收不到短信（{refused}）")
    except BureauUnavailableError:
        return _Attempt(Result.RETRY, AWAY)
    except (BureauRefusedError, MappingError):
        # Our own key, quota or mapping is wrong, not the notice: there is a day to mend it.
        return _Attempt(Result.RETRY, "短信网关未受理")
    return _Attempt(Result.SENT)


def _opened(claimed: Row[Any]) -> tuple[str, Notice]:
    """To whom a claimed notice goes, and what it says. Raises whatever is wrong with it."""
    notice = NOTICES[claimed.notice].model_validate_json(keys().decrypt_text(claimed.context))
    return keys().decrypt_text(claimed.recipient), notice


def _not_made(error: Exception) -> _Attempt:
    """Whatever is wrong with one notice (a template, a key, a field) must not keep the others waiting."""
    return _Attempt(Result.DEAD, f"{NOT_MADE}{'无法解密' if isinstance(error, NotOursError) else type(error).__name__}")


async def _send_over_one_connection(batch: _Batch) -> None:
    """Send notices until none is left, over one connection that is opened again when it breaks.

    Raises ``ServerAwayError`` when it cannot be opened.
    """
    client = _client(batch.timeout)
    case: list[Row[Any]] = []
    try:
        while batch.has_time() and (case := case or batch.next_case()):
            notice = case.pop(0)
            try:
                async with asyncio.timeout(batch.timeout * EXCHANGE_TIMEOUTS):
                    attempt = await _attempt(client, notice)
            except TimeoutError:
                client.close()
                attempt = _Attempt(Result.RETRY, "邮件服务器答复太慢")
            except ServerAwayError as error:
                await batch.note(notice.id, _Attempt(Result.RETRY, str(error)))
                raise
            await batch.note(notice.id, attempt)
        with suppress(aiosmtplib.SMTPException, OSError):
            await client.quit()
    finally:
        batch.waiting.append(case)
        client.close()


class _Client(aiosmtplib.SMTP):
    """A connection that is closed at once. Over TLS the two sides would take leave of each other, for which the loop
    that ends with the sending leaves no time."""

    def close(self) -> None:
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()
        super().close()


def _client(timeout: float) -> aiosmtplib.SMTP:
    given = settings()
    return _Client(
        hostname=given.smtp_host,
        port=given.smtp_port,
        username=given.smtp_user or None,
        password=given.smtp_password.get_secret_value() or None,
        use_tls=given.smtp_security == "tls",
        start_tls=given.smtp_security == "starttls",
        cert_bundle=given.smtp_ca_file or None,
        timeout=timeout,
    )


async def _attempt(client: aiosmtplib.SMTP, claimed: Row[Any]) -> _Attempt:
    try:
        to, notice = _opened(claimed)
        mail = message(notice, to, claimed.message_id, claimed.queued_at)
    except Exception as error:
        return _not_made(error)
    if not client.is_connected:
        await _connect(client)
    try:
        await client.sendmail(settings().mail_from, to, mail)
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


def _mark(attempts: Mapping[int, _Attempt], until: datetime) -> list[Result]:
    """Write down what came of attempts, each with its result; nothing of a notice whose claim has passed to another
    dispatcher meanwhile."""
    now = clock.now()
    sent = [notice_id for notice_id, attempt in attempts.items() if attempt.result is Result.SENT]
    with transaction() as session:
        accepted = (
            _ended(until).where(_OUTBOX.c.id.in_(sent)).values(state=NoticeState.SENT, sent_at=now, last_error=None)
        )
        results = [Result.SENT for _ in session.scalars(accepted)] if sent else []
        for notice_id in attempts.keys() - set(sent):
            failed = _ended(until).where(_OUTBOX.c.id == notice_id).values(last_error=attempts[notice_id].error)
            if tried := session.scalar(failed):
                results.append(_after_failure(session, notice_id, tried, attempts[notice_id], now))
    return results


def _ended(until: datetime) -> ReturningUpdate[tuple[int]]:
    """Of notices that are still ours: one more attempt is over, and with it the claim. Returns how many there were."""
    over = update(_OUTBOX).where(_OUTBOX.c.claimed_until == until)
    return over.values(attempts=_OUTBOX.c.attempts + 1, claimed_until=None).returning(_OUTBOX.c.attempts)


def _after_failure(session: Session, notice_id: int, tried: int, attempt: _Attempt, now: datetime) -> Result:
    """Put a notice off, or give it up and say so to staff."""
    ours = update(_OUTBOX).where(_OUTBOX.c.id == notice_id)
    if attempt.result is Result.RETRY and tried < ATTEMPTS:
        wait = wait_after(tried) * random.uniform(1 - JITTER, 1 + JITTER)
        session.execute(ours.values(next_attempt_at=now + wait))
        return Result.RETRY
    session.execute(ours.values(state=NoticeState.DEAD))
    _ask_staff(session, notice_id, attempt.error, now)
    return Result.DEAD


def _ask_staff(session: Session, notice_id: int, error: str, now: datetime) -> None:
    """Open the staff task of a dead notice, unless it is about the mailbox itself."""
    dead = session.execute(select(_OUTBOX).where(_OUTBOX.c.id == notice_id)).one()
    if dead.notice in TO_MAILBOXES:
        return
    what = f"{_whom(dead)}的一封通知无法送达（{error}）。请按登记的电话联系收件人，告知通知内容并核对邮箱。"
    ask_staff(session, f"undeliverable:{dead.message_id}", dead.case_no, what, now)


def _whom(dead: Row[Any]) -> str:
    try:
        return f"发往{mask_address(keys().decrypt_text(dead.recipient))}"
    except NotOursError:
        return "收件地址无法解密"


def _release(ids: Sequence[int], claimed_until: datetime) -> None:
    """Give back what was claimed and not tried; it is still due."""
    with transaction() as session:
        session.execute(
            update(_OUTBOX)
            .where(_OUTBOX.c.id.in_(ids), _OUTBOX.c.claimed_until == claimed_until)
            .values(claimed_until=None)
        )
