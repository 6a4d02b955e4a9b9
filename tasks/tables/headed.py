"""Tables with a row of headings, as offices keep them: which column fills which field, and the rows below."""

from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, TypeVar

from regulation.backfill.paper_values import Cell
from regulation.limits import ATTACHMENT_SIZE
from runtime.refusals import InputError
from tasks.tables.files import Bounds, lost_in, opened_table, text_of

T = TypeVar("T")

IGNORED = {"序号", "备注"}
HEADING_ROWS = 10
"""Rows among which the headings are looked for: a title often stands above them."""
BOUNDS = Bounds(rows=100_000, memory=1 << 30, seconds=60)
_BLANKS = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u200b\ufeff"
"""White space, and what shows as little."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns by the fields they fill, and what they are called (the first name is ours); those that a table must
    have; the field by whose heading the row of headings is known; and those whose cells have to be text, because what a
    spreadsheet shows of a number (a percentage, a unit, a date) is not what it keeps."""

    headings: Mapping[str, tuple[str, ...]]
    needed: tuple[str, ...]
    known_by: str
    as_text: tuple[str, ...] = ()

    def title(self, field: str) -> str:
        return self.headings[field][0]


@dataclass(frozen=True, slots=True)
class BroughtIn:
    """What bringing one entry of a register in came to: whether it is new, or else what it changes (nothing: it was
    there), in Chinese."""

    code: str
    name: str
    new: bool
    changes: Sequence[str]


class HeadedRow(NamedTuple):
    """A row below the headings: its number as the table's program shows it, its fields in text, and, of those whose
    cells do not say any more what was written, why the row has to be handed back."""

    number: int
    given: dict[str, str]
    lost: dict[str, str]


def heading_row(rows: Sequence[T], fits: Callable[[T], int], refusal: str) -> int:
    """At which of the first rows (from 0) the headings stand: the first of those that fit best. ``InputError`` with
    ``refusal`` where none fits at all.

    >>> heading_row(["2026年清单", "编号", "1"], lambda row: row == "编号", "没有表头。")
    1
    """
    found = [fits(row) for row in rows[:HEADING_ROWS]]
    if not any(found):
        raise InputError(refusal)
    return found.index(max(found))


def rows_of(name: str, content: bytes, layout: Layout, bounds: Bounds = BOUNDS) -> Iterator[HeadedRow]:
    """The rows below the headings; rows and cells in which nothing stands are left out.

    Raises ``InputError`` for what is no such table, and for headings that are missing, unknown or there twice: a column
    that was passed over because of a slip in its name could be the one that matters.
    """
    if len(content) > ATTACHMENT_SIZE.value:
        raise InputError(f"“{name}”超过{ATTACHMENT_SIZE.value // 2**20}MB，请分成几个文件后重试。")
    with opened_table(name, content, bounds) as table:
        rows = list(table.rows)
    place, columns = _columns(name, [[_text(cell) for cell in row] for row in rows[:HEADING_ROWS]], layout)
    for number, row in enumerate(rows[place + 1 :], place + 2):
        cells = {field: row[at] for field, at in columns.items() if at < len(row)}
        given = {field: text for field, cell in cells.items() if (text := _text(cell))}
        if given:
            lost = {field: why for field in given if (why := _lost(layout, field, cells[field]))}
            yield HeadedRow(number, given, lost)


def _lost(layout: Layout, field: str, cell: Cell) -> str:
    why = lost_in(cell)
    if not why and field in layout.as_text and not isinstance(cell, str | date):
        why = "不是文本，表格里显示的（百分号、单位、日期等）不一定是存下的，请将该列设为文本后重填"
    return why and f"{layout.title(field)}{why}"


def _columns(name: str, rows: Sequence[Sequence[str]], layout: Layout) -> tuple[int, Mapping[str, int]]:
    """At which row the headings stand (from 0), and the columns by the fields they fill."""
    known = {heading: field for field, headings in layout.headings.items() for heading in headings}
    ours = "、".join(map(layout.title, layout.headings))
    written = [["".join(value.split()) for value in row] for row in rows]
    place = heading_row(
        written,
        lambda row: any(known.get(heading) == layout.known_by for heading in row),
        f"“{name}”的前{HEADING_ROWS}行中没有表头，应含：{ours}。",
    )
    if unknown := [heading for heading in written[place] if heading and heading not in {*known, *IGNORED}]:
        raise InputError(
            f"“{name}”的表头中没有{'、'.join(f'“{heading}”' for heading in unknown)}这样的列，请删去或更正；"
            f"可用的列：{ours}。"
        )
    columns: dict[str, int] = {}
    for at, heading in enumerate(written[place]):
        field = known.get(heading)
        if field in columns:
            title = layout.title(field)
            raise InputError(f"“{name}”的表头中有重复的列，有两列都是“{title}”，请删去一列后重试。")
        if field is not None:
            columns[field] = at
    if missing := [layout.title(field) for field in layout.needed if field not in columns]:
        raise InputError(f"“{name}”的表头缺少{'、'.join(missing)}，请补上后重试。")
    return place, columns


def refuse_rows(name: str, wrong: Sequence[tuple[int, str]], nothing: str) -> None:
    """Raise ``InputError`` that lists what is wrong by row, if anything is; ``nothing`` says what was not written."""
    if wrong:
        lines = [f"第{number}行：{what}" for number, what in sorted(wrong)]
        raise InputError("\n".join([f"“{name}”有{len(wrong)}处须更正，{nothing}：", *lines]))


def refuse_nothing(name: str, rows: Sized) -> None:
    """Raise ``InputError`` for a table without a row below its headings."""
    if not rows:
        raise InputError(f"“{name}”的表头以下没有内容，请核对后重试。")


def _text(cell: Cell) -> str:
    return text_of(cell).strip(_BLANKS).removeprefix("'").strip(_BLANKS)
