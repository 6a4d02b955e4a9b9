"""Migrations of the tables, and the two calls an operator's command needs."""

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError

from runtime.database import cause_of, database_url, is_there, one_read
from runtime.refusals import RefusalError


class MigrationFailedError(RefusalError):
    """A migration that failed; the database is as it was."""


@dataclass(frozen=True, slots=True)
class Step:
    """A version of the tables, and in Chinese what its migration brings."""

    version: str
    what: str

    @classmethod
    def of(cls, script: Script) -> "Step":
        return cls(script.revision, script.module.in_chinese)


@dataclass(frozen=True, slots=True)
class Migrated:
    """The version of the tables that was found (``None``: there were none), the steps that were applied to it, and what
    they found in the data that somebody should know, in Chinese."""

    before: str | None
    steps: tuple[Step, ...]
    said: tuple[str, ...] = ()

    @property
    def after(self) -> str | None:
        return self.steps[-1].version if self.steps else self.before


def alembic_config(url: str = "") -> Config:
    """Alembic's configuration for ``url`` (the settings' database if empty)."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["url"] = url or database_url()
    return config


def migrate(url: str = "") -> Migrated:
    """Bring the database to the newest version of the tables, in one transaction; what was done.

    Raises ``MigrationFailedError`` when tables that are there cannot be changed, Alembic's ``CommandError`` for those
    of a newer program, and what the database raises when it cannot be used at all.
    """
    config = alembic_config(url)
    scripts, steps = ScriptDirectory.from_config(config), list[Step]()
    config.attributes["said"] = []
    config.attributes["on_version_apply"] = lambda step, **_: steps.append(
        Step.of(scripts.get_revision(step.up_revision_id))
    )
    try:
        command.upgrade(config, "head")
    except CommandError:
        raise
    except Exception as error:
        before = config.attributes.get("before")
        if before is None:
            # There is nothing yet that could be kept.
            raise
        # Once all are made, what is left to fail is the commit.
        left = scripts.iterate_revisions("head", steps[-1].version if steps else before)
        *_, failed = (steps[-1], *map(Step.of, left)) if steps else map(Step.of, left)
        raise MigrationFailedError(
            f"升级数据库到{failed.version}（{failed.what}）没有成功（{cause_of(error)}），"
            f"所有改动都已撤回，数据库仍是{before}。"
            "请确认各服务已停止、磁盘空间足够，再运行 ezt migrate；仍不成功的，先换回原来的程序继续使用，并报告此问题。"
        ) from error
    return Migrated(config.attributes["before"], tuple(steps), tuple(config.attributes["said"]))


def revisions() -> tuple[str | None, str | None]:
    """The version of the tables in the settings' database, and the newest that this program knows."""
    present = None
    if is_there():
        with one_read() as connection:
            present = MigrationContext.configure(connection).get_current_revision()
    return present, newest_revision()


def newest_revision() -> str | None:
    """The newest version of the tables that this program knows."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def check_current() -> None:
    """Raise ``RefusalError`` unless the tables are those of this program: with others it goes wrong somewhere later."""
    present, newest = revisions()
    if present is None:
        raise RefusalError("数据库尚未建立，请先运行 ezt migrate。")
    if present != newest:
        raise RefusalError(f"数据库的表结构是{present}，程序是{newest}：请先运行 ezt migrate。")
