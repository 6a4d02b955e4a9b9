"""Cases found by what somebody has at hand, closed ones too: a case's number, or the whole number or name of whom or
what it is about. Part of a name finds nobody: names are sealed and only whole ones have a mark.

That somebody looked a person or a certificate up is on record, not what they typed (Article 14).
"""

import re
import unicodedata
from dataclasses import dataclass

from sqlalchemy import func, select, union
from sqlalchemy.orm import Session

from models.cases import Case, CaseCounter, CaseKind, CaseMark
from models.certificates import Certificate, CertificateHolder, CertificateType
from regulation.certificates import IdentifierError, parse_identifier
from runtime import clock
from runtime.database import reading, transaction
from runtime.keys import keys
from tasks.audit import record
from tasks.case.kind import Sought
from tasks.case.marks import mark_of
from tasks.desk.kinds import KINDS
from tasks.desk.to_do import PAGE, Row, Today, pages_of, rows_of
from tasks.register.faces import holder_index

NOTHING = (
    "没有找到。办件编号可以只写最后几位，如12、2026-12；证照编号、电子证照标识、证件号码、电话须写全；"
    "姓名、名称须写全，不能只写其中几个字，*、%、_不代表其他的字。"
)
DASHES = re.compile("[‐-―−]")
_SHORT = re.compile(r"(?:([A-Z]{2})-?)?(?:(\d{4})-)?(\d{1,6})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what was found, the latest first, and how many cases that are."""

    rows: tuple[Row, ...]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return pages_of(self.total)


def search(text: str, staff_no: str, page: int = 1) -> Found:
    """The cases that a text leads to. Of a page that there is not, the last one."""
    with reading() as session:
        numbers = _numbers(session, text)
        led_to = union(
            select(Case.case_no).where(Case.case_no.in_(numbers)),
            select(CaseMark.case_no).where(CaseMark.mark == mark_of(text)),
            *(wanted for kind in KINDS.values() for wanted in kind.found(_sought(session, text))),
        )
        here = Case.case_no.in_(select(led_to.subquery().c[0]))
        total = session.scalar(select(func.count()).select_from(Case).where(here)) or 0
        page = min(page, pages_of(total))
        today = Today.of(session)
        # Open ones first: mostly it is one of them.
        some = select(Case.case_no).where(here).limit(PAGE).offset((page - 1) * PAGE)
        some = some.order_by(Case.closed_at.is_not(None), Case.opened_at.desc(), Case.case_no.desc())
        rows = rows_of(session, session.scalars(some).all(), today)
    if not numbers:
        with transaction() as session:
            record(session, "desk:cases:searched", None, staff_no, clock.now(), found=total)
    return Found(tuple(rows), total, page)


def _numbers(session: Session, text: str) -> list[str]:
    """The numbers of cases that a text may be, whole or shortened to what follows the kind or the year; none where it
    is no such number."""
    folded = DASHES.sub("-", "".join(unicodedata.normalize("NFKC", text).upper().split()))
    short = _SHORT.fullmatch(folded)
    if short is None:
        return []
    kind, year, number = short.groups()
    if kind is not None and kind not in {each.value for each in CaseKind}:
        return []
    kinds = [kind] if kind else list(CaseKind)
    years = [year] if year else session.scalars(select(CaseCounter.year).distinct()).all()
    return [f"{one}-{other}-{int(number):06}" for one in kinds for other in years]


def _sought(session: Session, text: str) -> Sought:
    """What a text leads to in the register: as an identifier, the number of a certificate, or that of a holder."""
    number = keys().blind_index("certificate-number", text)
    try:
        return Sought(number, [parse_identifier(text).root])
    except IdentifierError:
        pass
    # The index of numbers begins with the type.
    numbered = select(Certificate.root).where(
        Certificate.type_code.in_(select(CertificateType.code)), Certificate.number_index == number
    )
    held = (
        select(Certificate.root)
        .join(CertificateHolder, CertificateHolder.certificate_id == Certificate.id)
        .where(CertificateHolder.holder_index == holder_index(text))
    )
    return Sought(number, session.scalars(union(numbered, held)).all())
