"""staff decide at a desk of their own"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
in_chinese = "工作人员在本系统的工作台登录、办理；已有答复的办件不再列为等待"

cases = sa.table("cases", sa.column("case_no", sa.Text), sa.column("waiting_for", sa.Text))
answers = sa.table(
    "answers",
    sa.column("case_no", sa.Text),
    sa.column("question", sa.Text),
    sa.column("turn", sa.Integer),
    sa.column("refusal", sa.Text),
)


def upgrade() -> None:
    op.create_table(
        "desk_sessions",
        sa.Column("token_digest", sa.Text(), nullable=False),
        sa.Column("staff_no", sa.Text(), nullable=False),
        sa.Column("secret_mark", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_no"], ["officers.staff_no"], name=op.f("fk_desk_sessions_staff_no")),
        sa.PrimaryKeyConstraint("token_digest", name=op.f("pk_desk_sessions")),
    )
    op.create_index(op.f("ix_desk_sessions_seen_at"), "desk_sessions", ["seen_at"])
    op.create_index(op.f("ix_desk_sessions_staff_no"), "desk_sessions", ["staff_no"])
    op.create_table(
        "desk_drafts",
        sa.Column("staff_no", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("typed", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_no"], ["officers.staff_no"], name=op.f("fk_desk_drafts_staff_no")),
        sa.PrimaryKeyConstraint("staff_no", "place", name=op.f("pk_desk_drafts")),
    )
    # From now on a case waits for what nobody has answered yet.
    asked = answers.c.question + "-" + sa.cast(answers.c.turn, sa.Text)
    answered = sa.select(answers.c.case_no).where(
        answers.c.case_no == cases.c.case_no, answers.c.refusal.is_(None), asked == cases.c.waiting_for
    )
    op.execute(sa.update(cases).where(cases.c.waiting_for.is_not(None), answered.exists()).values(waiting_for=None))


def downgrade() -> None:
    op.drop_table("desk_drafts")
    op.drop_table("desk_sessions")
