"""``ezt service-guide import`` and ``ezt trial-holder create``: tables as they arrive, and what they change."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select

from ezt.samples import catalogue as sample_catalogue
from models.records import AuditEntry
from models.service_guides import ServiceGuide
from regulation.service_guides import DemandedForm
from runtime.database import reading
from tests.command_line.conftest import assert_refused, ezt
from tests.conftest import as_xlsx

OFFICE = sample_catalogue.DEPARTMENTS[5]
HEADINGS = ["部门名称", "事项编码", "事项名称", "材料名称", "对应证照", "材料形式", "必要性", "设定依据", "可亮证场景"]
ROWS = [
    [OFFICE, "330603-MZ-001", "婚姻登记档案查询", "结婚证", "", "原件", "必要", "", ""],
    [OFFICE, "330603-MZ-001", "婚姻登记档案查询", "申请人身份证", "身份证", "电子证照", "是", "", "窗口受理、网上受理"],
    [OFFICE, "330603-MZ-002", "残疾人两项补贴申请", "申请表", "", "纸质原件", "否", "", ""],
]


def written(path: Path, *rows: list[str], encoding: str = "gb18030") -> Path:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def take(path: Path, *more: str) -> Any:
    signed = () if "--dry-run" in more else ("--staff-no", "KQ001")
    return ezt("service-guide", "import", str(path), *signed, *more, EZT_ONE_TIME_CODES="false")


def versions() -> dict[str, int]:
    with reading() as session:
        rows = select(ServiceGuide.item_code, func.max(ServiceGuide.version)).group_by(ServiceGuide.item_code)
        return dict(session.execute(rows).tuples().all())


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig"])
def test_a_table_with_the_departments_own_headings_is_brought_in(
    sample_data: Path, tmp_path: Path, encoding: str
) -> None:
    file = written(tmp_path / "指南.csv", ["办事指南一览"], HEADINGS, *ROWS, encoding=encoding)
    before = versions()
    planned = take(file, "--dry-run", "--json")
    assert planned.returncode == 0, planned.stderr
    assert versions() == before
    done = take(file, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert json.loads(planned.stdout)["guides"] == said["guides"]
    assert [(each["item_code"], each["version"]) for each in said["guides"]] == [
        ("330603-MZ-001", 2),
        ("330603-MZ-002", 1),
    ]
    assert "增加材料“申请人身份证”（电子）" in said["guides"][0]["changes"]
    with reading() as session:
        kept = session.scalars(select(ServiceGuide).where(ServiceGuide.item_code.like("330603-MZ-%"))).all()
        brought = select(AuditEntry).where(AuditEntry.tag == "service-guide:version:brought")
        entry = session.scalars(brought.order_by(AuditEntry.id)).first()
    newest = {(each.item_code, each.version): each.materials for each in kept}
    first, second = newest["330603-MZ-001", 2]
    assert (first.form, first.required, first.type_code is not None) == (DemandedForm.PAPER, True, True)
    assert (second.form, second.presented_in) == (DemandedForm.ELECTRONIC, ("窗口受理", "网上受理"))
    assert newest["330603-MZ-002", 1][0].required is False
    assert entry is not None
    assert entry.actor == "KQ001"
    assert json.loads(take(file, "--json").stdout)["changed"] == 0
    assert "其中有变化0项" in take(file).stdout


def test_a_workbook_is_read_alike(sample_data: Path, tmp_path: Path) -> None:
    workbook = Workbook()
    for row in (HEADINGS, *ROWS):
        workbook.active.append(row)
    workbook.save(tmp_path / "指南.xlsx")
    assert "第2版" in take(tmp_path / "指南.xlsx").stdout


def test_a_number_that_excel_has_rewritten_is_refused(sample_data: Path, tmp_path: Path) -> None:
    before, row = versions(), [OFFICE, 330603201903050001, *ROWS[0][2:]]
    (tmp_path / "指南.xlsx").write_bytes(as_xlsx([HEADINGS, row]))
    assert "第2行：事项编码“3.30603E+17”是被表格软件改写的长数字，末几位已丢失" in take(tmp_path / "指南.xlsx").stderr
    assert versions() == before


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ([OFFICE, "330603-MZ-003", "某事项", "结婚证", "", "", "", "", ""], "第5行：提交形式未填写"),
        ([OFFICE, "330603-MZ-003", "某事项", "结婚证", "", "口头", "", "", ""], "第5行：提交形式只能是"),
        ([OFFICE, "330603-MZ-003", "某事项", "结婚证", "", "电子", "也许", "", ""], "第5行：是否必要只能填是或否"),
        ([OFFICE, "有 空格", "某事项", "结婚证", "", "电子", "", "", ""], "第5行：事项编码格式不对"),
        (
            [OFFICE, "330603-MZ-003", "某事项", "结婚证", "龙证", "电子", "", "", ""],
            "第5行的证照类型：证照目录中没有“龙证”",
        ),
        ([OFFICE, "330603-MZ-002", "另一名称", "身份证", "", "电子", "", "", ""], "第5行：事项名称“另一名称”与第4行"),
        ([OFFICE, "330603-MZ-002", "残疾人两项补贴申请", "申请表", "", "电子", "", "", ""], "材料名称重复：申请表"),
        (["龙宫", "330603-MZ-003", "某事项", "结婚证", "", "电子", "", "", ""], "没有名为“龙宫”的部门"),
    ],
)
def test_a_wrong_cell_is_named_and_no_row_is_brought_in(
    sample_data: Path, tmp_path: Path, row: list[str], said: str
) -> None:
    before = versions()
    done = take(written(tmp_path / "指南.csv", HEADINGS, *ROWS, row))
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert versions() == before


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["一", "二"]], ("没有表头",)),
        ([HEADINGS[:-4]], ("缺少提交形式",)),
        ([[*HEADINGS, "星座"]], ("“星座”",)),
        ([[*HEADINGS, "依据"]], ("两列都是“法定依据”",)),
        ([HEADINGS], ("没有材料",)),
        ([], ("空文件",)),
    ],
)
def test_a_table_that_is_none_is_refused_in_one_line(
    sample_data: Path, tmp_path: Path, rows: list[list[str]], words: tuple[str, ...]
) -> None:
    assert_refused(take(written(tmp_path / "指南.csv", *rows)), *words)


def test_bringing_in_wants_an_officer(sample_data: Path, tmp_path: Path) -> None:
    assert_refused(ezt("service-guide", "import", str(written(tmp_path / "指南.csv", HEADINGS, *ROWS))), "工号")
    assert_refused(ezt("service-guide", "import", str(tmp_path / "没有.csv")), "没有.csv")


def test_trial_holders_are_created_once(installation: Path, sample_data: Path) -> None:
    assert json.loads(ezt("trial-holder", "create", "--json").stdout) == {"certificates": 0}
    assert "新增测试证照0件" in ezt("trial-holder", "create").stdout
