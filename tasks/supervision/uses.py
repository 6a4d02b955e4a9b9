"""The pass of online supervision (电子督查, Article 17) over the uses of certificates, by this process or by several.

Each of several is a fresh interpreter, which imports no more than it needs: Prefect alone would take longer than to
count 100,000 entries.
"""

import os
import sys
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from secrets import randbelow
from types import ModuleType
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Integer, Row, Text, and_, bindparam, cast, func, literal_column, select
from sqlalchemy.orm import Session

from models.organisations import Application
from models.records import AuditEntry
from models.use_lists import UseListEntry
from regulation.certificate_use import ANSWERED, REFUSED, Operation
from regulation.certificates import CertificateState
from regulation.online_supervision import Tallies, is_code
from runtime.database import reading
from runtime.keys import keys

PRESENTED = f"certificate:{Operation.REDEEM}:answered"
TAKEN = frozenset((f"certificate:{Operation.EXTRACT}:answered", PRESENTED))
"""The uses that show what stands on a certificate."""
NOT_VALID = frozenset(CertificateState) - {CertificateState.VALID}
"""What the interface answers, of the states of certificates, for one that does not hold."""
REFUSED_TAGS = frozenset(REFUSED)
DAY_BITS = 20
"""Bits that a day's ordinal takes behind a holder's hash, until the year 2871."""
ROWS = 10_000
"""Entries that are held at a time."""
PROCESSES = 4
"""Processes that count at the most."""
ENTRIES = 500_000
"""Entries for which a process is worth its start, which takes as long as to count 150,000."""

# Put together once: a night looks at a hundred spans, each of which has few uses in a small district.
_USED = and_(
    AuditEntry.tag.in_(ANSWERED + REFUSED), AuditEntry.at >= bindparam("start"), AuditEntry.at < bindparam("end")
)
_OF_SPAN = select(AuditEntry.tag, AuditEntry.actor, AuditEntry.holder_index, cast(AuditEntry.detail, Text)).where(_USED)

_SPAWN = get_context("spawn")
_counted: "_Uses"
"""In a process that counts for another: what it has counted."""

BusinessCase = tuple[str, str, str]
"""Department, item and number of a business case."""
Held = tuple[str, str, str, str, str]
"""A business case, and the type and the holder of a certificate that was used in it."""


class Span(NamedTuple):
    """A part of a day, and whether it is outside working hours."""

    day: date
    start: datetime
    end: datetime
    is_off: bool


@dataclass(slots=True)
class Marks:
    """What operators and items go by that may hold something of a person; ``meant`` has what was written. What is found
    of somebody is found again under the same mark."""

    items: dict[str, str]
    operators: dict[tuple[str, str], str] = field(default_factory=dict)
    meant: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session) -> "Marks":
        return cls({code: code for code in session.scalars(select(UseListEntry.item_code).distinct())})

    def operator(self, department: str, operator: str) -> str:
        who = (department, operator)
        if who not in self.operators:
            self.operators[who] = self._mark("操作员", "operator", f"{department}/{operator}", f"工号{operator}")
        return self.operators[who]

    def item(self, code: str) -> str:
        """An item that never was on the use list goes by its code too, unless what was written may be anything."""
        if code not in self.items:
            is_told = is_code(code)
            self.items[code] = code if is_told else self._mark("事项", "service-item", code, f"编码“{code}”")
        return self.items[code]

    def _mark(self, kind: str, index: str, written: str, means: str) -> str:
        mark = f"{kind}·{keys().blind_index(index, written)[:8]}"
        # Of several ways of writing the same one, in whatever order they are read.
        self.meant[mark] = min(means, self.meant.get(mark, means))
        return mark


@dataclass(slots=True)
class Counts:
    """What the uses of some days come to: ``tallies`` without matters and registers, and what matters are made from."""

    tallies: Tallies = field(default_factory=Tallies)
    holders: dict[int, tuple[BusinessCase, dict[int, int]]] = field(default_factory=dict)
    """Of business cases with several holders, by their hashes: those holders by theirs, and the last day of each."""
    not_valid: dict[Held, date] = field(default_factory=dict)
    """Of each certificate that did not hold the last day."""

    def add(self, other: "Counts") -> None:
        """Take in what was counted of other days."""
        for name in ("refused", "answered", "operators", "desk", "off_hours"):
            mine = getattr(self.tallies, name)
            for key, days in getattr(other.tallies, name).items():
                add_days(mine, key, days)
        for mark, means in other.tallies.meant.items():
            self.tallies.meant[mark] = min(means, self.tallies.meant.get(mark, means))
        for key, (case, holders) in other.holders.items():
            _later(self.holders.setdefault(key, (case, {}))[1], holders)
        _later(self.not_valid, other.not_valid)


