"""What makes a step durable.

A step is one transaction that locks the case, returns the recorded result if this step has happened in this turn,
and otherwise does its work: check the transition, write the state, append audit entries, queue notices. All of it
commits together with the step's record, or not at all; so a story may run again from its first line at any time.

Statements that every step needs are built once, with a name in capitals: building one takes longer than running it.
Rows that are only ever added are inserted without an object that the session would look after.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Generic, TypeVar, cast

from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from sqlalchemy import Connection, Row, Table, bindparam, insert, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models.cases import Case, StepRecord
from models.records import AuditEntry
from notifications.notices import Notice
from notifications.outbox import Outgoing, queue, queue_many
from regulation.stages import S, Stages
from runtime import clock
from runtime.database import in_pieces, insert_many, transaction
from tasks.audit import new_entry, record
from tasks.case.history import history_of

T = TypeVar("T")

LOCKED_CASE = select(Case).where(Case.case_no == bindparam("case_no")).with_for_update()
LOCKED_CASES = (
    select(Case)
    .where(Case.case_no.in_(bindparam("case_nos", expanding=True)))
    .order_by(Case.case_no)
    .with_for_update()
    .execution_options(populate_existing=True)
)
RECORDED_RESULT = select(StepRecord.result).where(
    StepRecord.case_no == bindparam("case_no"),
    StepRecord.step == bindparam("step"),
    StepRecord.turn == bindparam("turn"),
)
NEW_RECORD = insert(StepRecord)


class CaseClosedError(Exception):
    """The case ended before this step: by withdrawal, or with the case it was joined to."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step at work: the open transaction, the locked case, and the present moment."""

    session: Session
    case: Case
    name: str
    turn: int
    actor: str
    now: datetime

    @property
    def today(self) -> date:
        return clock.local_date(self.now)

    def move(self, stages: Stages[S], to: S) -> None:
        """Put the case into its next stage. ``TransitionError`` for one that cannot follow."""
        move(self.case, stages, to)

    def audit(self, tag: str, case_no: str | None = None, **detail: Any) -> None:
        """Append an audit entry; ``detail`` holds masked or public values only."""
        record(self.session, tag, case_no or self.case.case_no, self.actor, self.now, **detail)

    def notify(self, notice: Notice, to: str, case_no: str | None = None, about: str = "") -> None:
        """Queue a notice to one e-mail address, once for this step and turn; and for each thing it is ``about``, where
        one step sends several."""
        case_no = case_no or self.case.case_no
        key = _notice_key(case_no, self.name, self.turn, notice, about)
        queue(self.session, notice, to, key=key, case_no=case_no, at=self.now)


def move(case: Case, stages: Stages[S], to: S) -> None:
    """As ``Step.move``, a case of many."""
    stages.check(type(to)(case.stage), to)
    case.stage = to


def _notice_key(case_no: str, name: str, turn: int, notice: Notice, about: str = "") -> str:
    return f"{case_no}:{name}:{turn}:{type(notice).__name__}{about and f':{about}'}"


@dataclass(frozen=True, slots=True)
class Steps:
    """The same step of many cases at work in one transaction: what is said of them is kept, and goes out together with
    ``write``."""

    session: Session
    cases: Sequence[Case]
    name: str
    turn: int
    actor: str
    now: datetime
    _entries: list[dict[str, Any]] = field(default_factory=list)
    _outgoing: list[Outgoing] = field(default_factory=list)

    @property
    def today(self) -> date:
        return clock.local_date(self.now)

    def audit(self, tag: str, case_no: str, **detail: Any) -> None:
        """As ``Step.audit``, of one of the cases or of one that goes with it."""
        self._entries.append(new_entry(tag, case_no, self.actor, self.now, detail))

    def notify(self, notice: Notice, to: str, case_no: str, about: str = "") -> None:
        """As ``Step.notify``."""
        self._outgoing.append(Outgoing(notice, to, _notice_key(case_no, self.name, self.turn, notice, about), case_no))

    def write(self) -> None:
        """Put what was said into the audit trail and the outbox."""
        self.session.flush()
        insert_many(self.session, cast("Table", AuditEntry.__table__), self._entries)
        queue_many(self.session, self._outgoing, self.now)


def alone(step: Step, work: Callable[[Steps], T]) -> T:
    """``work`` of many cases for the one of ``step``."""
    steps = Steps(step.session, (step.case,), step.name, step.turn, step.actor, step.now)
    result = work(steps)
    steps.write()
    return result


def locked_case(session: Session, case_no: str) -> Case:
    """The case, locked until the transaction ends. ``LookupError`` when there is none."""
    case = session.scalar(LOCKED_CASE, {"case_no": case_no})
    if case is None:
        raise LookupError(f"没有编号为{case_no}的办件。")
    return case


