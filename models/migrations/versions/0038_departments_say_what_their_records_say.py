"""departments say what their records say"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
in_chinese = "区级数据源和补录的证照有异议的，同时请责任部门核对"


def upgrade() -> None:
    op.create_table(
        "source_checks",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("department_uscc", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("token_index", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("finding", sa.String(length=32), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"]),
        sa.ForeignKeyConstraint(["department_uscc"], ["departments.uscc"]),
        sa.PrimaryKeyConstraint("case_no"),
        sa.UniqueConstraint("token_index"),
    )
    op.create_index("ix_source_checks_department_uscc", "source_checks", ["department_uscc"])


def downgrade() -> None:
    op.drop_table("source_checks")
