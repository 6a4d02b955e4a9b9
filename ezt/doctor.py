"""``ezt doctor``: is everything there that the system stands on, and what to do where it is not.

Each check says one thing in one line: in order, to be seen to, or an error. None of them changes anything, sends a
mail, or asks a bureau for anybody's data. They run at once, each in a thread that nobody waits for longer than
``LOOK_WITHIN`` seconds: whatever hangs or breaks is a line too.
"""

import os
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, requires, version
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from cronsim import CronSim
from packaging.requirements import Requirement
from prefect import __version__ as prefect_version
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, get_current_settings, temporary_settings
from sqlalchemy import func, select, text

from ezt.engine.deployments import stories
from ezt.engine.prefect_data import left_behind
from ezt.installation import check_keys, saying_what_is_wrong
from ezt.up import POOL, answers
from gateways.certificate_platform import certificate_mapping
from gateways.superior_bureaus import check_access, mapping
from gateways.text_messages import message_mapping, over
from gateways.zhejiang_gateway import BureauRefusedError, BureauUnavailableError, has_gateway
from gateways.zheliban import TicketError, ZhelibanUnavailableError, person_of
from gateways.zhezhengding import CodeError, ZhezhengdingUnavailableError, account_of, is_set_up
from models.cases import StaffTask
from models.migrations import revisions
from models.notices import NoticeState, OutgoingNotice
from models.organisations import Officer
from notifications.own_addresses import own_addresses
from notifications.sender import ServerAwayError, check_server
from regulation.objections import Bureau
from regulation.working_days import missing_year
from runtime import clock
from runtime.contacts import can_be_written_to
from runtime.database import engine, reading
from runtime.keys import KeysMissingError, NotOursError, keys, keys_are_set, seal_keys
from runtime.refusals import InputError, RefusalError
from runtime.settings import given_names, known_names, settings
from runtime.signing_authority import known_chains, signing_authority
from tasks.case.attachments import scan
from tasks.case.calendars import working_days
from tasks.desk.rounds import ROUND, STANDS_STILL, chores_known, still_since
from tasks.keeping.data_keys import check_keys_fit
from tasks.keeping.records import last_block_is_ours, unsealed_since
from tasks.office.signatures import CODE_SECONDS

LOOK_WITHIN = 20.0
"""Seconds for all checks of a round together."""
ANSWER_WITHIN = 8.0
"""Seconds for a server to answer; less than a round, so that a check says itself what was too slow."""
GIGABYTE = 2**30
DISK_LOW, DISK_SHORT = 5 * GIGABYTE, GIGABYTE
MEMORY_LOW, MEMORY_SHORT = GIGABYTE, GIGABYTE // 4
"""Bytes that are free. A run takes about 150 MB while it lasts, Prefect's server 260 MB."""
CLOCK_LOOSE = timedelta(seconds=5)
CERTIFICATE_ENDS_SOON = timedelta(days=30)
SEAL_LATE = timedelta(minutes=10)
"""The record is sealed every minute (Article 14)."""
MAIL_LATE, MAIL_STUCK = timedelta(hours=1), timedelta(days=1)
WORKER_SILENT = timedelta(seconds=90)
"""A worker says every 30 seconds that it is there."""
RENAMED = {"EZT_DESK_PORT": "EZT_PREFECT_PORT"}
"""What settings of earlier versions are called now."""
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The harmless file that every virus scanner finds. In two parts, or it would find this one."""


class Standing(StrEnum):
    OK = "ok"
    NOTE = "note"
    ERROR = "error"

    @property
    def label(self) -> str:
        """How people read it."""
        return {"ok": "正常", "note": "注意", "error": "错误"}[self.value]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: ``about`` is what was looked at, ``todo`` what to do, empty where nothing is."""

    about: str
    standing: Standing
    what: str
    todo: str = ""

    def line(self) -> str:
        """As people read it."""
        return f"{self.standing.label}  {self.about}  {self.what}。{self.todo and f'{self.todo}。'}"


Look = Callable[[], Iterable[Finding]]


def _ok(about: str, what: str) -> Finding:
    return Finding(about, Standing.OK, what)


def _note(about: str, what: str, todo: str) -> Finding:
    return Finding(about, Standing.NOTE, what, todo)


def _error(about: str, what: str, todo: str) -> Finding:
    return Finding(about, Standing.ERROR, what, todo)


