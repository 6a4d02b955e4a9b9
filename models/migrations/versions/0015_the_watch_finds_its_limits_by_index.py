"""the watch over deadlines finds what it asks for by index: near and missed ones, silences, provisional dates"""

from alembic import op
from sqlalchemy import text

revision = "0015"
down_revision = "0014"
in_chinese = "时限巡查用的索引"

RUNNING = "met_on IS NULL AND lapsed_on IS NULL"


def upgrade() -> None:
    op.drop_index("ix_deadlines_running", "deadlines")
    _create("ix_deadlines_running", ["due_on", "case_no"], RUNNING, RUNNING)
    _create("ix_deadlines_running_by_limit", ["limit_code", "due_on"], RUNNING, RUNNING)
    _create(
        "ix_deadlines_provisional",
        ["starts_on", "days"],
        f"provisional = 1 AND {RUNNING}",
        f"provisional AND {RUNNING}",
    )


def downgrade() -> None:
    for name in ("ix_deadlines_provisional", "ix_deadlines_running_by_limit", "ix_deadlines_running"):
        op.drop_index(name, "deadlines")
    _create("ix_deadlines_running", ["due_on"], RUNNING, RUNNING)


def _create(name: str, columns: list[str], sqlite: str, postgresql: str) -> None:
    op.create_index(name, "deadlines", columns, sqlite_where=text(sqlite), postgresql_where=text(postgresql))
