"""Service guides over the interface, against a real web process (Articles 8 to 11)."""

import json
from typing import Any

import pytest
from sqlalchemy import func, select

from models.service_guides import ServiceGuide
from runtime.database import reading
from tests.conftest import ROOT
from tests.interface.conftest import Caller

PATH = "/api/v1/service-guides"
GUIDE: dict[str, Any] = {
    "item_code": "330603-SCJG-009",
    "item_name": "食品经营许可（延续）",
    "materials": [
        {"name": "营业执照", "form": "由系统获取"},
        {"name": "申请书", "form": "纸质原件"},
        {"name": "法定代表人身份证明", "certificate_type": "身份证", "form": "电子", "presented_in": ["窗口受理"]},
    ],
}


def test_the_guide_for_departments_has_an_example_that_is_taken(department: Caller) -> None:
    guide = (ROOT / "docs" / "interface.md").read_text(encoding="utf-8")
    example = json.loads(guide.partition("## 办事指南")[2].partition("```json\n")[2].partition("```")[0])
    assert example == {"guides": [GUIDE]}
    assert department.post(PATH, example).status_code == 200


def versions() -> int:
    with reading() as session:
        return session.scalar(select(func.count(ServiceGuide.id))) or 0


def test_a_guide_is_brought_in_and_only_a_change_makes_a_version(department: Caller) -> None:
    first = department.post(PATH, {"guides": [GUIDE]})
    assert (first.status_code, first.json()["guides"]) == (
        200,
        [{"item_code": GUIDE["item_code"], "version": 1, "changes": ["新的办事指南，材料3项"]}],
    )
    assert department.post(PATH, {"guides": [GUIDE]}).json()["guides"][0]["changes"] == []
    changed = GUIDE | {"materials": [GUIDE["materials"][0] | {"form": "复印件"}]}
    (brought,) = department.post(PATH, {"guides": [changed]}).json()["guides"]
    assert brought["version"] == 2
    assert brought["changes"] == [
        "减少材料“申请书”",
        "减少材料“法定代表人身份证明”",
        "材料“营业执照”：形式由“由系统获取”改为“复印件”",
    ]
    with reading() as session:
        kept = session.scalars(select(ServiceGuide).where(ServiceGuide.item_code == GUIDE["item_code"])).all()
    assert [(each.version, each.brought_by) for each in kept] == [(1, department.key), (2, department.key)]
    assert [material.type_code is not None for material in kept[0].materials] == [True, False, True]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"item_code": "有 空格"}, "第1项办事指南：事项编码格式不对"),
        ({"materials": []}, "第1项办事指南：材料至少1项"),
        ({"materials": [{"name": "营业执照"}]}, "第1项材料：提交形式未填写"),
        ({"materials": [{"name": "甲", "form": "电子"}] * 2}, "材料名称重复：甲"),
        ({"materials": "无"}, "第1项办事指南：材料须是一个列表"),
        ({"materials": [None]}, "第1项材料"),
        ({"surplus": 1}, "surplus没有这一项"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_written(department: Caller, changed: dict[str, Any], said: str) -> None:
    before = versions()
    answer = department.post(PATH, {"guides": [GUIDE | {"item_code": "330603-SCJG-010"}, GUIDE | changed][::-1]})
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert versions() == before


@pytest.mark.parametrize("body", [{}, {"guides": []}, {"guides": [1]}, [], {"guides": [GUIDE], "more": 1}])
def test_a_body_of_another_shape_is_refused(department: Caller, body: Any) -> None:
    assert department.post(PATH, body).status_code == 422


def test_a_wrong_signature_brings_nothing_in(department: Caller) -> None:
    assert department.post(PATH, {"guides": [GUIDE]}, **{"X-EZT-Signature": "0" * 64}).status_code == 401
