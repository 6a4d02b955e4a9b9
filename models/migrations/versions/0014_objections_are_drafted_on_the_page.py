"""objections are drafted on the page"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
in_chinese = "异议草稿"


def upgrade() -> None:
    op.create_table(
        "objection_drafts",
        sa.Column("token_index", sa.Text(), nullable=False),
        sa.Column("typed", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_index", name=op.f("pk_objection_drafts")),
    )
    op.create_index(op.f("ix_objection_drafts_changed_at"), "objection_drafts", ["changed_at"])
    op.create_table(
        "objection_draft_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_index", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["token_index"],
            ["objection_drafts.token_index"],
            name=op.f("fk_objection_draft_files_token_index"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objection_draft_files")),
    )
    op.create_index(op.f("ix_objection_draft_files_token_index"), "objection_draft_files", ["token_index"])


def downgrade() -> None:
    for table in ("objection_draft_files", "objection_drafts"):
        op.drop_table(table)
