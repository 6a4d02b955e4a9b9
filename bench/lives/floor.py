"""The least that the rows of an objection can cost: the same rows in the same transactions, written by SQLAlchemy Core
with nothing decided, rendered or looked up: ``python -m bench.lives.floor HOME URL``.

What to write is read off one life of the program itself, so the two cannot drift apart.
"""

import secrets
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import (
    Connection,
    Executable,
    Insert,
    Table,
    UniqueConstraint,
    Update,
    bindparam,
    event,
    func,
    insert,
    select,
)

from models.base import Base
from models.cases import Case, CaseCounter
from runtime.database import engine

from .durable_steps import Lives
from .player import perform


@dataclass(frozen=True)
class Write:
    """One row that is inserted into a table, or changed by a ``statement``."""

    table: Table
    values: Mapping[str, Any]
    statement: Update | None = None

    @property
    def alike(self) -> tuple[object, ...]:
        """What rows have in common that one statement writes together."""
        return self.table, self.statement, *self.values


def recorded(lives: Lives) -> tuple[str, list[list[Write]]]:
    """The number of a case that is played now, and its writes, a list for each transaction."""
    transactions: list[list[Write]] = []
    pending: list[Write] = []

    def executed(
        _connection: Connection, clause: Executable, many: Sequence[Any], one: Mapping[str, Any], _options: object
    ) -> None:
        if isinstance(clause, Insert | Update):
            assert isinstance(clause.table, Table)
            table = Base.metadata.tables[clause.table.name]
            changing = clause if isinstance(clause, Update) else None
            pending.extend(Write(table, values, changing) for values in many or [one])

    def committed(_connection: Connection) -> None:
        if pending:
            transactions.append(list(pending))
            pending.clear()

    event.listen(engine(), "before_execute", executed)
    event.listen(engine(), "commit", committed)
    case_no = lives.play()
    event.remove(engine(), "before_execute", executed)
    event.remove(engine(), "commit", committed)
    return case_no, transactions


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
        self._case_no, transactions = recorded(lives)
        # The counter's row is there already.
        self._transactions = [
            [write for write in writes if write.statement is not None or write.table is not CaseCounter.__table__]
            for writes in transactions
        ]
        self._number = int(self._case_no.rpartition("-")[2])
        self._locked = select(Case.stage).where(Case.case_no == bindparam("case")).with_for_update()
        tables = {write.table for writes in self._transactions for write in writes}
        self._unique = {table: unique_columns(table) for table in tables}
        self._inserts = {table: insert(table) for table in tables}
        self._first = self._first_ids(tables)
        self._check()

    def _first_ids(self, tables: set[Table]) -> dict[Table, int]:
        """Of each table whose new rows others of a life refer to by number, the number of the first that was recorded:
        nobody else wrote."""
        written = Counter(write.table for writes in self._transactions for write in writes if write.statement is None)
        referred = {key.column for table in tables for key in table.foreign_keys if key.column.table in tables}
        numbers = [column for column in referred if column.type.python_type is int]
        with engine().connect() as connection:
            last = {column.table: connection.execute(select(func.max(column))).scalar_one() for column in numbers}
        return {table: number - written[table] + 1 for table, number in last.items()}

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
        ids: dict[Table, list[int]] = defaultdict(list)
        for writes in self._transactions:
            with engine().begin() as connection:
                connection.execute(self._locked, {"case": case_no})
                for (table, statement, *_), alike in groupby(writes, lambda write: write.alike):
                    if statement is None:
                        self._insert(connection, table, [write.values for write in alike], case_no, ids)
                        continue
                    for write in alike:
                        given = self._renamed(write.values, case_no)
                        if table is CaseCounter.__table__:
                            given["last"] = self._number
                        connection.execute(statement, given)
        return case_no

    def _insert(
        self,
        connection: Connection,
        table: Table,
        recorded: Sequence[Mapping[str, Any]],
        case_no: str,
        ids: dict[Table, list[int]],
    ) -> None:
        """Write rows as they were recorded, but of this case; ``ids`` takes the numbers of those that others refer
        to."""
        rows = [self._made_new(table, values, case_no, ids) for values in recorded]
        if table not in self._first:
            connection.execute(self._inserts[table], rows)
            return
        for row in rows:
            key = connection.execute(self._inserts[table], row).inserted_primary_key
            assert key is not None
            ids[table].append(key[0])

    def _made_new(
        self, table: Table, values: Mapping[str, Any], case_no: str, ids: Mapping[Table, list[int]]
    ) -> dict[str, Any]:
        """The values of this case: with its number, with its own rows where one refers to another (``ids``), and with
        other texts of the same length where none may recur."""
        made = {}
        for key in table.foreign_keys:
            table_of, number = key.column.table, values.get(key.parent.name)
            if table_of in self._first and isinstance(number, int) and number >= self._first[table_of]:
                made[key.parent.name] = ids[table_of][number - self._first[table_of]]
        for name in values.keys() - made.keys():
            value = values[name]
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
