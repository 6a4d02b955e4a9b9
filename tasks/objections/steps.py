"""The steps of an objection (Article 12), from its initial review to the notice of its outcome."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BindParameter, and_, bindparam, or_, select
from sqlalchemy.orm import Session

from models.cases import AnswerSource, Case, Deadline, StepRecord
from models.certificates import Certificate, CertificateType
from models.objections import Objection, Supplement
from notifications import notices
from regulation.limits import (
    INITIAL_REVIEW,
    OUTCOME_NOTICE,
    SUPPLEMENT,
    URGE,
    VERIFICATION_REQUEST,
)
from regulation.objections import (
    CORRECTING,
    DISPUTED,
    STAGES,
    Capacity,
    Outcome,
    Stage,
    may_withdraw,
)
from runtime import clock
from runtime.database import in_pieces, reading, transaction
from runtime.keys import keys
from runtime.refusals import InputError, RefusalError
from runtime.settings import settings
from tasks.audit import record
from tasks.case.answers import (
    accepted_answer,
    answered,
    last_accepted_answer,
    last_answered_on,
    meet_by_answer,
    record_answer,
)
from tasks.case.approvals import check_approved, hand_back, submit, take_opinion
from tasks.case.attachments import File, keep_files
from tasks.case.deadlines import meet_deadline, meet_deadlines, start_deadline
from tasks.case.marks import mark_cases
from tasks.case.numbers import end_case, tell_officer
from tasks.case.step import Step, Steps, alone, durable, locked_case, locked_cases, move, once_within, recorded
from tasks.case.submissions import came_before
from tasks.objections.changes import CHANGED, Change, last_change, was_known
from tasks.objections.claims import claims_of, decided_before, states_anything_new
from tasks.objections.hearings import tell_holders, tell_of_end
from tasks.objections.named import link_to_register
from tasks.objections.questions import (
    InitialReview,
    OutcomeApproval,
    OutcomeDecision,
    ReviewApproval,
    SupplementKind,
    SupplementReceived,
    decision_of,
    finding_of,
    found_wrong,
    reply_answer,
    same_value,
    value_decided,
)
from tasks.objections.source_checks import ask_sources
from tasks.objections.ways import contact_of, tell_all_former
from tasks.office.staff_tasks import open_staff_task
from tasks.register.types import find_type, has_source_above, objectionable
from tasks.register.versions import (
    CURRENT_VERSION,
    AlreadySaidError,
    Corrected,
    as_row,
    correct,
    names_on,
    set_holders,
    supersede,
)

OBJECTIONS = (
    select(Case, Objection)
    .join(Objection, Objection.case_no == Case.case_no)
    .order_by(Case.case_no)
    .with_for_update(of=Case)
    .execution_options(populate_existing=True)
)
OTHERS = "他人"
DISAGREEMENT = "disagreement:"
"""What the keys of matters begin with that are about an objector's disagreement."""
LEAD = select(Objection.lead_case_no).where(Objection.case_no == bindparam("case_no"))
JOINED = OBJECTIONS.where(Objection.lead_case_no == bindparam("case_no"), Case.closed_at.is_(None))
SUPPLEMENTS_ASKED = (
    select(StepRecord.result)
    .where(StepRecord.case_no == bindparam("case_no"), StepRecord.step == "request_supplement")
    .order_by(StepRecord.turn)
)
CASES: BindParameter[Any] = bindparam("case_nos", expanding=True)
PARTIES = OBJECTIONS.where(
    Objection.withdrawn_at.is_(None),
    or_(Objection.case_no.in_(CASES), and_(Objection.lead_case_no.in_(CASES), Case.closed_at.is_(None))),
)
"""A case before what joins it, which comes later and has a higher number."""
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When a copy was read that must be read again before anybody relies on it."""
VERIFICATION_DEADLINES = select(Deadline).where(
    Deadline.case_no.in_(CASES), Deadline.limit_code == VERIFICATION_REQUEST.code
)


@dataclass(frozen=True, slots=True)
class Party:
    """An objector of a case: the lead's own, or one whose objection was joined to it (并案)."""

    case: Case
    objection: Objection

    @property
    def to(self) -> str:
        """Where this objector's notices go."""
        return contact_of(self.objection).to

    @property
    def about(self) -> dict[str, Any]:
        """What every notice to this objector names."""
        link = status_link(self.objection.token)
        return {
            "case_no": self.case.case_no,
            "certificate": self.objection.public_type,
            "link": link,
            "acting": acting(self.objection.acts_as),
        }


