"""Service guides as a table (XLSX, XLS, ET, CSV), one row a material, as departments export them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from regulation.limits import ATTACHMENT_SIZE
from regulation.paper_values import Cell
from runtime import clock
from runtime.database import transaction
from runtime.refusals import InputError, wrong_fields
from tasks.officers import identify
from tasks.service_guide_forms import GuideForm, MaterialForm
from tasks.service_guides import Brought, bring_guides
from tasks.tables import Bounds, opened_table, text_of

DEPARTMENT = "department"
HEADINGS = {
    DEPARTMENT: ("部门", "部门名称", "实施主体", "实施部门"),
    "item_code": ("事项编码", "事项代码", "权力事项编码", "实施编码"),
    "item_name": ("事项名称", "事项"),
    "name": ("材料名称", "申请材料", "材料"),
    "certificate_type": ("证照类型", "对应证照", "电子证照"),
    "form": ("提交形式", "材料形式", "形式"),
    "required": ("是否必要", "必要性", "材料必要性", "是否必须"),
    "basis": ("法定依据", "设定依据", "依据"),
    "presented_in": ("亮证场景", "可亮证场景"),
}
"""The columns by the fields they fill, and what they are called; the first name is ours."""
NEEDED = (DEPARTMENT, "item_code", "item_name", "name", "form")
IGNORED = {"序号", "备注"}
HEADING_ROWS = 10
BOUNDS = Bounds(rows=100_000, memory=1 << 30, seconds=60)
_INVISIBLE = "\u200b\ufeff"


def guides_of_file(name: str, content: bytes) -> dict[str, list[GuideForm]]:
    """The guides of a table by their department's name.

    Raises ``InputError`` for what is no such table, headings that are missing, unknown or there twice, and for every
    wrong cell, by its row and column.
    """
    if len(content) > ATTACHMENT_SIZE.value:
        raise InputError(f"“{name}”超过{ATTACHMENT_SIZE.value // 2**20}MB，请分成几个文件后重试。")
    with opened_table(name, content, BOUNDS) as table:
        rows = [[_text(cell) for cell in row] for row in table.rows]
    place, columns = _columns(name, rows)
    wrong: list[tuple[int, str]] = []
    items: dict[tuple[str, str], list[tuple[int, str, MaterialForm]]] = defaultdict(list)
    for number, row in enumerate(rows[place + 1 :], place + 2):
        given = {field: row[at] for field, at in columns.items() if at < len(row) and row[at]}
        if not given:
            continue
        missing = [HEADINGS[field][0] for field in NEEDED if field not in given]
        if missing:
            wrong.append((number, f"{'、'.join(missing)}未填写"))
            continue
        try:
            material = MaterialForm.model_validate(
                {field: value for field, value in given.items() if field in MaterialForm.model_fields}
            )
        except ValidationError as error:
            wrong.append((number, "；".join(wrong_fields(error, MaterialForm))))
            continue
        key = given[DEPARTMENT], given["item_code"]
        items[key].append((number, given["item_name"], material.standing_at(f"第{number}行的")))
    guides: dict[str, list[GuideForm]] = defaultdict(list)
    for (department, item_code), lines in items.items():
        first, item_name, _ = lines[0]
        wrong += [
            (number, f"事项名称“{other}”与第{first}行的“{item_name}”不同，请统一")
            for number, other, _ in lines
            if other != item_name
        ]
        try:
            materials = [material for _, _, material in lines]
            guides[department].append(GuideForm(item_code=item_code, item_name=item_name, materials=materials))
        except ValidationError as error:
            wrong.append((first, "；".join(wrong_fields(error, GuideForm))))
    if wrong:
        lines_said = [f"第{number}行：{what}" for number, what in sorted(wrong)]
        raise InputError("\n".join([f"“{name}”有{len(wrong)}处须更正，未登记任何一项：", *lines_said]))
    if not guides:
        raise InputError(f"“{name}”的表头以下没有材料，请核对后重试。")
    return dict(guides)


def import_guides(name: str, content: bytes, staff_no: str, code: str, *, dry_run: bool) -> list[Brought]:
    """Bring in a table that departments sent, signed by an officer; with ``dry_run`` only say what it would change,
    which needs no signature. Raises what ``guides_of_file``, ``bring_guides`` and ``identify`` raise."""
    guides = guides_of_file(name, content)
    if dry_run:
        return bring_guides(guides, "", dry_run=True)
    with transaction() as session:
        officer = identify(session, staff_no, code, clock.now())
    return bring_guides(guides, officer.staff_no)


def _columns(name: str, rows: Sequence[Sequence[str]]) -> tuple[int, Mapping[str, int]]:
    """At which row the headings stand (from 0), and the columns by the fields they fill."""
    known = {heading: field for field, headings in HEADINGS.items() for heading in headings}
    ours = [HEADINGS[field][0] for field in HEADINGS]
    for place, row in enumerate(rows[:HEADING_ROWS]):
        headings = ["".join(value.split()) for value in row]
        if not any(known.get(heading) == "item_code" for heading in headings):
            continue
        given = [heading for heading in headings if heading]
        if unknown := [heading for heading in given if heading not in known and heading not in IGNORED]:
            raise InputError(
                f"“{name}”的表头中没有{'、'.join(f'“{heading}”' for heading in unknown)}这样的列，请删去或更正；"
                f"可用的列：{'、'.join(ours)}。"
            )
        columns: dict[str, int] = {}
        for at, heading in enumerate(headings):
            field = known.get(heading)
            if field in columns:
                raise InputError(f"“{name}”的表头中有两列都是“{HEADINGS[field][0]}”，请删去一列后重试。")
            if field is not None:
                columns[field] = at
        if missing := [HEADINGS[field][0] for field in NEEDED if field not in columns]:
            raise InputError(f"“{name}”的表头缺少{'、'.join(missing)}，请补上后重试。")
        return place, columns
    raise InputError(f"“{name}”的前{HEADING_ROWS}行中没有表头，应含：{'、'.join(ours)}。")


def _text(cell: Cell) -> str:
    return text_of(cell).strip().strip(_INVISIBLE).removeprefix("'").strip()
