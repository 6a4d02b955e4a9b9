"""Versions of certificates, on every way into the register: their columns follow from their faces, and a value that is
put on a face is one that its field can hold (Articles 3 and 12)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.orm import Session

from models.certificates import Certificate, CertificateHolder, CertificateType, IssuingAuthority
from regulation.backfill.judge import HOLDER_NUMBER, ISSUED_ON, VALID_UNTIL, Columns, Holder, Judge, columns
from regulation.backfill.problems import Problem, Severity
from regulation.catalogue import STATE, Validity, state_on, valid_until
from regulation.certificates import STATE_NAMES, VARIANT_REMARK, CertificateState, parse_identifier
from regulation.register_columns import new_contradictions, read_off
from runtime.database import in_pieces
from runtime.keys import keys
from runtime.refusals import InputError
from tasks.register.types import paper_type

CURRENT_VERSION = select(Certificate).where(
    Certificate.root == bindparam("root"), Certificate.state != CertificateState.SUPERSEDED
)
OTHERS_WITH_NUMBER = select(Certificate).where(
    Certificate.type_code == bindparam("type_code"),
    Certificate.number_index == bindparam("number_index"),
    Certificate.root != bindparam("root"),
    Certificate.state != CertificateState.SUPERSEDED,
)
IN_FORCE = frozenset({CertificateState.VALID, CertificateState.SUSPENDED})
STATES = {name: state for state, name in STATE_NAMES.items()}


class AlreadySaidError(InputError):
    """What is to be corrected says so already."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a certificate becomes by a correction of one field: its face, columns, holders, recorded state.

    ``contradicted`` names the fields that do not agree with the corrected one and did before. That is no reason to
    refuse: what belongs together may be wrong together, and an objection is about one field. ``sharing`` are the roots
    of the certificates that have its number until they lose it.
    """

    face: dict[str, Any]
    columns: Columns
    holders: tuple[Holder, ...]
    state: CertificateState
    contradicted: tuple[str, ...] = ()
    sharing: tuple[str, ...] = ()


def as_row(kept: Columns) -> dict[str, Any]:
    """The columns as ``Certificate`` takes them, with the indexes by which they are found."""
    index = keys().blind_index
    return asdict(kept) | {
        "number_index": index("certificate-number", kept.number),
        "holder_index": index("holder-number", kept.holder_number),
    }


def as_holders(holders: Sequence[Holder]) -> list[dict[str, Any]]:
    """The holders as ``CertificateHolder`` takes them, all but whose they are."""
    index = keys().blind_index
    return [
        {
            "place": place,
            "field": each.field,
            "holder_kind": each.kind,
            "name": each.name,
            "number_kind": each.number_kind,
            "number": each.number,
            "holder_index": index("holder-number", each.number),
            "share": each.share or None,
        }
        for place, each in enumerate(holders, 1)
    ]


def enter(session: Session, certificate: Certificate, holders: Sequence[Holder]) -> None:
    """Put a version into the register with its holders."""
    session.add(certificate)
    session.flush()
    set_holders(session, certificate.id, tuple(holders))


def holders_of(session: Session, certificate_id: int) -> tuple[Holder, ...]:
    """The holders of a version, the first one first."""
    each = CertificateHolder
    wanted = select(each.field, each.holder_kind, each.name, each.number_kind, each.number, each.share)
    rows = session.execute(wanted.where(each.certificate_id == certificate_id).order_by(each.place))
    return tuple(
        Holder(field, kind, name, number_kind, number, share or "")
        for field, kind, name, number_kind, number, share in rows.tuples()
    )


def names_on(session: Session, roots: Iterable[str]) -> defaultdict[str, set[str]]:
    """By the roots of certificates, the names of all whom any of their versions names as holders."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for some in in_pieces(sorted(roots)):
        wanted = select(Certificate.root, CertificateHolder.name).where(Certificate.root.in_(some))
        rows = session.execute(wanted.join(CertificateHolder, CertificateHolder.certificate_id == Certificate.id))
        for root, name in rows.tuples():
            found[root].add(name)
    return found


