"""What tests stand on: an installation of their own, empty databases of both kinds, real servers on loopback."""

import fcntl
import io
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as email_policy
from functools import cache, wraps
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any, cast

import httpx
import hypothesis
import pytest
import stamina
import uvicorn
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from openpyxl import Workbook  # type: ignore[import-untyped]
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import StateType
from prefect.context import SettingsContext, get_settings_context, refresh_global_settings_context
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from pydantic import BaseModel, SecretStr
from sqlalchemy import ColumnElement, Connection, Dialect, Engine, create_engine, delete, event, inspect, select
from starlette.types import ASGIApp, Receive, Scope, Send

from ezt import children
from ezt.desk import Desk
from ezt.samples import data as samples
from ezt.up import PREFECT, free_port
from gateways import loopback, stand_in, zhejiang_gateway
from gateways.stand_in import StandIn
from models.cases import Case
from models.certificates import Certificate, CertificateType
from models.gateway_secrets import GatewaySecret
from models.migrations import migrate
from models.objections import Objection
from models.organisations import ApplicationSecret, Officer, SpentCode
from regulation.certificates import CertificateState, Level
from regulation.objections import FINAL
from runtime import clock, database, keys, settings, signing_authority
from runtime.refusals import RefusalError
from tasks.case import answers
from tasks.case.attachments import File
from tasks.case.questions import Question
from tasks.case.step import CaseClosedError
from tasks.certificates import use as certificate_use
from tasks.desk import door
from tasks.desk.case_page import CasePage, case_page
from tasks.desk.postings import Posted, posting_list, register_posted
from tasks.desk.to_do import Row, Wanted, Whose, listed
from tasks.objections import steps as objections
from tasks.objections import verifications
from tasks.objections.applications import ObjectionApplication
from tasks.objections.questions import (
    InitialReview,
    OutcomeApproval,
    OutcomeDecision,
    ReviewApproval,
    VerificationReply,
)
from tasks.objections.registrations import register_objection
from tasks.office import applications
from tasks.office.signatures import DESK
from tasks.register import trial_holders
from tests.forked import Forked
from tests.operator_guide import blocks, run
from tests.postgresql_server import FAST, as_superuser, create_database, postgresql_server, server_folder
from tests.run_folders import pytest_configure as pytest_configure
from tests.run_folders import pytest_sessionfinish as pytest_sessionfinish
from web.app import app

# How long a draw takes says how busy the machine is, not what is wrong with the program.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")

# Whoever asks over HTTP reads the authorities of the world first, if only to ask this very machine: a twentieth of a
# second of work, thousands of times. Here it is one authority, which has certified nobody.
AUTHORITY = str(Path(__file__).with_name("nobodys-authority.pem"))
os.environ |= {"SSL_CERT_FILE": AUTHORITY, "PREFECT_API_SSL_CERT_FILE": AUTHORITY}
refresh_global_settings_context()

# To read a key is to test its primes: a sixth of a second. Whatever the test, the same bytes are the same key.
signing_authority.load_pem_private_key = cache(signing_authority.load_pem_private_key)  # type: ignore[attr-defined]

COMPILED: dict[type[Dialect], tuple[Dialect, Any]] = {}
"""By kind of database, what this process keeps of the statements that it has compiled."""


@event.listens_for(Engine, "engine_connect")
def _share_what_is_compiled(connection: Connection) -> None:
    """Statements are compiled once a process, as in a process of the program, not for each test's engine anew: that is
    a third of all that a test of the tables does."""
    for each in (connection.engine, connection):
        known = COMPILED.setdefault(type(each.dialect), (each.dialect, connection.engine._compiled_cache))
        each.dialect = known[0]
    connection.engine._compiled_cache = known[1]


