"""The registers from which a random spot check draws (Article 17): what there is to check and who may check it, frozen
as they stand at one moment."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from models.backfill_batches import BackfillBatch
from models.backfills import Backfill
from models.cases import Case
from models.certificates import CertificateType
from models.findings import Finding
from models.organisations import Department, Leave, Officer
from models.records import AuditEntry
from models.spot_checks import CheckItem, Inspector, InspectorConflict, SpotCheckObject
from regulation.certificate_use import ANSWERED
from regulation.findings import Source
from regulation.limits import SPOT_CHECK_LOOKBACK
from regulation.spot_check_draws import (
    METHOD,
    NUMBERS,
    CheckedDepartment,
    Eligible,
    Frozen,
    ListedItem,
    Subject,
    risk_weight,
)
from regulation.spot_checks import ObjectKind
from runtime import clock
from runtime.keys import keys
from tasks.office.departments import department_names
from tasks.register.trial_holders import REAL
from tasks.register.types import type_names
from tasks.use_list.standing import in_force


def frozen_list(
    session: Session, case_no: str, today: date, period_from: date, period_until: date, rate: int, used: "Used"
) -> Frozen:
    """Everything that the draw of a round depends on but the seed, in canonical order; ``used`` is ``uses_in`` its
    period."""
    register = _Register(session, today)
    objects = sorted(
        [
            *register.uses(used),
            *register.entries(used),
            *register.backfills(period_from, period_until),
        ],
        key=lambda each: each.id,
    )
    names = department_names(session)
    return Frozen(
        method=METHOD,
        numbers=NUMBERS,
        case_no=case_no,
        frozen_on=today,
        period_from=period_from,
        period_until=period_until,
        rate=rate,
        departments=tuple(
            CheckedDepartment(uscc, names[uscc], register.complaints_about[uscc])
            for uscc in sorted({each.department for each in objects})
        ),
        objects=tuple(objects),
        inspectors=tuple(eligible_inspectors(session, today)),
        items=tuple(_items(session)),
    )


Used = Counter[tuple[str, str, int | None]]
"""How often certificates were used, by department, service item and entry of the use list."""


def uses_in(session: Session, period_from: date, period_until: date) -> Used:
    """How often departments on file used certificates in a period."""
    department = AuditEntry.detail["department"].as_string()
    item = AuditEntry.detail["item"].as_string()
    entry = AuditEntry.detail["entry"].as_integer()
    wanted = (
        select(department, item, entry, func.count())
        .where(
            AuditEntry.tag.in_(ANSWERED),
            AuditEntry.at >= clock.start_of(period_from),
            AuditEntry.at < clock.start_of(period_until + timedelta(days=1)),
            REAL,
            department.in_(select(Department.uscc)),
            item.is_not(None),
        )
        .group_by(department, item, entry)
    )
    return Counter({(uscc, code, number): times for uscc, code, number, times in session.execute(wanted)})


class _Register:
    """The register of objects with what is known against each of them."""

    def __init__(self, session: Session, today: date) -> None:
        self._session, self._today = session, today
        since = today - timedelta(days=SPOT_CHECK_LOOKBACK.value)
        wanted = select(Finding.department_uscc, Finding.subject, Finding.source).where(Finding.last_on >= since)
        found: defaultdict[bool, Counter[tuple[str, str]]] = defaultdict(Counter)
        self.complaints_about: Counter[str] = Counter()
        for uscc, subject, source in session.execute(wanted).tuples():
            found[source is Source.CITIZEN][uscc, subject] += 1
            self.complaints_about[uscc] += source is Source.CITIZEN
        self._findings, self._complaints = found[False], found[True]
        checked = select(SpotCheckObject.object_id, func.max(SpotCheckObject.drawn_on))
        self._checked = dict(session.execute(checked.group_by(SpotCheckObject.object_id)).tuples().all())
        # By its latest name; a service item may stand on the list more than once.
        self._listed = list(in_force(session, today))
        self._names = {entry.item_code: version.item_name for entry, version in self._listed}

    def uses(self, used: Used) -> Iterator[Subject]:
        """Of each department each service item in which it used certificates."""
        volumes: Counter[tuple[str, str]] = Counter()
        for (uscc, item, _), times in used.items():
            volumes[uscc, item] += times
        for (uscc, item), times in volumes.items():
            name = self._names.get(item)
            title = f"{name}（{item}）用证{times}次" if name else f"{item}用证{times}次"
            yield self._subject(f"U/{uscc}/{item}", uscc, ObjectKind.USE, title, item, times)

    def entries(self, used: Used) -> Iterator[Subject]:
        """The entries of the use list in force."""
        volumes: Counter[int] = Counter()
        for (_, _, entry), times in used.items():
            if entry is not None:
                volumes[entry] += times
        kinds = type_names(self._session)
        for entry, version in self._listed:
            title = f"{version.item_name}（{entry.item_code}）：{kinds[entry.type_code]}，{entry.scenario}"
            place = f"E/{entry.department_uscc}/{entry.id:08}"
            yield self._subject(
                place, entry.department_uscc, ObjectKind.ENTRY, title, entry.item_code, volumes[entry.id]
            )

    def backfills(self, period_from: date, period_until: date) -> Iterator[Subject]:
        """The backfills of the period that brought a certificate into the register, by their cases."""
        start, end = clock.start_of(period_from), clock.start_of(period_until + timedelta(days=1))
        within = (Case.closed_at >= start) & (Case.closed_at < end)
        single = (
            select(Backfill.case_no, Backfill.department_uscc, CertificateType.name)
            .join(Case, Case.case_no == Backfill.case_no)
            .join(CertificateType, CertificateType.code == Backfill.type_code)
            .where(within, Backfill.identifier.is_not(None))
        )
        batches = (
            select(BackfillBatch.case_no, BackfillBatch.department_uscc, CertificateType.name, BackfillBatch.registered)
            .join(Case, Case.case_no == BackfillBatch.case_no)
            .join(CertificateType, CertificateType.code == BackfillBatch.type_code)
            .where(within, BackfillBatch.registered > 0)
        )
        for case_no, uscc, kind in self._session.execute(single).tuples():
            yield self._subject(f"B/{uscc}/{case_no}", uscc, ObjectKind.BACKFILL, f"{case_no}（{kind}）", case_no, 1)
        for case_no, uscc, kind, rows in self._session.execute(batches).tuples():
            title = f"{case_no}（{kind}{rows}件）"
            yield self._subject(f"B/{uscc}/{case_no}", uscc, ObjectKind.BACKFILL, title, case_no, rows or 0)

    def _subject(self, place: str, uscc: str, kind: ObjectKind, title: str, item: str, volume: int) -> Subject:
        findings, complaints = self._findings[uscc, item], self._complaints[uscc, item]
        last = self._checked.get(place)
        weight = risk_weight(findings, complaints, volume, last, self._today)
        return Subject(place, uscc, kind, title, item, findings, complaints, volume, last, weight)


def lasting(on: date) -> ColumnElement[bool]:
    """The condition that a conflict of interest holds on a day."""
    return InspectorConflict.until_on.is_(None) | (InspectorConflict.until_on >= on)


def inspector_code(staff_no: str) -> str:
    """What an inspector is called in a list that is published: the same each time, and no staff number, by which
    somebody could guess at their codes."""
    return f"J{keys().blind_index('inspector', staff_no)[:8].upper()}"


def inspectors_by_code(session: Session) -> dict[str, str]:
    """The staff number of everybody who ever was on the register of inspectors, by what they are called in a list."""
    return {inspector_code(staff_no): staff_no for staff_no in session.scalars(select(Inspector.staff_no))}


def as_listed(frozen: Frozen, staff_no: str) -> str:
    """What an inspector is called in this list. Those of before named staff numbers, and are as they were committed
    to."""
    return staff_no if any(each.staff_no == staff_no for each in frozen.inspectors) else inspector_code(staff_no)


def eligible_inspectors(session: Session, today: date) -> Iterator[Eligible]:
    """Who is on the register of inspectors, in service and not on leave, by ``inspector_code``, with the departments
    barred to them."""
    away = select(Leave.staff_no).where(Leave.from_on <= today, Leave.until_on >= today)
    there = (
        select(Inspector.staff_no)
        .join(Officer, Officer.staff_no == Inspector.staff_no)
        .where(Inspector.active, Officer.active, Inspector.staff_no.not_in(away))
    )
    barred: dict[str, list[str]] = defaultdict(list)
    for conflict in session.scalars(select(InspectorConflict).where(lasting(today))):
        barred[conflict.staff_no].append(conflict.department_uscc)
    by_code = {inspector_code(staff_no): staff_no for staff_no in session.scalars(there)}
    for code, staff_no in sorted(by_code.items()):
        yield Eligible(code, tuple(sorted(barred[staff_no])))


def _items(session: Session) -> Iterator[ListedItem]:
    for item in session.scalars(select(CheckItem).where(CheckItem.active).order_by(CheckItem.code)):
        yield ListedItem(item.code, item.title, item.article, item.how, tuple(item.kinds), item.rule)
