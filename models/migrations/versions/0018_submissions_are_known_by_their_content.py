"""submissions are known by their content"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
in_chinese = "报送的内容留摘要，同一编号换了内容能识别"

KINDS = {
    "YY": "objections",
    "QD": "use_list_proposals",
    "ZR": "liaison_filings",
    "BL": "backfills",
    "XD": "rule_revisions",
    "PS": "system_review_versions",
    "FY": "paper_reports",
    "visit": "visits",
}


def upgrade() -> None:
    submissions = op.create_table(
        "submissions",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("pk_submissions")),
    )
    # Numbers that are taken stay taken; what came with them is not known any more.
    for kind, table in KINDS.items():
        key = sa.table(table, sa.column("submission_key")).c.submission_key
        taken = sa.select(sa.literal(kind), key, sa.literal(""))
        op.execute(submissions.insert().from_select(["kind", "key", "digest"], taken))
    key = sa.table("answers", sa.column("source_key")).c.source_key
    taken = sa.select(sa.literal("answer"), key, sa.literal(""))
    taken = taken.where(key.contains(":supplement:") | key.contains(":department:"))
    op.execute(submissions.insert().from_select(["kind", "key", "digest"], taken))


def downgrade() -> None:
    op.drop_table("submissions")
