"""The rows of a batch's file that cannot enter the register go back as a workbook in the same columns, with one more
that says what is wrong with each cell and how to mend it; the mended workbook can be sent as it is."""

from collections.abc import Iterable
from datetime import date, time
from pathlib import Path

from openpyxl import Workbook  # type: ignore[import-untyped]
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # type: ignore[import-untyped]

from regulation.backfill.paper_values import Cell
from runtime.refusals import InputError
from tasks.backfill.batch_files import opened_batch
from tasks.backfill.checks import Report, needs_mending, told
from tasks.register.types import paper_type
from tasks.tables.files import Row, harmless

WRONG = "问题及更正方法"
"""The heading of the added column; nobody's field has it, so it is passed over when the file comes back."""
ROWS = 1_000_000
"""A sheet has room for a few more."""


def write_mended(source: Path, report: Report, out: Path) -> int:
    """Write what has to be mended in a file that was checked; how many rows that is."""
    bad = {row for row, problems in report.problems.items() if needs_mending(problems)}
    if len(bad) > ROWS:
        raise InputError(f"须更正的行超过{ROWS}行，一个工作簿容纳不下，请将“{source.name}”分成几个文件。")
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("须更正的行")
    sheet.freeze_panes = "A2"
    with opened_batch(source.name, source, paper_type(report.kind)) as file:
        width = len(file.headings)
        earlier = {place for place, heading in enumerate(file.headings) if heading == WRONG}
        sheet.append([*_without(file.headings, earlier), WRONG])
        for number, cells in file.rows:
            if number in bad:
                said = "\n".join(report.in_words(problem) for problem in told(report.problems[number]))
                padded = [*cells, *[None] * (width - len(cells))][:width]
                sheet.append([*map(_kept, _without(padded, earlier)), f"原第{number}行：{said}"])
    workbook.save(out)
    return len(bad)


def _without(row: Row, places: set[int]) -> Iterable[Cell]:
    return (cell for place, cell in enumerate(row) if place not in places)


def _kept(cell: Cell) -> Cell:
    """A cell as it was, but for what a workbook cannot hold or would take for a formula."""
    match cell:
        case str():
            return harmless(ILLEGAL_CHARACTERS_RE.sub("", cell))
        case date() | time():
            return cell.isoformat()
    return cell if isinstance(cell, int | float) else None