def acting(capacity: Capacity | None, for_whom: str = OTHERS) -> str:
    """In which capacity somebody acts for another, as their letters say it; empty where they do for themselves. A name
    that was typed stands in no e-mail."""
    return f"您以{capacity}的身份代{for_whom}办理。" if capacity is not None else ""


def status_link(token: str) -> str:
    """The address under which an objector follows the case."""
    return f"{settings().public_url}/objections/{token}"


def objection_of(session: Session, case_no: str) -> Objection:
    """The objection of a case that is known to exist."""
    return session.get_one(Objection, case_no)


def joined_to(session: Session, lead_case_no: str) -> list[Party]:
    """The open objections that were joined to a case, oldest first; locked, since their objectors may withdraw."""
    return [Party(case, objection) for case, objection in session.execute(JOINED, {"case_no": lead_case_no})]


def parties(step: Step) -> list[Party]:
    """Everyone who gets the notices of a case: its objector, unless they withdrew, and those whose objections were
    joined to it. The first is who is asked and answered; an open case has one."""
    return parties_of(step.session, (step.case,))[step.case.case_no]


def parties_of(session: Session, cases: Sequence[Case]) -> dict[str, list[Party]]:
    """``parties`` of many cases, by their numbers."""
    found: dict[str, list[Party]] = {case.case_no: [] for case in cases}
    for some in in_pieces(list(found)):
        for case, objection in session.execute(PARTIES, {"case_nos": some}).tuples():
            whose = case.case_no if case.case_no in found else str(objection.lead_case_no)
            found[whose].append(Party(case, objection))
    return found


def _verdict(step: Step) -> InitialReview:
    """What the review ended with, in whichever turn: what was written in an earlier one asked for a supplement, and may
    have been meant for somebody else."""
    return InitialReview.model_validate(last_accepted_answer(step.session, step.case.case_no, InitialReview.question))


def _reviewed(session: Session, *case_nos: str) -> None:
    """The review's limit is met on the day of the last verdict."""
    meet_deadlines(session, last_answered_on(session, case_nos, InitialReview.question), INITIAL_REVIEW)


@durable("告知补正")
def request_supplement(step: Step) -> str:
    """Ask the objector for what is missing, with a limit of its own; the statutory clock is not stopped by it. Returns
    the number of whose objection it was asked for."""
    step.move(STAGES, Stage.SUPPLEMENT)
    review = answered(step, InitialReview, INITIAL_REVIEW)
    deadline = start_deadline(step.session, step.case.case_no, SUPPLEMENT, step.today, step.turn)
    party = parties(step)[0]
    step.notify(
        notices.SupplementRequested(
            **party.about,
            what=review.reason,
            due_on=deadline.due_on,
            provisional=deadline.provisional,
            days=deadline.days,
        ),
        party.to,
        party.case.case_no,
    )
    step.audit("objection:supplement:requested", due_on=str(deadline.due_on))
    return party.case.case_no


@durable("收到补正")
def take_supplement(step: Step) -> None:
    """Go back to the initial review with what the objector added, or with the word that nothing will come."""
    step.move(STAGES, Stage.REGISTERED)
    on = meet_by_answer(step, SupplementReceived, SUPPLEMENT)
    start_deadline(step.session, step.case.case_no, INITIAL_REVIEW, on, step.turn + 1)
    step.audit("objection:supplement:taken")


@durable("初审意见报请审签")
def submit_review(step: Step) -> None:
    """Put a verdict that ends the objection before another: the reviewer has done their part in time."""
    _reviewed(step.session, step.case.case_no)
    submit(step, ReviewApproval)


