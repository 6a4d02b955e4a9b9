"""The database engine and its transactions: SQLite on one machine, PostgreSQL on many."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar, cast

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, insert, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidatePoolError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from runtime.refusals import RefusalError
from runtime.settings import settings

T = TypeVar("T")

TRUSTED = 1.0
"""Seconds that a connection to PostgreSQL may lie unused without being asked whether it still is one."""
NAMED_AT_ONCE = 1_000
"""Values that one statement names."""
COPIED_FROM = 10
"""So many rows go to PostgreSQL by COPY."""
DRIVERS = {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}


def database_url() -> str | URL:
    """The URL from the settings, or that of ``<home>/ezt.db``."""
    # A folder's name may hold what means something else in a text that is parsed as a URL.
    return settings().database_url or URL.create("sqlite", database=str(settings().home.absolute() / "ezt.db"))


def build_engine(url: str | URL) -> Engine:
    """An engine on which a transaction of ours behaves the same on SQLite and PostgreSQL.

    Its errors never print what was to be stored. ``RefusalError`` for an address of no database that we can use.
    """
    address = _address(url)
    return _sqlite(address) if address.get_backend_name() == "sqlite" else _postgresql(address)


def _postgresql(address: URL) -> Engine:
    engine = create_engine(address, hide_parameters=True)

    @event.listens_for(engine, "checkin")
    def _on_checkin(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["used"] = monotonic()

    @event.listens_for(engine, "checkout")
    def _on_checkout(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        # The server may have been restarted meanwhile, but not within a second; asking each time costs as much as a
        # small statement.
        if monotonic() - record.info.get("used", monotonic()) > TRUSTED:
            try:
                connection.execute("SELECT 1")
                connection.rollback()
            except connection.OperationalError:
                raise InvalidatePoolError from None

    return engine


def _sqlite(address: URL) -> Engine:
    engine = create_engine(address, connect_args={"timeout": 30}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        # The driver must not begin transactions on its own: "begin" below does, with the lock we choose.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        # SQLite has no row locks. Taking the write lock at once makes "lock the case row" hold there too, and no
        # transaction can fail half way because another one wrote first.
        match connection.get_execution_options().get("reading", False):
            case False:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            case True:
                connection.exec_driver_sql("BEGIN")
            case "once":
                # A statement alone is a transaction of its own.
                pass

    return engine


def _address(url: str | URL) -> URL:
    right = "应如postgresql+psycopg://用户:密码@主机/库名，请改正。"
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise RefusalError(f"EZT_DATABASE_URL不是有效的数据库地址，{right}") from None
    if address.drivername not in DRIVERS:
        raise RefusalError(f"EZT_DATABASE_URL不能以{address.drivername}://开头，{right}")
    return address


_asking = threading.Lock()


def is_there() -> bool:
    """Whether there is a database to ask. To open one that is a file would make it."""
    address = engine().url
    return address.get_backend_name() != "sqlite" or Path(address.database or "").exists()


def engine() -> Engine:
    """The engine of this process: the same one also for threads that ask for the first time at once."""
    with _asking:
        return _engine()


@cache
def _engine() -> Engine:
    return build_engine(database_url())


@cache
def _reading_once() -> Engine:
    engine = _engine()
    if engine.dialect.name == "sqlite":
        return engine.execution_options(reading="once")
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def forget_engine() -> None:
    """Close what is open and, at the next call, build the engine anew from the settings of then."""
    with _asking:
        if _engine.cache_info().currsize:
            _engine().dispose()
            _engine.cache_clear()
            _reading_once.cache_clear()


FULL, BUSY = "磁盘已满", "数据库正被别的程序使用"
_CAUSES = {"SQLITE_FULL": FULL, "SQLITE_IOERR": "磁盘不能读写", "SQLITE_BUSY": BUSY, "SQLITE_LOCKED": BUSY}
_CAUSES |= {"SQLITE_READONLY": "没有写入的权限", "53100": FULL, "55P03": BUSY, "40P01": BUSY}
"""What stops a database that is well, by how its driver's error is called."""


def cause_of(error: BaseException) -> str:
    """Why something could not be done with the database: in Chinese where that is known, else the error's class. What
    its driver says may quote what is stored."""
    said = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(said, "sqlite_errorname", None) or getattr(said, "sqlstate", None) or ""
    return next((cause for name, cause in _CAUSES.items() if code.startswith(name)), type(said).__name__)


_around: ContextVar[Session | None] = ContextVar("around", default=None)
"""The session of the ``together`` that the present work is part of."""


@contextmanager
def transaction() -> Iterator[Session]:
    """A session whose work commits as a whole when the block ends, or not at all; within ``together`` it is part of
    that."""
    around = _around.get()
    if around is not None:
        yield around
        around.flush()
        return
    with Session(engine(), expire_on_commit=False) as session:
        yield session
        session.commit()


@contextmanager
def together(*, rehearsed: bool = False) -> Iterator[Session]:
    """A transaction that every ``transaction`` of the block is part of: what is written as several commits as a whole,
    or not at all. ``rehearsed``: not at all in any case; what would come of it can be looked at within the block.

    Nothing in the block may go on after it has caught what a ``transaction`` of it raised: half of that is there.
    """
    with Session(engine(), expire_on_commit=False) as session:
        token = _around.set(session)
        try:
            yield session
        finally:
            _around.reset(token)
        if not rehearsed:
            session.commit()


def insert_many(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have the same columns, inside the session's transaction: on PostgreSQL by COPY, elsewhere by
    one statement for many."""
    if not rows:
        return
    # A few are sooner inserted than a COPY has begun.
    if len(rows) < COPIED_FROM or session.get_bind().dialect.name != "postgresql":
        session.connection().execute(insert(table), rows)
        return
    # Where there is no PostgreSQL its driver need not be loaded.
    import psycopg
    from psycopg import sql

    dialect, names = session.get_bind().dialect, list(rows[0])
    processors = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    driver = cast("psycopg.Connection[Any]", session.connection().connection.driver_connection)
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                values = (row[name] for name in names)
                copy.write_row(
                    [process(each) if process else each for each, process in zip(values, processors, strict=True)]
                )
    except psycopg.Error as error:
        # As every other statement's trouble: with a class that callers know, and without what was to be stored.
        raise DBAPIError.instance("COPY", None, error, psycopg.Error, hide_parameters=True, dialect=dialect) from None


def in_pieces(values: Sequence[T], size: int = NAMED_AT_ONCE) -> Iterator[Sequence[T]]:
    """The values, so many at a time as one statement may name."""
    return (values[first : first + size] for first in range(0, len(values), size))


@contextmanager
def reading() -> Iterator[Session]:
    """A session that only reads and stands in nobody's way."""
    with Session(engine().execution_options(reading=True), expire_on_commit=False) as session:
        yield session


@contextmanager
def one_read() -> Iterator[Connection]:
    """A connection for single reads, each of which sees what is committed when it runs: without the round trips, and
    the session, of a transaction around them."""
    with _asking:
        engine = _reading_once()
    with engine.connect() as connection:
        yield connection
