"""Losing the worker, or Prefect's whole database, loses no case."""

import shutil
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import yaml
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Crashed, Failed, Running
from sqlalchemy import select

from models.cases import Case, StaffTask
from regulation.certificates import Level
from runtime import clock
from runtime.database import reading
from tasks.desk.kinds import INTAKES
from tasks.desk.runs import LEG_TAKES_AT_MOST, REGISTRATION_TRIES, _is_alive, ensure_run, rerun_registrations
from tasks.objections.applications import ObjectionApplication
from tasks.objections.questions import InitialReview
from tests.conftest import ROOT, WorkedDesk, certificate_of, objection_about

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(400)]


def test_every_story_that_carries_an_application_is_among_those_that_are_run_again() -> None:
    stories = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    assert sorted(INTAKES) == sorted(story["name"] for story in stories if story["name"].endswith("-intake"))


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
        desk.carry_out("办件恢复/case-recovery")
        second = run_of(case.case_no)
        assert second != first
        desk.wait(second, StateType.COMPLETED)
        assert case.stage() == "不予受理"
        assert [mail["Subject"][:8] for mail in mailbox.to("yuxiaoyun@example.com")] == [
            "已收到您的异议（",
            "您的异议不予受理",
        ]
        cancelled_runs_do_not_change_the_case(desk, clerk)


def test_a_registration_whose_run_was_killed_is_made_good_once(
    sample_data: Path, mailbox: Any, tmp_path: Path, prefect_at: Any
) -> None:
    with prefect_at(tmp_path / "prefect") as desk:
        desk.kill_worker()
        given = application().model_dump(mode="json") | desk.sign("KQ001")
        intake = desk.submit("登记异议/objection-intake", application=given)
        desk.client.set_flow_run_state(intake, Crashed(), force=True)
        assert rerun_registrations(desk.client, clock.now()) == 1
        assert rerun_registrations(desk.client, clock.now()) == 0
        desk.start_worker()
        done = desk.wait(intake, StateType.COMPLETED)
        with reading() as session:
            case_no = session.scalars(select(Case.case_no)).one()
        assert done.parameters == {"case_no": case_no}
        a_registration_that_failed_is_tried_again_and_then_left_to_staff(desk, given)


def a_registration_that_failed_is_tried_again_and_then_left_to_staff(desk: WorkedDesk, given: dict[str, Any]) -> None:
    desk.kill_worker()
    intake = desk.submit("登记异议/objection-intake", application=given)
    desk.client.set_flow_run_state(intake, Failed(), force=True)
    assert rerun_registrations(desk.client, clock.now()) == 1
    for _ in range(REGISTRATION_TRIES):
        for state in (Running(), Failed()):
            desk.client.set_flow_run_state(intake, state, force=True)
    assert rerun_registrations(desk.client, clock.now()) == 0
    with reading() as session:
        (task,) = session.scalars(select(StaffTask)).all()
    assert "未能登记" in task.what


def application() -> ObjectionApplication:
    return objection_about(*certificate_of(Level.CITY))


def cancelled_runs_do_not_change_the_case(desk: WorkedDesk, clerk: Any) -> None:
    """A run that somebody cancels or deletes in the UI is replaced; the case stands where it stood."""
    case = clerk.register(certificate="另一张证照")
    ensure_run(desk.client, case.case_no)
    first = run_of(case.case_no)
    desk.wait(first, StateType.PAUSED)
    desk.client.delete_flow_run(first)
    desk.carry_out("办件恢复/case-recovery")
    desk.wait(run_of(case.case_no), StateType.PAUSED)
    assert case.stage() == "待初审"


def test_a_leg_of_many_steps_is_not_taken_for_dead() -> None:
    began = clock.now() - 3 * LEG_TAKES_AT_MOST
    run = FlowRun(flow_id=uuid4(), state=Running(timestamp=began))
    assert not _is_alive(run, clock.now())
    assert not _is_alive(run, clock.now(), began + LEG_TAKES_AT_MOST)
    assert _is_alive(run, clock.now(), clock.now() - LEG_TAKES_AT_MOST / 2)
