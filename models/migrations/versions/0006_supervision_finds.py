"""supervision finds what departments have to mend"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
in_chinese = "日常监督发现的问题"


def upgrade() -> None:
    op.create_table(
        "findings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("department_uscc", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(32), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("cleared_on", sa.Date(), nullable=True),
        sa.Column("repeats_id", sa.Integer(), nullable=True),
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["department_uscc"], ["departments.uscc"], name=op.f("fk_findings_department_uscc")),
        sa.ForeignKeyConstraint(["repeats_id"], ["findings.id"], name=op.f("fk_findings_repeats_id")),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"], name=op.f("fk_findings_case_no")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings")),
        sa.UniqueConstraint("case_no", name=op.f("uq_findings_case_no")),
    )
    open_ones = sa.text("cleared_on IS NULL")
    op.create_index(
        "uq_findings_open",
        "findings",
        ["rule", "department_uscc", "subject"],
        unique=True,
        sqlite_where=open_ones,
        postgresql_where=open_ones,
    )
    op.create_index("ix_findings_matter", "findings", ["rule", "department_uscc", "subject"], unique=False)
    op.create_index(op.f("ix_findings_department_uscc"), "findings", ["department_uscc"], unique=False)


def downgrade() -> None:
    op.drop_table("findings")
