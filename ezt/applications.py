"""``ezt application``: the programs of departments and bureaus that may call the interface."""

from dataclasses import asdict
from typing import Annotated

import typer

from ezt.options import AsJson, tell

applications = typer.Typer(help="登记调用接口的应用，更换密钥", no_args_is_help=True)
Key = Annotated[str, typer.Argument(metavar="KEY", help="应用标识，如KQ-SCJG")]


@applications.command(help="登记一个应用，显示它的密钥（只显示这一次）")
def add(
    key: Key,
    speaks_for: Annotated[str, typer.Argument(metavar="NAME", help="部门全称，或加--bureau时为上级大数据局的名称")],
    bureau: Annotated[bool, typer.Option("--bureau", help="上级大数据局的应用，只能回复核实结果")] = False,
    network: Annotated[
        list[str] | None,
        typer.Option("--network", help="只许从此网段调用，如10.12.0.0/16，一台如10.12.3.4/32；可多次给出"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    from ezt.installation import check_ready
    from models.organisations import ApplicationKind
    from tasks.office.applications import register_application

    check_ready()
    kind = ApplicationKind.BUREAU if bureau else ApplicationKind.DEPARTMENT
    secret = register_application(key, kind, speaks_for, network or [], "ezt")
    said = [f"单位：{speaks_for}", f"可从何处调用：{_from(network or [])}"]
    tell(as_json, {"key": key, "secret": secret}, *said, *_secret(key, secret))


@applications.command("list", help="列出登记的应用、单位、是否停用、可从何处调用；不显示密钥")
def list_all(as_json: AsJson = False) -> None:
    from ezt.installation import check_ready
    from models.organisations import ApplicationKind
    from tasks.office.applications import applications_on_register

    check_ready()
    found = applications_on_register()
    lines = [
        f"{each.key}  {'上级' if each.kind is ApplicationKind.BUREAU else '部门'}  {each.speaks_for}  "
        f"{'在用' if each.active else '停用'}  {_from(each.networks)}{'  自助办理' if each.self_service else ''}"
        for each in found
    ]
    none = "还没有登记应用，请用 ezt application add 登记。"
    tell(as_json, [asdict(each) for each in found], *(lines or [none]), indent=2)


@applications.command(help="改正一个应用可从何处调用，立即生效；密钥不变")
def network(
    key: Key,
    networks: Annotated[list[str] | None, typer.Argument(help="网段，如10.12.0.0/16，可多个；不填为不限")] = None,
    as_json: AsJson = False,
) -> None:
    from ezt.installation import check_ready
    from tasks.office.applications import change_networks

    check_ready()
    kept = change_networks(key, networks or [], "ezt")
    tell(as_json, {"key": key, "networks": kept}, f"应用{key}可从何处调用：{_from(kept)}。")


@applications.command(help="更换应用的密钥，显示新密钥（只显示这一次）；旧密钥在并存期后失效")
def rotate(
    key: Key,
    overlap_hours: Annotated[int, typer.Option(min=0, max=24 * 90, help="新旧密钥并存的小时数")] = 24 * 7,
    as_json: AsJson = False,
) -> None:
    from datetime import timedelta

    from ezt.installation import check_ready
    from tasks.office.applications import rotate_secret

    check_ready()
    secret = rotate_secret(key, "ezt", timedelta(hours=overlap_hours))
    tell(as_json, {"key": key, "secret": secret}, *_secret(key, secret))


@applications.command(help="停用一个应用，立即生效")
def end(key: Key, as_json: AsJson = False) -> None:
    from ezt.installation import check_ready
    from tasks.office.applications import end_application

    check_ready()
    end_application(key, "ezt")
    tell(as_json, {"key": key, "active": False}, f"应用{key}已停用。")


@applications.command("self-service", help="写明一个应用供持证主体自助办理（网上、自助终端），其夜间用证不计入电子督查")
def self_service(
    key: Key,
    ended: Annotated[bool, typer.Option("--no", help="改为不是：由窗口人员使用")] = False,
    as_json: AsJson = False,
) -> None:
    from ezt.installation import check_ready
    from tasks.office.applications import mark_self_service

    check_ready()
    mark_self_service(key, not ended, "ezt")
    said = f"应用{key}{'由窗口人员使用' if ended else '供持证主体自助办理'}。"
    tell(as_json, {"key": key, "self_service": not ended}, said)


def _from(networks: list[str]) -> str:
    return "、".join(networks) or "不限"


def _secret(key: str, secret: str) -> tuple[str, str]:
    return f"应用标识：{key}", f"密钥：{secret}（只显示这一次，请当面交给对方的专人）"
