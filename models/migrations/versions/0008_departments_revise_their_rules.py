"""departments revise their rules"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
in_chinese = "制度修订"


def upgrade() -> None:
    op.create_table(
        "rule_revisions",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("submission_key", sa.Text(), nullable=False),
        sa.Column("department_uscc", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("clause", sa.Text(), nullable=False),
        sa.Column("article", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("token_index", sa.Text(), nullable=False),
        sa.Column("returned_for", sa.Text(), nullable=True),
        sa.Column("document_no", sa.Text(), nullable=True),
        sa.Column("in_force_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"], name=op.f("fk_rule_revisions_case_no")),
        sa.ForeignKeyConstraint(
            ["department_uscc"], ["departments.uscc"], name=op.f("fk_rule_revisions_department_uscc")
        ),
        sa.PrimaryKeyConstraint("case_no", name=op.f("pk_rule_revisions")),
        sa.UniqueConstraint("submission_key", name=op.f("uq_rule_revisions_submission_key")),
        sa.UniqueConstraint("token_index", name=op.f("uq_rule_revisions_token_index")),
    )
    op.create_index(op.f("ix_rule_revisions_department_uscc"), "rule_revisions", ["department_uscc"], unique=False)


def downgrade() -> None:
    op.drop_table("rule_revisions")
