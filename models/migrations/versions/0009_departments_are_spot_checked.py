"""departments are spot-checked"""

import sqlalchemy as sa
from alembic import op

from regulation.spot_checks import CHECK_ITEMS

revision = "0009"
down_revision = "0008"
in_chinese = "随机抽查"


def upgrade() -> None:
    items = op.create_table(
        "check_items",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("article", sa.Integer(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_check_items")),
    )
    op.bulk_insert(
        items,
        [
            {
                "code": item.code,
                "title": item.title,
                "article": item.article,
                "how": item.how,
                "kinds": list(item.kinds),
                "rule": item.rule,
                "active": True,
            }
            for item in CHECK_ITEMS
        ],
    )
    op.create_table(
        "inspectors",
        sa.Column("staff_no", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["staff_no"], ["officers.staff_no"], name=op.f("fk_inspectors_staff_no")),
        sa.PrimaryKeyConstraint("staff_no", name=op.f("pk_inspectors")),
    )
    op.create_table(
        "inspector_conflicts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_no", sa.Text(), nullable=False),
        sa.Column("department_uscc", sa.Text(), nullable=False),
        sa.Column("ties", sa.String(length=32), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["staff_no"], ["inspectors.staff_no"], name=op.f("fk_inspector_conflicts_staff_no")),
        sa.ForeignKeyConstraint(
            ["department_uscc"], ["departments.uscc"], name=op.f("fk_inspector_conflicts_department_uscc")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspector_conflicts")),
        sa.UniqueConstraint("staff_no", "department_uscc", name="uq_inspector_conflicts_pair"),
    )
    op.create_table(
        "spot_checks",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("frozen", sa.Text(), nullable=False),
        sa.Column("list_hash", sa.Text(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=True),
        sa.Column("commitment", sa.Text(), nullable=True),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"], name=op.f("fk_spot_checks_case_no")),
        sa.PrimaryKeyConstraint("case_no", name=op.f("pk_spot_checks")),
        sa.UniqueConstraint("key", name=op.f("uq_spot_checks_key")),
    )
    op.create_table(
        "spot_check_teams",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("department_uscc", sa.Text(), nullable=False),
        sa.Column("drawn", sa.JSON(), nullable=False),
        sa.Column("inspectors", sa.JSON(), nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=True),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("returned", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case_no"], ["spot_checks.case_no"], name=op.f("fk_spot_check_teams_case_no")),
        sa.ForeignKeyConstraint(
            ["department_uscc"], ["departments.uscc"], name=op.f("fk_spot_check_teams_department_uscc")
        ),
        sa.ForeignKeyConstraint(["entered_by"], ["officers.staff_no"], name=op.f("fk_spot_check_teams_entered_by")),
        sa.ForeignKeyConstraint(["confirmed_by"], ["officers.staff_no"], name=op.f("fk_spot_check_teams_confirmed_by")),
        sa.PrimaryKeyConstraint("case_no", "department_uscc", name=op.f("pk_spot_check_teams")),
    )
    op.create_table(
        "spot_check_objects",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("department_uscc", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("drawn_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["case_no"], ["spot_checks.case_no"], name=op.f("fk_spot_check_objects_case_no")),
        sa.ForeignKeyConstraint(
            ["department_uscc"], ["departments.uscc"], name=op.f("fk_spot_check_objects_department_uscc")
        ),
        sa.PrimaryKeyConstraint("case_no", "object_id", name=op.f("pk_spot_check_objects")),
    )
    op.create_index(op.f("ix_spot_check_objects_object_id"), "spot_check_objects", ["object_id"], unique=False)
    op.create_table(
        "spot_check_results",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("result", sa.String(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_no"], ["spot_checks.case_no"], name=op.f("fk_spot_check_results_case_no")),
        sa.PrimaryKeyConstraint("case_no", "place", "item_code", name=op.f("pk_spot_check_results")),
    )


def downgrade() -> None:
    for name in (
        "spot_check_results",
        "spot_check_objects",
        "spot_check_teams",
        "spot_checks",
        "inspector_conflicts",
        "inspectors",
        "check_items",
    ):
        op.drop_table(name)
