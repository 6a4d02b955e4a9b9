"""What online supervision (电子督查, Article 17) counts: one pass over the record of a period, and the registers."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Text, cast, or_, select
from sqlalchemy.orm import Session

from models.backfills import Backfill
from models.cases import Case
from models.certificate_uses import PaperException, UnavailableReceipt
from models.liaisons import LiaisonFiling, LiaisonOfficer
from models.organisations import Application, Department
from models.records import AuditEntry
from models.use_lists import UseListEntry, UseListVersion
from regulation.certificates import CertificateState
from regulation.limits import DAY_BEGINS, DAY_ENDS
from regulation.online_supervision import Absence, Matter, Period, Tallies
from runtime import clock
from runtime.keys import keys
from tasks.calendars import working_days
from tasks.catalogue import type_names
from tasks.certificate_use import ANSWERED, REFUSED, Operation
from tasks.departments import department_names
from tasks.liaisons import REMINDED, on_file
from tasks.use_lists import in_force

PRESENTED = f"certificate:{Operation.REDEEM}:answered"
TAKEN = (f"certificate:{Operation.EXTRACT}:answered", PRESENTED)
"""The uses that show what stands on a certificate."""
SELF_SERVICE = re.compile("网上|自助|掌上")
"""Scenarios that a holder may set off at any hour."""
ROWS = 10_000
"""Entries that are held at a time."""
HOLDERS = 500
"""Holders that are asked about at a time."""

_Case = tuple[str, str, str]
_Held = tuple[str, str, str, str, str]


def tallies_of(session: Session, period: Period) -> Tallies:
    """Everything that the rules look at."""
    tallies = Tallies()
    _Uses(session, period, tallies).count()
    _registers(session, period, tallies)
    return tallies


class _Uses:
    """The one pass over the uses of a period, day by day, so that no more than a day's entries are ever sorted."""

    def __init__(self, session: Session, period: Period, tallies: Tallies) -> None:
        self._session, self._period, self._tallies = session, period, tallies
        self._by_holder = _self_service(session)
        self._marks: dict[tuple[str, str], str] = {}
        # Of each business case by its hash the hash of its one holder: nearly all have one, and their names would not
        # fit into memory. Those that have more are kept by name.
        self._one_holder: dict[int, int] = {}
        self._holders: dict[_Case, set[int]] = {}
        self._last_on: dict[_Case, date] = {}
        self._expired: dict[_Held, date] = {}

    def count(self) -> None:
        calendar = working_days(self._session)
        day = self._period.first
        while day <= self._period.last:
            for from_hour, to_hour, is_off in _hours(calendar.is_working_day(day)):
                self._count_between(day, _at(day, from_hour), _at(day, to_hour), is_off)
            day += timedelta(days=1)
        self._tell_matters()

    def _count_between(self, day: date, start: datetime, end: datetime, is_off: bool) -> None:
        answered, refused, desk = Counter[Any](), Counter[Any](), Counter[str]()
        operators = Counter[tuple[str, str]]()
        for tag, holder, said in _entries(self._session, start, end):
            department, item = said.get("department"), said.get("item")
            if said.get("test") or department is None or item is None:
                continue
            if tag in REFUSED:
                if said.get("article") == 9:
                    refused[department, item] += 1
                continue
            answered[department, item, said.get("type")] += 1
            operators[department, said["operator"]] += 1
            if tag != PRESENTED and said.get("version") not in self._by_holder:
                desk[department] += 1
            if holder is not None:
                self._note_holder((department, item, said["business_no"]), holder, day)
                if tag in TAKEN and said.get("result") == CertificateState.EXPIRED:
                    self._expired[department, item, said["business_no"], str(said.get("type")), holder] = day
        _add(self._tallies.answered, answered, day)
        _add(self._tallies.refused, refused, day)
        _add(self._tallies.desk, desk, day)
        if is_off:
            _add(self._tallies.off_hours, desk, day)
        marked = Counter({(who[0], self._mark(*who)): times for who, times in operators.items()})
        _add(self._tallies.operators, marked, day)

    def _note_holder(self, case: _Case, holder: str, day: date) -> None:
        known = self._holders.get(case)
        if known is not None:
            known.add(hash(holder))
            self._last_on[case] = day
            return
        first = self._one_holder.setdefault(hash(case), hash(holder))
        if first != hash(holder):
            self._holders[case] = {first, hash(holder)}
            self._last_on[case] = day

    def _mark(self, department: str, operator: str) -> str:
        """An operator without a name: what is found of them is found again under the same mark."""
        who = (department, operator)
        if who not in self._marks:
            self._marks[who] = f"{operator[:1]}***·{keys().blind_index('operator', f'{department}/{operator}')[:8]}"
        return self._marks[who]

    def _tell_matters(self) -> None:
        expired = Counter[_Case]()
        for department, item, business_no, *_ in self._not_used_validly():
            expired[department, item, business_no] += 1
        last_on = self._last_on | {(each[0], each[1], each[2]): day for each, day in self._expired.items()}
        for case in sorted({*self._holders, *expired}):
            holders = len(self._holders.get(case, [1]))
            self._tallies.matters.append(Matter(*case, holders, expired[case], last_on[case]))

    def _not_used_validly(self) -> set[_Held]:
        """Of the expired certificates those that were not used in a valid one's stead by the end of the period."""
        left = set(self._expired)
        holders = sorted({holder for *_, holder in left})
        for start in range(0, len(holders), HOLDERS):
            wanted = select(AuditEntry.holder_index, AuditEntry.detail).where(
                AuditEntry.holder_index.in_(holders[start : start + HOLDERS]),
                AuditEntry.tag.in_(ANSWERED),
                AuditEntry.at >= _at(self._period.first, 0),
                AuditEntry.at < _at(self._period.last, 24),
            )
            for holder, said in self._session.execute(wanted).tuples():
                if said.get("result") == CertificateState.VALID and holder is not None:
                    parts = (said.get("department"), said.get("item"), said.get("business_no"), said.get("type"))
                    left.discard((*map(str, parts), holder))
        return left


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


