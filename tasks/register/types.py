"""The certificate catalogue (证照目录) as people name what stands in it: a type by its name or its code."""

from datetime import date

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from models.certificates import Certificate, CertificateType
from regulation.backfill.judge import HOLDER_NUMBER, PaperType, columns, required_columns
from regulation.catalogue import STATE, state_on
from regulation.certificates import STATE_NAMES, Level
from tasks.office.naming import named

BY_NAME = select(CertificateType).where(
    or_(CertificateType.name == bindparam("name"), CertificateType.code == bindparam("code"))
)


def find_type(session: Session, text: str) -> CertificateType | None:
    """The type with this name or code, ``None`` when the catalogue has none."""
    text = text.strip()
    return session.scalar(BY_NAME, {"name": text, "code": text.upper()})


def type_named(session: Session, text: str) -> CertificateType:
    """The type with this name or code, or with a part of its name that no other has.

    Raises ``InputError``, which names those that may be meant, when the catalogue has none or several have it.
    """
    kind = find_type(session, text)
    if kind is not None:
        return kind
    known = {each.name: each for each in session.scalars(select(CertificateType))}
    return named(text.strip(), known, "证照目录中没有所填的证照类型", "所填的证照类型不止一种")


def type_names(session: Session) -> dict[str, str]:
    """The name of every certificate type by its code."""
    return dict(session.execute(select(CertificateType.code, CertificateType.name)).tuples().all())


def objectionable(kind: CertificateType) -> dict[str, str]:
    """What of a certificate an objection can be about, by code: its fields, its holder's number where its face does not
    say it and it is found by it all the same, and its state (Article 12)."""
    paper = paper_type(kind)
    beside = HOLDER_NUMBER not in kind.names and HOLDER_NUMBER in required_columns(paper)
    number = {HOLDER_NUMBER: columns(paper)[HOLDER_NUMBER]} if beside else {}
    return {**kind.names, **number, STATE.code: STATE.name}


def stated(certificate: Certificate, code: str, holder_number: str, today: date) -> str:
    """What a version that was not superseded says of what can be objected to, nothing where it does not.
    ``holder_number``: of the holder to whom it is said."""
    state = STATE_NAMES[state_on(today, certificate.state, certificate.valid_until_on)]
    beside = {STATE.code: state, HOLDER_NUMBER: holder_number}
    return str(certificate.face.get(code) or beside.get(code, ""))


def has_source_above(kind: CertificateType, backfilled_by: str | None) -> bool:
    """Whether a superior platform can be asked for a certificate of a type: not for the district's own, and not for
    what was brought in from paper by the case ``backfilled_by``."""
    return kind.source is not Level.DISTRICT and backfilled_by is None


def paper_type(kind: CertificateType) -> PaperType:
    """A type as the rules on values take it, which read paper and the register's corrections alike."""
    return PaperType(kind.code, kind.name, kind.validity, kind.validity_years, kind.holder_kinds, kind.fields)
