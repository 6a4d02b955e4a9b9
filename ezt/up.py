"""The whole system on one machine: mail sink, Prefect server, web process and worker, started and stopped in order."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlencode

import httpx
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists

from ezt import children
from ezt.engine import prefect_data
from ezt.engine.deployments import PREFECT_YAML, stories
from ezt.installation import prepare
from ezt.samples import data
from gateways.zheliban_stand_in import PERSONS, SIGN_IN
from regulation.objections import Bureau
from runtime.refusals import RefusalError
from runtime.settings import prefect_access, settings
from tasks.desk.rounds import ONLY_RECOVERY, ROUND
from tasks.desk.runs import prefect

ROOT = Path(__file__).parents[1]
POOL = "ezt"
START_SECONDS = 300
STOP_SECONDS = 20
PREFECT = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_UI_V2_ENABLED": "false",
    "PREFECT_SERVER_UI_API_URL": "/api",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
    "PREFECT_WORKER_QUERY_SECONDS": "1",
    "PREFECT_RUNNER_POLL_FREQUENCY": "1",
    "PREFECT_LOGGING_LEVEL": "WARNING",
}
"""No analytics leave the machine; staff get the V1 pages (docs/adr/0018), which ask whatever host they came from; what
ended 90 days ago goes from Prefect's database, which 1,400 rounds a day would fill, and what is suspended stays; no
automation waits here for events, each of which would be compared with all there are; a worker that looks every second
makes forms appear while one waits."""


class StopAskedError(Exception):
    """Somebody wants the system to stop before it is up."""


@dataclass
class System:
    """A running system: where it answers, its processes by name, and whether somebody asked it to stop."""

    home: Path
    prefect_url: str
    web_url: str
    environment: dict[str, str]
    stop_asked: threading.Event
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def api_url(self) -> str:
        return f"{self.prefect_url}/api"

    def start(self, name: str, *module: str) -> None:
        """Start a module as a process in a group of its own that ends with this one; what it says is filed in
        ``log/<name>.log``."""
        path = self.home / "log" / f"{name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as log:
            self.processes[name] = children.start(
                [sys.executable, "-m", *module],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def fallen(self) -> str | None:
        """The name of a process that has ended by itself, if any."""
        return next((name for name, process in self.processes.items() if process.poll() is not None), None)

    def run(self, name: str, *module: str) -> int:
        """Run a module to its end; its exit code."""
        self.start(name, *module)
        process = self.processes[name]
        while process.poll() is None:
            self.pause(0.1)
        del self.processes[name]
        return process.returncode

    def pause(self, seconds: float) -> None:
        """Let time pass; ``StopAskedError`` as soon as somebody asks the system to stop."""
        if self.stop_asked.wait(seconds):
            raise StopAskedError

    def wait_for(self, condition: Callable[[], bool], name: str) -> None:
        """Wait until a process answers; ``RefusalError`` says where its log is when it does not."""
        until = time.monotonic() + START_SECONDS
        while not condition():
            if (fallen := self.fallen()) is not None:
                raise RefusalError(f"{fallen}没有启动，原因见{self.home / 'log' / f'{fallen}.log'}。")
            if time.monotonic() > until:
                log = self.home / "log" / f"{name}.log"
                slow = f"{name}在{START_SECONDS}秒内没有启动：机器可能太忙，请等负载降下来再运行一次"
                raise RefusalError(f"{slow}；它说过的话见{log}（可能为空）。")
            self.pause(0.1)

    def stop(self) -> None:
        """End all processes, the last one started first, and what they started."""
        for process in reversed(self.processes.values()):
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextmanager
def running(
    samples: bool = False, stand_in: bool = False, stop_asked: threading.Event | None = None
) -> Iterator[System]:
    """The system while the block runs.

    Raises ``RefusalError`` for a port that is taken and what does not start, ``StopAskedError`` when ``stop_asked`` is
    set before the system is up.
    """
    given = settings()
    ports = {"EZT_PREFECT_PORT": given.prefect_port, "EZT_WEB_PORT": given.web_port}
    for name, port in ports.items():
        _check_free(name, port)
    prepared = prepare()
    home = prepared.home
    if prepared.to_clear:
        prefect_data.clear()
    if samples:
        data.load()
    environment = os.environ | PREFECT | {"EZT_HOME": str(home), "PREFECT_HOME": str(home / "prefect")}
    environment |= prefect_access()
    engine, web = f"http://127.0.0.1:{given.prefect_port}", f"http://127.0.0.1:{given.web_port}"
    environment |= {"PREFECT_API_URL": f"{engine}/api", "PYTHONUNBUFFERED": "1"}
    if "prefect_url" not in given.model_fields_set:
        environment["EZT_PREFECT_URL"] = engine
    if "public_url" not in given.model_fields_set:
        # Links in mails and on pages lead to where the pages are.
        environment["EZT_PUBLIC_URL"] = web
    system = System(home, engine, web, environment, stop_asked or threading.Event())
    try:
        system.pause(0)
        if not given.smtp_host:
            port = free_port()
            environment |= {"EZT_SMTP_HOST": "127.0.0.1", "EZT_SMTP_PORT": str(port)}
            system.environment = environment
            system.start("mail", "notifications.sink", "--port", str(port))
        if stand_in:
            system.environment |= _start_bureaus(system, web, samples) | _start_zheliban(system, samples)
        system.start("prefect", "ezt.engine.prefect_server", "--port", str(given.prefect_port))
        system.start(
            "web", "uvicorn", "web.app:app", "--host", "127.0.0.1", "--port", str(given.web_port), "--no-access-log"
        )
        system.wait_for(lambda: answers(f"{engine}/api/health"), "prefect")
        _deploy(system)
        system.start("worker", "ezt.engine.worker", "--pool", POOL, "--name", "本机")
        system.wait_for(lambda: answers(f"{web}/health"), "web")
        _recover(system)
        yield system
    finally:
        system.stop()


def up(samples: bool, stand_in: bool, as_json: bool, stop_asked: threading.Event) -> None:
    """Run the system until ``stop_asked`` is set, or until one of its processes falls (``RefusalError``)."""

    def say(line: str) -> None:
        if not as_json:
            print(line, flush=True)

    say("正在启动……")
    with suppress(StopAskedError), running(samples, stand_in, stop_asked) as system:
        password = settings().prefect_password.get_secret_value()
        mail = str(system.home / "mail") if "mail" in system.processes else settings().smtp_host
        if as_json:
            said = {
                "desk": f"{system.web_url}/desk",
                "web": system.web_url,
                "prefect": system.prefect_url,
                "password": password,
                "mail": mail,
            }
            print(json.dumps(said), flush=True)
        say(f"网页接口  {system.web_url}")
        say(f"工作台    {system.web_url}/desk")
        say(f"Prefect   {system.prefect_url}（口令{password}，浏览器首次打开时填写）")
        if stand_in:
            say(f"浙里办替身  {system.environment['EZT_ZHELIBAN__URL']}")
        say(f"邮件{'存档' if 'mail' in system.processes else '服务'}  {mail}")
        if not settings().one_time_codes:
            say("注意：一次性验证码已关闭（EZT_ONE_TIME_CODES=false），仅供单机试用。")
        say("按Ctrl-C停止。")
        while not stop_asked.wait(0.5):
            if fallen := system.fallen():
                raise RefusalError(f"{fallen}意外停止，其余已停；原因见{system.home / 'log' / f'{fallen}.log'}。")
        say("正在停止……")


def answers(url: str) -> bool:
    """Whether somebody answers 200 there."""
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def _deploy(system: System) -> None:
    """Create the work pool and deploy every story of prefect.yaml, unless this very program has deployed them there:
    nothing else takes as long when a system is started again."""
    mark, program = system.home / "prefect" / "deployed", _program()
    with prefect(system.api_url) as client:
        with suppress(ObjectAlreadyExists):
            client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
        there = {deployment.name for deployment in client.read_deployments(limit=200)}
    if mark.exists() and mark.read_text() == program and stories().keys() <= there:
        return
    if system.run("deploy", "prefect", "--no-prompt", "deploy", "--all"):
        raise RefusalError(f"流程没有部署成功，原因见{system.home / 'log' / 'deploy.log'}。")
    mark.write_text(program)


def _program() -> str:
    """A digest of all that deployments are made of: their list, the code that their forms come from, Prefect itself."""
    digest = sha256(version("prefect").encode())
    code = sorted(
        path for folder in ("flows", "tasks", "regulation", "models") for path in (ROOT / folder).rglob("*.py")
    )
    for path in (PREFECT_YAML, *code):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _recover(system: System) -> None:
    """Look once for cases whose runs did not survive the last stop."""
    with prefect(system.api_url) as client:
        client.create_flow_run_from_deployment(client.read_deployment_by_name(ROUND).id, parameters=ONLY_RECOVERY)


def _start_bureaus(system: System, web: str, samples: bool) -> dict[str, str]:
    """Start a stand-in for each superior bureau; returns the settings that point to them.

    With ``samples`` each answers for the sample certificates whose data are the bureau's.
    """
    reached: dict[str, str] = {}
    for bureau, setting in ((Bureau.CITY, "CITY_GATEWAY"), (Bureau.PROVINCE, "PROVINCE_GATEWAY")):
        port, key = free_port(), data.BUREAU_KEYS[bureau]
        secret = data.application_secret(data.DEFAULT_SEED, key)
        known = ["--app-key", "ezt", "--app-secret", "stand-in", "--name", bureau.value, "--reply-after", "5"]
        back = ("--callback", f"{web}/api/v1/verification-replies", "--callback-key", key, "--callback-secret", secret)
        name = f"stand-in-{bureau.name.lower()}"
        if samples:
            answers = data.certificates_above(bureau, data.DEFAULT_SEED, data.Sizes().holders)
            known += ["--certificates", _file(system, name, json.dumps(answers, ensure_ascii=False).encode())]
        system.start(name, "gateways.stand_in", "--port", str(port), *known, *back)
        reached |= {
            f"EZT_{setting}__URL": f"http://127.0.0.1:{port}",
            f"EZT_{setting}__APP_KEY": "ezt",
            f"EZT_{setting}__APP_SECRET": "stand-in",
        }
    return reached


def _start_zheliban(system: System, samples: bool) -> dict[str, str]:
    """Start a stand-in for Zheliban, which knows the sample's holders; returns the settings that point to it.

    Whoever is chosen on its page comes back to ours with a ticket.
    """
    port, code, password = free_port(), "ezt", "stand-in"
    back = f"{system.environment.get('EZT_PUBLIC_URL', settings().public_url)}/sign-in"
    known = ["--service-code", code, "--service-password", password]
    if samples:
        persons = data.persons(data.DEFAULT_SEED, data.Sizes().holders)
        known += ["--persons", _file(system, "stand-in-zheliban", PERSONS.dump_json(persons))]
    system.start("stand-in-zheliban", "gateways.zheliban_stand_in", "--port", str(port), *known)
    return {
        "EZT_ZHELIBAN__URL": f"http://127.0.0.1:{port}",
        "EZT_ZHELIBAN__SIGN_IN_URL": f"http://127.0.0.1:{port}{SIGN_IN}?{urlencode({'back': back})}",
        "EZT_ZHELIBAN__SERVICE_CODE": code,
        "EZT_ZHELIBAN__SERVICE_PASSWORD": password,
    }


def _file(system: System, name: str, content: bytes) -> str:
    """What a stand-in is to know, as a file: there is too much of it for a command line."""
    path = system.home / "stand-ins" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return str(path)


def _check_free(name: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise RefusalError(f"端口{port}已被占用，请先停止占用它的程序，或用{name}另设端口。") from None


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