@durable("初审意见审签")
def take_review_approval(step: Step) -> bool:
    """Whether the verdict stands; where it was returned, it is reviewed anew within the same time as the first."""
    approved = take_opinion(step, ReviewApproval)
    if not approved:
        start_deadline(step.session, step.case.case_no, INITIAL_REVIEW, step.today, step.turn + 1)
        hand_back(step, ReviewApproval)
    return approved


@durable("处理结果报请审签")
def submit_outcome(step: Step) -> None:
    """Put a drafted outcome before another."""
    submit(step, OutcomeApproval)


@durable("处理结果审签")
def take_outcome_approval(step: Step) -> bool:
    """Whether the outcome stands."""
    approved = take_opinion(step, OutcomeApproval)
    if not approved:
        hand_back(step, OutcomeApproval)
    return approved


@durable("不予受理")
def decline_objection(step: Step) -> str | None:
    """Decline with the reason and the way to remedies; joined objections go on by themselves. Where the case goes on
    for whoever joined it, it is the first of them whose objection is declined. Returns what ``_release`` does."""
    check_approved(step, ReviewApproval)
    first, *others = parties(step)
    step.move(STAGES, Stage.DECLINED)
    _reviewed(step.session, step.case.case_no)
    step.notify(
        notices.ObjectionDeclined(
            **first.about,
            reason=_verdict(step).reason,
        ),
        first.to,
        first.case.case_no,
    )
    step.audit("objection:case:declined")
    end_case(step, step.case)
    if first.case is not step.case:
        move(first.case, STAGES, Stage.DECLINED)
        step.audit("objection:case:declined", first.case.case_no)
        end_case(step, first.case)
    return _release(step, others)


def _release(step: Step, joined: Sequence[Party]) -> str | None:
    """Let joined objections go on without their lead: the oldest leads the others. Returns its number, if there is one:
    it is to be given a run."""
    for party in joined[1:]:
        party.objection.lead_case_no = joined[0].case.case_no
    for party in joined[:1]:
        move(party.case, STAGES, Stage.REGISTERED)
        party.objection.lead_case_no, party.objection.earlier_case_no = None, step.case.case_no
        start_deadline(step.session, party.case.case_no, INITIAL_REVIEW, step.today)
        step.audit("objection:case:released", party.case.case_no, lead=step.case.case_no)
        step.notify(notices.ObjectionReleased(**party.about), party.to, party.case.case_no)
        tell_officer(step.session, party.case, "原并案的异议单独办理", f"{party.case.case_no}:released", step.now)
    return joined[0].case.case_no if joined else None


@durable("援引已有结论")
def refer_to_decision(step: Step) -> str | None:
    """Answer with the outcome that the same had before, and end the case: nothing is verified again, the limit of the
    request lapses. Who joined since the review and states something new goes on without it. Returns what ``_release``
    does."""
    check_approved(step, ReviewApproval)
    session, (first, *others) = step.session, parties(step)
    before = decided_before(session, step.case.case_no)
    if before is None or before.outcome is None:
        raise LookupError(f"{step.case.case_no}没有可以援引的结论。")
    claims = {claim.objection.case_no: claim for claim in claims_of(session, [step.case.case_no])[step.case.case_no]}
    new = [party for party in others if states_anything_new(session, before, claims[party.case.case_no])]
    decided_on = last_answered_on(session, [before.case_no], OutcomeDecision.question)[before.case_no]
    _reviewed(session, step.case.case_no)
    told = [first, *(party for party in others if party not in new)]
    for party in told:
        party.objection.outcome = before.outcome
        step.notify(
            notices.ObjectionAnswered(
                **party.about,
                field=party.objection.public_field,
                outcome=before.outcome,
                decided_on=decided_on,
                reason=_verdict(step).reason,
                **_told(_found(session, before.case_no, party.objection)),
            ),
            party.to,
            party.case.case_no,
        )
    for case in dict.fromkeys([step.case, *(party.case for party in told)]):
        move(case, STAGES, Stage.ANSWERED)
        end_case(step, case)
        step.audit("objection:case:answered", case.case_no, outcome=before.outcome)
    return _release(step, new)


@durable("受理异议")
def accept_objection(step: Step) -> None:
    """Accept; from here to the end the certificate carries the dispute mark (``dispute_on``)."""
    alone(step, accept_all)