def examine() -> list[Finding]:
    """All findings, in a fixed order. What rests on the database is looked at when there is one to look at."""
    try:
        settings()
    except RefusalError as refusal:
        return [_refused("设置", refusal)]
    found = look_at(DATABASE | ALONE)
    if any(finding.about in DATABASE and finding.standing is Standing.ERROR for finding in found):
        left_out = "、".join(ON_DATABASE)
        return [*found, _note("未检查", f"数据库不可用，没有检查{left_out}", "修好数据库后请再运行 ezt doctor")]
    fitting = look_at(KEYS)
    if any(finding.standing is Standing.ERROR for finding in fitting):
        left_out = "、".join(ON_DATABASE)
        todo = "放回相配的密钥后请再运行 ezt doctor"
        return [*found, *fitting, _note("未检查", f"密钥与数据库不相配，没有检查{left_out}", todo)]
    return found + fitting + look_at(ON_DATABASE)


def look_at(checks: dict[str, Look]) -> list[Finding]:
    """What the checks find, all of them made at once; one that is too slow or breaks down is found so."""
    found: dict[str, list[Finding]] = {}

    def carry_out(about: str, look: Look) -> None:
        try:
            found[about] = list(look())
        except (RefusalError, KeysMissingError, NotOursError) as refusal:
            found[about] = [_refused(about, refusal)]
        except Exception as trouble:
            what = f"检查没有完成（{type(trouble).__name__}）"
            found[about] = [_error(about, what, "请看前后各项，修好后再运行 ezt doctor")]

    until = time.monotonic() + LOOK_WITHIN
    threads = [threading.Thread(target=carry_out, args=each, daemon=True) for each in checks.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    too_slow = f"{LOOK_WITHIN:.0f}秒内没有结果"
    return [
        finding
        for about in checks
        for finding in found.get(about, [_error(about, too_slow, "请检查它的网络、地址和负荷")])
    ]


def _refused(about: str, refusal: Exception) -> Finding:
    """A refusal says itself what to do."""
    return Finding(about, Standing.ERROR, str(refusal).rstrip("。"))


def python() -> Iterator[Finding]:
    """The version, and the versions of what is installed: a wrong one may look alive and silence every schedule."""
    running = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        yield _error("Python", f"版本是{running}", "请换用3.11至3.13，重新运行 make run 或重装")
        return
    wrong = []
    for requirement in map(Requirement, requires("ezt") or []):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            present = version(requirement.name)
        except PackageNotFoundError:
            present = "没有安装"
        if not requirement.specifier.contains(present, prereleases=True):
            wrong.append(f"{requirement.name}（{present}，应{requirement.specifier}）")
    if wrong:
        yield _error("Python", f"软件包版本不对：{'、'.join(wrong)}", "请按requirements.lock重新安装")
    else:
        yield _ok("Python", f"版本{running}，软件包版本符合要求")


def setting_names() -> Iterator[Finding]:
    """Every name with our prefix is a setting: what is misspelt leaves a default in force, and nobody is told."""
    known = known_names()
    unread = sorted(given_names() - known)
    for name in unread:
        if name in RENAMED:
            yield _error("设置名称", f"{name}现在叫{RENAMED[name]}，原来的名称不再起作用", "请改用新的名称")
        else:
            meant = "".join(get_close_matches(name, known, 1))
            todo = f"如指{meant}，请改正" if meant else "请核对名称，不用的请删去"
            yield _note("设置名称", f"{name}不是本系统的设置，没有起作用", todo)
    if not unread:
        yield _ok("设置名称", "没有写错或已改名的")


def data_folder() -> Iterator[Finding]:
    home = settings().home.absolute()
    if not home.is_dir():
        # Where there are rows already, it is not a first use.
        check_keys()
        yield _error("数据目录", f"{home}不存在", "首次使用请运行 ezt migrate；否则请检查EZT_HOME或从备份恢复")
        return
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        yield _error("数据目录", f"{home}不能读写", "请检查权限，或以运行服务的用户运行 ezt doctor")
    elif home.stat().st_mode & 0o077:
        yield _error("数据目录", f"{home}对其他用户开放", f"请运行 chmod 700 {home}")
    elif home.stat().st_uid != os.geteuid():
        yield _note("数据目录", f"{home}属于另一用户", "请以运行服务的用户运行 ezt doctor，否则权限查不准")
    else:
        yield _ok("数据目录", f"{home}只有本用户能读写")


def disk() -> Iterator[Finding]:
    home = settings().home.absolute()
    folder = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(folder).free
    what = f"数据目录所在磁盘剩余{free / GIGABYTE:.1f}GB"
    if free >= DISK_LOW:
        yield _ok("磁盘", what)
    elif free >= DISK_SHORT:
        yield _note("磁盘", what, "请清理旧日志和旧备份，或扩容")
    else:
        yield _error("磁盘", what, "请立即清理或扩容，写满后任何办件都不能登记")


def memory() -> Iterator[Finding]:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        yield _note("内存", "本机不提供/proc/meminfo，无法得知", "请用本机的工具查看")
        return
    available = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    what = f"可用{available / GIGABYTE:.1f}GB"
    if available >= MEMORY_LOW:
        yield _ok("内存", what)
    else:
        standing = Standing.NOTE if available >= MEMORY_SHORT else Standing.ERROR
        yield Finding("内存", standing, what, "请停止其他程序、减少同时运行的流程，或加内存")


def zone() -> Iterator[Finding]:
    """The measures' dates are Shanghai's whatever the machine's zone is; its logs are read by people."""
    here, there = clock.now().astimezone(), clock.now().astimezone(clock.SHANGHAI)
    if here.utcoffset() == there.utcoffset():
        yield _ok("时区", f"本机时间{here:%Y-%m-%d %H:%M:%S}，与北京时间相同")
    else:
        what = f"本机时区与北京时间不同（{here:%H:%M}，北京时间{there:%H:%M}）"
        yield _note("时区", what, "时限不受影响，日志按本机时区；请运行 timedatectl set-timezone Asia/Shanghai")


def key_files() -> Iterator[Finding]:
    """Keys are there and well-formed, and nobody else on the machine can read them."""
    if not keys_are_set():
        # Whether fresh ones may be made is a question to the database.
        check_keys()
    keys()
    public = seal_keys().public
    open_to_others = [str(path) for path in _secret_files() if path.stat().st_mode & 0o077]
    if open_to_others:
        yield _error("密钥", "其他用户能读密钥文件", f"请运行 chmod 600 {' '.join(open_to_others)}，并考虑更换密钥")
    else:
        yield _ok("密钥", f"数据密钥、盲索引密钥、封存密钥齐全；封存公钥{public[0]}")


def _secret_files() -> list[Path]:
    given = [settings().home / "ezt.env", Path(settings().copy_key_file or settings().home / "copy-authority/key.pem")]
    return [path for path in given if path.exists()]


def copy_certificate() -> Iterator[Finding]:
    """The certificate that signs archived copies. A trial authority that is not there yet is not made by looking."""
    if not settings().copy_key_file and not settings().copy_chain_file:
        folder = settings().home / "copy-authority"
        made = "自制的试用证书" if folder.exists() else "没有证书，首次出具时自制试用证书"
        todo = "正式使用前请取得签名证书，设置EZT_COPY_KEY_FILE和EZT_COPY_CHAIN_FILE"
        yield _note("存档副本证书", made, todo)
        return
    authority = signing_authority()
    earlier = len(known_chains()) - 1
    authority.check_valid(clock.now())
    ends_at = min(certificate.not_valid_after_utc for certificate in authority.chain)
    what = f"有效至{clock.local_date(ends_at)}，另认可更换下来的{earlier}份"
    if ends_at - clock.now() < CERTIFICATE_ENDS_SOON:
        yield _note("存档副本证书", what, "请在到期前换证，并把原证书文件列入EZT_COPY_TRUST_FILE")
    else:
        yield _ok("存档副本证书", what)


def web() -> Iterator[Finding]:
    """The pages' process on this machine, or, where several machines share the work, wherever the public address is."""
    port, public = settings().web_port, settings().public_url
    if _is_our_web(f"http://127.0.0.1:{port}"):
        yield _ok("网页", f"在本机端口{port}运行")
    elif _is_taken(port):
        yield _error("网页", f"端口{port}被别的程序占用", "请停止占用它的程序，或用EZT_WEB_PORT另设端口")
    elif _is_our_web(public):
        yield _ok("网页", f"不在本机，{public}有答复；本机端口{port}空闲")
    else:
        yield _error("网页", f"没有运行（端口{port}空闲）", "请启动：systemctl start ezt-web，单机为 ezt up")


def _is_our_web(address: str) -> bool:
    try:
        answer = httpx.get(f"{address}/health", timeout=ANSWER_WITHIN / 2)
        # What is wrong with its tables the check of the database says.
        return set(answer.json()) == {"status"}
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return False


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(ANSWER_WITHIN / 4)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _prefect_url() -> str:
    return get_current_settings().api.url or f"http://127.0.0.1:{settings().prefect_port}/api"


def prefect_password() -> Iterator[Finding]:
    """There is a password, and Prefect answers nobody without it, whatever it was told: it starts what it is asked to.

    Only the health of a server that is well is for everybody.
    """
    if not settings().prefect_password.get_secret_value():
        if not keys_are_set():
            check_keys()
        yield _error("Prefect口令", "没有设置", "请运行 ezt migrate 生成，并重启各服务")
    elif answers(f"{_prefect_url()}/version"):
        what = f"{_prefect_url()}不用口令就有答复，谁都能借它发起流程、读取和改换答复"
        yield _error(
            "Prefect口令", what, "请以 python -m ezt.engine.prefect_server 启动服务端，它用EZT_PREFECT_PASSWORD"
        )
    else:
        yield _ok("Prefect口令", "已设置，没有口令得不到答复")


def prefect() -> Iterator[Finding]:
    """The server, its worker, the deployments, and when each schedule last ran."""
    port, url = settings().prefect_port, _prefect_url()
    if not answers(f"{url}/health"):
        if not get_current_settings().api.url and _is_taken(port):
            yield _error("Prefect", f"端口{port}被别的程序占用", "请停止占用它的程序，或用EZT_PREFECT_PORT另设端口")
        else:
            yield _error("Prefect", f"没有运行或{url}不通", "请启动：systemctl start ezt-prefect，单机为 ezt up")
        return
    password, quickly = settings().prefect_password.get_secret_value(), {"timeout": ANSWER_WITHIN}
    with (
        temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}),
        SyncPrefectClient(url, auth_string=password, httpx_settings=quickly) as client,
    ):
        try:
            there = client.api_version()
            if there == prefect_version:
                yield _ok("Prefect", f"{url}，版本{there}")
            else:
                yield _note("Prefect", f"服务端版本是{there}，本机是{prefect_version}", "请把两边装成同一版本")
            yield from worker(client, clock.now())
            deployed = {each.name: each for each in client.read_deployments(limit=200)}
            yield from deployments(deployed)
            yield from schedules(client, deployed, clock.now())
        except PrefectHTTPStatusError as refused:
            code = refused.response.status_code
            todo = (
                "请核对EZT_PREFECT_PASSWORD，各机器须一致"
                if code == httpx.codes.UNAUTHORIZED
                else "请查看Prefect的日志"
            )
            yield _error("Prefect", f"答复{code}", todo)
        except httpx.HTTPError:
            yield _error("Prefect", "没有及时答复", "请查看Prefect的日志；负荷高时换用PostgreSQL")


