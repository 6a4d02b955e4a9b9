"""The steps of a rectification (督促整改, Article 17), from a finding to its end."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Deadline
from models.findings import Finding
from models.organisations import Department, Role
from models.rectifications import Rectification
from notifications import notices
from notifications.notices import DayLine, ToMend
from regulation.finding_rules import RULES
from regulation.limits import EXTENSION_REVIEW, FINDING_DECISION, RECHECK, RECTIFICATION
from regulation.rectifications import (
    STAGES,
    Conclusion,
    ExtensionVerdict,
    Stage,
    bounds,
    is_escalated,
)
from runtime.settings import settings
from tasks.case.answers import accepted_answer, answered, answered_on, meet_by_answer
from tasks.case.calendars import working_days
from tasks.case.deadlines import move_to, start_deadline
from tasks.case.department_links import new_link
from tasks.case.department_mail import tell_department
from tasks.case.numbers import desk_address, end_case, tell_officer
from tasks.case.step import Step, durable, locked_case
from tasks.office.officers import director
from tasks.rectifications.questions import DepartmentResponse, ExtensionDecision, FinalStanding, FindingDecision


def finding_of(session: Session, case_no: str) -> Finding:
    """The finding of a case that is known to exist."""
    return session.scalars(select(Finding).where(Finding.case_no == case_no)).one()


def first_of(session: Session, finding: Finding) -> Finding | None:
    """The first finding of which this one is a repeat, however many lie between; ``None`` when it is no repeat."""
    first = None
    while finding.repeats_id is not None:
        first = finding = session.get_one(Finding, finding.repeats_id)
    return first


def rectification_link(token: str) -> str:
    """The address under which a department reads what was found and answers."""
    return f"{settings().public_url}/rectifications/{token}"


def finding_cleared(session: Session, case_no: str, at: datetime) -> bool:
    """A finding's cause is gone by itself: a case that nobody has decided on ends with that, in the caller's
    transaction and without a notice; of any other its recheck will see it. Whether the case has ended."""
    case = locked_case(session, case_no)
    if case.closed_at is not None:
        return False
    if case.stage != Stage.FOUND:
        if case.stage == Stage.ESCALATED:
            tell_officer(session, case, "问题的原因已经消除，请核实并登记", f"{case_no}:cleared:{at.isoformat()}", at)
        return False
    step = Step(session, case, "finding_cleared", 1, "system", at)
    step.move(STAGES, Stage.GONE)
    step.audit("rectification:finding:gone")
    end_case(step, case)
    return True


@durable("问题不成立")
def dismiss_finding(step: Step) -> None:
    """End a case whose finding the officer does not hold up; the department, which knows nothing of it, is not told."""
    step.move(STAGES, Stage.DISMISSED)
    meet_by_answer(step, FindingDecision, FINDING_DECISION)
    _let_go(step)
    step.audit("rectification:finding:dismissed")
    end_case(step, step.case)


@durable("通知部门整改")
def order_rectification(step: Step) -> None:
    """Tell the department what was found and until when it is to be mended."""
    step.move(STAGES, Stage.MENDING)
    decision = answered(step, FindingDecision, FINDING_DECISION)
    finding = finding_of(step.session, step.case.case_no)
    row = Rectification(
        case_no=step.case.case_no,
        department_uscc=finding.department_uscc,
        severity=decision.severity,
        requirement=decision.reason,
        ordered_on=step.today,
        **new_link(Rectification),
    )
    step.session.add(row)
    step.session.flush()
    deadline = _set_limit(step, decision.days, 1)
    earlier = first_of(step.session, finding)
    tell(
        step,
        row,
        notices.RectificationOrdered,
        facts=finding.facts,
        severity=decision.severity,
        requirement=decision.reason,
        first_on=finding.first_on,
        times=finding.times,
        earlier_case=earlier.case_no if earlier else "",
        earlier_on=earlier.first_on if earlier else None,
        due_on=deadline.due_on,
        provisional=deadline.provisional,
        explanation=_explained(step, deadline),
    )
    step.audit("rectification:case:ordered", severity=decision.severity, due_on=str(deadline.due_on))


@durable("登记延期申请")
def take_extension(step: Step) -> None:
    """Put the department's request for an extension before the officer."""
    on = answered_on(step.session, step.case.case_no, DepartmentResponse.question, step.turn)
    start_deadline(step.session, step.case.case_no, EXTENSION_REVIEW, on, step.turn)
    tell_officer(step.session, step.case, "部门申请延期整改", f"{step.case.case_no}:extension", step.now)
    step.audit("rectification:extension:asked", days=answered(step, DepartmentResponse).days)


@durable("答复延期申请")
def settle_extension(step: Step) -> str:
    """Move the limit by what was granted, or leave it; the department is told. The stage, which stays."""
    meet_by_answer(step, ExtensionDecision, EXTENSION_REVIEW)
    # As it stands on record: one that became moot is no officer's answer.
    decision = accepted_answer(step.session, step.case.case_no, ExtensionDecision.question, step.turn) or {}
    deadline = _limit(step)
    # The limit waits for the department's next word from here on.
    deadline.turn = step.turn + 1
    verdict = ExtensionVerdict(decision["verdict"])
    if verdict is ExtensionVerdict.GRANT:
        _extend(step, deadline, answered(step, DepartmentResponse).days)
    if verdict is not ExtensionVerdict.MOOT:
        row = step.session.get_one(Rectification, step.case.case_no)
        tell(
            step,
            row,
            notices.ExtensionDecided,
            granted=verdict is ExtensionVerdict.GRANT,
            reason=decision["reason"],
            due_on=deadline.due_on,
            provisional=deadline.provisional,
        )
    step.audit("rectification:extension:settled", verdict=verdict)
    return step.case.stage


