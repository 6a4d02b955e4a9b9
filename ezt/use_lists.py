"""``ezt use-list``: tables that arrive by other ways than the interface come in, the list in force goes out."""

from pathlib import Path
from typing import Annotated

import typer

from ezt.options import AsJson, Code, DepartmentName, SignedBy, TableFile, tell

use_list = typer.Typer(help="用证清单的导入、导出（第九条）", no_args_is_help=True)


@use_list.command("import", help="以表格（XLSX、XLS、ET、CSV）代部门提出用证清单；有一行不对，整件不登记")
def import_table(
    file: TableFile,
    department: DepartmentName,
    staff_no: SignedBy,
    code: Code = "",
    as_json: AsJson = False,
) -> None:
    from ezt.installation import check_ready
    from tasks.desk.runs import nudge
    from tasks.use_list.files import import_for_department

    check_ready()
    proposed = import_for_department(file.name, file.read_bytes(), department, staff_no, code)
    nudge(proposed.case_no)
    said = f"已登记为{proposed.case_no}，共{proposed.lines}行，待审核。"
    tell(as_json, {"case_no": proposed.case_no, "lines": proposed.lines}, said)


@use_list.command(help="把某日有效的用证清单写成XLSX，部门可以修改后送回")
def export(
    file: Annotated[Path, typer.Argument(help="写入的文件（.xlsx）")],
    on: Annotated[str | None, typer.Option("--on", help="日期，如2026-03-02；不填为今天")] = None,
    department: Annotated[str | None, typer.Option("--department", help="部门全称；不填为全部")] = None,
    as_json: AsJson = False,
) -> None:
    from ezt.installation import check_ready
    from regulation.working_days import parse_day
    from runtime import clock
    from runtime.database import reading
    from tasks.office.departments import department_named
    from tasks.use_list.files import workbook_of

    check_ready()
    day = parse_day(on) if on is not None else clock.today()
    with reading() as session:
        whose = department_named(session, department) if department is not None else None
        content, rows = workbook_of(session, day, whose)
    file.write_bytes(content)
    tell(as_json, {"rows": rows, "on": str(day)}, f"已写入{day}有效的条目{rows}条到{file}。")
