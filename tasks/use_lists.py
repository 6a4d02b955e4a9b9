"""The use list (Article 9): what stands on it on a day, what departments propose, and what staff take over."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import Session, aliased

from models.use_lists import UseListEntry, UseListVersion
from regulation.certificate_use import Permission


def permissions_on(
    session: Session, department_uscc: str, item_code: str, type_code: str, on: date
) -> list[Permission]:
    """What a department may see of a certificate type for a service item on a day, one permission a scenario."""
    return _permissions(
        session,
        on,
        UseListEntry.department_uscc == department_uscc,
        UseListEntry.item_code == item_code,
        UseListEntry.type_code == type_code,
    )


def use_list_on(session: Session, department_uscc: str, on: date) -> list[Permission]:
    """A department's whole use list as it is in force on a day, by item, type and scenario."""
    return _permissions(session, on, UseListEntry.department_uscc == department_uscc)


def _permissions(session: Session, on: date, *which: ColumnElement[bool]) -> list[Permission]:
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


def in_force(
    session: Session, on: date, *which: ColumnElement[bool]
) -> Sequence[Row[tuple[UseListEntry, UseListVersion]]]:
    """The entries on the list on a day with the version that counts then: of each entry the one with the latest
    ``in_force_from`` that is not after the day, of those the one decided last, unless it ends the entry."""
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
    wanted = (
        select(UseListEntry, version)
        .join(version, version.entry_id == UseListEntry.id)
        .join(ranked, ranked.c.id == version.id)
        .where(ranked.c.place == 1, version.ended.is_(False))
        .order_by(UseListEntry.department_uscc, UseListEntry.item_code, UseListEntry.type_code, UseListEntry.id)
    )
    return session.execute(wanted).all()
