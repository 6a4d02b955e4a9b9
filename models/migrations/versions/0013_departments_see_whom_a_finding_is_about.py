"""departments see which operators and business cases a finding is about; programs by which holders serve themselves"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
in_chinese = "部门看到问题所涉的经办人和办件；持证主体自助使用的程序"


def upgrade() -> None:
    op.add_column("findings", sa.Column("particulars", sa.Text()))
    with op.batch_alter_table("applications") as table:
        table.add_column(sa.Column("self_service", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    with op.batch_alter_table("applications") as table:
        table.drop_column("self_service")
    with op.batch_alter_table("findings") as table:
        table.drop_column("particulars")
