"""A quarter of the record judged by every rule of online supervision, beside one pass that only reads the same entries
and parses their details: ``python -m bench.online_supervision``.

With ``EZT_DATABASE_URL`` of an empty PostgreSQL database on PostgreSQL, else on SQLite. The load has what the rules
look for in shares that departments may have: refusals, nights and days off, programs by which holders serve themselves,
several holders a case, numbers that stand for many, certificates that do not hold, paper.

On two quiet cores and SQLite, 10,787,199 entries of a quarter: read and parsed in 37.4 s, supervised in 50.1 s (1.34
times), with 2.35 times the processor time; counted by one process in 90.0 s (2.41), by two in 49.2 s (1.32). Peak
memory 385 MB, 295 MB of it before, and 478 MB of the other process. On PostgreSQL one process takes 1.7 to 2.0 times
the processor time of reading and parsing (600,000 entries, busy cores). Two need 1.5 to 3 s to start, whatever the
number of entries.
"""

import os
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Table, Text, cast, select, text

from bench.figures import Figure, arguments, rounds_at, save
from ezt.samples import catalogue
from ezt.samples import data as samples
from models.certificate_uses import UnavailableReceipt
from models.migrations import migrate
from models.organisations import Application
from models.records import AuditEntry
from regulation.online_supervision import looking_back
from regulation.working_days import WorkingDays
from runtime import clock
from runtime.database import insert_many, reading, transaction
from runtime.keys import ensure_keys
from tasks.office.applications import mark_self_service
from tasks.supervision.nights import signs_of
from tasks.supervision.tallies import tallies_of
from tests.conftest import forget_settings

READ = "read and parsed"
LAST = date(2026, 10, 31)
DAYS = 92
OPERATORS, TOGETHER = 50, 10_000
TYPES = [kind.code for kind in catalogue.KINDS]
IN_THE_LIST = {item.department: item.code for item in catalogue.USE_LIST}
STATES = ("expired", "expired", "expired", "suspended", "revoked", "superseded")


