"""staff start everything at the desk"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
in_chinese = "各项登记在工作台填写、核对、签名，未完成的保留到次日"


def upgrade() -> None:
    op.create_table(
        "desk_entries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("start", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=True),
        sa.Column("typed", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("flow_run_id", sa.Text(), nullable=True),
        sa.Column("run_ended", sa.Boolean(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("case_no", sa.Text(), nullable=True),
        sa.Column("came_of_it", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["opened_by"], ["officers.staff_no"], name=op.f("fk_desk_entries_opened_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_entries")),
        sa.UniqueConstraint("flow_run_id", name=op.f("uq_desk_entries_flow_run_id")),
    )
    op.create_index(op.f("ix_desk_entries_opened_by"), "desk_entries", ["opened_by"])
    op.create_index(op.f("ix_desk_entries_expires_at"), "desk_entries", ["expires_at"])
    op.create_table(
        "desk_entry_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["desk_entries.id"], name=op.f("fk_desk_entry_files_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_entry_files")),
    )
    op.create_index(op.f("ix_desk_entry_files_entry_id"), "desk_entry_files", ["entry_id"])
    # A code that was spent on a form in Prefect held again when its run had died.
    op.drop_index(op.f("ix_spent_codes_spent_on"), "spent_codes")
    op.drop_column("spent_codes", "spent_on")


def downgrade() -> None:
    op.add_column("spent_codes", sa.Column("spent_on", sa.Text(), nullable=True))
    op.create_index(op.f("ix_spent_codes_spent_on"), "spent_codes", ["spent_on"])
    op.drop_table("desk_entry_files")
    op.drop_table("desk_entries")
