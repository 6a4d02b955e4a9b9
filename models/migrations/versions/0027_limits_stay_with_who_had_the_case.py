"""limits stay with who had the case

Of hand-overs of before the instant is known, of limits the day on which they were met: on the day of a hand-over itself
what was met in time is counted for who gave the case away. What was missed is theirs who had the case at the end of its
last day.
"""

from datetime import UTC, timedelta, timezone

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
in_chinese = "期限按时还是逾期，移交后仍记在当时经办人名下"

SHANGHAI = timezone(timedelta(hours=8))

handovers = sa.table(
    "handovers",
    sa.column("id", sa.Integer),
    sa.column("case_no", sa.Text),
    sa.column("from_no", sa.Text),
    sa.column("at", sa.DateTime(timezone=True)),
)
deadlines = sa.table(
    "deadlines",
    sa.column("id", sa.Integer),
    sa.column("case_no", sa.Text),
    sa.column("due_on", sa.Date),
    sa.column("met_on", sa.Date),
    sa.column("lapsed_on", sa.Date),
    sa.column("officer_no", sa.Text),
)


def upgrade() -> None:
    with op.batch_alter_table("deadlines") as table:
        table.add_column(sa.Column("officer_no", sa.Text(), nullable=True))
        table.create_foreign_key(op.f("fk_deadlines_officer_no"), "officers", ["officer_no"], ["staff_no"])
    connection, h, d = op.get_bind(), handovers.c, deadlines.c
    given = sa.select(h.case_no, h.from_no, h.at).order_by(h.id.desc())
    # The earlier hand-over overwrites the later one: the first after its end says whose it was.
    for case_no, from_no, at in connection.execute(given).all():
        on = (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).astimezone(SHANGHAI).date()
        done_on = sa.func.coalesce(d.met_on, d.lapsed_on)
        ended = sa.or_(sa.and_(done_on <= d.due_on, done_on <= on), d.due_on < on)
        theirs = sa.update(deadlines).where(d.case_no == case_no, ended)
        connection.execute(theirs.values(officer_no=from_no))


def downgrade() -> None:
    with op.batch_alter_table("deadlines") as table:
        table.drop_constraint(op.f("fk_deadlines_officer_no"), type_="foreignkey")
        table.drop_column("officer_no")