def entries(number: int) -> Iterator[dict[str, Any]]:
    """About so many uses, case by case and day by day, as the interface puts them on record."""
    dice, calendar = random.Random(1), WorkingDays()  # noqa: S311
    days = [LAST - timedelta(days=n) for n in reversed(range(DAYS))]
    # A day off has a twentieth of the uses of a working day.
    weights = [20 if calendar.is_working_day(day) else 1 for day in days]
    case = 0
    for day, weight in zip(days, weights, strict=True):
        for _ in range(number * weight // sum(weights) // 3):
            case += 1
            yield from _case(dice, case, day)


def _case(dice: random.Random, case: int, day: date) -> Iterator[dict[str, Any]]:
    place = dice.randrange(len(catalogue.DEPARTMENTS))
    department = catalogue.DEPARTMENTS[place]
    self_service = dice.random() < 0.15
    # One department works at night, and everybody's holders do.
    at_night = dice.random() < (0.5 if self_service or place == 1 else 0.03)
    minutes = dice.randrange(20 * 60, 24 * 60) if at_night else dice.randrange(8 * 60, 18 * 60)
    item = dice.randrange(8)
    said: dict[str, Any] = {
        "department": samples.department_code(samples.DEFAULT_SEED, department),
        "item": IN_THE_LIST.get(department, "") if not item else "",
        "type": TYPES[item % 3],
        "entry": item + 1,
        "version": item + 1,
        # In one department one operator in fifty does a fifth of the work.
        "operator": f"D{place:02}-{0 if place == 5 and dice.random() < 0.2 else dice.randrange(OPERATORS):03}",
        # In another, one case in ten goes by the same number.
        "business_no": "SP-2026" if place == 2 and dice.random() < 0.1 else f"SP-2026-{case:08}",
        "purpose": "核对申请人的主体资格",
    }
    said["item"] = said["item"] or f"330603-D{place:02}-{item:03}"
    actor = "KQ-SELF" if self_service else f"KQ-D{place:02}"
    started = clock.start_of(day) + timedelta(minutes=minutes)
    for holder in range(1 if dice.random() < 0.95 else dice.randrange(2, 5)):
        who = sha256(f"{case}/{holder}".encode()).hexdigest()
        yield from _uses(dice, said, actor, started, who, 0.2 if place == 4 else 0.03)


def _uses(
    dice: random.Random, said: dict[str, Any], actor: str, at: datetime, holder: str, refused: float
) -> Iterator[dict[str, Any]]:
    row = {"actor": actor, "holder_index": holder, "case_no": None}
    if dice.random() < refused:
        article = dice.choice((9, 9, 13, 15, None))
        why = {"why": "用证清单中今天没有本事项使用该证照的条目，不能使用；请先提出用证清单。"}
        detail = said | why | ({"article": article} if article else {})
        yield row | {"at": at, "tag": "certificate:query:refused", "detail": detail}
        return
    more: dict[str, Any] = {
        "certificates": [f"1.2.156.3005.2.{said['type']}.11330105002500287C.2025052201.002.0"],
        "fields": ["holder", "number", "address"],
        "subject": "330603********1234",
    }
    if dice.random() < 0.01:
        more["test"] = True
    state = dice.choice(STATES) if dice.random() < 0.03 else "valid"
    results = [("query", "1"), ("authenticate", state), ("extract", state)]
    if state != "valid" and dice.random() < 0.5:
        results.append(("extract", "valid"))
    for minute, (operation, result) in enumerate(results):
        tag = f"certificate:{operation}:answered"
        yield row | {"at": at + timedelta(minutes=minute), "tag": tag, "detail": said | more | {"result": result}}


def fill(number: int) -> None:
    table = AuditEntry.__table__
    assert isinstance(table, Table)
    some = entries(number)
    while rows := list(islice(some, TOGETHER)):
        with transaction() as session:
            insert_many(session, table, rows)
    with transaction() as session:
        name = catalogue.DEPARTMENTS[3]
        session.add(Application(key="KQ-SELF", kind="department", speaks_for=name))
        session.add(Application(key="KQ-PAPER", kind="department", speaks_for=name))
        session.flush()
        for place in range(number // 200):
            day = LAST - timedelta(days=place % DAYS)
            receipt = {"receipt_no": f"SL-{place}", "business_no": f"B{place}", "type_code": TYPES[0]}
            session.add(UnavailableReceipt(application_key="KQ-PAPER", on=day, at=clock.start_of(day), **receipt))
    mark_self_service("KQ-SELF", True, "bench")
    with transaction() as session:
        session.execute(text("ANALYZE"))


def only_read() -> int:
    """What nobody can do without: each entry read and its detail parsed."""
    wanted = select(AuditEntry.tag, AuditEntry.actor, AuditEntry.holder_index, cast(AuditEntry.detail, Text))
    wanted = wanted.where(AuditEntry.tag.startswith("certificate:"))
    read = 0
    with reading() as session:
        for *_, detail in session.connection().execute(wanted, execution_options={"yield_per": TOGETHER}):
            read += bool(orjson.loads(detail))
    return read


def processor_time() -> float:
    """Seconds of this process and of those that it started and saw the end of."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def timed(took: dict[str, list[float]], what: str, work: Callable[[], object]) -> None:
    started, processor = time.perf_counter(), processor_time()
    work()
    took.setdefault(what, []).append(time.perf_counter() - started)
    took.setdefault(f"{what}, CPU", []).append(processor_time() - processor)


def measure(number: int, rounds: int) -> list[Figure]:
    """A quarter of about so many entries, judged as often as there are rounds."""
    took: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EZT_HOME"] = str(Path(folder) / "var")
        forget_settings()
        ensure_keys()
        migrate()
        samples.load(sizes=samples.Sizes(holders=10))
        fill(number)
        period = looking_back(LAST, DAYS)
        for _ in range(rounds):
            timed(took, READ, only_read)
            with reading() as session:
                timed(took, "supervised", lambda: signs_of(session, period))
                for processes in (1, 2):
                    counted = partial(tallies_of, session, period, processes)
                    timed(took, f"counted by {processes}", counted)
        # Of all sizes so far, as the system keeps it: the largest one comes last.
        peaks = {"peak memory": resource.RUSAGE_SELF, "peak memory of another process": resource.RUSAGE_CHILDREN}
        memory = {name: [resource.getrusage(whose).ru_maxrss / 1024] for name, whose in peaks.items()}
    figures = []
    for what, seconds in took.items():
        beside = f"{READ}, CPU" if what.endswith(", CPU") else READ
        unit = "CPU s" if what.endswith(", CPU") else "s"
        figures.append(Figure(what, unit, number, "entries", seconds, beside if beside != what else None))
    return figures + [Figure(what, "MB", number, "entries", values) for what, values in memory.items()]


def main() -> None:
    given = arguments(__doc__, entries=[1_000, 10_000, 100_000, 300_000], rounds=5)
    figures = [each for n in given.entries for each in measure(n, rounds_at(n, given.entries, given.rounds))]
    save(given.results, "online_supervision", figures)


if __name__ == "__main__":
    main()