def set_holders(session: Session, certificate_id: int, holders: tuple[Holder, ...]) -> bool:
    """Let a version have these holders; whether that is a change."""
    if holders_of(session, certificate_id) == holders:
        return False
    session.execute(delete(CertificateHolder).where(CertificateHolder.certificate_id == certificate_id))
    rows = [{"certificate_id": certificate_id, **each} for each in as_holders(holders)]
    session.execute(insert(CertificateHolder), rows)
    return True


def columns_of(certificate: Certificate) -> Columns:
    """What the register keeps of a version."""
    return Columns(
        number=certificate.number,
        holder_kind=certificate.holder_kind,
        holder_name=certificate.holder_name,
        holder_number_kind=certificate.holder_number_kind,
        holder_number=certificate.holder_number,
        issued_on=certificate.issued_on,
        valid_until_on=certificate.valid_until_on,
    )


def judge_of(session: Session, kind: CertificateType, today: date) -> Judge:
    """The rules of a type on a day."""
    return Judge(paper_type(kind), today, session.scalars(select(IssuingAuthority.name)).all())


def check_value(
    session: Session, kind: CertificateType, code: str, value: str, today: date, judge: Judge | None = None
) -> str:
    """A value of a field, or of the state, as the register writes it; ``judge`` where the type's rules are at hand.
    ``InputError`` for what the field cannot hold."""
    if code == STATE.code:
        if value not in STATES:
            raise InputError(f"“{STATE.name}”只能是{'、'.join(STATES)}之一，请更正。")
        return value
    return _read(kind, judge or judge_of(session, kind, today), code, value)


def _read(kind: CertificateType, judge: Judge, code: str, value: str) -> str:
    reading = judge.read(code, value)
    _refuse(kind, [Problem(code, *finding) for finding in reading.findings])
    if not reading.text:
        raise InputError(f"“{columns(paper_type(kind))[code]}”更正后的内容不能为空，请填写正确的内容。")
    return reading.text


def correct(
    session: Session,
    kind: CertificateType,
    old: Certificate,
    code: str,
    value: str,
    today: date,
    loses: Callable[[Session, str, str], bool] = lambda *_: False,
) -> Corrected:
    """What a certificate becomes when one of its fields, or its state, is set right.

    ``loses`` says of the certificate of a root whether this field of its own was found wrong, so that another one can
    have its number: two numbers that were exchanged are set right one after the other.

    Raises ``InputError`` for a value that the field cannot hold and a number that another certificate has and keeps,
    ``AlreadySaidError`` for a value that stands there already.
    """
    before, known = columns_of(old), holders_of(session, old.id)
    if code == STATE.code:
        state = STATES[check_value(session, kind, code, value, today)]
        return Corrected(old.face, before, known, _state(state, old, today))
    judge = judge_of(session, kind, today)
    value = _read(kind, judge, code, value)
    if code == HOLDER_NUMBER and code not in kind.names:
        return _with_holder_number(judge, old, before, known, value)
    if value == old.face.get(code):
        raise AlreadySaidError(f"“{kind.names[code]}”在登记中已经是这一内容，不需要更正；请核对处理结果。")
    face = old.face | {code: value}
    names = columns(paper_type(kind))
    contradicted = [f"“{names[each]}”" for each in new_contradictions(judge, old.face, face, code, before, known)]
    kept, holders = read_off(judge, face, before, known)
    sharing = _sharing_number(session, judge.of_spouses, old, kept, holders, today)
    if not all(loses(session, root, code) for root in sharing):
        raise InputError(
            "登记中另有一件同类证照是这一编号，请核对是哪一件有误；另一件有误的，先就另一件的编号办理异议，"
            "上级认定有误后即可更正本件。"
        )
    if code == ISSUED_ON and VALID_UNTIL not in kind.names and kind.validity is Validity.YEARS:
        kept = replace(kept, valid_until_on=valid_until(kind.validity, kind.validity_years, kept.issued_on, None))
    state = old.state
    if state is CertificateState.EXPIRED and kept.valid_until_on != before.valid_until_on:
        # It had run out by the wrong day; by the right one it may hold. What was decided stays decided.
        state = CertificateState.VALID
    return Corrected(face, kept, holders, state, tuple(contradicted), sharing)


