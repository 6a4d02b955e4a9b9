"""Whoever cancels, deletes, pauses or ends a case's run in Prefect changes nothing in the case: its page says so, and
the case goes on within a minute, by the schedule alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.states import Cancelling, Completed, Suspended
from sqlalchemy import select

from models.cases import Case
from models.records import AuditEntry
from runtime.database import reading
from tasks.desk.runs import ensure_run
from tasks.objections.questions import InitialReview
from tests.conftest import Clerk, WorkedDesk, wait_until

pytestmark = pytest.mark.timeout(900)

SOON = 300
"""Seconds, as a bound on hanging: the next round, and a leg on a busy machine."""
LINK = "/runs/flow-run/"
UNDERWAY = (StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING)


def run_of(case_no: str) -> Any:
    """Its run; none while it is given another one."""
    with reading() as session:
        run_id = session.get_one(Case, case_no).flow_run_id
    return UUID(run_id) if run_id is not None else None


def waiting(desk: WorkedDesk, clerk: Clerk, **changed: object) -> Clerk:
    """A case whose run is suspended on its initial review."""
    case = clerk.register(**changed)
    ensure_run(desk.client, case.case_no)
    desk.wait(run_of(case.case_no), StateType.PAUSED)
    return case


def goes_on(desk: WorkedDesk, case: Clerk, before: UUID) -> None:
    """The case has another run, which waits as the one before did, and its page says nothing of it any more."""
    wait_until(lambda: run_of(case.case_no) not in (before, None), "没有重新发起", SOON)
    desk.wait(run_of(case.case_no), StateType.PAUSED)
    assert case.stage() == "待初审"
    page = desk.page(case.case_no)
    assert "不影响办理" not in page
    assert f"{LINK}{run_of(case.case_no)}" in page


def happened(case: Clerk) -> list[str]:
    wanted = select(AuditEntry.detail).where(AuditEntry.case_no == case.case_no, AuditEntry.tag == "case:run:replaced")
    with reading() as session:
        return [each["how"] for each in session.scalars(wanted.order_by(AuditEntry.id))]


def test_what_somebody_does_to_a_run_changes_nothing_in_its_case(desk: WorkedDesk, clerk: Clerk) -> None:
    case = waiting(desk, clerk)
    cancelled_while_it_waits(desk, case)
    deleted(desk, case)
    called_ended(desk, case)
    assert happened(case) == ["被取消", "被删除", "被改为已结束"]
    assert "流程运行在Prefect中被取消，已重新发起" in desk.page(case.case_no)

    cancelled_and_answered_before_it_is_recovered(desk, case)
    paused_between_two_legs(desk, waiting(desk, clerk, certificate="另一张证照"))


@contextmanager
def between_rounds(desk: WorkedDesk) -> Iterator[None]:
    """No round (系统巡检) sees to anything meanwhile: it comes every minute, and so between any two lines."""
    rounds = desk.client.read_deployment_by_name("系统巡检/system-round")
    desk.client.pause_deployment(rounds.id)
    of_rounds = DeploymentFilter(id=DeploymentFilterId(any_=[rounds.id]))
    underway = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[*UNDERWAY])))
    wait_until(
        lambda: not desk.client.read_flow_runs(deployment_filter=of_rounds, flow_run_filter=underway),
        "巡检没有结束",
        SOON,
    )
    yield
    desk.client.resume_deployment(rounds.id)


def cancelled_while_it_waits(desk: WorkedDesk, case: Clerk) -> None:
    first = run_of(case.case_no)
    with between_rounds(desk):
        # As the button does it.
        desk.client.set_flow_run_state(first, Cancelling())
        desk.wait(first, StateType.CANCELLED)
        assert "该办件的流程运行在Prefect中被取消，不影响办理，系统将在一分钟内自动恢复" in desk.page(case.case_no)
    goes_on(desk, case, first)


def deleted(desk: WorkedDesk, case: Clerk) -> None:
    first = run_of(case.case_no)
    with between_rounds(desk):
        desk.client.delete_flow_run(first)
        page = desk.page(case.case_no)
        assert "该办件的流程运行在Prefect中被删除，不影响办理，系统将在一分钟内自动恢复" in page
        assert LINK not in page
    goes_on(desk, case, first)


def called_ended(desk: WorkedDesk, case: Clerk) -> None:
    first = run_of(case.case_no)
    with between_rounds(desk):
        desk.client.set_flow_run_state(first, Completed(), force=True)
        assert "该办件的流程运行在Prefect中被改为已结束" in desk.page(case.case_no)
    goes_on(desk, case, first)


def cancelled_and_answered_before_it_is_recovered(desk: WorkedDesk, case: Clerk) -> None:
    first = run_of(case.case_no)
    desk.client.set_flow_run_state(first, Cancelling())
    desk.decide(case.case_no, InitialReview.question, verdict="要求补正", reason="请补交门牌证照片")
    wait_until(lambda: case.stage() == "待补正", "没有继续办理", SOON)
    assert run_of(case.case_no) != first


def paused_between_two_legs(desk: WorkedDesk, case: Clerk) -> None:
    """Answered while no worker is there, then suspended by hand: nothing waits, and nobody would wake it."""
    first = run_of(case.case_no)
    desk.processes["worker"].terminate()
    desk.processes.pop("worker").wait(60)
    desk.decide(case.case_no, InitialReview.question, verdict="要求补正", reason="请补交门牌证照片")
    wait_until(lambda: not desk.client.read_flow_run(first).state.is_paused(), "没有唤醒")
    desk.client.set_flow_run_state(first, Suspended(pause_key="by-hand"), force=True)
    desk.start_worker()
    # A worker has to start first.
    wait_until(lambda: case.stage() == "待补正", "没有继续办理", SOON)
