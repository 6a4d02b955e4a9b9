"""Officers: who is meant, who may act on a case, and who gets the next one."""

import heapq
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Date, bindparam, func, select
from sqlalchemy.orm import Session

from models.cases import Case
from models.organisations import Leave, Officer, Role
from runtime.refusals import InputError, RefusalError

NO_AUDITOR = "审计人员只能查看，不能办理；请由经办人办理。"

LISTED = 20
"""Staff numbers that a refusal lists."""


_DAY = bindparam("day", type_=Date)
OFFICER = select(Officer).where(Officer.staff_no == bindparam("staff_no"))
SUBSTITUTE = (
    select(Leave.substitute_no)
    .where(Leave.staff_no == bindparam("staff_no"), _DAY.between(Leave.from_on, Leave.until_on))
    .order_by(Leave.id.desc())
    .limit(1)
)
AWAY_UNTIL = (
    select(Leave.until_on)
    .where(Leave.staff_no == bindparam("staff_no"), _DAY.between(Leave.from_on, Leave.until_on))
    .order_by(Leave.id.desc())
    .limit(1)
)
_LOAD = (
    select(Case.officer_no, func.count().label("open"))
    .where(Case.closed_at.is_(None))
    .group_by(Case.officer_no)
    .subquery()
)
_AWAY = select(Leave.staff_no).where(_DAY.between(Leave.from_on, Leave.until_on))
BY_LOAD = (
    select(Officer.staff_no.in_(_AWAY), func.coalesce(_LOAD.c.open, 0), Officer.staff_no)
    .outerjoin(_LOAD, _LOAD.c.officer_no == Officer.staff_no)
    .where(Officer.active, Officer.role == Role.OFFICER, Officer.staff_no != bindparam("but_not"))
)
"""Officers: whether they are away, how many open cases they have, and their staff number."""


def officer_named(session: Session, text: str, what: str = "工号") -> Officer:
    """The officer in service with this staff number, or with a name that has ``text`` in it as no other has.

    Raises ``InputError``, which says in which field (``what``) it is, and lists by their numbers those that may be
    meant: a refusal stands in Prefect, where no name belongs.
    """
    text = text.strip()
    there = {officer.staff_no: officer for officer in session.scalars(select(Officer).where(Officer.active))}
    if text.upper() in there:
        return there[text.upper()]
    having = sorted(no for no, officer in there.items() if len(text) >= 2 and text in officer.name)
    if len(having) == 1:
        return there[having[0]]
    if having:
        raise InputError(f"{what}：有多名在职工作人员符合，请填写其中一个工号：{'、'.join(having)}。")
    raise InputError(f"{what}：没有这名在职工作人员，请填写其中一个工号：{'、'.join(sorted(there)[:LISTED])}。")


def officers_there(session: Session, *, auditors: bool = False) -> dict[str, str]:
    """Who is in service, by staff number, in the words of a form that asks for one of them: ``auditors`` only where
    whoever reads may be meant, too."""
    there = select(Officer).where(Officer.active).order_by(Officer.staff_no)
    some = (each for each in session.scalars(there) if auditors or each.role is not Role.AUDITOR)
    return {each.staff_no: f"{each.staff_no} {each.name}（{each.role}）" for each in some}


def acting_officer(session: Session, staff_no: str, on: date) -> Officer:
    """The officer who acts for ``staff_no`` on a day: themselves, or their substitute while they are on leave.

    A substitute who is away too is represented in turn; where that leads back to the start, or to an auditor, a
    director acts.
    """
    seen: list[str] = []
    while staff_no not in seen:
        seen.append(staff_no)
        substitute = session.scalar(SUBSTITUTE, {"staff_no": staff_no, "day": on})
        if substitute is None:
            officer = session.scalar(OFFICER, {"staff_no": staff_no})
            if officer is not None and officer.active and officer.role is not Role.AUDITOR:
                return officer
            break
        staff_no = substitute
    return director(session)


