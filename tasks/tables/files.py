"""Tables that people send: workbooks (XLSX, XLS, ET) and CSV in the encodings in use, read row by row.

Whatever is wrong with a file is one Chinese sentence that names it and, where it can, the place.
"""

import csv
import io
import json
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any, BinaryIO

from regulation.backfill.paper_values import Cell
from runtime.refusals import InputError
from tasks.tables import workbook_reader
from tasks.tables.limited_processes import limited_process

WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
"""How XLSX (and ET as WPS writes it now) and XLS (and ET as it used to be) begin."""
UTF_8, GB18030 = "utf-8-sig", "gb18030"
DIGITS_OF_A_FLOAT = 15
"""A number of more digits has lost its last ones by the time it is here."""
LONG_NUMBER = 10**11
"""From 12 digits on spreadsheets show a number as 3.30603E+11, so that nobody sees what has become of it, and programs
that save it as CSV write that."""
_SHORTENED = re.compile(r"[0-9](?:\.[0-9]+E\+?|E\+)[0-9]{2}", re.IGNORECASE)
"""Such a number as text. A room may be called 2E05."""
CHARACTERS_THAT_TELL = 4
"""So many Chinese characters in a row of UTF-8 are hardly ever what GB18030 looks like by chance."""
PROGRAM = "import sys; from tasks.tables.workbook_reader import main; sys.exit(main())"
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")

Row = Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of a file is read: its rows, and the memory (bytes) and time (seconds) that a workbook may take."""

    rows: int
    memory: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Merged:
    """Cells that are merged into one, by their first and last row, counted from 1."""

    first_row: int
    last_row: int


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows in order, blank ones included, and what a workbook has beside them."""

    name: str
    rows: Iterator[Row]
    length: int
    """How many rows there are at most: of a CSV its lines, more than one of which may be a row."""
    formula: str = ""
    """Where the first formula stands, such as B2."""
    merged: tuple[Merged, ...] = ()


@contextmanager
def opened_table(name: str, source: Path | bytes, bounds: Bounds) -> Iterator[Table]:
    """A file's rows while the block lasts. ``InputError`` for what is no table, at once or at the row where it ends."""
    with _opened(source) as file:
        start = file.read(8)
        file.seek(0)
        if not start:
            raise InputError(f"“{name}”是空文件，无法读取，请核对后重新选择。")
        if start.startswith(WORKBOOKS):
            with _workbook(name, file, bounds) as table:
                yield table
        else:
            encoding, lines = _encoding(name, file)
            file.seek(0)
            text = io.TextIOWrapper(file, encoding=encoding, newline="")
            try:
                yield Table(name, _bounded(name, _csv(name, text), bounds.rows), lines)
            finally:
                # The file is its opener's to close.
                text.detach()


@contextmanager
def _opened(source: Path | bytes) -> Iterator[BinaryIO]:
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield file
    else:
        # Our reader of workbooks takes a file, whose content need not fit through a pipe.
        with tempfile.TemporaryFile() as file:
            file.write(source)
            file.seek(0)
            yield file


@contextmanager
def _workbook(name: str, file: BinaryIO, bounds: Bounds) -> Iterator[Table]:
    with limited_process(PROGRAM, file, bounds.memory, bounds.seconds, str(bounds.rows)) as reader:
        assert reader.stdout is not None  # noqa: S101
        first = reader.stdout.readline()
        if not first:
            raise InputError(_why_not(name, reader.wait(), bounds))
        about = json.loads(first)
        merged = tuple(Merged(start[0] + 1, end[0] + 1) for start, end in about["merged"])
        yield Table(name, _rows_from(name, reader, bounds), about["rows"], about["formula"] or "", merged)


def _rows_from(name: str, reader: "subprocess.Popen[str]", bounds: Bounds) -> Iterator[Row]:
    assert reader.stdout is not None  # noqa: S101
    for line in reader.stdout:
        if not line.endswith("\n"):
            break
        yield _cells(json.loads(line))
    if (code := reader.wait()) != 0:
        raise InputError(_why_not(name, code, bounds))


def _why_not(name: str, code: int, bounds: Bounds) -> str:
    match code:
        case workbook_reader.TOO_LONG:
            return _too_many(name, bounds.rows)
        case workbook_reader.LOCKED:
            return f"“{name}”加了密码，无法读取，请去掉密码后重试。"
        case workbook_reader.MACROS:
            return f"“{name}”含有宏，不予接收，请另存为不含宏的XLSX或CSV重试。"
        case workbook_reader.UNREADABLE:
            return f"“{name}”已损坏、不完整或不是表格，无法读取，请另存为XLSX或CSV重试。"
    return f"“{name}”作为工作簿过大或已损坏，无法读取，请另存为CSV（大小不受此限）或分成几个文件重试。"


def _too_many(name: str, rows: int) -> str:
    return f"“{name}”超过{rows}行，请删去多余的行或分成几个文件后重试。"


