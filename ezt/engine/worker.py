"""The worker of the stories: ``python -m ezt.engine.worker --pool ezt --name NAME``.

It is Prefect's process worker with one thing different: a leg does not start Python anew, it is forked from a process
that has imported everything (``ezt.engine.preloaded``). Each leg still is a process of its own, so one that dies takes
nobody with it (docs/adr/0020). And which code a leg runs is said by the installed prefect.yaml: whoever can post a
deployment to the server cannot make a worker run what is not installed (docs/adr/0026).
"""

import argparse
import asyncio
import multiprocessing
import os
import signal
import sys
import tempfile
from abc import ABC
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import anyio
import httpx
from anyio import to_thread
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import Abort, ObjectNotFound, PrefectException
from prefect.states import Cancelled, Crashed, Pending
from prefect.types._datetime import now
from prefect.utilities.engine import propose_state
from prefect.workers.process import ProcessWorker

from ezt.engine.deployments import stories
from ezt.engine.leg import carry_out
from ezt.engine.prefect_access import name_password
from models.migrations import check_current
from runtime.refusals import RefusalError
from runtime.settings import settings
from tasks.desk.rounds import ONLY_RECOVERY, ROUND
from tasks.desk.runs import note_refused_run

LOOKS_EVERY = 10
"""Seconds after which a leg that still runs is looked up: somebody may have cancelled it."""
GRACE = 30
"""Seconds that a leg has to end once it was told to."""
LOOKS_FOR_LOST_EVERY = 15
"""Seconds after which a worker looks for legs that it had and does not have any more."""
LEGS_A_PROCESSOR = 4
"""Legs that a worker runs at a time: more of them would only take memory and connections from each other."""
LONGEST_FOLDER = 70
"""Bytes of the folder for temporary files, below which multiprocessing makes its socket: a socket's path has 107."""

_LEGS = multiprocessing.get_context("forkserver")


class NotInstalledError(Exception):
    """A run of something that is not in the installed prefect.yaml."""


