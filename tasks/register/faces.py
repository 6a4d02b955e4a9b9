"""The register of certificates as uses read it: one prepared statement a look-up, faces only where they are shown."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, exists, or_, select

from models.cases import Case
from models.certificate_uses import ArchivedCopy
from models.certificates import Certificate
from models.objections import Objection
from regulation.certificates import CertificateState
from regulation.objections import DISPUTED
from runtime.database import one_read
from runtime.keys import keys


@dataclass(frozen=True, slots=True)
class Held:
    """A version of a certificate without its face: nothing of it needs decrypting. ``disputed``: it carries the mark of
    an open objection."""

    id: int
    identifier: str
    root: str
    version: int
    type_code: str
    holder_index: str
    issued_on: date
    valid_until_on: date | None
    state: CertificateState
    remark: str
    read_at: datetime
    backfilled_by: str | None
    """The case that brought it in from paper: there is no source above to ask."""
    confirmed_at: datetime | None
    """When its issuing authority confirmed what was backfilled."""
    disputed: bool


@dataclass(frozen=True, slots=True)
class Face:
    """What a certificate shows."""

    holder_name: str
    holder_number: str
    values: dict[str, Any]


def _held(*which: ColumnElement[bool]) -> Select[Any]:
    """The columns of ``Held`` in its order, so that a row makes one as it is."""
    disputed = exists().where(
        Objection.certificate_root == Certificate.root,
        Objection.case_no == Case.case_no,
        # Not in_(): SQLAlchemy would write that part of the statement anew for every call.
        or_(*(Case.stage == stage for stage in sorted(DISPUTED))),
    )
    return select(
        Certificate.id,
        Certificate.identifier,
        Certificate.root,
        Certificate.version,
        Certificate.type_code,
        Certificate.holder_index,
        Certificate.issued_on,
        Certificate.valid_until_on,
        Certificate.state,
        Certificate.remark,
        Certificate.read_at,
        Certificate.backfilled_by_case,
        Certificate.confirmed_at,
        disputed.label("disputed"),
    ).where(*which)


_OF_HOLDER = _held(
    Certificate.holder_index == bindparam("holder_index"),
    Certificate.type_code == bindparam("type_code"),
    Certificate.state != CertificateState.SUPERSEDED,
).order_by(Certificate.id.desc())
_BY_IDENTIFIER = _held(Certificate.identifier == bindparam("identifier"))
_PRESENT_FIRST = (
    (Certificate.state == CertificateState.SUPERSEDED),
    Certificate.issued_on.desc(),
    Certificate.version.desc(),
)
"""What holds now before what was replaced: a number that was corrected finds a superseded version only."""
# Several holders can have a certificate of one number, such as both of a couple; the holder decides.
_BY_NUMBER = (
    _held(
        Certificate.type_code == bindparam("type_code"),
        Certificate.number_index == bindparam("number_index"),
        Certificate.holder_index == bindparam("holder_index"),
    )
    .order_by(*_PRESENT_FIRST)
    .limit(1)
)
_NEWEST = (
    _held(Certificate.type_code == bindparam("type_code"), Certificate.number_index == bindparam("number_index"))
    .order_by(*_PRESENT_FIRST)
    .limit(1)
)
_BY_ID = _held(Certificate.id == bindparam("id"))
_BY_COPY = _held().join(ArchivedCopy, ArchivedCopy.certificate_id == Certificate.id)
_BY_COPY = _BY_COPY.where(ArchivedCopy.sha256 == bindparam("sha256"))
_FACE = select(Certificate.holder_name, Certificate.holder_number, Certificate.face).where(
    Certificate.id == bindparam("id")
)
_CURRENT = (
    select(Certificate.identifier)
    .where(Certificate.root == bindparam("root"))
    .order_by(Certificate.version.desc())
    .limit(1)
)


def _one(statement: Select[Any], **given: object) -> Held | None:
    with one_read() as connection:
        row = connection.execute(statement, given).first()
    return Held(*row) if row is not None else None


def of_holder(holder_index: str, type_code: str) -> list[Held]:
    """The certificates of a type that a holder has, superseded versions left out, the latest known first."""
    with one_read() as connection:
        rows = connection.execute(_OF_HOLDER, {"holder_index": holder_index, "type_code": type_code}).all()
    return [Held(*row) for row in rows]


def by_identifier(identifier: str) -> Held | None:
    """Exactly this version."""
    return _one(_BY_IDENTIFIER, identifier=identifier)


def by_number(number: str, type_code: str, holder_index: str) -> Held | None:
    """The newest version of the holder's certificate with this number; a superseded one where it was corrected."""
    index = keys().blind_index("certificate-number", number)
    return _one(_BY_NUMBER, number_index=index, type_code=type_code, holder_index=holder_index)


def newest_of(number: str, type_code: str) -> Held | None:
    """The newest version of the certificate with this number, whoever holds it."""
    return _one(_NEWEST, number_index=keys().blind_index("certificate-number", number), type_code=type_code)


def by_id(certificate_id: int) -> Held | None:
    return _one(_BY_ID, id=certificate_id)


def by_copy(sha256: str) -> Held | None:
    """The version that an archived copy with this hash (64 hex digits) was taken from."""
    return _one(_BY_COPY, sha256=sha256)


def face_of(held: Held) -> Face:
    """What a certificate shows, decrypted."""
    with one_read() as connection:
        return Face(*connection.execute(_FACE, {"id": held.id}).one())


def current_identifier(root: str) -> str | None:
    """The identifier of the newest version."""
    with one_read() as connection:
        return connection.execute(_CURRENT, {"root": root}).scalar()
