"""the record is sealed, and neither it nor its seals can be changed any more"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
in_chinese = "日志封存成块，日志和封存块不能再改"

TABLES = ("audit_entries", "audit_blocks")


def upgrade() -> None:
    op.add_column("audit_entries", sa.Column("holder_index", sa.Text(), nullable=True))
    op.create_index(op.f("ix_audit_entries_holder_index"), "audit_entries", ["holder_index"], unique=False)
    op.create_table(
        "audit_blocks",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_id", sa.Integer(), nullable=False),
        sa.Column("last_id", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_blocks")),
    )
    # SQLite drops a table's triggers when a later migration rebuilds the table: that one has to make them again.
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN RAISE EXCEPTION 'the record only grows'; END$$"
        )
        for table in TABLES:
            op.execute(
                f"CREATE TRIGGER {table}_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
        return
    for table in TABLES:
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'the record only grows'); END"
            )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in TABLES:
            op.execute(f"DROP TRIGGER {table}_only_grow ON {table}")
        op.execute("DROP FUNCTION refuse_change()")
    else:
        for table in TABLES:
            for change in ("update", "delete"):
                op.execute(f"DROP TRIGGER {table}_no_{change}")
    op.drop_table("audit_blocks")
    op.drop_index(op.f("ix_audit_entries_holder_index"), table_name="audit_entries")
    op.drop_column("audit_entries", "holder_index")
