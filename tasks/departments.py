"""The using departments on file."""

import difflib
import re

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.organisations import Department
from runtime.refusals import InputError

SUGGESTED = 3
"""Names that a refusal suggests."""
ALIKE = 0.4
"""From which likeness on, by difflib (0 to 1)."""


def department_named(session: Session, name: str) -> Department:
    """The department with this full name, this credit code, or a part of its name that no other has (司法局).

    Raises ``InputError``, which names those that may be meant, when there is none or several have it.
    """
    name = name.strip()
    found = session.scalar(select(Department).where(or_(Department.name == name, Department.uscc == name.upper())))
    if found is not None:
        return found
    names = {department.name: department for department in session.scalars(select(Department))}
    having = sorted(each for each in names if len(name) >= 2 and name in each)
    if len(having) == 1:
        return names[having[0]]
    # What is only alike is suggested, never taken: a wrong department is worse than another form.
    alike = sorted(each for each in names if is_short_for(name, each)) or difflib.get_close_matches(
        name, names, SUGGESTED, ALIKE
    )
    meant = "、".join((having or alike)[:SUGGESTED])
    if having:
        raise InputError(f"“{name}”不止一个部门，是不是：{meant}？请填写全称。")
    hint = f"是不是：{meant}？" if meant else "请核对全称。"
    raise InputError(f"没有名为“{name}”的部门，{hint}")


def is_short_for(short: str, name: str) -> bool:
    """Whether all characters of a short name stand in a name in the same order.

    >>> is_short_for("人社局", "柯桥区人力资源和社会保障局"), is_short_for("公安局", "绍兴市柯桥区司法局")
    (True, False)
    """
    return re.search(".*".join(map(re.escape, short)), name) is not None


def department_names(session: Session) -> dict[str, str]:
    """The name of every department by its credit code."""
    return dict(session.execute(select(Department.uscc, Department.name)).tuples().all())
