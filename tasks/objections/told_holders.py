"""What holders read of objections to their certificates (Article 12): what is disputed now, and what was corrected.

Nothing here says who objected, and of a field that says who somebody is not what stood there before: that may be
somebody else.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Case, StepRecord
from models.certificates import Certificate, CertificateType
from models.objections import Objection
from regulation.catalogue import STATE
from regulation.objections import DISPUTED
from runtime import clock
from tasks.objections.changes import CHANGED
from tasks.objections.hearings import may_be_told
from tasks.objections.questions import decision_of, finding_of, value_decided
from tasks.objections.steps import accept_objection, correct_certificate, sync_certificate
from tasks.register.types import objectionable


@dataclass(frozen=True, slots=True)
class Dispute:
    """A field that is being verified, and since which day."""

    field: str
    since: date


@dataclass(frozen=True, slots=True)
class Corrected:
    """A field that was set right: when, what it says now and said before (empty where that is not told), and the
    reason that was given to whoever objected."""

    certificate: str
    field: str
    on: date
    was: str
    now: str
    why: str


def disputes_about(session: Session, root: str) -> list[Dispute]:
    """What of a certificate is disputed, each field once, since the first objection to it was accepted."""
    wanted = (
        select(Objection, StepRecord.at)
        .join(Case, Case.case_no == Objection.case_no)
        .join(StepRecord, (StepRecord.case_no == Case.case_no) & (StepRecord.step == accept_objection.name))
        .where(Objection.certificate_root == root, Case.stage.in_(DISPUTED))
        .order_by(StepRecord.at)
    )
    since: dict[str, date] = {}
    for objection, at in session.execute(wanted).tuples():
        since.setdefault(objection.public_field, clock.local_date(at))
    return [Dispute(field, on) for field, on in since.items()]


def corrections_of(session: Session, roots: Collection[str]) -> list[Corrected]:
    """What was corrected in certificates, the latest first."""
    wanted = (
        select(Objection, StepRecord.at)
        .join(StepRecord, StepRecord.case_no == Objection.case_no)
        .where(
            Objection.certificate_root.in_(roots),
            StepRecord.step.in_((correct_certificate.name, sync_certificate.name)),
        )
        .add_columns(StepRecord.result)
        .order_by(StepRecord.at.desc())
    )
    return [
        _corrected(session, objection, clock.local_date(at))
        for objection, at, result in session.execute(wanted).tuples()
        if result not in {None, CHANGED}
    ]


def _corrected(session: Session, objection: Objection, on: date) -> Corrected:
    decision = decision_of(session, objection.case_no)
    code, kind = str(objection.field_code), session.get_one(CertificateType, objection.type_code)
    versions = select(Certificate).where(Certificate.root == objection.certificate_root)
    made = session.scalar(versions.where(Certificate.corrected_by_case == objection.case_no))
    was = ""
    if made is not None and may_be_told(session, objection):
        before = versions.where(Certificate.version < made.version).order_by(Certificate.version.desc())
        was = str(session.scalars(before.limit(1)).one().face.get(code, ""))
    value = value_decided(decision, finding_of(session, objection.case_no), objection)
    now = str(made.face.get(code) or value) if made is not None and code != STATE.code else value
    name = objectionable(kind).get(code, objection.public_field)
    return Corrected(kind.name, name, on, was, now, decision.reason)