def _bounded(name: str, rows: Iterator[Row], most: int) -> Iterator[Row]:
    for number, row in enumerate(rows, 1):
        if number > most:
            raise InputError(_too_many(name, most))
        yield row


def _cells(values: list[Any]) -> list[Cell]:
    """A row as ``workbook_reader.as_json`` wrote it."""
    return [_cell(value) if value.__class__ is list else value for value in values]


def rows_from_json(text: bytes) -> list[list[Cell]]:
    """Rows as ``as_json`` wrote them."""
    return [_cells(row) for row in json.loads(text)]


def _cell(value: list[Any]) -> Cell:
    kind, written = value
    if kind == "date":
        at = datetime.fromisoformat(written)
        return at if "T" in written else at.date()
    return time.fromisoformat(written) if isinstance(written, str) else time()


def _csv(name: str, text: io.TextIOWrapper) -> Iterator[Row]:
    rows = csv.reader(text, strict=True)
    try:
        yield from rows
    except csv.Error:
        raise InputError(
            f"“{name}”第{rows.line_num}行的引号没有成对或内容过长，无法读取，文件可能不完整，请更正后重试。"
        ) from None


def _encoding(name: str, file: BinaryIO) -> tuple[str, int]:
    """UTF-8 or GB18030, as the whole file tells, and the number of its lines: Excel on a Chinese Windows writes GB18030
    without a mark, WPS often UTF-8 with one. ``InputError`` names the first line that is neither, or not what the
    others are."""
    utf_8: int | None = None
    other: int | None = None
    number = 0
    marked = file.read(3) == b"\xef\xbb\xbf"
    file.seek(0)
    for number, line in enumerate(file, 1):
        if b"\0" in line:
            raise InputError(
                f"“{name}”第{number}行不是文字，无法读取；应为XLSX、XLS、ET，或UTF-8、GB18030编码的CSV，请另存后重试。"
            )
        if line.isascii():
            continue
        try:
            if len(line.decode()) + 2 * CHARACTERS_THAT_TELL <= len(line):
                utf_8 = utf_8 or number
        except UnicodeDecodeError:
            other = other or number
            try:
                line.decode(GB18030)
            except UnicodeDecodeError:
                raise InputError(
                    f"“{name}”第{number}行有既不是UTF-8也不是GB18030编码的字，文件可能已损坏，请另存后重试。"
                ) from None
    if other is None:
        return UTF_8, number
    if marked or utf_8 is not None:
        one = f"第{utf_8}行" if utf_8 is not None else "开头"
        raise InputError(f"“{name}”的编码前后不一：{one}是UTF-8，第{other}行是GB18030，请用同一种编码重新合并后重试。")
    return GB18030, number


def text_of(cell: Cell) -> str:
    """A cell as the text it stands for; a number that has lost digits in the notation that shows it."""
    match cell:
        case None:
            return ""
        case bool():
            return "是" if cell else "否"
        case datetime():
            return str(cell.date())
        case float():
            if abs(cell) >= 10**DIGITS_OF_A_FLOAT:
                return f"{cell:.5E}"
            return str(int(cell)) if cell.is_integer() else str(cell)
    return str(cell)


def lost_in(cell: Cell) -> str:
    """What a spreadsheet has made of a long number, in Chinese, for the column's name to stand before; empty for a cell
    that says what somebody wrote.

    >>> lost_in("330603201903050001"), lost_in(13800000000.0)
    ('', '')
    >>> lost_in(330603201903050001.0)
    '“3.30603E+17”是被表格软件改写的长数字，末几位已丢失，请将该列设为文本后重填'
    >>> lost_in(330603201903.0)
    '“3.30603E+11”是数值单元格里的长数字，末几位或开头的0可能已丢失，请将该列设为文本后重填'
    """
    if isinstance(cell, str):
        shown, certain = cell.strip().removeprefix("'"), True
        if not _SHORTENED.fullmatch(shown):
            return ""
    elif isinstance(cell, int | float) and abs(cell) >= LONG_NUMBER:
        shown, certain = f"{cell:.5E}", abs(cell) >= 10**DIGITS_OF_A_FLOAT
    else:
        return ""
    what = "被表格软件改写的长数字，末几位已丢失" if certain else "数值单元格里的长数字，末几位或开头的0可能已丢失"
    return f"“{shown}”是{what}，请将该列设为文本后重填"


def as_json(rows: Iterable[Row]) -> str:
    """Rows as ``rows_from_json`` reads them."""
    return json.dumps(list(rows), default=workbook_reader.as_json)


def harmless(value: str) -> str:
    """A text that no program takes for a formula; the apostrophe is taken away again when the table comes back."""
    return f"'{value}" if value.startswith(FORMULA_SIGNS) else value


def is_blank(row: Row) -> bool:
    """Whether nothing stands in a row."""
    return not any(cell is not None and (not isinstance(cell, str) or cell.strip()) for cell in row)
