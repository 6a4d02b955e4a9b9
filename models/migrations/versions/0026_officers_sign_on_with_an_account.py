"""officers sign on with an account"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
in_chinese = "工作人员可以登记浙政钉账号登录工作台"


def upgrade() -> None:
    with op.batch_alter_table("officers") as batch:
        batch.add_column(sa.Column("account_index", sa.Text(), nullable=True))
        batch.create_unique_constraint(op.f("uq_officers_account_index"), ["account_index"])


def downgrade() -> None:
    with op.batch_alter_table("officers") as batch:
        batch.drop_constraint(op.f("uq_officers_account_index"), type_="unique")
        batch.drop_column("account_index")
