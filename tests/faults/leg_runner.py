"""Runs legs of case runs as a worker's process would, each in a fork that can be told where to kill itself.

One JSON line a leg on standard input (run_id, step, when, environment); the exit code comes back as a line, or that the
leg has stopped, which another line lets go on. Forking from a process that has imported everything makes a leg cost
what it costs in a warm worker.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import Any, cast
from uuid import UUID

from prefect import flow_runs
from prefect.client.orchestration import get_client
from prefect.exceptions import Pause
from prefect.flow_engine import run_flow
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    temporary_settings,
)
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from ezt.engine.deployments import stories
from models.cases import StepRecord

SUSPENSION = "suspension"
"""What is no step and can be killed all the same."""
STOPPED = 1000
"""No exit code: the leg stands still."""


def kill_at(step: str, when: str) -> None:
    """SIGKILL this process right before or right after the transaction of a step commits."""
    done = select(StepRecord.step).where(StepRecord.step == step).limit(1)
    _kill_where(lambda session: session.scalar(done) is not None, when)


def _kill_where(is_there: Callable[[Session], bool], when: str) -> None:
    reached: list[Session] = []

    @event.listens_for(Session, "before_commit")
    def _before(session: Session) -> None:
        if is_there(session):
            reached.append(session)
            if when == "before":
                os.kill(os.getpid(), signal.SIGKILL)

    @event.listens_for(Session, "after_commit")
    def _after(session: Session) -> None:
        if session in reached:
            os.kill(os.getpid(), signal.SIGKILL)


def stop_at_suspension(when: str) -> None:
    """SIGKILL this process right before or right after Prefect takes the run for suspended; or stop it right before,
    until somebody lets it go on."""
    propose = flow_runs.propose_state_sync

    def _stopped(*given: Any, **more: Any) -> Any:
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        if when == "meanwhile":
            os.kill(os.getpid(), signal.SIGSTOP)
        state = propose(*given, **more)
        if when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return state

    flow_runs.propose_state_sync = _stopped


def leg(run_id: str, step: str, when: str) -> None:
    """One leg, from the run's present state to its next suspension or its end."""
    if step == SUSPENSION:
        stop_at_suspension(when)
    elif step:
        kill_at(step, when)
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(UUID(run_id))
        deployment = client.read_deployment(cast("UUID", run.deployment_id))
    story: Flow[..., Any] = load_flow_from_entrypoint(str(deployment.entrypoint), use_placeholder_flow=False)
    run_flow(story, flow_run=run, parameters=run.parameters, return_type="state")


def main() -> None:
    for each in stories().values():
        import_module(each.entrypoint.rpartition(".")[0])
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.environ.update(order["environment"])
                url = os.environ["PREFECT_API_URL"]
                # The heartbeat thread would add a second to every leg.
                there = {PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: os.environ["EZT_PREFECT_PASSWORD"]}
                with temporary_settings(there | {PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
                    leg(order["run_id"], order["step"], order["when"])
                code = 0
            except Pause:
                # A suspension leaves the flow as an exception, which is its proper way out.
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        status = os.waitpid(child, os.WUNTRACED)[1]
        if os.WIFSTOPPED(status):
            _say(STOPPED)
            sys.stdin.readline()
            os.kill(child, signal.SIGCONT)
            status = os.waitpid(child, 0)[1]
        _say(os.waitstatus_to_exitcode(status))


def _say(code: int) -> None:
    sys.stdout.write(f"{code}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
