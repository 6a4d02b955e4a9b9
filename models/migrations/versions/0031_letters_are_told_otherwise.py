"""letters are told otherwise"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
in_chinese = "送不到邮箱的通知，当面或电话告知的在邮寄登记中写明"


def upgrade() -> None:
    with op.batch_alter_table("postings") as table:
        table.add_column(sa.Column("told_how", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("postings") as table:
        table.drop_column("told_how")
