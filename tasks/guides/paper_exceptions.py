"""The register of the exceptions that Article 7 leaves: laws and regulations that demand the paper certificate."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.certificate_uses import PaperException
from models.certificates import CertificateType
from models.organisations import Officer, Role
from runtime import clock
from runtime.database import transaction
from runtime.refusals import RefusalError
from tasks.audit import record
from tasks.case.kind import Table
from tasks.guides.items import item_named
from tasks.register.types import type_named

ONLY_DIRECTORS = "法定纸质例外须由负责人登记。"


def enter_exception(
    certificate_type: str,
    item_code: str,
    citation: str,
    from_on: date,
    until_on: date | None,
    by: Officer,
) -> None:
    """Put a law's demand for paper on the register: for one service item, or for all where ``item_code`` is empty.

    Only a director may, because it takes from everybody what Article 8 gives. Raises ``RefusalError`` for anybody else,
    an unknown type or item, and an end before the beginning.
    """
    with transaction() as session:
        now = clock.now()
        if by.role is not Role.DIRECTOR:
            raise RefusalError(ONLY_DIRECTORS)
        kind = type_named(session, certificate_type)
        item_code = item_named(session, item_code) if item_code else ""
        if until_on is not None and until_on < from_on:
            raise RefusalError("失效日期早于生效日期，请更正。")
        session.add(
            PaperException(
                type_code=kind.code,
                item_code=item_code or None,
                citation=citation,
                from_on=from_on,
                until_on=until_on,
                entered_by_no=by.staff_no,
                entered_at=now,
            )
        )
        detail = {"type": kind.code, "item": item_code or None, "citation": citation}
        record(session, "paper-exception:register:entered", None, by.staff_no, now, **detail)


def end_exception(number: int, last_on: date, by: Officer) -> None:
    """Set the last day of an entry. Raises ``RefusalError`` for an unknown number and whoever is no director."""
    with transaction() as session:
        now = clock.now()
        if by.role is not Role.DIRECTOR:
            raise RefusalError(ONLY_DIRECTORS)
        entry = session.get(PaperException, number, with_for_update=True)
        if entry is None:
            numbers = map(str, session.scalars(select(PaperException.id).order_by(PaperException.id)))
            there = f"在册的序号：{'、'.join(numbers) or '无'}"
            raise RefusalError(f"没有序号为{number}的法定纸质例外，{there}，请更正。")
        if last_on < entry.from_on:
            raise RefusalError("失效日期早于生效日期，请更正。")
        entry.until_on = last_on
        record(session, "paper-exception:register:ended", None, by.staff_no, now, number=number, on=str(last_on))


def exceptions_table(session: Session, today: date) -> Table:
    """The register, what holds today first."""
    found = (
        select(PaperException, CertificateType.name)
        .join(CertificateType, CertificateType.code == PaperException.type_code)
        .order_by(PaperException.id)
    )

    def ended(entry: PaperException) -> bool:
        return entry.until_on is not None and entry.until_on < today

    rows = tuple(
        (
            str(entry.id),
            name,
            entry.item_code or "全部事项",
            entry.citation,
            str(entry.from_on),
            f"{entry.until_on or '长期'}{'（已失效）' if ended(entry) else ''}",
        )
        for entry, name in sorted(session.execute(found).tuples(), key=lambda row: ended(row[0]))
    )
    return Table(("序号", "证照类型", "事项", "依据", "生效", "失效"), rows)
