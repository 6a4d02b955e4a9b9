"""One leg of a story, in a process that is there for nothing else."""

import os
from uuid import UUID

from prefect.context import refresh_global_settings_context
from prefect.engine import handle_engine_signals
from prefect.flow_engine import load_flow, load_flow_run, run_flow

from runtime.settings import settings


def carry_out(flow_run_id: UUID, environment: dict[str, str]) -> None:
    """Carry out what a run has to do now, with just this environment, as ``python -m prefect.engine`` does.

    ``SystemExit`` says how it ended: 0, unless it could not even begin or was ended from outside.
    """
    changed = {name for name, _ in os.environ.items() ^ environment.items()}
    os.environ.clear()
    os.environ.update(environment)
    if any(name.startswith("EZT_") for name in changed):
        settings.cache_clear()
    # With two underscores Prefect names what belongs to a run, with one its settings, which were read when it was
    # imported.
    if any(name.startswith("PREFECT_") and not name.startswith("PREFECT__") for name in changed):
        refresh_global_settings_context()
    with handle_engine_signals(flow_run_id):
        flow_run = load_flow_run(flow_run_id)
        run_flow(load_flow(flow_run), flow_run=flow_run)