def worker(client: SyncPrefectClient, at: datetime) -> Iterator[Finding]:
    """Whether somebody carries out what is due at the instant ``at``."""
    start = "请启动：systemctl start ezt-worker@1，单机为 ezt up"
    try:
        paused = client.read_work_pool(POOL).is_paused
    except ObjectNotFound:
        yield _error(
            "执行器", f"没有工作池{POOL}", f"请运行 ezt prefect work-pool create {POOL} --type process 并启动执行器"
        )
        return
    workers = client.read_workers_for_work_pool(POOL)
    beats = {each.name: each.last_heartbeat_time for each in workers if each.last_heartbeat_time is not None}
    alive = sorted(name for name, beat in beats.items() if at - beat <= WORKER_SILENT)
    if paused:
        yield _error("执行器", f"工作池{POOL}已暂停", f"请运行 ezt prefect work-pool resume {POOL}")
    elif alive:
        yield _ok("执行器", f"工作池{POOL}有{len(alive)}个在运行：{'、'.join(alive)}")
    elif beats:
        yield _error("执行器", f"没有执行器，最后一次心跳在{_when(max(beats.values()))}", start)
    else:
        yield _error("执行器", "没有执行器", start)


def deployments(deployed: dict[str, DeploymentResponse]) -> Iterator[Finding]:
    missing = sorted(stories().keys() - deployed.keys())
    if missing:
        todo = "请在程序目录运行 ezt prefect --no-prompt deploy --all"
        yield _error("流程部署", f"缺少{len(missing)}个：{'、'.join(missing)}", todo)
    else:
        yield _ok("流程部署", f"prefect.yaml的{len(stories())}个流程都已部署")


