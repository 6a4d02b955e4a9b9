"""What commands have in common: their options, and how they say what they came to."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="以JSON输出")]
Check = Annotated[bool, typer.Option("--check", "--dry-run", help="只核对并列出变化，不登记")]
Code = Annotated[str, typer.Option("--code", help="一次性验证码；未启用验证码时不填")]
DepartmentName = Annotated[str, typer.Option("--department", help="部门全称")]
SignedBy = Annotated[str, typer.Option("--staff-no", help="工号")]
TableFile = Annotated[Path, typer.Argument(help="表格文件（XLSX、XLS、ET、CSV）")]


def tell(as_json: bool, answer: Any, *lines: str, indent: int | None = None) -> None:
    """Print what a command came to: ``answer`` for programs, or ``lines`` for people."""
    for line in [json.dumps(answer, ensure_ascii=False, indent=indent)] if as_json else lines:
        print(line)
