"""What has to be there before anything starts: the data folder, the keys, the tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic.util import CommandError
from sqlalchemy import inspect
from sqlalchemy.exc import DatabaseError, OperationalError

from ezt.engine import prefect_data
from models.cases import Case
from models.migrations import Migrated, migrate
from runtime.database import FULL, cause_of, engine, is_there
from runtime.keys import ensure_keys, ensure_prefect_password, keys, keys_are_set
from runtime.refusals import RefusalError
from runtime.settings import settings
from tasks.keeping.data_keys import check_keys_fit


@dataclass(frozen=True, slots=True)
class Prepared:
    """The data folder, what was done to its database, the file that fresh keys were written to, and a fresh password
    (``None``: they were there), and whether an earlier version left something in Prefect's data, which has still to be
    cleared away (``ezt.engine.prefect_data.clear``)."""

    home: Path
    migrated: Migrated
    new_keys: Path | None
    new_password: Path | None
    to_clear: bool


def prepare() -> Prepared:
    """Make the data folder, keys and a password of Prefect's API where there are none, and bring the tables up to date.

    ``RefusalError`` when the folder cannot be written, the database cannot be used or changed, or is newer than this
    program or sealed with other keys, while something that was typed into an earlier version's forms is not on record,
    and while Prefect uses data that have to be cleared; ``KeysMissingError`` for keys that are none. Keys are made
    last: whoever gets fresh ones has to read so.
    """
    home = settings().home.absolute()
    # Before anything is written: is the address one of a database, and are the keys keys?
    engine()
    if keys_are_set():
        keys()
    try:
        check_keys()
        # It will hold keys, mail and logs: nobody else's business on this machine.
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        to_clear = prefect_data.check_nothing_is_lost().anything
        if to_clear:
            prefect_data.check_not_in_use()
        with saying_what_is_wrong():
            migrated = migrate()
        new_keys, new_password = ensure_keys(), ensure_prefect_password()
    except OSError:
        raise RefusalError(f"数据目录{home}不能写入，请检查权限，或用EZT_HOME另设目录。") from None
    except CommandError:
        raise RefusalError("数据库的版本不是本程序所知的，可能由更新的程序建立；请先升级本程序。") from None
    return Prepared(home, migrated, new_keys, new_password, to_clear)


def has_table(name: str) -> bool:
    """Whether the installation's database has this table; asking creates nothing.

    ``RefusalError`` when there is a database and it cannot be used.
    """
    if not is_there():
        return False
    with saying_what_is_wrong():
        return inspect(engine()).has_table(name)


def check_migrated() -> None:
    """``RefusalError`` unless the tables are there."""
    if not has_table(Case.__tablename__):
        raise RefusalError("数据库尚未建立，请先运行 ezt migrate。")


def check_keys() -> None:
    """``RefusalError`` where the database, if there is one, was sealed with other keys than those of the settings."""
    if has_table("alembic_version"):
        with saying_what_is_wrong():
            check_keys_fit()


def check_ready() -> None:
    """``RefusalError`` unless the tables are there and the keys are those of what stands in them."""
    check_migrated()
    check_keys()


@contextmanager
def saying_what_is_wrong() -> Iterator[None]:
    """``RefusalError`` for a database that cannot be opened or is none of ours."""
    try:
        yield
    except OperationalError as error:
        if cause_of(error) == FULL:
            raise RefusalError("磁盘已满，数据库没有改动：请腾出空间后再运行一次。") from None
        raise RefusalError("数据库无法打开，请检查EZT_DATABASE_URL、数据目录的权限和数据库服务。") from None
    except DatabaseError:
        raise RefusalError(
            "数据库不能使用：文件已损坏、不是本系统的数据库，或没有建表权限；请从备份恢复，或检查EZT_DATABASE_URL。"
        ) from None
