"""``ezt service-guide``: guides that departments publish come in as a table."""

from dataclasses import asdict
from typing import Annotated

import typer

from ezt.options import AsJson, Code, SignedBy, TableFile, tell

service_guide = typer.Typer(help="办事指南的导入（第八条至第十一条）", no_args_is_help=True)


@service_guide.callback()
def _commands() -> None:
    pass


@service_guide.command(
    "import", help="导入办事指南（XLSX、XLS、ET、CSV），一行一项材料；有变化的事项新增一版，有一行不对，整件不登记"
)
def import_table(
    file: TableFile,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只核对并列出变化，不登记；不需要工号")] = False,
    staff_no: SignedBy = "",
    code: Code = "",
    as_json: AsJson = False,
) -> None:
    from ezt.installation import check_ready
    from tasks.guides.files import import_guides

    check_ready()
    brought = import_guides(file.name, file.read_bytes(), staff_no, code, dry_run=dry_run)
    changed = [each for each in brought if each.changes]
    done = "核对完毕，未登记" if dry_run else "已登记"
    tell(
        as_json,
        {"dry_run": dry_run, "changed": len(changed), "guides": [asdict(each) for each in brought]},
        *(f"{each.department} {each.item_code} 第{each.version}版：{'；'.join(each.changes)}" for each in changed),
        f"{done}：办事指南{len(brought)}项，其中有变化{len(changed)}项。",
        indent=2,
    )
