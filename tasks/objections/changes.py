"""What other cases have made of a disputed field since an objection came in (Article 12).

Objections to one field can have a case each (docs/adr/0030), and the one that came first is not always decided first.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from models.cases import Answer, Case, StepRecord
from models.objections import Objection

CHANGED = "changed-meanwhile"
"""What a step says that found the certificate other than it was when its change was decided."""
CORRECTIONS = (
    select(StepRecord.case_no, StepRecord.at, StepRecord.result)
    .join(Objection, Objection.case_no == StepRecord.case_no)
    .where(
        Objection.certificate_root == bindparam("root"),
        Objection.field_code == bindparam("field"),
        Objection.case_no != bindparam("case_no"),
        StepRecord.step.in_(("correct_certificate", "sync_certificate")),
        StepRecord.at > bindparam("since"),
    )
    .order_by(StepRecord.at)
)
DECIDED_AT = (
    select(Answer.at)
    .where(
        Answer.case_no == bindparam("case_no"),
        Answer.question.in_(("outcome", "approve-outcome")),
        Answer.refusal.is_(None),
    )
    .order_by(Answer.at.desc())
    .limit(1)
)
"""Whoever approves a decision knows the register as it is then."""


@dataclass(frozen=True, slots=True)
class Change:
    """A correction of the field by another case, and when it reached the register."""

    case_no: str
    at: datetime


def last_change(session: Session, case: Case) -> Change | None:
    """The last correction of what a case is about by another one since it came in."""
    objection = session.get_one(Objection, case.case_no)
    if objection.certificate_root is None or objection.field_code is None:
        return None
    about = {"root": objection.certificate_root, "field": objection.field_code}
    rows = session.execute(CORRECTIONS, {**about, "case_no": case.case_no, "since": case.opened_at})
    made = [Change(case_no, at) for case_no, at, result in rows if result not in {None, CHANGED}]
    return made[-1] if made else None


def was_known(session: Session, case: Case, change: Change) -> bool:
    """Whether a case was decided with a change in the register already."""
    decided_at = session.scalars(DECIDED_AT, {"case_no": case.case_no}).one()
    return change.at <= decided_at
