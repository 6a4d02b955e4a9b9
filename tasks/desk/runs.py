"""The Prefect runs of cases: start, wake, find, name, and leave nothing of a person in Prefect's database.

The application's database is the truth; here Prefect is only told. Whatever fails here is made good by the recovery
story, so callers need not care whether Prefect could be reached.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from httpx import HTTPError
from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.context import FlowRunContext, SyncClientContext
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, get_current_settings, temporary_settings
from prefect.states import Scheduled
from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models.cases import Case, StepRecord
from models.objections import Objection
from regulation.objections import Stage
from runtime import clock
from runtime.database import one_read, reading, transaction
from runtime.refusals import RefusalError
from runtime.settings import settings
from tasks.audit import record
from tasks.case.kind import cell
from tasks.case.notices import kick
from tasks.case.numbers import case_address
from tasks.case.start import Start
from tasks.case.step import locked_case
from tasks.desk.entries import Opened, entry_address, run_is_over, runs_to_tell
from tasks.desk.kinds import KINDS
from tasks.desk.sheets import Sheet, sheet_of
from tasks.desk.to_do import asks_of
from tasks.objections.batch_rows import registered_in
from tasks.office.staff_tasks import open_staff_task

logger = logging.getLogger(__name__)

AT_REST = select(Case.at_rest).where(Case.case_no == bindparam("case_no"))

CHUNK = 200
"""Cases that recovery looks at with one question to Prefect, whose page holds 200 runs."""

LEG_TAKES_AT_MOST = timedelta(minutes=10)

SHOWN_OF_A_NAME = 60
"""Characters."""

CLOSED_LATELY = timedelta(days=2)
"""How long recovery still looks at a closed case, whose run may be suspended on a question that is moot."""

UNDER_WAY = frozenset({StateType.RUNNING, StateType.PENDING})

DIED = frozenset({StateType.CRASHED, StateType.FAILED})

ENDED = frozenset({StateType.COMPLETED, StateType.CANCELLED})

UNDONE = {
    StateType.CANCELLED: "被取消",
    StateType.CANCELLING: "被取消",
    StateType.COMPLETED: "被改为已结束",
}
"""States of an open case's run that nobody but a person at Prefect's pages or API brings about, as staff read of it."""
DELETED = "被删除"

ANSWERS_WITHIN = 2.0
"""Seconds that the page of a case waits for Prefect."""

LIVE = frozenset({StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.PAUSED})


def prefect(url: str | None = None, seconds: float | None = None) -> SyncPrefectClient:
    """A synchronous client of the Prefect API at ``url``, or of the one that the environment names; use it in a
    ``with``. An answer may take so many ``seconds``, or as long as Prefect lets it.

    Raises ``RuntimeError`` where none is named: Prefect would start a server of its own, with nobody's cases in it.
    """
    url = url or get_current_settings().api.url
    if not url:
        raise RuntimeError("未设置PREFECT_API_URL，无法联系Prefect。")
    if SyncClientContext.get() is not None:
        # In a leg, whose process has the password and a client.
        return get_client(sync_client=True)
    how = {"timeout": seconds} if seconds is not None else {}
    return SyncPrefectClient(url, auth_string=settings().prefect_password.get_secret_value(), httpx_settings=how)


def ensure_run(client: SyncPrefectClient, case_no: str) -> None:
    """Give an open case a run unless it has a live one; joined and closed cases need none.

    The number of the run is counted on the case first and is Prefect's idempotency key, so a crash in between cannot
    give a case two runs.
    """
    with reading() as session:
        case = session.get_one(Case, case_no)
        number, run_id, opened = case.runs_started, case.flow_run_id, case.opened_at
        if case.closed_at is not None or _lead_of(session, case_no) is not None:
            return
    if run_id is not None:
        if _is_live(client, run_id):
            return
        with transaction() as session:
            case = locked_case(session, case_no)
            if case.flow_run_id == run_id:
                case.flow_run_id, case.runs_started = None, number + 1
            number = case.runs_started
    deployment = client.read_deployment_by_name(KINDS[case.kind].deployment)
    run = client.create_flow_run_from_deployment(
        deployment.id,
        parameters={"case_no": case_no},
        name=sheet_of(case_no).run_name,
        idempotency_key=f"{case_no}-{opened.timestamp()}-{number}",
    )
    with transaction() as session:
        case = locked_case(session, case_no)
        if case.runs_started == number:
            case.flow_run_id = str(run.id)


def give_runs(batch_no: str) -> None:
    """Give a run to those objections of a batch that are reviewed by themselves, as many as recovery looks at at once;
    recovery gives the others theirs."""
    with reading() as session:
        wanted = select(Case.case_no).where(
            registered_in(batch_no), Case.stage == Stage.REGISTERED, ~Case.at_rest, Case.flow_run_id.is_(None)
        )
        case_nos = session.scalars(wanted.order_by(Case.case_no).limit(CHUNK)).all()
    with prefect() as client:
        for case_no in case_nos:
            ensure_run(client, case_no)


def take_up(case_no: str) -> None:
    """A run that somebody started by hand is from now on the run of a case that rests."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return
    with one_read() as connection:
        if not connection.scalar(AT_REST, {"case_no": case_no}):
            return
    with transaction() as session:
        case = locked_case(session, case_no)
        if case.at_rest:
            case.at_rest, case.flow_run_id = False, str(context.flow_run.id)


