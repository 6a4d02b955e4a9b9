"""``ezt service-guide``: guides that departments publish come in as a table."""

import json
from pathlib import Path
from typing import Annotated

import typer

service_guide = typer.Typer(help="办事指南的导入（第八条至第十一条）", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="以JSON输出")]


@service_guide.callback()
def _commands() -> None:
    pass


@service_guide.command(
    "import", help="导入办事指南（XLSX、XLS、ET、CSV），一行一项材料；有变化的事项新增一版，有一行不对，整件不登记"
)
def import_table(
    file: Annotated[Path, typer.Argument(help="表格文件")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只核对并列出变化，不登记；不需要工号")] = False,
    staff_no: Annotated[str, typer.Option("--staff-no", help="工号")] = "",
    code: Annotated[str, typer.Option("--code", help="一次性验证码；未启用验证码时不填")] = "",
    as_json: AsJson = False,
) -> None:
    from ezt.installation import check_migrated
    from tasks.guides.files import import_guides

    check_migrated()
    brought = import_guides(file.name, file.read_bytes(), staff_no, code, dry_run=dry_run)
    changed = [each for each in brought if each.changes]
    if as_json:
        guides = [
            {
                "department": each.department,
                "item_code": each.item_code,
                "version": each.version,
                "changes": list(each.changes),
            }
            for each in brought
        ]
        print(json.dumps({"dry_run": dry_run, "changed": len(changed), "guides": guides}, ensure_ascii=False, indent=2))
        return
    for each in changed:
        print(f"{each.department} {each.item_code} 第{each.version}版：{'；'.join(each.changes)}")
    done = "核对完毕，未登记" if dry_run else "已登记"
    print(f"{done}：办事指南{len(brought)}项，其中有变化{len(changed)}项。")
