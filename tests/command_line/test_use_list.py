"""``ezt use-list``: a department's table comes in, the list in force goes out."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select

from ezt.samples import catalogue as sample_catalogue
from models.cases import Case
from models.records import AuditEntry
from models.use_lists import ProposedLine
from runtime.database import reading
from tasks.use_list.files import TITLES
from tests.command_line.conftest import assert_refused, ezt
from tests.conftest import as_xlsx

OFFICE = sample_catalogue.DEPARTMENTS[5]
ROW = {
    "事项编码": "330603-MZ-002",
    "事项名称": "残疾人两项补贴申请",
    "证照类型": "残疾人证",
    "应用场景": "窗口受理",
    "可用字段": "姓名、残疾类别，残疾等级",
    "需授权": "是",
    "生效日期": "2099/1/5",
}


def written(path: Path, *rows: dict[str, str], encoding: str = "gb18030") -> Path:
    text = io.StringIO()
    csv.writer(text).writerows([list(TITLES), *([row.get(title, "") for title in TITLES] for row in rows)])
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def take(path: Path, *more: str, code: str = "") -> Any:
    signed = ("--department", OFFICE, "--staff-no", "KQ001", *(("--code", code) if code else ()))
    return ezt("use-list", "import", str(path), *signed, *more, EZT_ONE_TIME_CODES="true" if code else "false")


def cases() -> int:
    with reading() as session:
        return session.scalar(select(func.count(Case.case_no))) or 0


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig", "utf-8"])
def test_a_table_as_excel_and_wps_write_it_is_proposed(sample_data: Path, tmp_path: Path, encoding: str) -> None:
    done = take(written(tmp_path / "清单.csv", ROW, encoding=encoding), "--json")
    assert done.returncode == 0, done.stderr
    case_no = json.loads(done.stdout)["case_no"]
    with reading() as session:
        line = session.scalars(select(ProposedLine).where(ProposedLine.case_no == case_no)).one()
        about = select(AuditEntry).where(AuditEntry.case_no == case_no)
        entry = session.scalars(about.order_by(AuditEntry.id)).first()
    assert (line.line, line.fields) == (2, ("holder", "disability", "grade"))
    assert (line.authorisation, line.holder_alone, str(line.in_force_from)) == (True, False, "2099-01-05")
    assert entry is not None
    assert entry.actor == "KQ001"


def test_the_same_table_again_is_the_same_proposal(sample_data: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "清单.csv", ROW)
    first, second = take(path).stdout, take(path).stdout
    assert first == second
    assert "共1行，待审核" in first
    assert cases() == 1


def test_bad_rows_are_listed_and_nothing_is_written(sample_data: Path, tmp_path: Path) -> None:
    bad = [ROW | {"应用场景": "一", "可用字段": "血型"}, ROW | {"应用场景": "二", "停用": "也许"}]
    done = take(written(tmp_path / "清单.csv", ROW, *bad))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "用证清单有2处须更正，未登记任何一行：",
        "第3行：“残疾人证”没有字段“血型”",
        "第4行：停用只能填是或否",
    ]
    assert cases() == 0


def test_a_number_that_excel_has_rewritten_is_refused(sample_data: Path, tmp_path: Path) -> None:
    done = take(written(tmp_path / "清单.csv", ROW | {"事项编码": "3.30603E+17"}))
    assert (done.returncode, "事项编码“3.30603E+17”是被表格软件改写的长数字，末几位已丢失" in done.stderr) == (2, True)
    cells = ROW | {"事项编码": 330603201903050001}
    (tmp_path / "清单.xlsx").write_bytes(as_xlsx([list(TITLES), [cells.get(title, "") for title in TITLES]]))
    done = take(tmp_path / "清单.xlsx")
    assert (done.returncode, "第2行：事项编码“3.30603E+17”" in done.stderr) == (2, True)
    assert cases() == 0


def test_who_imports_signs(sample_data: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "清单.csv", ROW)
    assert_refused(take(path, code="000000"), "一次性验证码")
    unsigned = ezt("use-list", "import", str(path), "--department", OFFICE)
    assert_refused(unsigned, "--staff-no")
    assert cases() == 0


def test_what_cannot_be_read_or_is_nobodys_is_one_line(sample_data: Path, tmp_path: Path) -> None:
    assert_refused(take(tmp_path / "没有.csv"), "没有.csv")
    (tmp_path / "照片.xlsx").write_bytes(b"\x89PNG\r\n")
    assert_refused(take(tmp_path / "照片.xlsx"), "照片.xlsx", "没有表头")
    stranger = written(tmp_path / "清单.csv", ROW)
    done = ezt("use-list", "import", str(stranger), "--department", "某局", "--staff-no", "KQ001")
    assert_refused(done, "没有名为“某局”的部门")


def test_without_tables_it_says_what_to_do_first(home: Path, tmp_path: Path) -> None:
    assert_refused(take(written(tmp_path / "清单.csv", ROW)), "ezt migrate")
    assert_refused(ezt("use-list", "export", str(tmp_path / "清单.xlsx")), "ezt migrate")


def test_the_list_of_a_day_goes_out_and_comes_back_edited(sample_data: Path, tmp_path: Path) -> None:
    path = tmp_path / "清单.xlsx"
    done = ezt("use-list", "export", str(path), "--on", "2026-03-02", "--department", OFFICE)
    assert done.stdout == f"已写入2026-03-02有效的条目1条到{path}。\n", done.stderr
    book = load_workbook(path)
    heading, row = book.active.iter_rows(values_only=True)
    assert list(heading) == list(TITLES)
    assert row[:5] == (
        "330603-MZ-001",
        "婚姻登记档案查询",
        "结婚证",
        "窗口受理",
        "结婚证字号、持证人、男方姓名、女方姓名、登记日期",
    )

    untouched = take(path)
    assert (untouched.returncode, "没有要提出的变化" in untouched.stderr) == (2, True)
    book.active.cell(2, 5).value = "结婚证字号、男方姓名"
    book.save(path)
    assert take(path).stdout.endswith("共1行，待审核。\n")


def test_all_departments_go_out_with_their_names_and_an_earlier_day_is_that_days(
    sample_data: Path, tmp_path: Path
) -> None:
    path = tmp_path / "全部.xlsx"
    assert json.loads(ezt("use-list", "export", str(path), "--json").stdout)["rows"] > 8
    rows = list(load_workbook(path).active.iter_rows(values_only=True))
    assert rows[0][0] == "部门"
    assert OFFICE in {row[0] for row in rows}
    before = ezt("use-list", "export", str(path), "--on", "2025-12-31", "--json")
    assert json.loads(before.stdout) == {"rows": 0, "on": "2025-12-31"}
    assert_refused(ezt("use-list", "export", str(path), "--on", "昨天"), "不是有效日期")


def test_an_old_workbook_is_read_too(sample_data: Path, tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["柯桥区用证清单"])
    book.active.append(list(TITLES))
    book.active.append([ROW.get(title) for title in TITLES])
    # WPS gives its own workbooks another name and the same content.
    book.save(tmp_path / "清单.et")
    assert take(tmp_path / "清单.et").returncode == 0