def forms_of_before() -> Iterator[Finding]:
    """Whether everything that was typed into the forms of an earlier version, which were Prefect's, is on record: what
    is not would be lost by moving over."""
    about, left = "旧版表单", left_behind()
    if left.untaken:
        what = f"{len(left.untaken)}份已提交的答复还没有登记：{'、'.join(left.untaken[:5])}"
        yield _error(about, what, "请让原来的执行器继续运行，一两分钟后再运行 ezt doctor，登记完再运行 ezt migrate")
    if left.unregistered:
        what = f"{len(left.unregistered)}份在Prefect里填写的表单还没有登记：{'、'.join(left.unregistered[:5])}"
        yield _error(about, what, "请在Prefect中打开这些运行，签名登记或取消，再运行 ezt migrate")
    if left.unfinished:
        what = "清理没有做完：还没有压缩Prefect的数据库、逐字节核对"
        yield _error(about, what, "请停止各服务，腾出磁盘空间，运行 ezt migrate，它会接着做")
    elif not left.anything:
        yield _ok(about, "Prefect的数据里没有旧版的表单、清单和流程")
    elif not left.untaken and not left.unregistered:
        yield _note(about, "都已登记，尚未清理", "请停止各服务，运行 ezt migrate")


def schedules(client: SyncPrefectClient, deployed: dict[str, DeploymentResponse], at: datetime) -> Iterator[Finding]:
    """When each scheduled story last ran, and whether it is due at the instant ``at`` for longer than it may be."""
    done, ended_badly = (
        FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=types)))
        for types in ([StateType.COMPLETED], [StateType.FAILED, StateType.CRASHED])
    )
    for name, story in stories().items():
        cron, deployment = story.cron, deployed.get(name)
        if not cron or deployment is None:
            continue
        active = {getattr(each.schedule, "cron", None) for each in deployment.schedules if each.active}
        if deployment.paused or cron not in active:
            todo = "请在Prefect中恢复它的日程，或运行 ezt prefect --no-prompt deploy --all"
            yield _error("日程", f"{name}的日程已暂停或被改动", todo)
            continue
        # Which chore of a round was not done is said by itself (``rounds``).
        ended = [StateType.COMPLETED, StateType.FAILED] if ROUND.endswith(f"/{name}") else [StateType.COMPLETED]
        done = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=ended)))
        due_at = next(CronSim(cron, (at - STANDS_STILL).astimezone(clock.SHANGHAI), reverse=True))
        runs = client.read_flow_runs(
            deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment.id])),
            flow_run_filter=done,
            sort=FlowRunSort.EXPECTED_START_TIME_DESC,
            limit=1,
        )
        last = runs[0].expected_start_time if runs else None
        since = last or deployment.created
        ran = f"上次运行{_when(last)}" if last else "尚未运行过"
        if since is not None and since >= due_at:
            yield _ok("日程", f"{name}，{ran}")
            continue
        failed = client.read_flow_runs(
            deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment.id])),
            flow_run_filter=ended_badly,
            sort=FlowRunSort.EXPECTED_START_TIME_DESC,
            limit=1,
        )
        if failed and (at_last := _begun(failed[0])) >= due_at:
            # It was carried out. To run it once more would only fail once more.
            why = (failed[0].state.message or "") if failed[0].state else ""
            why = why.removeprefix("Flow run encountered an exception: ").rstrip("。") or "原因见执行器的日志"
            what = f"{name}按时运行了，但没有成功，最近一次在{_when(at_last)}（{why}），{ran}"
            yield _error("日程", what, "请按所述原因处理，并查看执行器的日志；改好后到下一次自行恢复")
        else:
            todo = f"请查看执行器，并在Prefect中运行一次{name}"
            yield _error("日程", f"{name}错过了{_when(due_at)}的一次，{ran}", todo)


