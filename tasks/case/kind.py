"""What a kind of case is made of: one ``Kind`` a kind, in ``kind`` of its noun's room. All are entered
in ``tasks/desk/kinds.py``."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

from models.cases import Case, CaseKind
from regulation.limits import Limit
from regulation.stages import Stages
from tasks.case.questions import Question

REMARK = "系统提示"
"""The line in which a case says to staff, and to nobody else, what is doubtful about it."""
TYPED_LATE_WHY = "迟登记的原因"
"""The line with why an objection was not on record within days, for staff only."""
Lines = list[tuple[str, str]]
Concerned = Select[tuple[str, str]]
"""Cases and the departments that they are about, by credit code."""
Happened = Mapping[str, str | Callable[[dict[str, Any]], str]]
"""Tags of the audit trail and what they are called where people read a timeline; ``{name}`` stands for a detail."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with the names of its columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """The table as Markdown; what stands in its cells is shown as the text it is."""
        head = [self.columns, ("---",) * len(self.columns)]
        rows = [tuple(map(cell, row)) for row in self.rows]
        return "\n".join(f"| {' | '.join(row)} |" for row in (*head, *rows))


@dataclass(frozen=True, slots=True)
class Compared:
    """What a decision hangs on, at the top of a case's page: values one under the other, or a table."""

    title: str
    lines: tuple[tuple[str, str], ...] = ()
    against: str = ""
    """The value that those of the ``differing`` lines are held against: where they differ from it is marked."""
    differing: frozenset[str] = frozenset()
    table: Table | None = None
    telling: frozenset[str] = frozenset()
    """Names of lines, or first cells of rows, that stand out."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter that a case asks staff to write to a bureau: what it says, but for its number and its day."""

    to: str
    title: str
    paragraphs: tuple[str, ...]
    table: Table
    """What is asked about; of one claim its lines, of a list its rows."""
    closing: str


@dataclass(frozen=True, slots=True)
class Brief:
    """A case in a few words. ``subject`` names no person and nothing that a stranger typed: it goes into Prefect."""

    subject: str
    person: str = ""
    """Who objects, holds the certificate or is filed, masked; empty where a kind has nobody."""
    detail: str = ""
    """What else tells the case from the next of its kind."""


Briefs = Callable[[Session, Sequence[str]], Mapping[str, Brief]]
"""Gives each of the cases of a page in a few words, for all of them at once."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What somebody typed to find cases by: as a certificate's number, and the certificates that it leads to by their
    roots."""

    number_index: str
    roots: Sequence[str]


@dataclass(frozen=True, slots=True)
class KindSheet:
    """A kind's part of its sheets. ``lines`` are masked, ``full_lines`` are for an officer who signed."""

    name: str
    """What stands before the number in the name of a run."""
    briefs: Briefs
    lines: Callable[[Session, Case], Lines]
    full_lines: Callable[[Session, Case], Lines]
    happened: Happened
    further: Callable[[Session, Case], Table | None] = lambda _session, _case: None
    stage: Callable[[Session, Case], str] = lambda _session, case: case.stage
    ended_at: Callable[[Session, Case], datetime | None] = lambda _session, _case: None
    """When it ended for whoever the sheet is for, where the case goes on for others: nothing after it is theirs."""
    files_of: Callable[[Session, Case], Sequence[str]] = lambda _session, case: (case.case_no,)
    """The cases whose attachments go with the full sheet."""
    handled_in: Callable[[Session, Case], str | None] = lambda _session, _case: None
    """The case that it is handled in, where that is another."""
    shared: Happened = field(default_factory=dict)
    """What of that other case's timeline belongs to this one's, too, from when this one was opened."""
    compared: Callable[[Session, Case], Iterable[Compared]] = lambda _session, _case: ()
    """What the decision that the case waits for hangs on, in the order of weight, each made when it is wanted;
    unmasked, as ``full_lines``."""
    certificates_of: Callable[[Session, Case], Sequence[str]] = lambda _session, _case: ()
    """The roots of the certificates that the case is about."""
    people_of: Callable[[Session, Case], Lines] = lambda _session, _case: []
    """Names and numbers by which other cases are known to be of the same people, each with what that makes them."""
    letter: Callable[[Session, Case], Letter | None] = lambda _session, _case: None
    """The letter that is to go out now, where the case waits for one."""

    def subject(self, session: Session, case: Case) -> str:
        """What a case is about, in a few words that name no person."""
        return self.briefs(session, [case.case_no])[case.case_no].subject


@dataclass(frozen=True, slots=True)
class Kind:
    """What is known of a kind of case wherever cases of all kinds are handled alike."""

    code: CaseKind
    deployment: str
    """What runs its cases (flow name / deployment name)."""
    stages: Stages[Any]
    questions: tuple[type[Question], ...]
    """What its runs suspend on."""
    limits: tuple[Limit, ...]
    """Those that stand on its cases as deadlines."""
    sheet: KindSheet
    concerned: Concerned | None = None
    """Which departments its cases are about, where they are about any."""
    found: Callable[[Sought], Iterable[Select[Any]]] = lambda _sought: ()
    """Its cases to which a certificate leads; those that a name or a number leads to are marked
    (``tasks.case.marks``)."""


def in_words(said: str | Callable[[dict[str, Any]], str], detail: dict[str, Any]) -> str:
    """An audit entry as a line of a timeline.

    >>> in_words("并案，并入{lead}", {"lead": "YY-2026-000001"})
    '并案，并入YY-2026-000001'
    """
    return said.format_map(detail) if isinstance(said, str) else said(detail)


def cell(text: str) -> str:
    """A value as the text it is: much of it was typed by strangers, and no link or picture of theirs may stand here."""
    escaped = re.sub(r"([\\`*_{}\[\]()#!|<>~@&])", r"\\\1", text.replace("\n", " "))
    return re.sub(r"(?i)(:/|www)(?=[/.])", r"\1\\", escaped)
