"""The second pair of eyes (审签): one officer's answer is a draft until another has approved it.

Who may approve is a director, or whom a director has named; while a director is away, the substitute whom the leave
names, and nobody further on. Nobody approves what they drafted themselves, what rests on something that they entered,
or what somebody did for whom they act today (``regulation/approvals.py``).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, ClassVar

from pydantic import Field
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from models.cases import Answer, Case, Deadline, StaffTask
from models.organisations import Officer, Role
from models.records import AuditEntry
from notifications.notices import ApprovalAsked
from notifications.outbox import queue
from regulation.approvals import Opinion, may_approve
from regulation.limits import APPROVAL
from runtime import clock
from runtime.database import transaction
from runtime.refusals import InputError, RefusalError
from runtime.words import Words
from tasks.audit import record
from tasks.case.answers import answered, answers_so_far, last_accepted_answer, taken_answer
from tasks.case.deadlines import running_deadline, start_deadline
from tasks.case.numbers import desk_address, tell_officer
from tasks.case.questions import Asked, Needed, Question
from tasks.case.step import Step
from tasks.office.officers import acting_officers, director, officer_named, substitutes
from tasks.office.staff_tasks import open_staff_task

NOBODY_APPROVES = "nobody-approves:"
"""What the keys of matters begin with that are about a draft which nobody may approve."""
REASON = 5
"""Characters that a reason has at least."""
IS_APPROVER = or_(Officer.role == Role.DIRECTOR, and_(Officer.approves, Officer.role == Role.OFFICER))
"""Whether an officer in service approves in their own right."""


class Approval(Question):
    """Asks whether a draft may stand. Its turn is that of the answer that it is about."""

    drafted: ClassVar[type[Question]]
    rests_on: ClassVar[tuple[type[Question], ...]] = ()
    """Further questions whose answers, entered by an officer, the draft rests on."""
    typed: ClassVar[tuple[str, ...]] = ()
    """What the audit trail calls it that an officer typed in what somebody else said or wants."""

    opinion: Opinion = Field(title="审签意见")
    reason: Words = Field("", title="审签说明", max_length=500)

    hints: ClassVar = {"reason": {Opinion.RETURNED: "写明怎样改，拟稿人会看到"}}
    needs: ClassVar = {"reason": Needed("opinion", {Opinion.RETURNED: "退回须说明理由"})}

    @classmethod
    def check_officer(cls, session: Session, officer: Officer, case: Case, today: date) -> None:
        """Whoever has the right, but nobody who took part, nor who acts for them."""
        rights = Rights.of(session, today)
        if officer.staff_no not in rights.entitled:
            raise RefusalError("已经拟稿，等待审签：由负责人或者负责人指定的审签人办理。")
        if not rights.may(officer.staff_no, cls.involved(session, case.case_no)):
            raise RefusalError(
                "已经拟稿，等待审签：拟稿人、登记异议、录入回复的人以及代理他们的人不能审签，须由另一人办理。"
            )

    @classmethod
    def involved(cls, session: Session, case_no: str) -> set[str]:
        """Who drafted, in whichever turn, or entered what the draft rests on, the case itself included."""
        answered = select(Answer.officer_no).where(Answer.case_no == case_no, *cls._took_part())
        typed = select(AuditEntry.actor).where(AuditEntry.case_no == case_no, AuditEntry.tag.in_(cls.typed))
        return {who for who in session.scalars(answered.union_all(typed)) if who is not None}

    @classmethod
    def _took_part(cls) -> tuple[ColumnElement[bool], ...]:
        questions = [each.question for each in (cls.drafted, *cls.rests_on)]
        return Answer.question.in_(questions), Answer.refusal.is_(None), Answer.officer_no.is_not(None)

    @classmethod
    def waits_for(cls, stands_for: Collection[str]) -> ColumnElement[bool]:
        """Of a case whether it waits for this approval, and whoever acts for these officers may give it, if they have
        the right: ``check_officer`` in SQL."""
        answered = select(Answer.id).where(Answer.case_no == Case.case_no, Answer.officer_no.in_(sorted(stands_for)))
        typed = select(AuditEntry.id).where(AuditEntry.case_no == Case.case_no, AuditEntry.tag.in_(cls.typed))
        took_part = (
            answered.where(*cls._took_part()).exists() | typed.where(AuditEntry.actor.in_(sorted(stands_for))).exists()
        )
        return and_(Case.waiting_for.like(f"{cls.question}-%"), ~took_part)

    @classmethod
    def needs_reason(cls, session: Session, case_no: str) -> str:
        """Why whoever agrees has to say why, in Chinese; empty: they need not."""
        return ""

    @classmethod
    def draft(cls, session: Session, case_no: str) -> Mapping[str, Any]:
        """The answer that is to be approved."""
        given = last_accepted_answer(session, case_no, cls.drafted.question)
        if given is None:
            raise LookupError(f"{case_no}没有等待审签的拟稿。")
        return given

    def check(self, asked: Asked) -> None:
        super().check(asked)
        if self.opinion is Opinion.AGREED:
            draft = self.drafted.model_validate(self.draft(asked.session, asked.case.case_no))
            if (why := self.needs_reason(asked.session, asked.case.case_no)) and len(self.reason) < REASON:
                raise InputError.of("reason", f"{why}（至少{REASON}个字）。")
            try:
                draft.check(replace(asked, officer_no=""))
            except RefusalError as changed:
                raise InputError.of("opinion", f"拟稿后情况有变，不能同意：{changed}请退回重拟。") from None


@dataclass(frozen=True, slots=True)
class Rights:
    """Who may approve anything on a day, and by whose right (``entitled``, their own staff number where it is theirs);
    and for whom everybody acts that day, themselves included."""

    acting: Mapping[str, Officer]
    """Who acts for each officer (``acting_officers``)."""
    entitled: Mapping[str, str]
    stands_for: Mapping[str, Set[str]]

    @classmethod
    def of(cls, session: Session, today: date) -> "Rights":
        acting = acting_officers(session, today)
        stands_for = defaultdict[str, set[str]](set)
        for own, acts in acting.items():
            stands_for[own].add(own)
            stands_for[acts.staff_no].add(own)
        approvers = session.scalars(select(Officer).where(Officer.active, IS_APPROVER).order_by(Officer.staff_no)).all()
        named = substitutes(session, today)
        # A leave is filed by who is away, or by a director: only a director's passes the right on, and to nobody but
        # the one whom it names.
        entitled = {
            acting[each.staff_no].staff_no: each.staff_no
            for each in approvers
            if each.role is Role.DIRECTOR and acting[each.staff_no].staff_no == named.get(each.staff_no)
        }
        return cls(acting, entitled | {each.staff_no: each.staff_no for each in approvers}, stands_for)

    def may(self, staff_no: str, involved: Collection[str]) -> bool:
        """Whether somebody may approve what these took part in."""
        return may_approve(staff_no in self.entitled, self.stands_for[staff_no], involved)


def who_may_approve(session: Session, approval: type[Approval], case_no: str, today: date) -> list[Officer]:
    """Who may approve what a case waits with today, by staff number; nobody, where all took part."""
    involved, rights = approval.involved(session, case_no), Rights.of(session, today)
    return [session.get_one(Officer, who) for who in sorted(rights.entitled) if rights.may(who, involved)]


def check_approved(step: Step, approval: type[Approval]) -> None:
    """Raise ``RuntimeError`` unless the last draft was approved: no story comes here otherwise."""
    case_no = step.case.case_no
    given = last_accepted_answer(step.session, case_no, approval.question)
    drafts, opinions = (answers_so_far(step.session, case_no, each.question) for each in (approval.drafted, approval))
    if given is None or given["opinion"] != Opinion.AGREED or opinions > drafts:
        raise RuntimeError(f"{case_no}的拟稿没有经过审签。")


def submit(step: Step, approval: type[Approval]) -> None:
    """Put a draft before those who may approve it, each of whom is told once a day; where nobody is left, a director
    hears that somebody has to be named."""
    session, case = step.session, step.case
    told = who_may_approve(session, approval, case.case_no, step.today)
    before = session.scalar(
        select(func.count(Deadline.id)).where(Deadline.case_no == case.case_no, Deadline.limit_code == APPROVAL.code)
    )
    deadline = start_deadline(session, case.case_no, APPROVAL, step.today, (before or 0) + 1)
    # It is not the drafter's to keep.
    head = director(session)
    deadline.officer_no = told[0].staff_no if told else head.staff_no
    if not told:
        what = f"办件{case.case_no}的拟稿没有人可以审签（可以审签的都参与了拟稿），请另行指定审签人"
        open_staff_task(session, f"{NOBODY_APPROVES}{case.case_no}:{step.turn}", case.case_no, what, step.now)
    for officer in told or [head]:
        notice = _asks(officer, case, deadline.due_on, nobody=not told)
        key = f"approval:{step.today}:{officer.staff_no}" if told else f"{NOBODY_APPROVES}{case.case_no}:{step.turn}"
        queue(session, notice, officer.email, key=key, case_no=case.case_no, at=step.now)
    step.audit("case:approval:asked", question=approval.drafted.question, turn=step.turn)


def _asks(officer: Officer, case: Case, due_on: date, nobody: bool = False) -> ApprovalAsked:
    return ApprovalAsked(
        officer=officer.name,
        case_no=case.case_no,
        kind=case.kind.label,
        due_on=due_on,
        nobody=nobody,
        desk=desk_address(),
    )


def take_opinion(step: Step, approval: type[Approval]) -> bool:
    """Whether a draft was approved. Of one that was returned ``hand_back`` tells its drafter."""
    deadline = running_deadline(step.session, step.case.case_no, APPROVAL)
    given = answered(step, approval, APPROVAL)
    taken = taken_answer(step.session, step.case.case_no, approval.question, step.turn)
    if taken is None:
        raise LookupError(f"{step.case.case_no}没有审签意见。")
    by = str(taken.officer_no)
    if deadline is not None:
        deadline.officer_no = by
    tasks = StaffTask.key.startswith(f"{NOBODY_APPROVES}{step.case.case_no}:")
    for task in step.session.scalars(select(StaffTask).where(tasks, StaffTask.done_at.is_(None))):
        task.done_at, task.done_by_no, task.note = step.now, by, "已经审签"
    right_of = Rights.of(step.session, step.today).entitled.get(by, by)
    agreed = given.opinion is Opinion.AGREED
    tag = "case:approval:given" if agreed else "case:approval:refused"
    step.audit(tag, question=approval.drafted.question, turn=step.turn, by_no=by, right_of=right_of)
    return agreed


def hand_back(step: Step, approval: type[Approval]) -> None:
    """Tell whose case it is that a draft was returned, once its limits run anew."""
    why = "审签退回，退回的理由在办件页的办理一栏上方，请重拟"
    tell_officer(step.session, step.case, why, f"{step.case.case_no}:{approval.question}:{step.turn}", step.now)


def returned(session: Session, case_no: str, approval: type[Approval], turn: int) -> tuple[str, str] | None:
    """Who returned the draft before this turn and why, if it was returned."""
    answer = taken_answer(session, case_no, approval.question, turn - 1)
    if answer is None or answer.given["opinion"] != Opinion.RETURNED:
        return None
    return str(answer.officer_no), str(answer.given["reason"])


def approves_as(officer: Officer) -> str:
    """By what right somebody approves, as staff read it."""
    return str(officer.role) if officer.role is Role.DIRECTOR else "负责人指定"


def check_approver(officer: Officer, named: bool) -> None:
    """Raise ``InputError`` for whoever cannot be named to approve, or is not named."""
    if officer.role is Role.AUDITOR:
        raise InputError("审计人员只能查看，不能审签，请另选一人。")
    if officer.role is Role.DIRECTOR:
        raise InputError("负责人都可以审签，不用指定，也不能收回。")
    if officer.approves == named:
        raise InputError(f"工号{officer.staff_no}{'已经指定，不用重复' if named else '没有指定过，不用收回'}。")


def name_approver(staff_no: str, named: bool, by: Officer) -> None:
    """Let an officer approve what others draft, or no longer, for a director. Raises ``RefusalError`` for anybody else,
    ``InputError`` as ``check_approver``."""
    if by.role is not Role.DIRECTOR:
        raise RefusalError("审签人由负责人指定。")
    with transaction() as session:
        officer = officer_named(session, staff_no, "审签人")
        check_approver(officer, named)
        officer.approves = named
        if named:
            _tell_of_waiting(session, officer, clock.now())
        tag = "officer:approver:named" if named else "officer:approver:ended"
        record(session, tag, None, by.staff_no, clock.now(), staff_no=officer.staff_no)


def _tell_of_waiting(session: Session, officer: Officer, at: datetime) -> None:
    """Tell whoever was just named of the most urgent draft that waits."""
    wanted = select(Deadline, Case).join(Case, Case.case_no == Deadline.case_no)
    waits = Case.waiting_for.like("approve-%"), Deadline.limit_code == APPROVAL.code, Deadline.running
    first = session.execute(wanted.where(*waits).order_by(Deadline.due_on, Deadline.id).limit(1)).tuples().first()
    if first is None:
        return
    deadline, case = first
    notice = _asks(officer, case, deadline.due_on)
    queue(session, notice, officer.email, key=f"approval:{at.isoformat()}:{officer.staff_no}", case_no=None, at=at)
