"""A database that is locked by somebody else, or restarted: who asks meanwhile is told so in Chinese, nothing is half
written, and everybody goes on with it afterwards without being started again."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient
from sqlalchemy import event, func, select, update
from sqlalchemy.exc import OperationalError

from ezt.samples import data as samples
from models.cases import Case
from models.migrations import migrate
from models.notices import NoticeState, OutgoingNotice
from notifications.sender import dispatch
from regulation.objections import Stage
from runtime.database import engine, reading, transaction
from tasks.objections import steps as objections
from tasks.objections.applications import ObjectionApplication
from tasks.objections.questions import InitialReview
from tests.conftest import FEW, Clerk, Mailbox, forget_settings, wait_until
from tests.faults.test_disk_full import check_told
from tests.interface.conftest import Caller, caller_of
from tests.postgresql_server import FAST, PostgreSQL, create_database, server_folder

pytestmark = pytest.mark.thorough


def submit(department: Caller, given: ObjectionApplication, number: str) -> httpx.Response:
    return department.post("/api/v1/objections", given.model_dump(mode="json") | {"submission_no": number})


def registered() -> int:
    with reading() as session:
        return session.scalar(select(func.count(Case.case_no))) or 0


def states() -> set[NoticeState]:
    with reading() as session:
        return set(session.scalars(select(OutgoingNotice.state)))


@pytest.fixture
def impatient(clerk: Clerk) -> None:
    """A process that waits a moment for SQLite's lock, not half a minute."""

    @event.listens_for(engine(), "connect")
    def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA busy_timeout=200")


def test_a_database_that_somebody_holds_locked(impatient: None, clerk: Clerk, home: Path, web: str) -> None:
    department, given = caller_of(web, "KQ-SCJG"), clerk.application()
    first = submit(department, given, "1")
    assert first.status_code == 201
    with closing(sqlite3.connect(home / "ezt.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        check_told(submit(department, given, "2"))
        # Reading goes on.
        assert httpx.get(f"{web}/api/v1/objections/{first.json()['token']}").status_code == 200
        page = httpx.post(f"{web}/objections/{first.json()['token']}/withdrawal")
        assert (page.status_code, "稍后重试" in page.text) == (503, True)
        other.execute("ROLLBACK")
    assert registered() == 1
    second = submit(department, given, "2")
    assert second.json()["case_no"].endswith("000002")


@pytest.fixture
def own_postgresql(web: str, mailbox: Mailbox, configure: Callable[..., None]) -> Iterator[PostgreSQL]:
    """The web process's data are on a server that nobody else uses."""
    with server_folder() as data:
        server = PostgreSQL(data, *FAST)
        server.start()
        server.wait()
        create_database(server.url, "ezt")
        configure(EZT_DATABASE_URL=f"{server.url}/ezt")
        migrate(f"{server.url}/ezt")
        samples.load(sizes=FEW)
        yield server
        forget_settings()
        server.stop()


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_database_that_is_restarted(
    own_postgresql: PostgreSQL, clerk: Clerk, mailbox: Mailbox, web: str, how: str
) -> None:
    department, given = caller_of(web, "KQ-SCJG"), clerk.application()
    # Several connections are open when it goes.
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda number: submit(department, given, f"{number}"), range(4)))
    assert [answer.status_code for answer in answers] == [201] * 4
    own_postgresql.kill() if how == "killed" else own_postgresql.stop()
    check_told(submit(department, given, "5"))
    with pytest.raises(OperationalError):
        dispatch()
    own_postgresql.start()
    own_postgresql.wait()
    fifth = submit(department, given, "5")
    assert (fifth.status_code, fifth.json()["case_no"][-6:]) == (201, "000005")
    # What somebody was sending when it went is theirs until their claim ends.
    with transaction() as session:
        session.execute(update(OutgoingNotice).values(claimed_until=None))
    wait_until(lambda: (dispatch(), states() == {NoticeState.SENT})[1], "通知没有发出", 30)
    with reading() as session:
        sent = session.scalars(select(OutgoingNotice.message_id)).all()
    assert {mail["Message-ID"] for mail in mailbox.mails} == set(sent)


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_step_waits_for_a_database_that_is_restarted(
    own_postgresql: PostgreSQL, clerk: Clerk, prefect_client: SyncPrefectClient, how: str
) -> None:
    case = clerk.register()
    assert case.answer(InitialReview, verdict="受理") is None
    own_postgresql.kill() if how == "killed" else own_postgresql.stop()
    back = threading.Timer(0.5, own_postgresql.start)
    back.start()
    accepted = Flow(lambda: objections.accept_objection(case.case_no), name="accepted")
    accepted()
    back.join()
    assert case.stage() == Stage.ACCEPTED
