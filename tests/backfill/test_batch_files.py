"""Files of paper certificates as programs write them and as they arrive; each way to be unreadable is one sentence."""

import csv
import io
import zipfile
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter

from regulation.backfill.judge import PaperType
from regulation.catalogue import Field, FieldKind, HolderKind, Sensitivity, Validity
from runtime.refusals import InputError
from tasks.backfill import batch_files as backfill_batch_files
from tasks.backfill.batch_files import in_chunks, opened_batch
from tasks.tables import files as tables
from tests.conftest import as_xlsx

FIELDS = (Field("number", "许可证号", FieldKind.NUMBER, Sensitivity.PUBLIC),)
PERMIT = PaperType("t", "许可证", Validity.UNLIMITED, None, (HolderKind.LEGAL_PERSON,), FIELDS)
HEADINGS = ["许可证号", "企业名称", "统一社会信用代码", "发证机关", "发证日期"]
ROW = ["浙柯〔2019〕1号", "绍兴某某纺织有限公司", "91330621MA2B0000XY", "绍兴市柯桥区交通运输局", "2019-03-05"]


def as_csv(rows: Iterable[Iterable[object]], encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode(encoding)


def read(tmp_path: Path, content: bytes, name: str = "档案.csv") -> list[tuple[int, list[object]]]:
    path = tmp_path / name
    path.write_bytes(content)
    with opened_batch(name, path, PERMIT) as file:
        return [(number, list(cells)) for number, cells in file.rows]


def refusal(tmp_path: Path, content: bytes, name: str = "档案.csv") -> str:
    with pytest.raises(InputError) as refused:
        read(tmp_path, content, name)
    said = str(refused.value)
    assert name in said
    assert "\n" not in said
    return said


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_both_encodings_in_use_are_known_by_the_whole_file(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, as_csv([HEADINGS, ROW], encoding)) == [(2, ROW)]


def test_gb18030_as_bytes_with_a_character_of_four_of_them(tmp_path: Path) -> None:
    # 䶮 is 0x8139EF30 here, and no UTF-8 in any reading.
    content = as_csv([HEADINGS], "gb18030") + b"A1,\x81\x39\xef\x30\xb7\xfe\xd7\xb0\xb3\xa7,x,y,2019-03-05\r\n"
    assert read(tmp_path, content)[0][1][1] == b"\x81\x39\xef\x30\xb7\xfe\xd7\xb0\xb3\xa7".decode("gb18030")


def test_a_workbook_gives_its_cells_as_they_are_under_any_of_its_names(tmp_path: Path) -> None:
    rows = [["道路运输许可证登记簿"], HEADINGS, ["1", "甲", 91330621, True, date(2019, 3, 5)], [], [None, "乙"]]
    for name in ("档案.xlsx", "档案.et"):
        first, last = read(tmp_path, as_xlsx(rows), name)
        assert first == (3, ["1", "甲", 91330621.0, True, date(2019, 3, 5)])
        assert (last[0], last[1][1]) == (5, "乙")


def test_a_table_that_does_not_begin_in_the_first_column_keeps_its_columns(tmp_path: Path) -> None:
    (row,) = read(tmp_path, as_xlsx([[None, *HEADINGS], [None, *ROW]]), "档案.xlsx")
    assert row == (2, [None, *ROW])


@pytest.mark.parametrize("options", [{}, {"constant_memory": True}, {"use_zip64": True}, {"strings_to_numbers": True}])
def test_another_writers_workbooks_read_alike(tmp_path: Path, options: dict[str, bool]) -> None:
    path = tmp_path / "档案.xlsx"
    with xlsxwriter.Workbook(path, options) as book:
        sheet, day = book.add_worksheet("登记簿"), book.add_format({"num_format": "yyyy年m月d日"})
        sheet.write_row(0, 0, HEADINGS)
        sheet.write_row(1, 0, ROW[:4])
        sheet.write_datetime(1, 4, date(2019, 3, 5), day)
        sheet.write_row(2, 0, ["00012", "𠮷田有限公司", *ROW[2:4]])
        sheet.write_number(2, 4, 43529, day)
    (first, second) = read(tmp_path, path.read_bytes(), "档案.xlsx")
    assert first == (2, [*ROW[:4], date(2019, 3, 5)])
    assert second[1][1:] == ["𠮷田有限公司", *ROW[2:4], date(2019, 3, 5)]
    # Told to make numbers of texts, the writer loses the zeros before Excel could.
    assert second[1][0] == (12.0 if options.get("strings_to_numbers") else "00012")


def test_a_workbook_with_macros_is_refused(tmp_path: Path) -> None:
    content = io.BytesIO(as_xlsx([HEADINGS, ROW]))
    with zipfile.ZipFile(content, "a") as package:
        package.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0")
    assert "含有宏" in refusal(tmp_path, content.getvalue(), "档案.xlsm")


def test_a_formula_is_named_by_its_cell(tmp_path: Path) -> None:
    content = as_xlsx([HEADINGS, ROW, [*ROW[:2], "=C2", *ROW[3:]]])
    assert "单元格C3是公式" in refusal(tmp_path, content, "档案.xlsx")


def test_merged_cells_are_named_by_their_row_and_a_merged_title_does_no_harm(tmp_path: Path) -> None:
    assert "第3行有合并的单元格" in refusal(tmp_path, as_xlsx([HEADINGS, ROW, ROW], "D3:D4"), "档案.xlsx")
    titled = [["登记簿", None, None], HEADINGS, ROW]
    assert read(tmp_path, as_xlsx(titled, "A1:E1"), "档案.xlsx") == [(3, ROW)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "空文件"),
        (as_csv([HEADINGS]), "只有表头"),
        (as_csv([["姓名", "年龄"], ["甲", "1"]]), "没有“许可证”的表头"),
        (as_csv([HEADINGS[:4], ROW[:4]]), "第1行的表头须更正：缺少“发证日期”列"),
        (as_csv([[*HEADINGS, "发证时间"], ROW]), "同一项内容"),
        (as_csv([HEADINGS, ROW]) + as_csv([ROW], "gb18030"), "编码前后不一：第1行是UTF-8，第3行是GB18030"),
        (as_csv([HEADINGS, ROW], "gb18030") + as_csv([ROW]), "编码前后不一：第3行是UTF-8，第1行是GB18030"),
        (as_csv([HEADINGS, ROW]) + b"\xff\xff\xff\r\n", "第3行有既不是UTF-8也不是GB18030"),
        (as_csv([HEADINGS, ROW], "utf-16"), "第1行不是文字"),
        (as_csv([HEADINGS, ROW]) + '2,"甲'.encode(), "第3行的引号没有成对"),
    ],
)
def test_a_bad_csv_is_one_sentence_with_the_place(tmp_path: Path, content: bytes, said: str) -> None:
    assert said in refusal(tmp_path, content)


