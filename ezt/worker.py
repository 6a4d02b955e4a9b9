"""The worker of the stories: ``python -m ezt.worker --pool ezt --name NAME``.

It is Prefect's process worker with one thing different: a leg does not start Python anew, it is forked from a process
that has imported everything (``ezt.preloaded``). Each leg still is a process of its own, so one that dies takes nobody
with it. ``prefect worker start --pool ezt --type process`` serves the same pool in Prefect's own way (docs/adr/0020).
"""

import argparse
import asyncio
import multiprocessing
import os
import signal
import tempfile
from abc import ABC
from contextlib import suppress
from multiprocessing.process import BaseProcess
from uuid import UUID

import anyio
import anyio.abc
from prefect.client.schemas.objects import FlowRun
from prefect.context import refresh_global_settings_context
from prefect.exceptions import InfrastructureNotFound
from prefect.settings import get_current_settings
from prefect.states import Cancelled
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from ezt.leg import carry_out

LOOKS_EVERY = 10
"""Seconds after which a leg that still runs is looked up: somebody may have cancelled it."""
GRACE = 30
"""Seconds that a leg has to end once it was told to."""
LONGEST_FOLDER = 70
"""Bytes of the folder for temporary files, below which multiprocessing makes its socket: a socket's path has 107."""

_LEGS = multiprocessing.get_context("forkserver")


class LegWorker(ProcessWorker, ABC):
    """A process worker whose legs are forked from a process that has everything imported.

    Abstract only in name: Prefect lists every other subclass as the worker of its pool's type.
    """

    async def run(
        self,
        flow_run: FlowRun,
        configuration: ProcessJobConfiguration,
        task_status: anyio.abc.TaskStatus[int] | None = None,
    ) -> ProcessWorkerResult:
        """Run one leg in a process of its own; its exit code and process number."""
        environment = {name: value for name, value in configuration.env.items() if value is not None}
        leg = _LEGS.Process(target=carry_out, args=(flow_run.id, environment))
        # Some milliseconds, in the loop's own thread: multiprocessing looks after its children without locks.
        leg.start()
        if task_status is not None:
            task_status.started(leg.pid or 0)
        try:
            while not await _ended(leg, LOOKS_EVERY):
                await self._cancel(flow_run.id, leg)
        finally:
            await _end(leg)
        return ProcessWorkerResult(status_code=leg.exitcode, identifier=str(leg.pid))

    async def kill_infrastructure(
        self, infrastructure_pid: str, configuration: ProcessJobConfiguration, grace_seconds: int = GRACE
    ) -> None:
        """End a leg that has not begun yet. ``InfrastructureNotFound`` when there is none."""
        for leg in multiprocessing.active_children():
            if str(leg.pid) == infrastructure_pid:
                await _end(leg, grace_seconds)
                return
        raise InfrastructureNotFound(infrastructure_pid)

    async def _cancel(self, flow_run_id: UUID, leg: BaseProcess) -> None:
        """End a leg whose run somebody has cancelled."""
        run = await self.client.read_flow_run(flow_run_id)
        if run.state is not None and run.state.is_cancelling():
            await _end(leg)
            await self.client.set_flow_run_state(flow_run_id, Cancelled(), force=True)


async def _ended(leg: BaseProcess, seconds: float) -> bool:
    """Whether a leg ends within so many seconds."""
    with anyio.move_on_after(seconds):
        await anyio.wait_readable(leg.sentinel)
    return leg.exitcode is not None


async def _end(leg: BaseProcess, seconds: float = GRACE) -> None:
    """Tell a leg to end, and after so many seconds end it."""
    if leg.exitcode is None:
        leg.terminate()
        with anyio.CancelScope(shield=True):
            if not await _ended(leg, seconds):
                leg.kill()
                await _ended(leg, seconds)


async def _work(pool: str, name: str) -> None:
    work = asyncio.create_task(LegWorker(work_pool_name=pool, name=name).start())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)
    await work


def main() -> None:
    """Work until stopped, with the settings in the environment."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pool", required=True)
    parser.add_argument("--name", required=True)
    given = parser.parse_args()
    if not str(get_current_settings().api.url or "").startswith("https:"):
        # Nothing is encrypted there, so no authority has to be known: to load them all takes 25 ms, twice a leg.
        os.environ["PREFECT_API_TLS_INSECURE_SKIP_VERIFY"] = "true"
        refresh_global_settings_context()
    # As legs are given them, so that none has to read its settings anew.
    os.environ |= get_current_settings().to_environment_variables(exclude_unset=True)
    _LEGS.set_forkserver_preload(["ezt.preloaded"])
    usual = tempfile.gettempdir()
    if len(os.fsencode(usual)) > LONGEST_FOLDER:
        # What multiprocessing makes there is in a folder of its own.
        tempfile.tempdir = "/tmp"  # noqa: S108
    # The first leg would have to wait for the imports.
    first = _LEGS.Process(target=os.getpid)
    first.start()
    first.join()
    tempfile.tempdir = usual
    with suppress(asyncio.CancelledError, KeyboardInterrupt):
        asyncio.run(_work(given.pool, given.name))


if __name__ == "__main__":
    main()
