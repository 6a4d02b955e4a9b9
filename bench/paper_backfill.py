"""A file of paper certificates from its bytes to the register, beside inserting the same finished rows by SQLAlchemy
Core's executemany into the same tables: ``python -m bench.paper_backfill``.

With ``EZT_DATABASE_URL`` of an empty PostgreSQL database, one size and one round also COPY beside executemany. On two
cores, 100,000 rows: the whole in 2.5 times executemany's time, COPY twice as fast as executemany (3.0 times at 30,000
rows), 232 MB.
"""

import csv
import os
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, Table, create_engine, insert, select, text
from sqlalchemy.orm import Session
from stdnum.cn import ric

from bench.figures import Figure, arguments, rounds_at, save
from ezt.samples import data as sample_data
from models.cases import Case
from models.migrations import migrate
from regulation.backfill.batches import Outcome
from runtime import clock
from runtime.database import build_engine, engine, insert_many, reading
from runtime.keys import ensure_keys
from tasks.backfill.batches import (
    ROW_REGISTERED,
    batch_of,
    check_chunk,
    chunks_to_check,
    draw_sample,
    judge_sample,
    register_batch,
    submit_batch,
)
from tasks.backfill.checks import check_file
from tasks.backfill.questions import BatchSampleReview
from tasks.case.answers import Signature, answer_or_wait, take_officer_answer
from tasks.office.signatures import DESK
from tests.conftest import forget_settings

CHUNK = 5_000
INSERTED, COPIED, WHOLE, MEMORY = (
    "the finished rows by executemany",
    "the finished rows by COPY",
    "whole",
    "peak memory",
)
RATIOS = {WHOLE: INSERTED, COPIED: INSERTED}
FAMILY, GIVEN = "王李张刘陈杨赵黄周吴", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平"


