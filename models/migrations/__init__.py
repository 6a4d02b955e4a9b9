"""Migrations of the tables, and the two calls an operator's command needs."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from runtime.database import database_url, engine


def alembic_config(url: str = "") -> Config:
    """Alembic's configuration for ``url`` (the settings' database if empty)."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["url"] = url or database_url()
    return config


def migrate(url: str = "") -> None:
    """Bring the database to the newest version of the tables."""
    command.upgrade(alembic_config(url), "head")


def revisions() -> tuple[str | None, str | None]:
    """The version of the tables in the settings' database, and the newest that this program knows."""
    with engine().connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    return present, ScriptDirectory.from_config(alembic_config()).get_current_head()
