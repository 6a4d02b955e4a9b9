"""The register of using departments (使用部门) as a table that the operator brings in, one row a department."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.organisations import Application, ApplicationKind, Department
from regulation.identity_numbers import parse_credit_code
from runtime import clock
from runtime.contacts import Address
from runtime.database import transaction
from runtime.refusals import wrong_fields
from runtime.words import Words
from tasks.audit import record
from tasks.tables.headed import BroughtIn, Layout, refuse_nothing, refuse_rows, rows_of

LAYOUT = Layout(
    {
        "uscc": ("统一社会信用代码", "信用代码", "部门代码"),
        "name": ("部门名称", "部门", "部门全称", "单位名称"),
        "email": ("邮箱", "电子邮箱", "办公邮箱"),
    },
    ("uscc", "name", "email"),
    known_by="uscc",
)
NOTHING = "未登记任何一个部门"


def credit_code(text: object) -> object:
    """A cell's credit code. ``ValueError`` says what is wrong with it, without the field's name."""
    try:
        return parse_credit_code(str(text))
    except ValueError as error:
        raise ValueError(str(error).removeprefix("统一社会信用代码").removesuffix("。")) from None


class DepartmentForm(BaseModel):
    """A row of the table."""

    model_config = ConfigDict(extra="forbid")

    uscc: Annotated[str, BeforeValidator(credit_code)] = Field(title="统一社会信用代码")
    name: Words = Field(title="部门名称", min_length=2, max_length=100)
    email: Address = Field(title="邮箱")


def import_departments(name: str, content: bytes, by: str, *, check: bool) -> list[BroughtIn]:
    """Add the departments of a table and change those that are on file under the same credit code, all or none; with
    ``check`` nothing is written. A department that is renamed keeps its programs.

    Raises ``InputError`` for what ``rows_of`` refuses and for every wrong cell, by its row and column.
    """
    rows = _checked(name, content)
    with transaction() as session:
        wrong: list[tuple[int, str]] = []
        done = [_brought(session, number, form, wrong, by) for number, form in rows]
        refuse_rows(name, wrong, NOTHING)
        if check:
            session.rollback()
        return done


def _checked(name: str, content: bytes) -> list[tuple[int, DepartmentForm]]:
    wrong: list[tuple[int, str]] = []
    rows: list[tuple[int, DepartmentForm]] = []
    for number, given, lost in rows_of(name, content, LAYOUT):
        if lost:
            wrong.append((number, "；".join(lost.values())))
            continue
        try:
            rows.append((number, DepartmentForm.model_validate(given)))
        except ValidationError as error:
            wrong.append((number, "；".join(wrong_fields(error, DepartmentForm))))
    for field in ("uscc", "name"):
        first: dict[str, int] = {}
        for number, form in rows:
            before = first.setdefault(getattr(form, field), number)
            if before != number:
                wrong.append((number, f"{LAYOUT.title(field)}与第{before}行相同，请删去一行或更正"))
    refuse_rows(name, wrong, NOTHING)
    refuse_nothing(name, rows)
    return rows


def _brought(session: Session, number: int, form: DepartmentForm, wrong: list[tuple[int, str]], by: str) -> BroughtIn:
    other = session.scalar(select(Department).where(Department.name == form.name, Department.uscc != form.uscc))
    if other is not None:
        wrong.append((number, f"部门名称“{form.name}”已由信用代码{other.uscc}使用，请核对"))
        return BroughtIn(form.uscc, form.name, new=False, changes=())
    department = session.get(Department, form.uscc, with_for_update=True)
    now = clock.now()
    if department is None:
        session.add(Department(**form.model_dump()))
        session.flush()
        record(session, "department:register:added", None, by, now, uscc=form.uscc, name=form.name)
        return BroughtIn(form.uscc, form.name, new=True, changes=())
    changes = _changes(department, form)
    if changes:
        if department.name != form.name:
            # Programs speak for a department by its name.
            theirs = (Application.kind == ApplicationKind.DEPARTMENT) & (Application.speaks_for == department.name)
            session.execute(update(Application).where(theirs).values(speaks_for=form.name))
        department.name, department.email = form.name, form.email
        session.flush()
        record(session, "department:register:changed", None, by, now, uscc=form.uscc, changes=list(changes))
    return BroughtIn(form.uscc, form.name, new=False, changes=changes)


def _changes(department: Department, form: DepartmentForm) -> Sequence[str]:
    return tuple(
        f"{LAYOUT.title(field)}：{getattr(department, field)}→{getattr(form, field)}"
        for field in ("name", "email")
        if getattr(department, field) != getattr(form, field)
    )
