"""Two of what there should be one of: recoveries in two processes, legs of a run in two workers, hands with a code."""

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterExpectedStartTime
from sqlalchemy import select

from gateways.stand_in import StandIn
from models.cases import Case, StepRecord
from regulation.objections import Stage
from runtime import clock
from runtime.database import reading, transaction
from tasks.case.submissions import OtherContentError, came_before
from tasks.desk import door
from tasks.desk.runs import LIVE, recover
from tasks.objections.questions import InitialReview
from tasks.objections.registrations import register_objection
from tasks.office.signatures import SignatureError
from tests.conftest import ROOT, Clerk
from tests.desk.test_door import code_of
from tests.faults.conftest import Legs
from tests.faults.test_kill_at_every_step import check_once, run_for

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(120)]

RECOVERING = """
import sys
from runtime import clock
from tasks.desk.runs import prefect, recover
sys.stdin.readline()
with prefect() as client:
    recover(client, clock.now())
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


def test_two_recoveries_give_each_case_one_run(clerk: Clerk, prefect_client: SyncPrefectClient) -> None:
    cases = [clerk.register(certificate=f"第{number}号").case_no for number in range(8)]
    began = clock.now()
    with ExitStack() as stack:
        command = [sys.executable, "-c", RECOVERING]
        both = [
            stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, text=True, cwd=ROOT)) for _ in range(2)
        ]
        for process in both:
            assert process.stdin is not None
            process.stdin.write("now\n")
            process.stdin.flush()
    assert [process.returncode for process in both] == [0, 0]
    with reading() as session:
        ours = {case.case_no: case.flow_run_id for case in session.scalars(select(Case))}
    # The server is shared by tests whose cases have the same numbers.
    since = FlowRunFilter(expected_start_time=FlowRunFilterExpectedStartTime(after_=began))
    runs = [run for run in prefect_client.read_flow_runs(flow_run_filter=since) if "case_no" in run.parameters]
    mine = [run for run in runs if str(run.id) in ours.values()]
    assert sorted(ours) == sorted(cases)
    assert Counter(run.parameters["case_no"] for run in mine) == Counter(cases)
    assert [run for run in runs if run not in mine and run.state is not None and run.state.type in LIVE] == []
    assert recover(prefect_client, clock.now()).started == ()


@pytest.fixture
def two_workers() -> Iterator[list[Legs]]:
    command = [sys.executable, str(Path(__file__).with_name("leg_runner.py"))]
    with ExitStack() as stack:
        both = [
            stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for _ in range(2)
        ]
        yield [Legs(process) for process in both]
        for process in both:
            assert process.stdin is not None
            process.stdin.close()


def test_two_legs_of_one_run_do_no_step_twice(
    clerk: Clerk, city_bureau: StandIn, prefect_client: SyncPrefectClient, two_workers: list[Legs]
) -> None:
    case = clerk.register()
    run_id = run_for(prefect_client, case)
    # Both have everything imported before they meet.
    assert case.answer(InitialReview, verdict="受理") is None
    together = threading.Barrier(2)

    def leg(worker: Legs) -> None:
        together.wait()
        worker.run(run_id)

    both = [threading.Thread(target=leg, args=(worker,)) for worker in two_workers]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert case.stage() == Stage.VERIFYING
    check_once(case)
    with reading() as session:
        assert set(session.scalars(select(StepRecord.step))) == {"accept_objection", "prepare_pursuit", "record_sent"}
    assert len(city_bureau.taken) == 1


@pytest.mark.parametrize("other", [False, True])
def test_of_two_submissions_under_one_number_the_second_waits_for_the_first(clerk: Clerk, other: bool) -> None:
    """Whatever is locked beside: the number alone decides."""
    with ThreadPoolExecutor(1) as threads:
        with transaction() as session:
            assert not came_before(session, "test", "KQ-SCJG:1", "the first one's")

            def second() -> bool:
                with transaction() as session:
                    return came_before(session, "test", "KQ-SCJG:1", "another's" if other else "the first one's")

            waiting = threads.submit(second)
            time.sleep(0.5)
            assert not waiting.done()
        if other:
            with pytest.raises(OtherContentError):
                waiting.result()
        else:
            assert waiting.result()


def test_two_objections_at_once_under_one_number_are_one_or_one_and_a_refusal(clerk: Clerk) -> None:
    given = [clerk.application(), clerk.application(objector_name="另一人")]
    for number in range(5):
        together = threading.Barrier(4)

        def hand_in(which: int, number: int = number, together: threading.Barrier = together) -> str:
            together.wait()
            try:
                return register_objection(given[which], [], f"KQ-SCJG:{number}", "KQ-SCJG").case_no
            except OtherContentError:
                return "refused"

        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(hand_in, (0, 0, 1, 1)))
        assert answers[0] == answers[1] != answers[2] == answers[3]
        assert "refused" in answers
    with reading() as session:
        assert len(session.scalars(select(Case)).all()) == 5


def test_a_code_at_two_doors_at_once_opens_one(clerk: Clerk, configure: Callable[..., None]) -> None:
    configure(EZT_ONE_TIME_CODES="true")
    for staff_no in ("KQ001", "KQ002", "KQ003", "KQ004"):
        together = threading.Barrier(4)

        def come_in(address: str, staff_no: str = staff_no, together: threading.Barrier = together) -> bool:
            code = code_of(staff_no)
            together.wait()
            try:
                door.sign_in(staff_no, code, address)
            except SignatureError:
                return False
            return True

        with ThreadPoolExecutor(4) as threads:
            let_in = list(threads.map(come_in, ("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4")))
        assert sum(let_in) == 1
