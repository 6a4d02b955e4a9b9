"""``ezt objections``: tables of objections are checked, and handed in as a batch (Article 12)."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

objections = typer.Typer(help="批量异议（第十二条）", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="以JSON输出")]
File = Annotated[Path, typer.Argument(help="XLSX、XLS、ET或CSV文件，一行一件异议")]
SHOWN = 20
"""Wrong rows that are listed."""


@objections.command(help="试核对一个文件，列出不能登记的行及怎样更正，不写入任何内容")
def check(file: File, as_json: AsJson = False) -> None:
    from tasks.objections.batch_files import read_file

    table = read_file(file.name, file.read_bytes())
    if as_json:
        print(json.dumps({"rows": len(table.objections), "wrong": _as_json(table.wrong)}, ensure_ascii=False))
        return
    print(f"可以登记{len(table.objections)}行，须更正{len(table.wrong)}行。")
    _list(table.wrong)


@objections.command(help="登记一个文件的异议：能登记的行全部收下并发回执，其余各行退回更正；同一文件再次报送不重复登记")
def submit(
    file: File,
    sender: Annotated[str, typer.Option("--sender", help="报送单位全称，如浙江省大数据局")],
    staff_no: Annotated[str, typer.Option("--staff-no", help="工号")],
    email: Annotated[str, typer.Option("--email", help="报送单位接收登记结果的邮箱；部门可不填")] = "",
    code: Annotated[str, typer.Option("--code", help="一次性验证码；未启用验证码时不填")] = "",
    as_json: AsJson = False,
) -> None:
    from ezt.installation import check_migrated
    from tasks.desk.runs import nudge
    from tasks.objections.batches import submit_batch

    check_migrated()
    received = submit_batch(file, sender, email, staff_no, code)
    nudge(received.case_no)
    if as_json:
        said = {"case_no": received.case_no, "rows": received.rows, "wrong": _as_json(received.wrong)}
        print(json.dumps(said, ensure_ascii=False))
        return
    print(f"已收到，批次为{received.case_no}：登记{received.rows}行，退回更正{len(received.wrong)}行。")
    _list(received.wrong)


@objections.command("list", help="导出一个批次中等待核实结果或处理结果的异议清单，填写后用replies登记")
def export(
    batch: Annotated[str, typer.Argument(help="批次编号，如YP-2026-000001")],
    out: Annotated[Path, typer.Option("--out", help="写到哪个XLSX文件")],
    staff_no: Annotated[str, typer.Option("--staff-no", help="工号")],
    code: Annotated[str, typer.Option("--code", help="一次性验证码；未启用验证码时不填")] = "",
) -> None:
    from ezt.installation import check_migrated
    from tasks.objections.lists import list_of_batch

    check_migrated()
    content, rows = list_of_batch(batch, staff_no, code)
    out.write_bytes(content)
    print(f"{rows}件，已写入{out}。")


@objections.command(help="登记一份清单上的书面回复和处理结果：填对的行全部登记，其余各行退回更正；更正后可以全表重报")
def replies(
    file: Annotated[Path, typer.Argument(help="XLSX、XLS、ET或CSV文件，列同发函时所附的核实清单")],
    staff_no: Annotated[str, typer.Option("--staff-no", help="工号")],
    reply_no: Annotated[str, typer.Option("--reply-no", help="回复文号；清单只填处理结果的不填")] = "",
    replied_on: Annotated[str, typer.Option("--replied-on", help="回复日期，如2026-12-01")] = "",
    code: Annotated[str, typer.Option("--code", help="一次性验证码；未启用验证码时不填")] = "",
    as_json: AsJson = False,
) -> None:
    from ezt.installation import check_migrated
    from ezt.progress import progress
    from regulation.working_days import parse_day
    from tasks.objections.lists import Letter, take_list

    check_migrated()
    letter = Letter(reply_no, parse_day(replied_on) if replied_on else None)
    with progress("登记") as watch:
        taken = take_list(file.name, file.read_bytes(), letter, staff_no, code, watch)
    if as_json:
        counts = {"replied": taken.replied, "decided": taken.decided, "unchanged": taken.unchanged}
        print(json.dumps({**counts, "wrong": _as_json(taken.wrong)}, ensure_ascii=False))
        return
    print(
        f"登记核实结果{taken.replied}件、处理结果{taken.decided}件；此前已登记{taken.unchanged}行，"
        f"退回更正{len(taken.wrong)}行。"
    )
    _list(taken.wrong)


def _list(wrong: Sequence[tuple[int, str]]) -> None:
    for row, what in wrong[:SHOWN]:
        print(f"第{row}行：{what}")
    if (more := len(wrong) - SHOWN) > 0:
        print(f"还有{more}行，加--json列出全部。")


def _as_json(wrong: Sequence[tuple[int, str]]) -> list[dict[str, object]]:
    return [{"row": row, "text": what} for row, what in wrong]
