"""What waits at the desk: open cases by how urgent they are, whose they are and what is asked (待办), and who has to
bring spot checks' results.

Names are masked here; the page of a case shows them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import groupby
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, false, func, not_, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from models.cases import Case, CaseKind, Deadline
from models.objections import Objection
from models.organisations import Department, Officer, Role
from models.spot_checks import SpotCheckTeam
from regulation.limits import URGENT_DAYS
from regulation.rectifications import Stage
from regulation.spot_checks import TeamStage
from regulation.working_days import WEEKDAYS, WorkingDays
from runtime import clock
from runtime.database import in_pieces, reading
from tasks.case.approvals import Approval, Rights
from tasks.case.calendars import working_days
from tasks.case.kind import Brief
from tasks.case.questions import Question
from tasks.desk.kinds import KINDS, QUESTIONS
from tasks.office.departments import department_names
from tasks.office.officers import absence, officer_names

R = TypeVar("R", bound=tuple[Any, ...])

PAGE = 50
"""Cases on a page of the list."""
DEPARTMENTS = 2
"""Departments that a row names; of more it says how many they are."""


class Whose(StrEnum):
    """Whose cases are listed."""

    MINE = "mine"
    """Those of the officer, and of whom they stand in for today."""
    ALL = "all"
    DIRECTORS = "directors"
    """What a director sees to: cases of directors, missed limits, what went to the district government."""


class What(StrEnum):
    """What is done about them."""

    DECIDE = "待决定"
    AWAIT = "等待他人"
    UNDER_WAY = "系统正在办理"


class Urgency(StrEnum):
    """How soon something is due."""

    OVERDUE = "超期"
    TODAY = "今天"
    SOON = "两日内"
    LATER = "以后"
    NEVER = "没有期限"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the list somebody wants to see; empty: whatever."""

    whose: Whose = Whose.MINE
    what: What | None = None
    kind: CaseKind | None = None
    stage: str = ""
    department_uscc: str = ""
    officer_no: str = ""
    urgency: Urgency | None = None
    page: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """A case on the list."""

    case_no: str
    kind: CaseKind
    stage: str
    brief: Brief
    departments: tuple[str, ...]
    asks: str
    """What is asked or waited for."""
    received_on: date
    due_on: date | None
    until: str
    urgency: Urgency
    officer_no: str
    """Who acts on it today."""
    officer_name: str
    own_no: str
    """Whose case it is."""
    own_name: str
    goes_on_for: tuple[str, ...]
    """Whose objections were joined to one that was withdrawn."""

    @property
    def about(self) -> str:
        """What tells it from the next: what it is about, with the department where that does not say it."""
        known = (self.brief.subject, self.brief.detail)
        others = [name for name in self.departments if name not in known]
        if len(others) > DEPARTMENTS:
            others = [f"{len(others)}个部门"]
        return " · ".join(filter(None, (self.brief.subject, self.brief.person, self.brief.detail, *others)))


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is to choose from: each what is stored and what people read."""

    kinds: tuple[tuple[str, str], ...]
    stages: tuple[tuple[str, str], ...]
    """Those of the chosen kind, if one is."""
    departments: tuple[tuple[str, str], ...]
    officers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of the list, what there is of each urgency on all of them, and how many cases rest in batches."""

    rows: tuple[Row, ...]
    numbers: Mapping[Urgency, int]
    resting: int
    page: int

    @property
    def groups(self) -> list[tuple[Urgency, list[Row]]]:
        """The rows by how urgent they are, which is their order."""
        return [(urgency, list(rows)) for urgency, rows in groupby(self.rows, lambda row: row.urgency)]

    @property
    def total(self) -> int:
        return sum(self.numbers.values())

    @property
    def pages(self) -> int:
        return pages_of(self.total)


DUE = (
    select(Deadline.case_no, func.min(Deadline.due_on).label("due_on"))
    .where(Deadline.running)
    .group_by(Deadline.case_no)
    .subquery()
)
# A joined objection is decided with the case that it was joined to.
OPEN = and_(
    Case.closed_at.is_(None), Case.case_no.not_in(select(Objection.case_no).where(Objection.lead_case_no.is_not(None)))
)
_AWAITS = or_(*(Case.waiting_for.like(f"{each.question}-%") for each in QUESTIONS.values() if each.awaits))
_concerned = union_all(*(kind.concerned for kind in KINDS.values() if kind.concerned is not None)).subquery()
_case_no, _uscc = _concerned.c


