"""``ezt backup`` and ``ezt restore``: one consistent copy of the database while the system runs, and back again.

Whatever people handed in lies in the database, attachments included, so nothing else has to be copied at the same
moment. The keys are not in a backup, on purpose: who finds one alone can read nobody's data in it.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import cast

from sqlalchemy import URL, inspect

from ezt.installation import check_ready, saying_what_is_wrong
from runtime.database import engine, forget_engine
from runtime.refusals import InputError, RefusalError

SQLITE, POSTGRESQL = b"SQLite format 3\0", b"PGDMP"
"""How a backup of either kind begins."""


def back_up(file: Path) -> int:
    """Copy the database, as it is at one moment, into a new file that only its owner can read; its size in bytes.

    Raises ``InputError`` for a file that is there already or cannot be written, ``RefusalError`` when there is no
    database or its programs are missing or fail.
    """
    check_ready()
    if file.exists():
        raise InputError(f"文件{file}已经存在，请换一个文件名。")
    with _unfinished(file) as copy, saying_what_is_wrong():
        if engine().dialect.name == "sqlite":
            with closing(engine().raw_connection()) as connection:
                _copy_sqlite(cast("sqlite3.Connection", connection.driver_connection), copy)
        else:
            _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={copy}")
    return file.stat().st_size


def restore(file: Path) -> None:
    """Put a backup where the settings say that the database is, and where there must be none yet.

    Raises ``InputError`` for what is no backup or one of the other kind of database, ``RefusalError`` where there is
    something already.
    """
    kind = SQLITE if engine().dialect.name == "sqlite" else POSTGRESQL
    try:
        with file.open("rb") as opened:
            beginning = opened.read(len(SQLITE))
    except OSError:
        raise InputError(f"文件{file}不存在或无法读取，请检查。") from None
    if not beginning.startswith((SQLITE, POSTGRESQL)):
        raise InputError(f"文件{file}不是 ezt backup 的备份，或已残缺。")
    if not beginning.startswith(kind):
        of_what = "PostgreSQL" if kind is SQLITE else "SQLite"
        raise InputError(f"文件{file}是{of_what}的备份，EZT_DATABASE_URL指的是另一种数据库，请先改正。")
    if kind is SQLITE:
        _restore_sqlite(file, Path(engine().url.database or ""))
    else:
        with saying_what_is_wrong():
            if inspect(engine()).get_table_names():
                raise RefusalError(
                    "数据库里已经有表，恢复不会覆盖它们：请新建一个空的数据库，并改EZT_DATABASE_URL指向它。"
                )
        _run("pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", str(file))
    forget_engine()


def _restore_sqlite(file: Path, database: Path) -> None:
    # What SQLite left beside another file would be taken for changes to this one.
    in_the_way = [path for end in ("", "-wal", "-shm") if (path := Path(f"{database}{end}")).exists()]
    if in_the_way:
        names = "、".join(map(str, in_the_way))
        raise RefusalError(f"{names}已经存在，恢复不会覆盖它：请停止系统，把它移到别处，再恢复。")
    with suppress(OSError):
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (
        _unfinished(database) as copy,
        closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as source,
    ):
        _copy_sqlite(source, copy)


def _copy_sqlite(source: sqlite3.Connection, copy: Path) -> None:
    """Copy page by page under one read lock, in which others go on writing; then see that the copy is sound."""
    try:
        with closing(sqlite3.connect(copy)) as target:
            source.backup(target)
            # One file, without a log beside it.
            target.execute("PRAGMA journal_mode=DELETE")
            if target.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise sqlite3.DatabaseError
    except sqlite3.OperationalError:
        raise InputError(f"不能写入{copy.parent}，请检查磁盘空间和权限。") from None
    except sqlite3.DatabaseError:
        raise RefusalError("数据库文件已损坏，没有得到可用的副本；请用更早的备份。") from None


@contextmanager
def _unfinished(file: Path) -> Iterator[Path]:
    """A file of the owner's alone beside ``file``, which takes its name when the block has ended well."""
    unfinished = file.with_name(f".{file.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=0o600)
        yield unfinished
        unfinished.replace(file)
    except OSError:
        raise InputError(f"文件{file}不能写入，请检查文件夹、磁盘空间和权限。") from None
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def _run(name: str, *options: str) -> None:
    """Run a program of PostgreSQL's against the settings' database. The password is not on its command line, which
    everybody on the machine can read."""
    program = shutil.which(name)
    if program is None:
        raise RefusalError(
            f"没有找到{name}，请安装PostgreSQL的客户端程序（Debian：apt-get install postgresql-client）。"
        )
    address: URL = engine().url
    where = URL.create(
        "postgresql", address.username, None, address.host, address.port, address.database, address.query
    ).render_as_string()
    secret = {"PGPASSWORD": str(address.password)} if address.password else {}
    done = subprocess.run(
        [program, f"--dbname={where}", *options], env=os.environ | secret, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [""])[-1]
        raise RefusalError(f"{name}没有成功：{said}。请按它所说的处理后重试。")