def pytest_xdist_auto_num_workers() -> int:
    """One process of tests more than processors: every other test waits for a server now and then."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deal the files with tests that are allowed longer than others among the run's processes, each of which begins
    with an equal part of all: otherwise one process has nearly all of them, and the others nothing left to take from it
    but another long one when the run should end."""
    processes: int = getattr(config, "workerinput", {}).get("workercount", 1)
    if processes == 1:
        return
    files = [list(tests) for _, tests in groupby(items, key=lambda test: test.path)]
    long = [tests for tests in files if any(test.get_closest_marker("timeout") for test in tests)]
    short = chain.from_iterable(tests for tests in files if tests not in long)
    dealt: list[pytest.Item] = []
    for number in range(processes):
        theirs = list(chain.from_iterable(long[number::processes]))
        equal_part = (len(items) - len(dealt)) // (processes - number)
        others = list(islice(short, max(0, equal_part - len(theirs))))
        # Whoever is first at a server of Prefect's deploys the stories for all, who do something else meanwhile.
        before = len(others) // 3 if number else 0
        dealt += [*others[:before], *theirs, *others[before:]]
    items[:] = [*dealt, *short]


ROOT = Path(__file__).parents[1]
FEW = samples.Sizes(departments=10, holders=60)
"""As much sample data as a test needs: each type several times over, in a fraction of a second."""

PASSWORD = "desk-password-of-the-tests"
"""Of every Prefect server here."""

REMEMBERED = (applications.caller_of.cache, certificate_use.standing_of.cache, trial_holders.trial_indexes.cache)
"""What a web process knows for a second."""


READ: dict[object, settings.Settings] = {}
"""The settings by what they were read from: tests read the same ones several times over, and to check some eighty of
them takes a hundredth of a second."""


def _read_once(read: Callable[[], settings.Settings]) -> Callable[[], settings.Settings]:
    @wraps(read)
    def once() -> settings.Settings:
        try:
            text = settings.settings_file().read_bytes()
        except OSError:
            return read()
        said = (text, *sorted(each for each in os.environ.items() if each[0].startswith("EZT_")))
        return READ.get(said) or READ.setdefault(said, read())

    return once


settings.read_settings = _read_once(settings.read_settings)


def accepts_connections(port: int) -> bool:
    """Whether somebody listens on a port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], object], otherwise: str, seconds: float = 60) -> None:
    """Wait until ``condition()`` is true, and fail with the words ``otherwise`` after so many seconds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, otherwise
        time.sleep(0.05)


def forget_settings() -> None:
    """Make the process read its settings again."""
    database.forget_engine()
    settings.settings.cache_clear()
    keys.keys.cache_clear()
    keys.seal_keys.cache_clear()
    for known in REMEMBERED:
        known.clear()
    signing_authority.signing_authority.cache_clear()
    signing_authority.known_chains.cache_clear()


def take_settings_from(home: Path, monkeypatch: pytest.MonkeyPatch, **more: str) -> None:
    """Make the settings those of a data folder, and ``more``; no others are left."""
    for name in os.environ:
        if name.startswith("EZT_"):
            monkeypatch.delenv(name)
    for name, value in {"EZT_HOME": str(home), **more}.items():
        monkeypatch.setenv(name, value)
    forget_settings()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation's data folder with keys of its own and nothing else."""
    take_settings_from(tmp_path / "var", monkeypatch)
    keys.ensure_keys()
    keys.ensure_prefect_password()
    yield tmp_path / "var"
    forget_settings()


@contextmanager
def working_in(home: Path, **more: str) -> Iterator[None]:
    """While the block runs, the settings are those of a data folder that no single test has."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        take_settings_from(home, monkeypatch, **more)
        yield
    forget_settings()


@pytest.fixture(scope="session")
def migrated_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an installation is copied from: keys, the trial authority that signs, a migrated database. To make these
    takes longer than most tests."""
    home = tmp_path_factory.mktemp("migrated") / "var"
    with working_in(home):
        keys.ensure_keys()
        keys.ensure_prefect_password()
        signing_authority.signing_authority()
        migrate()
    return home