def test_a_bad_workbook_is_one_sentence(tmp_path: Path) -> None:
    whole = as_xlsx([HEADINGS, ROW])
    assert "不完整" in refusal(tmp_path, whole[: len(whole) // 2], "档案.xlsx")
    locked = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600
    assert "加了密码" in refusal(tmp_path, locked, "档案.xlsx")
    assert "前10行中没有" in refusal(tmp_path, as_xlsx([]), "档案.xlsx")


@pytest.mark.thorough
def test_a_bomb_ends_its_reader_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill_batch_files, "BOUNDS", tables.Bounds(1000, memory=1 << 28, seconds=5))
    content = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(as_xlsx([HEADINGS, ROW]))) as whole,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for name in whole.namelist():
            wide = b" " * (1 << 29) if name.endswith("sheet1.xml") else b""
            bomb.writestr(name, wide + whole.read(name))
    assert "作为工作簿过大或已损坏，无法读取，请另存为CSV" in refusal(tmp_path, content.getvalue(), "档案.xlsx")


@pytest.mark.parametrize("name", ["档案.csv", "档案.xlsx"])
def test_a_file_with_too_many_rows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(backfill_batch_files, "BOUNDS", tables.Bounds(3, memory=1 << 30, seconds=5))
    make = as_csv if name.endswith("csv") else as_xlsx
    assert "超过3行" in refusal(tmp_path, make([HEADINGS, *[ROW] * 20]), name)


def test_chunks_hold_every_row_once() -> None:
    assert list(in_chunks(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
