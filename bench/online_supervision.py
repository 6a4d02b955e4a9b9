"""A quarter of the record judged by every rule of online supervision, beside one pass that only reads the same entries
and parses their details: ``python bench/online_supervision.py [entries]``."""

import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Text, cast, insert, select

from ezt import sample_data
from models.migrations import migrate
from models.records import AuditEntry
from regulation.online_supervision import looking_back
from runtime.database import engine, reading
from runtime.keys import ensure_keys
from tasks.online_supervision import signs_of

LAST = date(2026, 9, 30)
DAYS = 92
DEPARTMENTS, ITEMS, OPERATORS, TOGETHER = 40, 8, 50, 10_000
TYPE = "11100000000013338W009"


def entries(number: int) -> Iterator[dict[str, Any]]:
    """So many uses of a quarter, three to a business case, spread over the day as counters work."""
    chance, first = random.Random(1), datetime(2026, 6, 30, 16, tzinfo=UTC)  # noqa: S311
    for case in range(number // 3):
        department, item = chance.randrange(DEPARTMENTS), chance.randrange(ITEMS)
        at = first + timedelta(days=case * DAYS * 3 // number, minutes=chance.randrange(8 * 60, 18 * 60))
        detail = {
            "department": f"1133062100{department:08}",
            "item": f"330603-D{department:02}-{item:03}",
            "type": TYPE,
            "entry": item + 1,
            "version": item + 1,
            "operator": f"D{department:02}-{chance.randrange(OPERATORS):03}",
            "business_no": f"SP-2026-{case:08}",
            "purpose": "核对申请人的主体资格",
            "certificates": [f"1.2.156.3005.2.{TYPE}.11330105002500287C.2025052201.002.0"],
            "fields": ["holder", "number", "address"],
            "subject": "330603********1234",
            "result": "valid",
        }
        holder = sha256(str(case).encode()).hexdigest()
        for operation in ("query", "extract", "authenticate"):
            tag = f"certificate:{operation}:answered"
            yield {"at": at, "actor": f"KQ-{department:02}", "tag": tag, "detail": detail, "holder_index": holder}


def fill(number: int) -> None:
    rows: list[dict[str, Any]] = []
    with engine().begin() as connection:
        for row in entries(number):
            rows.append(row)
            if len(rows) == TOGETHER:
                connection.execute(insert(AuditEntry), rows)
                rows.clear()
        if rows:
            connection.execute(insert(AuditEntry), rows)


def only_read() -> int:
    """What nobody can do without: each entry read and its detail parsed."""
    wanted = select(AuditEntry.tag, AuditEntry.holder_index, cast(AuditEntry.detail, Text))
    read = 0
    with reading() as session:
        for _, _, detail in session.connection().execute(wanted, execution_options={"yield_per": TOGETHER}):
            read += bool(orjson.loads(detail))
    return read


def main() -> None:
    """Print the seconds of both and their ratio."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EZT_HOME"] = str(Path(folder) / "var")
        ensure_keys()
        migrate()
        sample_data.load()
        fill(number)
        started = time.perf_counter()
        read = only_read()
        reading_took = time.perf_counter() - started
        started = time.perf_counter()
        with reading() as session:
            signs = signs_of(session, looking_back(LAST, DAYS))
        took = time.perf_counter() - started
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{read} entries of {DAYS} days, {len(signs)} signs")
    print(f"read and parsed {reading_took:6.1f} s")
    print(f"supervised      {took:6.1f} s  ratio {took / reading_took:.2f}  peak memory {memory:.0f} MB")


if __name__ == "__main__":
    main()
