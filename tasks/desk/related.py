"""Other cases that whoever decides should know of: of the same certificate, of its holders, of the same applicant."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Case, CaseMark
from models.certificates import Certificate, CertificateHolder
from models.objections import Objection
from tasks.case.marks import mark_of
from tasks.desk.kinds import KINDS

LISTED = 20
"""Cases that a page lists of each sort, the latest."""
MOST_CERTIFICATES = 200
"""Certificates of a holder that are looked at."""


@dataclass(frozen=True, slots=True)
class Related:
    """Another case."""

    case_no: str
    why: str
    kind: str
    subject: str
    stage: str
    received_on: str
    is_open: bool


def related_to(session: Session, case: Case) -> tuple[Related, ...]:
    """The other cases, open ones first, each with the nearest reason why it is here."""
    why: dict[str, str] = {}
    for reason, case_nos in _found(session, case):
        for case_no in case_nos:
            if case_no != case.case_no:
                why.setdefault(case_no, reason)
    wanted = select(Case).where(Case.case_no.in_(why)).order_by(Case.closed_at.is_not(None), Case.opened_at.desc())
    return tuple(
        Related(
            case_no=each.case_no,
            why=why[each.case_no],
            kind=each.kind.label,
            subject=KINDS[each.kind].sheet.subject(session, each),
            stage=each.stage,
            received_on=str(each.received_on),
            is_open=each.closed_at is None,
        )
        for each in session.scalars(wanted)
    )


def _found(session: Session, case: Case) -> Iterator[tuple[str, Sequence[str]]]:
    roots = list(KINDS[case.kind].sheet.certificates_of(session, case))
    if roots:
        yield "同一证照", _about(session, roots)
        holders = select(CertificateHolder.holder_index).join(
            Certificate, Certificate.id == CertificateHolder.certificate_id
        )
        theirs = (
            select(Certificate.root)
            .join(CertificateHolder, CertificateHolder.certificate_id == Certificate.id)
            .where(CertificateHolder.holder_index.in_(holders.where(Certificate.root.in_(roots))))
        )
        yield "同一持证主体", _about(session, session.scalars(theirs.distinct().limit(MOST_CERTIFICATES)).all())
    for reason, text in KINDS[case.kind].sheet.people_of(session, case):
        if text.strip():
            marked = select(CaseMark.case_no).where(CaseMark.mark == mark_of(text))
            yield reason, session.scalars(marked.order_by(CaseMark.case_no.desc()).limit(LISTED)).all()


def _about(session: Session, roots: Sequence[str]) -> list[str]:
    """The latest cases about certificates: objections, and the backfills that brought them in."""
    objections = select(Objection.case_no).where(Objection.certificate_root.in_(roots))
    brought_in = select(Certificate.backfilled_by_case).where(Certificate.root.in_(roots)).distinct()
    return [
        *session.scalars(objections.order_by(Objection.case_no.desc()).limit(LISTED)),
        *filter(None, session.scalars(brought_in.limit(LISTED))),
    ]