def accept_all(steps: Steps) -> None:
    """``accept_objection`` of many cases, each with its verdict on record."""
    # First everything is read, then it is changed: what has changed is written before anything is read again.
    everyone = parties_of(steps.session, steps.cases)
    link_to_register(steps.session, [party.objection for some in everyone.values() for party in some])
    due = _verification_deadlines(steps.session, [party.case.case_no for each in everyone.values() for party in each])
    _reviewed(steps.session, *(case.case_no for case in steps.cases))
    for case in steps.cases:
        move(case, STAGES, Stage.ACCEPTED)
        for party in everyone[case.case_no]:
            if (deadline := due.get(party.case.case_no)) is not None:
                accepted = notices.ObjectionAccepted(
                    **party.about,
                    field=party.objection.public_field,
                    due_on=deadline.due_on,
                    provisional=deadline.provisional,
                    late=deadline.due_on < steps.today,
                )
                steps.notify(accepted, party.to, party.case.case_no)
        steps.audit("objection:case:accepted", case.case_no)
    objectors = {case_no: [party.objection for party in some] for case_no, some in everyone.items()}
    tell_holders(steps, objectors)
    ask_sources(steps, objectors)


def _verification_deadlines(session: Session, case_nos: Sequence[str]) -> dict[str, Deadline]:
    found: dict[str, Deadline] = {}
    for some in in_pieces(case_nos):
        deadlines = session.scalars(VERIFICATION_DEADLINES, {"case_nos": some})
        found |= {deadline.case_no: deadline for deadline in deadlines}
    return found


@durable("登记核实结果")
def take_reply(step: Step) -> None:
    """The bureau has answered: from here the Center's own limit for telling the objector runs."""
    reply = reply_answer(step.session, step.case.case_no)
    replied_on = clock.local_date(reply.at) if reply is not None else step.today
    # A reply that came on paper proves that the request had gone out, whatever our gateway knows of it.
    requested = [step.case.case_no, *(party.case.case_no for party in joined_to(step.session, step.case.case_no))]
    meet_deadlines(step.session, dict.fromkeys(requested, step.today), VERIFICATION_REQUEST)
    step.move(STAGES, Stage.REPLIED)
    meet_deadline(step.session, step.case.case_no, URGE, replied_on)
    start_deadline(step.session, step.case.case_no, OUTCOME_NOTICE, replied_on)
    step.audit("objection:reply:taken")


@durable("认定处理结果")
def decide_outcome(step: Step) -> str:
    """Put the officer's decision on the case and on the objections joined to it; returns the outcome."""
    check_approved(step, OutcomeApproval)
    everyone = parties(step)
    step.move(STAGES, Stage.DECIDED)
    outcome = decision_of(step.session, step.case.case_no).outcome
    # How the case ended, whoever it went on for.
    objection_of(step.session, step.case.case_no).outcome = outcome
    for party in everyone:
        party.objection.outcome = outcome
    step.audit("objection:outcome:decided", outcome=outcome)
    return outcome.value


def _in_register(step: Step) -> tuple[Certificate, CertificateType, Objection] | None:
    """The certificate that a case is about as the register has it now, with its type, where the disputed field is one
    that can be changed here."""
    objection = objection_of(step.session, step.case.case_no)
    current = step.session.scalar(CURRENT_VERSION, {"root": objection.certificate_root})
    kind = find_type(step.session, current.type_code) if current is not None else None
    if current is None or kind is None or objection.field_code not in objectionable(kind):
        return None
    return current, kind, objection


def _changed_meanwhile(step: Step, why: InputError) -> str:
    """The certificate has changed since the decision, so that what was decided is not possible any more: a person looks
    into it."""
    what = f"异议{step.case.case_no}作出决定后证照有变动，登记未按决定改动（{why}），请核对"
    open_staff_task(step.session, f"not-corrected:{step.case.case_no}", step.case.case_no, what, step.now)
    step.audit("certificate:version:changed-meanwhile")
    return CHANGED