def add_days(to: dict[Any, dict[date, int]], key: Any, days: dict[date, int]) -> None:
    """Add times by the day to those of a key."""
    there = to.setdefault(key, {})
    for day, times in days.items():
        there[day] = there.get(day, 0) + times


def _later(to: dict[Any, Any], last: dict[Any, Any]) -> None:
    for key, day in last.items():
        to[key] = max(day, to.get(key, day))


def counted(session: Session, spans: Sequence[Span], processes: int | None = None) -> Counts:
    """What the uses in spans of time come to, whatever the number of processes that count them."""
    processes = processes or _worthwhile(session, spans)
    if processes == 1:
        return _Uses(session, spans).counts()
    counts = Counts()
    with _others(processes) as others:
        # Weeks have seven days, so each gets as many working days and days off as the others.
        shares = [[span for span in spans if span.day.toordinal() % processes == n] for n in range(processes)]
        counting = [other.submit(_count, share) for other, share in zip(others, shares, strict=True)]
        while counting:
            counts.add(counting.pop(0).result())
        # Several holders of a case that no process had more than one of are no more than there are processes, which
        # nobody looks at.
        for asked in [other.submit(_one_holders, list(counts.holders)) for other in others]:
            for case, (holder, day) in asked.result().items():
                _later(counts.holders[case][1], {holder: day})
    return counts


