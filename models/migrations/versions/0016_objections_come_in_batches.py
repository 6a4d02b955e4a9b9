"""objections come in batches"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
in_chinese = "批量异议"


def upgrade() -> None:
    op.add_column("cases", sa.Column("at_rest", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "objection_batches",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("sender_key", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("next_chunk", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"], name=op.f("fk_objection_batches_case_no")),
        sa.PrimaryKeyConstraint("case_no", name=op.f("pk_objection_batches")),
        sa.UniqueConstraint("sender_key", "sha256", name=op.f("uq_objection_batches_sender_key_sha256")),
    )
    op.create_table(
        "objection_batch_chunks",
        sa.Column("batch_no", sa.Text(), nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_no"], ["objection_batches.case_no"], name=op.f("fk_objection_batch_chunks_batch_no")
        ),
        sa.PrimaryKeyConstraint("batch_no", "chunk", name=op.f("pk_objection_batch_chunks")),
    )
    op.create_table(
        "objection_batch_rows",
        sa.Column("batch_no", sa.Text(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=True),
        sa.Column("new", sa.Boolean(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"], name=op.f("fk_objection_batch_rows_case_no")),
        sa.ForeignKeyConstraint(
            ["batch_no"], ["objection_batches.case_no"], name=op.f("fk_objection_batch_rows_batch_no")
        ),
        sa.PrimaryKeyConstraint("batch_no", "row", name=op.f("pk_objection_batch_rows")),
    )
    op.create_index(op.f("ix_objection_batch_rows_case_no"), "objection_batch_rows", ["case_no"])


def downgrade() -> None:
    for table in ("objection_batch_rows", "objection_batch_chunks", "objection_batches"):
        op.drop_table(table)
    op.drop_column("cases", "at_rest")
