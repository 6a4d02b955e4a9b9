"""What nobody asks for and somebody has to see to (待阅事项)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Select, func, or_, select

from models.cases import Case, StaffTask
from models.organisations import Officer
from runtime.database import reading
from tasks.desk.to_do import PAGE, R, Today, pages_of


class Whose(StrEnum):
    """Whose matters are listed."""

    MINE = "mine"
    """Of the cases of the officer and of whom they stand in for, and of no case: somebody has to."""
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Matter:
    """Something to see to."""

    id: int
    case_no: str | None
    what: str
    opened_at: datetime
    officer: Officer | None
    """Who acts on its case today; ``None`` where it is of no case."""


@dataclass(frozen=True, slots=True)
class Matters:
    """A page of them, the oldest first, and how many there are."""

    rows: tuple[Matter, ...]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return pages_of(self.total)


def matters(staff_no: str, whose: Whose = Whose.ALL, page: int = 1) -> Matters:
    """What is open for staff to see to. Of a page that there is not, the last one."""
    with reading() as session:
        today = Today.of(session)
        wanted = _open(select(StaffTask, Case.officer_no), staff_no, whose, today)
        total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
        page = min(page, pages_of(total))
        some = wanted.order_by(StaffTask.id).limit(PAGE).offset((page - 1) * PAGE)
        rows = tuple(
            Matter(each.id, each.case_no, each.what, each.opened_at, today.acting[no] if no else None)
            for each, no in session.execute(some).tuples()
        )
        return Matters(rows, total, page)


def number_of_matters(staff_no: str) -> int:
    """How many of an officer's own are open, for the menu."""
    with reading() as session:
        wanted = _open(select(func.count(StaffTask.id)), staff_no, Whose.MINE, Today.of(session))
        return session.scalar(wanted) or 0


def _open(selected: Select[R], staff_no: str, whose: Whose, today: Today) -> Select[R]:
    """``selected`` of what is open for staff to see to, with the cases that it is of."""
    wanted = selected.select_from(StaffTask).outerjoin(Case, Case.case_no == StaffTask.case_no)
    wanted = wanted.where(StaffTask.done_at.is_(None))
    if whose is Whose.MINE:
        wanted = wanted.where(or_(StaffTask.case_no.is_(None), Case.officer_no.in_(today.whom_for(staff_no))))
    return wanted