def _note_corrected_again(step: Step, name: str, change: Change) -> None:
    """Another case had corrected the same field, and its objectors were told so: a person looks into both."""
    what = f"异议{step.case.case_no}更正的“{name}”此前已由异议{change.case_no}更正为别的内容，请核对两件的结果"
    open_staff_task(step.session, f"corrected-again:{step.case.case_no}", step.case.case_no, what, step.now)


def _note_sharing(step: Step, corrected: Corrected) -> None:
    """Until the other case has set its certificate right too, two have one number: a person sees to it that it does."""
    if corrected.sharing:
        what = f"异议{step.case.case_no}更正后，另一件同类证照暂时也是这一编号，待其编号由另一异议更正后请核对"
        open_staff_task(step.session, f"number-shared:{step.case.case_no}", step.case.case_no, what, step.now)


@durable("更正本区索引")
def correct_certificate(step: Step) -> str | None:
    """Put the corrected value into a new version of the certificate; the old one is kept as superseded. Where the
    register said so already when it was decided, because another case had set it right, nothing more is to be done.

    Returns the identifier of the version that says so, ``None`` where the local index has no such certificate and the
    source corrects it, ``CHANGED`` where what was decided is not possible any more: then a person looks into it, and
    nobody is told that it was corrected.
    """
    session, found = step.session, _in_register(step)
    if found is None:
        step.audit("certificate:version:left-to-source")
        return None
    old, kind, objection = found
    decision = decision_of(session, step.case.case_no)
    value = value_decided(decision, finding_of(session, step.case.case_no), objection)
    change = last_change(session, step.case)
    try:
        corrected = correct(session, kind, old, str(objection.field_code), value, step.today, found_wrong)
    except InputError as why:
        if isinstance(why, AlreadySaidError) and change is not None and was_known(session, step.case, change):
            step.audit("certificate:version:corrected-before", version=old.version)
            return old.identifier
        return _changed_meanwhile(step, why)
    new = supersede(session, old, corrected, step.case.case_no, step.now)
    name = objectionable(kind)[str(objection.field_code)]
    if change is not None:
        _note_corrected_again(step, name, change)
    _note_sharing(step, corrected)
    if corrected.contradicted:
        fields = "、".join(corrected.contradicted)
        what = f"异议{step.case.case_no}将“{name}”更正后，证照上的{fields}与之不一致，请核对是否也应更正"
        open_staff_task(session, f"contradicted:{step.case.case_no}", step.case.case_no, what, step.now)
    _mark_by_holders(session, new.root)
    step.audit("certificate:version:corrected", from_version=old.version, to_version=new.version)
    return new.identifier


def _mark_by_holders(session: Session, root: str) -> None:
    """Let every objection to a certificate be found by whom it names now, too."""
    names = names_on(session, [root])[root]
    about = session.scalars(select(Objection.case_no).where(Objection.certificate_root == root))
    mark_cases(session, dict.fromkeys(about, names))


@durable("与数据源头同步")
def sync_certificate(step: Step) -> str | None:
    """Take over what the source says where only our copy was wrong. Returns the identifier, ``None`` where nothing was
    to be taken over, ``CHANGED`` where something else has changed it since the decision.

    Where the source is above, it is the same version, set right, which the next use reads again. Where there is no
    source but the district's own, it is a new version: nothing else keeps what stood there (Article 14).
    """
    session, found = step.session, _in_register(step)
    if found is None:
        return None
    current, kind, objection = found
    code, change = str(objection.field_code), last_change(session, step.case)
    try:
        value = decision_of(session, step.case.case_no).value
        said = correct(session, kind, current, code, value, step.today, found_wrong)
    except InputError as why:
        if isinstance(why, AlreadySaidError) and change is not None and was_known(session, step.case, change):
            step.audit("certificate:version:corrected-before", version=current.version)
            return None
        return _changed_meanwhile(step, why)
    if change is not None:
        _note_corrected_again(step, objectionable(kind)[code], change)
    _note_sharing(step, said)
    if has_source_above(kind, current.backfilled_by_case):
        for name, value in (as_row(said.columns) | {"face": said.face, "state": said.state}).items():
            setattr(current, name, value)
        set_holders(session, current.id, said.holders)
        current.read_at = NEVER
    else:
        current = supersede(session, current, said, step.case.case_no, step.now)
    _mark_by_holders(session, current.root)
    step.audit("certificate:version:synced", identifier=current.identifier, version=current.version, field=code)
    return current.identifier