def _lead_of(session: Session, case_no: str) -> str | None:
    return session.scalar(select(Objection.lead_case_no).where(Objection.case_no == case_no))


def _is_live(client: SyncPrefectClient, run_id: str) -> bool:
    try:
        run = client.read_flow_run(UUID(run_id))
    except ObjectNotFound:
        return False
    return run.state is not None and run.state.type in LIVE


def wake(client: SyncPrefectClient, case_no: str) -> None:
    """Let a suspended run of a case go on, because what it waits for is on record now; start one where there is none,
    unless the case rests.

    A run that is not suspended needs no waking: it looks for recorded answers right before it suspends. What is news in
    a joined objection is so for the run of its lead.
    """
    with reading() as session:
        case_no = _lead_of(session, case_no) or case_no
        case = session.get_one(Case, case_no)
    run_id = case.flow_run_id
    if run_id is None:
        if not case.at_rest:
            ensure_run(client, case_no)
        return
    try:
        run = client.read_flow_run(UUID(run_id))
    except ObjectNotFound:
        run = None
    if _undone(run) and not case.at_rest:
        _replace(client, case_no, run, clock.now())
    elif run is not None:
        _resume(client, run)


def _resume(client: SyncPrefectClient, run: FlowRun) -> None:
    if run.state is not None and run.state.type is StateType.PAUSED:
        client.set_flow_run_state(run.id, Scheduled(name="Resuming"), force=True)


@dataclass(frozen=True, slots=True)
class RunStanding:
    """The run of a case as its page shows it: its id where Prefect has it, and what somebody has done to it there that
    the next recovery makes good."""

    run_id: str
    undone: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a recovery found: cases given a live run, and suspended runs woken because their answer was on record."""

    started: tuple[str, ...]
    woken: tuple[str, ...]


def recover(client: SyncPrefectClient, at: datetime) -> Recovered:
    """Give every open case without a live run one, and wake the runs that have nothing to wait for any more.

    A run counts as dead when it is gone, has ended, or is under way at ``at`` far longer than a leg takes since it or
    its last step began: its worker was killed together with it. A case that cannot be helped (its keys or its officer
    are missing) becomes a staff task and keeps nobody else waiting.
    """
    started: list[str] = []
    woken: list[str] = []
    after = ""
    while cases := _cases_to_look_at(after, at):
        after = cases[-1].case_no
        runs = _runs(client, [case.flow_run_id for case in cases if case.flow_run_id])
        for case in cases:
            run = runs.get(case.flow_run_id or "")
            try:
                if case.closed_at is None and (run is None or not _is_alive(run, at, case.stepped_at)):
                    _revive(client, case, run, at)
                    started.append(case.case_no)
                elif not case.waits and run is not None and run.state is not None and run.state.is_paused():
                    wake(client, case.case_no)
                    woken.append(case.case_no)
            except (LookupError, ValueError, SQLAlchemyError) as error:
                _ask_staff_about(case.case_no, error, at)
    return Recovered(tuple(started), tuple(woken))


@dataclass(frozen=True, slots=True)
class _Watched:
    """A case as recovery looks at it; ``waits``: its run may be suspended, because nobody has answered yet."""

    case_no: str
    flow_run_id: str | None
    closed_at: datetime | None
    waits: bool
    stepped_at: datetime | None
    """When its last step was done: a leg of many steps, such as a batch's, takes as long as it takes."""