def person(number: int, male: bool) -> tuple[str, str]:
    """A name and an identity number; no two alike in a file."""
    born = date(1950, 1, 1) + timedelta(days=number % 15_000)
    head = f"330621{born:%Y%m%d}{number // 15_000 * 2 + male:03}"
    name = FAMILY[number % 10] + GIVEN[number // 10 % 20] + GIVEN[number // 200 % 20]
    return name, head + ric.calc_check_digit(f"{head}0")


def write(path: Path, rows: int) -> None:
    """Marriage certificates as a county's archive lists them."""
    headings = ["结婚证字号", "持证人", "男方姓名", "男方身份证号", "女方姓名", "女方身份证号", "登记机关", "登记日期"]
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(headings)
        for number in range(rows):
            (he, his), (she, hers) = person(number, True), person(number, False)
            on = date(1995, 1, 1) + timedelta(days=number % 7000)
            at = f"{on.year}年{on.month}月{on.day}日"
            no = f"J330621-{on.year}-{number:07}"
            writer.writerow([no, he, he, his, she, hers, "绍兴县民政局", at])


@contextmanager
def timed(seconds: dict[str, float], what: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[what] = time.perf_counter() - started


def backfill(path: Path, seconds: dict[str, float]) -> str:
    """The story's own steps; the sample's answer is the only thing that a person adds."""
    with timed(seconds, "submit"):
        case_no = submit_batch(path, "结婚证", sample_data.DEPARTMENTS[5], "MZ-1", "KQ001", "")
    with timed(seconds, "check"):
        for chunk in chunks_to_check(case_no):
            check_chunk.run(case_no, chunk)
    with timed(seconds, "draw"):
        draw_sample.run(case_no)
    assert answer_or_wait(case_no, BatchSampleReview, 1) is None
    # Whoever has the batch is not who entered it.
    with reading() as session:
        officer = session.get_one(Case, case_no).officer_no
    take_officer_answer(case_no, BatchSampleReview, 1, "sample", {"wrong": "无"}, Signature(officer, "", DESK))
    with timed(seconds, "register"):
        assert judge_sample.run(case_no)
        register_batch.run(case_no)
    return case_no


def finished_rows(case_no: str) -> tuple[MetaData, list[tuple[Table, list[dict[str, Any]]]]]:
    """The tables as they are, and what the batch put into them."""
    source = MetaData()
    source.reflect(engine(), only=["certificates", "audit_entries"])
    certificates, entries = source.tables["certificates"], source.tables["audit_entries"]
    with create_engine(engine().url).connect() as there:
        made = there.execute(select(certificates).where(certificates.c.backfilled_by_case == case_no)).mappings().all()
        said = there.execute(select(entries).where(entries.c.tag == ROW_REGISTERED)).mappings().all()
    given: list[dict[str, Any]] = [{**row, "backfilled_by_case": None} for row in made]
    return source, [(certificates, given), (entries, [dict(row) for row in said])]


def side_by_side(case_no: str) -> tuple[float, float]:
    """Seconds on PostgreSQL for the same finished rows by executemany and by COPY, each into fresh tables with the same
    indexes, which the end of the transaction takes away again."""
    _, tables = finished_rows(case_no)

    def by_executemany(session: Session, table: Table, rows: list[dict[str, Any]]) -> None:
        session.execute(insert(table), rows)

    took = []
    for way in (by_executemany, insert_many):
        with Session(engine()) as session:
            session.execute(text("CREATE SCHEMA fresh"))
            for table, _rows in tables:
                session.execute(text(f"CREATE TABLE fresh.{table.name} (LIKE public.{table.name} INCLUDING ALL)"))
            session.execute(text("SET LOCAL search_path TO fresh"))
            started = time.perf_counter()
            for table, rows in tables:
                for first in range(0, len(rows), CHUNK):
                    way(session, table, rows[first : first + CHUNK])
            took.append(time.perf_counter() - started)
            session.rollback()
    return took[0], took[1]


def bare(home: Path, case_no: str) -> float:
    """Seconds for the same finished rows alone, into a database of the same tables."""
    source, rows = finished_rows(case_no)
    address = f"sqlite:///{home / 'bare.db'}"
    migrate(address)
    target = build_engine(address)
    with target.begin() as connection:
        kinds = source.tables.get("certificate_types")
        assert kinds is not None
        with engine().connect() as there:
            connection.execute(insert(kinds), [dict(row) for row in there.execute(select(kinds)).mappings()])
    started = time.perf_counter()
    for table, finished in rows:
        some = iter(finished)
        while chunk := list(islice(some, CHUNK)):
            with target.begin() as connection:
                connection.execute(insert(table), chunk)
    return time.perf_counter() - started


def measure(rows: int, rounds: int) -> list[Figure]:
    """Files of so many rows, each into an installation of its own."""
    took: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for what, value in once(rows).items():
            took[what].append(value)
    return [
        Figure(what, "MB" if what == MEMORY else "s", rows, "rows", values, RATIOS.get(what))
        for what, values in took.items()
    ]


def once(rows: int) -> dict[str, float]:
    """What one file took, step by step, and what the same rows take when they are only inserted."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"EZT_HOME": folder, "EZT_ONE_TIME_CODES": "false"}
        forget_settings()
        home, seconds = Path(folder), dict[str, float]()
        ensure_keys()
        migrate()
        sample_data.load(sizes=sample_data.Sizes(holders=10))
        path = home / "结婚证.csv"
        write(path, rows)
        with timed(seconds, "dry run"):
            report = check_file(path, "结婚证", clock.today())
        assert report.counts == {Outcome.GOOD: rows}, report.counts
        case_no = backfill(path, seconds)
        with reading() as session:
            assert batch_of(session, case_no).registered == rows
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        whole = sum(seconds.values()) - seconds["dry run"]
        if engine().dialect.name == "postgresql":
            inserted, seconds[COPIED] = side_by_side(case_no)
        else:
            inserted = bare(home, case_no)
    return {INSERTED: inserted, WHOLE: whole, **seconds, MEMORY: peak}


def main() -> None:
    given = arguments(__doc__, rows=[1_000, 10_000, 100_000], rounds=5)
    figures = [each for n in given.rows for each in measure(n, rounds_at(n, given.rows, given.rounds))]
    save(given.results, "paper_backfill", figures)


if __name__ == "__main__":
    main()
