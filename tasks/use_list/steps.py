"""Proposals for the use list (Article 9): registered as they were proposed, reviewed by staff, taken over line by
line."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.cases import CaseKind
from models.certificates import CertificateType
from models.organisations import Department
from models.use_lists import ProposedLine, UseListProposal
from notifications.notices import EntryLine, UseListDecided
from notifications.rendering import full_date
from regulation.limits import USE_LIST_REVIEW
from regulation.use_lists import (
    STAGE_AFTER,
    STAGES,
    Stage,
    Terms,
    Verdict,
    in_force_from,
    line_numbers,
)
from runtime import clock
from runtime.database import transaction
from tasks.case.answers import answered
from tasks.case.department_mail import tell_department
from tasks.case.numbers import announce, end_case, locked_counter, next_number, opening
from tasks.case.step import Step, durable
from tasks.case.submissions import came_before
from tasks.use_list.proposals import check_lines
from tasks.use_list.questions import UseListReview
from tasks.use_list.standing import Identity, end_entry, put_version

LINES_IN_A_NOTICE = 100


@dataclass(frozen=True, slots=True)
class Proposed:
    """A registered proposal: its case number and how many lines it has."""

    case_no: str
    lines: int


def register_proposal(
    department_uscc: str,
    rows: Sequence[tuple[int, object]],
    submission_key: str,
    actor: str,
    skip_unchanged: bool = False,
) -> Proposed:
    """Register a proposal in one transaction, all of its lines or none; handing it in again under
    ``submission_key`` returns the first one. Raises what ``check_lines`` and ``came_before`` raise."""
    with transaction() as session:
        now = clock.now()
        today = clock.local_date(now)
        if came_before(session, CaseKind.USE_LIST, submission_key, department_uscc, rows, skip_unchanged):
            wanted = select(UseListProposal.case_no).where(UseListProposal.submission_key == submission_key)
            known = session.scalars(wanted).one()
            counted = select(func.count()).where(ProposedLine.case_no == known)
            return Proposed(known, session.scalars(counted).one())
        counter = locked_counter(session, CaseKind.USE_LIST, today.year)
        lines = check_lines(session, department_uscc, rows, today, skip_unchanged)
        case_no = next_number(counter)
        step = opening(session, case_no, Stage.PROPOSED, "register_proposal", actor, now)
        proposal = UseListProposal(case_no=case_no, submission_key=submission_key, department_uscc=department_uscc)
        session.add(proposal)
        session.flush()
        for line in lines:
            session.add(
                ProposedLine(
                    case_no=case_no,
                    line=line.number,
                    item_code=line.identity.item_code,
                    item_name=line.terms.item_name,
                    type_code=line.identity.type_code,
                    scenario=line.identity.scenario,
                    fields=line.terms.fields,
                    holder_alone=line.terms.holder_alone,
                    authorisation=line.terms.authorisation,
                    ended=line.ended,
                    in_force_from=line.in_force_from,
                )
            )
        step.audit("use-list:proposal:registered", department=department_uscc, lines=len(lines))
        announce(step, "新提出的用证清单", USE_LIST_REVIEW)
        return Proposed(case_no, len(lines))


def proposal_of(session: Session, case_no: str) -> UseListProposal:
    """The proposal of a case that is known to exist."""
    return session.get_one(UseListProposal, case_no)


def lines_of(session: Session, case_no: str) -> Sequence[ProposedLine]:
    """A proposal's lines in their order."""
    return session.scalars(
        select(ProposedLine).where(ProposedLine.case_no == case_no).order_by(ProposedLine.line)
    ).all()


def proposed_terms(line: ProposedLine) -> Terms:
    return Terms(line.item_name, line.fields, line.holder_alone, line.authorisation)


@durable("审核结果入清单")
def carry_out_review(step: Step) -> None:
    """Take over what the review approved as new versions, keep of the rest why not, and tell the department."""
    case_no = step.case.case_no
    review = answered(step, UseListReview, USE_LIST_REVIEW)
    step.move(STAGES, STAGE_AFTER[review.verdict])
    uscc = proposal_of(step.session, case_no).department_uscc
    department = step.session.get_one(Department, uscc, with_for_update=True)
    lines = lines_of(step.session, case_no)
    not_taken = {line.line for line in lines} if review.verdict is Verdict.NONE else set(line_numbers(review.refused))
    entries, taken, refused = [], [], []
    for line in lines:
        if line.line in not_taken:
            line.refused = review.reason
            refused.append(_told(step.session, line, "停用" if line.ended else "新增或变更"))
            continue
        from_on = in_force_from(line.in_force_from, step.today)
        change = end_entry if line.ended else put_version
        which = Identity(uscc, line.item_code, line.type_code, line.scenario)
        entries.append(change(step.session, which, proposed_terms(line), from_on, step.now, case_no))
        taken.append(_told(step.session, line, f"自{full_date(from_on)}起{'停用' if line.ended else '生效'}"))
    step.audit(
        "use-list:proposal:decided",
        department=uscc,
        verdict=review.verdict,
        taken=len(taken),
        refused=len(refused),
        entries=entries,
    )
    tell_department(
        step,
        uscc,
        lambda recipient: UseListDecided(
            recipient=recipient,
            department=department.name,
            case_no=case_no,
            verdict=review.verdict,
            taken=taken[:LINES_IN_A_NOTICE],
            refused=refused[:LINES_IN_A_NOTICE],
            more=max(0, len(taken) - LINES_IN_A_NOTICE) + max(0, len(refused) - LINES_IN_A_NOTICE),
            reason=review.reason if refused else "",
        ),
    )
    end_case(step, step.case)


def _told(session: Session, line: ProposedLine, what: str) -> EntryLine:
    kind = session.get_one(CertificateType, line.type_code)
    item = f"{line.item_name}（{line.item_code}）"
    return EntryLine(line=line.line, item=item, certificate=kind.name, scenario=line.scenario, what=what)
