"""Certificates of the register that staff look up while they fill in a form; each look is on record (Article 14)."""

import unicodedata
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.certificates import Certificate, CertificateHolder, CertificateType
from regulation.certificates import CertificateState, IdentifierError, mask_name, parse_identifier
from runtime import clock
from runtime.database import transaction
from runtime.keys import keys
from tasks.audit import record
from tasks.register.faces import holder_index
from tasks.register.types import find_type, objectionable, stated

LOOKED_UP = "register:certificates:looked-up"
"""The tag of a look."""
SHOWN = 20
"""Certificates that a look-up shows."""


@dataclass(frozen=True, slots=True)
class FoundCertificate:
    """A certificate in a few words. ``reference`` is by what a form names it."""

    certificate_type: str
    reference: str
    holder: str
    issued_on: str
    state: str


def look_up(text: str, staff_no: str) -> tuple[FoundCertificate, ...]:
    """The certificates in force of whoever has this identity number or credit code, or that have this number or
    identifier. What was typed is not put on record; who looked, and at which certificates, is."""
    number = "".join(unicodedata.normalize("NFKC", text).split())
    if not number:
        return ()
    with transaction() as session:
        named = [
            Certificate.number_index == keys().blind_index("certificate-number", number),
            Certificate.id.in_(
                select(CertificateHolder.certificate_id).where(CertificateHolder.holder_index == holder_index(number))
            ),
        ]
        with suppress(IdentifierError):
            named.append(Certificate.root == parse_identifier(number).root)
        wanted = (
            select(Certificate, CertificateType)
            .join(CertificateType, CertificateType.code == Certificate.type_code)
            .where(or_(*named), Certificate.state != CertificateState.SUPERSEDED)
            .order_by(CertificateType.name, Certificate.id)
            .limit(SHOWN)
        )
        rows = session.execute(wanted).tuples().all()
        found = tuple(
            FoundCertificate(
                certificate_type=kind.name,
                reference=held.identifier if _is_holders(held) else held.number,
                holder=mask_name(held.holder_name),
                issued_on=str(held.issued_on),
                state=stated(held, "state", "", clock.today()),
            )
            for held, kind in rows
        )
        record(session, LOOKED_UP, None, staff_no, clock.now(), roots=[held.root for held, _ in rows])
    return found


def _is_holders(held: Certificate) -> bool:
    """Whether a certificate's number is its holder's own, which several certificates may have."""
    return held.number == held.holder_number


def stated_in(session: Session, certificate_type: str, reference: str, field: str) -> str:
    """What the register says now of a field, by name, of the one certificate that a number or an identifier names;
    empty where it is not known which one, or what."""
    kind = find_type(session, certificate_type)
    code = next((code for code, name in objectionable(kind).items() if name == field.strip()), "") if kind else ""
    held = _named(session, kind, reference) if kind is not None and code else None
    return stated(held, code, held.holder_number, clock.today()) if held is not None else ""


def root_named(session: Session, certificate_type: str, reference: str) -> str:
    """The root of the one certificate that a number or an identifier names; empty where it is not known which one."""
    kind = find_type(session, certificate_type)
    held = _named(session, kind, reference) if kind is not None else None
    return held.root if held is not None else ""


def _named(session: Session, kind: CertificateType, reference: str) -> Certificate | None:
    if not reference.strip():
        return None
    try:
        named = Certificate.root == parse_identifier(reference).root
    except IdentifierError:
        named = Certificate.number_index == keys().blind_index("certificate-number", reference)
    wanted = select(Certificate).where(
        named, Certificate.type_code == kind.code, Certificate.state != CertificateState.SUPERSEDED
    )
    there = session.scalars(wanted.limit(2)).all()
    return there[0] if len(there) == 1 else None
