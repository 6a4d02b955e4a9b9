"""What the objectors of a case claim (Article 12): every claim goes along, whoever came first."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, bindparam, or_, select
from sqlalchemy.orm import Session

from models.cases import Case
from models.objections import Attachment, Objection, Supplement
from regulation.objections import Stage
from runtime.database import in_pieces
from runtime.words import folded

CASES: BindParameter[Any] = bindparam("case_nos", expanding=True)
CLAIMED = (
    select(Objection)
    .where(or_(Objection.case_no.in_(CASES), Objection.lead_case_no.in_(CASES) & Objection.withdrawn_at.is_(None)))
    .order_by(Objection.case_no)
)
ATTACHED = (
    select(Attachment.case_no, Attachment.name)
    .where(Attachment.case_no.in_(bindparam("case_nos", expanding=True)))
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
    """The objection whose outcome answers a case: the one that it is linked to was decided, or answered by that outcome
    itself, and nobody in the case states anything new, neither another value nor with any paper."""
    before = _decided(session, session.get_one(Objection, case_no).earlier_case_no)
    if before is None:
        return None
    known = {folded(claim.objection.proposed) for claim in claims_of(session, [before.case_no])[before.case_no]}
    claims = claims_of(session, [case_no])[case_no]
    mine = [claim.objection.case_no for claim in claims]
    added = session.scalar(select(Supplement.id).where(Supplement.case_no.in_(mine)).limit(1))
    new = added is not None or any(
        claim.attachments or folded(claim.objection.proposed) not in known for claim in claims
    )
    return None if new else before


def _decided(session: Session, case_no: str | None) -> Objection | None:
    """The objection with this number if it was decided; if it was answered by what was decided before, that."""
    if case_no is None:
        return None
    objection, stage = session.get_one(Objection, case_no), session.get_one(Case, case_no).stage
    if stage == Stage.ANSWERED:
        return _decided(session, objection.earlier_case_no)
    return objection if stage == Stage.CLOSED and objection.outcome is not None else None


def standing_of(session: Session, case: Case) -> Stage:
    """Where an objection stands for who handed it in. Of one that was joined that is where its lead stands, if it is
    the one of whom something is asked."""
    objection = session.get_one(Objection, case.case_no)
    if objection.withdrawn_at is not None:
        return Stage.WITHDRAWN
    if case.stage == Stage.JOINED and objection.lead_case_no is not None:
        lead = session.get_one(Case, objection.lead_case_no)
        first, *_ = claims_of(session, [lead.case_no])[lead.case_no]
        if lead.stage == Stage.SUPPLEMENT and first.objection.case_no == case.case_no:
            return Stage.SUPPLEMENT
    return Stage(case.stage)
