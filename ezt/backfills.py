"""``ezt backfill``: files of paper certificates are checked, and handed in as a batch (Article 11)."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ezt.options import AsJson, Code, DepartmentName, SignedBy, tell

if TYPE_CHECKING:
    from tasks.backfill.checks import Report

backfill = typer.Typer(help="纸质证照的批量补录（第十一条）", no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="CSV、XLSX、XLS或ET文件，一个文件只放一种证照")]
TypeName = Annotated[str, typer.Option("--type", help="证照类型：目录中的名称或代码")]
SHOWN = 20
"""Rows whose problems are listed."""
OUTCOMES = {"good": "可以入库", "same": "已有相同、不再录入", "conflict": "内容冲突、须核对", "bad": "须更正"}


@backfill.command(help="试核对一个文件，不写入任何内容；--out把须更正的行写成工作簿，逐行注明怎样更正")
def check(
    file: File,
    certificate_type: TypeName,
    out: Annotated[Path | None, typer.Option("--out", help="写入的工作簿（.xlsx）")] = None,
    as_json: AsJson = False,
) -> None:
    from ezt.installation import check_ready
    from ezt.progress import progress
    from regulation.backfill.batches import Outcome
    from runtime import clock
    from tasks.backfill.checks import check_file
    from tasks.backfill.mended import write_mended

    check_ready()
    with progress("核对") as watch:
        report = check_file(file, certificate_type, clock.today(), watch)
    written = write_mended(file, report, out) if out is not None else 0
    rows, problems, more = report.counts.total(), _problems(report), len(report.problems) - SHOWN
    counts = {value: report.counts[Outcome(value)] for value in OUTCOMES}
    said = "，".join(f"{words}{counts[value]}行" for value, words in OUTCOMES.items())
    tell(
        as_json,
        {"type": report.kind.name, "rows": rows, "remarks": report.remarks}
        | counts
        | {"problems": problems}
        | ({"written": written} if out is not None else {}),
        *report.remarks,
        f"{report.kind.name}：共{rows}行，{said}。",
        *(f"第{problem['row']}行{problem['column']}：{problem['text']}" for problem in problems),
        *([f"还有{more}行有问题，加--out写出全部。"] if more > 0 else []),
        *([f"须更正的{written}行已写入{out}。"] if out is not None else []),
    )


@backfill.command(help="代部门报送一个文件：登记后自动核对，抽检通过后入库；有问题的行不影响其他行")
def submit(
    file: File,
    certificate_type: TypeName,
    department: DepartmentName,
    service_case_no: Annotated[str, typer.Option("--service-case", help="部门的业务办件编号")],
    staff_no: SignedBy,
    code: Code = "",
    as_json: AsJson = False,
) -> None:
    from ezt.installation import check_ready
    from tasks.backfill.batches import submit_batch
    from tasks.desk.runs import nudge

    check_ready()
    case_no = submit_batch(file, certificate_type, department, service_case_no, staff_no, code)
    nudge(case_no)
    tell(as_json, {"case_no": case_no}, f"已登记为{case_no}，正在核对，核对完毕后待抽检。")


@backfill.command(help="从按证照编号命名的扫描件压缩包中，取出抽到的各行的扫描件，附到批次上供抽检")
def scans(
    case_no: Annotated[str, typer.Argument(help="办件编号，如PL-2026-000001")],
    archive: Annotated[Path, typer.Argument(help="ZIP压缩包，文件名为证照编号，多页的加-1、-2")],
    staff_no: SignedBy,
    code: Code = "",
    as_json: AsJson = False,
) -> None:
    from ezt.installation import check_ready
    from tasks.backfill.scans import attach_scans

    check_ready()
    attached = attach_scans(case_no, archive, staff_no, code)
    missing = f"，缺第{'、'.join(map(str, attached.missing))}行的" if attached.missing else ""
    tell(as_json, asdict(attached), f"已附上{attached.scans}个扫描件{missing}。")


def _problems(report: "Report") -> list[dict[str, Any]]:
    """What is wrong with the first rows, each with its place."""
    from openpyxl.utils import get_column_letter  # type: ignore[import-untyped]

    from tasks.backfill.checks import told

    rows = list(report.problems.items())[:SHOWN]
    return [
        {
            "row": row,
            "column": f"{get_column_letter(report.places[each.field] + 1)}列" if each.field in report.places else "",
            "field": each.field,
            "code": each.code,
            "severity": each.severity,
            "text": report.in_words(each),
        }
        for row, problems in rows
        for each in told(problems)
    ]
