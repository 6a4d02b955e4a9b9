"""What online supervision (电子督查, Article 17) counts: one pass over the record of a period, and the registers."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

import orjson
from sqlalchemy import Text, cast, or_, select
from sqlalchemy.orm import Session, aliased

from models.backfills import Backfill
from models.cases import Case
from models.certificate_uses import PaperException, UnavailableReceipt
from models.certificates import Certificate, CertificateHolder
from models.liaisons import LiaisonFiling, LiaisonOfficer
from models.organisations import Application, Department
from models.records import AuditEntry
from regulation.certificate_use import ANSWERED
from regulation.certificates import CertificateState
from regulation.limits import DAY_BEGINS, DAY_ENDS, MATTER_HOLDERS
from regulation.online_supervision import Absence, Matter, Period, Tallies
from runtime import clock
from tasks.case.calendars import working_days
from tasks.liaisons.steps import REMINDED
from tasks.office.departments import department_names
from tasks.office.recipients import on_file
from tasks.register.types import type_names
from tasks.supervision.uses import BusinessCase, Counts, Held, Marks, Span, add_days, counted
from tasks.use_list.standing import in_force

HOLDERS = 500
"""Holders that are asked about at a time."""


def tallies_of(session: Session, period: Period, processes: int | None = None) -> Tallies:
    """Everything that the rules look at."""
    counts = counted(session, _spans(session, period), processes)
    tallies = counts.tallies
    tallies.matters = _matters(counts, _not_used_validly(session, period, counts.not_valid))
    _registers(session, period, tallies)
    return tallies


def _spans(session: Session, period: Period) -> list[Span]:
    """The parts of a period's days: of each day so that no more than its entries are ever sorted."""
    calendar = working_days(session)
    days = (period.first + timedelta(days=n) for n in range((period.last - period.first).days + 1))
    return [
        Span(day, _at(day, start), _at(day, end), is_off)
        for day in days
        for start, end, is_off in _hours(calendar.is_working_day(day))
    ]


def _matters(counts: Counts, not_used_validly: set[Held]) -> list[Matter]:
    not_valid: defaultdict[BusinessCase, list[date]] = defaultdict(list)
    for held in not_used_validly:
        not_valid[held[0], held[1], held[2]].append(counts.not_valid[held])
    holders = {
        case: tuple(sorted(map(date.fromordinal, last.values())))
        for case, last in counts.holders.values()
        if len(last) >= MATTER_HOLDERS.value
    }
    return [
        Matter(*case, holders.get(case, ()), tuple(sorted(not_valid.get(case, ()))))
        for case in sorted({*holders, *not_valid})
    ]


def _not_used_validly(session: Session, period: Period, not_valid: Iterable[Held]) -> set[Held]:
    """Of the certificates that did not hold those that no valid one replaced by the end of the period, whichever of its
    holders was named."""
    left, marks = set(not_valid), Marks.of(session)
    holders = sorted({holder for *_, holder in left})
    for start in range(0, len(holders), HOLDERS):
        some = holders[start : start + HOLDERS]
        shared = _shared_with(session, some)
        wanted = select(AuditEntry.holder_index, cast(AuditEntry.detail, Text)).where(
            AuditEntry.holder_index.in_({*some, *(holder for holder, _ in shared)}),
            AuditEntry.tag.in_(ANSWERED),
            AuditEntry.at >= _at(period.first, 0),
            AuditEntry.at < _at(period.last, 24),
        )
        for holder, detail in session.execute(wanted).tuples():
            said = orjson.loads(detail)
            if holder is not None and said.get("result") == CertificateState.VALID:
                item = marks.item(str(said.get("item")))
                named = (said["department"], item, said["business_no"], str(said.get("type")))
                left.discard((*named, holder))
                for identifier in said.get("certificates", ()):
                    left.difference_update((*named, other) for other in shared.get((holder, identifier), ()))
    return left


