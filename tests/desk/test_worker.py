"""The worker whose legs are forked: one that dies takes nobody with it, one that is cancelled ends, none is left
behind; and Prefect's own worker serves the same pool."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import StateType
from prefect.states import Cancelling, Running

from ezt.worker import GRACE, LEGS_A_PROCESSOR, LOOKS_EVERY, LOOKS_FOR_LOST_EVERY, RECOVERY
from tests.conftest import ROOT, WorkedDesk, wait_until
from tests.desk.lasting import lasting

pytestmark = pytest.mark.timeout(300)


def submit(desk: WorkedDesk, seconds: float, ends_by: int = 0, process_in: Path | None = None) -> UUID:
    flow_id = desk.client.create_flow(lasting)
    deployment = desk.client.create_deployment(
        flow_id, "lasting", entrypoint="tests.desk.lasting.lasting", work_pool_name="ezt"
    )
    parameters = {"seconds": seconds, "signal": ends_by, "process_in": str(process_in or "")}
    return desk.client.create_flow_run_from_deployment(deployment, parameters=parameters).id


def begun(desk: WorkedDesk, file: Path) -> tuple[UUID, Path]:
    """A run of five minutes and its process, which is there as long as the path is."""
    run_id = submit(desk, 300, process_in=file)
    wait_until(lambda: file.exists() and file.read_text(), "没有开始")
    return run_id, Path("/proc") / file.read_text()


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_each_leg_is_a_process_of_its_own(desk: WorkedDesk, tmp_path: Path) -> None:
    beside, dying = submit(desk, 3), submit(desk, 0.5, signal.SIGKILL)
    crashed = desk.wait(dying, StateType.CRASHED, StateType.COMPLETED)
    assert crashed.state.type is StateType.CRASHED
    assert desk.wait(beside, StateType.COMPLETED, StateType.CRASHED).state.type is StateType.COMPLETED

    cancelled, process = begun(desk, tmp_path / "cancelled")
    assert process.exists()
    desk.client.set_flow_run_state(cancelled, Cancelling())
    desk.wait(cancelled, StateType.CANCELLED, seconds=LOOKS_EVERY + GRACE)
    assert not process.exists()

    # A worker that is stopped leaves no leg behind, and its successor goes on with what comes.
    _, process = begun(desk, tmp_path / "left")
    worker = desk.processes.pop("worker")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(GRACE) == 0
    wait_until(lambda: not process.exists(), "一段流程留了下来", 5)
    wait_until(lambda: not group_lives(worker.pid), "执行器留下了进程", 30)
    desk.start_worker()
    desk.wait(submit(desk, 0), StateType.COMPLETED)


def test_what_a_killed_worker_had_in_hand_is_reported_by_its_successor(desk: WorkedDesk, tmp_path: Path) -> None:
    lost, process = begun(desk, tmp_path / "lost")
    desk.kill_worker()
    wait_until(lambda: not process.exists(), "一段流程留了下来", 5)
    assert desk.client.read_flow_run(lost).state.is_running()
    desk.start_worker()
    crashed = desk.wait(lost, StateType.CRASHED)
    assert "由“办件恢复”续办" in crashed.state.message
    # Its cases need not wait for the next scheduled recovery.
    recovery = desk.client.read_deployment_by_name(RECOVERY)
    wanted = DeploymentFilter(id=DeploymentFilterId(any_=[recovery.id]))

    def asked() -> int:
        return sum(not run.auto_scheduled for run in desk.client.read_flow_runs(deployment_filter=wanted))

    wait_until(asked, "没有请求办件恢复")
    assert asked() == 1
    # What another worker has by now is not lost: a run that was woken and taken anew.
    desk.client.set_flow_run_state(lost, Running(), force=True)
    time.sleep(2 * LOOKS_FOR_LOST_EVERY)
    assert desk.client.read_flow_run(lost).state.is_running()


def test_no_more_legs_at_a_time_than_the_machine_can_carry(desk: WorkedDesk) -> None:
    most = LEGS_A_PROCESSOR * len(os.sched_getaffinity(0))
    runs = [submit(desk, 15) for _ in range(most + 4)]

    def states() -> Counter[StateType]:
        return Counter(desk.client.read_flow_run(run).state.type for run in runs)

    wait_until(lambda: states()[StateType.RUNNING] == most, "没有全部开始", 90)
    assert states()[StateType.SCHEDULED] == 4
    for run in runs:
        desk.wait(run, StateType.COMPLETED)


def test_a_long_folder_for_temporary_files_is_no_hindrance(desk: WorkedDesk, tmp_path: Path) -> None:
    desk.kill_worker()
    folder = tmp_path / ("temporary" * 10)
    folder.mkdir()
    desk.environment["TMPDIR"] = str(folder)
    desk.start_worker()
    desk.wait(submit(desk, 0), StateType.COMPLETED)


def test_prefects_own_worker_serves_the_same_pool(desk: WorkedDesk) -> None:
    desk.kill_worker()
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "ezt", "--type", "process"]
    desk.processes["worker"] = subprocess.Popen(command, env=desk.environment, cwd=ROOT, start_new_session=True)
    desk.carry_out("办件恢复/case-recovery")
    # It does not always hear that it should end, while it starts a run.
    desk.kill_worker()
