"""The least that the rows of an objection can cost: the same rows in the same transactions, written by SQLAlchemy Core
with nothing decided, rendered or looked up: ``python -m bench.lives.floor HOME URL``.

What to write is read off one life of the program itself, so the two cannot drift apart.
"""

import secrets
import sys
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from sqlalchemy import Table, UniqueConstraint, and_, bindparam, event, func, insert, inspect, select, update
from sqlalchemy.orm import Session

from models.cases import Case, CaseCounter
from runtime.database import engine

from .durable_steps import Lives
from .player import perform


@dataclass(frozen=True)
class Write:
    """One row that is inserted, or found by its primary ``key`` and changed."""

    table: Table
    values: dict[str, Any]
    key: dict[str, Any] = field(default_factory=dict)


def recorded(lives: Lives) -> tuple[str, list[list[Write]]]:
    """The number of a case that is played now, and its writes, a list for each transaction."""
    transactions: list[list[Write]] = []
    pending: list[Write] = []

    def flushed(session: Session, _context: object) -> None:
        pending.extend(_insert(row) for row in session.new)
        pending.extend(_update(row) for row in session.dirty if session.is_modified(row))
        assert not session.deleted

    def committed(_session: Session) -> None:
        if pending:
            transactions.append(list(pending))
            pending.clear()

    event.listen(Session, "after_flush", flushed)
    event.listen(Session, "after_commit", committed)
    case_no = lives.play()
    event.remove(Session, "after_flush", flushed)
    event.remove(Session, "after_commit", committed)
    return case_no, transactions


def _insert(row: Any) -> Write:
    mapper = inspect(row).mapper
    table = mapper.local_table
    given_by_database = table.autoincrement_column
    columns = [column for column in table.columns if column is not given_by_database]
    return Write(table, {column.name: getattr(row, mapper.get_property_by_column(column).key) for column in columns})


def _update(row: Any) -> Write:
    state = inspect(row)
    columns = {state.mapper.get_property_by_column(column).key: column for column in state.mapper.columns}
    changed = {columns[name].name: getattr(row, name) for name in columns if state.attrs[name].history.has_changes()}
    key = {column.name: getattr(row, column.name) for column in state.mapper.primary_key}
    return Write(state.mapper.local_table, changed, key)


def unique_columns(table: Table) -> set[str]:
    """The text columns of which no two rows may have the same."""
    sets = [each.columns for each in table.constraints if isinstance(each, UniqueConstraint)]
    sets += [index.columns for index in table.indexes if index.unique]
    sets.append(table.primary_key.columns)
    return {column.name for columns in sets for column in columns if column.type.python_type is str}


class Floor:
    """Lives that are nothing but their rows."""

    def __init__(self, home: str, url: str) -> None:
        lives = Lives(home, url, in_legs=False)
        lives.play()
        self._case_no, self._transactions = recorded(lives)
        self._number = int(self._case_no.rpartition("-")[2])
        self._locked = select(Case.stage).where(Case.case_no == bindparam("case")).with_for_update()
        tables = {write.table for writes in self._transactions for write in writes}
        self._unique = {table: unique_columns(table) for table in tables}
        self._inserts = {table: insert(table) for table in tables}
        self._updates = {
            (write.table, *sorted(write.values)): update(write.table)
            .where(and_(*(write.table.c[name] == bindparam(f"key_{name}") for name in write.key)))
            .values({name: bindparam(f"new_{name}") for name in write.values})
            for writes in self._transactions
            for write in writes
            if write.key
        }
        self._check()

    def _check(self) -> None:
        """Raise unless a life here leaves as many rows in each table as one of the program's."""
        mine = self.play()
        tables = [table for table in self._unique if "case_no" in table.c]
        with engine().connect() as connection:
            for table in tables:
                rows = [
                    connection.scalar(select(func.count()).select_from(table).where(table.c.case_no == case_no))
                    for case_no in (mine, self._case_no)
                ]
                assert rows[0] == rows[1], (table.name, rows)

    def play(self) -> str:
        """Write one case; its number."""
        self._number += 1
        case_no = f"{self._case_no.rpartition('-')[0]}-{self._number:06}"
        for writes in self._transactions:
            with engine().begin() as connection:
                connection.execute(self._locked, {"case": case_no})
                for (table, key), alike in groupby(writes, lambda write: (write.table, tuple(write.key))):
                    if not key:
                        rows = [self._made_new(table, write.values, case_no) for write in alike]
                        connection.execute(self._inserts[table], rows)
                        continue
                    for write in alike:
                        changed = self._made_new(table, write.values, case_no)
                        if table is CaseCounter.__table__:
                            changed["last"] = self._number
                        given = {f"new_{name}": value for name, value in changed.items()}
                        given |= {f"key_{name}": self._renamed(value, case_no) for name, value in write.key.items()}
                        connection.execute(self._updates[table, *sorted(write.values)], given)
        return case_no

    def _made_new(self, table: Table, values: dict[str, Any], case_no: str) -> dict[str, Any]:
        """The values of this case: with its number, and with other texts of the same length where none may recur."""
        made = {}
        for name, value in values.items():
            made[name] = self._renamed(value, case_no)
            if name in self._unique[table] and made[name] == value and name not in REFERENCES:
                made[name] = secrets.token_hex(len(value) // 2)
        return made

    def _renamed(self, value: Any, case_no: str) -> Any:
        if isinstance(value, str):
            return value.replace(self._case_no, case_no)
        if isinstance(value, dict):
            return {name: self._renamed(each, case_no) for name, each in value.items()}
        if isinstance(value, list):
            return [self._renamed(each, case_no) for each in value]
        return value


REFERENCES = {"limit_code", "step", "question", "kind", "department_uscc"}
"""Texts that are unique only beside a case's number, and mean something."""


if __name__ == "__main__":
    perform(Floor(*sys.argv[1:3]).play)
