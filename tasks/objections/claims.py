"""What the objectors of a case claim (Article 12): every claim goes along, whoever came first."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from models.cases import Case
from models.objections import Attachment, Objection, Supplement, VerificationRequest
from models.records import AuditEntry
from regulation.objections import Stage
from runtime.database import in_pieces
from runtime.words import folded
from tasks.case.attachments import ADDED, COLLECTED

CASES: BindParameter[Any] = bindparam("case_nos", expanding=True)
CLAIMED = (
    select(Objection)
    .where(or_(Objection.case_no.in_(CASES), Objection.lead_case_no.in_(CASES) & Objection.withdrawn_at.is_(None)))
    .order_by(Objection.case_no)
)
COMMENTED = "objection:holder:commented"
"""What the audit trail calls it that a holder who does not object said something, with the files that came with it."""
CONTACT_ASKED = "objection:contact:asked"
"""As ``COMMENTED``, of what came along with the wish to be reached otherwise."""
OF_OBJECTOR = (
    ~select(AuditEntry.id)
    .where(
        AuditEntry.case_no == Attachment.case_no,
        AuditEntry.at == Attachment.at,
        or_(
            AuditEntry.tag.in_((COMMENTED, CONTACT_ASKED)),
            AuditEntry.tag.startswith(COLLECTED),
            and_(
                AuditEntry.tag == ADDED,
                AuditEntry.at
                >= select(func.min(VerificationRequest.prepared_at))
                .where(VerificationRequest.case_no == Attachment.case_no)
                .scalar_subquery(),
            ),
        ),
    )
    .exists()
)
"""Whether a file is the objector's: what staff add once the bureau was asked is its reply, and what came with what a
holder said is theirs."""
ATTACHED = (
    select(Attachment.case_no, Attachment.name)
    .where(Attachment.case_no.in_(bindparam("case_nos", expanding=True)), OF_OBJECTOR)
    .order_by(Attachment.id)
)


@dataclass(frozen=True, slots=True)
class Claim:
    """What one objector says, and the names of the files that came with it."""

    objection: Objection
    attachments: tuple[str, ...] = ()

    @property
    def attached(self) -> str:
        """The files in words."""
        names = self.attachments
        return f"{len(names)}个：{'、'.join(names)}" if names else "无"


def claims_of(session: Session, case_nos: Sequence[str]) -> dict[str, list[Claim]]:
    """By case what is claimed in it: its own objection, and those that joined it, the oldest first. Of an objection
    that was withdrawn nothing is claimed any more, unless all of them were: then it is the case's own."""
    objections: dict[str, list[Objection]] = {case_no: [] for case_no in case_nos}
    for some in in_pieces(case_nos):
        for objection in session.scalars(CLAIMED, {"case_nos": some}):
            own = objection.case_no in objections
            objections[objection.case_no if own else str(objection.lead_case_no)].append(objection)
    for mine in objections.values():
        if len(mine) > 1 and mine[0].withdrawn_at is not None:
            del mine[0]
    files: dict[str, list[str]] = defaultdict(list)
    for some in in_pieces([each.case_no for mine in objections.values() for each in mine]):
        for case_no, name in session.execute(ATTACHED, {"case_nos": some}).tuples():
            files[case_no].append(name)
    return {case_no: [Claim(each, tuple(files[each.case_no])) for each in mine] for case_no, mine in objections.items()}


def decided_before(session: Session, case_no: str) -> Objection | None:
    """The objection whose outcome is what a case asks for again: the one that it is linked to, if that was decided, or
    that by which it was answered itself."""
    return _decided(session, session.get_one(Objection, case_no).earlier_case_no)


def states_anything_new(session: Session, before: Objection, claim: Claim) -> bool:
    """Whether a claim goes beyond those on which it was decided before: by another value, by a file or a supplement."""
    said = claim.objection
    known = {folded(each.objection.proposed) for each in claims_of(session, [before.case_no])[before.case_no]}
    added = session.scalar(select(Supplement.id).where(Supplement.case_no == said.case_no).limit(1))
    # Who acts for another has to bring papers that show it: whether they show more, the officer sees.
    brought = bool(claim.attachments) and said.acts_as is None
    return brought or added is not None or folded(said.proposed) not in known


def may_be_referred(session: Session, case_no: str) -> bool:
    """Whether a case can be answered by what was decided before: nobody in it states anything new."""
    before = decided_before(session, case_no)
    claims = claims_of(session, [case_no])[case_no]
    return before is not None and not any(states_anything_new(session, before, claim) for claim in claims)


def _decided(session: Session, case_no: str | None) -> Objection | None:
    """The objection with this number if it was decided; if it was answered by what was decided before, that."""
    if case_no is None:
        return None
    objection, stage = session.get_one(Objection, case_no), session.get_one(Case, case_no).stage
    if stage == Stage.ANSWERED:
        return _decided(session, objection.earlier_case_no)
    return objection if stage == Stage.CLOSED and objection.outcome is not None else None
