"""Reading through to the platform above (Article 3): the register is an index with cached faces, and a face that is
older than its type allows is asked for again before anybody relies on it."""

from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateways.certificate_platform import Found, read_certificate
from gateways.zhejiang_gateway import BureauRefusedError, BureauUnavailableError, Matter, has_gateway
from models.certificates import Certificate, CertificateType
from models.records import AuditEntry
from regulation.backfill.judge import Columns, Judge
from regulation.catalogue import STATE, HolderKind
from regulation.certificate_use import Permission
from regulation.certificates import VARIANT_REMARK, CertificateState, Level, parse_identifier
from regulation.objections import Bureau
from regulation.register_columns import is_silent_on_a_holder, read_off
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import RefusalError
from tasks.audit import record
from tasks.certificates.requests import AnsweredState, UseRequest
from tasks.office.staff_tasks import open_staff_task
from tasks.register.faces import Held
from tasks.register.types import has_source_above, paper_type
from tasks.register.versions import as_row, enter, set_holders

CHANGED_IN_PLACE = ("certificate:version:refreshed", "certificate:version:synced")
BUREAUS = {Level.CITY: Bureau.CITY, Level.PROVINCE: Bureau.PROVINCE}


class PlatformDownError(RefusalError):
    """The platform above cannot be asked now. With ``receipt_no`` the counter may take paper this once, which is the
    only honest exception to Article 8."""

    def __init__(self, bureau: str, receipt_no: str = "") -> None:
        super().__init__(
            f"{bureau}的平台暂时不能核实这类证照。凭凭证号{receipt_no}，窗口本次可以收取纸质证照（第八条的例外），"
            "并在平台恢复后补作核验。"
        )
        self.bureau, self.receipt_no = bureau, receipt_no


def is_stale(kind: CertificateType, held: Held, at: datetime) -> bool:
    """Whether what the register holds is too old to be relied on at ``at``. What has its source here never is: the
    district's own types, and what was backfilled from paper."""
    if not has_source_above(kind, held.backfilled_by):
        return False
    return at - held.read_at > timedelta(hours=kind.stale_after_hours)


def changed_in_place(session: Session, identifier: str, at: datetime, *, but_for_state: bool = False) -> bool:
    """Whether a version was changed since ``at``: read anew from its source, or synced with it. ``but_for_state``: in
    what it says, not only in its state."""
    wanted = select(AuditEntry.detail).where(AuditEntry.tag.in_(CHANGED_IN_PLACE), AuditEntry.at >= at)
    changes = (said for said in session.scalars(wanted) if said["identifier"] == identifier)
    only_state = [STATE.code]
    return any(not but_for_state or said.get("changed", [said.get("field")]) != only_state for said in changes)


def read_through(
    kind: CertificateType,
    permission: Permission,
    department: str,
    department_uscc: str,
    request: UseRequest,
    *,
    identifier: str = "",
    number: str = "",
    holder_number: str = "",
) -> None:
    """Ask the platform that answers for a type, and put what it says into the register.

    The use list's item goes along as the matter for which data are asked (Article 9). Raises ``PlatformDownError``.
    """
    if kind.source is Level.DISTRICT:
        return
    bureau = BUREAUS[kind.source]
    if not has_gateway(bureau):
        raise PlatformDownError(bureau)
    matter = Matter(
        power_matters=permission.item_name,
        sub_power_matters=permission.item_code,
        accesscard_id=request.operator,
        material_name=kind.name,
        sponsor_name=department,
        sponsor_code=department_uscc,
        project_id=request.business_no,
    )
    ask = partial(read_certificate, bureau, matter, type_code=kind.code, fields=kind.fields)
    try:
        found = ask(identifier=identifier, number=number, holder_number=holder_number)
        if found is None and identifier and (known := _number_of(identifier)):
            # A platform may know only the newest version by its identifier; the number is all versions'.
            found = ask(number=known)
    except (BureauUnavailableError, BureauRefusedError):
        raise PlatformDownError(bureau) from None
    with transaction() as session:
        now = clock.now()
        if found is not None:
            _take_over(session, kind, found, now)
        elif identifier:
            _note_missing(session, bureau, identifier, now)


