"""The addresses that the Center itself keeps: its officers', the departments' and their liaison officers'."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.liaisons import LiaisonOfficer
from models.organisations import Department, Officer


@dataclass(frozen=True, slots=True)
class OwnAddress:
    """An address and, in words without a person's name, whose it is and how it is changed. ``key`` names its place."""

    key: str
    whose: str
    to: str
    todo: str


def own_addresses(session: Session, on: date) -> list[OwnAddress]:
    """Every address of an officer in service, of a department (one may have none), and of a liaison officer who is on
    file on a day or will be."""
    # Over the connection: what the caller's transaction is about to write stays as it is.
    read = session.connection().execute
    officers = select(Officer.staff_no, Officer.email).where(Officer.active).order_by(Officer.staff_no)
    departments = select(Department.uscc, Department.name, Department.email).order_by(Department.uscc)
    liaisons = (
        select(LiaisonOfficer.id, Department.name, LiaisonOfficer.email)
        .join(Department, Department.uscc == LiaisonOfficer.department_uscc)
        .where(or_(LiaisonOfficer.until_on.is_(None), LiaisonOfficer.until_on >= on))
        .order_by(LiaisonOfficer.id)
    )
    by_table = "请系统管理员改正后用 ezt department import 导入"
    return [
        *(
            OwnAddress(f"officer:{no}", f"工号{no}", to, f"请系统管理员用 ezt officer change {no} --email 改正")
            for no, to in read(officers).tuples()
        ),
        *(
            OwnAddress(f"department:{uscc}", f"“{name}”", to, by_table)
            for uscc, name, to in read(departments).tuples()
            if to
        ),
        *(
            OwnAddress(f"liaison:{number}", f"“{name}”的专人", to, "请该部门用“变更”备案改正")
            for number, name, to in read(liaisons).tuples()
        ),
    ]
