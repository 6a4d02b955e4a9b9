"""The data keys' rotation: a new one seals, what an old one sealed is sealed anew while everybody works, and then the
old one goes.

What has to be done is read from the rows: a sealed value begins with its key's name. So nothing has to be remembered,
and whoever is stopped goes on where rows are still to be done.
"""

import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    LargeBinary,
    Table,
    and_,
    bindparam,
    func,
    inspect,
    literal,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.exc import OperationalError

import models
from models.base import SEALED, as_stored
from models.records import AuditEntry
from regulation.limits import DRAFT_LIFE
from runtime import clock
from runtime.database import reading, transaction
from runtime.keys import (
    KEY_NAME,
    LOOK_EVERY,
    NotOursError,
    change_data_keys,
    key_name,
    keys,
    keys_are_set,
    new_data_key,
    present_data_keys,
)
from runtime.refusals import InputError, RefusalError
from runtime.settings import settings_file
from tasks.audit import record

ROWS, ROWS_WITH_FILES = 500, 10
"""Rows of a transaction: few enough that nobody notices waiting for one."""
BREATH = 0.01
"""Seconds between two of them, in which others get at SQLite's only write lock."""
PASSES = 20
LOCK_SECONDS = 5
TEXT_NAME = KEY_NAME * 8 // 6
"""Characters of Base64 that a key's name alone decides."""
UNKNOWN = "不明"
WITHOUT_KEYS = (
    "数据库里已有用密钥加密、封存的数据，而没有设置密钥：请先把与它相配的ezt.env（与备份一同另存的那份）放到{file}"
    "（权限600，属运行服务的用户）；没有另生成密钥，数据没有改动。"
)
WRONG_KEYS = (
    "EZT_DATA_KEYS打不开数据库里已有的数据，它们是用别的密钥加密的：请先把与这个数据库相配的ezt.env放到{file}，"
    "或把缺的密钥接在EZT_DATA_KEYS末尾；不要换用新密钥。"
)


@dataclass(frozen=True, slots=True)
class DataKey:
    """A data key by its name, in hex; whether it seals what is written now, and how many values it has sealed."""

    name: str
    seals: bool
    values: int


@dataclass(frozen=True, slots=True)
class _Sealed:
    """A table as it lies in the database, and its sealed columns."""

    table: Table
    columns: tuple[Column[Any], ...]

    @property
    def key(self) -> tuple[Column[Any], ...]:
        return tuple(self.table.primary_key.columns)

    @property
    def rows(self) -> int:
        return ROWS_WITH_FILES if any(isinstance(each.type, LargeBinary) for each in self.columns) else ROWS

    def not_by(self, name: bytes) -> ColumnElement[bool]:
        """Whether another key than this one has sealed something of a row."""
        return or_(*(_name_in(column) != _stored_name(column, name) for column in self.columns))


def add_data_key(by: str, *, later: bool = False) -> str:
    """Add a fresh data key, which seals from now on, or with ``later`` only opens until ``use_data_key``; its name.
    Raises ``RefusalError`` where the settings' file does not hold the keys."""
    fresh = new_data_key()
    name = key_name(fresh).hex()
    with transaction() as session:
        record(session, "key:data:added", None, by, clock.now(), name=name, seals=not later)
        change_data_keys(lambda there: [*there, fresh] if later else [fresh, *there])
    return name


def use_data_key(name: str, by: str) -> None:
    """Let a data key that is there seal from now on. Raises ``InputError`` for one that is not there."""
    with transaction() as session:
        record(session, "key:data:used", None, by, clock.now(), name=name, seals=True)

        def first(there: list[str]) -> list[str]:
            chosen = _named(name, there)
            return [chosen, *(key for key in there if key != chosen)]

        change_data_keys(first)


