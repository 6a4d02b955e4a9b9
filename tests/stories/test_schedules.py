"""A schedule that silently makes no runs is how supervision would stop unnoticed: some SQLAlchemy versions do that."""

from datetime import timedelta

import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName
from prefect.client.schemas.objects import StateType

from runtime import clock
from tests.conftest import ROOT, wait_until

SCHEDULED = [
    story["name"]
    for story in yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    if "schedules" in story
]


def test_every_schedule_of_prefect_yaml_turns_into_coming_runs(prefect_client: SyncPrefectClient) -> None:
    def coming(name: str) -> int:
        runs = prefect_client.read_flow_runs(
            deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[name])), limit=50
        )
        return sum(run.state is not None and run.state.type is StateType.SCHEDULED for run in runs)

    assert "deadline-watch" in SCHEDULED
    for name in SCHEDULED:
        wait_until(lambda name=name: coming(name) > 0, f"{name}没有排出将来的运行", 90)


def test_the_watch_runs_at_half_past_eight_in_shanghai(prefect_client: SyncPrefectClient) -> None:
    wait_until(lambda: prefect_client.read_flow_runs(limit=50), "没有排出将来的运行", 90)
    runs = prefect_client.read_flow_runs(
        deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=["deadline-watch"])), limit=5
    )
    starts = [run.expected_start_time.astimezone(clock.SHANGHAI) for run in runs if run.expected_start_time]
    assert starts
    assert {(start.hour, start.minute) for start in starts} == {(8, 30)}
    assert all(start - clock.now() < timedelta(days=110) for start in starts)
