"""The register of certificates as uses read it: one prepared statement a look-up, faces only where they are shown."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Text, and_, bindparam, exists, or_, select

from models.cases import Case
from models.certificate_uses import ArchivedCopy
from models.certificates import Certificate, CertificateHolder
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
    holder_index: str | None
    """Of the holder who was asked about; ``None`` where that is none of its holders."""
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
    """What a certificate shows, with its first holder."""

    holder_name: str
    holder_number: str
    values: dict[str, Any]


class OneHolder(NamedTuple):
    """One of a certificate's holders, the first at ``place`` 1; ``field`` is where its face names them."""

    place: int
    field: str
    name: str
    number: str
    share: str | None


ASKED_ABOUT = bindparam("holder_index", type_=Text)


def _held(*which: ColumnElement[bool], of_them: bool = False) -> Select[Any]:
    """The columns of ``Held`` in its order, so that a row makes one as it is; ``of_them``: only certificates of the
    holder who is asked about."""
    disputed = exists().where(
        Objection.certificate_root == Certificate.root,
        Objection.case_no == Case.case_no,
        # Not in_(): SQLAlchemy would write that part of the statement anew for every call.
        or_(*(Case.stage == stage for stage in sorted(DISPUTED))),
    )
    return (
        select(
            Certificate.id,
            Certificate.identifier,
            Certificate.root,
            Certificate.version,
            Certificate.type_code,
            CertificateHolder.holder_index,
            Certificate.issued_on,
            Certificate.valid_until_on,
            Certificate.state,
            Certificate.remark,
            Certificate.read_at,
            Certificate.backfilled_by_case,
            Certificate.confirmed_at,
            disputed.label("disputed"),
        )
        .join(
            CertificateHolder,
            and_(CertificateHolder.certificate_id == Certificate.id, CertificateHolder.holder_index == ASKED_ABOUT),
            isouter=not of_them,
        )
        .where(*which)
    )


_OF_HOLDER = _held(
    Certificate.type_code == bindparam("type_code"),
    Certificate.state != CertificateState.SUPERSEDED,
    of_them=True,
).order_by(Certificate.id.desc())
_BY_IDENTIFIER = _held(Certificate.identifier == bindparam("identifier"))
_PRESENT_FIRST = (
    (Certificate.state == CertificateState.SUPERSEDED),
    Certificate.issued_on.desc(),
    Certificate.version.desc(),
)
"""What holds now before what was replaced: a number that was corrected finds a superseded version only."""
# Both of a couple can have a certificate of one number; who is asked about decides, and what was issued to them comes
# before what names them as the other one.
_BY_NUMBER = (
    _held(
        Certificate.type_code == bindparam("type_code"),
        Certificate.number_index == bindparam("number_index"),
        of_them=True,
    )
    .order_by(_PRESENT_FIRST[0], CertificateHolder.place, *_PRESENT_FIRST[1:])
    .limit(1)
)
_NEWEST = (
    _held(Certificate.type_code == bindparam("type_code"), Certificate.number_index == bindparam("number_index"))
    .order_by(*_PRESENT_FIRST)
    .limit(1)
)
_BEFORE = _held(
    Certificate.root == bindparam("root"), Certificate.state == CertificateState.SUPERSEDED, of_them=True
).order_by(Certificate.version.desc())
_BY_ID = _held(Certificate.id == bindparam("id"))
_BY_COPY = _held().join(ArchivedCopy, ArchivedCopy.certificate_id == Certificate.id)
_BY_COPY = _BY_COPY.where(ArchivedCopy.sha256 == bindparam("sha256"))
_FACE = select(Certificate.holder_name, Certificate.holder_number, Certificate.face).where(
    Certificate.id == bindparam("id")
)
_HOLDERS = (
    select(
        CertificateHolder.place,
        CertificateHolder.field,
        CertificateHolder.name,
        CertificateHolder.number,
        CertificateHolder.share,
    )
    .where(CertificateHolder.certificate_id == bindparam("id"))
    .order_by(CertificateHolder.place)
)
_ONE_HOLDER = _HOLDERS.where(CertificateHolder.holder_index == ASKED_ABOUT)
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


def by_identifier(identifier: str, holder_index: str = "") -> Held | None:
    """Exactly this version, whoever holds it."""
    return _one(_BY_IDENTIFIER, identifier=identifier, holder_index=holder_index)


def by_number(number: str, type_code: str, holder_index: str) -> Held | None:
    """The newest version of the holder's certificate with this number; a superseded one where it was corrected."""
    index = keys().blind_index("certificate-number", number)
    return _one(_BY_NUMBER, number_index=index, type_code=type_code, holder_index=holder_index)


def newest_of(number: str, type_code: str) -> Held | None:
    """The newest version of the certificate with this number, whoever holds it."""
    index = keys().blind_index("certificate-number", number)
    return _one(_NEWEST, number_index=index, type_code=type_code, holder_index="")


def versions_before(root: str, holder_index: str) -> list[Held]:
    """The superseded versions of a certificate that a holder had, the latest first."""
    with one_read() as connection:
        return [Held(*row) for row in connection.execute(_BEFORE, {"root": root, "holder_index": holder_index})]


def by_id(certificate_id: int, holder_index: str) -> Held | None:
    return _one(_BY_ID, id=certificate_id, holder_index=holder_index)


def by_copy(sha256: str, holder_index: str) -> Held | None:
    """The version that an archived copy with this hash (64 hex digits) was taken from."""
    return _one(_BY_COPY, sha256=sha256, holder_index=holder_index)


def face_of(held: Held) -> Face:
    """What a certificate shows, decrypted."""
    with one_read() as connection:
        return Face(*connection.execute(_FACE, {"id": held.id}).one())


def holder_index(number: str) -> str:
    """The blind index of a holder's number, as certificates carry it."""
    return keys().blind_index("holder-number", number)


def held_by(index: str) -> ColumnElement[bool]:
    """The condition that a certificate is a holder's, alone or with others."""
    theirs = select(CertificateHolder.certificate_id).where(CertificateHolder.holder_index == index)
    return Certificate.id.in_(theirs)


def holders_of(held: Held) -> list[OneHolder]:
    """All holders of a certificate, decrypted, the first one first."""
    with one_read() as connection:
        return [OneHolder(*row) for row in connection.execute(_HOLDERS, {"id": held.id})]


def holder_asked_about(held: Held) -> OneHolder | None:
    """Of a certificate's holders the one who was asked about; ``None`` where it is not theirs (any more)."""
    with one_read() as connection:
        row = connection.execute(_ONE_HOLDER, {"id": held.id, "holder_index": held.holder_index}).first()
    return OneHolder(*row) if row is not None else None


def current_identifier(root: str) -> str | None:
    """The identifier of the newest version."""
    with one_read() as connection:
        return connection.execute(_CURRENT, {"root": root}).scalar()
