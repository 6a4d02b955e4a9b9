"""``ezt notices``: the letters that the system sends, to be looked at before anybody gets one."""

import json
from pathlib import Path
from typing import Annotated

import typer

notices = typer.Typer(help="系统发出的通知", no_args_is_help=True)


@notices.callback()
def _commands() -> None:
    pass


@notices.command(help="用虚构的样例生成全部通知，供在浏览器和邮件程序中查看；不需要数据库，不发送")
def preview(
    out: Annotated[Path, typer.Option("--out", help="写入的文件夹；其中已有的同名文件会被覆盖")] = Path("notices"),
    as_json: Annotated[bool, typer.Option("--json", help="以JSON输出")] = False,
) -> None:
    from ezt.notice_preview import write

    page, letters = write(out)
    if as_json:
        print(json.dumps({"page": str(page), "letters": letters}, ensure_ascii=False))
        return
    print(f"已生成通知{letters}封，请用浏览器打开{page}。")