@pytest.fixture(scope="session")
def filled_home(migrated_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As ``migrated_home``, with the sample data."""
    home = tmp_path_factory.mktemp("filled") / "var"
    shutil.copytree(migrated_home, home)
    with working_in(home):
        samples.load(sizes=FEW)
    return home


@pytest.fixture
def database_kind() -> str:
    """On which kind of database the test's installation stands."""
    return "sqlite"


@pytest.fixture
def install(home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Makes the test's data folder an installation: on ``sqlite`` or ``postgresql``, and ``migrated`` only or
    ``filled`` with the sample data too."""

    def made(kind: str, state: str) -> Path:
        forget_settings()
        shutil.copytree(request.getfixturevalue(f"{state}_home"), home, dirs_exist_ok=True)
        if kind == "postgresql":
            (home / "ezt.db").unlink()
            url, name = request.getfixturevalue("postgresql"), database_name(request)
            create_database(url, name, request.getfixturevalue(f"{state}_postgresql"))
            request.addfinalizer(lambda: drop_database(url, name))
            monkeypatch.setenv("EZT_DATABASE_URL", f"{url}/{name}")
        forget_settings()
        return home

    return made


@pytest.fixture
def installation(install: Callable[[str, str], Path], database_kind: str, request: pytest.FixtureRequest) -> Path:
    """A data folder with a migrated database; where a test asks for ``sample_data`` they are in it."""
    return install(database_kind, "filled" if "sample_data" in request.fixturenames else "migrated")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server of our own, without a database name."""
    with server_folder() as data, postgresql_server(data, *FAST) as url:
        yield url


def database_name(request: pytest.FixtureRequest) -> str:
    """What a test's database is called."""
    return f"test_{abs(hash(request.node.nodeid))}"


def drop_database(server: str, name: str) -> None:
    """Drop a PostgreSQL database whoever is still connected: hundreds of them would fill a disk."""
    forget_settings()
    with as_superuser(server) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: str, migrated_home: Path) -> str:
    """The name of the database that a PostgreSQL installation is copied from."""
    create_database(postgresql, "migrated")
    with working_in(migrated_home):
        migrate(f"{postgresql}/migrated")
    return "migrated"


@pytest.fixture(scope="session")
def filled_postgresql(postgresql: str, migrated_postgresql: str, migrated_home: Path) -> str:
    """As ``migrated_postgresql``, with the sample data."""
    create_database(postgresql, "filled", migrated_postgresql)
    with working_in(migrated_home, EZT_DATABASE_URL=f"{postgresql}/filled"):
        samples.load(sizes=FEW)
    return "filled"


@pytest.fixture
def empty_postgresql(postgresql: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    name = f"empty_{database_name(request)}"
    create_database(postgresql, name)
    yield f"{postgresql}/{name}"
    drop_database(postgresql, name)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, home: Path) -> str:
    """The URL of an empty database, once of each kind."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("empty_postgresql")
        return url
    return f"sqlite:///{home / 'empty.db'}"


@pytest.fixture
def sample_data(installation: Path) -> Path:
    """An installation with the invented certificates, departments and officers."""
    return installation


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set environment variables and let the process read its settings again."""

    def apply(**variables: object) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, str(value))
        forget_settings()

    return apply


def secrets_of_installation() -> set[str]:
    """Everything that opens something here: what the settings keep, and what the database keeps sealed for the same
    reason."""
    found = set(_secret_settings(settings.settings()))
    with database.reading() as session:
        for column in (Officer.code_secret, ApplicationSecret.secret, GatewaySecret.request_secret, Objection.token):
            found |= set(session.scalars(select(column)))
    return {part for secret in found for part in secret.split(",") if len(part) >= 8}


def _secret_settings(given: BaseModel) -> Iterator[str]:
    for _, value in given:
        if isinstance(value, SecretStr):
            yield value.get_secret_value()
        elif isinstance(value, BaseModel):
            yield from _secret_settings(value)


class Time:
    """The present, which passes when it is told to, backwards too."""

    def __init__(self) -> None:
        self.now = datetime.fromisoformat("2026-03-03T10:20:00+08:00")  # a Tuesday

    def pass_by(self, lasting: timedelta) -> None:
        self.now += lasting


@pytest.fixture
def present(sample_data: Path, monkeypatch: pytest.MonkeyPatch) -> Time:
    """The program's clock, which stands still. Not before there are sample data: other tests share theirs, and would
    find them as old as this day."""
    given = Time()
    monkeypatch.setattr(clock, "now", lambda: given.now)
    return given


