"""Invented holders and their certificates, with which calls are tried (模拟办事, Article 17) and nobody's are used."""

from datetime import date, datetime
from threading import Lock

from cachetools import TTLCache, cached
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session
from stdnum.cn import ric, uscc

from models.certificates import Certificate, CertificateType
from models.mystery_applications import TrialHolder
from models.records import AuditEntry
from regulation.backfill.judge import Columns, Judge
from regulation.catalogue import Field, FieldKind, HolderKind
from regulation.certificates import CertificateState, Identifier
from regulation.identity_numbers import NumberKind
from regulation.register_columns import read_off
from runtime import clock
from runtime.database import reading, transaction
from tasks.audit import record
from tasks.office.applications import KNOWN_FOR
from tasks.register.faces import holder_index
from tasks.register.types import paper_type
from tasks.register.versions import as_row, enter

REGION = "330603"
NUMBER = "CS000001"
"""The number of every trial certificate; it is of another type each time."""
REMARK = "模拟办事用的测试证照，持证主体是虚构的，不得用于办理业务。"
# Right check characters, and nobody's: nobody alive was born that day, and no organisation has this code.
_NUMBERS = {
    HolderKind.NATURAL_PERSON: ("测试人（模拟办事）", NumberKind.RESIDENT, f"{REGION}19000101001"),
    HolderKind.LEGAL_PERSON: ("测试公司（模拟办事）", NumberKind.CREDIT_CODE, f"91{REGION}000000000"),
    HolderKind.UNINCORPORATED: ("测试合伙企业（模拟办事）", NumberKind.CREDIT_CODE, f"92{REGION}000000000"),
}

REAL = AuditEntry.detail["test"].as_boolean().is_not(True)
"""The condition that an entry of the audit trail is of a real use: those of trial holders count nowhere."""


@cached(TTLCache(maxsize=1, ttl=KNOWN_FOR), lock=Lock())
def trial_indexes() -> frozenset[str]:
    """The blind indexes of the trial holders, as they were at most ``KNOWN_FOR`` seconds ago."""
    with reading() as session:
        return frozenset(session.scalars(select(TrialHolder.holder_index)))


def of_trial_holder() -> ColumnElement[bool]:
    """The condition that a certificate is a trial holder's, and so nobody's."""
    return Certificate.holder_index.in_(select(TrialHolder.holder_index))


def register_trial_holders(by: str) -> int:
    """``create_trial_holders`` in a transaction of its own, on record; how many certificates are new."""
    with transaction() as session:
        now = clock.now()
        added = create_trial_holders(session, now)
        if added:
            record(session, "trial-holder:certificates:created", None, by, now, certificates=added)
        return added


def create_trial_holders(session: Session, at: datetime) -> int:
    """Register the trial holders and give them a valid certificate of every type of the catalogue that has none yet;
    how many certificates are new. Doing it again adds what the catalogue has got since."""
    holders = {holder.kind: holder for holder in session.scalars(select(TrialHolder))}
    for kind, (name, number_kind, stem) in _NUMBERS.items():
        if kind not in holders:
            number = stem + str(
                ric.calc_check_digit(f"{stem}0") if number_kind is NumberKind.RESIDENT else uscc.calc_check_digit(stem)
            )
            holders[kind] = TrialHolder(
                holder_index=holder_index(number),
                kind=kind,
                name=name,
                number_kind=number_kind,
                number=number,
                made_at=at,
            )
            session.add(holders[kind])
    session.flush()
    there = set(session.scalars(select(Certificate.type_code).where(of_trial_holder())))
    missing = [each for each in session.scalars(select(CertificateType)) if each.code not in there]
    for certificate_type in missing:
        _enter_certificate(session, certificate_type, holders[certificate_type.holder_kinds[0]], at)
    return len(missing)


def trial_certificate(session: Session, type_code: str) -> tuple[TrialHolder, Certificate] | None:
    """The trial certificate of a type with its holder; ``None`` where there is none."""
    wanted = (
        select(TrialHolder, Certificate)
        .join(Certificate, Certificate.holder_index == TrialHolder.holder_index)
        .where(Certificate.type_code == type_code, Certificate.state == CertificateState.VALID)
    )
    row = session.execute(wanted.limit(1)).first()
    return (row[0], row[1]) if row is not None else None


def _enter_certificate(session: Session, kind: CertificateType, holder: TrialHolder, at: datetime) -> None:
    identifier = Identifier(kind.code, REGION, "CS000001", "001")
    issued_on = clock.local_date(at)
    face = {field.code: _value(field, holder, issued_on) for field in kind.fields}
    beside = Columns(NUMBER, holder.kind, holder.name, holder.number_kind, holder.number, issued_on, None)
    judge = Judge(paper_type(kind), issued_on, ())
    kept, holders = read_off(judge, face, beside)
    certificate = Certificate(
        identifier=str(identifier),
        root=identifier.root,
        version=1,
        type_code=kind.code,
        face=face,
        state=CertificateState.VALID,
        remark=REMARK,
        read_at=at,
        **as_row(kept),
    )
    enter(session, certificate, holders)


def _value(field: Field, holder: TrialHolder, issued_on: date) -> str:
    match field.kind:
        case FieldKind.NAME:
            return holder.name
        case FieldKind.DATE:
            return "长期" if field.code == "valid_until" else str(issued_on)
        case FieldKind.IDENTITY_NUMBER | FieldKind.CREDIT_CODE:
            return holder.number
        case FieldKind.NUMBER:
            return NUMBER
        case FieldKind.AMOUNT:
            return "1万元"
        case FieldKind.CHOICE:
            return field.choices[0]
    return f"测试{field.name}"
