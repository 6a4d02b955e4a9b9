"""one-time codes are spent before the work, wrong ones are counted; who entered something is a number only"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
in_chinese = "验证码先核销后办理，填错的计数；录入人只记工号"

UNSIGNED = "（未通过验证）"
"""What stood behind the staff number of whoever had entered something with a signature that did not hold. It made them
another person than the one who then approved it."""


def upgrade() -> None:
    op.add_column("spent_codes", sa.Column("source", sa.Text(), nullable=False, server_default="desk"))
    op.add_column("spent_codes", sa.Column("spent_on", sa.Text(), nullable=True))
    op.create_index(op.f("ix_spent_codes_spent_on"), "spent_codes", ["spent_on"])
    op.create_table(
        "wrong_codes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_no", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wrong_codes")),
    )
    for column in ("staff_no", "source", "at"):
        op.create_index(op.f(f"ix_wrong_codes_{column}"), "wrong_codes", [column])
    for name in ("backfill_entries", "system_review_versions"):
        table = sa.table(name, sa.column("entered_by", sa.Text()))
        number = sa.func.upper(sa.func.trim(sa.func.replace(table.c.entered_by, UNSIGNED, "")))
        op.execute(sa.update(table).where(table.c.entered_by.endswith(UNSIGNED)).values(entered_by=number))


def downgrade() -> None:
    for column in ("at", "source", "staff_no"):
        op.drop_index(op.f(f"ix_wrong_codes_{column}"), "wrong_codes")
    op.drop_table("wrong_codes")
    op.drop_index(op.f("ix_spent_codes_spent_on"), "spent_codes")
    for column in ("spent_on", "source"):
        op.drop_column("spent_codes", column)