def rounds() -> Iterator[Finding]:
    """Whether each chore of the rounds is done: a round may come in time and one of its chores fail again and again."""
    if (still := still_since(clock.now())) is not None:
        what = f"自{_when(still)}没有运行，通知不发、日志不封存、办件不恢复"
        yield _error("系统巡检", what, "请查看工作进程是否在运行、能否连接Prefect")
        return
    undone = [each for each in chores_known() if each.done_at is None or each.began_at - each.done_at > STANDS_STILL]
    for each in undone:
        since = f"自{_when(each.done_at)}" if each.done_at else "一直"
        todo = "请看其余各项，修好后在Prefect中运行一次“系统巡检”（system-round），只做选这一项"
        yield _error("系统巡检", f"{each.chore}{since}没有完成（{each.trouble}）", todo)
    if not undone:
        yield _ok("系统巡检", "各项都按时完成")


def _begun(run: FlowRun) -> datetime:
    return run.expected_start_time or run.created or clock.now()


def _when(at: datetime) -> str:
    return f"{at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}"


def mail() -> Iterator[Finding]:
    """The mail server takes our connection and login. Nothing is sent."""
    given = settings()
    if not given.smtp_host:
        what = "没有设置邮件服务器：ezt up 把邮件存入数据目录的mail文件夹，作为服务运行时通知留在发件箱"
        yield _note("邮件", what, "正式使用前请设置EZT_SMTP_HOST等")
        return
    where = f"{given.smtp_host}:{given.smtp_port}"
    try:
        check_server(ANSWER_WITHIN)
    except ServerAwayError as why:
        yield _error("邮件", f"{where}：{why}", "请核对EZT_SMTP_开头的设置和网络；恢复后通知自动补发")
        return
    if given.smtp_user and given.smtp_security == "none":
        todo = "请把EZT_SMTP_SECURITY设为starttls或tls"
        yield _note("邮件", f"{where}可用，但口令不加密传送", todo)
    else:
        login = "并登录" if given.smtp_user else "，不登录"
        yield _ok("邮件", f"{where}可以连接（{given.smtp_security}）{login}")


