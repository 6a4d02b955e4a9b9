"""chores are done in rounds"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
in_chinese = "每几分钟的事并为一个流程“系统巡检”，各自何时做过记在数据库里"


def upgrade() -> None:
    op.create_table(
        "chores",
        sa.Column("chore", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("chore", name=op.f("pk_chores")),
    )


def downgrade() -> None:
    op.drop_table("chores")
