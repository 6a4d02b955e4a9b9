"""Service guides (办事指南): kept by version, and compared with the catalogue and the use list (Articles 8 to 11)."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from gateways.zhejiang_gateway import has_gateway
from models.certificate_uses import PaperException
from models.certificates import Certificate, CertificateType
from models.findings import Finding
from models.organisations import Department
from models.service_guides import ServiceGuide
from regulation.certificates import Level
from regulation.service_guides import GUIDE_RULES, Guide, Known, Listed, Material, PaperLaw, changes, compare
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError
from tasks.audit import record
from tasks.certificates.reading import BUREAUS
from tasks.guides.forms import GuideForm
from tasks.office.departments import department_named
from tasks.rectifications.findings import Found
from tasks.register.trial_holders import of_trial_holder
from tasks.register.types import find_type
from tasks.use_list.standing import in_force


@dataclass(frozen=True, slots=True)
class Brought:
    """What bringing a guide in came to: the version that counts now, and what it changes (nothing: it was there)."""

    department: str
    item_code: str
    version: int
    changes: tuple[str, ...]


def newest_guides(session: Session, *which: ColumnElement[bool]) -> list[Guide]:
    """The guides that count, by department and item."""
    newest = (
        select(ServiceGuide.department_uscc, ServiceGuide.item_code, func.max(ServiceGuide.version).label("version"))
        .group_by(ServiceGuide.department_uscc, ServiceGuide.item_code)
        .subquery()
    )
    wanted = (
        select(ServiceGuide)
        .join(
            newest,
            (newest.c.department_uscc == ServiceGuide.department_uscc)
            & (newest.c.item_code == ServiceGuide.item_code)
            & (newest.c.version == ServiceGuide.version),
        )
        .where(*which)
        .order_by(ServiceGuide.department_uscc, ServiceGuide.item_code)
    )
    return [
        Guide(each.department_uscc, each.item_code, each.item_name, each.version, each.materials)
        for each in session.scalars(wanted)
    ]


def bring_guides(forms: Mapping[str, Sequence[GuideForm]], by: str, *, dry_run: bool = False) -> list[Brought]:
    """Bring guides in, by their department's name: a new version of each that changed, all of them or none. With
    ``dry_run`` nothing is written.

    Raises ``InputError`` for a department that is not known and a certificate type that the catalogue does not have.
    """
    if dry_run:
        with reading() as session:
            return [each for each, _ in _prepared(session, forms)]
    with transaction() as session:
        now = clock.now()
        for name in sorted(forms):
            # Two that come at once would otherwise make one version twice.
            session.scalar(select(Department).where(Department.name == name).with_for_update())
        brought = []
        for each, guide in _prepared(session, forms):
            brought.append(each)
            if not each.changes:
                continue
            session.add(
                ServiceGuide(
                    department_uscc=guide.department_uscc,
                    item_code=guide.item_code,
                    version=guide.version,
                    item_name=guide.item_name,
                    materials=guide.materials,
                    brought_by=by,
                    at=now,
                )
            )
            detail = {"department": guide.department_uscc, "item": guide.item_code, "version": guide.version}
            record(session, "service-guide:version:brought", None, by, now, **detail)
        return brought


def _prepared(session: Session, forms: Mapping[str, Sequence[GuideForm]]) -> list[tuple[Brought, Guide]]:
    wrong: list[str] = []
    prepared = []
    kinds: dict[str, str | None] = {}

    def code_of(text: str) -> str | None:
        if text not in kinds:
            kind = find_type(session, text)
            kinds[text] = kind.code if kind is not None else None
        return kinds[text]

    for name, guides in forms.items():
        department = department_named(session, name)
        known = {
            guide.item_code: guide for guide in newest_guides(session, ServiceGuide.department_uscc == department.uscc)
        }
        for form in guides:
            if sum(form.item_code == other.item_code for other in guides) > 1:
                wrong.append(f"事项{form.item_code}出现了两次，请合并")
            materials = []
            for material in form.materials:
                # A material that is called what a certificate is called is one, whether or not its type was filled in.
                code = code_of(material.certificate_type or material.name)
                if material.certificate_type and code is None:
                    wrong.append(
                        f"{material.place}证照类型：证照目录中没有“{material.certificate_type}”，请按目录填写；"
                        "不是目录中证照的，请留空"
                    )
                materials.append(
                    Material(
                        material.name,
                        code,
                        material.form,
                        material.required,
                        material.basis,
                        tuple(material.presented_in),
                    )
                )
            before = known.get(form.item_code)
            version = before.version + 1 if before is not None else 1
            guide = Guide(department.uscc, form.item_code, form.item_name, version, tuple(materials))
            said = changes(before, guide)
            counts = version if said or before is None else before.version
            prepared.append((Brought(name, form.item_code, counts, tuple(said)), guide))
    if wrong:
        raise InputError("\n".join([f"办事指南有{len(wrong)}处须更正，未登记任何一项：", *dict.fromkeys(wrong)]))
    return prepared


def known_on(session: Session, on: date) -> Callable[[str], Known]:
    """What a comparison knows on a day, by a department's credit code."""
    kinds = session.scalars(select(CertificateType)).all()
    held = exists().where(Certificate.type_code == CertificateType.code, ~of_trial_holder())
    available = set(session.scalars(select(CertificateType.code).where(held)))
    available |= {
        kind.code for kind in kinds if kind.source is not Level.DISTRICT and has_gateway(BUREAUS[kind.source])
    }
    laws = [
        PaperLaw(each.type_code, each.item_code, each.from_on, each.until_on)
        for each in session.scalars(select(PaperException))
    ]
    listed: dict[str, dict[tuple[str, str], list[Listed]]] = defaultdict(lambda: defaultdict(list))
    for entry, version in in_force(session, on):
        listed[entry.department_uscc][entry.item_code, entry.type_code].append(
            Listed(entry.scenario, version.holder_alone)
        )
    names = {kind.code: kind.name for kind in kinds}
    return lambda department_uscc: Known(on, names, available, laws, dict(listed.get(department_uscc, {})))


def compare_guides(session: Session, on: date, *which: ColumnElement[bool]) -> list[Found]:
    """What is wrong with the guides that count on a day."""
    known = known_on(session, on)
    return [
        Found(wrong.rule.code, guide.department_uscc, wrong.subject, wrong.facts)
        for guide in newest_guides(session, *which)
        for wrong in compare(guide, known(guide.department_uscc))
    ]


def recheck_guide(session: Session, finding: Finding, on: date) -> str | None:
    """What is still wrong of a finding about a guide, now that its newest version is looked at; ``None``: nothing."""
    found = compare_guides(session, on, ServiceGuide.department_uscc == finding.department_uscc)
    return next((each.facts for each in found if (each.rule, each.subject) == (finding.rule, finding.subject)), None)


RECHECKS = {rule.code: recheck_guide for rule in GUIDE_RULES}
"""How a program looks again whether a finding of ours still holds."""
