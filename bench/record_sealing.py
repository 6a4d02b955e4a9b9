"""Sealing and verifying the record, beside the read and raw SHA-256 over the same bytes:
``python bench/record_sealing.py``."""

import hashlib
import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from models.migrations import migrate
from models.records import AuditEntry
from runtime.database import reading, transaction
from runtime.keys import ensure_keys
from tasks.records import ENTRIES_IN_A_BLOCK, _entries, seal_record, verify_record

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
            session.execute(insert(AuditEntry), rows)


def main() -> None:
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as home:
        os.environ["EZT_HOME"] = home
        ensure_keys()
        migrate()
        fill(entries)
        started, bare = time.perf_counter(), hashlib.sha256()
        with reading() as session:
            for after in range(0, entries, ENTRIES_IN_A_BLOCK):
                for entry in _entries(session, after, after + ENTRIES_IN_A_BLOCK):
                    bare.update(entry.canonical())
        plain = time.perf_counter() - started
        started = time.perf_counter()
        seal_record(AT)
        sealed = time.perf_counter() - started
        started = time.perf_counter()
        verified = verify_record()
        checked = time.perf_counter() - started
    assert (verified.entries, verified.findings) == (entries, ())
    ratios = {
        "entries": entries,
        "read_and_sha256_s": round(plain, 2),
        "seal_ratio": round(sealed / plain, 2),
        "verify_ratio": round(checked / plain, 2),
    }
    print(json.dumps(ratios))


if __name__ == "__main__":
    main()
