"""A team's checklist as a workbook that goes out, is filled in at the department, and comes back (Article 17)."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openpyxl import Workbook  # type: ignore[import-untyped]
from openpyxl.worksheet.datavalidation import DataValidation  # type: ignore[import-untyped]

from regulation.limits import ATTACHMENT_SIZE
from regulation.spot_checks import CheckResult, ObjectKind, note_refusal
from runtime.refusals import InputError
from tasks.tables.files import Bounds, harmless, lost_in, opened_table, text_of
from tasks.tables.headed import HEADING_ROWS, heading_row

COLUMNS = ("序号", "检查对象", "对象种类", "事项编码", "检查事项", "依据", "检查方法", "结果", "情况说明")
WIDTHS = (6, 40, 14, 10, 30, 10, 40, 10, 50)
NUMBER, OBJECT, CODE, RESULT, NOTE = (
    COLUMNS.index(name) for name in ("序号", "检查对象", "事项编码", "结果", "情况说明")
)
LONGEST_NOTE = 500
WRONG_LINES = 50
"""Wrong lines that are named; of the rest it says how many."""
BOUNDS = Bounds(20_000, memory=1 << 30, seconds=20)


@dataclass(frozen=True, slots=True)
class Line:
    """An object under one check item: a line of a checklist. ``place`` is the object's in the sample."""

    number: int
    place: int
    title: str
    kind: ObjectKind
    code: str
    item: str
    article: int
    how: str


Given = Mapping[int, tuple[str, str]]
"""What was filled in by the line's number: result and note."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What a team says on a line."""

    line: Line
    result: CheckResult
    note: str


def heading(case_no: str, department: str) -> str:
    """What stands above a checklist and tells it from others."""
    return f"抽查事项检查表 {case_no} {department}"


def workbook_of(title: str, lines: Sequence[Line], filled: Given) -> bytes:
    """A checklist as an XLSX, with what was ``filled`` in before."""
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = "检查表"
    sheet.freeze_panes = "A3"
    for place, width in enumerate(WIDTHS):
        sheet.column_dimensions[chr(ord("A") + place)].width = width
    allowed = DataValidation(type="list", formula1=f'"{",".join(CheckResult)}"', allow_blank=True)
    letter = chr(ord("A") + RESULT)
    allowed.add(f"{letter}3:{letter}{len(lines) + 2}")
    sheet.add_data_validation(allowed)
    sheet.append([title])
    sheet.append(COLUMNS)
    for line in lines:
        cells = (line.title, str(line.kind), line.code, line.item, f"第{line.article}条", line.how)
        sheet.append([line.number, *map(harmless, (*cells, *filled.get(line.number, ("", ""))))])
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def read_workbook(name: str, content: bytes, title: str, lines: Sequence[Line]) -> list[Filled]:
    """A checklist that comes back, complete. ``InputError`` names every line that is wrong, missing or there twice; a
    checklist of another team or round is refused as a whole."""
    if len(content) > ATTACHMENT_SIZE.value:
        raise InputError(f"“{name}”超过{ATTACHMENT_SIZE.value // 2**20}MB，请删去多余的内容后重试。")
    with opened_table(name, content, BOUNDS) as table:
        raw = list(table.rows)
    rows = [[text_of(cell).strip().removeprefix("'") for cell in row] for row in raw]
    above = heading_row(
        rows,
        lambda row: tuple(row[: len(COLUMNS)]) == COLUMNS,
        f"“{name}”的前{HEADING_ROWS}行中没有检查表的表头，请在下载的检查表中填写，不要改动表头。",
    )
    if not any(title in row for row in rows[:above]):
        raise InputError(f"“{name}”不是“{title}”，请核对后上传本检查组的检查表。")
    expected = {line.number: line for line in lines}
    given: dict[int, tuple[str, str]] = {}
    wrong = []
    for place, row in enumerate(rows[above + 1 :], above + 2):
        cells = [*row, *[""] * (len(COLUMNS) - len(row))]
        if not any(cells):
            continue
        for heading, cell in zip(COLUMNS, raw[place - 1], strict=False):
            if why := lost_in(cell):
                wrong.append(f"第{place}行：{heading}{why}")
        number = int(cells[NUMBER]) if cells[NUMBER].isascii() and cells[NUMBER].isdigit() else 0
        line = expected.get(number)
        if line is None or (line.code, line.title) != (cells[CODE], cells[OBJECT]):
            wrong.append(f"第{place}行：序号、检查对象或事项编码被改动，请照下载的检查表更正")
        elif number in given:
            wrong.append(f"第{place}行：序号{number}重复")
        else:
            given[number] = cells[RESULT], cells[NOTE]
    return filled_in(lines, given, wrong)


def filled_in(lines: Sequence[Line], given: Given, wrong: Sequence[str] = ()) -> list[Filled]:
    """What was filled in, checked. ``InputError`` names what is ``wrong`` already, and every line that is wrong or
    missing by its number; its fields are ``result-`` or ``note-`` and the number."""
    fields: dict[str, str] = {}
    filled = []
    for line in lines:
        said, note = given.get(line.number, ("", ""))
        result, remark = f"result-{line.number}", f"note-{line.number}"
        if not said:
            fields[result] = f"序号{line.number}（{line.title}，{line.code}）：未填结果"
        elif said not in set(CheckResult):
            fields[result] = f"序号{line.number}：结果只能是{'、'.join(CheckResult)}"
        elif len(note) > LONGEST_NOTE:
            fields[remark] = f"序号{line.number}：情况说明不能超过{LONGEST_NOTE}个字"
        elif why := note_refusal(CheckResult(said), note):
            fields[remark] = f"序号{line.number}：{why}"
        else:
            filled.append(Filled(line, CheckResult(said), note))
    problems = [*wrong, *fields.values()]
    if problems:
        more = [f"另有{len(problems) - WRONG_LINES}处"] if len(problems) > WRONG_LINES else []
        head = f"检查表有{len(problems)}处须更正，未登记任何一行："
        raise InputError("\n".join([head, *problems[:WRONG_LINES], *more]), fields)
    return filled
