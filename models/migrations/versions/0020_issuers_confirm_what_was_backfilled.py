"""issuers confirm what was backfilled"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
in_chinese = "补录的证照由颁证机构成批确认"

UNCONFIRMED = "backfilled_by_case IS NOT NULL AND confirmed_at IS NULL"


def upgrade() -> None:
    op.add_column("certificates", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("certificates", sa.Column("confirmed_by", sa.Text(), nullable=True))
    op.create_index(
        "ix_certificates_unconfirmed",
        "certificates",
        ["identifier"],
        sqlite_where=sa.text(UNCONFIRMED),
        postgresql_where=sa.text(UNCONFIRMED),
    )


def downgrade() -> None:
    op.drop_index("ix_certificates_unconfirmed", table_name="certificates")
    op.drop_column("certificates", "confirmed_by")
    op.drop_column("certificates", "confirmed_at")
