"""Rows of a batch under the rules and beside the register (Article 11), many at a time; nothing is written here."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.certificates import Certificate, CertificateType
from regulation.backfill.batches import SAME, Outcome, outcome
from regulation.backfill.files import Entry, Registered, compare, duplicates, entry, named
from regulation.backfill.judge import Judge, Judged, columns
from regulation.backfill.problems import Problem, Severity
from runtime.database import reading
from runtime.keys import keys
from tasks.backfill.batch_files import BatchFile, in_chunks, opened_batch
from tasks.register.holders import numbers_held_otherwise
from tasks.register.types import paper_type, type_named
from tasks.register.versions import judge_of
from tasks.tables.files import Row

ASKED_AT_ONCE = 1_000
"""Numbers that the register is asked for in one statement."""


class Checked(NamedTuple):
    """A row under the rules and beside the register, but not yet beside the rows of its own file."""

    row: int
    judged: Judged
    number_index: str
    """Empty for a row that cannot enter the register anyway."""
    problems: tuple[Problem, ...]

    @property
    def outcome(self) -> Outcome:
        return outcome(self.problems)

    @property
    def entry(self) -> Entry:
        """What tells it from the other rows of its file; its number as an index, which may be kept."""
        made = entry(self.row, self.judged)
        return made._replace(key=(made.key[0], self.number_index))


def check_rows(
    session: Session, judge: Judge, kind: CertificateType, rows: Sequence[tuple[int, Row]], places: Mapping[str, int]
) -> list[Checked]:
    """Rows of a file of one type. ``places`` are as the headings tell."""
    index = keys().blind_index
    judged = [(number, judge.judge(named(cells, places))) for number, cells in rows]
    indexes = [index("certificate-number", each.number) if each.accepted else "" for _, each in judged]
    there = _registered(session, kind.code, filter(None, indexes))
    entries = [each.holders(kept) if each.accepted and (kept := each.columns) else () for _, each in judged]
    otherwise = numbers_held_otherwise(session, entries)
    names = columns(paper_type(kind))
    checked = []
    for (number, each), at, remarks in zip(judged, indexes, otherwise, strict=True):
        problems = (*each.problems, *remarks)
        if at in there:
            problems = (*problems, compare(each, there[at], names).problem)
        checked.append(Checked(number, each, at, problems))
    return checked


def _registered(session: Session, type_code: str, indexes: Iterable[str]) -> dict[str, Registered]:
    """What the register has of these numbers, in the newest versions."""
    found: dict[str, Registered] = {}
    for some in in_chunks(dict.fromkeys(indexes), ASKED_AT_ONCE):
        wanted = (
            select(
                Certificate.number_index,
                Certificate.face,
                Certificate.holder_name,
                Certificate.holder_number,
                Certificate.issued_on,
                Certificate.valid_until_on,
            )
            .where(Certificate.type_code == type_code, Certificate.number_index.in_(some))
            .order_by(Certificate.version)
        )
        found |= {index: Registered(*held) for index, *held in session.execute(wanted)}
    return found


class _Likes:
    """Finds rows of a file that say the same certificate; of the others it keeps a few bytes."""

    def __init__(self) -> None:
        self._firsts: dict[bytes, bytes] = {}
        self._again: list[Entry] = []

    def add(self, each: Entry) -> None:
        key = bytes.fromhex(each.key[1])[:16]
        said = each.row.to_bytes(4, "big") + each.digest
        if self._firsts.setdefault(key, said) != said:
            self._again.append(each)

    def problems(self) -> dict[int, Problem]:
        """As ``duplicates`` finds them."""
        keys_again = {each.key[1]: each.key for each in self._again}
        firsts = []
        for index, key in keys_again.items():
            said = self._firsts[bytes.fromhex(index)[:16]]
            firsts.append(Entry(int.from_bytes(said[:4], "big"), key, said[4:]))
        return duplicates([*firsts, *self._again])


@dataclass(slots=True)
class Report:
    """What a file would come to. ``problems`` are those of the rows that would not enter the register, by row."""

    kind: CertificateType
    remarks: tuple[str, ...]
    places: dict[str, int]
    counts: Counter[Outcome] = field(default_factory=Counter)
    problems: dict[int, tuple[Problem, ...]] = field(default_factory=dict)

    def in_words(self, problem: Problem) -> str:
        return problem.in_words(columns(paper_type(self.kind)).get(problem.field, problem.field))


WATCHED_ROWS = 5_000
"""Rows between two words about how far a check has come."""


def check_file(
    path: Path, certificate_type: str, today: date, watch: Callable[[int, int], None] = lambda _rows, _of: None
) -> Report:
    """A dry run over a file: nothing is written. ``watch`` hears now and then how many rows have been checked,
    of how many at most.

    ``InputError`` for an unknown type and a file that cannot be read.
    """
    with reading() as session:
        kind = type_named(session, certificate_type)
        judge = judge_of(session, kind, today)
        with opened_batch(path.name, path, paper_type(kind)) as file:
            report = Report(kind, file.remarks, file.places)
            likes = _Likes()
            for each in _checked(session, judge, kind, file):
                if each.outcome is Outcome.GOOD:
                    likes.add(each.entry)
                else:
                    report.problems[each.row] = each.problems
                report.counts[each.outcome] += 1
                if (rows := report.counts.total()) % WATCHED_ROWS == 0:
                    watch(rows, file.length)
            for row, problem in likes.problems().items():
                report.problems[row] = (problem,)
                report.counts[Outcome.GOOD] -= 1
                report.counts[outcome([problem])] += 1
    report.problems = dict(sorted(report.problems.items()))
    return report


def _checked(session: Session, judge: Judge, kind: CertificateType, file: BatchFile) -> Iterator[Checked]:
    for chunk in in_chunks(file.rows):
        yield from check_rows(session, judge, kind, chunk, file.places)


def needs_mending(problems: Iterable[Problem]) -> bool:
    """Whether a row goes back to whoever sent it: what the register has, or an earlier row says, does not."""
    return outcome(problems) is not Outcome.SAME


def told(problems: Iterable[Problem]) -> list[Problem]:
    """What a row's sender is told: why it does not enter the register. Remarks are for who reviews what does."""
    return [problem for problem in problems if problem.severity is Severity.ERROR or problem.code in SAME]
