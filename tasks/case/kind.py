"""What a kind of case is made of: one ``Kind`` a kind, in ``kind`` of its noun's room. All are entered
in ``tasks/desk/kinds.py``."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from models.cases import Case, CaseKind
from regulation.limits import Limit
from regulation.stages import Stages
from tasks.case.questions import Question

Lines = list[tuple[str, str]]
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
class KindSheet:
    """A kind's part of its sheets. ``lines`` are masked, ``full_lines`` are for an officer who signed."""

    name: str
    """What stands before the number in the name of a run."""
    subject: Callable[[Session, Case], str]
    """What the case is about, in a few words that name no person."""
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
    intake: str = ""
    """The deployment of the form in which staff register one that came on paper, where there is one: its runs carry an
    application until it is registered."""


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
