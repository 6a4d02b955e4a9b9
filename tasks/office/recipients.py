"""Who of a department is written to: the liaison officers on file (Article 13) and the office."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from models.liaisons import LiaisonOfficer
from models.organisations import Department
from regulation.certificates import mask_name


def on_file(on: date) -> ColumnElement[bool]:
    """The condition that a liaison officer is on file on a day, the last day included."""
    return (LiaisonOfficer.from_on <= on) & or_(LiaisonOfficer.until_on.is_(None), LiaisonOfficer.until_on >= on)


def liaisons_on_file(session: Session, department_uscc: str, on: date) -> Sequence[LiaisonOfficer]:
    """Whom a department has on file on a day, the longest there first."""
    wanted = select(LiaisonOfficer).where(LiaisonOfficer.department_uscc == department_uscc, on_file(on))
    return session.scalars(wanted.order_by(LiaisonOfficer.from_on, LiaisonOfficer.id)).all()


def liaison_on_file(session: Session, department_uscc: str, on: date) -> bool:
    """Whether a department has anybody on file on a day (Article 13)."""
    wanted = select(LiaisonOfficer.id).where(LiaisonOfficer.department_uscc == department_uscc, on_file(on))
    return session.scalar(wanted.limit(1)) is not None


def addressees(session: Session, department: Department, on: date) -> list[tuple[str, str]]:
    """Who of a department is written to, as (masked name, address): the liaison officers on file and the office."""
    people = [(mask_name(each.name), each.email) for each in liaisons_on_file(session, department.uscc, on)]
    return [*people, (department.name, department.email)] if department.email else people