def pages_of(total: int) -> int:
    """How many pages so many cases fill; one at least."""
    return max(1, -(-total // PAGE))


def of_cases(selected: Select[R]) -> Select[R]:
    """``selected`` of cases, with their earliest limit (``DUE``)."""
    return selected.select_from(Case).outerjoin(DUE, DUE.c.case_no == Case.case_no)


APPROVALS = tuple(each for each in QUESTIONS.values() if issubclass(each, Approval))
_APPROVAL = or_(*(Case.waiting_for.like(f"{each.question}-%") for each in APPROVALS))


def waits_for_staff() -> ColumnElement[bool]:
    """Whether a case waits for a decision, not for what somebody else has to bring."""
    return and_(Case.waiting_for.is_not(None), not_(_AWAITS))


@dataclass(frozen=True, slots=True)
class Today:
    """What the list has to know of a day."""

    day: date
    calendar: WorkingDays
    soon: date
    """The last day that is called soon."""
    names: Mapping[str, str]
    """Every officer by staff number."""
    rights: Rights
    """Who may approve what others draft."""
    directors: Set[str]
    """The staff numbers of the directors in service."""

    @classmethod
    def of(cls, session: Session) -> "Today":
        today, calendar = clock.today(), working_days(session)
        soon = calendar.due_on(today, URGENT_DAYS.value)
        in_service = select(Officer.staff_no).where(Officer.role == Role.DIRECTOR, Officer.active)
        directors = set(session.scalars(in_service))
        return cls(today, calendar, soon, officer_names(session), Rights.of(session, today), directors)

    @property
    def acting(self) -> Mapping[str, Officer]:
        """Who acts for each officer."""
        return self.rights.acting

    def to_approve(self, staff_no: str) -> ColumnElement[bool]:
        """Whether a case waits for an approval that somebody may give."""
        if staff_no not in self.rights.entitled:
            return false()
        return or_(*(each.waits_for(self.rights.stands_for[staff_no]) for each in APPROVALS))

    def urgency(self, due_on: date | None) -> Urgency:
        """How urgent what is due on a day is."""
        if due_on is None:
            return Urgency.NEVER
        if due_on <= self.day:
            return Urgency.OVERDUE if due_on < self.day else Urgency.TODAY
        return Urgency.SOON if due_on <= self.soon else Urgency.LATER

    def whom_for(self, staff_no: str) -> list[str]:
        """The officers for whom somebody acts, themselves included."""
        return [own for own, acts in self.acting.items() if acts.staff_no == staff_no]


def listed(staff_no: str, wanted: Wanted) -> Listed:
    """What waits, as an officer wants to see it: the earliest first. A page that there is not is empty."""
    with reading() as session:
        today = Today.of(session)
        waiting, resting = _waiting(session, staff_no, wanted, today)
        numbers = Counter(urgency for _, urgency in waiting)
        first = (wanted.page - 1) * PAGE
        rows = rows_of(session, [case_no for case_no, _ in waiting[first : first + PAGE]], today)
        return Listed(tuple(rows), numbers, resting, wanted.page)


def every_row(session: Session, staff_no: str, wanted: Wanted) -> Iterator[Row]:
    """As ``listed``, of all pages."""
    today = Today.of(session)
    waiting, _ = _waiting(session, staff_no, wanted, today)
    for some in in_pieces([case_no for case_no, _ in waiting]):
        yield from rows_of(session, some, today)


def _waiting(session: Session, staff_no: str, wanted: Wanted, today: Today) -> tuple[list[tuple[str, Urgency]], int]:
    """The numbers of all cases that are wanted, the earliest first, with how urgent they are, and how many more rest.
    One look at them is cheaper than one to count them and one to order them."""
    found = of_cases(select(Case.case_no, DUE.c.due_on, Case.at_rest)).where(*_narrowed(staff_no, wanted, today))
    ordered = found.order_by(DUE.c.due_on.is_(None), DUE.c.due_on, Case.case_no)
    waiting, resting = [], 0
    for case_no, due_on, rests in session.execute(ordered).tuples():
        urgency = today.urgency(due_on)
        if wanted.urgency in (None, urgency):
            resting += rests
            if not rests:
                waiting.append((case_no, urgency))
    return waiting, resting


def choices(staff_no: str, wanted: Wanted) -> Choices:
    """What one can choose from among the cases that are listed when nothing else is chosen, and what is chosen."""
    with reading() as session:
        today = Today.of(session)
        scope = list(_narrowed(staff_no, Wanted(whose=wanted.whose), today))
        there, theirs = select(Case.kind, Case.stage, Case.officer_no).distinct(), select(_uscc).distinct()
        # Only there limits count, and to read them takes time.
        if wanted.whose is Whose.DIRECTORS:
            there, theirs = of_cases(there), of_cases(theirs)
        found = session.execute(there.where(*scope)).tuples().all()
        theirs = theirs.where(*scope, _case_no == Case.case_no)
        names = department_names(session)
        departments = {*session.scalars(theirs), wanted.department_uscc} & names.keys()
    kinds = {wanted.kind, *(kind for kind, *_ in found)}
    stages = {wanted.stage, *(stage for kind, stage, _ in found if wanted.kind in (None, kind))}
    officers = {each.staff_no: each.name for each in today.acting.values()}
    acting = {wanted.officer_no, *(today.acting[own].staff_no for *_, own in found)} & officers.keys()
    return Choices(
        tuple((kind.value, kind.label) for kind in CaseKind if kind in kinds),
        tuple((stage, stage) for stage in sorted(filter(None, stages))),
        tuple((uscc, names[uscc]) for uscc in sorted(departments, key=names.__getitem__)),
        tuple((each, f"{each} {officers[each]}") for each in sorted(acting)),
    )


def known_names(department_uscc: str, staff_no: str) -> set[str]:
    """Which of the two there is."""
    with reading() as session:
        departments = session.scalars(select(Department.uscc).where(Department.uscc == department_uscc))
        return {*departments, *session.scalars(select(Officer.staff_no).where(Officer.staff_no == staff_no))}


def rows_of(session: Session, case_nos: Sequence[str], today: Today) -> list[Row]:
    """Cases as the list shows them, in this order: what is said of them comes a kind at a time, not a case at a
    time."""
    cases = {each.case_no: each for each in session.scalars(select(Case).where(Case.case_no.in_(case_nos)))}
    limits = select(Deadline.case_no, func.min(Deadline.due_on)).where(Deadline.case_no.in_(case_nos), Deadline.running)
    due = dict(session.execute(limits.group_by(Deadline.case_no)).tuples().all())
    going_on, departments = _going_on(session, case_nos), _departments(session, case_nos)
    leads = select(Objection.case_no, Objection.lead_case_no).where(Objection.case_no.in_(case_nos))
    joined = dict(session.execute(leads.where(Objection.lead_case_no.is_not(None))).tuples().all())
    by_kind: dict[CaseKind, list[str]] = defaultdict(list)
    for case_no in case_nos:
        by_kind[cases[case_no].kind].append(case_no)
    briefs: dict[str, Brief] = {}
    for kind, some in by_kind.items():
        briefs |= KINDS[kind].sheet.briefs(session, some)
    return [
        Row(
            each.case_no,
            each.kind,
            each.stage,
            briefs[each.case_no],
            tuple(departments.get(each.case_no, ())),
            f"并入{joined[each.case_no]}办理" if each.case_no in joined and not each.closed_at else asks_of(each),
            each.received_on,
            due.get(each.case_no),
            until(due.get(each.case_no), today.day, today.calendar),
            today.urgency(due.get(each.case_no)),
            today.acting[each.officer_no].staff_no,
            today.acting[each.officer_no].name,
            each.officer_no,
            today.names[each.officer_no],
            tuple(going_on.get(each.case_no, ())),
        )
        for each in map(cases.__getitem__, case_nos)
    ]


def _departments(session: Session, case_nos: Sequence[str]) -> dict[str, list[str]]:
    """The names of the departments that cases are about."""
    wanted = select(_case_no, Department.name).join(Department, Department.uscc == _uscc)
    found: dict[str, list[str]] = defaultdict(list)
    for case_no, name in session.execute(wanted.where(_case_no.in_(case_nos)).order_by(Department.name)).tuples():
        found[case_no].append(name)
    return found


def next_to_decide(staff_no: str, but_not: str) -> str | None:
    """The most urgent case that waits for this officer's decision, ``but_not`` the one that they come from."""
    with reading() as session:
        narrowed = _narrowed(staff_no, Wanted(what=What.DECIDE), Today.of(session))
        wanted = of_cases(select(Case.case_no)).where(*narrowed, ~Case.at_rest, Case.case_no != but_not)
        return session.scalar(wanted.order_by(DUE.c.due_on.is_(None), DUE.c.due_on, Case.case_no).limit(1))


def _narrowed(staff_no: str, wanted: Wanted, today: Today) -> Iterator[ColumnElement[bool]]:
    """All that is wanted but for the urgency, which follows from the calendar."""
    yield OPEN
    if wanted.whose is Whose.MINE:
        yield or_(Case.officer_no.in_(today.whom_for(staff_no)), today.to_approve(staff_no))
    elif wanted.whose is Whose.DIRECTORS:
        directors = {each.staff_no for each in today.acting.values() if each.role is Role.DIRECTOR}
        theirs = Case.officer_no.in_([own for own, acts in today.acting.items() if acts.staff_no in directors])
        yield or_(theirs, DUE.c.due_on < today.day, Case.stage == Stage.ESCALATED)
    if wanted.officer_no:
        yield Case.officer_no.in_(today.whom_for(wanted.officer_no))
    if wanted.kind is not None:
        yield Case.kind == wanted.kind
    if wanted.stage:
        yield Case.stage == wanted.stage
    if wanted.department_uscc:
        yield Case.case_no.in_(select(_case_no).where(_uscc == wanted.department_uscc))
    # What one has drafted oneself waits for somebody else.
    others = and_(_APPROVAL, not_(today.to_approve(staff_no))) if wanted.whose is Whose.MINE else false()
    match wanted.what:
        case What.UNDER_WAY:
            yield Case.waiting_for.is_(None)
        case What.DECIDE:
            yield and_(waits_for_staff(), not_(others))
        case What.AWAIT:
            yield and_(Case.waiting_for.is_not(None), or_(_AWAITS, others))


def _going_on(session: Session, case_nos: Sequence[str]) -> dict[str, list[str]]:
    """By those of the cases whose own objector withdrew, the objections that they go on for."""
    lead = aliased(Objection)
    wanted = (
        select(Objection.lead_case_no, Objection.case_no)
        .join(lead, lead.case_no == Objection.lead_case_no)
        .where(Objection.lead_case_no.in_(case_nos), lead.withdrawn_at.is_not(None), Objection.withdrawn_at.is_(None))
    )
    found: dict[str, list[str]] = defaultdict(list)
    for lead_case_no, case_no in session.execute(wanted.order_by(Objection.case_no)).tuples():
        found[str(lead_case_no)].append(case_no)
    return found


def receivers() -> list[tuple[str, str]]:
    """Who can be given cases, by staff number: their names, how many cases are open in their name, how many of those
    are late, and whether they are away."""
    with reading() as session:
        today = clock.today()
        late = func.count().filter(DUE.c.due_on < today)
        counted = of_cases(select(Case.officer_no, func.count(), late)).where(OPEN).group_by(Case.officer_no)
        open_of = {no: numbers for no, *numbers in session.execute(counted).tuples()}
        there = select(Officer).where(Officer.active, Officer.role != Role.AUDITOR).order_by(Officer.staff_no)
        found = []
        for each in session.scalars(there):
            has, overdue = open_of.get(each.staff_no, (0, 0))
            away = absence(session, each.staff_no, today)
            said = f"在办{has}件，超期{overdue}件{f'；{away}' if away is not None else ''}"
            found.append((each.staff_no, f"{each.staff_no} {each.name}（{said}）"))
        return found


def asked_of(waiting: Case) -> tuple[type[Question], int] | None:
    """The question and the turn that a case waits for; ``None`` when it waits for nothing."""
    if waiting.closed_at is not None or not waiting.waiting_for:
        return None
    name, _, turn = waiting.waiting_for.rpartition("-")
    return QUESTIONS[name], int(turn)


def asks_of(waiting: Case) -> str:
    """What a case waits for, in words."""
    if waiting.closed_at is not None:
        return "已办结"
    if waiting.at_rest:
        return "批量异议中等待"
    asked = asked_of(waiting)
    if asked is not None and issubclass(asked[0], Approval):
        return f"等待{asked[0].called()}"
    return What.UNDER_WAY if asked is None else asked[0].awaits or asked[0].asks


def until(due_on: date | None, today: date, calendar: WorkingDays) -> str:
    """A due date as people read it, with its weekday and the working days left."""
    if due_on is None:
        return "—"
    return f"{due_on}（周{WEEKDAYS[due_on.weekday()]}），{calendar.time_left(today, due_on)}"


@dataclass(frozen=True, slots=True)
class Inspection:
    """A team of a spot check whose results are still to be entered or confirmed."""

    case_no: str
    department: str
    inspectors: Mapping[str, str]
    """Who may do it: names by staff number."""
    what: str
    until: str


def inspections() -> list[Inspection]:
    """What inspectors have to bring, by case."""
    with reading() as session:
        today, calendar = clock.today(), working_days(session)
        due = select(func.min(Deadline.due_on)).where(Deadline.case_no == SpotCheckTeam.case_no, Deadline.running)
        wanted = (
            select(SpotCheckTeam, due.scalar_subquery())
            .join(Case, Case.case_no == SpotCheckTeam.case_no)
            .where(Case.closed_at.is_(None), SpotCheckTeam.stage != TeamStage.CONFIRMED)
            .order_by(SpotCheckTeam.case_no, SpotCheckTeam.department_uscc)
        )
        names, staff = department_names(session), officer_names(session)
        return [
            Inspection(
                team.case_no,
                names[team.department_uscc],
                {no: staff[no] for no in team.inspectors if no != team.entered_by or team.stage is TeamStage.CHECKING},
                "登记检查结果" if team.stage is TeamStage.CHECKING else "确认检查结果",
                until(due_on, today, calendar),
            )
            for team, due_on in session.execute(wanted).tuples()
        ]
