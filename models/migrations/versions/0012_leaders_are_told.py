"""reports on supervision are kept as they were made"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
in_chinese = "监督报告按原样留存"


def upgrade() -> None:
    op.create_table(
        "supervision_reports",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("markdown", sa.Text(), nullable=False),
        sa.Column("pdf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_supervision_reports")),
    )


def downgrade() -> None:
    op.drop_table("supervision_reports")