def public_address() -> Iterator[Finding]:
    """The addresses in notices lead somewhere for those who get them."""
    addresses = {"EZT_PUBLIC_URL": settings().public_url, "EZT_PREFECT_URL": settings().prefect_url}
    here = [name for name, url in addresses.items() if _is_loopback(url)]
    plain = [name for name, url in addresses.items() if not url.startswith("https://")]
    if here and settings().smtp_host and not _is_loopback(f"//{settings().smtp_host}"):
        yield _error("对外地址", f"{'和'.join(here)}只在本机有效，通知里的链接打不开", "请设为收件人能打开的https地址")
    elif here:
        yield _note("对外地址", f"{'和'.join(here)}只在本机有效", "设置邮件服务器之前请改为收件人能打开的https地址")
    elif plain:
        yield _note("对外地址", f"{'和'.join(plain)}不是https地址", "请在反向代理上启用TLS并改为https地址")
    else:
        yield _ok("对外地址", settings().public_url)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def contact() -> Iterator[Finding]:
    """Notices close with where people can turn to; without it an objector knows a case number and nobody to ask."""
    given = {
        "咨询电话（EZT_CONTACT_PHONE）": settings().contact_phone,
        "地址（EZT_CONTACT_ADDRESS）": settings().contact_address,
    }
    missing = [name for name, value in given.items() if not value.strip()]
    if missing:
        what = f"没有设置{'、'.join(missing)}，通知末尾不写，收件人不知道向谁询问"
        yield _note("联系方式", what, "请设为本中心公布的电话和地址")
    else:
        yield _ok("联系方式", "、".join(given.values()))


def one_time_codes() -> Iterator[Finding]:
    if settings().one_time_codes:
        yield _ok("一次性验证码", "工作人员作决定须填")
    else:
        standing = Standing.NOTE if _is_loopback(settings().public_url) else Standing.ERROR
        todo = "仅供单机试用，正式使用前请去掉EZT_ONE_TIME_CODES=false"
        yield Finding("一次性验证码", standing, "已关闭，凭工号即可作决定", todo)


def zheliban() -> Iterator[Finding]:
    """Zheliban answers a ticket that nobody has. Whether it takes our password its answer does not tell."""
    if not settings().zheliban.url:
        yield _note("浙里办", "没有设置，持证主体不能登录", "接入后请设置EZT_ZHELIBAN__URL等")
        return
    try:
        person_of("ezt-doctor")
    except TicketError:
        yield _ok("浙里办", "可以连通；接入密码是否有效，有人登录时才知道")
    except ZhelibanUnavailableError as why:
        yield _error("浙里办", str(why).partition("，")[0], "请核对EZT_ZHELIBAN__URL和网络")


def sign_on_of_staff() -> Iterator[Finding]:
    """Zhezhengding answers a code that nobody has; by then it has taken our key and secret."""
    given = settings().zhezhengding
    if not given.url:
        yield _ok("浙政钉", "没有设置，工作人员用工号和一次性验证码登录")
        return
    if not is_set_up():
        yield _error("浙政钉", "没有设置登录页的地址", "请设置EZT_ZHEZHENGDING__SIGN_IN_URL")
        return
    try:
        account_of("ezt-doctor")
    except CodeError:
        yield _ok("浙政钉", "可以连通，应用标识和密钥有效")
    except ZhezhengdingUnavailableError as why:
        yield _error("浙政钉", str(why).partition("，")[0], "请核对EZT_ZHEZHENGDING__开头的设置、网络和本机时钟")


def desk_networks() -> Iterator[Finding]:
    """From where the desk can be opened. That only this machine's addresses can reach it is for a trial."""
    given, desk = settings().desk_networks, settings().desk
    if desk == settings().prefect_url:
        what = "EZT_DESK_URL现在是工作台（/desk）的地址，不再是Prefect的"
        yield _error("工作台网段", what, "请改为打开网页的地址，Prefect的写在EZT_PREFECT_URL")
    elif given:
        yield _ok("工作台网段", f"只限{'、'.join(map(str, given))}")
    elif _is_loopback(desk):
        yield _ok("工作台网段", "没有限定；工作台的地址只在本机有效")
    else:
        todo = '请把EZT_DESK_NETWORKS设为中心的网段，如["10.12.0.0/16"]，并在反向代理中不公布/desk'
        yield _note("工作台网段", f"没有限定，能打开{desk}的人都能打开工作台的登录页", todo)


def interface_mappings() -> Iterator[Finding]:
    """The files that hold what was agreed with the platforms above, the operator's or the built-in ones."""
    mapping()
    certificate_mapping()
    message_mapping()
    given = settings()
    own = [path for path in (given.gateway_mapping, given.certificate_mapping, given.message_mapping) if path]
    yield _ok("字段对照", "、".join(own) or "内置的三份")