def substitutes(session: Session, on: date) -> dict[str, str]:
    """Whom the leaves of a day name to act, by who is away, in staff numbers: an officer's last filed leave counts."""
    away = select(Leave.staff_no, Leave.substitute_no).where(Leave.from_on <= on, Leave.until_on >= on)
    return dict(session.execute(away.order_by(Leave.id)).tuples().all())


def acting_officers(session: Session, on: date) -> dict[str, Officer]:
    """For every officer who ever was on file, who acts for them on a day (``acting_officer``): for lists of cases."""
    officers = {each.staff_no: each for each in session.scalars(select(Officer))}
    stands_in = substitutes(session, on)

    def acting(staff_no: str) -> Officer:
        seen: list[str] = []
        while staff_no not in seen and staff_no in stands_in:
            seen.append(staff_no)
            staff_no = stands_in[staff_no]
        officer = officers.get(staff_no)
        return officer if officer is not None and officer.active and staff_no not in seen else director(session)

    return {staff_no: acting(staff_no) for staff_no in officers}


@dataclass(frozen=True, slots=True)
class Absence:
    """That an officer is away: until which day, and who acts for them meanwhile."""

    until_on: date
    acting: Officer

    def __str__(self) -> str:
        return f"休假至{self.until_on}，由工号{self.acting.staff_no}代理"

    def of(self, officer: Officer) -> str:
        """The same with the names of both."""
        return f"{officer.name}（{officer.staff_no}）{self}（{self.acting.name}）"


def absence(session: Session, staff_no: str, on: date) -> Absence | None:
    """Whether an officer is away on a day; ``None`` for one who is there."""
    until_on = session.scalar(AWAY_UNTIL, {"staff_no": staff_no, "day": on})
    return Absence(until_on, acting_officer(session, staff_no, on)) if until_on is not None else None


def officer_names(session: Session) -> dict[str, str]:
    """The name of everybody who ever was on file, by staff number."""
    return dict(session.execute(select(Officer.staff_no, Officer.name)).tuples().all())


def director(session: Session) -> Officer:
    """The director who hears of missed limits. ``LookupError`` when the Center has none on file."""
    found = session.scalar(
        select(Officer).where(Officer.role == Role.DIRECTOR, Officer.active).order_by(Officer.staff_no)
    )
    if found is None:
        raise LookupError("没有在册的负责人，请先维护工作人员名册。")
    return found


def check_may_act(session: Session, officer: Officer, case: Case, on: date) -> None:
    """Raise ``RefusalError`` unless the officer is the case's own, stands in for them today, or is a director."""
    if officer.role is Role.AUDITOR:
        raise RefusalError(NO_AUDITOR)
    own = officer.role is Role.DIRECTOR or officer.staff_no == case.officer_no
    if own or officer.staff_no == acting_officer(session, case.officer_no, on).staff_no:
        return
    raise RefusalError(f"本件由工号{case.officer_no}办理；如需代办，请先办理移交或休假代理。")


def officer_by_load(session: Session, on: date, but_not: str = "") -> str:
    """``officers_by_load`` for one case."""
    return officers_by_load(session, on, 1, but_not)[0]


def officers_by_load(session: Session, on: date, cases: int, but_not: str = "") -> list[str]:
    """For so many cases, one after the other, the staff number of the officer at work with the fewest open ones (the
    lowest number where several have). ``but_not`` is who must not have them; where nobody else is there, a director
    has them."""
    ranked = list(session.connection().execute(BY_LOAD, {"day": on, "but_not": but_not}).tuples())
    if not ranked:
        return [director(session).staff_no] * cases
    heapq.heapify(ranked)
    given = []
    for _ in range(cases):
        is_away, has, staff_no = ranked[0]
        given.append(staff_no)
        heapq.heapreplace(ranked, (is_away, has + 1, staff_no))
    return given