def _entries(session: Session, start: datetime, end: datetime) -> Iterator[tuple[str, str | None, dict[str, Any]]]:
    """Tag, holder and detail of the uses in a span of time."""
    wanted = select(AuditEntry.tag, AuditEntry.holder_index, cast(AuditEntry.detail, Text)).where(
        AuditEntry.tag.in_(ANSWERED + REFUSED), AuditEntry.at >= start, AuditEntry.at < end
    )
    # Past the session, which would take a third of the time for rows that are no objects.
    rows = session.connection().execute(wanted, execution_options={"yield_per": ROWS})
    for tag, holder, detail in rows:
        yield tag, holder, orjson.loads(detail)


def _add(to: dict[Any, dict[date, int]], counts: Counter[Any], day: date) -> None:
    for key, times in counts.items():
        days = to.setdefault(key, {})
        days[day] = days.get(day, 0) + times


def _self_service(session: Session) -> frozenset[int]:
    """The versions of the use list whose uses a holder sets off."""
    wanted = select(
        UseListVersion.id, UseListEntry.scenario, or_(UseListVersion.holder_alone, UseListVersion.authorisation)
    ).join(UseListEntry, UseListEntry.id == UseListVersion.entry_id)
    rows = session.execute(wanted).tuples()
    return frozenset(number for number, scenario, alone in rows if alone or SELF_SERVICE.search(scenario))


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
            _add(tallies.receipts, Counter([(departments[name], kind)]), day)
    backfills = (
        select(Backfill.department_uscc, Case.opened_at)
        .join(Case, Case.case_no == Backfill.case_no)
        .where(Case.opened_at >= _at(period.first, 0), Case.opened_at < _at(period.last, 24))
    )
    for department, opened_at in session.execute(backfills).tuples():
        _add(tallies.backfills, Counter([department]), clock.local_date(opened_at))
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
