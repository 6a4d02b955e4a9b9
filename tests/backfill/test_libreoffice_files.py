"""Workbooks that LibreOffice wrote, through the command that an archive's clerk runs.

``files/`` holds what ``soffice --headless --convert-to xlsx`` (and ``xls``) of LibreOffice 7.4 made of ``source()``'s
workbooks; 加密 is 登记簿 saved with a password over its UNO bridge. What it writes today is read, too.
"""

import json
import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from regulation.backfill.problems import ProblemCode
from tasks.backfill.batch_files import BOUNDS
from tasks.tables.files import opened_table
from tests.command_line.conftest import assert_refused, ezt

FILES = Path(__file__).parent / "files"
HEADINGS = ["结婚证字号", "持证人", "男方姓名", "男方身份证号", "女方姓名", "登记机关", "登记日期"]
CIVIL = "绍兴县民政局"
ROWS: list[list[Any]] = [
    ["J330621-1998-000001", "王建国", "王建国", "330621680512101", "陈丽华", CIVIL, date(1998, 5, 12)],
    ["J330621-1998-000002", "王建国", "王建国", 330621680512101, "陈丽华", CIVIL, "1998年5月12日"],
    ["J330621-1998-000003", "王建国", "王建国", 330621196805121017, "陈丽华", CIVIL, "1998.05.12"],
    ["J330621-1998-000004", "𠮷䶮", "𠮷䶮", "330621680512101", "㛃㼆", CIVIL, date(1998, 5, 12)],
    ["J330621-1998-000005", "王建国", "王建国", "330621680512101", "陈丽华", CIVIL, "长期"],
]
KINDS = ["xlsx", "xls"]


def source(folder: Path, name: str) -> Path:
    """What LibreOffice is given: 登记簿 with a merged title, 合并 with merged cells among the rows, 公式 with a column
    of formulas."""
    book = Workbook()
    sheet = book.active
    sheet.append(["结婚登记档案目录"])
    sheet.merge_cells("A1:G1")
    for row in [HEADINGS, *ROWS]:
        sheet.append(row)
    if name == "合并":
        sheet.merge_cells("F4:F5")
    if name == "公式":
        for row in range(3, 8):
            sheet.cell(row, 2).value = f"=C{row}"
    folder.mkdir(exist_ok=True)
    book.save(folder / f"{name}.xlsx")
    return folder / f"{name}.xlsx"


def converted(folder: Path, name: str, kind: str) -> Path:
    there = folder / "written"
    program = shutil.which("soffice")
    assert program is not None, "请安装LibreOffice Calc（Debian：apt-get install libreoffice-calc），测试不跳过它"
    command = [program, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", kind]
    made = [*command, "--outdir", str(there), str(source(folder / "source", name))]
    subprocess.run(made, check=True, capture_output=True, timeout=120)
    return there / f"{name}.{kind}"


def assert_read(path: Path) -> None:
    done = ezt("backfill", "check", str(path), "--type", "结婚证", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["rows"], said["good"], said["bad"]) == (5, 3, 2), said
    # The headings stand below the title; the row numbers are those that the clerk sees.
    assert [(each["row"], each["column"], each["code"]) for each in said["problems"]] == [
        (5, "D列", ProblemCode.DIGITS_LOST),
        (7, "G列", ProblemCode.DATE_NO_END_HERE),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_dates_and_rare_characters_survive_and_lost_digits_are_told(sample_data: Path, kind: str) -> None:
    assert_read(FILES / f"登记簿.{kind}")


@pytest.mark.parametrize("kind", KINDS)
def test_merged_cells_among_the_rows_are_named_by_their_row(sample_data: Path, kind: str) -> None:
    done = ezt("backfill", "check", str(FILES / f"合并.{kind}"), "--type", "结婚证")
    assert_refused(done, f"合并.{kind}", "第4行有合并的单元格")


def test_a_column_of_formulas_is_named_by_its_first_cell(sample_data: Path) -> None:
    done = ezt("backfill", "check", str(FILES / "公式.xlsx"), "--type", "结婚证")
    assert_refused(done, "公式.xlsx", "单元格B3是公式")


def test_a_formula_of_an_xls_counts_as_what_it_came_to(sample_data: Path) -> None:
    assert_read(FILES / "公式.xls")


@pytest.mark.parametrize("kind", KINDS)
def test_a_workbook_says_how_many_rows_it_has(kind: str) -> None:
    path = FILES / f"登记簿.{kind}"
    with opened_table(path.name, path, BOUNDS) as table:
        assert table.length == len(list(table.rows)) == 2 + len(ROWS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_workbook_with_a_password_is_refused_with_the_way_out(sample_data: Path, kind: str) -> None:
    done = ezt("backfill", "check", str(FILES / f"加密.{kind}"), "--type", "结婚证")
    assert_refused(done, f"加密.{kind}", "加了密码", "去掉密码")


@pytest.mark.parametrize("kind", KINDS)
def test_what_libreoffice_writes_today_reads_the_same(sample_data: Path, tmp_path: Path, kind: str) -> None:
    assert_read(converted(tmp_path, "登记簿", kind))
