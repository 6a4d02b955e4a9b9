"""What the web process gives away and where it leaves something: nothing, and in its data folder only."""

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from regulation.certificates import Level
from runtime.database import engine
from tests.conftest import Clerk, certificate_of, objection_about, secrets_of_installation
from tests.interface.conftest import Caller
from tests.interface.test_objections_api import PNG, attached

PLANTED = {
    "EZT_SMTP_PASSWORD": "planted-smtp-password",
    "EZT_CITY_GATEWAY__APP_SECRET": "planted-gateway-secret",
    "EZT_ZHELIBAN__SERVICE_PASSWORD": "planted-zheliban-password",
    "EZT_COPY_KEY_PASSWORD": "planted-copy-password",
}


@pytest.fixture
def planted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every secret that an operator may set is set."""
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)


def submission() -> dict[str, Any]:
    application = objection_about(*certificate_of(Level.CITY)).model_dump(mode="json")
    return application | {"submission_no": "S1", "attachments": [attached("门牌.png", PNG)]}


def ask_everything(department: Caller) -> list[httpx.Response]:
    """Calls that succeed, that are wrong, and that are nobody's."""
    stranger = Caller(department.base, "KQ-NONE", department.secret)
    wrong = Caller(department.base, department.key, "0" * 64)
    handed_in = department.post("/api/v1/objections", submission())
    paths = ["/", "/health", "/objections/none", "/nowhere", "/copies", "/openapi.json", "/desk/sign-in"]
    return [
        handed_in,
        *(httpx.get(department.base + path) for path in paths),
        *(caller.post("/api/v1/objections", submission()) for caller in (department, stranger, wrong)),
        department.post("/api/v1/objections", b"{"),
        department.post("/api/v1/objections", {"submission_no": department.secret}),
        department.post("/api/v1/certificates/query", {"nothing": 1}),
        httpx.post(f"{department.base}/desk/sign-in", data={"staff_no": "KQ001", "code": "000000"}),
        httpx.post(f"{department.base}/api/v1/objections", content=b"{}", headers={"X-EZT-Key": department.key}),
    ]


def test_no_answer_and_no_log_tells_a_secret(
    planted: None, clerk: Clerk, department: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = secrets_of_installation()
    assert len(secrets) > 15
    assert set(PLANTED.values()) <= secrets
    answers = ask_everything(department)
    assert answers[0].status_code == 201, answers[0].text
    # Then the database is gone, which is trouble of ours.
    with engine().begin() as connection:
        connection.exec_driver_sql("ALTER TABLE objections RENAME TO gone")
    answers += [department.post("/api/v1/objections", submission() | {"submission_no": "S2"})]
    answers += [httpx.get(f"{department.base}/objections/{answers[0].json()['token']}")]
    assert {each.status_code for each in answers[-2:]} <= {500, 503}
    said = "\n".join(each.text + str(each.headers) for each in answers)
    logged = "\n".join([caplog.text, *(str(record.exc_info) for record in caplog.records)])
    assert len(said) > 2000
    assert {secret for secret in secrets if secret in said or secret in logged} == set()


WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
opened: list[str] | None = None


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    """A hook for the whole process, which cannot be taken away again; it notes only while somebody asks."""
    if opened is None or event != "open":
        return
    path, mode, flags = arguments
    if isinstance(path, (str, bytes)) and (flags & WRITING or (mode and set(mode) & set("wax+"))):
        opened.append(os.fsdecode(path))


@contextmanager
def noting() -> Iterator[list[str]]:
    global opened
    sys.addaudithook(_note)
    opened = []
    try:
        yield opened
    finally:
        opened = None


def test_the_web_process_writes_only_into_its_data_folder(clerk: Clerk, department: Caller, home: Path) -> None:
    with noting() as paths:
        with (home / "seen").open("w"):
            pass
        assert paths == [str(home / "seen")]
        answers = ask_everything(department)
        seen = list(paths)
    assert answers[0].status_code == 201, answers[0].text
    # Files of the moment have no name and their place under PrivateTmp; byte code is written only where it may be.
    elsewhere = [path for path in seen if not Path(path).is_relative_to(home) and "__pycache__" not in path]
    assert set(elsewhere) <= {tempfile.gettempdir(), os.devnull}