class Mailbox:
    """A real SMTP server on loopback that keeps what it is sent."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(cast("EmailMessage", message_from_bytes(content, policy=email_policy)))
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        """The mails to one address, in the order they came."""
        return [mail for mail in self.mails if mail["To"] == address]


@pytest.fixture
def mailbox(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """A mail server that the settings point to."""
    box, port = Mailbox(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    monkeypatch.setenv("EZT_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("EZT_SMTP_PORT", str(port))
    forget_settings()
    yield box
    controller.stop()


@pytest.fixture
def without_waits() -> Iterator[None]:
    """As many tries of a bureau as always, without the waits in between; no connection outlives its test."""
    with stamina.set_testing(True, attempts=zhejiang_gateway.ATTEMPTS, cap=True):
        yield
    zhejiang_gateway.close()


class Served:
    """What a server serves now: it outlives the tests, for to start and to end one takes as long as many a test. Each
    brings along whom it serves, and the settings of Prefect that hold there."""

    def __init__(self) -> None:
        self.title = "Served"
        self.port = 0
        self._app: ASGIApp | None = None
        self._known: SettingsContext | None = None

    @contextmanager
    def serving(self, app: ASGIApp) -> Iterator[None]:
        self._app, self._known = app, get_settings_context()
        try:
            yield
        finally:
            self._app = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._app is not None, "nobody serves here now"
        assert self._known is not None
        with SettingsContext(profile=self._known.profile, settings=self._known.settings):
            await self._app(scope, receive, send)


def _served() -> Iterator[Served]:
    served = Served()
    with loopback.serving(served, 0) as served.port:
        yield served


bureau_server = pytest.fixture(scope="session", name="bureau_server")(_served)
web_server = pytest.fixture(scope="session", name="web_server")(_served)


@pytest.fixture
def city_bureau(
    home: Path, without_waits: None, bureau_server: Served, monkeypatch: pytest.MonkeyPatch
) -> Iterator[StandIn]:
    """A stand-in of the city's platform that the settings point to; the province has none."""
    bureau = StandIn("kq-app", "kq-secret", port=bureau_server.port)
    with bureau_server.serving(stand_in.build_app(bureau)):
        monkeypatch.setenv("EZT_CITY_GATEWAY__URL", bureau.url)
        monkeypatch.setenv("EZT_CITY_GATEWAY__APP_KEY", bureau.app_key)
        monkeypatch.setenv("EZT_CITY_GATEWAY__APP_SECRET", bureau.app_secret)
        forget_settings()
        yield bureau


def officer_of(case_no: str) -> str:
    """Whose case it is."""
    with database.reading() as session:
        return session.get_one(Case, case_no).officer_no


def answered(
    case_no: str,
    question: type[Question],
    turn: int,
    given: Mapping[str, object],
    staff_no: str,
    code: str = "",
    files: Sequence[File] = (),
) -> str | None:
    """An officer answers a case whose story has come to a question, with files if there are any; the Chinese refusal or
    ``None``."""
    key, by = secrets.token_hex(8), signing(staff_no, code)
    try:
        answers.answer_or_wait(case_no, question, turn)
        answers.take_officer_answer(case_no, question, turn, key, given, by, files=files)
    except CaseClosedError:
        return "本件已经办结。"
    except RefusalError as why:
        return str(why)
    return None


def at_desk(staff_no: str) -> door.SignedIn:
    """An officer who has just signed in at the desk."""
    return door.signed_in(door.begin(staff_no, "127.0.0.1"))


def signing(staff_no: str, code: str = "") -> answers.Signature:
    """An officer who signs at the desk."""
    return answers.Signature(staff_no, code, DESK)


def facts_of(page: CasePage) -> dict[str, str]:
    """What a case's page says of it, by name: what the decision hangs on, and the rest."""
    return dict([*page.lines, *(line for each in page.compared for line in each.lines)])


def read_at_desk(case_no: str, staff_no: str) -> CasePage:
    """The page of a case as an officer reads it."""
    return case_page(case_no, at_desk(staff_no))


