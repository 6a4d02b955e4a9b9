"""How departments come to what they were told (Articles 9, 12, 16 and 17): by the private link in a mail, or from a
system of their own."""

import secrets
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from models.base import Base
from models.certificate_uses import WrongValueUse
from models.organisations import Department
from models.rectifications import Rectification
from models.rule_revisions import RuleRevision
from models.source_checks import SourceCheck
from models.use_lists import EntryEnquiry
from runtime.keys import keys
from runtime.refusals import NotFoundError

Told = TypeVar("Told", Rectification, RuleRevision, SourceCheck, WrongValueUse)
Asked = TypeVar("Asked", SourceCheck, WrongValueUse)
_INDEXES: dict[type[Base], str] = {
    Rectification: "rectification-token",
    RuleRevision: "rule-revision-token",
    WrongValueUse: "wrong-value-token",
    EntryEnquiry: "use-list-enquiry",
    SourceCheck: "source-check-token",
}


def link_index(kind: type[Base], token: str) -> str:
    """The blind index under which a link to something of this kind is found."""
    return keys().blind_index(_INDEXES[kind], token)


def new_link(kind: type[Base]) -> dict[str, str]:
    """The columns of a new link to something of this kind."""
    token = secrets.token_urlsafe(24)
    return {"token": token, "token_index": link_index(kind, token)}


@dataclass(frozen=True, slots=True)
class ByLink:
    """Whoever has the private link of a mail to a department; ``by`` names them in the record."""

    token: str
    by: str = "link"

    def find(self, session: Session, kind: type[Told]) -> Told:
        """What stands behind the link. ``NotFoundError`` for none."""
        return _one(session, kind, "链接无效，请核对邮件中的地址。", kind.token_index == link_index(kind, self.token))


@dataclass(frozen=True, slots=True)
class ByApplication:
    """A department (by name) that comes with its own system to one of its cases; ``by`` is its application's key."""

    department: str
    by: str
    case_no: str

    def find(self, session: Session, kind: type[Told]) -> Told:
        """What the department was told in the case. ``NotFoundError`` for another's or none."""
        its_own = select(Department.uscc).where(Department.name == self.department)
        mine = kind.department_uscc.in_(its_own)
        return _one(session, kind, "没有本部门的这一办件，请核对办件编号。", mine, kind.case_no == self.case_no)


Correspondent = ByLink | ByApplication


def unanswered(kind: type[Asked], *which: ColumnElement[bool]) -> Select[tuple[Asked, str]]:
    """What departments were asked once and have not answered, each with the department's name."""
    whose = select(kind, Department.name).join(Department, Department.uscc == kind.department_uscc)
    return whose.where(kind.answered_at.is_(None), *which)


def _one(session: Session, kind: type[Told], otherwise: str, *which: ColumnElement[bool]) -> Told:
    row = session.scalar(select(kind).where(*which))
    if row is None:
        raise NotFoundError(otherwise)
    return row
