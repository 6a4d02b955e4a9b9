"""what one drafts another approves"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
in_chinese = "不予受理、援引已有结论和处理结果须经另一人审签；负责人可以指定审签人"


def upgrade() -> None:
    op.add_column("officers", sa.Column("approves", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("officers") as table:
        table.drop_column("approves")
