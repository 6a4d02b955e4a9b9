"""A service guide as a department writes it, in JSON or in a table, whose headings are the titles here."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from regulation.limits import GUIDE_MATERIALS
from regulation.service_guides import DemandedForm
from runtime.refusals import InputError, wrong_fields
from runtime.words import LONGEST_WORDS, Words

_FORMS = {
    "纸质": DemandedForm.PAPER,
    "原件": DemandedForm.PAPER,
    "纸质复印件": DemandedForm.COPY,
    "电子材料": DemandedForm.ELECTRONIC,
    "电子证照": DemandedForm.ELECTRONIC,
    "数据共享": DemandedForm.FETCHED,
    "免提交": DemandedForm.FETCHED,
}
"""What guides call the forms beside their own names."""
_REQUIRED = {"": True, "是": True, "必要": True, "容缺后补": True, "否": False, "非必要": False}


def _form(value: object) -> object:
    return _FORMS.get(value.strip(), value.strip()) if isinstance(value, str) else value


def _required(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or value.strip() not in _REQUIRED:
        raise ValueError("只能填是或否")
    return _REQUIRED[value.strip()]


def _scenarios(value: object) -> object:
    if not isinstance(value, str) or len(value) > LONGEST_WORDS:
        return value
    return [name for name in re.split(r"[、，,；;\n]+", value) if name.strip()]


ScenarioName = Annotated[Words, Field(max_length=60)]


class MaterialForm(BaseModel):
    """A material of a guide."""

    model_config = ConfigDict(extra="forbid")

    name: Words = Field(title="材料名称", min_length=1, max_length=200)
    certificate_type: Words = Field(
        "", title="证照类型", description="目录中的名称或代码；不是证照的留空", max_length=60
    )
    form: Annotated[DemandedForm, BeforeValidator(_form)] = Field(title="提交形式")
    required: Annotated[bool, BeforeValidator(_required)] = Field(True, title="是否必要")
    basis: Words = Field("", title="法定依据", max_length=300)
    presented_in: Annotated[list[ScenarioName], BeforeValidator(_scenarios)] = Field(
        [], title="亮证场景", max_length=20
    )

    _place: str = PrivateAttr("")

    @property
    def place(self) -> str:
        """Where it stands, as people find it: in its table or among the materials."""
        return self._place or f"材料“{self.name}”的"

    def standing_at(self, place: str) -> "MaterialForm":
        """The same material, found at ``place``."""
        self._place = place
        return self


class GuideForm(BaseModel):
    """A service item's guide."""

    model_config = ConfigDict(extra="forbid")

    item_code: Words = Field(title="事项编码", min_length=2, max_length=60, pattern=r"^[0-9A-Za-z._/-]*$")
    item_name: Words = Field(title="事项名称", min_length=2, max_length=100)
    materials: list[MaterialForm] = Field(title="材料", min_length=1, max_length=GUIDE_MATERIALS.value)

    @model_validator(mode="after")
    def _named_once(self) -> "GuideForm":
        times = Counter(material.name for material in self.materials)
        if twice := [name for name, count in times.items() if count > 1]:
            raise ValueError(f"材料名称重复：{'、'.join(twice[:5])}，请合并或改名")
        return self


def guides_from(rows: Sequence[object]) -> list[GuideForm]:
    """The guides of a JSON body. ``InputError`` names every wrong guide and every wrong material by its number."""
    wrong: list[str] = []
    guides = []
    for number, row in enumerate(rows, 1):
        place = f"第{number}项办事指南"
        given = dict(row) if isinstance(row, dict) else {}
        materials = given.get("materials")
        if isinstance(materials, list) and len(materials) <= GUIDE_MATERIALS.value:
            checked = [_material(material, f"{place}第{at}项材料", wrong) for at, material in enumerate(materials, 1)]
            if None in checked:
                continue
            given["materials"] = checked
        try:
            guides.append(GuideForm.model_validate(given))
        except ValidationError as error:
            wrong.append(f"{place}：{'；'.join(wrong_fields(error, GuideForm))}")
    if wrong:
        raise InputError("\n".join([f"办事指南有{len(wrong)}处须更正，未登记任何一项：", *wrong]))
    return guides


def _material(given: object, place: str, wrong: list[str]) -> MaterialForm | None:
    try:
        return MaterialForm.model_validate(given).standing_at(f"{place}的")
    except ValidationError as error:
        wrong.append(f"{place}：{'；'.join(wrong_fields(error, MaterialForm))}")
        return None