def listed_for(staff_no: str = "KQ001", **wanted: object) -> dict[str, Row]:
    """What stands on the desk's list, everybody's unless somebody's is wanted, by case."""
    found, page = dict[str, Row](), 1
    while rows := listed(staff_no, Wanted(**({"whose": Whose.ALL, "page": page} | wanted))).rows:  # type: ignore[arg-type]
        found |= {row.case_no: row for row in rows}
        page += 1
    return found


def by_officer(staff_no: str) -> Officer:
    """Whoever has signed."""
    with database.reading() as session:
        return session.get_one(Officer, staff_no)


def as_xlsx(rows: Iterable[Iterable[object]], merge: str = "") -> bytes:
    """A workbook with these rows, and one range of its cells merged."""
    book, content = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(list(row))
    if merge:
        book.active.merge_cells(merge)
    book.save(content)
    return content.getvalue()


def objection_about(held: Certificate, kind: CertificateType, **changed: object) -> ObjectionApplication:
    """An application about the address on the held certificate, with a right value that is nobody's."""
    given: dict[str, object] = {
        "objector_kind": "持证主体",
        "objector_name": "俞小云",
        "email": "yuxiaoyun@example.com",
        "phone": "0575-84120001",
        "certificate_type": kind.name,
        "certificate": held.number,
        "field": kind.names["address"],
        "grounds": ["准确性"],
        "stated": held.face["address"],
        "proposed": "绍兴市柯桥区柯桥街道群贤路9999号",
        "reason": "门牌号登记有误，与门牌证不一致。",
    }
    return ObjectionApplication.model_validate(given | changed)


def certificates_with_address(*which: ColumnElement[bool]) -> list[tuple[Certificate, CertificateType]]:
    """The sample's valid certificates (``which`` narrows them down) whose types have an address, with these types."""
    with database.reading() as session:
        rows = session.execute(
            select(Certificate, CertificateType)
            .join(CertificateType, CertificateType.code == Certificate.type_code)
            .where(Certificate.state == CertificateState.VALID, *which)
            .order_by(Certificate.id)
        )
        return [(certificate, kind) for certificate, kind in rows if "address" in kind.names]


def certificate_of(source: Level) -> tuple[Certificate, CertificateType]:
    """A valid certificate of the sample whose type has this source and an address."""
    return certificates_with_address(CertificateType.source == source)[0]


SCAN = File("来函.png", "image/png", b"\x89PNG\r\n\x1a\n" + b"\0" * 64)
APPROVER = "KQ004"
"""The sample's director."""
APPROVED_BY = {InitialReview: ReviewApproval, OutcomeDecision: OutcomeApproval}


@dataclass
class Clerk:
    """Plays an objection without Prefect: the story's own steps in the story's order, officers' answers by the way
    that forms take."""

    case_no: str = ""
    token: str = ""

    def application(self, source: Level = Level.CITY, **changed: object) -> ObjectionApplication:
        """An application about a sample certificate."""
        return objection_about(*certificate_of(source), **changed)

    def register(self, source: Level = Level.CITY, **changed: object) -> "Clerk":
        """Register an objection about a sample certificate; each call is a submission of its own."""
        key = secrets.token_hex(8)
        registered = register_objection(self.application(source, **changed), [], key, "KQ001")
        return Clerk(registered.case_no, registered.token)

    def answer(self, question: type[Question], turn: int = 1, **given: object) -> str | None:
        """What the case's officer answers when its story has come to the question, and another approves where that is
        needed; the Chinese refusal or ``None``."""
        if (why := self.draft(question, turn, **given)) is not None:
            return why
        approval = APPROVED_BY.get(question)
        if approval is None or (question is InitialReview and given["verdict"] not in FINAL):
            return None
        return self.approve(approval, turn)

    def draft(self, question: type[Question], turn: int = 1, **given: object) -> str | None:
        """As ``answer``, and nobody has approved it yet. A reply comes with its scan."""
        files = [SCAN] if question is VerificationReply else []
        return answered(self.case_no, question, turn, given, officer_of(self.case_no), files=files)

    def approve(self, approval: type[Question], turn: int = 1, by: str = APPROVER, **given: object) -> str | None:
        """Somebody approves a draft, unless anything else is ``given``; the Chinese refusal or ``None``."""
        return answered(self.case_no, approval, turn, {"opinion": "同意", "reason": "同意拟稿意见。"} | given, by)

    def accept(self) -> None:
        assert self.answer(InitialReview, verdict="受理") is None
        objections.accept_objection.run(self.case_no)

    def request(self, turn: int = 1) -> str:
        """Prepare what is next at the bureau and hand it in; how it went out."""
        way = verifications.prepare_pursuit.run(self.case_no, turn)
        verifications.deliver_verification(self.case_no, turn)
        return way

    def stage(self) -> str:
        with database.reading() as session:
            return session.get_one(Case, self.case_no).stage


