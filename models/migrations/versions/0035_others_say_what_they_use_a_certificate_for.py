"""others say what they use a certificate for"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
in_chinese = "社会用证主体提出异议的，写明用证事由"


def upgrade() -> None:
    op.add_column("objections", sa.Column("interest", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("objections") as table:
        table.drop_column("interest")
