"""Liaison officers (专人, Article 13): who is on file for a department, what departments file, what staff confirm."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from models.liaisons import LiaisonOfficer


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
