"""``ezt officer``: the Center's officers, and the secrets of their one-time codes (Article 14)."""

import io
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from ezt.options import AsJson, tell
from runtime.refusals import InputError

if TYPE_CHECKING:
    from models.organisations import Role

officers = typer.Typer(help="工作人员名册和一次性验证码（第十四条）", no_args_is_help=True)
StaffNo = Annotated[str, typer.Argument(metavar="STAFF_NO", help="工号，如KQ001")]


@officers.command(help="登记一名工作人员（停用的同一人则恢复），显示验证码的登记地址和二维码（只显示这一次）")
def add(
    staff_no: StaffNo,
    name: Annotated[str, typer.Argument(metavar="NAME", help="姓名")],
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="邮箱，收提醒用")],
    director: Annotated[bool, typer.Option("--director", help="是负责人；不给为经办人")] = False,
    auditor: Annotated[bool, typer.Option("--auditor", help="是审计人员，只能查看")] = False,
    as_json: AsJson = False,
) -> None:
    from ezt.installation import check_ready
    from models.organisations import Role
    from tasks.office.officer_register import register_officer

    check_ready()
    role = _one_role(director=director, auditor=auditor, officer=not (director or auditor))
    secret = register_officer(staff_no, name, role or Role.OFFICER, email, "ezt")
    _show(staff_no.strip().upper(), secret, as_json)


@officers.command("list", help="列出工作人员、职责、是否在职和名下在办办件数")
def list_all(as_json: AsJson = False) -> None:
    from ezt.installation import check_ready
    from tasks.office.officer_register import officers_on_register

    check_ready()
    found = officers_on_register()
    lines = [
        f"{each.staff_no}  {each.role}  {'在职' if each.active else '停用'}  {each.name}  {each.email}  "
        f"在办{each.open_cases}件{'  浙政钉' if each.has_account else ''}"
        for each in found
    ]
    none = "名册中还没有工作人员，请用 ezt officer add 登记。"
    tell(as_json, [asdict(each) for each in found], *(lines or [none]), indent=2)


@officers.command(help="更改一名在职人员的姓名、职责、邮箱或登录用的浙政钉账号")
def change(
    staff_no: StaffNo,
    name: Annotated[str | None, typer.Option("--name", help="姓名")] = None,
    director: Annotated[bool, typer.Option("--director", help="改为负责人")] = False,
    officer: Annotated[bool, typer.Option("--officer", help="改为经办人")] = False,
    auditor: Annotated[bool, typer.Option("--auditor", help="改为审计人员，只能查看")] = False,
    email: Annotated[str | None, typer.Option("--email", help="邮箱")] = None,
    account: Annotated[
        str | None, typer.Option("--account", help='浙政钉的账号ID（accountId），登录时据以认人；""为取消')
    ] = None,
    as_json: AsJson = False,
) -> None:
    from ezt.installation import check_ready
    from tasks.office.officer_register import change_officer

    check_ready()
    role = _one_role(director=director, auditor=auditor, officer=officer)
    change_officer(staff_no, name, role, email, "ezt", account)
    number = staff_no.strip().upper()
    tell(as_json, {"staff_no": number}, f"工号{number}已更改。")


@officers.command(help="停用一个工号，立即生效；列出名下的在办办件和代办人")
def deactivate(staff_no: StaffNo, as_json: AsJson = False) -> None:
    from ezt.installation import check_ready
    from tasks.office.officer_register import deactivate_officer

    check_ready()
    left = deactivate_officer(staff_no, "ezt")
    number = staff_no.strip().upper()
    handed = f"名下在办办件{len(left.cases)}件，现由工号{left.acting_no}代办，请负责人在Prefect中用“移交办件”移交："
    tell(
        as_json,
        {"staff_no": number, "active": False} | asdict(left),
        f"工号{number}已停用。",
        *([handed, *left.cases] if left.cases else []),
        indent=2,
    )


@officers.command("new-secret", help="更换验证码，显示新的登记地址和二维码（只显示这一次）；原来的立即失效")
def new_secret(staff_no: StaffNo, as_json: AsJson = False) -> None:
    from ezt.installation import check_ready
    from tasks.office.officer_register import new_code_secret

    check_ready()
    secret = new_code_secret(staff_no, "ezt")
    _show(staff_no.strip().upper(), secret, as_json)


def _one_role(*, director: bool, auditor: bool, officer: bool) -> "Role | None":
    from models.organisations import Role

    chosen = [
        role for role, given in ((Role.DIRECTOR, director), (Role.AUDITOR, auditor), (Role.OFFICER, officer)) if given
    ]
    if len(chosen) > 1:
        raise InputError("职责只能给一个：负责人、经办人或审计人员。")
    return chosen[0] if chosen else None


def _show(staff_no: str, secret: str, as_json: bool) -> None:
    import segno

    from tasks.office.officer_register import enrolment

    address = enrolment(staff_no, secret)
    drawn = io.StringIO()
    segno.make(address, error="l").terminal(drawn, compact=True)
    said = f"工号{staff_no}，请本人用验证器扫描（只显示这一次）：\n{drawn.getvalue()}{address}"
    tell(as_json, {"staff_no": staff_no, "otpauth": address}, said)
