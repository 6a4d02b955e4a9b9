"""What a member of staff does in the Prefect UI, through the API that the UI itself uses."""

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pyotp
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import PrefectHTTPStatusError

from models.organisations import Officer
from runtime.database import reading
from tasks.office.signatures import CODE_SECONDS


class NotThereError(AssertionError):
    """What was waited for did not come."""


@dataclass
class Desk:
    """The desk over one Prefect API; ``last_steps`` are the one-time codes it has used."""

    client: SyncPrefectClient
    last_steps: dict[str, int] = field(default_factory=dict)

    def submit(self, deployment: str, **parameters: Any) -> UUID:
        """Submit a deployment's start form; the run's id."""
        found = self.client.read_deployment_by_name(deployment)
        return self.client.create_flow_run_from_deployment(found.id, parameters=parameters).id

    def wait(self, run_id: UUID, *states: StateType, seconds: float = 90) -> FlowRun:
        """Wait until a run is in one of these states; ``NotThereError`` after so many seconds."""
        until = time.monotonic() + seconds
        while True:
            run = self.client.read_flow_run(run_id)
            if run.state is not None and run.state.type in states:
                return run
            if time.monotonic() > until:
                raise NotThereError(f"{run.name} is {run.state} instead of {states}")
            time.sleep(0.3)

    def form(self, run_id: UUID) -> dict[str, Any]:
        """The ``schema`` and the ``description`` (Markdown) of the form that a suspended run shows."""
        state = self.client.read_flow_run(run_id).state
        keyset = state.state_details.run_input_keyset if state is not None else None
        if keyset is None:
            raise NotThereError(f"{run_id} shows no form")
        return {
            part: self.client.request("GET", f"/flow_runs/{run_id}/input/{keyset[part]}").json()  # type: ignore[arg-type]
            for part in ("schema", "description")
        }

    def head(self, run_id: UUID) -> str:
        """What stands at the head of the form that a run shows; nothing while it shows none, as between two legs."""
        try:
            return str(self.form(run_id)["description"])
        except (NotThereError, PrefectHTTPStatusError):
            return ""

    def sign(self, staff_no: str) -> dict[str, str]:
        """Staff number and a one-time code that was not used yet: the present one, the next, or a later one."""
        with reading() as session:
            secret = session.get_one(Officer, staff_no).code_secret
        step = max(self.last_steps.get(staff_no, 0) + 1, int(time.time()) // CODE_SECONDS)
        while step > time.time() // CODE_SECONDS + 1:
            time.sleep(0.5)
        self.last_steps[staff_no] = step
        return {"staff_no": staff_no, "code": pyotp.TOTP(secret).at(step * CODE_SECONDS)}

    def resume(self, run_id: UUID, **answer: Any) -> None:
        """Submit a Resume form; ``NotThereError`` when the server does not take it."""
        done = self.client.resume_flow_run(run_id, run_input=answer)
        if done.status is not SetStateStatus.ACCEPT:
            raise NotThereError(f"{run_id} was not resumed: {done.details}")
