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

from sqlalchemy import delete, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.organisations import Nonce
from models.records import AuditEntry
from regulation.limits import SIGNATURE_WINDOW
from runtime import clock
from runtime.database import transaction
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
            with transaction() as session:
                replayed = self._write(session, together)
        except Exception as error:
            if len(together) == 1:
                together[0].durable.set_exception(error)
                return
            # One that cannot be written must not take the others with it.
            for submission in together:
                self._commit([submission])
            return
        for submission in together:
            if submission in replayed:
                submission.durable.set_exception(ReplayedError("随机值已用过，请为每次请求生成新的随机值。"))
            else:
                submission.durable.set_result(None)

    def _write(self, session: Session, together: Sequence[_Submission]) -> list[_Submission]:
        """Write what may be written; returns the submissions whose nonces were used before."""
        fresh = _spend(session, {(s.nonce.key, s.nonce.nonce): s.nonce for s in together if s.nonce})
        replayed = []
        for submission in together:
            if submission.nonce is not None:
                try:
                    # Removed when met: of two submissions with one nonce in one commit the second is the replay.
                    fresh.remove((submission.nonce.key, submission.nonce.nonce))
                except KeyError:
                    replayed.append(submission)
        rows = [s.entry.row for s in together if s.entry and s not in replayed]
        if rows:
            session.execute(insert(AuditEntry), rows)
        self._forget_old_nonces(session)
        return replayed

    def _forget_old_nonces(self, session: Session) -> None:
        now = clock.now()
        if self._forgot_at is None or not timedelta() <= now - self._forgot_at < FORGET_EVERY:
            session.execute(delete(Nonce).where(Nonce.expires_at < now))
            self._forgot_at = now


def _spend(session: Session, nonces: dict[tuple[str, str], SpentNonce]) -> set[tuple[str, str]]:
    """Store the nonces; those that nobody had stored before."""
    if not nonces:
        return set()
    upsert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    storing = upsert(Nonce).on_conflict_do_nothing().returning(Nonce.key, Nonce.nonce)
    return set(session.execute(storing, [nonce.row for nonce in nonces.values()]).tuples())


@cache
def journal() -> Journal:
    """The journal of this process."""
    return Journal()
