"""The worker whose legs are forked: one that dies takes nobody with it, one that is cancelled ends, none is left
behind. It runs what is installed, whatever the server says (docs/adr/0026)."""

import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from prefect import flow
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import StateType
from prefect.states import Cancelling, Running, Scheduled
from sqlalchemy import select

from ezt.engine.worker import GRACE, LEGS_A_PROCESSOR, LOOKS_EVERY, LOOKS_FOR_LOST_EVERY, ROUND
from models.cases import StaffTask
from models.records import AuditEntry
from runtime.database import reading
from tests.conftest import WorkedDesk, desk_over, wait_until, working_in
from tests.desk.lasting import lasting

ENDED = (StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED)

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def desk(filled_home: Path, deployed_prefect: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkedDesk]:
    """Server and worker over an installation that has the lasting story too. One for all that is asked of them here:
    to start them takes longer than to ask it."""
    home, prefect = (tmp_path_factory.mktemp("worked") / name for name in ("var", "prefect"))
    shutil.copytree(filled_home, home)
    shutil.copytree(deployed_prefect, prefect)
    with (
        working_in(home),
        desk_over(prefect, f"sqlite:///{prefect / 'prefect.db'}", "tests.desk.lasting_worker") as running,
    ):
        yield running


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


@pytest.mark.thorough
def test_what_a_killed_worker_had_in_hand_is_reported_by_its_successor(desk: WorkedDesk, tmp_path: Path) -> None:
    lost, process = begun(desk, tmp_path / "lost")
    desk.kill_worker()
    wait_until(lambda: not process.exists(), "一段流程留了下来", 5)
    assert desk.client.read_flow_run(lost).state.is_running()
    desk.start_worker()
    crashed = desk.wait(lost, StateType.CRASHED)
    assert "由“系统巡检”续办" in crashed.state.message
    # Its cases need not wait for the next scheduled recovery.
    rounds = desk.client.read_deployment_by_name(ROUND)
    wanted = DeploymentFilter(id=DeploymentFilterId(any_=[rounds.id]))

    def asked() -> int:
        return sum(not run.auto_scheduled for run in desk.client.read_flow_runs(deployment_filter=wanted))

    wait_until(asked, "没有请求办件恢复")
    assert asked() == 1
    # What another worker has by now is not lost: a run that was woken and taken anew.
    desk.client.set_flow_run_state(lost, Running(), force=True)
    time.sleep(2 * LOOKS_FOR_LOST_EVERY)
    assert desk.client.read_flow_run(lost).state.is_running()


def test_a_run_that_is_woken_before_its_leg_has_ended_has_another_and_the_worker_goes_on(
    desk: WorkedDesk, tmp_path: Path
) -> None:
    """The one way in which a worker was seen to die of its own: it counted the run's legs by the run's number."""
    woken = submit(desk, 6, process_in=tmp_path / "woken")
    wait_until(lambda: (tmp_path / "woken").exists() and (tmp_path / "woken").read_text(), "没有开始")
    first = (tmp_path / "woken").read_text()
    desk.client.set_flow_run_state(woken, Scheduled(), force=True)
    wait_until(lambda: (tmp_path / "woken").read_text() not in ("", first), "没有再开始")
    wait_until(
        lambda: not any((Path("/proc") / each).exists() for each in (first, (tmp_path / "woken").read_text())),
        "没有结束",
    )
    assert desk.processes["worker"].poll() is None
    desk.wait(submit(desk, 0), StateType.COMPLETED)


@pytest.mark.thorough
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
    with pytest.MonkeyPatch.context() as environment:
        environment.setitem(desk.environment, "TMPDIR", str(folder))
        desk.start_worker()
        desk.wait(submit(desk, 0), StateType.COMPLETED)
    desk.kill_worker()
    desk.start_worker()


