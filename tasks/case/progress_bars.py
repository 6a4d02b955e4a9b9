"""How far long work on rows has come, as a progress artifact in the Prefect UI."""

import time
from contextlib import suppress
from typing import cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.context import FlowRunContext
from prefect.exceptions import PrefectException


class Bar:
    """The artifact of a case, ``verb`` being what is done to its rows; outside of a run there is none."""

    def __init__(self, case_no: str, verb: str, rows: int, done: int) -> None:
        self._rows, self._before, self._started = rows, done, time.monotonic()
        self._verb = verb
        self._artifact: UUID | None = None
        if FlowRunContext.get() is not None:
            key = f"{case_no.lower()}-progress"
            said = f"已{verb}{done}行，共{rows}行"
            self._artifact = cast("UUID", create_progress_artifact(100 * done / rows, key=key, description=said))

    def update(self, done: int) -> None:
        """Show that so many rows are done."""
        if self._artifact is None:
            return
        rate = (done - self._before) / max(time.monotonic() - self._started, 0.001)
        left = (self._rows - done) / max(rate, 1)
        said = f"已{self._verb}{done}行，共{self._rows}行，每秒{rate:.0f}行，约剩{left:.0f}秒"
        # What is shown must not stop what is done.
        with suppress(PrefectException):
            update_progress_artifact(self._artifact, 100 * done / self._rows, description=said)
