"""``ezt migrate-data``: an installation's data, moved from SQLite into an empty PostgreSQL database, with proof.

What stands in the tables is copied as it stands there, encrypted values still encrypted, from a database that nobody
else has open. Prefect's database is not moved: recovery gives every open case a run again.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

from alembic import command
from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Dialect,
    Engine,
    Table,
    Text,
    TypeDecorator,
    cast,
    delete,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.event import listen
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from ezt.engine import prefect_data
from ezt.installation import check_ready, saying_what_is_wrong
from ezt.up import answers
from models.base import Base, as_stored
from models.migrations import alembic_config, check_current, migrate
from models.spot_checks import CheckItem
from runtime.database import BUSY, build_engine, cause_of, database_url, engine, forget_engine, insert_many
from runtime.refusals import InputError, RefusalError
from runtime.settings import settings

ROWS = 5_000
"""Rows that are held at a time."""


class Moved(NamedTuple):
    """A table that was moved: its rows, and a digest of them that is the same in both databases."""

    table: str
    rows: int
    digest: str


def move(to: str, tell: Callable[[Moved], None] = lambda moved: None) -> list[Moved]:
    """Copy every table of the settings' SQLite database to the empty PostgreSQL database ``to``, in one transaction,
    and compare what arrived row by row; ``tell`` is called after each table.

    Raises ``InputError`` for a target that cannot be reached, is no PostgreSQL or not empty, ``RefusalError`` when the
    source is not ready or in use or anything fails; the target is empty again then, and the source is as it was.
    """
    check_ready()
    check_current()
    if engine().dialect.name != "sqlite":
        raise RefusalError("现在用的已经是PostgreSQL，无需迁移；请核对EZT_DATABASE_URL。")
    try:
        target = build_engine(to)
    except RefusalError:
        raise InputError(NO_TARGET) from None
    try:
        if target.dialect.name != "postgresql":
            raise InputError(NO_TARGET)
        try:
            there = {*inspect(target).get_table_names()} - {"alembic_version"}
        except OperationalError as error:
            raise InputError(_unreachable(error)) from None
        if there:
            raise InputError("目标数据库里已经有表，迁移不会覆盖它们：请新建一个空的数据库。")
        _check_stopped()
        return _move(target, to, tell)
    finally:
        target.dispose()


NO_TARGET = "目标应为PostgreSQL的地址，如postgresql+psycopg://用户:密码@主机/库名；密码中的@、:、/、%等须写成%40、%3A、%2F、%25。"
RUNNING = "系统还在运行（{what}），此时迁移会丢失其后写入的内容：请先停止网页、执行器和Prefect，再运行一次。"


def _unreachable(error: OperationalError) -> str:
    """Why the target does not let us in. Only what its server says tells one reason from the next."""
    said = str(error.orig)
    causes = {
        "password authentication failed": "用户或密码不对",
        "no password supplied": "没有写密码",
        "does not exist": "没有这个库或用户",
        "refused": "主机或端口不对，或数据库服务没有启动",
        "resolve": "找不到这台主机",
    }
    why = next((why for words, why in causes.items() if words in said), "没有答复，或拒绝了连接")
    return f"命令中的目标数据库不能连接：{why}。{NO_TARGET}"


def _check_stopped() -> None:
    """Raise ``RefusalError`` while a process of the system runs: what it wrote after the copy would be left behind."""
    given = settings()
    for name, port, path in (("网页", given.web_port, "health"), ("Prefect", given.prefect_port, "api/health")):
        if answers(f"http://127.0.0.1:{port}/{path}"):
            raise RefusalError(RUNNING.format(what=f"{name}，端口{port}"))
    if prefect_data.is_in_use():
        raise RefusalError(RUNNING.format(what="Prefect的数据库正在使用"))


@contextmanager
def _alone() -> Iterator[Connection]:
    """A connection to our database that nobody else has open meanwhile: what cannot be read cannot be changed either.

    Raises ``RefusalError`` while somebody has.
    """
    # Ours would be somebody else.
    forget_engine()
    source = build_engine(database_url())
    listen(source, "connect", _exclusively)
    try:
        with ExitStack() as stack:
            try:
                connection = stack.enter_context(source.connect())
                connection.begin()
            except OperationalError as error:
                if cause_of(error) != BUSY:
                    raise
                raise RefusalError(RUNNING.format(what="数据库正被别的程序使用")) from None
            yield connection
    finally:
        source.dispose()


def _exclusively(connection: Any, _: object) -> None:
    connection.execute("PRAGMA busy_timeout = 3000")
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")


def _move(target: Engine, to: str, tell: Callable[[Moved], None]) -> list[Moved]:
    tables = [_letter_by_letter(table) for table in Base.metadata.sorted_tables]
    try:
        with saying_what_is_wrong():
            migrate(to)
        with _alone() as source, Session(target) as arriving, arriving.begin():
            # Check items are made together with their table; ours are those of the source.
            arriving.execute(delete(CheckItem))
            moved = []
            for table in tables:
                moved.append(_copy(source, arriving, table))
                tell(moved[-1])
            return moved
    except BaseException as error:
        command.downgrade(alembic_config(to), "base")
        if isinstance(error, DBAPIError):
            # What the driver says may quote what was to be stored.
            raise RefusalError(
                f"迁移没有成功，目标数据库已恢复为空，原数据库没有改动：{cause_of(error)}。"
                "请确认系统已停止、磁盘空间足够后重试。"
            ) from None
        raise


class _JsonText(TypeDecorator[str]):
    """JSON as it was written: the seals of the record hold for these letters, and SQL writes others than Python."""

    impl = JSON
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> None:
        return None

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return cast(column, Text)

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        return None


def _letter_by_letter(table: Table) -> Table:
    stored = as_stored(table)
    for column in stored.columns:
        if isinstance(column.type, JSON):
            column.type = _JsonText()
    return stored


def _copy(source: Connection, arriving: Session, table: Table) -> Moved:
    sent = _Digest()
    for rows in _parts(source, table):
        insert_many(arriving, table, [dict(row) for row in rows])
        sent.add(rows)
    arrived = _Digest()
    for rows in _parts(arriving.connection(), table):
        arrived.add(rows)
    if sent != arrived:
        raise RefusalError(f"表{table.name}迁移后与原来不一致，目标数据库已恢复为空，原数据库没有改动。请报告此问题。")
    _count_on(arriving, table)
    return Moved(table.name, sent.rows, sent.value)


def _parts(connection: Connection, table: Table) -> Iterator[Sequence[Any]]:
    # By key, so that a row that points to an earlier one of its table arrives after it.
    wanted = select(table).order_by(*table.primary_key.columns)
    with connection.execute(wanted, execution_options={"yield_per": ROWS}) as result:
        yield from result.mappings().partitions()


def _count_on(arriving: Session, table: Table) -> None:
    """Let the numbers that PostgreSQL gives go on after the last one that is there."""
    for column in table.primary_key.columns:
        sequence = arriving.scalar(
            text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table.name, "column": column.name}
        )
        if sequence is not None:
            last = arriving.scalar(select(func.max(column)))
            arriving.execute(
                text("SELECT setval(CAST(:sequence AS regclass), :last, :used)"),
                {"sequence": sequence, "last": last or 1, "used": last is not None},
            )


@dataclass
class _Digest:
    """Sum of the rows' SHA-256: databases do not agree on an order of texts, so it has none."""

    rows: int = 0
    total: int = 0

    def add(self, rows: Sequence[Any]) -> None:
        for row in rows:
            self.rows += 1
            self.total += int.from_bytes(sha256(repr(tuple(row.items())).encode()).digest())

    @property
    def value(self) -> str:
        return f"{self.total % 2**256:064x}"
