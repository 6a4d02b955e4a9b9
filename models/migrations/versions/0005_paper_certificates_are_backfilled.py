"""paper certificates are backfilled"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "issuing_authorities",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_issuing_authorities")),
    )
    op.create_table(
        "backfills",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("submission_key", sa.Text(), nullable=False),
        sa.Column("department_uscc", sa.Text(), nullable=False),
        sa.Column("type_code", sa.Text(), nullable=False),
        sa.Column("service_case_no", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("token_index", sa.Text(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"], name=op.f("fk_backfills_case_no")),
        sa.ForeignKeyConstraint(["department_uscc"], ["departments.uscc"], name=op.f("fk_backfills_department_uscc")),
        sa.ForeignKeyConstraint(["type_code"], ["certificate_types.code"], name=op.f("fk_backfills_type_code")),
        sa.PrimaryKeyConstraint("case_no", name=op.f("pk_backfills")),
        sa.UniqueConstraint("submission_key", name=op.f("uq_backfills_submission_key")),
        sa.UniqueConstraint("token_index", name=op.f("uq_backfills_token_index")),
    )
    op.create_index(op.f("ix_backfills_department_uscc"), "backfills", ["department_uscc"], unique=False)
    op.create_table(
        "backfill_entries",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("given", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_no"], ["backfills.case_no"], name=op.f("fk_backfill_entries_case_no")),
        sa.PrimaryKeyConstraint("case_no", "turn", name=op.f("pk_backfill_entries")),
    )
    with op.batch_alter_table("certificates") as table:
        table.add_column(sa.Column("backfilled_by_case", sa.Text(), nullable=True))
        table.create_foreign_key(
            op.f("fk_certificates_backfilled_by_case"), "cases", ["backfilled_by_case"], ["case_no"]
        )


def downgrade() -> None:
    with op.batch_alter_table("certificates") as table:
        table.drop_constraint(op.f("fk_certificates_backfilled_by_case"), type_="foreignkey")
        table.drop_column("backfilled_by_case")
    op.drop_table("backfill_entries")
    op.drop_table("backfills")
    op.drop_table("issuing_authorities")
