"""One engine a process, since a second one's connections would be nobody's to close; and many rows at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import cast

import pytest
from sqlalchemy import Table, select
from sqlalchemy.exc import IntegrityError

from models.migrations import migrate
from models.organisations import Nonce
from models.records import AuditEntry
from runtime.database import engine, insert_many, reading, transaction
from tests.conftest import forget_settings


def test_threads_that_ask_at_once_get_the_same_engine(home: Path) -> None:
    together = Barrier(8)

    def ask(_: int) -> int:
        together.wait()
        return id(engine())

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(ask, range(8)))) == 1


def test_many_rows_go_in_as_they_come_out(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EZT_DATABASE_URL", empty_database)
    forget_settings()
    migrate(empty_database)
    at = datetime(2026, 11, 25, 1, 2, 3, 456789, tzinfo=UTC)
    rows = [
        {
            "at": at,
            "case_no": None if number % 2 else f"YY-{number}",
            "actor": "𠮷\t\\N\n'\"",
            "tag": "a:b:c",
            "detail": {"说明": "x" * number, "nothing": None, "list": [1, "二"]},
        }
        for number in range(3)
    ]
    with transaction() as session:
        insert_many(session, cast("Table", AuditEntry.__table__), rows)
        insert_many(session, cast("Table", AuditEntry.__table__), [])
    with reading() as session:
        kept = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [{name: getattr(entry, name) for name in rows[0]} for entry in kept] == rows


def test_many_rows_go_in_together_or_not_at_all(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EZT_DATABASE_URL", empty_database)
    forget_settings()
    migrate(empty_database)
    spent = [{"key": "k", "nonce": nonce, "expires_at": datetime(2026, 1, 1, tzinfo=UTC)} for nonce in ("a", "b", "a")]
    with pytest.raises(IntegrityError), transaction() as session:
        insert_many(session, cast("Table", Nonce.__table__), spent)
    with reading() as session:
        assert session.scalars(select(Nonce)).all() == []
