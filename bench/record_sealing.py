"""Sealing and verifying the record, beside the read and raw SHA-256 over the same bytes:
``python -m bench.record_sealing``."""

import hashlib
import os
import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from sqlalchemy import Table

from bench.figures import Figure, arguments, rounds_at, save
from models.migrations import migrate
from models.records import AuditEntry
from runtime.database import forget_engine, insert_many, reading, transaction
from runtime.keys import ensure_keys
from tasks.keeping.records import ENTRIES_IN_A_BLOCK, _entries, seal_record, verify_record
from tests.conftest import forget_settings

AT = datetime(2026, 6, 10, 0, 30, tzinfo=UTC)


def fill(entries: int) -> None:
    """Entries as the certificate-use interface will leave them."""
    for first in range(0, entries, ENTRIES_IN_A_BLOCK):
        rows = [
            {
                "at": AT + timedelta(seconds=number),
                "actor": "KQ-SCJG",
                "tag": "certificate:extract:done",
                "holder_index": hashlib.sha256(str(number).encode()).hexdigest(),
                "detail": {"operator": "0012", "item": "食品经营许可", "case": f"S{number:09}", "holder": "俞*云"},
            }
            for number in range(first, min(first + ENTRIES_IN_A_BLOCK, entries))
        ]
        with transaction() as session:
            insert_many(session, cast("Table", AuditEntry.__table__), rows)


def measure(entries: int, rounds: int) -> list[Figure]:
    """A record of so many entries, the same one anew each round, because what is sealed stays sealed."""
    took: dict[str, list[float]] = {"read and SHA-256": [], "seal": [], "verify": []}
    with tempfile.TemporaryDirectory() as home:
        os.environ["EZT_HOME"] = home
        forget_settings()
        ensure_keys()
        migrate()
        fill(entries)
        forget_engine()
        database, unsealed = Path(home) / "ezt.db", Path(home) / "unsealed.db"
        shutil.copyfile(database, unsealed)
        for _ in range(rounds):
            shutil.copyfile(unsealed, database)
            with reading() as session:
                session.connection()
                started, bare = time.perf_counter(), hashlib.sha256()
                for after in range(0, entries, ENTRIES_IN_A_BLOCK):
                    for entry in _entries(session, after, after + ENTRIES_IN_A_BLOCK):
                        bare.update(entry.canonical())
            took["read and SHA-256"].append(time.perf_counter() - started)
            started = time.perf_counter()
            seal_record(AT)
            took["seal"].append(time.perf_counter() - started)
            started = time.perf_counter()
            verified = verify_record()
            took["verify"].append(time.perf_counter() - started)
            assert (verified.entries, verified.findings) == (entries, ())
            forget_engine()
    return [
        Figure(what, "s", entries, "entries", seconds, None if what == "read and SHA-256" else "read and SHA-256")
        for what, seconds in took.items()
    ]


def main() -> None:
    given = arguments(__doc__, entries=[1_000, 10_000, 100_000, 1_000_000], rounds=5)
    figures = [each for n in given.entries for each in measure(n, rounds_at(n, given.entries, given.rounds))]
    save(given.results, "record_sealing", figures)


if __name__ == "__main__":
    main()