def data_keys() -> list[DataKey]:
    """Every data key and, last, what none of them has sealed, if there is anything; counts what all tables hold."""
    there = [key_name(key) for key in present_data_keys()]
    counted: Counter[str] = Counter()
    with reading() as session:
        for sealed in _tables():
            for column in sealed.columns:
                names = {_stored_name(column, name): name.hex() for name in there}
                found = _name_in(column)
                for stored, values in session.execute(
                    select(found, func.count()).where(column.is_not(None)).group_by(found)
                ):
                    counted[names.get(bytes(stored) if isinstance(stored, memoryview) else stored, UNKNOWN)] += values
    known = [DataKey(name.hex(), place == 0, counted[name.hex()]) for place, name in enumerate(there)]
    return known + ([DataKey(UNKNOWN, False, counted[UNKNOWN])] if counted[UNKNOWN] else [])


def check_keys_fit() -> None:
    """Raise ``RefusalError`` where the database holds what none of our data keys has sealed, or, while no keys are set,
    anything at all: fresh ones would open nothing of it, and what they sealed would be lost with the old ones back.

    Of each table that is there, which may be an earlier version's, the first row and the last are looked at: as long
    as this takes, every command can afford it. Raises ``KeysMissingError`` for keys that are none.
    """
    ours: list[bytes] = []
    if keys_are_set():
        keys()
        ours = [key_name(key) for key in present_data_keys()]
    with reading() as session:
        there = inspect(session.connection())
        tables = set(there.get_table_names())
        if not ours and AuditEntry.__tablename__ in tables and session.scalar(select(AuditEntry.id).limit(1)):
            raise RefusalError(WITHOUT_KEYS.format(file=settings_file().absolute()))
        for sealed in _tables():
            if sealed.table.name not in tables:
                continue
            names = {column["name"] for column in there.get_columns(sealed.table.name)}
            columns = [column for column in sealed.columns if column.name in names]
            key = [column for column in sealed.key if column.name in names]
            for order in (key, [column.desc() for column in key]):
                row = session.execute(select(*map(_name_in, columns)).order_by(*order).limit(1)).first() or ()
                for column, name in zip(columns, row, strict=False):
                    if name is not None and name not in [_stored_name(column, each) for each in ours]:
                        said = WRONG_KEYS if ours else WITHOUT_KEYS
                        raise RefusalError(said.format(file=settings_file().absolute()))


def re_encrypt(by: str, tell: Callable[[int, int], None] = lambda done, of: None) -> int:
    """Seal anew, with the key that seals now, every row of which another one has sealed something; how many. Others
    read and write meanwhile, and rows that they are writing are come back to. ``tell`` hears how many rows of how many
    are done after each transaction.

    Raises ``RefusalError`` for a value that none of the keys opens, and where rows stay in others' hands.
    """
    # Until then a process may still seal with the key of before.
    time.sleep(2 * LOOK_EVERY)
    newest, done = keys().newest, 0
    of = _count_not_by(newest)
    for _ in range(PASSES):
        for sealed in _tables():
            for rows in _in_chunks(sealed, newest):
                done += rows
                tell(done, max(of, done))
                time.sleep(BREATH)
        if not _count_not_by(newest):
            break
        time.sleep(LOOK_EVERY)
    else:
        raise RefusalError("还有一些行一直在被改动，没有轮到；已完成的不会重做，请稍后再运行 ezt key re-encrypt。")
    with transaction() as session:
        record(session, "key:data:re-encrypted", None, by, clock.now(), name=newest.hex(), rows=done)
    return done


def retire_data_key(name: str, by: str, *, at_once: bool = False) -> None:
    """Take a data key away. Raises ``InputError`` for one that is not there or that seals, and while anything stored
    or, but for ``at_once``, a link in a mail may still need it."""
    there = present_data_keys()
    if _named(name, there) == there[0]:
        raise InputError(f"{name}正用来加密，不能停用；请先 ezt key rotate 换用新的密钥。")
    if not at_once:
        _check_links_have_ended()
    time.sleep(2 * LOOK_EVERY)
    _let_writers_end()
    needed = sum(each.values for each in data_keys() if each.name in {name, UNKNOWN})
    if needed:
        raise InputError(f"还有{needed}个值须用这把或不明的密钥才能读出，不能停用；请先运行 ezt key re-encrypt。")
    with transaction() as session:
        record(session, "key:data:retired", None, by, clock.now(), name=name)
        change_data_keys(lambda now: [key for key in now if key != _named(name, now)])