def _worthwhile(session: Session, spans: Sequence[Span]) -> int:
    """As many processes as there are processors, unless the uses are too few to be worth it."""
    most = min(os.cpu_count() or 1, PROCESSES)
    uses = select(literal_column("1", Integer)).where(_USED).limit(most * ENTRIES)
    period = {"start": spans[0].start, "end": spans[-1].end}
    there = session.scalar(select(func.count()).select_from(uses.subquery()), period) or 0
    return max(1, there // ENTRIES)


class CountingError(RuntimeError):
    """A process that counted has ended before it had said what."""

    def __init__(self) -> None:
        super().__init__("电子督查的计数进程中途结束，未查的日子由下一夜补查；原因见工作进程的日志。")


@contextmanager
def _others(number: int) -> Iterator[list[ProcessPoolExecutor]]:
    """So many processes, each behind a queue of its own because what it has counted stays in it. They are killed when
    the block ends, or this process, however that comes."""
    watched, ours = _SPAWN.Pipe(duplex=False)
    main, seed = sys.modules["__main__"], os.environ.get("PYTHONHASHSEED")
    try:
        with ExitStack() as stack:
            others = [stack.enter_context(ProcessPoolExecutor(1, _SPAWN, _end_with, (watched,))) for _ in range(number)]
            stack.callback(ours.close)
            try:
                # Whatever is __main__ here is not run again, and a case has the same hash in each.
                sys.modules["__main__"] = ModuleType("__main__")
                os.environ["PYTHONHASHSEED"] = str(randbelow(1 << 32))
                for other in others:
                    other.submit(os.getpid)
            finally:
                sys.modules["__main__"] = main
                del os.environ["PYTHONHASHSEED"]
                if seed is not None:
                    os.environ["PYTHONHASHSEED"] = seed
            yield others
    except BrokenProcessPool:
        raise CountingError from None
    finally:
        watched.close()


def _end_with(watched: Connection) -> None:
    """End this process when the one that started it closes its end, or ends."""

    def watch() -> None:
        watched.poll(None)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _count(spans: Sequence[Span]) -> Counts:
    global _counted
    with reading() as session:
        _counted = _Uses(session, spans)
        return _counted.counts()


def _one_holders(cases: Sequence[int]) -> dict[int, tuple[int, int]]:
    return _counted.one_holders(cases)


class _Uses:
    """Counts the uses in spans of time."""

    def __init__(self, session: Session, spans: Iterable[Span]) -> None:
        self._session, self._spans = session, spans
        self._self_service = frozenset(session.scalars(select(Application.key).where(Application.self_service)))
        self._marks = Marks.of(session)
        self._counts = Counts(Tallies(meant=self._marks.meant))
        # Of each business case by its hash the hash of its one holder, with the last day in its lowest bits: nearly all
        # have one, and their names would not fit into memory. Those that have more are kept by name, and have ``None``
        # here.
        self._one_holder: dict[int, int | None] = {}

    def counts(self) -> Counts:
        for span in self._spans:
            self._count(span)
        return self._counts

    def one_holders(self, cases: Sequence[int]) -> dict[int, tuple[int, int]]:
        """Of those of the cases that had one holder that holder and the last day."""
        ones = ((case, self._one_holder.get(case)) for case in cases)
        return {case: _holder_and_day(one) for case, one in ones if one is not None}

    def _count(self, span: Span) -> None:
        refused, answered, operators = (defaultdict[tuple[Any, ...], int](int) for _ in range(3))
        presented = defaultdict[str, int](int)
        item_of, one_holder, number = self._marks.items, self._one_holder, span.day.toordinal()
        # This loop runs for each of millions of entries.
        for tag, actor, holder, detail in self._entries(span):
            said = orjson.loads(detail)
            department, item = said.get("department"), said.get("item")
            if department is None or item is None or "test" in said:
                continue
            item = item_of.get(item) or self._marks.item(item)
            if tag in REFUSED_TAGS:
                if said.get("article") == 9:
                    refused[department, item] += 1
                continue
            answered[department, item, said.get("type")] += 1
            if actor not in self._self_service:
                operators[department, said["operator"]] += 1
                if tag == PRESENTED:
                    presented[department] += 1
            if holder is not None:
                case = (department, item, said["business_no"])
                last = hash(holder) >> DAY_BITS << DAY_BITS | number
                if one_holder.setdefault(hash(case), last) != last:
                    self._note_holder(case, last)
                if tag in TAKEN and said.get("result") in NOT_VALID:
                    self._counts.not_valid[*case, str(said.get("type")), holder] = span.day
        self._put_down(span, refused, answered, operators, presented)

    def _entries(self, span: Span) -> Iterable[Row[tuple[str, str, str | None, str]]]:
        """Tag, actor, holder and detail of the uses in a span."""
        asked = {"start": span.start, "end": span.end}
        # Past the session, which would take a third of the time for rows that are no objects.
        return self._session.connection().execute(_OF_SPAN, asked, execution_options={"yield_per": ROWS})

    def _note_holder(self, case: BusinessCase, last: int) -> None:
        """Note a holder of a case of which another day or another holder is known."""
        key, (who, day) = hash(case), _holder_and_day(last)
        one = self._one_holder[key]
        if one is None:
            # Two cases may, once in a very long while, have the same hash.
            self._counts.holders[key][1][who] = day
        elif one >> DAY_BITS == who:
            self._one_holder[key] = max(one, last)
        else:
            self._counts.holders[key] = case, dict((_holder_and_day(one), (who, day)))
            self._one_holder[key] = None

    def _put_down(
        self,
        span: Span,
        refused: Mapping[tuple[Any, ...], int],
        answered: Mapping[tuple[Any, ...], int],
        operators: Mapping[tuple[Any, ...], int],
        presented: Mapping[str, int],
    ) -> None:
        tallies, desk = self._counts.tallies, defaultdict[str, int](int)
        for (department, operator), times in operators.items():
            add_days(tallies.operators, (department, self._marks.operator(department, operator)), {span.day: times})
            desk[department] += times
        for key, times in refused.items():
            add_days(tallies.refused, key, {span.day: times})
        for key, times in answered.items():
            add_days(tallies.answered, key, {span.day: times})
        for department, times in desk.items():
            # What a holder presents may come at any hour.
            if at_desk := times - presented.get(department, 0):
                for of in [tallies.desk, tallies.off_hours] if span.is_off else [tallies.desk]:
                    add_days(of, department, {span.day: at_desk})


def _holder_and_day(last: int) -> tuple[int, int]:
    return last >> DAY_BITS, last & (1 << DAY_BITS) - 1
