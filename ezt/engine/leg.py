"""One leg of a story, in a process that is there for nothing else."""

import os
from collections.abc import Mapping
from functools import cache
from signal import SIGKILL
from typing import Any

from prefect.client.schemas.objects import FlowRun
from prefect.context import SettingsContext, SyncClientContext, get_settings_context
from prefect.engine import handle_engine_signals
from prefect.events.related import RESOURCE_CACHE
from prefect.flow_engine import run_flow
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.settings import (
    PREFECT_CLIENT_CSRF_SUPPORT_ENABLED,
    PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    get_current_settings,
)

from ezt.child import end_with

NOT_ASKED: Mapping[Any, Any] = {
    # The worker has found out that the server is of its version.
    PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED: False,
    # Only a browser can be made to send what its user does not know of.
    PREFECT_CLIENT_CSRF_SUPPORT_ENABLED: False,
    # Recovery looks at how long a leg has been under way. A thread that beats would have to be waited for.
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
}
"""Prefect's settings in a leg, where they are others than in the worker."""


@cache
def settings_of_legs() -> SettingsContext:
    """Prefect's settings, once for all legs."""
    known = get_settings_context()
    return SettingsContext(profile=known.profile, settings=known.settings.copy_with_update(updates=NOT_ASKED))


@cache
def client() -> SyncClientContext:
    """Prefect's client for all that a leg asks; it connects when it is entered. Made before the fork, because to load
    the authorities of the world takes longer than all its questions."""
    with settings_of_legs():
        return SyncClientContext()


def carry_out(flow_run: FlowRun, entrypoint: str, named_in_events: Mapping[str, Any]) -> None:
    """Carry out what a run has to do now, as ``python -m prefect.engine`` does.

    ``named_in_events`` are entries of Prefect's cache, which each leg would have to fill by itself. ``SystemExit`` says
    how it ended: 0, unless it could not even begin or was ended from outside. Where its worker is killed it ends, too:
    the next one reports it as lost.
    """
    end_with(os.getppid(), SIGKILL)
    RESOURCE_CACHE.update(named_in_events)
    # A run of a deployment would be watched, through a connection of its own, for somebody who suspends it from
    # outside. Ours suspend themselves within seconds.
    unwatched = flow_run.model_copy(update={"deployment_id": None})
    with handle_engine_signals(flow_run.id), settings_of_legs(), client():
        story: Flow[..., Any] = load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False)
        # No story keeps a result, yet Prefect would ask the server where to keep it.
        story.result_storage = get_current_settings().results.local_storage_path
        # Not its result: of a run that somebody has called ended, Prefect would unpickle what the server says it is.
        run_flow(story, flow_run=unwatched, return_type="state")