def _named(name: str, there: Sequence[str]) -> str:
    for key in there:
        if key_name(key).hex() == name.strip().lower():
            return key
    raise InputError(f"EZT_DATA_KEYS中没有名为{name}的密钥，请用 ezt key list 核对。")


def _check_links_have_ended() -> None:
    """What was sent out sealed with the old key opens nothing once it is gone."""
    with reading() as session:
        seals = AuditEntry.detail["seals"].as_boolean()
        wanted = select(func.max(AuditEntry.at)).where(AuditEntry.tag.in_(("key:data:added", "key:data:used")), seals)
        since = session.scalar(wanted)
    if since is not None and clock.now() - since < timedelta(days=DRAFT_LIFE.value):
        raise InputError(
            f"换用新密钥不满{DRAFT_LIFE.value}天，邮件里以旧密钥签出的链接还没有到期；"
            "请到期后再停用，因失密须立即停用的加--now（这些链接随之失效）。"
        )


def _let_writers_end() -> None:
    """Wait until nobody is in the middle of writing what an old key may have sealed."""
    try:
        with transaction() as session:
            if session.get_bind().dialect.name == "postgresql":
                names = ", ".join(each.table.name for each in _tables())
                session.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
                session.execute(text(f"LOCK TABLE {names} IN SHARE MODE"))
    except OperationalError:
        raise RefusalError("有事务长时间没有结束，现在不能确定旧密钥不再需要，请稍后重试。") from None


def _tables() -> Iterator[_Sealed]:
    for table in models.Base.metadata.sorted_tables:
        names = [column.name for column in table.columns if isinstance(column.type, SEALED)]
        if names:
            stored = as_stored(table)
            yield _Sealed(stored, tuple(stored.c[name] for name in names))


def _name_in(column: Column[Any]) -> ColumnElement[Any]:
    size = KEY_NAME if isinstance(column.type, LargeBinary) else TEXT_NAME
    return func.substr(column, 1, size, type_=column.type)


def _stored_name(column: Column[Any], name: bytes) -> Any:
    """How a key's name stands at the beginning of a value of this column."""
    return name if isinstance(column.type, LargeBinary) else b64encode(name).decode()[:TEXT_NAME]


def _count_not_by(name: bytes) -> int:
    with reading() as session:
        return sum(
            session.scalar(select(func.count()).select_from(each.table).where(each.not_by(name))) or 0
            for each in _tables()
        )


def _in_chunks(sealed: _Sealed, newest: bytes) -> Iterator[int]:
    """Go once through a table by its key, a transaction for some rows; how many each has sealed anew."""
    key, at = sealed.key, [f"at_{column.name}" for column in sealed.key]
    wanted = select(*key, *sealed.columns).where(sealed.not_by(newest)).order_by(*key).limit(sealed.rows)
    # Whoever waits for nobody's row can keep nobody waiting for it.
    wanted = wanted.with_for_update(skip_locked=True)
    changed = update(sealed.table).where(
        and_(*(column == bindparam(name, type_=column.type) for column, name in zip(key, at, strict=True)))
    )
    after: Sequence[Any] | None = None
    while True:
        beyond = [] if after is None else [tuple_(*key) > tuple_(*map(literal, after, (each.type for each in key)))]
        with transaction() as session:
            rows = session.execute(wanted.where(*beyond)).all()
            if not rows:
                return
            values = [
                dict(zip(at, row[: len(key)], strict=True))
                | {
                    column.name: _sealed_anew(sealed.table, value)
                    for column, value in zip(sealed.columns, row[len(key) :], strict=True)
                }
                for row in rows
            ]
            session.connection().execute(changed, values)
        after = rows[-1][: len(key)]
        yield len(rows)


def _sealed_anew(table: Table, value: Any) -> Any:
    try:
        match value:
            case None:
                return None
            case str():
                return keys().encrypt_text(keys().decrypt_text(value))
        return keys().encrypt(keys().decrypt(bytes(value)))
    except NotOursError:
        raise RefusalError(
            f"表{table.name}中有一个值，EZT_DATA_KEYS中没有它的密钥；请从备份补上这把密钥（接在末尾）后再运行。"
        ) from None