def text_messages() -> Iterator[Finding]:
    """Whether whoever objects without an e-mail address can be told by a text message."""
    if not settings().messages_over:
        yield _ok("短信", "没有设置，没有邮箱的申请人一律邮寄")
    elif (bureau := over()) is None:
        todo = "请设置它的EZT_CITY_GATEWAY__URL或EZT_PROVINCE_GATEWAY__URL，或者把EZT_MESSAGES_OVER留空"
        yield _error("短信", "EZT_MESSAGES_OVER所指的局没有设置网关，短信发不出", todo)
    else:
        yield _ok("短信", f"经{bureau}网关发出")


def virus_scanner() -> Iterator[Finding]:
    """The operator's command lets clean content through and stops the test file."""
    if not settings().virus_scanner:
        yield _note("查毒", "没有设置，附件不查毒", "请设置EZT_VIRUS_SCANNER，如clamdscan --no-summary -")
        return
    try:
        scan("ezt-doctor", b"ezt doctor")
    except InputError:
        yield _error("查毒", "把无毒的内容报成有毒，附件都会被拒收", "请核对EZT_VIRUS_SCANNER的退出码：0无毒，1有毒")
        return
    except RefusalError:
        yield _error("查毒", "EZT_VIRUS_SCANNER的命令不能运行，附件都会被拒收", "请核对命令并启动查毒服务")
        return
    try:
        scan("ezt-doctor", EICAR)
    except InputError:
        yield _ok("查毒", "可用，能认出测试文件")
    except RefusalError:
        yield _error("查毒", "遇到测试文件时命令出错", "请核对EZT_VIRUS_SCANNER的退出码：0无毒，1有毒")
    else:
        yield _error("查毒", "没有认出测试文件EICAR", "请更新病毒库，或换用别的命令")


def database() -> Iterator[Finding]:
    """The database can be reached, of which kind it is, and whether its tables are this program's."""
    address = engine().url
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").exists():
        yield _error("数据库", "尚未建立", "请运行 ezt migrate；如曾使用过，请检查EZT_HOME或从备份恢复")
        return
    with saying_what_is_wrong():
        with reading() as session:
            if address.get_backend_name() == "sqlite":
                what = f"SQLite {session.scalar(text('SELECT sqlite_version()'))}，{address.database}"
            else:
                what = f"PostgreSQL {session.scalar(text('SHOW server_version'))}，{address.host}/{address.database}"
        present, newest = revisions()
    if present == newest:
        yield _ok("数据库", f"{what}，表结构是最新版本{present}")
    elif present is None:
        yield _error("数据库", f"{what}，没有表", "请运行 ezt migrate")
    elif newest is not None and present < newest:
        # With others it would refuse.
        check_keys()
        yield _error("数据库", f"{what}，表结构是{present}，程序是{newest}", "请先备份，再运行 ezt migrate")
    else:
        yield _error("数据库", f"{what}，表结构{present}不是本程序所知的", "请先升级本程序")


def database_clock() -> Iterator[Finding]:
    """The database's clock agrees with this machine's: one-time codes and signatures hold for a time."""
    if engine().dialect.name == "sqlite":
        yield _ok("时钟", "数据库在本机，同一时钟")
        return
    with reading() as session:
        before = clock.now()
        there = session.scalars(select(func.clock_timestamp())).one()
        off = abs(there - (before + (clock.now() - before) / 2))
    what = f"与数据库服务器相差{off.total_seconds():.1f}秒"
    if off < CLOCK_LOOSE:
        yield _ok("时钟", what)
    else:
        standing = Standing.NOTE if off.total_seconds() < CODE_SECONDS else Standing.ERROR
        yield Finding("时钟", standing, what, "请在两台机器上启用时间同步（timedatectl set-ntp true）")


def keys_of_the_database() -> Iterator[Finding]:
    """The keys of the settings are those with which this database was written."""
    check_keys_fit()
    with reading() as session:
        known = session.scalars(select(Officer.code_secret).limit(1)).first()
    if not last_block_is_ours():
        todo = "请从备份恢复原来的密钥，不要换用新密钥"
        yield _error("数据库的密钥", "EZT_SEAL_KEYS中没有签最后一个封存块的密钥", todo)
    else:
        yield _ok("数据库的密钥", "与数据库相符" if known else "尚无工作人员，无从核对")


def calendar() -> Iterator[Finding]:
    """The coming year's arrangement of holidays is known here, by the library or by what staff published."""
    today = clock.today()
    with reading() as session:
        known = working_days(session)
    if known.last_published_year > today.year:
        yield _ok("放假安排", f"已有至{known.last_published_year}年的")
    elif (missing := missing_year(known, today)) is not None:
        publish = f"请在Prefect中运行calendar-publication，录入国务院办公厅{missing}年的放假安排"
        yield _error("放假安排", f"只有至{known.last_published_year}年的，跨年的截止日推算不准", publish)
    else:
        what = f"{today.year + 1}年的尚未收录，一般11月公布，最迟12月15日前录入；跨年的截止日为暂定"
        yield _ok("放假安排", what)