def _cases_to_look_at(after: str, at: datetime) -> list[_Watched]:
    """The next chunk of cases with a run of their own: open ones that do not rest, and those closed so lately that
    their run may not have heard of it (the objector withdrew while Prefect was away)."""
    with reading() as session:
        stepped_at = select(func.max(StepRecord.at)).where(StepRecord.case_no == Case.case_no).scalar_subquery()
        wanted = (
            select(Case.case_no, Case.flow_run_id, Case.closed_at, Case.waiting_for, stepped_at.label("stepped_at"))
            .outerjoin(Objection, Objection.case_no == Case.case_no)
            .where(
                or_(Case.closed_at.is_(None), Case.closed_at > at - CLOSED_LATELY),
                Case.at_rest.is_(False),
                Objection.lead_case_no.is_(None),
                Case.case_no > after,
            )
        )
        cases = session.execute(wanted.order_by(Case.case_no).limit(CHUNK)).tuples().all()
    return [
        _Watched(case_no, run_id, closed_at, waiting_for is not None, stepped_at)
        for case_no, run_id, closed_at, waiting_for, stepped_at in cases
    ]


def _is_alive(run: FlowRun, at: datetime, stepped_at: datetime | None = None) -> bool:
    return run.state is not None and run.state.type in LIVE and not _is_stuck(run, at, stepped_at)


def _revive(client: SyncPrefectClient, case: _Watched, run: FlowRun | None, at: datetime) -> None:
    """Let a run that died go on; start a new one where somebody has undone it, or there was none."""
    if run is not None and run.state is not None and run.state.type in DIED | UNDER_WAY:
        client.set_flow_run_state(run.id, Scheduled(name="AwaitingRetry"), force=True)
    elif case.flow_run_id is None:
        ensure_run(client, case.case_no)
    else:
        _replace(client, case.case_no, run, at)


def _undone(run: FlowRun | None) -> bool:
    """Whether somebody has cancelled a run in Prefect, called it ended, or deleted it (``None``)."""
    return run is None or (run.state is not None and run.state.type in UNDONE)


def _replace(client: SyncPrefectClient, case_no: str, run: FlowRun | None, at: datetime) -> None:
    """Give an open case another run for one that somebody has undone in Prefect, on record: its history says so."""
    ensure_run(client, case_no)
    with transaction() as session:
        case = locked_case(session, case_no)
        if case.closed_at is None and _lead_of(session, case_no) is None:
            how = UNDONE[run.state.type] if run is not None and run.state is not None else DELETED
            record(session, "case:run:replaced", case_no, "system", at, how=how)


def run_standing(case_no: str) -> RunStanding:
    """How the run of a case stands in Prefect, for who looks at the case. Where Prefect does not answer at once nothing
    is known, and a page is not kept waiting for it."""
    with reading() as session:
        case = session.get_one(Case, case_no)
        run_id, rests = case.flow_run_id, case.at_rest or case.closed_at is not None
        rests = rests or _lead_of(session, case_no) is not None
    if run_id is None:
        return RunStanding("", "")
    try:
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}), prefect(seconds=ANSWERS_WITHIN) as client:
            run = client.read_flow_run(UUID(run_id))
    except ObjectNotFound:
        return RunStanding("", "" if rests else DELETED)
    except (PrefectException, HTTPError, RuntimeError):
        return RunStanding("", "")
    return RunStanding(run_id, UNDONE[run.state.type] if _undone(run) and run.state is not None and not rests else "")


def _ask_staff_about(case_no: str, error: Exception, at: datetime) -> None:
    logger.warning("could not recover %s: %s", case_no, type(error).__name__)
    with transaction() as session:
        what = f"办件{case_no}的流程无法恢复（{type(error).__name__}），请管理员查看"
        open_staff_task(session, f"recovery:{case_no}:{type(error).__name__}", case_no, what, at)


def tell_runs_of_entries(client: SyncPrefectClient, at: datetime) -> int:
    """Let runs whose entry at the desk has been signed, or has expired, end: those that wait, and those that died
    before. How many go on."""
    told, waiting = 0, runs_to_tell(at)
    runs = _runs(client, list(waiting.values()))
    for entry_id, run_id in waiting.items():
        run = runs.get(run_id)
        state = run.state if run is not None else None
        if run is None or state is None or state.type in ENDED:
            # Whoever cancelled or deleted it in Prefect has changed nothing in the entry.
            run_is_over(entry_id)
        elif state.is_paused() or state.type in DIED or _is_stuck(run, at, None):
            client.set_flow_run_state(run.id, Scheduled(name="Resuming"), force=True)
            told += 1
    return told