def _shared_with(session: Session, holders: Sequence[str]) -> dict[tuple[str, str], list[str]]:
    """By another holder and the identifier of a certificate which of these holders it belongs to, too."""
    theirs, others = aliased(CertificateHolder), aliased(CertificateHolder)
    wanted = (
        select(others.holder_index, Certificate.identifier, theirs.holder_index)
        .join(theirs, theirs.certificate_id == others.certificate_id)
        .join(Certificate, Certificate.id == others.certificate_id)
        .where(theirs.holder_index.in_(holders), others.holder_index != theirs.holder_index)
    )
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for other, identifier, holder in session.execute(wanted).tuples():
        found[other, identifier].append(holder)
    return found


def _hours(is_working_day: bool) -> list[tuple[int, int, bool]]:
    """The parts of a day, in hours, and whether they are outside working hours."""
    if not is_working_day:
        return [(0, 24, True)]
    return [
        (0, DAY_BEGINS.value, True),
        (DAY_BEGINS.value, DAY_ENDS.value, False),
        (DAY_ENDS.value, 24, True),
    ]


def _at(day: date, hour: int) -> datetime:
    return clock.start_of(day) + timedelta(hours=hour)


def _registers(session: Session, period: Period, tallies: Tallies) -> None:
    departments = {name: uscc for uscc, name in department_names(session).items()}
    tallies.names = type_names(session)
    excepted = set(
        session.execute(
            select(PaperException.type_code, PaperException.item_code).where(
                PaperException.from_on <= period.last,
                or_(PaperException.until_on.is_(None), PaperException.until_on >= period.first),
            )
        ).tuples()
    )
    on_days = []
    for day in (period.first, period.last):
        there = set()
        for entry, version in in_force(session, day):
            tallies.names[entry.item_code] = version.item_name
            if not {(entry.type_code, None), (entry.type_code, entry.item_code)} & excepted:
                there.add((entry.department_uscc, entry.item_code, entry.type_code))
        on_days.append(there)
    tallies.listed = on_days[0] & on_days[1]
    receipts = (
        select(Application.speaks_for, UnavailableReceipt.type_code, UnavailableReceipt.on)
        .join(Application, Application.key == UnavailableReceipt.application_key)
        .where(UnavailableReceipt.on.between(period.first, period.last))
    )
    for name, kind, day in session.execute(receipts).tuples():
        if name in departments:
            add_days(tallies.receipts, (departments[name], kind), {day: 1})
    backfills = (
        select(Backfill.department_uscc, Case.opened_at)
        .join(Case, Case.case_no == Backfill.case_no)
        .where(Case.opened_at >= _at(period.first, 0), Case.opened_at < _at(period.last, 24))
    )
    for department, opened_at in session.execute(backfills).tuples():
        add_days(tallies.backfills, department, {clock.local_date(opened_at): 1})
    tallies.absences = _absences(session, period.last)


def _absences(session: Session, on: date) -> list[Absence]:
    """The departments that have nobody on file, were reminded of it, and have filed nothing that waits for us."""
    there = select(LiaisonOfficer.department_uscc).where(on_file(on))
    waiting = (
        select(LiaisonFiling.department_uscc)
        .join(Case, Case.case_no == LiaisonFiling.case_no)
        .where(Case.closed_at.is_(None))
    )
    missing = set(
        session.scalars(select(Department.uscc).where(Department.uscc.not_in(there), Department.uscc.not_in(waiting)))
    )
    left = select(LiaisonOfficer.department_uscc, LiaisonOfficer.until_on).where(LiaisonOfficer.until_on.is_not(None))
    left_on: dict[str, date] = {}
    for department, until_on in session.execute(left).tuples():
        if until_on is not None:
            left_on[department] = max(until_on, left_on.get(department, until_on))
    reminded: defaultdict[str, list[date]] = defaultdict(list)
    given = select(AuditEntry.at, AuditEntry.detail).where(AuditEntry.tag == REMINDED, AuditEntry.at < _at(on, 24))
    for at, said in session.execute(given.order_by(AuditEntry.id)).tuples():
        department, day = said["department"], clock.local_date(at)
        if department in missing and day > left_on.get(department, date.min):
            reminded[department].append(day)
    return [Absence(department, min(days), len(days)) for department, days in sorted(reminded.items())]
