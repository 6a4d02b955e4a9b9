"""Which certificate of the register an objection is about, by the number or the identifier that it gives."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from models.certificates import Certificate, CertificateHolder, CertificateType
from models.objections import Objection
from regulation.certificates import CertificateState, IdentifierError, parse_identifier
from regulation.objections import Ground
from runtime.database import in_pieces
from runtime.keys import keys
from tasks.objections.doubts import is_of_another_type

BY_ROOT = select(Certificate.root).where(Certificate.root.in_(bindparam("roots", expanding=True)))
BY_NUMBER = (
    select(
        Certificate.type_code,
        Certificate.number_index,
        Certificate.root,
        Certificate.state != CertificateState.SUPERSEDED,
        Certificate.issued_on,
        CertificateHolder.holder_index,
    )
    .join(CertificateHolder, CertificateHolder.certificate_id == Certificate.id)
    .where(Certificate.number_index.in_(bindparam("indexes", expanding=True)))
)
CAME_LATER = "登记以后本区索引中有了这件证照"


class Named(NamedTuple):
    """What a number or an identifier names: what the versions of the certificate share, if the local index has it and
    it can be told which one it is, and whether several have the number."""

    root: str | None
    several: bool = False


def roots_of(session: Session, wanted: Sequence[tuple[CertificateType | None, str]]) -> list[Named]:
    """The certificates that numbers (with their types) or identifiers name."""
    named = [_name_of(kind, reference) for kind, reference in wanted]
    found: dict[tuple[str, str], Named] = {}
    for some in in_pieces([root for code, root in filter(None, named) if not code]):
        found |= {("", root): Named(root) for root in session.connection().scalars(BY_ROOT, {"roots": some})}
    for some in in_pieces([index for code, index in filter(None, named) if code]):
        there: dict[tuple[str, str], list[_Numbered]] = defaultdict(list)
        for code, index, *numbered in session.connection().execute(BY_NUMBER, {"indexes": some}):
            there[code, index].append(_Numbered(*numbered))
        found |= {each: _named(numbered) for each, numbered in there.items()}
    return [found.get(each, Named(None)) if each is not None else Named(None) for each in named]


class _Numbered(NamedTuple):
    """One holder of a version that has the number; ``present``: it was not superseded."""

    root: str
    present: bool
    issued_on: date
    holder_index: str


def _named(numbered: Sequence[_Numbered]) -> Named:
    """Of the versions with a number the certificate that is meant: what holds now before a number that was corrected.
    Several of the same holders are one after the other and the latest is meant; of several holders' nobody guesses."""
    there = [each for each in numbered if each.present] or numbered
    holders: dict[str, set[str]] = defaultdict(set)
    for each in there:
        holders[each.root].add(each.holder_index)
    if len(set(map(frozenset, holders.values()))) > 1:
        return Named(None, several=True)
    latest = max(there, key=lambda each: (each.issued_on, each.root))
    return Named(latest.root, several=len(holders) > 1)


def _name_of(kind: CertificateType | None, reference: str) -> tuple[str, str] | None:
    """What a reference is looked up by: nothing and a root, or a type's code and the index of a number."""
    if kind is not None and is_of_another_type(kind, reference):
        return None
    try:
        return "", parse_identifier(reference).root
    except IdentifierError:
        return None if kind is None else (kind.code, keys().blind_index("certificate-number", reference))


def link_to_register(session: Session, objections: Sequence[Objection]) -> None:
    """Let objections name the certificates that came into the register after them, as a backfill does (Article 11):
    whoever holds them is to be told, and nobody above has their source."""
    unknown = [each for each in objections if each.certificate_root is None and Ground.MISSING not in each.grounds]
    if not unknown:
        return
    kinds = {kind.code: kind for kind in session.scalars(select(CertificateType))}
    wanted = [(kinds.get(each.type_code or ""), each.certificate_reference) for each in unknown]
    for objection, named in zip(unknown, roots_of(session, wanted), strict=True):
        if named.root is not None and not named.several:
            objection.certificate_root, objection.remark = named.root, f"{objection.remark}；{CAME_LATER}".strip("；")