def show_entry(opened: Opened, start: type[Start]) -> None:
    """Name the present run after what came of an entry, and lead to its page in an artifact."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return
    about = start.about
    stands = opened.came_of_it or ("已过期" if opened.expired else "待填写、签名")
    name = f"{about.named} · {stands}"
    name_run(name)
    said = f"## {about.named}\n\n{cell(about.does)}\n\n"
    if opened.came_of_it or opened.expired:
        said += cell(stands)
    else:
        said += f"[到工作台填写、签名]({entry_address(opened.id, about.code)})；一天内没有签名的，到期结束。"
    create_markdown_artifact(said, key=f"entry-{about.code}", description=name)


def note_refused_run(run_id: UUID, deployment_id: UUID | None, deployment: str) -> None:
    """Put on record that a worker was given a run of something that is not installed, and leave it to staff: once a
    deployment, and once a day what has none. ``deployment`` is its name, which somebody may have chosen."""
    name = deployment[:SHOWN_OF_A_NAME]
    with transaction() as session:
        now = clock.now()
        record(session, "worker:run:refused", None, "system", now, run=str(run_id), deployment=name)
        what = f"执行器拒绝运行未安装的流程“{name}”" if name else "执行器拒绝运行不属于任何部署的流程"
        todo = "请管理员查明是谁用Prefect口令添加的，删去它，并更换口令"
        key = f"refused-run:{deployment_id or clock.local_date(now)}"
        open_staff_task(session, key, None, f"{what}（运行{run_id}）：{todo}", now)


def _runs(client: SyncPrefectClient, run_ids: Sequence[str]) -> dict[str, FlowRun]:
    if not run_ids:
        return {}
    wanted = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(run_id) for run_id in run_ids]))
    return {str(run.id): run for run in client.read_flow_runs(flow_run_filter=wanted, limit=len(run_ids))}


def _is_stuck(run: FlowRun, at: datetime, stepped_at: datetime | None) -> bool:
    if run.state is None or run.state.type not in UNDER_WAY:
        return False
    began = run.state.timestamp
    return at - max(began, stepped_at or began) > LEG_TAKES_AT_MOST


def check_story(case_no: str, name: str) -> None:
    """Raise ``RefusalError``, on record and left to staff, for a case that is not of the kind whose story this is."""
    with transaction() as session:
        case = session.get(Case, case_no)
        if case is None:
            raise RefusalError(f"没有编号为{case_no}的办件。")
        if KINDS[case.kind].deployment.partition("/")[0] == name:
            return
        at = clock.now()
        what = f"有人在Prefect里用“{name}”的流程运行{case_no}，没有运行；请核对是谁、为什么"
        open_staff_task(session, f"wrong-story:{case_no}:{name}", case_no, what, at)
        record(session, "case:story:refused", case_no, "system", at, story=name)
    raise RefusalError(f"{case_no}不是“{name}”的办件，没有运行。")


def show_case(case_no: str) -> Sheet:
    """Bring the run's name and the timeline artifact up to date; the sheet that they show. Outside of a run there is
    nothing to bring up to date."""
    sheet = sheet_of(case_no)
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return sheet
    name_run(sheet.run_name)
    with reading() as session:
        waits_for = asks_of(session.get_one(Case, case_no))
    said = (f"[打开办件]({case_address(case_no)}) {cell(waits_for)}", sheet.table(), sheet.timeline_table())
    create_markdown_artifact("\n\n".join(said), key=f"{case_no.lower()}-timeline", description=sheet.run_name)
    return sheet


def name_run(name: str) -> None:
    """Name the present run, for those who read Prefect's lists; Prefect is asked only for another name."""
    context = FlowRunContext.get()
    if context is not None and context.flow_run is not None and context.flow_run.name != name:
        with prefect() as client:
            client.update_flow_run(context.flow_run.id, name=name)


def nudge(case_no: str) -> None:
    """Tell Prefect that a case has news and send what was queued, as well as can be done now.

    Whatever cannot be reached, our own database included, is made good by the scheduled stories (recovery, dispatch),
    so nothing is raised.
    """
    nudge_all([case_no])


def nudge_all(case_nos: Sequence[str], entry_run: str | None = None) -> None:
    """As ``nudge``, for what came of an entry at the desk: cases, none or several, and the run that has opened it, if
    any."""
    for case_no in case_nos:
        with _as_well_as_can_be(f"wake {case_no}"), prefect() as client:
            wake(client, case_no)
    if entry_run is not None:
        with _as_well_as_can_be("wake the run of an entry"), prefect() as client:
            _resume(client, client.read_flow_run(UUID(entry_run)))
    with _as_well_as_can_be("send what was queued"):
        kick()


@contextmanager
def _as_well_as_can_be(what: str) -> Iterator[None]:
    try:
        yield
    except (PrefectException, HTTPError, RuntimeError, SQLAlchemyError) as error:
        logger.warning("could not %s: %s", what, type(error).__name__)
