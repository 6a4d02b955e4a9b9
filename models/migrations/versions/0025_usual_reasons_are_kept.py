"""usual reasons are kept"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
in_chinese = "负责人可以维护常用语，办理时点选填入"


def upgrade() -> None:
    op.create_table(
        "desk_phrases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("kept_by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["kept_by"], ["officers.staff_no"], name=op.f("fk_desk_phrases_kept_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_phrases")),
    )
    op.create_index("ix_desk_phrases_question_field", "desk_phrases", ["question", "field"])


def downgrade() -> None:
    op.drop_table("desk_phrases")