def _sharing_number(
    session: Session, of_spouses: bool, old: Certificate, kept: Columns, holders: Sequence[Holder], today: date
) -> tuple[str, ...]:
    """The roots of the certificates of its type that have the number which a certificate would get, and should not:
    whoever names it would be answered with either of them.

    Both spouses have a marriage certificate of one number, and what was renewed keeps the number of what it replaced.
    """
    index = as_row(kept)["number_index"]
    if index == old.number_index:
        return ()
    numbers = {each.number for each in holders}

    def may_share(other: Certificate) -> bool:
        if {each.number for each in holders_of(session, other.id)} != numbers:
            return False
        both = (state_on(today, each.state, each.valid_until_on) for each in (old, other))
        return of_spouses or not all(state in IN_FORCE for state in both)

    asked = {"type_code": old.type_code, "number_index": index, "root": old.root}
    return tuple(each.root for each in session.scalars(OTHERS_WITH_NUMBER, asked) if not may_share(each))


def _with_holder_number(
    judge: Judge, old: Certificate, before: Columns, known: Sequence[Holder], value: str
) -> Corrected:
    """A certificate with another number of its holder, whose face says none."""
    if value == before.holder_number:
        raise InputError("登记的持证主体证件号码已经是这一内容，不需要更正；请核对处理结果。")
    if len(known) > 1:
        raise InputError("这件证照有几个持证主体，证面上没有他们的号码，本系统不能更正其中一个；请联系颁证机构换发。")
    kept, holders = read_off(judge, old.face, replace(before, holder_number=value))
    return Corrected(old.face, kept, holders, old.state)


def _state(state: CertificateState, old: Certificate, today: date) -> CertificateState:
    """A state that a certificate can be set to."""
    past = old.valid_until_on is not None and old.valid_until_on < today
    if state is CertificateState.VALID and past:
        raise InputError(f"有效期至{old.valid_until_on}已过，不能更正为“有效”；有效期有误的，请就“有效期至”更正。")
    if state is CertificateState.EXPIRED and not past:
        raise InputError("登记的有效期未到，不能更正为“已过期”；有效期有误的，请就“有效期至”更正。")
    if state is state_on(today, old.state, old.valid_until_on):
        raise AlreadySaidError(f"登记的状态已经是“{STATE_NAMES[state]}”，不需要更正；请核对处理结果。")
    return state


def supersede(session: Session, old: Certificate, by: Corrected, case_no: str, at: datetime) -> Certificate:
    """The version that replaces one: it was corrected by a case. The old one is kept as superseded."""
    identifier = parse_identifier(old.identifier).next_version()
    new = Certificate(
        identifier=str(identifier),
        root=identifier.root,
        version=int(identifier.version),
        type_code=old.type_code,
        face=by.face,
        state=by.state,
        # The new identifier is made by the standard, whatever the old one was.
        remark=old.remark if old.remark != VARIANT_REMARK else "",
        corrected_by_case=case_no,
        backfilled_by_case=old.backfilled_by_case,
        read_at=at,
        **as_row(by.columns),
    )
    old.state = CertificateState.SUPERSEDED
    enter(session, new, by.holders)
    return new


def _refuse(kind: CertificateType, problems: Sequence[Problem]) -> None:
    names = columns(paper_type(kind))
    # The sentences are written for whoever has a paper at hand.
    wrong = [
        each.in_words(names[each.field]).replace("照纸质证照", "")
        for each in problems
        if each.severity is Severity.ERROR
    ]
    if wrong:
        raise InputError("".join(wrong))
