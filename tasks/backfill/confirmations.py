"""What an issuing authority says of certificates that were backfilled: that they are its own (Article 11).

Whoever handles a matter may backfill a paper that another department issued. The register says where such a
certificate comes from; its issuer can say of many at once that it knows them. Nothing waits for that: the measures make
a backfilled certificate an electronic one, and ask nobody for a second word.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from models.certificates import Certificate, CertificateType, IssuingAuthority
from regulation.backfill.issuers import issuer_codes
from regulation.certificates import CertificateState
from runtime import clock
from runtime.database import in_pieces, reading, transaction
from tasks.audit import record
from tasks.office.departments import department_named

LISTED = 500
"""Certificates in one answer."""
NOT_YOURS = (
    "不是本单位颁发的补录证照，请核对；证照目录中该类证照的颁证机构有误的，请联系综合管理单位；"
    "内容有误的，请提出核查申请（第十二条）"
)


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """A backfilled certificate that its issuer has not confirmed, with nothing of a person."""

    identifier: str
    certificate_type: str
    issued_on: str
    case_no: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What came of a confirmation: how many are confirmed by it, how many had been before, and which are not the
    department's to confirm."""

    confirmed: int
    unchanged: int
    wrong: tuple[str, ...]


def unconfirmed(department: str, after: str = "") -> list[Unconfirmed]:
    """What a department (by name) has issued and not confirmed, by identifier, from ``after`` on; at most
    ``LISTED``."""
    with reading() as session:
        rows = session.execute(
            select(Certificate, CertificateType.name)
            .join(CertificateType, CertificateType.code == Certificate.type_code)
            .where(*_theirs(session, department), Certificate.confirmed_at.is_(None), Certificate.identifier > after)
            .order_by(Certificate.identifier)
            .limit(LISTED)
        )
        return [
            Unconfirmed(each.identifier, name, str(each.issued_on), str(each.backfilled_by_case)) for each, name in rows
        ]


def confirm(department: str, identifiers: Sequence[str], by: str) -> Confirmed:
    """Put on record that a department (by name) knows these certificates as its own; ``by`` is its operator. Those that
    are not its own are named and keep no other out. Doing it again changes nothing."""
    wanted = dict.fromkeys(identifiers)
    with transaction() as session:
        now, theirs, mine = clock.now(), _theirs(session, department), list[Certificate]()
        for some in in_pieces(list(wanted)):
            found = select(Certificate).where(*theirs, Certificate.identifier.in_(some))
            mine += session.scalars(found.with_for_update())
        fresh = [each for each in mine if each.confirmed_at is None]
        for each in fresh:
            each.confirmed_at, each.confirmed_by = now, by
        if fresh:
            detail = {"department": department, "certificates": [each.identifier for each in fresh]}
            record(session, "backfill:certificates:confirmed", None, by, now, **detail)
        wrong = tuple(wanted.keys() - {each.identifier for each in mine})
        return Confirmed(len(fresh), len(mine) - len(fresh), tuple(sorted(wrong)))


def _theirs(session: Session, name: str) -> tuple[ColumnElement[bool], ...]:
    """The backfilled certificates, as they say now, that a department has issued: of the types of which the catalogue
    names it as the issuing authority, those whose identifiers name it, or whoever it was before."""
    department = department_named(session, name)
    known = session.scalar(select(IssuingAuthority.code).where(IssuingAuthority.name == name))
    codes = issuer_codes(department.uscc, *([known] if known is not None else []))
    return (
        Certificate.backfilled_by_case.is_not(None),
        Certificate.state != CertificateState.SUPERSEDED,
        Certificate.type_code.in_(select(CertificateType.code).where(CertificateType.issuing_authority == name)),
        or_(*(Certificate.root.contains(f".{code}.") for code in sorted(codes))),
    )
