"""objections know the ones before"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
in_chinese = "同一证照同一项目的异议，关联此前的一件；记下申请人何时撤回"

objections = sa.table(
    "objections",
    sa.column("case_no", sa.Text),
    sa.column("certificate_root", sa.Text),
    sa.column("field_code", sa.Text),
    sa.column("lead_case_no", sa.Text),
    sa.column("earlier_case_no", sa.Text),
    sa.column("withdrawn_at", sa.DateTime),
)
cases = sa.table(
    "cases", sa.column("case_no", sa.Text), sa.column("stage", sa.Text), sa.column("closed_at", sa.DateTime)
)


def upgrade() -> None:
    with op.batch_alter_table("objections") as table:
        table.add_column(sa.Column("earlier_case_no", sa.Text(), nullable=True))
        table.add_column(sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
        table.create_foreign_key(op.f("fk_objections_earlier_case_no"), "cases", ["earlier_case_no"], ["case_no"])
        table.create_index(op.f("ix_objections_earlier_case_no"), ["earlier_case_no"])
    before, mine = objections.alias(), objections.c
    # Whoever was joined under the rule of before stays joined. Numbers are given in the order of registration.
    latest = sa.select(sa.func.max(before.c.case_no)).where(
        before.c.certificate_root == mine.certificate_root,
        before.c.field_code == mine.field_code,
        before.c.lead_case_no.is_(None),
        before.c.case_no < mine.case_no,
    )
    alone = sa.update(objections).where(mine.lead_case_no.is_(None))
    op.execute(alone.values(earlier_case_no=latest.scalar_subquery()))
    taken_back = sa.select(cases.c.closed_at).where(cases.c.case_no == mine.case_no, cases.c.stage == "已撤回")
    op.execute(sa.update(objections).values(withdrawn_at=taken_back.scalar_subquery()))


def downgrade() -> None:
    with op.batch_alter_table("objections") as table:
        table.drop_index(op.f("ix_objections_earlier_case_no"))
        table.drop_constraint(op.f("fk_objections_earlier_case_no"), type_="foreignkey")
        table.drop_column("withdrawn_at")
        table.drop_column("earlier_case_no")
