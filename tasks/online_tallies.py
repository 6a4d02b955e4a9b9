"""What online supervision (电子督查, Article 17) counts: one pass over the record of a period, and the registers."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
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
from models.use_lists import UseListEntry
from regulation.certificates import CertificateState
from regulation.limits import DAY_BEGINS, DAY_ENDS
from regulation.online_supervision import Absence, Matter, Period, Tallies, is_code
from runtime import clock
from runtime.keys import keys
from tasks.calendars import working_days
from tasks.catalogue import type_names
from tasks.certificate_use import ANSWERED, REFUSED, Operation
from tasks.departments import department_names
from tasks.liaisons import REMINDED, on_file
from tasks.use_lists import in_force

PRESENTED = f"certificate:{Operation.REDEEM}:answered"
TAKEN = frozenset((f"certificate:{Operation.EXTRACT}:answered", PRESENTED))
"""The uses that show what stands on a certificate."""
NOT_VALID = frozenset(CertificateState) - {CertificateState.VALID}
"""What the interface answers, of the states of certificates, for one that does not hold."""
REFUSED_TAGS = frozenset(REFUSED)
DAY_BITS = 10
"""Bits that a day of a period takes: a period has fewer than 1,024."""
ROWS = 10_000
"""Entries that are held at a time."""
HOLDERS = 500
"""Holders that are asked about at a time."""

_Case = tuple[str, str, str]
_Kind = tuple[str, str, str | None, str, bool, bool]
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
        self._self_service = frozenset(session.scalars(select(Application.key).where(Application.self_service)))
        self._items = {code: code for code in session.scalars(select(UseListEntry.item_code).distinct())}
        self._operators: dict[tuple[str, str], str] = {}
        # Of each business case by its hash the hash of its one holder, with the number of the last day in its lowest
        # bits: nearly all have one, and their names would not fit into memory. Those that have more are kept by name,
        # and have ``None`` here.
        self._one_holder: dict[int, int | None] = {}
        self._first = period.first.toordinal()
        self._holders: dict[_Case, dict[int, date]] = {}
        self._not_valid: dict[_Held, date] = {}

    def count(self) -> None:
        calendar = working_days(self._session)
        day = self._period.first
        while day <= self._period.last:
            for from_hour, to_hour, is_off in _hours(calendar.is_working_day(day)):
                self._count_between(day, _at(day, from_hour), _at(day, to_hour), is_off)
            day += timedelta(days=1)
        self._tell_matters()

    def _count_between(self, day: date, start: datetime, end: datetime, is_off: bool) -> None:
        # This loop runs for each of millions of entries: what can be counted together is.
        counted, refused = defaultdict[_Kind, int](int), Counter[tuple[str, str]]()
        for tag, actor, holder, said in _entries(self._session, start, end):
            department, item = said.get("department"), said.get("item")
            if "test" in said or department is None or item is None:
                continue
            item = self._items.get(item) or self._item(item)
            if tag in REFUSED_TAGS:
                refused[department, item] += said.get("article") == 9
                continue
            kind = said.get("type")
            counted[department, item, kind, said["operator"], tag == PRESENTED, actor in self._self_service] += 1
            if holder is not None:
                case = (department, item, said["business_no"])
                self._note_holder(case, hash(holder) >> DAY_BITS, day)
                if tag in TAKEN and said.get("result") in NOT_VALID:
                    self._not_valid[*case, str(kind), holder] = day
        self._put_down(counted, day, is_off)
        _add(self._tallies.refused, +refused, day)

    def _put_down(self, counted: Mapping[_Kind, int], day: date, is_off: bool) -> None:
        answered, operators, desk = Counter[Any](), Counter[Any](), Counter[str]()
        for (department, item, kind, operator, is_presented, is_self_service), times in counted.items():
            answered[department, item, kind] += times
            if not is_self_service:
                operators[department, self._operator(department, operator)] += times
                if not is_presented:
                    desk[department] += times
        _add(self._tallies.answered, answered, day)
        _add(self._tallies.operators, operators, day)
        _add(self._tallies.desk, desk, day)
        if is_off:
            _add(self._tallies.off_hours, desk, day)

    def _note_holder(self, case: _Case, who: int, day: date) -> None:
        key, last = hash(case), who << DAY_BITS | day.toordinal() - self._first
        one = self._one_holder.setdefault(key, last)
        if one is None:
            # Two cases may, once in a very long while, have the same hash.
            self._holders.setdefault(case, {})[who] = day
        elif one >> DAY_BITS == who:
            self._one_holder[key] = last
        else:
            on = self._period.first + timedelta(days=one & (1 << DAY_BITS) - 1)
            self._holders[case] = {one >> DAY_BITS: on, who: day}
            self._one_holder[key] = None

    def _operator(self, department: str, operator: str) -> str:
        """The mark of an operator: what is found of them is found again under the same one."""
        who = (department, operator)
        if who not in self._operators:
            self._operators[who] = self._mark("操作员", "operator", f"{department}/{operator}", f"工号{operator}")
        return self._operators[who]

    def _item(self, code: str) -> str:
        """An item that never was on the use list: its code, or a mark where what was written may be anything."""
        self._items[code] = code if is_code(code) else self._mark("事项", "service-item", code, f"编码“{code}”")
        return self._items[code]

    def _mark(self, kind: str, index: str, written: str, means: str) -> str:
        mark = f"{kind}·{keys().blind_index(index, written)[:8]}"
        self._tallies.meant[mark] = means
        return mark

    def _tell_matters(self) -> None:
        not_valid: defaultdict[_Case, list[date]] = defaultdict(list)
        for held in self._not_used_validly():
            not_valid[held[0], held[1], held[2]].append(self._not_valid[held])
        for case in sorted({*self._holders, *not_valid}):
            holders = self._holders.get(case, {}).values()
            self._tallies.matters.append(Matter(*case, tuple(sorted(holders)), tuple(sorted(not_valid[case]))))

    def _not_used_validly(self) -> set[_Held]:
        """Of the certificates that did not hold those that no valid one replaced by the end of the period."""
        left = set(self._not_valid)
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
                    item = self._items.get(str(said.get("item")), "")
                    left.discard((said["department"], item, said["business_no"], str(said.get("type")), holder))
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


def _entries(session: Session, start: datetime, end: datetime) -> Iterator[tuple[str, str, str | None, dict[str, Any]]]:
    """Tag, actor, holder and detail of the uses in a span of time."""
    wanted = select(AuditEntry.tag, AuditEntry.actor, AuditEntry.holder_index, cast(AuditEntry.detail, Text)).where(
        AuditEntry.tag.in_(ANSWERED + REFUSED), AuditEntry.at >= start, AuditEntry.at < end
    )
    # Past the session, which would take a third of the time for rows that are no objects.
    rows = session.connection().execute(wanted, execution_options={"yield_per": ROWS})
    for some in rows.partitions():
        for tag, actor, holder, detail in some:
            yield tag, actor, holder, orjson.loads(detail)


def _add(to: dict[Any, dict[date, int]], counts: Counter[Any], day: date) -> None:
    for key, times in counts.items():
        days = to.setdefault(key, {})
        days[day] = days.get(day, 0) + times


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
