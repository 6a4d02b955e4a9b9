"""``ezt notices``: the letters that the system sends, to be looked at before anybody gets one, and sent again."""

from pathlib import Path
from typing import Annotated

import typer

from ezt.options import AsJson, tell

notices = typer.Typer(help="系统发出的通知", no_args_is_help=True)


@notices.command(help="用虚构的样例生成全部通知，供在浏览器和邮件程序中查看；不需要数据库，不发送")
def preview(
    out: Annotated[Path, typer.Option("--out", help="写入的文件夹；其中已有的同名文件会被覆盖")] = Path("notices"),
    as_json: AsJson = False,
) -> None:
    from ezt.samples.notice_preview import write

    page, letters = write(out)
    tell(as_json, {"page": str(page), "letters": letters}, f"已生成通知{letters}封，请用浏览器打开{page}。")


@notices.command(help="把因模板或密钥有误而未能生成的通知重新排入发件箱；先改正再运行，收件人只收到一次")
def again(as_json: AsJson = False) -> None:
    from ezt.installation import check_ready
    from notifications.outbox import send_again

    check_ready()
    queued = send_again()
    tell(as_json, {"queued": queued}, f"重新排入通知{queued}封，一分钟内发出。")
