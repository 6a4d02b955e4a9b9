"""The certificate catalogue (证照目录) as people name what stands in it: a type by its name or its code."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.certificates import CertificateType
from runtime.refusals import InputError


def find_type(session: Session, text: str) -> CertificateType | None:
    """The type with this name or code, ``None`` when the catalogue has none."""
    text = text.strip()
    named = or_(CertificateType.name == text, CertificateType.code == text.upper())
    return session.scalar(select(CertificateType).where(named))


def type_named(session: Session, text: str) -> CertificateType:
    """The type with this name or code. Raises ``InputError`` when the catalogue has none."""
    kind = find_type(session, text)
    if kind is None:
        raise InputError("证照目录中没有所填的证照类型，请填写目录中的名称。")
    return kind


def type_names(session: Session) -> dict[str, str]:
    """The name of every certificate type by its code."""
    return dict(session.execute(select(CertificateType.code, CertificateType.name)).tuples().all())