@durable("告知结果并办结")
def close_objection(step: Step) -> None:
    """Tell every objector the outcome, its reasons and the way to remedies, and close; the mark goes with it."""
    everyone = parties(step)
    meet_deadline(step.session, step.case.case_no, OUTCOME_NOTICE, step.today)
    step.move(STAGES, Stage.CLOSED)
    decision = decision_of(step.session, step.case.case_no)
    done = _done(step.session, step.case.case_no, decision)
    for party in everyone:
        step.notify(
            notices.ObjectionClosed(
                **party.about,
                field=party.objection.public_field,
                outcome=decision.outcome,
                reason=decision.reason,
                corrected=decision.outcome in CORRECTING,
                new_version=done not in {None, CHANGED} and decision.outcome in CORRECTING,
                synced=decision.outcome is Outcome.SYNCED,
                pending=done == CHANGED,
                **_told(found_on_claim(step.session, party.objection)),
            ),
            party.to,
            party.case.case_no,
        )
        if party.case is not step.case:
            move(party.case, STAGES, Stage.CLOSED)
            _close(step, party.case, decision.outcome)
    tell_of_end(step, decision.outcome, decision.reason, changed=done not in {None, CHANGED})
    _close(step, step.case, decision.outcome)


def _done(session: Session, case_no: str, decision: OutcomeDecision) -> str | None:
    """What became of the certificate by a decision, as the step that changed it says."""
    changed = sync_certificate if decision.outcome is Outcome.SYNCED else correct_certificate
    taken = recorded(session.connection(), case_no, changed.name, 1)
    result: str | None = taken.result if taken is not None else None
    return result


@dataclass(frozen=True, slots=True)
class FoundOnClaim:
    """Whether what was found right is what an objector claimed, and whether that is the Center's own finding, which is
    not the bureau's."""

    adopted: bool
    ours: bool


def _told(found: FoundOnClaim | None) -> dict[str, Any]:
    """As a letter says it."""
    return asdict(found) if found is not None else {}


def found_on_claim(session: Session, objection: Objection) -> FoundOnClaim | None:
    """What an objector's case, or that to which theirs was joined or which theirs was answered by, found on a claim.
    ``None`` while there is no outcome, and where the outcome changed nothing."""
    if objection.outcome is None:
        return None
    case_no = objection.lead_case_no or objection.case_no
    if session.get_one(Case, case_no).stage == Stage.ANSWERED:
        before = decided_before(session, case_no)
        return _found(session, before.case_no, objection) if before is not None else None
    return _found(session, case_no, objection)


def _found(session: Session, case_no: str, objection: Objection) -> FoundOnClaim | None:
    """``found_on_claim`` by what was decided in a case."""
    decision = decision_of(session, case_no)
    if decision.outcome not in {*CORRECTING, Outcome.SYNCED} or _done(session, case_no, decision) == CHANGED:
        return None
    reply = finding_of(session, case_no)
    value = value_decided(decision, reply, session.get_one(Objection, case_no))
    by_bureau = (reply or {}).get("corrected_value") or value
    return FoundOnClaim(
        adopted=same_value(session, objection, value, objection.proposed),
        ours=not same_value(session, objection, value, by_bureau),
    )


def _close(step: Step, case: Case, outcome: Outcome) -> None:
    end_case(step, case)
    step.audit("objection:case:closed", case.case_no, outcome=outcome)


def withdraw_objection(token: str) -> str:
    """The objector withdraws; returns the case number. Doing it again changes nothing.

    The case goes on, where it stands, for those whose objections were joined to it (Article 12 gives each of them a
    right of their own). Raises ``LookupError`` for an unknown token and ``RefusalError`` once the outcome is decided.
    """
    case_no = case_of_token(token)
    with transaction() as session:
        case, lead = locked_with_lead(session, case_no)
        objection = objection_of(session, case_no)
        if objection.withdrawn_at is None:
            _check_may_withdraw(case, objection)
            once_within(session, case, "withdraw_objection", 1, "objector", lambda step: _withdraw(step, lead))
    return case_no


