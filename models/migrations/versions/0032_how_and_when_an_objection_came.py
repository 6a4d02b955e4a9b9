"""how and when an objection came"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
in_chinese = "登记异议写明怎样收到、哪天收到，时限自收到之日起算；没有邮箱的写通信地址"


def upgrade() -> None:
    with op.batch_alter_table("objections") as table:
        table.add_column(sa.Column("way", sa.String(length=32), nullable=True))
        table.add_column(sa.Column("typed_late_why", sa.Text(), nullable=True))
        table.add_column(sa.Column("postal_address", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("objections") as table:
        table.drop_column("postal_address")
        table.drop_column("typed_late_why")
        table.drop_column("way")