def _extend(step: Step, deadline: Deadline, days: int) -> None:
    deadline.days += days
    move_to(step.session, deadline, f"同意延期{days}个工作日", step.now)


@durable("登记逾期未答复")
def note_silence(step: Step) -> str:
    """The department let its limit pass: a failure. The stage that the case is in now."""
    deadline = _limit(step)
    deadline.lapsed_on = step.today
    deadline.missed_by = working_days(step.session).working_days_between(deadline.due_on, step.today)
    step.audit("rectification:department:silent", due_on=str(deadline.due_on))
    return failed(step, f"至{deadline.due_on}截止日没有答复整改情况。", None)


@durable("收到整改情况")
def take_response(step: Step) -> None:
    """Put up for recheck what the department says it has done."""
    step.move(STAGES, Stage.RECHECK)
    on = meet_by_answer(step, DepartmentResponse, RECTIFICATION)
    start_deadline(step.session, step.case.case_no, RECHECK, on, step.turn)
    step.audit("rectification:department:answered")


@durable("督查通报后办结")
def conclude(step: Step) -> None:
    """End an escalated case as the officer says it ended; the department is told."""
    final = answered(step, FinalStanding)
    if final.conclusion is Conclusion.MENDED:
        mended(step, final.reason)
        return
    step.move(STAGES, Stage.HANDED_OVER)
    _let_go(step)
    _close(step, final.reason)


def _let_go(step: Step) -> None:
    """A finding that no program looks for again would stay open for ever: what is found after this is another."""
    finding = finding_of(step.session, step.case.case_no)
    if not RULES[finding.rule].rerun:
        finding.cleared_on = finding.cleared_on or step.today


def mended(step: Step, why: str) -> str:
    """End a case, and its finding, because the matter is mended; the stage that it is in now."""
    step.move(STAGES, Stage.MENDED)
    finding = finding_of(step.session, step.case.case_no)
    # What is found again from now on is a finding of its own, a repeat of this one.
    finding.cleared_on = finding.cleared_on or step.today
    _close(step, why)
    return step.case.stage


def _close(step: Step, why: str) -> None:
    row = step.session.get_one(Rectification, step.case.case_no)
    tell(step, row, notices.RectificationClosed, outcome=step.case.stage, reason=why)
    step.audit("rectification:case:closed", outcome=step.case.stage)
    end_case(step, step.case)


def failed(step: Step, why: str, days: int | None) -> str:
    """Send a case back with a new limit (``days``; ``None``: the fewest that its severity allows), or, when it has
    failed too often, put it on the district government's list; the stage that it is in now."""
    row = step.session.get_one(Rectification, step.case.case_no)
    row.failures += 1
    row.returned_for = why
    if is_escalated(row.failures):
        step.move(STAGES, Stage.ESCALATED)
        tell(step, row, notices.RectificationEscalated, reason=why, failures=row.failures)
        head, said = director(step.session), about(step.session, row) | {"link": desk_address(Role.DIRECTOR)}
        notice = notices.RectificationEscalated(recipient=head.name, **said, reason=why, failures=row.failures)
        step.notify(notice, head.email, about="director")
        step.audit("rectification:case:escalated", failures=row.failures)
        return step.case.stage
    step.move(STAGES, Stage.MENDING)
    deadline = _set_limit(step, days or bounds(row.severity)[0], step.turn + 1)
    tell(
        step,
        row,
        notices.RectificationReturned,
        reason=why,
        due_on=deadline.due_on,
        provisional=deadline.provisional,
        explanation=_explained(step, deadline),
    )
    step.audit("rectification:case:returned", due_on=str(deadline.due_on))
    return step.case.stage


def _set_limit(step: Step, days: int, turn: int) -> Deadline:
    return start_deadline(step.session, step.case.case_no, replace(RECTIFICATION, value=days), step.today, turn)


def _explained(step: Step, deadline: Deadline) -> list[DayLine]:
    days = working_days(step.session).explain(deadline.starts_on, deadline.days)
    return [DayLine(**day._asdict()) for day in days]


def _limit(step: Step) -> Deadline:
    """The department's running limit."""
    wanted = select(Deadline).where(
        Deadline.case_no == step.case.case_no, Deadline.limit_code == RECTIFICATION.code, Deadline.running
    )
    return step.session.scalars(wanted).one()


def about(session: Session, row: Rectification) -> dict[str, Any]:
    """What every notice about a rectification names, but for its recipient."""
    rule = RULES[finding_of(session, row.case_no).rule]
    return {
        "department": session.get_one(Department, row.department_uscc).name,
        "case_no": row.case_no,
        "problem": rule.title,
        "article": rule.article,
        "link": rectification_link(row.token),
    }


def tell(step: Step, row: Rectification, notice: type[ToMend], **said: Any) -> None:
    """Send the department of a rectification a notice of this kind."""
    facts = about(step.session, row) | said
    tell_department(step, row.department_uscc, lambda recipient: notice(recipient=recipient, **facts))
