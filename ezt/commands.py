"""The command line. Bad input is one Chinese line on standard error and exit code 2.

Each command imports what it needs itself: Prefect alone takes seconds to import, in which Ctrl-C would already have
to be answered.
"""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from ezt.applications import applications
from ezt.audit import audit
from ezt.backfills import backfill
from ezt.interruptions import answer_signals, now_stands
from ezt.keys import key
from ezt.notices import notices
from ezt.objections import objections
from ezt.officers import officers
from ezt.options import AsJson, tell
from ezt.registers import catalogue, department
from ezt.service_guides import service_guide
from ezt.spot_checks import spot_check
from ezt.trial_holders import trial_holder
from ezt.use_lists import use_list
from regulation.certificates import Verdict, judge_identifier
from regulation.working_days import CalendarError, WorkingDays, parse_day
from runtime import clock
from runtime.keys import KeysMissingError, NotOursError
from runtime.refusals import RefusalError
from runtime.settings import prefect_access, settings, settings_file

app = typer.Typer(
    name="ezt",
    help="柯桥e证通：电子证照管理办法业务流程系统",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(applications, name="application")
app.add_typer(audit, name="audit")
app.add_typer(backfill, name="backfill")
app.add_typer(catalogue, name="catalogue")
app.add_typer(department, name="department")
app.add_typer(key, name="key")
app.add_typer(notices, name="notices")
app.add_typer(objections, name="objections")
app.add_typer(officers, name="officer")
app.add_typer(spot_check, name="spot-check")
app.add_typer(service_guide, name="service-guide")
app.add_typer(trial_holder, name="trial-holder")
app.add_typer(use_list, name="use-list")
identifiers = typer.Typer(help="电子证照标识", no_args_is_help=True)
app.add_typer(identifiers, name="identifier")
_VERDICTS = {Verdict.ISO: "有效", Verdict.VARIANT: "不符合标准，予以保留", Verdict.FAIL: "无效"}


def _say_version(wanted: bool) -> None:
    if wanted:
        print(_version())
        raise typer.Exit


@app.callback()
def _commands(
    with_version: Annotated[
        bool,
        typer.Option("--version", help="显示程序的版本、所在的提交和表结构版本", is_eager=True, callback=_say_version),
    ] = False,
) -> None:
    pass


def _version() -> str:
    """The program and its tables. Where it was cloned, the commit tells one version in the making from the next."""
    from importlib.metadata import version

    from models.migrations import newest_revision

    root = Path(__file__).parents[1]
    asked = ["git", "-c", f"safe.directory={root}", "-C", str(root), "rev-parse", "--short=12", "HEAD"]
    try:
        commit = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        commit = ""
    return f"ezt {version('ezt')}{commit and f'（提交{commit}）'}，表结构版本{newest_revision()}"


@app.command(help="推算工作日时限的截止日，并逐日说明")
def due(
    received_on: Annotated[str | None, typer.Argument(help="收到日期，如2026-02-13；不填为今天")] = None,
    days: Annotated[int, typer.Option(help="工作日数")] = 5,
    as_json: AsJson = False,
) -> None:
    calendar = _calendar()
    received = parse_day(received_on) if received_on is not None else clock.today()
    due_on, provisional = calendar.due_date(received, days)
    explanation = calendar.explain(received, days)
    account = [{"date": str(day), "counts": counts, "why": why} for day, counts, why in explanation]
    tell(
        as_json,
        {"received_on": str(received), "due_on": str(due_on), "provisional": provisional, "explanation": account},
        *(f"{day}  {'计' if counts else '—'}  {why}" for day, counts, why in explanation),
        f"截止日：{due_on}{'（暂定：跨入尚未公布放假安排的年份）' if provisional else ''}",
        indent=2,
    )


@identifiers.command(help="核对电子证照标识的校验位：iso符合国家标准，variant仅符合另一种在用算法，fail不符")
def check(text: Annotated[str, typer.Argument(metavar="ID", help="电子证照标识")], as_json: AsJson = False) -> None:
    verdict, why = judge_identifier(text)
    answer = {"valid": verdict is Verdict.ISO, "verdict": verdict, "why": why}
    tell(as_json, answer, f"{_VERDICTS[verdict]}：{why}", indent=2)


@app.command(help="建立或升级数据库；首次运行时生成密钥和Prefect口令")
def migrate(as_json: AsJson = False) -> None:
    from ezt.engine import prefect_data
    from ezt.installation import prepare

    prepared = prepare()
    undone: RefusalError | SystemExit | None = None
    cleared: tuple[str, ...] = ()
    if prepared.to_clear:
        now_stands("已中断，旧版留在Prefect数据库里的东西没有清理完，请再运行 ezt migrate。")
        try:
            cleared = prefect_data.clear()
        except (RefusalError, SystemExit) as why:
            undone = why
    now_stands("已中断，数据库已经升级。")
    done, fresh = prepared.migrated, {"密钥": prepared.new_keys, "Prefect口令": prepared.new_password}
    steps, said_of_data = [asdict(step) for step in done.steps], [*done.said, *cleared]
    changed = {"from": done.before, "to": done.after, "steps": steps, "said": said_of_data}
    made = {"new_keys": prepared.new_keys is not None, "new_password": prepared.new_password is not None}
    said = "，".join(f"{what}已写入{file}" for what, file in fresh.items() if file)
    if done.before is None:
        what = f"已建立数据库（版本{done.after}）"
    elif done.steps:
        what = f"数据库已从{done.before}升级到{done.after}，共{len(done.steps)}步"
    else:
        what = f"数据库已是最新版本{done.after}，没有改动"
    tell(
        as_json,
        {"home": str(prepared.home)} | changed | made,
        f"{what}{said and f'，{said}，请妥善备份'}。",
        *(f"{step.version}  {step.what}" for step in done.steps if done.before),
        *(f"{each}。" for each in said_of_data),
    )
    if undone:
        # The tables are changed: what was done to them has been told.
        raise undone


@app.command(help="把数据从SQLite迁移到一个空的PostgreSQL数据库，并逐表核对；迁移前请先停止系统")
def migrate_data(
    to: Annotated[str, typer.Argument(help="目标，如postgresql+psycopg://用户:密码@主机/库名")], as_json: AsJson = False
) -> None:
    from ezt.moving import Moved, move

    def tell_of(moved: Moved) -> None:
        if not as_json:
            print(f"{moved.table}  {moved.rows}行  摘要{moved.digest[:16]}，一致", flush=True)

    moved = move(to, tell_of)
    rows = sum(each.rows for each in moved)
    said = f"已迁移{len(moved)}张表、{rows}行，行数和摘要全部一致。请把EZT_DATABASE_URL改为新的地址，再启动系统。"
    tell(as_json, {"moved": [each._asdict() for each in moved]}, said)


@app.command(help="载入虚构的样例数据，供试用；重复运行不改变已有数据")
def sample_data(
    seed: Annotated[int | None, typer.Option(help="种子：同一种子得到同样的数据；不填为默认的样例")] = None,
    holders: Annotated[int | None, typer.Option(min=0, help="持证主体数，不填为2000；多则只增不改")] = None,
    show_codes: Annotated[
        bool, typer.Option("--show-codes", help="同时列出工作人员验证码的登记地址和应用密钥")
    ] = False,
    as_json: AsJson = False,
) -> None:
    from ezt.samples import data
    from tasks.office.officer_register import enrolment

    seed = data.DEFAULT_SEED if seed is None else seed
    added = data.load(seed, data.Sizes() if holders is None else data.Sizes(holders=holders))
    staff = data.officers(seed) if show_codes else []
    applications = data.applications(seed) if show_codes else []
    codes = {each.staff_no: enrolment(each.staff_no, each.code_secret) for each in staff}
    secrets = {program.key: data.application_secret(seed, program.key) for program in applications}
    tell(
        as_json,
        {"seed": seed, "changed": added.anything, "added": asdict(added)}
        | ({"officers": codes, "applications": secrets} if show_codes else {}),
        data.in_words(added, seed),
        *(f"{each.staff_no}  {each.role}  {each.name}  {codes[each.staff_no]}" for each in staff),
        *(f"{program.key}  {program.speaks_for}  {secrets[program.key]}" for program in applications),
        indent=2,
    )


@app.command(help="启动整个系统，Ctrl-C停止")
def up(
    with_samples: Annotated[bool, typer.Option("--sample-data", help="先载入虚构的样例数据")] = False,
    stand_in: Annotated[bool, typer.Option("--stand-in", help="以替身代替省、市大数据局的平台，供试用")] = False,
    as_json: AsJson = False,
) -> None:
    stop_asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop_asked.set())
    from ezt import up as system

    system.up(with_samples, stand_in, as_json, stop_asked)


