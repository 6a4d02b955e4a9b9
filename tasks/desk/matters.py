"""What nobody asks for and somebody has to see to (待阅事项)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from models.cases import Case, StaffTask
from models.organisations import Officer, Role
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import RefusalError
from tasks.audit import record
from tasks.case.approvals import NOBODY_APPROVES
from tasks.desk.door import SignedIn
from tasks.desk.postings import waiting_matters
from tasks.desk.to_do import PAGE, R, Today, pages_of
from tasks.objections.questions import OutcomeApproval
from tasks.objections.steps import DISAGREEMENT
from tasks.office.officers import NO_AUDITOR


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
    by_letter: bool
    """Whether it ends in 邮寄登记, signed, and nowhere else."""


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
        found = session.execute(some).tuples().all()
        waiting = waiting_matters(session, [each for each, _ in found])
        rows = tuple(
            Matter(
                each.id,
                each.case_no,
                each.what,
                each.opened_at,
                today.acting[no] if no else None,
                each.id in waiting,
            )
            for each, no in found
        )
        return Matters(rows, total, page)


def see_to(number: int, note: str, by: SignedIn) -> None:
    """Note that an officer has seen to a matter and how. Doing it again changes nothing.

    Raises ``RefusalError`` for an unknown number, for an auditor, for a matter of somebody else's case, and for one
    that ends with its letter.
    """
    with transaction() as session:
        now, officer = clock.now(), session.get_one(Officer, by.staff_no)
        if officer.role is Role.AUDITOR:
            raise RefusalError(NO_AUDITOR)
        matter = session.get(StaffTask, number, with_for_update=True)
        if matter is None:
            raise RefusalError(f"没有序号为{number}的待阅事项，请对照“待阅事项”列表更正。")
        if matter.done_at is not None:
            return
        _check_is_theirs(session, matter, officer)
        if waiting_matters(session, [matter]):
            raise RefusalError("这一事项要等通知送到：请在“邮寄登记”登记寄出，或者写明怎样另行告知。")
        matter.done_at, matter.done_by_no, matter.note = now, by.staff_no, note
        record(session, "staff-task:matter:done", matter.case_no, by.staff_no, now, number=number)


def _check_is_theirs(session: Session, matter: StaffTask, officer: Officer) -> None:
    """A matter of a case is for who acts on it today, or for a director. That the objector disagrees with an outcome is
    for who may approve one; that nobody may is for directors."""
    today = Today.of(session)
    if matter.key.startswith(DISAGREEMENT):
        if not today.rights.may(officer.staff_no, OutcomeApproval.involved(session, str(matter.case_no))):
            raise RefusalError("申请人的不同意见由没有参与拟稿的负责人或者审签人登记处理情况。")
        return
    if officer.role is Role.DIRECTOR:
        return
    if matter.key.startswith(NOBODY_APPROVES):
        raise RefusalError("没有人可以审签的，由负责人另行指定审签人。")
    if matter.case_no is None:
        return
    acts = today.acting[session.get_one(Case, matter.case_no).officer_no]
    if acts.staff_no != officer.staff_no:
        raise RefusalError(f"这是{acts.name}（{acts.staff_no}）的办件的事项，由其本人或者负责人登记处理情况。")


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
        disagreed = StaffTask.key.startswith(DISAGREEMENT)
        nobody = StaffTask.key.startswith(NOBODY_APPROVES)
        theirs = or_(StaffTask.case_no.is_(None), Case.officer_no.in_(today.whom_for(staff_no)))
        mine: list[ColumnElement[bool]] = [theirs & ~disagreed & ~nobody]
        mine += [disagreed] if staff_no in today.rights.entitled else []
        mine += [nobody] if staff_no in today.directors else []
        wanted = wanted.where(or_(*mine))
    return wanted
