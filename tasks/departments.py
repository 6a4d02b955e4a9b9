"""The using departments on file."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.organisations import Department
from runtime.refusals import InputError


def department_named(session: Session, name: str) -> Department:
    """The department with this full name. Raises ``InputError`` when there is none."""
    found = session.scalar(select(Department).where(Department.name == name.strip()))
    if found is None:
        raise InputError(f"没有名为“{name.strip()}”的部门，请核对全称。")
    return found


def department_names(session: Session) -> dict[str, str]:
    """The name of every department by its credit code."""
    return dict(session.execute(select(Department.uscc, Department.name)).tuples().all())
