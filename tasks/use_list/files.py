"""The use list as a table that people fill in and get back: workbooks (XLSX, XLS, ET) and CSV come in, XLSX goes out,
all in the same layout, so that a list that was handed out can be edited and sent back."""

import hashlib
import io
import re
from collections.abc import Sequence
from datetime import date

from openpyxl import Workbook  # type: ignore[import-untyped]
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.certificates import CertificateType
from models.organisations import Department
from models.use_lists import UseListEntry
from regulation.limits import ATTACHMENT_SIZE
from runtime import clock
from runtime.database import reading
from runtime.refusals import InputError
from tasks.office.departments import department_named, department_names
from tasks.office.signatures import COMMAND_LINE, sign
from tasks.tables.files import Bounds, harmless, lost_in, opened_table, text_of
from tasks.use_list.proposals import LineForm
from tasks.use_list.standing import in_force
from tasks.use_list.steps import Proposed, register_proposal

TITLES = {str(field.title): name for name, field in LineForm.model_fields.items()}
"""The headings of the columns and the fields they stand for."""
DEPARTMENT = "部门"
IGNORED = {"序号", "备注"}
ROWS = 20_000
"""Rows of a table that are read, blank ones included."""
HEADING_ROWS = 10
"""Rows among which the headings are looked for: a title often stands above them."""
BOUNDS = Bounds(ROWS, memory=1 << 30, seconds=20)

_BLANKS = "".join(map(chr, (0x20, 0x09, 0x0A, 0x0D, 0xA0, 0x3000, 0x200B, 0xFEFF)))
_DAY = re.compile(r"([0-9]{4})(?:[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?|([0-9]{2})([0-9]{2}))(?: 00:00(?::00)?)?")


def rows_of_file(name: str, content: bytes, department: str) -> list[tuple[int, dict[str, str]]]:
    """The rows of a table with their numbers as the table's program shows them, as ``LineForm`` fields in text.

    Raises ``InputError`` for what is no such table, headings that are missing or unknown, numbers that have lost their
    last digits, and rows of another department than ``department``.
    """
    if len(content) > ATTACHMENT_SIZE.value:
        raise InputError(f"“{name}”超过{ATTACHMENT_SIZE.value // 2**20}MB，请删去多余的内容后重试。")
    with opened_table(name, content, BOUNDS) as table:
        raw = list(table.rows)
    cleaned = [[_clean(text_of(cell)) for cell in row] for row in raw]
    place = next((i for i, row in enumerate(cleaned[:HEADING_ROWS]) if _is_heading(row)), None)
    if place is None:
        raise InputError(f"“{name}”的前{HEADING_ROWS}行中没有表头，应含：{'、'.join(TITLES)}。")
    headings = ["".join(value.split()) for value in cleaned[place]]
    _check_headings(headings)
    wrong: list[str] = []
    rows = []
    for number, row in enumerate(cleaned[place + 1 :], place + 2):
        cells = {heading: value for heading, value in zip(headings, row, strict=False) if heading and value}
        if not cells:
            continue
        if cells.get(DEPARTMENT, department) != department:
            wrong.append(f"第{number}行：部门是“{cells[DEPARTMENT]}”，不是“{department}”，请分别提出")
        for heading, cell in zip(headings, raw[number - 1], strict=False):
            if heading and (why := lost_in(cell)):
                wrong.append(f"第{number}行：{heading}{why}")
        line = {TITLES[heading]: value for heading, value in cells.items() if heading in TITLES}
        if day := _DAY.fullmatch(line.get("in_force_from", "")):
            line["in_force_from"] = f"{day[1]}-{int(day[2] or day[4]):02}-{int(day[3] or day[5]):02}"
        rows.append((number, line))
    if wrong:
        raise InputError("\n".join([f"表格有{len(wrong)}处须更正，未登记任何一行：", *wrong]))
    return rows


def import_for_department(name: str, content: bytes, department: str, staff_no: str, code: str) -> Proposed:
    """Propose a table that a department sent in another way, signed by an officer; the same file again on the same day
    is the same proposal. Raises what ``rows_of_file``, ``check_lines`` and ``sign`` raise."""
    with reading() as session:
        whose = department_named(session, department)
    rows = rows_of_file(name, content, whose.name)
    officer = sign(staff_no, code, COMMAND_LINE)
    key = f"file:{whose.uscc}:{clock.today()}:{hashlib.sha256(content).hexdigest()}"
    return register_proposal(whose.uscc, rows, key, officer.staff_no, skip_unchanged=True)


def _is_heading(row: Sequence[str]) -> bool:
    return "事项编码" in ("".join(value.split()) for value in row)


def _check_headings(headings: Sequence[str]) -> None:
    """Raise ``InputError`` for columns that are missing, unknown or there twice: one that was passed over because of a
    slip in its name could be the one that asks for authorisation."""
    given = [heading for heading in headings if heading]
    if missing := [title for title in TITLES if title not in given]:
        raise InputError(f"表头缺少{'、'.join(missing)}，请补上这些列（可以不填内容）后重试。")
    if unknown := [title for title in given if title not in {*TITLES, *IGNORED, DEPARTMENT}]:
        raise InputError(f"表头中没有{'、'.join(f'“{title}”' for title in unknown)}这样的列，请删去或更正后重试。")
    if len(given) != len(set(given)):
        raise InputError("表头中有重复的列，请删去后重试。")


def _clean(value: str) -> str:
    """A cell without the blanks around it and without the apostrophe that marks a text."""
    return value.strip(_BLANKS).removeprefix("'").strip(_BLANKS)


def workbook_of(session: Session, on: date, department: Department | None) -> tuple[bytes, int]:
    """The list in force on a day as an XLSX, of one department or of all (then with a column that names them), and how
    many rows it has."""
    which = [UseListEntry.department_uscc == department.uscc] if department is not None else []
    names = department_names(session)
    kinds = {kind.code: kind for kind in session.scalars(select(CertificateType))}
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet(f"用证清单{on}")
    sheet.freeze_panes = "A2"
    sheet.append([*([] if department else [DEPARTMENT]), *TITLES])
    rows = in_force(session, on, *which)
    for entry, version in rows:
        kind = kinds[entry.type_code]
        values = {
            "item_code": entry.item_code,
            "item_name": version.item_name,
            "certificate_type": kind.name,
            "scenario": entry.scenario,
            "fields": "、".join(kind.names.get(code, code) for code in version.fields),
            "holder_alone": "是" if version.holder_alone else "否",
            "authorisation": "是" if version.authorisation else "否",
            "ended": "否",
            "in_force_from": str(version.in_force_from),
        }
        first = [] if department else [names[entry.department_uscc]]
        sheet.append([harmless(value) for value in (*first, *(values[name] for name in TITLES.values()))])
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue(), len(rows)
