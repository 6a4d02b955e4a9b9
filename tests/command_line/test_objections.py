"""``ezt objections``: what a table would come to, and handing it in."""

import json
from pathlib import Path
from typing import Any

from models.objection_batches import ObjectionBatch
from runtime import clock
from tests.articles.test_article_12_batches import clear, number_of, table
from tests.articles.test_article_12_lists import RIGHT, UPHELD, WRONG, filled, posted
from tests.command_line.conftest import assert_refused, ezt
from tests.conftest import SCAN, officer_of


def written(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_bytes(table(rows))
    return path


def test_a_check_names_the_wrong_rows_and_writes_nothing(clerk: Any, tmp_path: Path) -> None:
    rows = clear(4)
    rows[1]["理由"] = "短"
    path = written(tmp_path / "异议.csv", rows)
    done = ezt("objections", "check", str(path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["可以登记3行，须更正1行。", "第3行：理由至少5个字。请更正该行后重新报送。"]
    said = json.loads(ezt("objections", "check", str(path), "--json").stdout)
    assert (said["rows"], [each["row"] for each in said["wrong"]]) == (3, [3])
    assert number_of(ObjectionBatch.case_no) == 0


def test_a_table_is_handed_in_once(clerk: Any, tmp_path: Path) -> None:
    path = written(tmp_path / "异议.csv", clear(3))
    how = ("objections", "submit", str(path), "--sender", "浙江省大数据局", "--staff-no", "KQ001")
    first, second = ezt(*how), ezt(*how, "--json")
    assert first.returncode == 0, first.stderr
    case_no = json.loads(second.stdout)["case_no"]
    assert first.stdout == f"已收到，批次为{case_no}：登记3行，退回更正0行。\n"
    assert number_of(ObjectionBatch.case_no) == 1


def test_whoever_is_nobody_hands_nothing_in(clerk: Any, tmp_path: Path) -> None:
    path = written(tmp_path / "异议.csv", clear(1))
    submit = ("objections", "submit", str(path), "--sender")
    assert_refused(ezt(*submit, "浙江省大数据局", "--staff-no", "KQ999"), "工号不存在")
    assert_refused(ezt(*submit, "省", "--staff-no", "KQ001"), "报送单位至少2个字")
    assert_refused(ezt(*submit, "浙江省大数据局", "--staff-no", "KQ001", "--email", "a@b"), "邮箱")
    assert number_of(ObjectionBatch.case_no) == 0


def test_a_list_is_exported_and_taken(clerk: Any, tmp_path: Path) -> None:
    batch, out = posted(clear(2)), tmp_path / "核实清单.xlsx"
    signed = ("--staff-no", officer_of(batch.case_no))
    listed = ezt("objections", "list", batch.case_no, "--out", str(out), *signed)
    assert (listed.returncode, listed.stdout) == (0, f"2件，已写入{out}。\n"), listed
    out.write_bytes(filled(out.read_bytes(), RIGHT | UPHELD, WRONG | {"正确的内容": ""}))
    replies = ("objections", "replies", str(out), *signed, "--reply-no", "绍数函〔2026〕1号")
    assert_refused(ezt(*replies, "--replied-on", "昨天"), "日期")
    replies = (*replies, "--replied-on", str(clock.today()))
    assert "须附来函的扫描件" in ezt(*replies).stdout
    scan = tmp_path / SCAN.name
    scan.write_bytes(SCAN.content)
    replies = (*replies, "--scan", str(scan))
    taken = ezt(*replies)
    first, second = taken.stdout.splitlines()
    assert first == "登记核实结果1件，拟定处理结果1件、等待审签；此前已登记0行，退回更正1行。"
    assert second.startswith("第3行：上级认定原数据有误，请在“正确的内容”中写明")
    assert json.loads(ezt(*replies, "--json").stdout)["unchanged"] == 1
    assert_refused(ezt("objections", "list", "YY-1", "--out", str(out), *signed), "请核对编号")
