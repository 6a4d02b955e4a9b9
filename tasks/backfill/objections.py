"""A holder sees what was backfilled of theirs, and objects to it (Articles 11 and 12)."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Select, select

from models.backfills import Backfill
from models.certificates import Certificate, CertificateType
from regulation.certificates import CertificateState, mask_name, mask_number
from regulation.objections import Ground, ObjectorKind
from runtime import clock
from runtime.contacts import PHONE
from runtime.database import reading
from runtime.keys import keys
from runtime.refusals import InputError, RefusalError
from runtime.words import Words
from tasks.objections.applications import ObjectionApplication
from tasks.objections.registrations import BY_BACKFILL_LINK, Registered, register_objection
from tasks.register.types import objectionable, stated


class HolderObjection(BaseModel):
    """What a holder says is wrong."""

    model_config = ConfigDict(extra="forbid")

    field: Words = Field(title="项目", min_length=1, max_length=60)
    proposed: Words = Field(title="应当是", min_length=1, max_length=500)
    reason: Words = Field(title="理由", min_length=5, max_length=1000)
    phone: Words = Field(title="电话", pattern=PHONE)


@dataclass(frozen=True, slots=True)
class Backfilled:
    """A backfilled certificate as the page behind a link shows it: masked, since a link can be passed on."""

    case_no: str
    certificate: str
    number: str
    holder: str
    registered: bool
    fields: tuple[str, ...]


def backfilled(token: str) -> Backfilled:
    """What stands behind a holder's link. ``LookupError`` for none."""
    with reading() as session:
        backfill = session.scalar(select(Backfill).where(Backfill.token_index == _index(token)))
        if backfill is None:
            raise LookupError("链接无效，请核对邮件中的地址。")
        kind = session.get_one(CertificateType, backfill.type_code)
        made = session.scalar(_of_case(backfill.case_no))
        return Backfilled(
            case_no=backfill.case_no,
            certificate=kind.name,
            number=mask_number(made.number) if made else "",
            holder=mask_name(made.holder_name) if made else "",
            registered=made is not None,
            fields=tuple(objectionable(kind).values()),
        )


def object_to_backfill(token: str, said: HolderObjection) -> Registered:
    """Register the holder's objection to one field.

    Raises ``LookupError`` for an unknown link, ``RefusalError`` for what is not in the register (yet) and for a field
    that it has not, and what ``register_objection`` raises.
    """
    with reading() as session:
        backfill = session.scalar(select(Backfill).where(Backfill.token_index == _index(token)))
        if backfill is None:
            raise LookupError("链接无效，请核对邮件中的地址。")
        made = session.scalar(_of_case(backfill.case_no))
        if made is None or not backfill.email:
            raise RefusalError("该证照尚未入库，不能提出异议；请联系办理部门。")
        kind = session.get_one(CertificateType, backfill.type_code)
        code = next((code for code, name in objectionable(kind).items() if name == said.field), None)
        if code is None:
            raise InputError.of("field", "请从列表中选择有异议的项目。")
    said_there = stated(made, code, made.holder_number, clock.today())
    application = ObjectionApplication(
        objector_kind=ObjectorKind.HOLDER,
        objector_name=made.holder_name,
        email=backfill.email,
        phone=said.phone,
        certificate_type=kind.name,
        certificate=made.identifier,
        field=said.field,
        grounds=[Ground.ACCURACY if said_there else Ground.COMPLETENESS],
        stated=said_there or "（空）",
        proposed=said.proposed,
        reason=said.reason,
    )
    key = keys().digest("backfill-objection", f"{token}\0{said.model_dump_json()}")
    return register_objection(application, [], f"backfill:{key}", "holder", BY_BACKFILL_LINK)


def _of_case(case_no: str) -> Select[tuple[Certificate]]:
    """The certificate that a backfill brought in, as it says now."""
    return select(Certificate).where(
        Certificate.backfilled_by_case == case_no, Certificate.state != CertificateState.SUPERSEDED
    )


def _index(token: str) -> str:
    return keys().blind_index("backfill-token", token)
