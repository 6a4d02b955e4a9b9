"""An entry that a run has opened: the run waits for the signature at the desk, ends with it or a day later, and holds
nothing of what was typed, wherever it dies."""

import signal
from datetime import timedelta
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Cancelled
from sqlalchemy import func, select

from ezt.desk import Desk
from models.cases import Case
from models.desk import DeskEntry
from regulation.limits import ENTRY_LIFE
from runtime import clock
from runtime.database import reading
from tasks.desk import entries
from tasks.desk.runs import nudge_all, tell_runs_of_entries
from tasks.desk.starts import STARTS
from tests.conftest import at_desk
from tests.desk.starting import DIRECTOR, FILLED
from tests.faults.conftest import Legs
from tests.faults.leg_runner import STOPPED, SUSPENSION

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(900)]
EVERY = pytest.mark.parametrize("code", STARTS)


@pytest.fixture
def desk(legs: Legs, prefect_client: SyncPrefectClient) -> Desk:
    return Desk(prefect_client)


def run(desk: Desk, run_id: UUID) -> FlowRun:
    return desk.client.read_flow_run(run_id)


def state(desk: Desk, run_id: UUID) -> StateType | None:
    found = run(desk, run_id).state
    return found.type if found is not None else None


def started(desk: Desk, code: str = "objection") -> UUID:
    about = STARTS[code].about
    return desk.submit(f"{about.named}/{about.deployment}")


def entry_of(run_id: UUID) -> DeskEntry:
    with reading() as session:
        return session.scalars(select(DeskEntry).where(DeskEntry.flow_run_id == str(run_id))).one()


def sign(run_id: UUID) -> str:
    """Fill in and sign at the desk what a run has opened; the case."""
    row, by = entry_of(run_id), at_desk(DIRECTOR)
    kept = entries.keep(row.id, row.start, by, FILLED[row.start]())
    entries.sign(row.id, row.start, by, "", kept.shown)
    return entry_of(run_id).case_no or ""


def cases() -> int:
    with reading() as session:
        return session.scalar(select(func.count(Case.case_no))) or 0


@EVERY
def test_a_run_opens_an_entry_leads_to_it_and_ends_when_it_is_signed(desk: Desk, legs: Legs, code: str) -> None:
    run_id = started(desk, code)
    assert legs.run(str(run_id)) == 0
    waiting = run(desk, run_id)
    assert (waiting.state.type, waiting.parameters) == (StateType.PAUSED, {})  # type: ignore[union-attr]
    assert waiting.name == f"{STARTS[code].about.named} · 待填写、签名"
    (shown,) = desk.client.read_artifacts(
        artifact_filter=ArtifactFilter(flow_run_id={"any_": [run_id]}, key=ArtifactFilterKey(any_=[f"entry-{code}"]))
    )
    assert f"/desk/start/{code}?entry={entry_of(run_id).id}" in str(shown.data)
    # Resumed by hand, it looks again, and waits on.
    desk.client.resume_flow_run(run_id)
    assert legs.run(str(run_id)) == 0
    assert state(desk, run_id) is StateType.PAUSED
    case_no = sign(run_id)
    nudge_all([], str(run_id))
    assert legs.run(str(run_id)) == 0
    done = run(desk, run_id)
    assert (done.state.type, done.parameters) == (StateType.COMPLETED, {})  # type: ignore[union-attr]
    assert done.name == f"{STARTS[code].about.named} · {case_no or STARTS[code].about.named}"
    assert tell_runs_of_entries(desk.client, clock.now()) == 0


def test_an_entry_that_nobody_signs_ends_its_run_after_a_day_as_expired_not_as_a_failure(
    desk: Desk, legs: Legs, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, now = started(desk), clock.now()
    assert legs.run(str(run_id)) == 0
    assert tell_runs_of_entries(desk.client, now + timedelta(days=ENTRY_LIFE.value) - timedelta(hours=1)) == 0
    with entries.transaction() as session:
        session.get_one(DeskEntry, entry_of(run_id).id).expires_at = now
    assert tell_runs_of_entries(desk.client, clock.now()) == 1
    assert legs.run(str(run_id)) == 0
    ended = run(desk, run_id).state
    assert ended is not None
    assert (ended.type, ended.name) == (StateType.COMPLETED, "已过期")
    assert run(desk, run_id).name == "登记异议 · 已过期"
    assert (cases(), tell_runs_of_entries(desk.client, clock.now())) == (0, 0)


def test_whoever_cancels_or_deletes_the_run_changes_nothing_in_the_entry(desk: Desk, legs: Legs) -> None:
    cancelled, deleted = started(desk), started(desk)
    for run_id in (cancelled, deleted):
        assert legs.run(str(run_id)) == 0
    desk.client.set_flow_run_state(cancelled, Cancelled(), force=True)
    desk.client.delete_flow_run(deleted)
    assert [sign(run_id)[:2] for run_id in (cancelled, deleted)] == ["YY", "YY"]
    nudge_all([], str(deleted))
    assert tell_runs_of_entries(desk.client, clock.now()) == 0
    assert [entry_of(run_id).run_ended for run_id in (cancelled, deleted)] == [True, True]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_dies_while_it_waits_ends_all_the_same(desk: Desk, legs: Legs, when: str) -> None:
    run_id = started(desk)
    assert legs.run(str(run_id), SUSPENSION, when) == -signal.SIGKILL
    case_no = sign(run_id)
    assert tell_runs_of_entries(desk.client, clock.now() + timedelta(minutes=11)) == 1
    assert legs.run(str(run_id)) == 0
    assert (state(desk, run_id), run(desk, run_id).name) == (StateType.COMPLETED, f"登记异议 · {case_no}")


def test_a_signature_that_comes_while_the_run_goes_to_sleep_wakes_it(desk: Desk, legs: Legs) -> None:
    run_id = started(desk)
    assert legs.run(str(run_id), SUSPENSION, "meanwhile") == STOPPED
    sign(run_id)
    nudge_all([], str(run_id))
    assert legs.go_on() == 0
    assert state(desk, run_id) is StateType.SCHEDULED
    assert legs.run(str(run_id)) == 0
    assert state(desk, run_id) is StateType.COMPLETED