def _number_of(identifier: str) -> str | None:
    with reading() as session:
        return session.scalar(select(Certificate.number).where(Certificate.identifier == identifier))


def _take_over(session: Session, kind: CertificateType, found: Found, at: datetime) -> None:
    """Put what the platform said into the register: the same version is brought up to date, a newer one supersedes.

    A platform that still has an older version than ours, because ours was corrected here and its source is slower,
    changes nothing but when it was asked.
    """
    identifier = parse_identifier(found.identifier)
    versions = select(Certificate).where(Certificate.root == identifier.root).order_by(Certificate.version.desc())
    newest = session.scalar(versions.limit(1).with_for_update())
    if newest is not None and newest.version > int(identifier.version):
        newest.read_at = at
        versions_said = f"仍是第{int(identifier.version)}版（{AnsweredState(found.state).in_chinese}），"
        versions_said += f"本区已更正为第{newest.version}版"
        what = f"上级平台的证照{identifier.root}{versions_said}，请催办"
        open_staff_task(session, f"older-above:{newest.identifier}", None, what, at)
        return
    organisation = newest.holder_kind if newest is not None else HolderKind.LEGAL_PERSON
    beside = Columns(
        number=found.number,
        holder_kind=organisation if found.holder_number_kind.of_organisation else HolderKind.NATURAL_PERSON,
        holder_name=found.holder_name,
        holder_number_kind=found.holder_number_kind,
        holder_number=found.holder_number,
        issued_on=found.issued_on,
        valid_until_on=found.valid_until_on,
    )
    judge = Judge(paper_type(kind), clock.local_date(at), ())
    kept, holders = read_off(judge, found.face, beside)
    said = as_row(kept) | {"face": found.face, "state": found.state}
    if kept != beside:
        what = f"上级平台的证照{identifier}所附项目与证面不一致，已以证面为准，请核实"
        open_staff_task(session, f"face-differs-above:{identifier}", None, what, at)
    if is_silent_on_a_holder(judge, found.face, holders):
        what = f"上级平台的证照{identifier}有持证主体没有能识别的证件号码，其本人查不到这件证照，请核实"
        open_staff_task(session, f"holder-without-number:{identifier}", None, what, at)
    if newest is not None and newest.version == int(identifier.version):
        changed = [name for name, value in said.items() if getattr(newest, name) != value]
        for name in changed:
            setattr(newest, name, said[name])
        if set_holders(session, newest.id, holders):
            changed.append("holders")
        newest.read_at = at
        if changed:
            detail = {"identifier": newest.identifier, "changed": changed}
            record(session, "certificate:version:refreshed", None, "system", at, **detail)
        return
    if newest is not None:
        newest.state = CertificateState.SUPERSEDED
    new = Certificate(
        identifier=str(identifier),
        root=identifier.root,
        version=int(identifier.version),
        type_code=kind.code,
        remark=VARIANT_REMARK if identifier.variant else "",
        read_at=at,
        **said,
    )
    enter(session, new, holders)
    record(session, "certificate:version:read", None, "system", at, identifier=str(identifier))


def _note_missing(session: Session, bureau: Bureau, identifier: str, at: datetime) -> None:
    """The register has what its source does not know: nobody may rely on it, and a person has to find out why."""
    here = session.scalar(select(Certificate).where(Certificate.identifier == identifier).with_for_update())
    if here is None or here.state is CertificateState.SUPERSEDED:
        return
    what = f"{bureau}的平台查无证照{identifier}，本区索引已暂停使用，请核实"
    open_staff_task(session, f"missing-above:{identifier}", None, what, at)
    if here.state is CertificateState.VALID:
        here.state = CertificateState.SUSPENDED
        record(session, "certificate:version:suspended", None, "system", at, identifier=identifier)
    here.read_at = at
