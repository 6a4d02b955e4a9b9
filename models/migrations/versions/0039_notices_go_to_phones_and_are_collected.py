"""notices go to mobile phones and are collected"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
in_chinese = "没有邮箱的可以短信通知，信可以当面领取"


def upgrade() -> None:
    op.add_column("outgoing_notices", sa.Column("channel", sa.String(length=32), nullable=False, server_default="mail"))
    op.add_column("postings", sa.Column("collected_by", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("postings", "collected_by")
    op.drop_column("outgoing_notices", "channel")
