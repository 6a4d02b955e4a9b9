"""Under which names the register has a number, which is one person's or one organisation's, whatever papers call them.
That it has it under another name may be a slip in the number, somebody else's paper, or a name that was changed."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models.certificates import Certificate, CertificateHolder, CertificateType
from regulation.backfill.files import held_otherwise as is_held_otherwise
from regulation.backfill.judge import Holder
from regulation.backfill.problems import Problem
from regulation.catalogue import state_on
from regulation.certificates import STATE_NAMES, CertificateState
from regulation.identity_numbers import same_name
from runtime import clock
from runtime.database import in_pieces
from tasks.register.faces import holder_index

LISTED = 20
"""Certificates that are listed, the latest."""
TITLE = "同一号码在登记中的证照（另一姓名或名称的已标出）"
COLUMNS = ("登记的姓名或名称", "证照", "颁证日期，现状")


class HeldByNumber(NamedTuple):
    """A certificate that a number holds: under which name, in three cells as ``COLUMNS``."""

    name: str
    certificate: str
    standing: str


def held_otherwise(
    session: Session, holders: Iterable[Holder], but_not: str = ""
) -> tuple[tuple[HeldByNumber, ...], frozenset[str]]:
    """All certificates that the register has under the numbers of ``holders``, where it has one of them under another
    name, and those other names; none where the names agree. ``but_not``: the root of the certificate that is looked
    into, or the case that brought it in."""
    rows: list[HeldByNumber] = []
    names: set[str] = set()
    for holder in holders:
        held = _held(session, holder.number, but_not)
        others = {each.name for each in held if not same_name(each.name, holder.name)}
        if others:
            rows += held
            names |= others
    return tuple(rows), frozenset(names)


def numbers_held_otherwise(
    session: Session, entries: Sequence[Sequence[Holder]], but_not: str = ""
) -> list[list[Problem]]:
    """Of each entry's holders, what is remarkable about those whose numbers the register has under another name."""
    indexes = [[holder_index(each.number) for each in holders] for holders in entries]
    known = names_by_index(session, [each for some in indexes for each in some], but_not)
    return [
        [
            problem
            for holder, at in zip(holders, some, strict=True)
            if (problem := is_held_otherwise(holder, known.get(at, ()))) is not None
        ]
        for holders, some in zip(entries, indexes, strict=True)
    ]


def _held(session: Session, number: str, but_not: str) -> list[HeldByNumber]:
    wanted = (
        select(CertificateHolder.name, CertificateType.name, Certificate)
        .join(Certificate, Certificate.id == CertificateHolder.certificate_id)
        .join(CertificateType, CertificateType.code == Certificate.type_code)
        .where(
            CertificateHolder.holder_index == holder_index(number),
            Certificate.state != CertificateState.SUPERSEDED,
            *_other_than(but_not),
        )
        .order_by(Certificate.id.desc())
        .limit(LISTED)
    )
    today = clock.today()
    return [
        HeldByNumber(
            name,
            f"{kind} {each.number}",
            f"{each.issued_on}，{STATE_NAMES[state_on(today, each.state, each.valid_until_on)]}",
        )
        for name, kind, each in session.execute(wanted).tuples()
    ]


def _other_than(but_not: str) -> tuple[ColumnElement[bool], ...]:
    return Certificate.root != but_not, Certificate.backfilled_by_case.is_distinct_from(but_not)


def names_by_index(session: Session, indexes: Sequence[str], but_not: str = "") -> dict[str, set[str]]:
    """The names under which the register has holders' numbers, by the numbers' indexes."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for some in in_pieces(list(dict.fromkeys(indexes))):
        wanted = (
            select(CertificateHolder.holder_index, CertificateHolder.name)
            .join(Certificate, Certificate.id == CertificateHolder.certificate_id)
            .where(
                CertificateHolder.holder_index.in_(some),
                Certificate.state != CertificateState.SUPERSEDED,
                *_other_than(but_not),
            )
        )
        for index, name in session.execute(wanted).tuples():
            found[index].add(name)
    return found
