"""paper certificates are backfilled"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
in_chinese = "纸质证照补录"


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
    op.create_table(
        "backfill_batches",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("department_uscc", sa.Text(), nullable=False),
        sa.Column("type_code", sa.Text(), nullable=False),
        sa.Column("service_case_no", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("next_chunk", sa.Integer(), nullable=False),
        sa.Column("good", sa.Integer(), nullable=False),
        sa.Column("same", sa.Integer(), nullable=False),
        sa.Column("conflict", sa.Integer(), nullable=False),
        sa.Column("bad", sa.Integer(), nullable=False),
        sa.Column("sample", sa.JSON(), nullable=True),
        sa.Column("accept", sa.Integer(), nullable=True),
        sa.Column("wrong", sa.JSON(), nullable=True),
        sa.Column("registered", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"], name=op.f("fk_backfill_batches_case_no")),
        sa.ForeignKeyConstraint(
            ["department_uscc"], ["departments.uscc"], name=op.f("fk_backfill_batches_department_uscc")
        ),
        sa.ForeignKeyConstraint(["type_code"], ["certificate_types.code"], name=op.f("fk_backfill_batches_type_code")),
        sa.PrimaryKeyConstraint("case_no", name=op.f("pk_backfill_batches")),
    )
    op.create_index(op.f("ix_backfill_batches_department_uscc"), "backfill_batches", ["department_uscc"], unique=False)
    op.create_index(op.f("ix_backfill_batches_sha256"), "backfill_batches", ["sha256"], unique=False)
    op.create_table(
        "backfill_chunks",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_no"], ["backfill_batches.case_no"], name=op.f("fk_backfill_chunks_case_no")),
        sa.PrimaryKeyConstraint("case_no", "chunk", name=op.f("pk_backfill_chunks")),
    )
    op.create_table(
        "backfill_rows",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("number_index", sa.Text(), nullable=False),
        sa.Column("holder_kind", sa.String(length=32), nullable=False),
        sa.Column("holder_name", sa.Text(), nullable=False),
        sa.Column("holder_number_kind", sa.String(length=32), nullable=False),
        sa.Column("holder_number", sa.Text(), nullable=False),
        sa.Column("holder_index", sa.Text(), nullable=False),
        sa.Column("face", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("valid_until_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["case_no"], ["backfill_batches.case_no"], name=op.f("fk_backfill_rows_case_no")),
        sa.PrimaryKeyConstraint("case_no", "row", name=op.f("pk_backfill_rows")),
    )
    op.create_index("ix_backfill_rows_case_no_number_index", "backfill_rows", ["case_no", "number_index"], unique=False)
    op.create_table(
        "backfill_problems",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_no"], ["backfill_batches.case_no"], name=op.f("fk_backfill_problems_case_no")),
        sa.PrimaryKeyConstraint("case_no", "row", "position", name=op.f("pk_backfill_problems")),
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
    for table_name in ("backfill_problems", "backfill_rows", "backfill_chunks", "backfill_batches", "backfill_entries"):
        op.drop_table(table_name)
    op.drop_table("backfills")
    op.drop_table("issuing_authorities")
