"""departments mend what was found"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
in_chinese = "督促整改"


def upgrade() -> None:
    op.create_table(
        "rectifications",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("department_uscc", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=32), nullable=False),
        sa.Column("requirement", sa.Text(), nullable=False),
        sa.Column("ordered_on", sa.Date(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("token_index", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("returned_for", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"], name=op.f("fk_rectifications_case_no")),
        sa.ForeignKeyConstraint(
            ["department_uscc"], ["departments.uscc"], name=op.f("fk_rectifications_department_uscc")
        ),
        sa.PrimaryKeyConstraint("case_no", name=op.f("pk_rectifications")),
        sa.UniqueConstraint("token_index", name=op.f("uq_rectifications_token_index")),
    )
    op.create_index(op.f("ix_rectifications_department_uscc"), "rectifications", ["department_uscc"], unique=False)


def downgrade() -> None:
    op.drop_table("rectifications")
