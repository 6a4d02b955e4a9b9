"""somebody objects for another"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
in_chinese = "代理人、监护人、继承人、承继单位提出的异议，写明代谁办理；申请人的联系方式可以变更"


def upgrade() -> None:
    op.add_column("objections", sa.Column("acts_as", sa.String(length=32), nullable=True))
    op.add_column("objections", sa.Column("acts_for", sa.Text(), nullable=True))
    op.add_column("objection_batches", sa.Column("way", sa.String(length=32), nullable=True))
    op.add_column("objection_batches", sa.Column("late_why", sa.Text(), nullable=True))
    op.create_table(
        "contact_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("was", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_contact_changes_case_no", "contact_changes", ["case_no"])


def downgrade() -> None:
    op.drop_table("contact_changes")
    with op.batch_alter_table("objection_batches") as table:
        table.drop_column("late_why")
        table.drop_column("way")
    with op.batch_alter_table("objections") as table:
        table.drop_column("acts_for")
        table.drop_column("acts_as")
