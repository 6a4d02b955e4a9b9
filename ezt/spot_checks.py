"""``ezt spot-check``: anybody checks the draw of a random spot check (Article 17)."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ezt.options import AsJson, tell

spot_check = typer.Typer(help="随机抽查的抽取结果核验（第十七条）", no_args_is_help=True)


@spot_check.callback()
def _commands() -> None:
    pass


@spot_check.command(help="由公布的抽取文件重新抽取，核对是否相符；不需要数据库；不符则退出码为1")
def recompute(
    file: Annotated[Path, typer.Argument(help="在抽查公布页下载的JSON文件")],
    commitment: Annotated[str | None, typer.Option("--commitment", help="抽取前公布的承诺值，一并核对")] = None,
    as_json: AsJson = False,
) -> None:
    from tasks.spot_checks.files import check_file, draw_of

    text = file.read_text(encoding="utf-8", errors="replace")
    found, draw = check_file(text, commitment), draw_of(text)
    drawn = f"对象{len(draw.frozen.objects)}个，抽中{len(draw.sample)}个，检查组{len(draw.teams)}个"
    tell(
        as_json,
        {"agrees": not found, "differences": found, "commitment": draw.commitment, "sample": draw.sample},
        *found,
        f"{'不符' if found else '相符'}：{draw.frozen.case_no}，{drawn}。",
        *([f"承诺值  {draw.commitment}（请与抽取前公布的核对）"] if commitment is None else []),
        indent=2,
    )
    if found:
        sys.exit(1)
