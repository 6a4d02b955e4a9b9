"""``ezt objections``: tables of objections are checked, and handed in as a batch (Article 12)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ezt.options import AsJson, Code, SignedBy, tell
from regulation.objections import Way

objections = typer.Typer(help="批量异议（第十二条）", no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="XLSX、XLS、ET或CSV文件，一行一件异议")]
SHOWN = 20
"""Wrong rows that are listed."""


@objections.command(help="试核对一个文件，列出不能登记的行及怎样更正，不写入任何内容")
def check(file: File, as_json: AsJson = False) -> None:
    from tasks.objections.batch_files import read_file

    table = read_file(file.name, file.read_bytes())
    said = f"可以登记{len(table.objections)}行，须更正{len(table.wrong)}行。"
    _tell(as_json, {"rows": len(table.objections)}, said, table.wrong)


@objections.command(help="登记一个文件的异议：能登记的行全部收下并发回执，其余各行退回更正；同一文件再次报送不重复登记")
def submit(
    file: File,
    sender: Annotated[str, typer.Option("--sender", help="报送单位全称，如浙江省大数据局")],
    staff_no: SignedBy,
    email: Annotated[str, typer.Option("--email", help="报送单位接收登记结果的邮箱；部门可不填")] = "",
    way: Annotated[Way, typer.Option("--way", help="怎样收到")] = Way.REFERRED,
    received_on: Annotated[str, typer.Option("--received-on", help="收到日期，如2026-12-01；不填即今天")] = "",
    late_why: Annotated[str, typer.Option("--late-why", help="收到已久才登记的原因")] = "",
    code: Code = "",
    as_json: AsJson = False,
) -> None:
    from ezt.installation import check_ready
    from regulation.working_days import parse_day
    from tasks.desk.runs import nudge
    from tasks.objections.batches import submit_batch
    from tasks.objections.registrations import Receipt

    check_ready()
    receipt = Receipt(way, parse_day(received_on) if received_on else None, late_why)
    received = submit_batch(file, sender, email, staff_no, code, receipt)
    nudge(received.case_no)
    said = f"已收到，批次为{received.case_no}：登记{received.rows}行，退回更正{len(received.wrong)}行。"
    _tell(as_json, {"case_no": received.case_no, "rows": received.rows}, said, received.wrong)


@objections.command("list", help="导出一个批次中等待核实结果或处理结果的异议清单，填写后用replies登记")
def export(
    batch: Annotated[str, typer.Argument(help="批次编号，如YP-2026-000001")],
    out: Annotated[Path, typer.Option("--out", help="写到哪个XLSX文件")],
    staff_no: SignedBy,
    code: Code = "",
) -> None:
    from ezt.installation import check_ready
    from tasks.objections.lists import list_of_batch

    check_ready()
    content, rows = list_of_batch(batch, staff_no, code)
    out.write_bytes(content)
    print(f"{rows}件，已写入{out}。")


@objections.command(help="登记一份清单上的书面回复和处理结果：填对的行全部登记，其余各行退回更正；更正后可以全表重报")
def replies(
    file: Annotated[Path, typer.Argument(help="XLSX、XLS、ET或CSV文件，列同发函时所附的核实清单")],
    staff_no: SignedBy,
    reply_no: Annotated[str, typer.Option("--reply-no", help="回复文号；清单只填处理结果的不填")] = "",
    replied_on: Annotated[str, typer.Option("--replied-on", help="回复日期，如2026-12-01")] = "",
    scan: Annotated[
        Path | None, typer.Option("--scan", help="来函的扫描件（PDF、JPEG、PNG、OFD）；登记回复的须附")
    ] = None,
    code: Code = "",
    as_json: AsJson = False,
) -> None:
    from ezt.installation import check_ready
    from ezt.progress import progress
    from regulation.working_days import parse_day
    from tasks.objections.lists import Letter, take_list

    check_ready()
    scanned = (scan.name, scan.read_bytes()) if scan is not None else None
    letter = Letter(reply_no, parse_day(replied_on) if replied_on else None, scanned)
    with progress("登记") as watch:
        taken = take_list(file.name, file.read_bytes(), letter, staff_no, code, watch)
    counts = {"replied": taken.replied, "decided": taken.decided, "unchanged": taken.unchanged}
    said = (
        f"登记核实结果{taken.replied}件，拟定处理结果{taken.decided}件、等待审签；此前已登记{taken.unchanged}行，"
        f"退回更正{len(taken.wrong)}行。"
    )
    _tell(as_json, counts, said, taken.wrong)


def _tell(as_json: bool, counts: dict[str, Any], said: str, wrong: Sequence[tuple[int, str]]) -> None:
    more = len(wrong) - SHOWN
    tell(
        as_json,
        counts | {"wrong": [{"row": row, "text": what} for row, what in wrong]},
        said,
        *(f"第{row}行：{what}" for row, what in wrong[:SHOWN]),
        *([f"还有{more}行，加--json列出全部。"] if more > 0 else []),
    )
