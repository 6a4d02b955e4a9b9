"""The watch over running deadlines: reminders to officers, missed limits to the director, each once however often."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Select, bindparam, case, func, insert, literal, select
from sqlalchemy.orm import Session

from models.cases import Answer, AnswerSource, Case, Deadline, Reminder
from models.organisations import Role
from notifications.notices import DeadlineLine, DeadlinesMissed, DeadlinesNear
from notifications.outbox import queue
from regulation.limits import APPROVAL, RECTIFICATION, REMINDER_DAYS, URGE, Clock
from regulation.rectifications import Response
from regulation.working_days import WorkingDays, missing_year
from runtime import clock
from runtime.database import transaction
from tasks.audit import record
from tasks.case.answers import record_answer
from tasks.case.calendars import recompute_deadlines, take_over_library_years, working_days
from tasks.case.numbers import desk_address
from tasks.case.questions import Question
from tasks.case.step import locked_case
from tasks.desk.kinds import CASE_LIMITS
from tasks.objections.questions import VerificationReply
from tasks.objections.verifications import SILENCE, pursue_at_rest
from tasks.office.officers import acting_officer, director
from tasks.office.staff_tasks import open_staff_task
from tasks.rectifications.questions import DepartmentResponse

OVERDUE = "overdue"
WHOSE = case((Deadline.limit_code == APPROVAL.code, Deadline.officer_no), else_=Case.officer_no)
"""Who keeps a limit: to approve is not the drafter's."""
LINES_IN_A_NOTICE = 100
"""Cases listed in one notice; the rest is a number. Nobody reads a longer list in an e-mail."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found: new reminders and new overdue limits (counts), and cases in which somebody outside stayed
    silent: those that have something to do now, and those that rest on (``pursued``)."""

    day: date
    working_day: bool
    near: int
    overdue: int
    silent: tuple[str, ...]
    pursued: tuple[str, ...]
    due_by_day: tuple[tuple[date, int], ...]


def sweep(at: datetime) -> Swept:
    """Remind of every running deadline that is near, tell the director of those that have passed.

    On a day off nothing happens. Reminders are rows keyed by deadline and kind, so a second sweep finds them given.
    What a sweep missed (the machine was off) is made up for by the next one with the days that are left then.
    """
    today = clock.local_date(at)
    with transaction() as session:
        calendar = working_days(session)
        if not calendar.is_working_day(today):
            return Swept(today, False, 0, 0, (), (), ())
        if (missing := missing_year(calendar, today)) is not None:
            what = f"{missing}年放假安排尚未录入：请运行“公布放假安排”，或升级holidays"
            open_staff_task(session, f"calendar:{missing}", None, what, at)
        # The library may have learned a year since these dates were counted.
        take_over_library_years(session, at)
        recompute_deadlines(session, "工作日历更新", at)
        near_kinds = {calendar.due_on(today, days) if days else today: str(days) for days in REMINDER_DAYS}
        running = select(Deadline.due_on, func.count()).where(Deadline.running, Deadline.due_on <= max(near_kinds))
        due_by_day = session.execute(running.group_by(Deadline.due_on).order_by(Deadline.due_on)).tuples().all()
        near, overdue = _Given(at), _Given(at)
        # Day by day: most mornings there is nothing new of most days that were missed.
        for day, number in due_by_day:
            if day < today:
                overdue.add(day, number, _remind(session, OVERDUE, day, at))
            elif day in near_kinds:
                near.add(day, number, _remind(session, near_kinds[day], day, at))
        if near.number:
            _tell_officers(session, near, today)
        if overdue.number:
            _tell_director(session, overdue, today)
        record(session, "case:deadline:swept", None, "system", at, near=near.number, overdue=overdue.number)
        silent = _silent(session, today)
    pursued = pursue_at_rest({case_no: turn for case_no, code, turn in silent if code == URGE.code}, at)
    rest_on = frozenset(pursued)
    ended = _end_waiting([each for each in silent if each[0] not in rest_on], at)
    return Swept(today, True, near.number, overdue.number, tuple(ended), tuple(pursued), tuple(due_by_day))


@dataclass
class _Given:
    """The reminders of a sweep: how many, of which days, and whether of everything that is running of these days."""

    at: datetime
    number: int = 0
    days: list[date] = field(default_factory=list)
    wholly: bool = True

    def add(self, day: date, running: int, reminded: int) -> None:
        """So many of a day's ``running`` limits were reminded of."""
        if reminded:
            self.number += reminded
            self.days.append(day)
        self.wholly &= reminded in (0, running)

    def found(self) -> Select[tuple[str, str, str, date, Clock]]:
        """What was reminded of: case, officer, limit, day and clock."""
        found = (
            select(Deadline.case_no, WHOSE.label("officer_no"), Deadline.limit_code, Deadline.due_on, Deadline.clock)
            .join(Case, Case.case_no == Deadline.case_no)
            .where(Deadline.running, Deadline.due_on.in_(self.days))
        )
        if self.wholly:
            return found
        given = select(Reminder.deadline_id).where(Reminder.deadline_id == Deadline.id, Reminder.at == self.at)
        return found.where(given.exists())


