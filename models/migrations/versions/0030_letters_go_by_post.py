"""letters go by post"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
in_chinese = "送不到邮箱的通知可以登记邮寄，写明地址、挂号号码和日期"


def upgrade() -> None:
    op.create_table(
        "postings",
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("posted_on", sa.Date(), nullable=True),
        sa.Column("tracking_no", sa.Text(), nullable=True),
        sa.Column("posted_by_no", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["outgoing_notices.id"], name=op.f("fk_postings_notice_id")),
        sa.ForeignKeyConstraint(["posted_by_no"], ["officers.staff_no"], name=op.f("fk_postings_posted_by_no")),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_postings")),
    )


def downgrade() -> None:
    op.drop_table("postings")
