"""A batch's file (Article 11): its headings, and its rows by field code."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from regulation.backfill.files import Headings, read_headings
from regulation.backfill.judge import PaperType
from regulation.backfill.problems import Severity
from regulation.limits import BACKFILL_ROWS
from runtime.refusals import InputError
from tasks.tables.files import Bounds, Row, Table, is_blank, opened_table, text_of
from tasks.tables.headed import HEADING_ROWS, heading_row

T = TypeVar("T")

LEAST_HEADINGS = 2
"""A title above the table can be taken for one heading, but not for more."""
BOUNDS = Bounds(BACKFILL_ROWS.value + HEADING_ROWS, memory=512 << 20, seconds=120)
"""A workbook's memory is what keeps the whole check under 600 MB: enough for some 500,000 rows of eight columns. A CSV
is read row by row and needs none of it."""
CHUNK = 5_000
"""Rows that are checked in one transaction."""


@dataclass(frozen=True, slots=True)
class BatchFile:
    """A file of one type's certificates while it is read."""

    name: str
    headings: tuple[str, ...]
    places: dict[str, int]
    """Which field stands in which column, counted from 0."""
    remarks: tuple[str, ...]
    """What is wrong with the headings without keeping the file out."""
    rows: Iterator[tuple[int, Row]]
    """What stands below the headings, each row with its number as the table's program shows it."""
    length: int
    """How many rows stand below the headings at most, blank ones included."""


@contextmanager
def opened_batch(name: str, source: Path | bytes, kind: PaperType) -> Iterator[BatchFile]:
    """A file while the block lasts. ``InputError`` for a file that cannot be read and for headings that do not do."""
    with opened_table(name, source, BOUNDS) as table:
        if table.formula:
            raise InputError(f"“{name}”的单元格{table.formula}是公式，请将公式改为数值（复制后选择性粘贴）再重试。")
        first = list(islice(table.rows, HEADING_ROWS))
        place, headings = _headings(name, first, kind)
        below = [merged.first_row for merged in table.merged if merged.last_row > place + 1]
        if below:
            raise InputError(f"“{name}”第{max(min(below), place + 1)}行有合并的单元格，请取消合并、逐行填写后重试。")
        yield BatchFile(
            name,
            tuple(text_of(cell) for cell in first[place]),
            headings.places,
            tuple(each.in_words(each.field) for each in headings.problems),
            _below(name, [*first[place + 1 :]], table, place + 2),
            table.length - place - 1,
        )


def _headings(name: str, first: list[Row], kind: PaperType) -> tuple[int, Headings]:
    """Where the headings stand, and what they say."""
    read = [read_headings(row, kind) for row in first]
    place = heading_row(
        read,
        lambda headings: len(headings.places) if len(headings.places) >= LEAST_HEADINGS else 0,
        f"“{name}”的前{HEADING_ROWS}行中没有“{kind.name}”的表头，请核对证照类型，或补上列名后重试。",
    )
    best = read[place]
    wrong = [each.in_words(each.field) for each in best.problems if each.severity is Severity.ERROR]
    if wrong:
        raise InputError(f"“{name}”第{place + 1}行的表头须更正：{''.join(wrong)}")
    return place, best


def _below(name: str, first: list[Row], table: Table, number: int) -> Iterator[tuple[int, Row]]:
    nothing = True
    for rows in (first, table.rows):
        for row in rows:
            if not is_blank(row):
                nothing = False
                yield number, row
            number += 1
    if nothing:
        raise InputError(f"“{name}”只有表头，没有可补录的行，请核对是否选错了文件。")


def in_chunks(rows: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The rows, so many at a time."""
    rows = iter(rows)
    while chunk := list(islice(rows, size)):
        yield chunk
