"""``ezt department`` and ``ezt catalogue``: the registers that everything else refers to come in as tables."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from ezt.options import AsJson, Check, TableFile, tell

if TYPE_CHECKING:
    from tasks.tables.headed import BroughtIn

department = typer.Typer(help="使用部门名册的导入", no_args_is_help=True)
catalogue = typer.Typer(help="证照目录的导入（第三条）", no_args_is_help=True)


@department.callback()
@catalogue.callback()
def _commands() -> None:
    pass


@department.command("import", help="导入部门（信用代码、名称、邮箱）；已有的按信用代码更新，有一行不对，一个也不登记")
def import_departments(file: TableFile, check: Check = False, as_json: AsJson = False) -> None:
    from ezt.installation import check_ready
    from tasks.office import department_files

    check_ready()
    done = department_files.import_departments(file.name, file.read_bytes(), "ezt", check=check)
    _show("部门", "个", done, check, as_json)


@catalogue.command("import", help="导入证照类型，一行一个字段；已有的按代码更新，有一行不对，一种也不登记")
def import_types(file: TableFile, check: Check = False, as_json: AsJson = False) -> None:
    from ezt.installation import check_ready
    from tasks.register import type_files

    check_ready()
    done = type_files.import_types(file.name, file.read_bytes(), "ezt", check=check)
    _show("证照类型", "种", done, check, as_json)


@catalogue.command("import-authorities", help="导入颁证机构（名称、代码），补录纸质证照时按它认颁证机构")
def import_authorities(file: TableFile, check: Check = False, as_json: AsJson = False) -> None:
    from ezt.installation import check_ready
    from tasks.register import type_files

    check_ready()
    done = type_files.import_authorities(file.name, file.read_bytes(), "ezt", check=check)
    _show("颁证机构", "个", done, check, as_json)


def _show(what: str, unit: str, done: "Sequence[BroughtIn]", check: bool, as_json: bool) -> None:
    added = sum(each.new for each in done)
    changed = sum(bool(each.changes) for each in done)
    same = len(done) - added - changed
    counts = {"check": check, "added": added, "changed": changed, "unchanged": same}
    said = "核对完毕，未登记" if check else "已登记"
    tell(
        as_json,
        counts | {"entries": [asdict(each) for each in done]},
        *(
            f"{each.code} {each.name}：{'新增' if each.new else '；'.join(each.changes)}"
            for each in done
            if each.new or each.changes
        ),
        f"{said}：{what}{len(done)}{unit}，其中新增{added}{unit}，有变化{changed}{unit}，没有变化{same}{unit}。",
        indent=2,
    )
