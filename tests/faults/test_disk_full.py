"""A full disk: whoever hands something in is told so in Chinese, nothing is half written, and all goes on as soon as
there is room."""

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from ezt.up import free_port
from models.cases import Case, CaseCounter
from models.notices import OutgoingNotice
from models.objections import Attachment, Objection
from models.records import AuditEntry
from runtime import clock
from runtime.database import reading
from tasks.keeping.records import seal_record, verify_record
from tests.conftest import Clerk, web_process
from tests.interface.conftest import Caller, caller_of
from tests.interface.test_objections_api import attached

pytestmark = pytest.mark.thorough

ROOM, FILLED = 24 * 2**20, 8 * 2**20
"""Bytes of the file system, and of a file on it that can be removed."""

NOWHERE = {"PREFECT_API_URL": "http://127.0.0.1:9/api"}
"""Prefect is out of reach."""


def rows() -> dict[str, int]:
    with reading() as session:
        tables = (Case, Objection, Attachment, AuditEntry, OutgoingNotice)
        found = {table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}
        return found | {"numbered": session.scalar(select(func.sum(CaseCounter.last))) or 0}


def hand_in(department: Caller, clerk: Clerk, number: int) -> httpx.Response:
    """An objection with a file that takes room."""
    given = clerk.application(reason=f"门牌号登记有误，第{number}次。").model_dump(mode="json")
    picture = attached("门牌.png", b"\x89PNG\r\n\x1a\n" + os.urandom(2**20))
    return department.post("/api/v1/objections", given | {"submission_no": str(number), "attachments": [picture]})


def check_told(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert "没有登记；请稍后重试" in answer.json()["detail"]
    assert int(answer.headers["Retry-After"]) > 0


def hand_in_until_full(department: Caller, clerk: Clerk) -> int:
    """How many were registered before one was not."""
    for number in range(40):
        before = rows()
        answer = hand_in(department, clerk, number)
        if answer.status_code != 201:
            check_told(answer)
            assert rows() == before
            return number
    raise AssertionError("the disk was never full")


@pytest.fixture
def small_disk(clerk: Clerk, home: Path) -> Iterator[Path]:
    """The installation's data on a file system of their own, of a few MB."""
    beside = home.with_name("there")
    shutil.copytree(home, beside)
    with ExitStack() as stack:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "ezt", str(home)], check=True)
        stack.callback(subprocess.run, ["umount", "--lazy", str(home)], check=True)
        shutil.copytree(beside, home, dirs_exist_ok=True)
        yield home


@pytest.mark.skipif(os.geteuid() != 0 or os.environ.get("EZT_NO_MOUNTS") == "1", reason="only root mounts")
def test_a_disk_that_is_full(small_disk: Path, clerk: Clerk) -> None:
    filler = small_disk / "filler"
    with filler.open("wb") as file:
        file.write(b"\0" * FILLED)
    with web_process(os.environ | NOWHERE, free_port()) as (web, _):
        department = caller_of(web, "KQ-SCJG")
        registered = hand_in_until_full(department, clerk)
        assert registered > 0
        # Reading goes on.
        assert httpx.get(f"{web}/health").status_code == 200
        check_told(hand_in(department, clerk, registered))
        filler.unlink()
        goes_on(department, clerk, registered)


def test_a_disk_that_takes_no_more_of_a_file(clerk: Clerk, home: Path) -> None:
    with web_process(os.environ | NOWHERE, free_port()) as (web, process):
        department = caller_of(web, "KQ-SCJG")
        assert hand_in(department, clerk, 0).status_code == 201
        largest = max(file.stat().st_size for file in home.glob("ezt.db*"))
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
        before = rows()
        check_told(hand_in(department, clerk, 1))
        assert rows() == before
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        goes_on(department, clerk, 1)


def goes_on(department: Caller, clerk: Clerk, number: int) -> None:
    """What was refused is handed in again: it gets the next number, and the record is whole."""
    answer = hand_in(department, clerk, number)
    assert answer.status_code == 201, answer.text
    assert answer.json()["case_no"].endswith(f"{number + 1:06}")
    assert rows()["numbered"] == number + 1
    seal_record(clock.now())
    assert verify_record().findings == ()