def nothing_reaches_the_holders() -> None:
    """The letters to the holders of disputed certificates are registered as such, so that nobody waits for them."""
    by = at_desk(APPROVER)
    waiting = [each.id for each in posting_list(by).notices if each.to_holder]
    if waiting:
        register_posted({each: Posted(tried="照地址去过，门牌已拆除") for each in waiting}, clock.today(), "", by)


@pytest.fixture
def clerk(sample_data: Path, monkeypatch: pytest.MonkeyPatch) -> Clerk:
    """A clerk over the sample data, on a single-machine trial without one-time codes."""
    monkeypatch.setenv("EZT_ONE_TIME_CODES", "false")
    forget_settings()
    return Clerk()


@contextmanager
def web_in_this_process() -> Iterator[str]:
    """The web process on loopback, as a thread of this one."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", ws="none"))
    known = get_settings_context()

    def serve() -> None:
        # With the settings of Prefect that hold here.
        with SettingsContext(profile=known.profile, settings=known.settings):
            server.run()

    thread = threading.Thread(target=serve)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def web(clerk: Clerk, web_server: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The web process on loopback. Prefect is out of reach here, which must not trouble a caller."""
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    monkeypatch.setenv("PREFECT_CLIENT_MAX_RETRIES", "0")
    # What other tests of this process have used up of an hour's allowance is none of this one's.
    monkeypatch.setattr("web.requests._counted", SlidingWindowCounterRateLimiter(MemoryStorage()))
    with web_server.serving(app):
        yield f"http://127.0.0.1:{web_server.port}"