def seals() -> Iterator[Finding]:
    since = unsealed_since()
    if since is None or clock.now() - since < SEAL_LATE:
        yield _ok("日志封存", "已封存至最近")
    else:
        todo = "请查看“系统巡检”一项和执行器，在Prefect中运行一次system-round"
        yield _error("日志封存", f"{_when(since)}以来的日志没有封存", todo)


def outbox() -> Iterator[Finding]:
    """Mails that wait longer than a mail server's bad hour, and those that were given up and nobody saw to."""
    with reading() as session:
        waiting = session.execute(
            select(func.count(OutgoingNotice.id), func.min(OutgoingNotice.queued_at)).where(
                OutgoingNotice.state == NoticeState.QUEUED
            )
        ).one()
        trouble = session.scalar(
            select(OutgoingNotice.last_error)
            .where(OutgoingNotice.state == NoticeState.QUEUED, OutgoingNotice.last_error.is_not(None))
            .order_by(OutgoingNotice.queued_at)
            .limit(1)
        )
        undeliverable = session.scalar(
            select(func.count(StaffTask.id)).where(
                StaffTask.key.startswith("undeliverable:"), StaffTask.done_at.is_(None)
            )
        )
    count, oldest = waiting
    age = clock.now() - oldest if oldest is not None else timedelta()
    if age >= MAIL_LATE:
        standing = Standing.NOTE if age < MAIL_STUCK else Standing.ERROR
        what = f"{count}封通知待发，最早的自{_when(oldest)}{f'（{trouble}）' if trouble else ''}"
        yield Finding("发件箱", standing, what, "请看“邮件”和“系统巡检”两项")
    elif undeliverable:
        yield _note("发件箱", f"{undeliverable}封通知无法送达", "请按待阅事项联系收件人")
    else:
        yield _ok("发件箱", f"{count}封待发，没有积压")


def own_mailboxes() -> Iterator[Finding]:
    """Whether those whom the system reminds and tells have an address that a mail can go to."""
    with reading() as session:
        there = own_addresses(session, clock.today())
    wrong = [each for each in there if not can_be_written_to(each.to)]
    for each in wrong:
        yield _error("收件邮箱", f"{each.whose}登记的邮箱格式不对，发给它的通知都发不出", each.todo)
    if not wrong:
        yield _ok("收件邮箱", "工作人员、部门和专人的邮箱都能写信")


def _bureau(bureau: Bureau) -> Look:
    def look() -> Iterator[Finding]:
        about = f"{bureau}网关"
        if not has_gateway(bureau):
            yield _note(about, "没有设置，核实需求书面发函", f"接入后请设置EZT_{bureau.name}_GATEWAY__URL等")
            return
        try:
            check_access(bureau, ANSWER_WITHIN)
        except (BureauUnavailableError, BureauRefusedError) as why:
            todo = f"请核对EZT_{bureau.name}_GATEWAY__开头的设置、网络和本机时钟；其间核实需求可书面发函"
            yield _error(about, str(why).rstrip("。"), todo)
        else:
            yield _ok(about, "可以连通，签名有效")

    return look


DATABASE: dict[str, Look] = {"数据库": database}
ALONE: dict[str, Look] = {
    "Python": python,
    "设置名称": setting_names,
    "数据目录": data_folder,
    "磁盘": disk,
    "内存": memory,
    "时区": zone,
    "密钥": key_files,
    "存档副本证书": copy_certificate,
    "网页": web,
    "Prefect": prefect,
    "Prefect口令": prefect_password,
    "旧版表单": forms_of_before,
    "邮件": mail,
    "对外地址": public_address,
    "联系方式": contact,
    "一次性验证码": one_time_codes,
    "浙里办": zheliban,
    "浙政钉": sign_on_of_staff,
    "工作台网段": desk_networks,
    "字段对照": interface_mappings,
    "短信": text_messages,
    "查毒": virus_scanner,
}
KEYS: dict[str, Look] = {"数据库的密钥": keys_of_the_database}
ON_DATABASE: dict[str, Look] = {
    "时钟": database_clock,
    "放假安排": calendar,
    "系统巡检": rounds,
    "日志封存": seals,
    "发件箱": outbox,
    "收件邮箱": own_mailboxes,
} | {f"{bureau}网关": _bureau(bureau) for bureau in Bureau}


def is_sound(findings: Sequence[Finding]) -> bool:
    """Whether there is no error among them."""
    return all(finding.standing is not Standing.ERROR for finding in findings)
