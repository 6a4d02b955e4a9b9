"""``ezt backfill``: what a file would come to, and the rows that have to be mended."""

import csv
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from openpyxl import load_workbook
from sqlalchemy import func, select

from ezt.samples import data as samples
from models.backfill_batches import BackfillBatch, BackfillChunk
from models.records import AuditEntry
from runtime.database import reading
from tests.articles.test_article_11_backfill import MARRIAGE
from tests.command_line.conftest import assert_refused, ezt


def marriage(number: int, **changed: str) -> dict[str, str]:
    return MARRIAGE | {"结婚证字号": f"J330621-1998-{number:06}"} | changed


def written(path: Path, *rows: Mapping[str, str]) -> Path:
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


ROWS = (
    marriage(1),
    marriage(2, 登记日期="1998年2月30日"),
    marriage(1),
    marriage(3),
    marriage(3, 登记日期="1998年5月13日"),
    marriage(4, 男方姓名="=1+1", 登记机关="某某局"),
)


def entries() -> int:
    with reading() as session:
        return session.scalar(select(func.count(AuditEntry.id))) or 0


def test_a_dry_run_counts_names_places_and_writes_nothing(sample_data: Path, tmp_path: Path) -> None:
    before, path = entries(), written(tmp_path / "结婚证.csv", *ROWS)
    done = ezt("backfill", "check", str(path), "--type", "结婚证", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert {name: said[name] for name in ("rows", "good", "same", "conflict", "bad")} == {
        "rows": 6,
        "good": 1,
        "same": 1,
        "conflict": 2,
        "bad": 2,
    }
    assert [(each["row"], each["code"], each["column"]) for each in said["problems"]][:2] == [
        (3, "date-impossible", "G列"),
        (4, "duplicate", "A列"),
    ]
    assert entries() == before
    in_words = ezt("backfill", "check", str(path), "--type", "结婚证").stdout
    assert "结婚证：共6行，可以入库1行，已有相同、不再录入1行，内容冲突、须核对2行，须更正2行。" in in_words
    assert "第3行G列：“登记日期”的日期不存在" in in_words
    assert "王建国" not in in_words


def test_what_has_to_be_mended_comes_back_and_can_be_sent_again(sample_data: Path, tmp_path: Path) -> None:
    path, out = written(tmp_path / "结婚证.csv", *ROWS), tmp_path / "更正.xlsx"
    done = ezt("backfill", "check", str(path), "--type", "结婚证", "--out", str(out))
    assert "须更正的4行已写入" in done.stdout, done.stderr
    book = load_workbook(out)
    heading, *rows = book.active.iter_rows(values_only=True)
    assert heading == (*MARRIAGE, "问题及更正方法")
    assert [row[-1].split("：")[0] for row in rows] == ["原第3行", "原第5行", "原第6行", "原第7行"]
    assert "不在已知的颁证机构中" in rows[-1][-1]
    assert rows[-1][2] == "'=1+1"
    book.active.cell(2, 7).value = "1998年2月28日"
    book.save(out)
    again = json.loads(ezt("backfill", "check", str(out), "--type", "结婚证", "--json").stdout)
    assert (again["rows"], again["good"], again["conflict"], again["bad"]) == (4, 1, 2, 1)
    assert "不是该类证照的内容" in again["remarks"][0]


def test_a_file_that_is_handed_in_is_a_case_signed_by_an_officer(sample_data: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "结婚证.csv", *ROWS)
    which = (
        "--type",
        "结婚证",
        "--department",
        samples.DEPARTMENTS[5],
        "--service-case",
        "MZ-1",
        "--staff-no",
        "KQ001",
    )
    assert_refused(ezt("backfill", "submit", str(path), *which, "--code", "000000"), "一次性验证码")
    done = ezt("backfill", "submit", str(path), *which, "--json", EZT_ONE_TIME_CODES="false")
    assert done.returncode == 0, done.stderr
    case_no = json.loads(done.stdout)["case_no"]
    with reading() as session:
        batch = session.get_one(BackfillBatch, case_no)
        # What stands in the database is sealed.
        assert "王建国".encode() not in session.scalars(select(BackfillChunk.sealed)).one()
    assert (batch.rows, batch.chunks, batch.entered_by, batch.good) == (6, 1, "KQ001", 0)


def test_a_terminal_shows_how_far_a_check_has_come_and_a_pipe_stays_clean(sample_data: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "结婚证.csv", *(marriage(number) for number in range(6_000)))
    command = [sys.executable, "-m", "ezt", "backfill", "check", str(path), "--type", "结婚证", "--json"]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=theirs, env=os.environ | {"TERM": "xterm", "COLUMNS": "120"}
    ) as running:
        os.close(theirs)
        shown = b""
        # The terminal ends with the one who wrote to it.
        with suppress(OSError):
            while piece := os.read(ours, 4096):
                shown += piece
        assert running.stdout is not None
        assert json.loads(running.stdout.read())["good"] == 6_000
    os.close(ours)
    said = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    assert re.search(r"正在核对.*5000/6000行，每秒\d+行，约剩", said), said
    piped = ezt("backfill", "check", str(path), "--type", "结婚证", "--json")
    assert (piped.returncode, piped.stderr) == (0, "")


def test_what_cannot_be_checked_is_one_line(sample_data: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "结婚证.csv", *ROWS)
    assert_refused(ezt("backfill", "check", str(path), "--type", "渔业捕捞许可证"), "没有所填的证照类型")
    assert_refused(ezt("backfill", "check", str(path), "--type", "残疾人证"), "结婚证.csv", "表头")
    assert_refused(ezt("backfill", "check", str(tmp_path / "没有.csv"), "--type", "结婚证"), "没有.csv")