@flow(name="别处的流程")
def elsewhere() -> None:
    """Known to the server only."""


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A story in a file that leaves a mark beside it when it is run, or merely read."""
    story = tmp_path / "planted.py"
    story.write_text(
        "from pathlib import Path\nfrom prefect import flow\n\nPath(__file__).with_suffix('.ran').touch()\n\n\n"
        "@flow\ndef planted(**given: object) -> None:\n    Path(__file__).with_suffix('.ran').touch()\n"
    )
    return story


def post(desk: WorkedDesk, name: str, story: Path, flow_id: UUID | None = None) -> UUID:
    """A deployment as anybody can post one, with everything in it that Prefect's own worker would obey."""
    return desk.client.create_deployment(
        flow_id or desk.client.create_flow(elsewhere),
        name,
        entrypoint=f"{story}:planted",
        path=str(story.parent),
        pull_steps=[{"prefect.deployments.steps.run_shell_script": {"script": f"touch {story.with_suffix('.ran')}"}}],
        job_variables={
            "command": f"touch {story.with_suffix('.ran')}",
            "working_dir": str(story.parent),
            "env": {"PYTHONPATH": str(story.parent), "PYTHONSTARTUP": str(story)},
        },
        work_pool_name="ezt",
        enforce_parameter_schema=False,
    )


def refusals() -> tuple[list[tuple[str, str]], list[str]]:
    """Refused runs on record, each with the deployment's name, and what staff are told."""
    with reading() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.tag == "worker:run:refused"))
        recorded = [(entry.detail["run"], entry.detail["deployment"]) for entry in entries]
        return recorded, list(session.scalars(select(StaffTask.what).where(StaffTask.key.startswith("refused-run:"))))


def test_what_is_not_installed_is_refused_on_record_and_left_to_staff(desk: WorkedDesk, planted: Path) -> None:
    posted = post(desk, "planted", planted)
    runs = [desk.client.create_flow_run_from_deployment(posted).id for _ in range(2)]
    for run in runs:
        ended = desk.wait(run, *ENDED)
        assert ended.state.type is StateType.CRASHED
        assert "没有安装这个流程" in ended.state.message
    recorded, told = refusals()
    assert sorted(recorded) == sorted((str(run), "planted") for run in runs)
    assert len(told) == 1
    assert "“planted”" in told[0]

    flow_id, state = desk.client.create_flow(elsewhere), {"type": "SCHEDULED"}
    posted_alone = {"flow_id": str(flow_id), "work_pool_name": "ezt", "state": state}
    alone = UUID(desk.client.request("POST", "/flow_runs/", json=posted_alone).json()["id"])
    assert desk.wait(alone, *ENDED).state.type is StateType.CRASHED
    recorded, told = refusals()
    assert (str(alone), "") in recorded
    assert len(told) == 2

    assert not planted.with_suffix(".ran").exists()
    # And the worker goes on.
    desk.wait(submit(desk, 0), StateType.COMPLETED)
    assert len(refusals()[0]) == 3


def test_an_installed_name_runs_what_is_installed_whatever_was_posted(desk: WorkedDesk, planted: Path) -> None:
    before = refusals()
    changed = post(desk, "lasting", planted, desk.client.create_flow(lasting))
    of_another_flow = post(desk, "lasting", planted)
    for deployment in (changed, of_another_flow):
        process_in = planted.with_name(str(deployment))
        run = desk.client.create_flow_run_from_deployment(
            deployment, parameters={"seconds": 0, "process_in": str(process_in)}
        )
        desk.wait(run.id, StateType.COMPLETED)
        assert process_in.exists()
        # What the story does not take ends its run and nobody else's.
        wrong = desk.client.create_flow_run_from_deployment(deployment, parameters={"seconds": 0, "code": "import os"})
        assert desk.wait(wrong.id, *ENDED).state.type in {StateType.FAILED, StateType.CRASHED}
    assert refusals() == before
    assert not planted.with_suffix(".ran").exists()
