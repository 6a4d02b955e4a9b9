"""The certificate catalogue (证照目录) as people name what stands in it: a type by its name or its code."""

from datetime import date

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from models.certificates import Certificate, CertificateType
from regulation.backfill.judge import PaperType
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
    """What of a certificate an objection can be about, by code: its fields, and its state (Article 12)."""
    return {**kind.names, STATE.code: STATE.name}


def state_of(certificate: Certificate, today: date) -> str:
    """The state of a version that was not superseded, as an objection states and corrects it."""
    return STATE_NAMES[state_on(today, certificate.state, certificate.valid_until_on)]


def has_source_above(kind: CertificateType, backfilled_by: str | None) -> bool:
    """Whether a superior platform can be asked for a certificate of a type: not for the district's own, and not for
    what was brought in from paper by the case ``backfilled_by``."""
    return kind.source is not Level.DISTRICT and backfilled_by is None


def paper_type(kind: CertificateType) -> PaperType:
    """A type as the rules on values take it, which read paper and the register's corrections alike."""
    return PaperType(kind.code, kind.name, kind.validity, kind.validity_years, kind.holder_kinds, kind.fields)