def _remind(session: Session, kind: str, day: date, at: datetime) -> int:
    """Put down a reminder of a kind for every running deadline of a day that has none; how many there were."""
    given = select(Reminder.deadline_id).where(Reminder.deadline_id == Deadline.id, Reminder.kind == kind)
    wanted = select(Deadline.id, literal(kind), bindparam("at", at, Reminder.at.type))
    wanted = wanted.where(Deadline.running, Deadline.due_on == day, ~given.exists())
    put_down = insert(Reminder).from_select(["deadline_id", "kind", "at"], wanted)
    done = session.execute(put_down, execution_options={"preserve_rowcount": True})
    return cast("CursorResult[Any]", done).rowcount


def _line(calendar: WorkingDays, today: date, found: Sequence[Any]) -> DeadlineLine:
    case_no, officer_no, limit_code, due_on, kept_by = found
    return DeadlineLine(
        case_no=case_no,
        limit=CASE_LIMITS[limit_code].label,
        due_on=due_on,
        left=calendar.time_left(today, due_on),
        statutory=kept_by is Clock.STATUTORY,
        officer_no=officer_no,
    )


def _tell_officers(session: Session, near: _Given, today: date) -> None:
    """One notice to whoever acts for the officers, with the earliest of what they were reminded of."""
    calendar = working_days(session)
    given = near.found()
    counted = given.with_only_columns(WHOSE, func.count(), maintain_column_froms=True)
    acting, of_all, lines = {}, Counter[str](), defaultdict[str, list[DeadlineLine]](list)
    for officer_no, number in session.execute(counted.group_by(WHOSE)).tuples():
        acting[officer_no] = acting_officer(session, officer_no, today)
        of_all[acting[officer_no].staff_no] += number
    missing = sum(min(number, LINES_IN_A_NOTICE) for number in of_all.values())
    in_order = given.order_by(Deadline.due_on, Deadline.case_no).execution_options(yield_per=LINES_IN_A_NOTICE)
    with session.execute(in_order) as found:
        for row in found:
            theirs = lines[acting[row.officer_no].staff_no]
            if len(theirs) < LINES_IN_A_NOTICE:
                theirs.append(_line(calendar, today, row))
                missing -= 1
            if not missing:
                break
    for officer in {officer.staff_no: officer for officer in acting.values()}.values():
        more = of_all[officer.staff_no] - len(lines[officer.staff_no])
        notice = DeadlinesNear(
            officer=officer.name, day=today, lines=lines[officer.staff_no], more=more, desk=desk_address()
        )
        queue(
            session,
            notice,
            officer.email,
            key=f"near:{near.at.isoformat()}:{officer.staff_no}",
            case_no=None,
            at=near.at,
        )


def _tell_director(session: Session, overdue: _Given, today: date) -> None:
    calendar, head = working_days(session), director(session)
    earliest = overdue.found().order_by(Deadline.due_on, Deadline.case_no).limit(LINES_IN_A_NOTICE)
    lines = [_line(calendar, today, row) for row in session.execute(earliest)]
    more = overdue.number - len(lines)
    notice = DeadlinesMissed(director=head.name, day=today, lines=lines, more=more, desk=desk_address(Role.DIRECTOR))
    queue(session, notice, head.email, key=f"missed:{overdue.at.isoformat()}", case_no=None, at=overdue.at)


@dataclass(frozen=True, slots=True)
class Silence:
    """What is recorded when nobody has answered a question within its limit."""

    question: type[Question]
    given: Mapping[str, str]


SILENCES = {
    URGE.code: Silence(VerificationReply, SILENCE),
    RECTIFICATION.code: Silence(DepartmentResponse, {"kind": Response.SILENT}),
}
"""By the limit's code: whose silence a story goes on with. A limit's turn is the question's."""


def _silent(session: Session, today: date) -> Sequence[tuple[str, str, int]]:
    """Cases (with the limit's code and the turn) in which somebody outside let a limit pass and for which nobody has
    answered yet.

    Whether the director was told does not matter here: a sweep that died in between must not silence a case for ever.
    """
    silent: list[tuple[str, str, int]] = []
    for code, silence in SILENCES.items():
        answered = select(Answer.id).where(
            Answer.case_no == Deadline.case_no,
            Answer.question == silence.question.question,
            Answer.turn == Deadline.turn,
            Answer.refusal.is_(None),
        )
        wanted = select(Deadline.case_no, Deadline.limit_code, Deadline.turn).where(
            Deadline.limit_code == code,
            Deadline.running,
            Deadline.due_on < today,
            ~answered.exists(),
        )
        silent += session.execute(wanted.order_by(Deadline.case_no)).tuples()
    return silent


def _end_waiting(silent: Sequence[tuple[str, str, int]], at: datetime) -> list[str]:
    """Answer for whoever let a limit pass: the silence is what the story goes on with (urge, escalate, return)."""
    ended = []
    for case_no, code, turn in silent:
        silence = SILENCES[code]
        with transaction() as session:
            case = locked_case(session, case_no)
            key = f"silent:{turn}:{case_no}"
            given = dict(silence.given)
            if record_answer(session, case, silence.question, turn, AnswerSource.TIME_LIMIT, key, given, at) is None:
                ended.append(case_no)
    return ended