def locked_with_lead(session: Session, case_no: str) -> tuple[Case, Case]:
    """An objector's case and the one that it is handled in, which is another if it was joined; locked in the order in
    which steps lock them."""
    lead_case_no = session.scalar(LEAD, {"case_no": case_no}) or case_no
    cases = {case.case_no: case for case in locked_cases(session, sorted({lead_case_no, case_no}))}
    if (session.scalar(LEAD, {"case_no": case_no}) or case_no) != lead_case_no:
        # It was released while its lead was waited for.
        return locked_with_lead(session, case_no)
    return cases[case_no], cases[lead_case_no]


def is_withdrawable(case: Case, objection: Objection) -> bool:
    """Whether an objector may still withdraw: until the outcome is decided, of a joined objection with its lead's."""
    return may_withdraw(Stage(case.stage)) and objection.outcome is None and objection.withdrawn_at is None


def _check_may_withdraw(case: Case, objection: Objection) -> None:
    """Raise ``RefusalError`` once an objection cannot be withdrawn any more."""
    if not is_withdrawable(case, objection):
        raise RefusalError(f"本件已到“{case.stage}”，不能再撤回；如对结果不服，可提交不同意见。")


def _withdraw(step: Step, lead: Case) -> None:
    """Take an objection back, with the case it is handled in if nobody else is left in that."""
    party = Party(step.case, objection_of(step.session, step.case.case_no))
    party.objection.withdrawn_at = step.now
    step.notify(notices.ObjectionWithdrawn(**party.about), party.to)
    tell_all_former(step.session, party.objection, step.now)
    step.audit("objection:case:withdrawn")
    if step.case is not lead:
        move(step.case, STAGES, Stage.WITHDRAWN)
        end_case(step, step.case)
    # What was changed is written before it is asked who is left.
    step.session.flush()
    left = parties_of(step.session, [lead])[lead.case_no]
    if not left:
        tell_of_end(replace(step, case=lead), None, "", changed=False)
        move(lead, STAGES, Stage.WITHDRAWN)
        end_case(step, lead)
        if step.case is not lead:
            step.audit("objection:case:all-withdrawn", lead.case_no)
        return
    if Stage(lead.stage) in DISPUTED:
        # Whoever withdraws may hold the certificate: from now on it is others who want it changed.
        steps = Steps(step.session, (lead,), step.name, step.turn, step.actor, step.now)
        tell_holders(steps, {lead.case_no: [other.objection for other in left]})
        steps.write()
    if lead.stage == Stage.SUPPLEMENT and supplement_asked(step.session, lead.case_no)[1] == step.case.case_no:
        _expect_no_supplement(step, lead)
    if step.case is lead:
        numbers = "、".join(other.case.case_no for other in left)
        step.audit("objection:case:goes-on", others=numbers)
        why = f"首位申请人已撤回，本件继续为并案的{numbers}办理"
        tell_officer(step.session, lead, why, f"{lead.case_no}:goes-on", step.now)


def _expect_no_supplement(step: Step, lead: Case) -> None:
    """Whoever was asked for a supplement withdrew: the review goes on with what the others handed in."""
    turn, _ = supplement_asked(step.session, lead.case_no)
    given = SupplementReceived(kind=SupplementKind.NONE).recorded()
    if accepted_answer(step.session, lead.case_no, SupplementReceived.question, turn) is None:
        key = f"{lead.case_no}:supplement:{turn}:withdrawn"
        record_answer(step.session, lead, SupplementReceived, turn, AnswerSource.OBJECTOR, key, given, step.now)


def supplement_asked(session: Session, case_no: str) -> tuple[int, str]:
    """The turn of the supplement that a case waits for, and the number of whose objection it was asked for."""
    asked = session.execute(SUPPLEMENTS_ASKED, {"case_no": case_no}).tuples().all()
    return len(asked), (asked[-1][0] if asked else None) or case_no


