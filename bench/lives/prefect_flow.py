"""A plain Prefect flow with a task a step, suspended twice, against a real server:
``python -m bench.lives.prefect_flow HOME URL``, with ``PREFECT_API_URL`` in the environment.

Legs run in this process, as in a warm worker; tasks that are done are skipped by Prefect's own stored results.
Nobody watches a leg for a suspension from outside: what watched the one before, where it ends late, takes that one's
suspension for the next one's, and ends it as it begins.
"""

import os
from functools import partial
from typing import Any
from uuid import UUID

from prefect import flow, suspend_flow_run, task
from prefect.cache_policies import INPUTS, RUN_ID
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import Pause
from prefect.flow_engine import run_flow
from prefect.input import RunInput
from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from .player import STEPS, WAITS, perform


class Verdict(RunInput):
    verdict: str


@task(persist_result=True, cache_policy=INPUTS + RUN_ID)
def carry_out(step: str) -> str:
    return step


@flow(persist_result=True)
def objection() -> None:
    for step in STEPS:
        if step in WAITS:
            suspend_flow_run(wait_for_input=Verdict, key=WAITS[step], timeout=None)
        carry_out(step)


def leg(run: FlowRun) -> State[Any]:
    """A leg of a run, to its end; ``Pause`` where it is suspended."""
    unwatched = run.model_copy(update={"deployment_id": None})
    return run_flow(objection, flow_run=unwatched, parameters={}, return_type="state")


def play(client: SyncPrefectClient, deployment_id: UUID) -> None:
    """A run from its first step to its last."""
    run = client.create_flow_run_from_deployment(deployment_id)
    for _ in WAITS:
        try:
            leg(run)
        except Pause:
            client.resume_flow_run(run.id, run_input={"verdict": "yes"})
            run = client.read_flow_run(run.id)
    state = leg(run)
    assert state.is_completed(), state


def main() -> None:
    with (
        # The heartbeat thread would add a second to every leg.
        temporary_settings({PREFECT_API_URL: os.environ["PREFECT_API_URL"], PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
        get_client(sync_client=True) as client,
    ):
        # A run without a deployment cannot be suspended.
        perform(partial(play, client, client.create_deployment(client.create_flow(objection), "bench")))


if __name__ == "__main__":
    main()
