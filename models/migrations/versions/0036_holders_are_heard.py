"""holders are heard on objections of others"""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
in_chinese = "他人的异议受理后告知持证主体，听取其意见，办结后告知结果；邮寄登记可以登记无法送达"


def upgrade() -> None:
    op.create_table(
        "hearings",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("holder_index", sa.Text(), nullable=False),
        sa.Column("holder_name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("told_on", sa.Date(), nullable=True),
        sa.Column("reached", sa.String(length=32), nullable=True),
        sa.Column("told_by_no", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"]),
        sa.ForeignKeyConstraint(["told_by_no"], ["officers.staff_no"]),
        sa.PrimaryKeyConstraint("case_no", "number"),
    )
    op.create_index("ix_hearings_holder_index", "hearings", ["holder_index"])
    op.create_table(
        "holder_comments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("way", sa.String(length=32), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("by_no", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["by_no"], ["officers.staff_no"]),
        sa.ForeignKeyConstraint(["case_no", "number"], ["hearings.case_no", "hearings.number"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_holder_comments_case_no", "holder_comments", ["case_no"])
    op.add_column("objections", sa.Column("proven_index", sa.Text(), nullable=True))
    op.add_column("postings", sa.Column("tried", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("postings") as table:
        table.drop_column("tried")
    with op.batch_alter_table("objections") as table:
        table.drop_column("proven_index")
    op.drop_table("holder_comments")
    op.drop_table("hearings")
