"""The use list (Article 9): what stands on it on a day, and how it goes on. Versions are only ever added."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import Session, aliased

from models.certificates import CertificateType
from models.use_lists import UseListEntry, UseListVersion
from regulation.certificate_use import Permission
from regulation.use_lists import Terms


def permissions_on(
    session: Session, department_uscc: str, item_code: str, type_code: str, on: date
) -> list[Permission]:
    """What a department may see of a certificate type for a service item on a day, one permission a scenario."""
    which = (
        UseListEntry.department_uscc == department_uscc,
        UseListEntry.item_code == item_code,
        UseListEntry.type_code == type_code,
    )
    return [
        Permission(
            entry_id=entry.id,
            version_id=version.id,
            item_code=entry.item_code,
            item_name=version.item_name,
            type_code=entry.type_code,
            scenario=entry.scenario,
            fields=version.fields,
            holder_alone=version.holder_alone,
            authorisation=version.authorisation,
        )
        for entry, version in in_force(session, on, *which)
    ]


def standing_on(on: date, *which: ColumnElement[bool]) -> Select[tuple[UseListEntry, UseListVersion]]:
    """The query for ``in_force``."""
    recency = (UseListVersion.in_force_from.desc(), UseListVersion.id.desc())
    ranked = (
        select(
            UseListVersion.id,
            func.row_number().over(partition_by=UseListVersion.entry_id, order_by=recency).label("place"),
        )
        .join(UseListEntry, UseListEntry.id == UseListVersion.entry_id)
        .where(UseListVersion.in_force_from <= on, *which)
        .subquery()
    )
    version = aliased(UseListVersion)
    return (
        select(UseListEntry, version)
        .join(version, version.entry_id == UseListEntry.id)
        .join(ranked, ranked.c.id == version.id)
        .where(ranked.c.place == 1, version.ended.is_(False))
        .order_by(UseListEntry.department_uscc, UseListEntry.item_code, UseListEntry.type_code, UseListEntry.id)
    )


def in_force(
    session: Session, on: date, *which: ColumnElement[bool]
) -> Sequence[Row[tuple[UseListEntry, UseListVersion]]]:
    """The entries on the list on a day with the version that counts then: of each entry the one with the latest
    ``in_force_from`` that is not after the day, of those the one decided last, unless it ends the entry."""
    return session.execute(standing_on(on, *which)).all()


def terms_of(version: UseListVersion) -> Terms:
    """What a version allows."""
    return Terms(version.item_name, version.fields, version.holder_alone, version.authorisation)


@dataclass(frozen=True, slots=True)
class Identity:
    """What stays the same over an entry's versions."""

    department_uscc: str
    item_code: str
    type_code: str
    scenario: str


def identity_of(entry: UseListEntry) -> Identity:
    """Which entry of the list it is."""
    return Identity(entry.department_uscc, entry.item_code, entry.type_code, entry.scenario)


def put_version(
    session: Session, which: Identity, terms: Terms, from_on: date, at: datetime, case_no: str | None
) -> int:
    """Let an entry have these terms from a day on; the entry's number. The department's row is locked, or two
    decisions at once would make one entry twice."""
    entry = _entry(session, which)
    session.add(_version(entry, terms, ended=False, from_on=from_on, at=at, case_no=case_no))
    session.flush()
    return entry.id


def end_entry(session: Session, which: Identity, terms: Terms, from_on: date, at: datetime, case_no: str | None) -> int:
    """Take an entry off the list from a day on; the entry's number.

    Versions that were to come into force later are ended as well: they would bring it back.
    """
    entry = _entry(session, which)
    later = select(UseListVersion.in_force_from).where(
        UseListVersion.entry_id == entry.id, UseListVersion.in_force_from > from_on
    )
    for day in sorted({from_on, *session.scalars(later)}):
        session.add(_version(entry, terms, ended=True, from_on=day, at=at, case_no=case_no))
    session.flush()
    return entry.id


def _entry(session: Session, which: Identity) -> UseListEntry:
    entry = session.scalar(select(UseListEntry).filter_by(**asdict(which)))
    if entry is None:
        entry = UseListEntry(**asdict(which))
        session.add(entry)
        session.flush()
    return entry


def _version(
    entry: UseListEntry, terms: Terms, *, ended: bool, from_on: date, at: datetime, case_no: str | None
) -> UseListVersion:
    return UseListVersion(
        entry_id=entry.id,
        item_name=terms.item_name,
        fields=terms.fields,
        holder_alone=terms.holder_alone,
        authorisation=terms.authorisation,
        ended=ended,
        in_force_from=from_on,
        decided_at=at,
        case_no=case_no,
    )


def described(session: Session, on: date, department_uscc: str) -> list[dict[str, Any]]:
    """A department's list on a day as its programs read it, with codes and names."""
    kinds = {kind.code: kind for kind in session.scalars(select(CertificateType))}
    return [
        {
            "item_code": entry.item_code,
            "item_name": version.item_name,
            "certificate_type": {"code": entry.type_code, "name": kinds[entry.type_code].name},
            "scenario": entry.scenario,
            "fields": [{"code": code, "name": kinds[entry.type_code].names.get(code, code)} for code in version.fields],
            "holder_alone": version.holder_alone,
            "authorisation": version.authorisation,
            "in_force_from": str(version.in_force_from),
        }
        for entry, version in in_force(session, on, UseListEntry.department_uscc == department_uscc)
    ]
