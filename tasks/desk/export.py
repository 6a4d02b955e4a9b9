"""The list as a workbook, as it was narrowed down: masked as on the page, and that it was taken is on record (Article
14)."""

import io

from openpyxl import Workbook  # type: ignore[import-untyped]
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # type: ignore[import-untyped]

from runtime import clock
from runtime.database import reading, transaction
from tasks.audit import record
from tasks.desk.to_do import Row, Wanted, every_row
from tasks.tables.files import harmless

COLUMNS = (
    ("办件编号", 18),
    ("种类", 14),
    ("环节", 14),
    ("内容", 50),
    ("部门", 30),
    ("等什么", 24),
    ("收到日期（年-月-日）", 20),
    ("截止日期（年-月-日）", 20),
    ("紧急程度", 10),
    ("经办人（办件在其名下）", 24),
    ("今天由谁办理（经办人休假的，为代理人）", 38),
)
"""Titles and widths."""


def workbook(staff_no: str, wanted: Wanted) -> bytes:
    """All pages of what an officer wants to see, as XLSX."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("待办")
    sheet.freeze_panes = "A2"
    for place, (_, width) in enumerate(COLUMNS):
        sheet.column_dimensions[chr(ord("A") + place)].width = width
    sheet.append([title for title, _ in COLUMNS])
    number = 0
    with reading() as session:
        for row in every_row(session, staff_no, wanted):
            sheet.append([harmless(ILLEGAL_CHARACTERS_RE.sub("", each)) for each in _cells(row)])
            number += 1
    narrowed = {"whose": wanted.whose, "kind": wanted.kind, "officer": wanted.officer_no}
    said = {name: value for name, value in narrowed.items() if value}
    with transaction() as session:
        record(session, "desk:list:exported", None, staff_no, clock.now(), rows=number, **said)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _cells(row: Row) -> tuple[str, ...]:
    brief = row.brief
    return (
        row.case_no,
        row.kind.label,
        row.stage,
        " · ".join(filter(None, (brief.subject, brief.person, brief.detail))),
        "、".join(row.departments),
        row.asks,
        str(row.received_on),
        str(row.due_on or ""),
        row.urgency,
        f"{row.own_name}（{row.own_no}）",
        f"{row.officer_name}（{row.officer_no}）",
    )
