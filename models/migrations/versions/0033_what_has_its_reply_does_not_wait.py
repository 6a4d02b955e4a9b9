"""what has its reply does not wait"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
in_chinese = "已登记上级回复、流程却没有被唤醒的异议，由办件恢复唤醒"


def upgrade() -> None:
    case = sa.table("cases", *map(sa.column, ("case_no", "closed_at", "waiting_for")))
    answer = sa.table("answers", *map(sa.column, ("case_no", "question", "turn", "refusal")))
    asked = answer.c.question + "-" + sa.cast(answer.c.turn, sa.String)
    has_it = sa.exists().where(
        answer.c.case_no == case.c.case_no, answer.c.refusal.is_(None), asked == case.c.waiting_for
    )
    waits = case.c.closed_at.is_(None) & case.c.waiting_for.like("verification-reply-%")
    op.execute(case.update().where(waits, has_it).values(waiting_for=None))


def downgrade() -> None:
    pass
