"""How far the checking of a batch has come, as a progress artifact in the Prefect UI."""

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.context import FlowRunContext
from prefect.exceptions import PrefectException

from runtime.database import reading
from tasks.backfill_batches import batch_of


def chunks_to_check(case_no: str) -> Iterator[int]:
    """The chunks that are still to be checked, counted from 1, with the progress shown between them."""
    with reading() as session:
        batch = batch_of(session, case_no)
        first, chunks, rows = batch.next_chunk + 1, batch.chunks, batch.rows
    shown = _Bar(case_no, rows, _done(case_no))
    for chunk in range(first, chunks + 1):
        yield chunk
        shown.update(_done(case_no))


def _done(case_no: str) -> int:
    with reading() as session:
        batch = batch_of(session, case_no)
        return batch.good + batch.same + batch.conflict + batch.bad


class _Bar:
    """The artifact; outside of a run there is none."""

    def __init__(self, case_no: str, rows: int, done: int) -> None:
        self._rows, self._before, self._started = rows, done, time.monotonic()
        self._artifact: UUID | None = None
        if FlowRunContext.get() is not None:
            key = f"{case_no.lower()}-progress"
            said = f"已核对{done}行，共{rows}行"
            self._artifact = cast("UUID", create_progress_artifact(100 * done / rows, key=key, description=said))

    def update(self, done: int) -> None:
        if self._artifact is None:
            return
        rate = (done - self._before) / max(time.monotonic() - self._started, 0.001)
        left = (self._rows - done) / max(rate, 1)
        said = f"已核对{done}行，共{self._rows}行，每秒{rate:.0f}行，约剩{left:.0f}秒"
        # What is shown must not stop what is done.
        with suppress(PrefectException):
            update_progress_artifact(self._artifact, 100 * done / self._rows, description=said)
