"""counters are tried by mystery applications"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
in_chinese = "模拟办事"


def upgrade() -> None:
    op.create_table(
        "service_guides",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("department_uscc", sa.Text(), nullable=False),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("item_name", sa.Text(), nullable=False),
        sa.Column("materials", sa.JSON(), nullable=False),
        sa.Column("brought_by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_uscc"], ["departments.uscc"], name=op.f("fk_service_guides_department_uscc")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_guides")),
        sa.UniqueConstraint("department_uscc", "item_code", "version", name="uq_service_guides_version"),
    )
    op.create_table(
        "trial_holders",
        sa.Column("holder_index", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number_kind", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("holder_index", name=op.f("pk_trial_holders")),
        sa.UniqueConstraint("kind", name=op.f("uq_trial_holders_kind")),
    )
    op.create_table(
        "mystery_rounds",
        sa.Column("round_no", sa.Text(), nullable=False),
        sa.Column("run_key", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("untried", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("round_no", name=op.f("pk_mystery_rounds")),
        sa.UniqueConstraint("run_key", name=op.f("uq_mystery_rounds_run_key")),
    )
    op.create_table(
        "trial_calls",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_no", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("department_uscc", sa.Text(), nullable=False),
        sa.Column("application_key", sa.Text(), nullable=True),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("article", sa.Integer(), nullable=True),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["round_no"], ["mystery_rounds.round_no"], name=op.f("fk_trial_calls_round_no")),
        sa.ForeignKeyConstraint(["entry_id"], ["use_list_entries.id"], name=op.f("fk_trial_calls_entry_id")),
        sa.ForeignKeyConstraint(["department_uscc"], ["departments.uscc"], name=op.f("fk_trial_calls_department_uscc")),
        sa.ForeignKeyConstraint(["application_key"], ["applications.key"], name=op.f("fk_trial_calls_application_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trial_calls")),
        sa.UniqueConstraint("round_no", "entry_id", "step", name="uq_trial_calls_step"),
    )
    op.create_table(
        "visits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("submission_key", sa.Text(), nullable=False),
        sa.Column("department_uscc", sa.Text(), nullable=False),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("visited_on", sa.Date(), nullable=False),
        sa.Column("material", sa.Text(), nullable=False),
        sa.Column("type_code", sa.Text(), nullable=True),
        sa.Column("demand", sa.String(length=32), nullable=False),
        sa.Column("remarks", sa.Text(), nullable=False),
        sa.Column("officer_no", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["department_uscc"], ["departments.uscc"], name=op.f("fk_visits_department_uscc")),
        sa.ForeignKeyConstraint(["type_code"], ["certificate_types.code"], name=op.f("fk_visits_type_code")),
        sa.ForeignKeyConstraint(["officer_no"], ["officers.staff_no"], name=op.f("fk_visits_officer_no")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visits")),
        sa.UniqueConstraint("submission_key", name=op.f("uq_visits_submission_key")),
    )
    op.create_index(op.f("ix_visits_department_uscc"), "visits", ["department_uscc"], unique=False)
    op.create_table(
        "paper_reports",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("submission_key", sa.Text(), nullable=False),
        sa.Column("department_uscc", sa.Text(), nullable=False),
        sa.Column("matter", sa.Text(), nullable=False),
        sa.Column("material", sa.Text(), nullable=False),
        sa.Column("demand", sa.String(length=32), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"], name=op.f("fk_paper_reports_case_no")),
        sa.ForeignKeyConstraint(
            ["department_uscc"], ["departments.uscc"], name=op.f("fk_paper_reports_department_uscc")
        ),
        sa.PrimaryKeyConstraint("case_no", name=op.f("pk_paper_reports")),
        sa.UniqueConstraint("submission_key", name=op.f("uq_paper_reports_submission_key")),
    )
    op.create_index(op.f("ix_paper_reports_department_uscc"), "paper_reports", ["department_uscc"], unique=False)
    with op.batch_alter_table("application_secrets") as table:
        table.add_column(sa.Column("of_center", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    with op.batch_alter_table("application_secrets") as table:
        table.drop_column("of_center")
    for table_name in ("paper_reports", "visits", "trial_calls", "mystery_rounds", "trial_holders", "service_guides"):
        op.drop_table(table_name)