def standing_of(session: Session, case: Case) -> Stage:
    """Where an objection stands for who handed it in: of one that was joined, where its lead does while something is
    asked of it."""
    objection = session.get_one(Objection, case.case_no)
    if objection.withdrawn_at is not None:
        return Stage.WITHDRAWN
    if case.stage == Stage.JOINED and objection.lead_case_no is not None:
        lead = session.get_one(Case, objection.lead_case_no)
        if lead.stage == Stage.SUPPLEMENT and supplement_asked(session, lead.case_no)[1] == case.case_no:
            return Stage.SUPPLEMENT
    return Stage(case.stage)


def submit_supplement(token: str, text: str, files: Sequence[File], submission_no: str) -> str:
    """What the objector adds while the case waits for it; returns the case number. Handing it in twice keeps one.

    Raises ``LookupError`` for an unknown token and ``RefusalError`` when no supplement is asked for, and what
    ``came_before`` raises.
    """
    case_no = case_of_token(token)
    # The case's number, not the token: keys are stored in clear.
    source_key = f"{case_no}:supplement:{submission_no}"
    with transaction() as session:
        case, lead = locked_with_lead(session, case_no)
        if came_before(session, "answer", source_key, text, files=files):
            return case_no
        if (stands := standing_of(session, case)) != Stage.SUPPLEMENT:
            raise RefusalError(f"本件现为“{stands}”，不需要补正。")
        now = clock.now()
        step = Step(session, case, "submit_supplement", 1, "objector", now)
        session.add(Supplement(case_no=case_no, text=text, at=now))
        keep_files(session, case_no, files, now)
        turn, _ = supplement_asked(session, lead.case_no)
        given = {"kind": SupplementKind.RECEIVED, "text": text}
        # What comes after the first is kept with the case; the story goes on with the first.
        record_answer(session, lead, SupplementReceived, turn, AnswerSource.OBJECTOR, source_key, given, now)
        for number in sorted({case_no, lead.case_no}):
            step.audit("objection:supplement:handed-in", number, files=len(files))
    return case_no


def log_disagreement(token: str, text: str) -> str:
    """Log that the objector still disagrees with the outcome; the case stays closed. Returns the case number.

    Raises ``LookupError`` for an unknown token, ``RefusalError`` before the outcome was told or when one is logged.
    """
    case_no = case_of_token(token)
    with transaction() as session:
        case = locked_case(session, case_no)
        objection = objection_of(session, case_no)
        if standing_of(session, case) != Stage.CLOSED:
            raise RefusalError("处理结果尚未告知，不能提交不同意见。")
        if objection.disagreement is not None and objection.disagreement != text:
            raise RefusalError("不同意见已经登记；如有新的事实，请重新提出异议。")
        if objection.disagreement is None:
            now = clock.now()
            objection.disagreement, objection.disagreed_at = text, now
            record(session, "objection:disagreement:logged", case_no, "objector", now)
            what = "申请人对处理结果有不同意见，请没有参与拟稿的负责人或者审签人阅处"
            open_staff_task(session, f"{DISAGREEMENT}{case_no}", case_no, what, now)
    return case_no


def case_of_token(token: str) -> str:
    """The case number behind an objector's link. ``LookupError`` when there is none."""
    with reading() as session:
        case_no = session.scalar(
            select(Objection.case_no).where(Objection.token_index == keys().blind_index("objection-token", token))
        )
    if case_no is None:
        raise LookupError(
            "链接无效，请核对后重试；变更过联系方式的，原来的链接已失效，请用变更后收到的链接，或凭办件编号联系我们。"
        )
    return case_no


def dispute_on(session: Session, certificate_root: str) -> list[str]:
    """The numbers of the cases because of which a certificate carries the dispute mark now.

    The mark is derived from the cases, not stored, so that it cannot outlive them.
    """
    wanted = (
        select(Case.case_no)
        .join(Objection, Objection.case_no == Case.case_no)
        .where(Objection.certificate_root == certificate_root, Case.stage.in_(DISPUTED))
    )
    return list(session.scalars(wanted.order_by(Case.case_no)))


def needs_correction(outcome: str) -> bool:
    """Whether an outcome changes the certificate."""
    return Outcome(outcome) in CORRECTING
