"""Losing the worker, or Prefect's whole database, loses no case."""

import shutil
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Running

from models.cases import Case
from runtime import clock
from runtime.database import reading
from tasks.desk.runs import LEG_TAKES_AT_MOST, _is_alive, ensure_run
from tasks.objections.questions import InitialReview
from tests.conftest import WorkedDesk

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(400)]


@pytest.fixture
def database_kind() -> str:
    """Prefect's database is a file that can be lost."""
    return "sqlite"


def run_of(case_no: str) -> UUID:
    with reading() as session:
        return UUID(str(session.get_one(Case, case_no).flow_run_id))


def test_a_case_goes_on_after_the_worker_was_killed_and_prefects_database_was_lost(
    clerk: Any, mailbox: Any, tmp_path: Path, prefect_at: Any
) -> None:
    case = clerk.register()
    with prefect_at(tmp_path / "first") as desk:
        ensure_run(desk.client, case.case_no)
        first = run_of(case.case_no)
        desk.wait(first, StateType.PAUSED)
        desk.kill_worker()
    shutil.rmtree(tmp_path / "first")

    # Meanwhile the objector's case goes on in our database; a new Prefect knows nothing of it.
    assert case.answer(InitialReview, verdict="不予受理", reason="该信息不属于电子证照信息") is None
    with prefect_at(tmp_path / "second") as desk:
        desk.carry_out("系统巡检/system-round", only=["办件恢复"])
        second = run_of(case.case_no)
        assert second != first
        desk.wait(second, StateType.COMPLETED)
        assert case.stage() == "不予受理"
        assert [mail["Subject"][:8] for mail in mailbox.to("yuxiaoyun@example.com")] == [
            "已收到您的异议（",
            "您的异议不予受理",
        ]
        cancelled_runs_do_not_change_the_case(desk, clerk)


def cancelled_runs_do_not_change_the_case(desk: WorkedDesk, clerk: Any) -> None:
    """A run that somebody cancels or deletes in the UI is replaced; the case stands where it stood."""
    case = clerk.register(certificate="另一张证照")
    ensure_run(desk.client, case.case_no)
    first = run_of(case.case_no)
    desk.wait(first, StateType.PAUSED)
    desk.client.delete_flow_run(first)
    desk.carry_out("系统巡检/system-round", only=["办件恢复"])
    desk.wait(run_of(case.case_no), StateType.PAUSED)
    assert case.stage() == "待初审"


def test_a_leg_of_many_steps_is_not_taken_for_dead() -> None:
    began = clock.now() - 3 * LEG_TAKES_AT_MOST
    run = FlowRun(flow_id=uuid4(), state=Running(timestamp=began))
    assert not _is_alive(run, clock.now())
    assert not _is_alive(run, clock.now(), began + LEG_TAKES_AT_MOST)
    assert _is_alive(run, clock.now(), clock.now() - LEG_TAKES_AT_MOST / 2)
