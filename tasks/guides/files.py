"""Service guides as a table (XLSX, XLS, ET, CSV), one row a material, as departments export them."""

from collections import defaultdict

from pydantic import ValidationError

from runtime.refusals import InputError, wrong_fields
from tasks.guides.forms import GuideForm, MaterialForm
from tasks.guides.guides import Brought, bring_guides
from tasks.office.signatures import COMMAND_LINE, sign
from tasks.tables.headed import Layout, refuse_rows, rows_of

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
LAYOUT = Layout(HEADINGS, (DEPARTMENT, "item_code", "item_name", "name", "form"), known_by="item_code")


def guides_of_file(name: str, content: bytes) -> dict[str, list[GuideForm]]:
    """The guides of a table by their department's name.

    Raises ``InputError`` for what is no such table, headings that are missing, unknown or there twice, and for every
    wrong cell, by its row and column.
    """
    wrong: list[tuple[int, str]] = []
    items: dict[tuple[str, str], list[tuple[int, str, MaterialForm]]] = defaultdict(list)
    for number, given, lost in rows_of(name, content, LAYOUT):
        if lost:
            wrong.append((number, "；".join(lost.values())))
            continue
        missing = [LAYOUT.title(field) for field in LAYOUT.needed if field not in given]
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
    refuse_rows(name, wrong, "未登记任何一项")
    if not guides:
        raise InputError(f"“{name}”的表头以下没有材料，请核对后重试。")
    return dict(guides)


def import_guides(name: str, content: bytes, staff_no: str, code: str, *, dry_run: bool) -> list[Brought]:
    """Bring in a table that departments sent, signed by an officer; with ``dry_run`` only say what it would change,
    which needs no signature. Raises what ``guides_of_file``, ``bring_guides`` and ``sign`` raise."""
    guides = guides_of_file(name, content)
    if dry_run:
        return bring_guides(guides, "", dry_run=True)
    officer = sign(staff_no, code, COMMAND_LINE)
    return bring_guides(guides, officer.staff_no)
