"""Case numbers have no gap and no double, however many register at once and however many web processes take them."""

import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import cast

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError

from ezt.up import free_port
from models.cases import Case, CaseCounter
from runtime import clock
from runtime.database import reading
from tasks.case.attachments import File
from tasks.objections.registrations import register_objection
from tests.conftest import Clerk, web_process
from tests.faults.test_disk_full import NOWHERE
from tests.interface.conftest import caller_of

pytestmark = pytest.mark.thorough

AT_ONCE, OBJECTIONS = 16, 48


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


def check_numbers(expected: int) -> None:
    with reading() as session:
        numbers = session.scalars(select(Case.case_no).order_by(Case.case_no)).all()
        assert session.scalars(select(CaseCounter.last)).one() == expected
    year = clock.today().year
    assert numbers == [f"YY-{year}-{number:06}" for number in range(1, expected + 1)]


def test_sixteen_threads(clerk: Clerk) -> None:
    applications = [clerk.application(certificate=f"第{number}号") for number in range(OBJECTIONS)]

    def register(number: int) -> None:
        register_objection(applications[number], [], secrets.token_hex(8), "KQ001")

    def fail(_: int) -> None:
        """A registration that fails after it has taken its number leaves no gap."""
        nameless = File(cast("str", None), "image/png", b"")
        with pytest.raises(DatabaseError):
            register_objection(applications[0], [nameless], secrets.token_hex(8), "KQ001")

    with ThreadPoolExecutor(AT_ONCE) as threads:
        done = [threads.submit(fail if number % 6 == 0 else register, number) for number in range(OBJECTIONS)]
        for each in done:
            each.result()
    check_numbers(OBJECTIONS - OBJECTIONS // 6)


@pytest.fixture
def two_webs(clerk: Clerk) -> Iterator[list[str]]:
    with ExitStack() as stack:
        yield [stack.enter_context(web_process(os.environ | NOWHERE, free_port()))[0] for _ in range(2)]


def test_sixteen_callers_of_two_web_processes(clerk: Clerk, two_webs: list[str]) -> None:
    departments = [caller_of(web, "KQ-SCJG") for web in two_webs]
    given = clerk.application().model_dump(mode="json")

    def hand_in(number: int) -> httpx.Response:
        # Every third submission comes twice, over either process.
        said = given | {"certificate": f"第{number // 3}号", "submission_no": f"S{number * 2 // 3}"}
        return departments[number % 2].post("/api/v1/objections", said)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(hand_in, range(OBJECTIONS)))
    assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
    numbers = [answer.json()["case_no"] for answer in answers]
    assert len(set(numbers)) == OBJECTIONS * 2 // 3
    check_numbers(OBJECTIONS * 2 // 3)
