"""new systems are reviewed"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
in_chinese = "新建系统评审"


def upgrade() -> None:
    op.create_table(
        "system_reviews",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("department_uscc", sa.Text(), nullable=False),
        sa.Column("project_code", sa.Text(), nullable=False),
        sa.Column("project_name", sa.Text(), nullable=False),
        sa.Column("previous_case_no", sa.Text(), nullable=True),
        sa.Column("gaps", sa.JSON(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("passed_on", sa.Date(), nullable=True),
        sa.Column("go_live_on", sa.Date(), nullable=False),
        sa.Column("live_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"], name=op.f("fk_system_reviews_case_no")),
        sa.ForeignKeyConstraint(
            ["department_uscc"], ["departments.uscc"], name=op.f("fk_system_reviews_department_uscc")
        ),
        sa.ForeignKeyConstraint(
            ["previous_case_no"], ["system_reviews.case_no"], name=op.f("fk_system_reviews_previous_case_no")
        ),
        sa.PrimaryKeyConstraint("case_no", name=op.f("pk_system_reviews")),
        sa.UniqueConstraint("reference", name=op.f("uq_system_reviews_reference")),
    )
    op.create_index(
        "ix_system_reviews_department_uscc_project_code",
        "system_reviews",
        ["department_uscc", "project_code"],
        unique=False,
    )
    op.create_table(
        "system_review_versions",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("submission_key", sa.Text(), nullable=False),
        sa.Column("given", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_no"], ["system_reviews.case_no"], name=op.f("fk_system_review_versions_case_no")
        ),
        sa.PrimaryKeyConstraint("case_no", "version", name=op.f("pk_system_review_versions")),
        sa.UniqueConstraint("submission_key", name=op.f("uq_system_review_versions_submission_key")),
    )
    op.create_table(
        "system_review_promises",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("item_name", sa.Text(), nullable=False),
        sa.Column("type_code", sa.Text(), nullable=False),
        sa.Column("scenario", sa.Text(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("holder_alone", sa.Boolean(), nullable=False),
        sa.Column("used_on", sa.Date(), nullable=True),
        sa.Column("looked_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_no"], ["system_reviews.case_no"], name=op.f("fk_system_review_promises_case_no")
        ),
        sa.ForeignKeyConstraint(
            ["type_code"], ["certificate_types.code"], name=op.f("fk_system_review_promises_type_code")
        ),
        sa.PrimaryKeyConstraint("case_no", "line", name=op.f("pk_system_review_promises")),
    )


def downgrade() -> None:
    for table in ("system_review_promises", "system_review_versions", "system_reviews"):
        op.drop_table(table)