@dataclass
class WorkedDesk(Desk):
    """A desk with workers of its own behind it; ``database`` is Prefect's."""

    worker_module: str = "ezt.engine.worker"
    environment: dict[str, str] = field(default_factory=dict)
    home: Path = Path()
    database: str = ""
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start_worker(self, name: str = "worker") -> None:
        """Start a worker; what it and its runs say is filed beside the data."""
        command = [self.worker_module, "--pool", "ezt", "--name", name]
        with (self.home / "worker.log").open("ab") as log:
            self.processes[name] = children.start(
                [sys.executable, "-m", *command],
                env=self.environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def sign(self, staff_no: str) -> dict[str, str]:
        """As at the desk, but without half a minute's wait for the next code: what the officer has spent is forgotten.
        That a code counts once is tested with its rule."""
        with database.transaction() as session:
            session.execute(delete(SpentCode).where(SpentCode.staff_no == staff_no))
        self.last_steps.pop(staff_no, None)
        return super().sign(staff_no)

    def carry_out(self, story: str, **parameters: object) -> None:
        """Run a scheduled story; one that collides with its scheduled run is cancelled, so it may take another: as long
        as it takes until a run whose worker was killed is known to be lost."""
        until = time.monotonic() + 180
        while time.monotonic() < until:
            run = self.wait(self.submit(story, **parameters), StateType.COMPLETED, StateType.CANCELLED)
            if run.state is not None and run.state.type is StateType.COMPLETED:
                return
            time.sleep(2)
        raise AssertionError(f"{story}没有运行")

    def scan(self, words: Sequence[str]) -> list[str]:
        """Where in Prefect's database any of the words stands: every text of every table."""
        places = []
        prefect = create_engine(self.database)
        with prefect.connect() as connection:
            for table in inspect(prefect).get_table_names():
                for row in connection.exec_driver_sql(f'SELECT * FROM "{table}"'):
                    text = " ".join(map(str, row))
                    escaped = text.encode().decode("unicode_escape", errors="replace") if "\\u" in text else ""
                    places += [f"{table}: {word}" for word in words if word in text or word in escaped]
        prefect.dispose()
        return places

    def kill_worker(self) -> None:
        """SIGKILL every worker and whatever it is running."""
        while self.processes:
            _, process = self.processes.popitem()
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def stop(self) -> None:
        """End what was started: nothing is left behind, not even what does not end when it is asked to, which fails."""
        self.close()
        for process in self.processes.values():
            process.terminate()
        try:
            for process in self.processes.values():
                process.wait(120)
        finally:
            for process in self.processes.values():
                process.kill()
                process.wait()


@contextmanager
def web_process(environment: Mapping[str, str], port: int) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A web process on a port; its address, and itself."""
    command = [sys.executable, "-m", "uvicorn", "web.app:app", "--port", str(port), "--log-level", "error"]
    with children.start(command, env=environment, cwd=ROOT) as process:
        try:
            wait_until(lambda: accepts_connections(port), "网页进程没有启动")
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.terminate()


@contextmanager
def prefect_server(home: Path, **more: str) -> Iterator[dict[str, str]]:
    """A real Prefect server over the data in a folder, with ``more`` settings; yields the environment that reaches
    it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    reached = PREFECT | {"PREFECT_HOME": str(home), "PREFECT_API_URL": url, "EZT_PREFECT_URL": url.removesuffix("/api")}
    reached |= {"EZT_PREFECT_PASSWORD": PASSWORD}
    server = _start_server(home, port, os.environ | reached | more, anew=bool(more))
    try:
        wait_until(lambda: is_healthy(url), "Prefect没有启动", 180)
        yield reached
    finally:
        server.terminate()
        server.wait(30)


def _start_server(
    home: Path, port: int, environment: dict[str, str], *, anew: bool
) -> "Forked | subprocess.Popen[bytes]":
    """A Prefect server's process: forked, or ``anew``, because some of its settings it reads when it is imported."""
    module, said = "ezt.engine.prefect_server", home / "server.log"
    if not anew:
        return Forked(module, ["--port", str(port)], environment, said)
    with said.open("ab") as log:
        command = [sys.executable, "-m", module, "--port", str(port)]
        return children.start(command, env=environment, cwd=ROOT, stdout=log, stderr=log)


@contextmanager
def reaching(server: Mapping[str, str]) -> Iterator[SyncPrefectClient]:
    """A client of a ``prefect_server``, which this process reaches while the block runs."""
    # Its password is of settings that may have been read before.
    forget_settings()
    there = {PREFECT_API_URL: server["PREFECT_API_URL"], PREFECT_API_AUTH_STRING: PASSWORD}
    with temporary_settings(there), get_client(sync_client=True) as client:
        yield client


@pytest.fixture(scope="session")
def deployed_prefect(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prefect's data with every story deployed: what each server of a test begins with. To deploy takes longer than
    many a story, so whichever of the run's processes needs it first does it for all."""
    base = tmp_path_factory.getbasetemp()
    home = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "deployed"
    with home.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.exists():
            making = tmp_path_factory.mktemp("deploying")
            deploy(making)
            making.rename(home)
    return home


@pytest.fixture(scope="session")
def deployed_postgresql(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """As ``deployed_prefect``, on PostgreSQL: the name of the database that is copied."""
    create_database(postgresql, "deployed")
    deploy(tmp_path_factory.mktemp("deployed"), **on_postgresql(f"{postgresql}/deployed"))
    return "deployed"


def on_postgresql(url: str) -> dict[str, str]:
    """The setting that puts Prefect's data there."""
    return {"PREFECT_SERVER_DATABASE_CONNECTION_URL": url.replace("+psycopg", "+asyncpg")}


def deploy(home: Path, **more: str) -> None:
    """Deploy every story on a new Prefect server over the data in a folder, with ``more`` settings, by the commands of
    the operator's guide."""
    # What it scheduled now would be late when a test begins.
    with prefect_server(
        home, PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED="false", EZT_HOME=str(home / "none"), **more
    ) as reached:
        # An upgrade deploys with the same command as an installation; once takes long enough.
        commands = dict.fromkeys(blocks("sh run-services").splitlines())
        run("\n".join(commands), home / "none", **reached)


def is_healthy(url: str) -> bool:
    """Whether the Prefect API answers."""
    try:
        return httpx.get(f"{url}/health").status_code == 200
    except httpx.HTTPError:
        return False


@contextmanager
def desk_over(home: Path, database: str, worker_module: str = "ezt.engine.worker", **more: str) -> Iterator[WorkedDesk]:
    """A Prefect server with ``more`` settings over the data in a folder, and its workers, over the installation that
    the settings name: two of them where Prefect's data, too, are on PostgreSQL."""
    with ExitStack() as stack:
        reached = stack.enter_context(prefect_server(home, **more))
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in reached.items():
            environment.setenv(name, value)
        client = stack.enter_context(reaching(reached))
        running = WorkedDesk(
            client, worker_module=worker_module, environment=os.environ | reached, home=home, database=database
        )
        stack.callback(running.stop)
        running.start_worker()
        if database.startswith("postgresql"):
            running.start_worker("second")
        # A code that is typed into a start form must not be late only because the worker is not there yet.
        wait_until(lambda: len(client.read_workers_for_work_pool("ezt")) == len(running.processes), "没有执行器", 180)
        running.web = stack.enter_context(web_in_this_process())
        yield running


@pytest.fixture
def prefect_at(
    database_kind: str, request: pytest.FixtureRequest
) -> Callable[[Path], AbstractContextManager[WorkedDesk]]:
    """Starts a Prefect server and a worker over the test's installation, with Prefect's data in a given new folder; on
    PostgreSQL both have their data there, and there are two workers."""

    def with_data(home: Path, stack: ExitStack) -> tuple[str, dict[str, str]]:
        if database_kind == "sqlite":
            shutil.copytree(request.getfixturevalue("deployed_prefect"), home)
            return f"sqlite:///{home / 'prefect.db'}", {}
        home.mkdir()
        server: str = request.getfixturevalue("postgresql")
        name = f"prefect_{secrets.token_hex(4)}"
        create_database(server, name, request.getfixturevalue("deployed_postgresql"))
        stack.callback(drop_database, server, name)
        return f"{server}/{name}", on_postgresql(f"{server}/{name}")

    @contextmanager
    def started(home: Path) -> Iterator[WorkedDesk]:
        with ExitStack() as stack:
            database, more = with_data(home, stack)
            yield stack.enter_context(desk_over(home, database, **more))

    return started


@pytest.fixture
def worked_desk(
    sample_data: Path, tmp_path: Path, prefect_at: Callable[[Path], AbstractContextManager[WorkedDesk]]
) -> Iterator[WorkedDesk]:
    """Server and worker over the test's installation."""
    with prefect_at(tmp_path / "prefect") as running:
        yield running


@pytest.fixture
def desk(worked_desk: WorkedDesk) -> WorkedDesk:
    """The same; tests of single pages have a desk without server and worker by this name."""
    return worked_desk


@pytest.fixture(scope="session")
def shared_prefect(deployed_prefect: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """One Prefect server without a worker for all tests that run legs themselves; its environment."""
    home = tmp_path_factory.mktemp("shared") / "prefect"
    shutil.copytree(deployed_prefect, home)
    # It belongs to no installation.
    with prefect_server(home, EZT_HOME=str(home / "none")) as reached:
        yield reached


@pytest.fixture
def prefect_client(shared_prefect: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[SyncPrefectClient]:
    """A client of the shared server, which the test's own processes reach too."""
    for name, value in shared_prefect.items():
        monkeypatch.setenv(name, value)
    with reaching(shared_prefect) as client:
        yield client
