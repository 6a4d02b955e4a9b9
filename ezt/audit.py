"""``ezt audit``: check the sealed record, hand it out, and check what was handed out (Article 14)."""

import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ezt.options import AsJson, tell

if TYPE_CHECKING:
    from tasks.keeping.records import Verified

audit = typer.Typer(help="核验、导出封存的日志（第十四条）", no_args_is_help=True)
Head = Annotated[str | None, typer.Option("--head", help="另行保存的链首哈希：封存块不能少于到它为止的")]


@audit.command(help="核验数据库中的日志和办件答复：是否有改动、增删或调换；有则退出码为1")
def verify(head: Head = None, as_json: AsJson = False) -> None:
    from ezt.installation import check_migrated
    from tasks.case.answers import changed_answers
    from tasks.keeping.records import verify_record

    check_migrated()
    verified = verify_record(head)
    changed = tuple(f"办件答复{each}与登记时的封印不符，登记后被改动、删去或添加" for each in changed_answers())
    _say(replace(verified, findings=(*verified.findings, *changed)), as_json)


@audit.command(help="导出封存的日志，供离线核验")
def export(
    file: Annotated[Path, typer.Argument(help="写入的文件")],
    as_json: AsJson = False,
) -> None:
    from ezt.installation import check_migrated
    from tasks.keeping.records import export_record

    check_migrated()
    entries = export_record(file)
    tell(as_json, {"entries": entries}, f"已导出{entries}条日志到{file}。")


@audit.command("verify-file", help="核验导出的日志文件，不需要数据库")
def verify_file(
    file: Annotated[Path, typer.Argument(help="导出的文件")],
    public_key: Annotated[
        str | None, typer.Option("--public-key", help="信任的封存公钥（64位十六进制）；不填则用文件所载的公钥")
    ] = None,
    head: Head = None,
    as_json: AsJson = False,
) -> None:
    from tasks.keeping.records import verify_file as check

    _say(check(file, public_key, head), as_json)


def _say(verified: "Verified", as_json: bool) -> None:
    verdict = "没有发现改动" if not verified.findings else f"发现{len(verified.findings)}处不符"
    tell(
        as_json,
        asdict(verified),
        *verified.findings,
        f"核验封存块{verified.blocks}个、日志{verified.entries}条，{verdict}；未封存{verified.unsealed}条。",
        f"链首哈希  {verified.head}",
        indent=2,
    )
    if verified.findings:
        sys.exit(1)
