"""The use list as a table that people fill in and get back: workbooks (XLSX, XLS, ET) and CSV come in, XLSX goes out,
all in the same layout, so that a list that was handed out can be edited and sent back."""

import hashlib
import io
import re
from datetime import date

from openpyxl import Workbook  # type: ignore[import-untyped]
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.certificates import CertificateType
from models.organisations import Department
from models.use_lists import UseListEntry
from runtime import clock
from runtime.database import reading
from tasks.office.departments import department_named, department_names
from tasks.office.signatures import COMMAND_LINE, sign
from tasks.tables.files import Bounds, harmless
from tasks.tables.headed import Layout, refuse_rows, rows_of
from tasks.use_list.proposals import LineForm
from tasks.use_list.standing import in_force
from tasks.use_list.steps import Proposed, register_proposal

TITLES = {str(field.title): name for name, field in LineForm.model_fields.items()}
"""The headings of the columns and the fields they stand for."""
DEPARTMENT = "部门"
LAYOUT = Layout(
    {name: (title,) for title, name in TITLES.items()} | {DEPARTMENT: (DEPARTMENT,)},
    needed=tuple(TITLES.values()),
    known_by="item_code",
)
"""What a list that was handed out has; one of all departments says whose a row is."""
BOUNDS = Bounds(20_000, memory=1 << 30, seconds=20)

_DAY = re.compile(r"([0-9]{4})(?:[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?|([0-9]{2})([0-9]{2}))(?: 00:00(?::00)?)?")


def rows_of_file(name: str, content: bytes, department: str) -> list[tuple[int, dict[str, str]]]:
    """The rows of a table with their numbers as the table's program shows them, as ``LineForm`` fields in text.

    Raises ``InputError`` for what ``rows_of`` refuses, numbers that have lost their last digits, and rows of another
    department than ``department``.
    """
    wrong: list[tuple[int, str]] = []
    rows = []
    for number, line, lost in rows_of(name, content, LAYOUT, BOUNDS):
        if (whose := line.pop(DEPARTMENT, department)) != department:
            wrong.append((number, f"部门是“{whose}”，不是“{department}”，请分别提出"))
        wrong += [(number, why) for why in lost.values()]
        if day := _DAY.fullmatch(line.get("in_force_from", "")):
            line["in_force_from"] = f"{day[1]}-{int(day[2] or day[4]):02}-{int(day[3] or day[5]):02}"
        rows.append((number, line))
    refuse_rows(name, wrong, "未登记任何一行")
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