def once(case_no: str, name: str, turn: int, actor: str, work: Callable[[Step], T]) -> T:
    """Do ``work`` in one transaction unless it is on record, and return its recorded result.

    The result must be a JSON value. Raises ``CaseClosedError`` when the case has ended without this step.
    """
    with transaction() as session:
        return once_within(session, locked_case(session, case_no), name, turn, actor, work)


def once_within(session: Session, case: Case, name: str, turn: int, actor: str, work: Callable[[Step], T]) -> T:
    """``once`` in the caller's transaction, which has locked the case."""
    done = recorded(session.connection(), case.case_no, name, turn)
    if done is not None:
        result: T = done.result
        return result
    if case.closed_at is not None:
        raise CaseClosedError(case.case_no)
    return _do(Step(session, case, name, turn, actor, clock.now()), work)


def _do(step: Step, work: Callable[[Step], T]) -> T:
    result = work(step)
    done = _happened(step.case.case_no, step.name, step.turn, step.now, result)
    step.session.connection().execute(NEW_RECORD, done)
    return result


def _happened(case_no: str, name: str, turn: int, at: datetime, result: Any) -> dict[str, Any]:
    return {"case_no": case_no, "step": name, "turn": turn, "at": at, "result": result}


def recorded(connection: Connection, case_no: str, name: str, turn: int) -> Row[tuple[Any]] | None:
    """The row with a step's recorded result, which may be ``None``, if it has happened."""
    return connection.execute(RECORDED_RESULT, {"case_no": case_no, "step": name, "turn": turn}).one_or_none()


def locked_cases(session: Session, case_nos: Sequence[str]) -> list[Case]:
    """The cases, locked one after the other in the order of their numbers, so that nobody waits in a circle."""
    found: list[Case] = []
    for some in in_pieces(sorted(case_nos)):
        found += session.scalars(LOCKED_CASES, {"case_nos": some})
    return found


def not_yet(session: Session, cases: Sequence[Case], name: str, turn: int) -> list[Case]:
    """Those of the locked ``cases`` that are open and in which this step has not happened."""
    done: set[str] = set()
    for some in in_pieces([case.case_no for case in cases]):
        wanted = select(StepRecord.case_no).where(StepRecord.step == name, StepRecord.turn == turn)
        done |= set(session.scalars(wanted.where(StepRecord.case_no.in_(some))))
    return [case for case in cases if case.closed_at is None and case.case_no not in done]


def together(steps: Steps, work: Callable[[Steps], Mapping[str, Any] | None]) -> None:
    """``work`` of many cases, in each of which the step has happened from then on, with what ``work`` returns for it,
    if anything."""
    results = work(steps) or {}
    rows = [
        _happened(case.case_no, steps.name, steps.turn, steps.now, results.get(case.case_no)) for case in steps.cases
    ]
    insert_many(steps.session, cast("Table", StepRecord.__table__), rows)
    steps.write()


class DurableStep(Generic[T]):
    """A step as stories call it: ``accept_objection(case_no)``, ``urge(case_no, turn)``. Shown as a task in Prefect."""

    def __init__(self, label: str, work: Callable[[Step], T]) -> None:
        self.name = work.__name__
        self.__doc__ = work.__doc__
        self._work = work
        self._task: Task[[str, int], T] = Task(
            self.run,
            name=label,
            task_run_name=label,
            cache_policy=NO_CACHE,
            persist_result=False,
            # A locked or restarting database is worth another try; a rule that says no is not.
            retries=3,
            retry_delay_seconds=[1, 5, 20],
            retry_condition_fn=_database_was_away,
        )

    def __call__(self, case_no: str, turn: int = 1) -> T:
        # A record is never changed: what has happened needs no lock, and no second task in the Prefect UI.
        done = history_of(case_no).steps
        if (self.name, turn) not in done:
            done[self.name, turn] = self._shown(case_no, turn)
        result: T = done[self.name, turn]
        return result

    def _shown(self, case_no: str, turn: int) -> T:
        return self._task(case_no, turn)

    def run(self, case_no: str, turn: int = 1) -> T:
        """The step without Prefect around it."""
        return once(case_no, self.name, turn, "system", self._work)

    def within(self, session: Session, case: Case, at: datetime, turn: int = 1) -> T:
        """The step in the caller's transaction, which has locked the open case and knows that it has not happened."""
        return _do(Step(session, case, self.name, turn, "system", at), self._work)


def _database_was_away(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    return isinstance(state.result(raise_on_failure=False), OperationalError)


def durable(label: str) -> Callable[[Callable[[Step], T]], DurableStep[T]]:
    """Make a function of a ``Step`` a durable step with a Chinese label for the Prefect UI."""
    return lambda work: DurableStep(label, work)
