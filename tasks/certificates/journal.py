"""Audit entries of certificate use, written by one thread a process: calls that come at once share a commit.

A call's nonce and its entry are one write. Whoever enters them waits until they are durable, so no answer leaves before
its entry, and a nonce that any process has seen before stops the call.
"""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from queue import Empty, SimpleQueue
from typing import Any

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from models.organisations import Nonce
from models.records import AuditEntry
from regulation.limits import SIGNATURE_WINDOW
from runtime import clock
from runtime.database import engine, one_read
from runtime.refusals import RefusalError

TOGETHER = 200
"""Submissions that share a commit at the most."""
GATHER_SECONDS = 0.001
FORGET_EVERY = timedelta(minutes=1)


class ReplayedError(RefusalError):
    """A nonce that was used before."""


@dataclass(frozen=True, slots=True)
class SpentNonce:
    """The nonce of a signed request; kept as long as its signature could be replayed."""

    key: str
    nonce: str
    at: datetime

    @property
    def row(self) -> dict[str, Any]:
        expires_at = self.at + timedelta(seconds=2 * SIGNATURE_WINDOW.value)
        return {"key": self.key, "nonce": self.nonce, "expires_at": expires_at}


@dataclass(frozen=True, slots=True)
class Entry:
    """An audit entry to be; as ``models.records.AuditEntry``."""

    at: datetime
    actor: str
    tag: str
    detail: dict[str, Any]
    holder_index: str | None = None
    case_no: str | None = None

    @property
    def row(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("at", "case_no", "actor", "tag", "holder_index", "detail")}


@dataclass(frozen=True, slots=True)
class _Submission:
    nonce: SpentNonce | None
    entry: Entry | None
    durable: "Future[None]"


class Journal:
    """The one writer of a process."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[_Submission] = SimpleQueue()
        self._forgot_at: datetime | None = None
        threading.Thread(target=self._write_on, name="journal", daemon=True).start()

    def enter(self, nonce: SpentNonce | None, entry: Entry | None) -> "Future[None]":
        """Write both, or neither: done once they are durable. It fails with ``ReplayedError`` for a nonce used before,
        and with what the database raises."""
        submission = _Submission(nonce, entry, Future())
        self._waiting.put(submission)
        return submission.durable

    def _write_on(self) -> None:
        while True:
            together = [self._waiting.get()]
            # So short that nobody at a counter notices, and long enough for what came at the same time.
            time.sleep(GATHER_SECONDS)
            while len(together) < TOGETHER:
                try:
                    together.append(self._waiting.get_nowait())
                except Empty:
                    break
            self._commit(together)

    def _commit(self, together: Sequence[_Submission]) -> None:
        try:
            with engine().begin() as connection:
                self._write(connection, together)
        except Exception as error:
            if len(together) > 1:
                # One that cannot be written, such as a replay, must not take the others with it.
                for submission in together:
                    self._commit([submission])
                return
            if together[0].nonce is not None and isinstance(error, IntegrityError) and _is_spent(together[0].nonce):
                error = ReplayedError("随机值已用过，请为每次请求生成新的随机值。")
            together[0].durable.set_exception(error)
            return
        for submission in together:
            submission.durable.set_result(None)

    def _write(self, connection: Connection, together: Sequence[_Submission]) -> None:
        """Write all or nothing. ``IntegrityError`` when one of the nonces was used before, here or in ``together``."""
        nonces = [submission.nonce.row for submission in together if submission.nonce]
        entries = [submission.entry.row for submission in together if submission.entry]
        if nonces:
            connection.execute(_SPEND, nonces)
        if entries:
            connection.execute(_RECORD, entries)
        now = clock.now()
        if self._forgot_at is None or not timedelta() <= now - self._forgot_at < FORGET_EVERY:
            connection.execute(delete(Nonce).where(Nonce.expires_at < now))
            self._forgot_at = now


def _is_spent(nonce: SpentNonce) -> bool:
    wanted = select(Nonce.key).where(Nonce.key == nonce.key, Nonce.nonce == nonce.nonce)
    with one_read() as connection:
        return connection.execute(wanted).first() is not None


_SPEND, _RECORD = insert(Nonce), insert(AuditEntry)


@cache
def journal() -> Journal:
    """The journal of this process."""
    return Journal()
