"""``ezt key``: the data keys change while the system runs."""

from dataclasses import asdict
from typing import Annotated

import typer

from ezt.options import AsJson, tell

key = typer.Typer(help="更换数据加密密钥（EZT_DATA_KEYS），系统照常运行", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="密钥的名称（8位），见 ezt key list")]


@key.command("list", help="列出密钥的名称、哪一把正用来加密、各加密了多少个值；不显示密钥本身")
def list_all(as_json: AsJson = False) -> None:
    from ezt.installation import check_migrated
    from tasks.keeping.data_keys import data_keys

    check_migrated()
    found = data_keys()
    lines = [f"{each.name}  {'加密' if each.seals else '只解密'}  {each.values}个值" for each in found]
    tell(as_json, [asdict(each) for each in found], *lines, indent=2)


@key.command(help="生成一把新密钥写入ezt.env，此后的内容用它加密；运行中的进程一两秒内得知，不用重启")
def rotate(
    later: Annotated[
        bool, typer.Option("--later", help="先只用来解密，等各台机器都有了它，再用 ezt key use 启用")
    ] = False,
    as_json: AsJson = False,
) -> None:
    from ezt.installation import check_ready
    from tasks.keeping.data_keys import add_data_key

    check_ready()
    name = add_data_key("ezt", later=later)
    todo = (
        f"各台机器都有了它以后，运行 ezt key use {name}"
        if later
        else "请另行保管新的ezt.env，再运行 ezt key re-encrypt"
    )
    tell(as_json, {"name": name, "seals": not later}, f"新密钥{name}已写入ezt.env。{todo}。")


@key.command(help="改用已有的一把密钥加密")
def use(name: Name, as_json: AsJson = False) -> None:
    from ezt.installation import check_migrated
    from tasks.keeping.data_keys import use_data_key

    check_migrated()
    use_data_key(name, "ezt")
    tell(as_json, {"name": name, "seals": True}, f"此后的内容用密钥{name}加密。")


@key.command("re-encrypt", help="把旧密钥加密的内容改用现在的密钥加密；系统照常运行，中断后再运行即可接着做")
def re_encrypt(as_json: AsJson = False) -> None:
    from ezt.installation import check_migrated
    from ezt.progress import progress
    from tasks.keeping import data_keys

    check_migrated()
    with progress("重新加密") as watch:
        rows = data_keys.re_encrypt("ezt", watch)
    tell(as_json, {"rows": rows}, f"重新加密了{rows}行，数据库中已没有旧密钥加密的内容。")


@key.command(help="停用一把旧密钥，从ezt.env删去；还有内容须用它读出的，拒绝停用")
def retire(
    name: Name,
    now: Annotated[bool, typer.Option("--now", help="因失密须立即停用：邮件里未到期的链接随之失效")] = False,
    as_json: AsJson = False,
) -> None:
    from ezt.installation import check_migrated
    from tasks.keeping.data_keys import retire_data_key

    check_migrated()
    retire_data_key(name, "ezt", at_once=now)
    said = f"密钥{name}已从ezt.env删去。此前的备份仍须用它读出，请把它与那些备份保存得一样久。"
    tell(as_json, {"name": name, "retired": True}, said)