class LegWorker(ProcessWorker, ABC):
    """A process worker that takes a run with one question to the server and forks its leg.

    Prefect's worker asks seven, to fill in a template of how to start a process that is the same for every run here.
    Abstract only in name: Prefect lists every other subclass as the worker of its pool's type.
    """

    def __init__(self, work_pool_name: str, name: str) -> None:
        super().__init__(
            work_pool_name=work_pool_name, name=name, limit=LEGS_A_PROCESSOR * len(os.sched_getaffinity(0))
        )
        self._deployments: dict[UUID, tuple[str, Mapping[str, Any]]] = {}
        self._in_hand: Counter[UUID] = Counter()
        """Runs that are being taken or have a leg; one that was woken while its leg ends may be here twice."""
        self._not_begun: set[UUID] = set()
        """Runs of which it is not known whether they were taken; none of them has had a leg."""
        self._noted = settings().home.absolute() / "legs" / name
        """A file for each run in hand: what a worker that is killed leaves to its successor of the same name."""
        self._noted.mkdir(parents=True, exist_ok=True)

    async def _submit_run(self, flow_run: FlowRun) -> None:
        """Carry out a run that is due, to its next suspension or its end."""
        note = self._note(flow_run.id)
        self._in_hand[flow_run.id] += 1
        # Under what its place among the legs is held, which Prefect asked for in the run's name.
        place: UUID = flow_run.id
        ended = False
        try:
            # Before the server is told: from then on nobody else takes it.
            note.touch()
            if not await self._take(flow_run):
                ended = flow_run.id not in self._not_begun
                return
            # From here on it may be due again before its leg has ended, when it was woken in between.
            place = self._own_place(flow_run.id)
            self._submitting_flow_run_ids.discard(flow_run.id)
            ended = await self._carry_out(flow_run)
        except NotInstalledError as refused:
            await self._propose_crashed_state(flow_run, str(refused))
        except Exception as error:
            self._logger.exception("A leg of run %s could not be begun", flow_run.id)
            await self._propose_crashed_state(flow_run, f"未能开始（{type(error).__name__}），由“系统巡检”续办")
        finally:
            self._in_hand[flow_run.id] -= 1
            # What did not end as it should is looked up until the server says that it knows.
            if ended and not self._in_hand[flow_run.id]:
                note.unlink(missing_ok=True)
            if place == flow_run.id:
                self._submitting_flow_run_ids.discard(flow_run.id)
            self._release_limit_slot(place)
            if self._cancelling_observer is not None:
                self._cancelling_observer.remove_in_flight_flow_run_id(flow_run.id)

    def _own_place(self, flow_run_id: UUID) -> UUID:
        """Let a leg hold its place under a name of its own. Prefect asks for a place in the run's name whenever it is
        due, and ends the worker where the run has one already."""
        place = uuid4()
        if self._limiter is not None:
            self._limiter.release_on_behalf_of(flow_run_id)
            self._limiter.acquire_on_behalf_of_nowait(place)
        return place

    def _note(self, flow_run_id: UUID) -> Path:
        return self._noted / str(flow_run_id)

    async def _take(self, flow_run: FlowRun) -> bool:
        """Whether a run is this worker's now, and not another one's."""
        self._not_begun.discard(flow_run.id)
        try:
            try:
                taken: State[None] = Pending(message=self.name)
                return (await propose_state(self.client, taken, flow_run_id=flow_run.id)).is_pending()
            except Abort:
                # By another worker, or by this one with a first try whose answer was lost.
                run = await self.client.read_flow_run(flow_run.id)
                return self._has_taken(run)
        except Exception as error:
            self._logger.warning("whether run %s was taken is not known: %s", flow_run.id, type(error).__name__)
            self._not_begun.add(flow_run.id)
            return False

    def _has_taken(self, run: FlowRun) -> bool:
        return run.state is not None and run.state.is_pending() and run.state.message == self.name

    async def _carry_out(self, flow_run: FlowRun) -> bool:
        """Whether the leg has ended as it should; it has told the server of it then."""
        leg = _LEGS.Process(target=carry_out, args=(flow_run, *await self._known(flow_run)))
        # Some milliseconds, in the loop's own thread: multiprocessing looks after its children without locks.
        leg.start()
        try:
            while not await _ended(leg, LOOKS_EVERY):
                await self._cancel(flow_run.id, leg)
        finally:
            await _end(leg)
        if leg.exitcode:
            await self._propose_crashed_state(flow_run, f"进程意外结束（{leg.exitcode}），由“系统巡检”续办")
        return not leg.exitcode

    async def report_lost(self) -> None:
        """Report legs that nobody has any more, again and again: those of a worker of this name that was killed, and
        those whose end could not be told because the server was away.

        Prefect takes them for running for ever, and recovery for ten minutes.
        """
        while True:
            if self._client is not None:
                try:
                    lost = [each for each in self._left() if await self._report_if_lost(each)]
                    if lost:
                        rounds = await self.client.read_deployment_by_name(ROUND)
                        await self.client.create_flow_run_from_deployment(rounds.id, parameters=ONLY_RECOVERY)
                except (httpx.HTTPError, PrefectException) as error:
                    self._logger.warning("lost legs could not be looked for: %s", type(error).__name__)
            await anyio.sleep(LOOKS_FOR_LOST_EVERY)

    def _left(self) -> list[UUID]:
        """Runs that are noted and not in hand."""
        noted = [UUID(path.name) for path in self._noted.iterdir()]
        return [each for each in noted if not self._in_hand[each]]

    async def _report_if_lost(self, flow_run_id: UUID) -> bool:
        """Report a leg that the server still takes for this worker's; whether it did. Afterwards it is known there how
        the run stands."""
        lost = False
        try:
            run = await self.client.read_flow_run(flow_run_id)
        except ObjectNotFound:
            run = None
        if run is not None and run.state is not None:
            lost = self._has_taken(run) or (run.state.is_running() and flow_run_id not in self._not_begun)
            if lost and not self._in_hand[flow_run_id]:
                await self.client.set_flow_run_state(flow_run_id, Crashed(message="进程已不在，由“系统巡检”续办"))
        if not self._in_hand[flow_run_id]:
            self._not_begun.discard(flow_run_id)
            self._note(flow_run_id).unlink(missing_ok=True)
        return lost

    async def _known(self, flow_run: FlowRun) -> tuple[str, Mapping[str, Any]]:
        """Where a run's story is by the installed prefect.yaml, whatever the server says, and the flow, deployment and
        the like that its events name: asked once for each deployment, for this program does not change while it runs.

        ``NotInstalledError`` for a run of anything else, which is put on record and left to staff.
        """
        if flow_run.deployment_id is None:
            raise await self._refused(flow_run, "")
        if flow_run.deployment_id not in self._deployments:
            deployment = await self.client.read_deployment(flow_run.deployment_id)
            if deployment.name not in stories():
                raise await self._refused(flow_run, deployment.name)
            named: dict[str, Any] = {
                f"flow.{flow_run.flow_id}": await self.client.read_flow(flow_run.flow_id),
                f"deployment.{deployment.id}": deployment,
                f"work-pool.{self.work_pool.name}": self.work_pool,
            }
            if flow_run.work_queue_id is not None:
                queue = await self.client.read_work_queue(flow_run.work_queue_id)
                named[f"work-queue.{queue.id}"] = queue
            entries = {
                key: ({"kind": key.partition(".")[0], "object": known}, now("UTC")) for key, known in named.items()
            }
            self._deployments[flow_run.deployment_id] = stories()[deployment.name].entrypoint, entries
        return self._deployments[flow_run.deployment_id]

    async def _refused(self, flow_run: FlowRun, deployment: str) -> NotInstalledError:
        await to_thread.run_sync(note_refused_run, flow_run.id, flow_run.deployment_id, deployment)
        return NotInstalledError("本机没有安装这个流程，未运行；已记入日志并列入待阅事项")

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
    worker = LegWorker(pool, name)
    work = asyncio.create_task(worker.start())
    lost = asyncio.create_task(worker.report_lost())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)
    try:
        await work
    finally:
        lost.cancel()


def main() -> None:
    """Work until stopped, with the settings in the environment."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pool", required=True)
    parser.add_argument("--name", required=True)
    given = parser.parse_args()
    try:
        name_password()
        # Whoever starts it again and again, as systemd does, has it at work as soon as the tables are there.
        check_current()
    except RefusalError as why:
        sys.exit(str(why))
    _LEGS.set_forkserver_preload(["ezt.engine.preloaded"])
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