@app.command(help="检查运行环境，逐项说明正常与否和怎么办；有错误则退出码为1")
def doctor(as_json: AsJson = False) -> None:
    from ezt.doctor import examine, is_sound

    findings = examine()
    said = [finding.line() for finding in findings]
    tell(as_json, [asdict(finding) for finding in findings], *said, indent=2)
    if not is_sound(findings):
        sys.exit(1)


@app.command(
    help="运行Prefect的命令行，如 ezt prefect deploy --all；Prefect口令由设置给出",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def prefect(context: typer.Context) -> None:
    here = {"PREFECT_API_URL": f"http://127.0.0.1:{settings().prefect_port}/api"}
    command = [sys.executable, "-m", "prefect", *context.args]
    os.execve(sys.executable, command, here | os.environ | prefect_access())  # noqa: S606


@app.command(help="备份数据库（附件在内，密钥不在内）到一个新文件，运行中也可以")
def backup(file: Annotated[Path, typer.Argument(help="写入的文件")], as_json: AsJson = False) -> None:
    from ezt.backups import back_up

    size = back_up(file)
    said = f"已备份到{file}（{size / 2**20:.1f}MB）。密钥不在其中，请另行保管数据目录的ezt.env。"
    tell(as_json, {"file": str(file), "bytes": size}, said)


@app.command(help="把备份恢复到设置所指的、尚为空的数据库")
def restore(file: Annotated[Path, typer.Argument(help="备份文件")], as_json: AsJson = False) -> None:
    from ezt import backups

    backups.restore(file)
    said = (
        f"已从{file}恢复。请先把与它相配的ezt.env（与备份一同另存的那份）放到{settings_file().absolute()}，"
        "再依次运行 ezt migrate、ezt audit verify 和 ezt doctor。"
    )
    tell(as_json, {"file": str(file)}, said)


@app.command(help="演示一件异议从提出到最后一封邮件，打印时间线")
def demo(as_json: AsJson = False) -> None:
    from ezt import demo as demonstration

    played = demonstration.play()
    tell(
        as_json,
        asdict(played),
        f"异议 {played.case_no}",
        *(f"{at}  {what}" for at, what in played.timeline),
        *(f"邮件  {subject}" for subject in played.mails),
        indent=2,
    )


def _calendar() -> WorkingDays:
    """The calendar that cases here are counted on, with the years published here; the bare library's elsewhere."""
    from ezt.installation import has_table
    from models.calendars import PublishedYear

    if not has_table(PublishedYear.__tablename__):
        return WorkingDays()
    from runtime.database import reading
    from tasks.case.calendars import working_days

    with reading() as session:
        return working_days(session)


def main() -> None:
    """Run the command line; every refusal reaches the user as one Chinese line and exit code 2."""
    answer_signals()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # Where the terminal's encoding has no Chinese, escapes are better than a traceback.
            stream.reconfigure(errors="backslashreplace")
    try:
        app(standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader has had enough, as ``| head -1`` has.
        _drop_output()
        sys.exit(1)
    except FileNotFoundError as error:
        _refuse(f"{error.filename}不存在，请核对文件名和所在的文件夹。")
    except OSError as error:
        _drop_output()
        _refuse(f"{error.filename or '输出'}不能读写，请检查磁盘空间和权限。")
    except (CalendarError, KeysMissingError, NotOursError, RefusalError) as refusal:
        _refuse(str(refusal))
    except typer.Exit as leaving:
        sys.exit(leaving.exit_code)
    except Exception as error:
        # What a column's type raises on a value's way into the database arrives as SQLAlchemy's error.
        if isinstance(cause := getattr(error, "orig", None), KeysMissingError):
            _refuse(str(cause))
        if not hasattr(error, "format_message"):
            raise
        _refuse(f"命令写法有误：{_in_chinese(error)}。运行 ezt --help 查看用法。")


def _in_chinese(misuse: Exception) -> str:
    """What is wrong with a command line; typer itself says it in English."""
    parameter = getattr(misuse, "param", None)
    names = "/".join(parameter.opts) if parameter is not None else getattr(misuse, "option_name", "")
    match type(misuse).__name__:
        case "NoSuchOption":
            return f"没有{names}这个选项"
        case "MissingParameter":
            return f"缺少{names}"
        case "BadParameter":
            return f"{names}的值不对"
    return "没有这个命令，或参数过多"


def _drop_output() -> None:
    """What could not be written must not be tried again when the process ends."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refuse(why: str) -> NoReturn:
    print(why, file=sys.stderr)
    sys.exit(2)
