"""The second pair of eyes (审签): one officer's answer is a draft until another has approved it.

Who may approve is a director, or whom a director has named; whoever acts for them on leave does it for them. Nobody
approves what they drafted themselves, or what rests on something that they entered (``regulation/approvals.py``).
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar

from pydantic import Field
from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import Session

from models.cases import Answer, Case, Deadline
from models.organisations import Officer, Role
from notifications.notices import ApprovalAsked
from notifications.outbox import queue
from regulation.approvals import Opinion, may_approve
from regulation.limits import APPROVAL
from runtime import clock
from runtime.database import transaction
from runtime.refusals import InputError, RefusalError
from runtime.words import Words
from tasks.audit import record
from tasks.case.answers import answered, answers_so_far, last_accepted_answer
from tasks.case.deadlines import running_deadline, start_deadline
from tasks.case.numbers import desk_address, tell_officer
from tasks.case.questions import Asked, Needed, Question
from tasks.case.step import Step
from tasks.office.officers import acting_officers, director, officer_named
from tasks.office.staff_tasks import open_staff_task

IS_APPROVER = or_(Officer.role == Role.DIRECTOR, and_(Officer.approves, Officer.role == Role.OFFICER))
"""Whether an officer in service approves in their own right."""


class Approval(Question):
    """Asks whether a draft may stand. Its turn is that of the answer that it is about."""

    drafted: ClassVar[type[Question]]
    rests_on: ClassVar[tuple[type[Question], ...]] = ()
    """Further questions whose answers, entered by an officer, the draft rests on."""

    opinion: Opinion = Field(title="审签意见")
    reason: Words = Field("", title="审签说明", max_length=500)

    hints: ClassVar = {"reason": {Opinion.RETURNED: "写明怎样改，拟稿人会看到"}}
    needs: ClassVar = {"reason": Needed("opinion", {Opinion.RETURNED: "退回须说明理由"})}

    @classmethod
    def check_officer(cls, session: Session, officer: Officer, case: Case, today: date) -> None:
        """A director, or whom one has named, but nobody who took part."""
        entitled = entitled_by(session, today).get(officer.staff_no, set())
        if not entitled:
            raise RefusalError("已经拟稿，等待审签：由负责人或者负责人指定的审签人办理。")
        if not may_approve(officer.staff_no, entitled, cls.involved(session, case.case_no)):
            raise RefusalError("已经拟稿，等待审签：拟稿人、录入上级回复的人以及代理他们的人不能审签，须由另一人办理。")

    @classmethod
    def involved(cls, session: Session, case_no: str) -> set[str]:
        """Who drafted, in whichever turn, or entered what the draft rests on."""
        return set(session.scalars(select(Answer.officer_no).where(Answer.case_no == case_no, *cls._took_part())))

    @classmethod
    def _took_part(cls) -> tuple[ColumnElement[bool], ...]:
        questions = [each.question for each in (cls.drafted, *cls.rests_on)]
        return Answer.question.in_(questions), Answer.refusal.is_(None), Answer.officer_no.is_not(None)

    @classmethod
    def waits_for(cls, staff_no: str, entitled: Collection[str]) -> ColumnElement[bool]:
        """Of a case whether it waits for this approval, and an officer may give it: ``check_officer`` in SQL."""

        def took_part(who: str) -> ColumnElement[bool]:
            mine = select(Answer.id).where(Answer.case_no == Case.case_no, Answer.officer_no == who)
            return mine.where(*cls._took_part()).exists()

        entitling = or_(false(), *(~took_part(who) for who in entitled))
        return and_(Case.waiting_for.like(f"{cls.question}-%"), ~took_part(staff_no), entitling)

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
            try:
                draft.check(replace(asked, officer_no=""))
            except RefusalError as why:
                raise InputError.of("opinion", f"拟稿后情况有变，不能同意：{why}请退回重拟。") from None


def entitled_by(session: Session, today: date) -> dict[str, set[str]]:
    """By the staff number of everybody who may approve anything today, by whose right they do: their own, or that of
    those for whom they act."""
    wanted = select(Officer.staff_no).where(Officer.active, IS_APPROVER)
    acting, found = acting_officers(session, today), dict[str, set[str]]()
    for staff_no in session.scalars(wanted):
        for who in (staff_no, acting[staff_no].staff_no):
            found.setdefault(who, set()).add(staff_no)
    return found


def who_may_approve(session: Session, approval: type[Approval], case_no: str, today: date) -> list[Officer]:
    """Who may approve what a case waits with today, by staff number; nobody, where all took part."""
    involved = approval.involved(session, case_no)
    may = [who for who, by in sorted(entitled_by(session, today).items()) if may_approve(who, by, involved)]
    return [session.get_one(Officer, who) for who in may]


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
        open_staff_task(session, f"nobody-approves:{case.case_no}:{step.turn}", case.case_no, what, step.now)
    for officer in told or [head]:
        notice = ApprovalAsked(
            officer=officer.name,
            case_no=case.case_no,
            kind=case.kind.label,
            due_on=deadline.due_on,
            nobody=not told,
            desk=desk_address(),
        )
        key = f"approval:{step.today}:{officer.staff_no}" if told else f"nobody-approves:{case.case_no}:{step.turn}"
        queue(session, notice, officer.email, key=key, case_no=case.case_no, at=step.now)
    step.audit("case:approval:asked", question=approval.drafted.question, turn=step.turn)


def take_opinion(step: Step, approval: type[Approval]) -> bool:
    """Whether a draft was approved; one that was returned is its drafter's again."""
    deadline = running_deadline(step.session, step.case.case_no, APPROVAL)
    given = answered(step, approval, APPROVAL)
    wanted = select(Answer.officer_no).where(
        Answer.case_no == step.case.case_no,
        Answer.question == approval.question,
        Answer.turn == step.turn,
        Answer.refusal.is_(None),
    )
    if deadline is not None:
        deadline.officer_no = step.session.scalars(wanted).one()
    if given.opinion is Opinion.AGREED:
        step.audit("case:approval:given", question=approval.drafted.question, turn=step.turn)
        return True
    step.audit("case:approval:refused", question=approval.drafted.question, turn=step.turn)
    why = "审签退回，请看审签说明后重拟"
    tell_officer(step.session, step.case, why, f"{step.case.case_no}:{approval.question}:{step.turn}", step.now)
    return False


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
        tag = "officer:approver:named" if named else "officer:approver:ended"
        record(session, tag, None, by.staff_no, clock.now(), staff_no=officer.staff_no)
