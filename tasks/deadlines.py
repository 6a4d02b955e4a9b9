"""The watch over running deadlines: reminders to officers, missed limits to the director, each once however often."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Row, insert, select
from sqlalchemy.orm import Session

from models.cases import Answer, AnswerSource, Case, Deadline, Reminder
from models.organisations import Role
from notifications.notices import DeadlineLine, DeadlinesMissed, DeadlinesNear
from notifications.outbox import queue
from regulation.limits import CASE_LIMITS, RECTIFICATION, REMINDER_DAYS, URGE, Clock
from regulation.rectifications import Response
from regulation.working_days import next_year_is_missing
from runtime import clock
from runtime.database import transaction
from tasks.answers import record_answer
from tasks.calendars import recompute_deadlines, take_over_library_years, working_days
from tasks.cases import desk_address
from tasks.objection_questions import ReplyKind, VerificationReply
from tasks.officers import acting_officer, director
from tasks.questions import Question
from tasks.rectification_questions import DepartmentResponse
from tasks.staff_tasks import open_staff_task
from tasks.step import locked_case, record

OVERDUE = "overdue"
LINES_IN_A_NOTICE = 100
"""Cases listed in one notice; the rest is a number. Nobody reads a longer list in an e-mail."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found: new reminders and new overdue limits (counts), and cases in which somebody
    outside stayed silent."""

    day: date
    working_day: bool
    near: int
    overdue: int
    silent: tuple[str, ...]
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
            return Swept(today, False, 0, 0, (), ())
        if next_year_is_missing(calendar, today):
            what = f"{today.year + 1}年放假安排尚未录入：请运行“公布放假安排”，或升级holidays"
            open_staff_task(session, f"calendar:{today.year + 1}", None, what, at)
        # The library may have learned a year since these dates were counted.
        take_over_library_years(session, at)
        recompute_deadlines(session, "工作日历更新", at)
        kinds: dict[str, tuple[date | None, date | None]] = {OVERDUE: (None, today)}
        next_day = today
        for days in sorted(REMINDER_DAYS):
            next_day = today if days == 0 else calendar.due_on(today, days)
            kinds[str(days)] = (next_day, None)
        found: dict[str, Sequence[Row[tuple[int, str, str, str, date, Clock]]]] = {
            kind: _unreminded(session, kind, on, before) for kind, (on, before) in kinds.items()
        }
        rows = [
            {"deadline_id": row.id, "kind": kind, "at": at} for kind, deadlines in found.items() for row in deadlines
        ]
        if rows:
            session.execute(insert(Reminder), rows)
        near = [row for kind, deadlines in found.items() if kind != OVERDUE for row in deadlines]
        _tell_officers(session, near, today, at)
        _tell_director(session, found[OVERDUE], today, at)
        record(session, "case:deadline:swept", None, "system", at, near=len(near), overdue=len(found[OVERDUE]))
        running = select(Deadline.due_on).where(Deadline.running, Deadline.due_on <= next_day)
        due_by_day = Counter(session.scalars(running))
        silent = _silent(session, today)
    return Swept(
        today, True, len(near), len(found[OVERDUE]), tuple(_end_waiting(silent, at)), tuple(sorted(due_by_day.items()))
    )


def _unreminded(
    session: Session, kind: str, on: date | None, before: date | None
) -> Sequence[Row[tuple[int, str, str, str, date, Clock]]]:
    given = select(Reminder.deadline_id).where(Reminder.deadline_id == Deadline.id, Reminder.kind == kind)
    wanted = (
        select(Deadline.id, Deadline.case_no, Case.officer_no, Deadline.limit_code, Deadline.due_on, Deadline.clock)
        .join(Case, Case.case_no == Deadline.case_no)
        .where(Deadline.running, ~given.exists())
        .order_by(Deadline.due_on, Deadline.case_no)
    )
    if on is not None:
        wanted = wanted.where(Deadline.due_on == on)
    if before is not None:
        wanted = wanted.where(Deadline.due_on < before)
    return session.execute(wanted).all()


def _lines(
    session: Session, rows: Sequence[Row[tuple[int, str, str, str, date, Clock]]], today: date
) -> list[DeadlineLine]:
    calendar = working_days(session)
    return [
        DeadlineLine(
            case_no=row.case_no,
            limit=CASE_LIMITS[row.limit_code].label,
            due_on=row.due_on,
            left=calendar.time_left(today, row.due_on),
            statutory=row.clock is Clock.STATUTORY,
            officer_no=row.officer_no,
        )
        for row in rows[:LINES_IN_A_NOTICE]
    ]


def _tell_officers(
    session: Session, rows: Sequence[Row[tuple[int, str, str, str, date, Clock]]], today: date, at: datetime
) -> None:
    by_officer: dict[str, list[Row[tuple[int, str, str, str, date, Clock]]]] = defaultdict(list)
    acting = {no: acting_officer(session, no, today) for no in {row.officer_no for row in rows}}
    for row in rows:
        by_officer[acting[row.officer_no].staff_no].append(row)
    for officer in {officer.staff_no: officer for officer in acting.values()}.values():
        due = by_officer[officer.staff_no]
        notice = DeadlinesNear(
            officer=officer.name,
            day=today,
            lines=_lines(session, due, today),
            more=max(0, len(due) - LINES_IN_A_NOTICE),
            desk=desk_address(),
        )
        queue(session, notice, officer.email, key=f"near:{at.isoformat()}:{officer.staff_no}", case_no=None, at=at)


def _tell_director(
    session: Session, rows: Sequence[Row[tuple[int, str, str, str, date, Clock]]], today: date, at: datetime
) -> None:
    if not rows:
        return
    head = director(session)
    notice = DeadlinesMissed(
        director=head.name,
        day=today,
        lines=_lines(session, rows, today),
        more=max(0, len(rows) - LINES_IN_A_NOTICE),
        desk=desk_address(Role.DIRECTOR),
    )
    queue(session, notice, head.email, key=f"missed:{at.isoformat()}", case_no=None, at=at)


@dataclass(frozen=True, slots=True)
class Silence:
    """What is recorded when nobody has answered a question within its limit."""

    question: type[Question]
    given: Mapping[str, str]


SILENCES = {
    URGE.code: Silence(VerificationReply, {"kind": ReplyKind.SILENT}),
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
            key = f"{case_no}:silent:{turn}"
            given = dict(silence.given)
            if record_answer(session, case, silence.question, turn, AnswerSource.TIME_LIMIT, key, given, at) is None:
                ended.append(case_no)
    return ended
