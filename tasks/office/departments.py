"""The using departments on file."""

from typing import Annotated

from pydantic import BaseModel, Field
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.organisations import Department
from runtime.words import Words
from tasks.office.naming import named

DepartmentText = Annotated[
    Words,
    Field(title="部门", description="全称、统一社会信用代码，或只有一个部门含有的简称", min_length=2, max_length=100),
]
"""A department as a form takes it; ``department_named`` finds it."""


def department_named(session: Session, name: str) -> Department:
    """The department with this full name, this credit code, or a part of its name that no other has (司法局).

    Raises ``InputError``, which names those that may be meant, when there is none or several have it.
    """
    name = name.strip()
    found = session.scalar(select(Department).where(or_(Department.name == name, Department.uscc == name.upper())))
    if found is not None:
        return found
    known = {department.name: department for department in session.scalars(select(Department))}
    return named(name, known, f"没有名为“{name}”的部门", f"“{name}”不止一个部门")


class OfDepartment(BaseModel):
    """The first field of what staff enter for a department."""

    department: DepartmentText


def department_names(session: Session) -> dict[str, str]:
    """The name of every department by its credit code."""
    return dict(session.execute(select(Department.uscc, Department.name)).tuples().all())
