"""What departments are told by a mail with a private link, and answer behind it or from their own system (Articles 12,
16 and 17)."""

from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.certificate_uses import WrongValueUse
from models.organisations import Department
from models.rectifications import Rectification
from models.rule_revisions import RuleRevision
from runtime.keys import keys
from runtime.refusals import NotFoundError

Told = TypeVar("Told", Rectification, RuleRevision, WrongValueUse)
_INDEXES = {
    Rectification: "rectification-token",
    RuleRevision: "rule-revision-token",
    WrongValueUse: "wrong-value-token",
}


def link_index(kind: type[Told], token: str) -> str:
    """The blind index under which a link to something of this kind is found."""
    return keys().blind_index(_INDEXES[kind], token)


def behind_link(session: Session, kind: type[Told], token: str) -> Told:
    """What stands behind a department's link. ``NotFoundError`` for none."""
    row = session.scalar(select(kind).where(kind.token_index == link_index(kind, token)))
    if row is None:
        raise NotFoundError("链接无效，请核对邮件中的地址。")
    return row


def of_department(session: Session, kind: type[Told], department: str, case_no: str) -> Told:
    """What a department (by name) was told in a case. ``NotFoundError`` for another's or none."""
    wanted = select(kind).join(Department, Department.uscc == kind.department_uscc)
    row = session.scalar(wanted.where(Department.name == department, kind.case_no == case_no))
    if row is None:
        raise NotFoundError("没有本部门的这一办件，请核对办件编号。")
    return row
