"""How Alembic reaches the database. It runs this file by itself, for every command."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Enum, event
from sqlalchemy.types import TypeDecorator

from models import Base
from runtime.database import build_engine


def plain_types(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """A migration says what is stored, not with which class of today it is read."""
    if kind == "type" and isinstance(item, Enum):
        return f"sa.String({item.length})"
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


engine = build_engine(context.config.attributes["url"])
if engine.dialect.name == "sqlite":
    # It alters a table by copying and dropping it, and dropping what others refer to is refused while it minds.
    event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA foreign_keys=OFF"))
try:
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_item=plain_types,
            # SQLite cannot alter a table in place.
            render_as_batch=connection.dialect.name == "sqlite",
            # All steps or none: what fails leaves the version that the program of before knows. SQLite can do it too,
            # once the driver begins no transactions of its own (``build_engine``).
            transactional_ddl=True,
            on_version_apply=context.config.attributes.get("on_version_apply"),
        )
        with context.begin_transaction():
            context.config.attributes["before"] = context.get_context().get_current_revision()
            context.run_migrations()
finally:
    engine.dispose()
