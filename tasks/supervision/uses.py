"""The pass of online supervision (电子督查, Article 17) over the uses of certificates, by this process or by several.

Each of several is a fresh interpreter, which imports no more than it needs (Prefect alone would take longer than to
count 100,000 entries) and does not run again whatever is ``__main__`` here, as ``multiprocessing`` would.
"""

import os
import pickle
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from secrets import randbelow
from typing import Any, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Integer, Row, Text, and_, cast, func, literal_column, select
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
PROGRAM = "from tasks.supervision.uses import count_for_another; count_for_another()"

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
    counts, seed = Counts(), str(randbelow(1 << 32))
    with ExitStack() as stack:
        # Weeks have seven days, so each gets as many working days and days off as the others.
        shares = [[span for span in spans if span.day.toordinal() % processes == n] for n in range(processes)]
        others = [stack.enter_context(_another(share, seed)) for share in shares]
        for other in others:
            counts.add(other.counts())
        # Several holders of a case that no process had more than one of are no more than there are processes, which
        # nobody looks at.
        for other in others:
            for case, (holder, day) in other.one_holders(list(counts.holders)).items():
                _later(counts.holders[case][1], {holder: day})
    return counts


def _worthwhile(session: Session, spans: Sequence[Span]) -> int:
    """As many processes as there are processors, unless the uses are too few to be worth it."""
    most = min(os.cpu_count() or 1, PROCESSES)
    uses = select(literal_column("1", Integer)).where(_used(spans[0].start, spans[-1].end)).limit(most * ENTRIES)
    there = session.scalar(select(func.count()).select_from(uses.subquery())) or 0
    return max(1, there // ENTRIES)


def _used(start: datetime, end: datetime) -> ColumnElement[bool]:
    return and_(AuditEntry.tag.in_(ANSWERED + REFUSED), AuditEntry.at >= start, AuditEntry.at < end)


class CountingError(RuntimeError):
    """A process that counted has ended before it had said what."""

    def __init__(self) -> None:
        super().__init__("电子督查的计数进程中途结束，未查的日子由下一夜补查；原因见工作进程的日志。")


class _Another:
    """Counts the uses in spans of time, in a process of its own."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def counts(self) -> Counts:
        counts: Counts = self._hear()
        return counts

    def one_holders(self, cases: Sequence[int]) -> dict[int, tuple[int, int]]:
        self.say(cases)
        holders: dict[int, tuple[int, int]] = self._hear()
        return holders

    def say(self, what: object) -> None:
        assert self._process.stdin is not None  # noqa: S101
        pickle.dump(what, self._process.stdin)
        self._process.stdin.flush()

    def _hear(self) -> Any:
        assert self._process.stdout is not None  # noqa: S101
        try:
            # It is our own program that says it.
            return pickle.load(self._process.stdout)  # noqa: S301
        except (EOFError, pickle.UnpicklingError):
            raise CountingError from None


@contextmanager
def _another(spans: Sequence[Span], seed: str) -> Iterator[_Another]:
    """A process that counts, until the block ends. Those with the same seed have the same hashes."""
    environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-P", "-c", PROGRAM]
    try:
        # Our own program.
        with subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        ) as process:
            try:
                other = _Another(process)
                other.say((os.getpid(), spans))
                yield other
            finally:
                process.kill()
    except BrokenPipeError:
        raise CountingError from None


def count_for_another() -> None:
    """Count the spans on standard input, and say on standard output what they come to; then, of the cases that are
    asked about, those that had one holder."""
    asked, told = sys.stdin.buffer, sys.stdout.buffer
    asker, spans = pickle.load(asked)  # noqa: S301
    with reading() as session:
        uses = _Uses(session, _while_asked(asker, spans))
        pickle.dump(uses.counts(), told)
        told.flush()
        pickle.dump(uses.one_holders(pickle.load(asked)), told)  # noqa: S301


def _while_asked(asker: int, spans: Iterable[Span]) -> Iterator[Span]:
    for span in spans:
        if os.getppid() != asker:
            sys.exit("who asked has ended")
        yield span


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
        wanted = select(AuditEntry.tag, AuditEntry.actor, AuditEntry.holder_index, cast(AuditEntry.detail, Text)).where(
            _used(span.start, span.end)
        )
        # Past the session, which would take a third of the time for rows that are no objects.
        return self._session.connection().execute(wanted, execution_options={"yield_per": ROWS})

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
