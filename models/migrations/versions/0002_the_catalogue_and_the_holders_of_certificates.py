"""the catalogue and the holders of certificates"""

import sqlalchemy as sa
from alembic import op

from runtime.keys import keys

revision = "0002"
down_revision = "0001"
in_chinese = "证照目录和持证主体"

TYPES = sa.table(
    "certificate_types",
    sa.column("code", sa.Text()),
    sa.column("source", sa.String(32)),
    sa.column("fields", sa.JSON()),
    sa.column("issuing_authority", sa.Text()),
    sa.column("issuing_level", sa.String(32)),
    sa.column("validity", sa.String(32)),
    sa.column("stale_after_hours", sa.Integer()),
    sa.column("holder_kinds", sa.JSON()),
)
CERTIFICATES = sa.table(
    "certificates",
    sa.column("id", sa.Integer()),
    sa.column("holder_number", sa.Text()),
    sa.column("holder_kind", sa.String(32)),
    sa.column("holder_number_kind", sa.String(32)),
    sa.column("remark", sa.Text()),
)


def upgrade() -> None:
    op.add_column("certificate_types", sa.Column("issuing_authority", sa.Text()))
    op.add_column("certificate_types", sa.Column("issuing_level", sa.String(32)))
    op.add_column("certificate_types", sa.Column("validity", sa.String(32)))
    op.add_column("certificate_types", sa.Column("validity_years", sa.Integer()))
    op.add_column("certificate_types", sa.Column("stale_after_hours", sa.Integer()))
    op.add_column("certificate_types", sa.Column("holder_kinds", sa.JSON()))
    op.add_column("certificates", sa.Column("holder_kind", sa.String(32)))
    op.add_column("certificates", sa.Column("holder_number_kind", sa.String(32)))
    op.add_column("certificates", sa.Column("remark", sa.Text()))
    describe_types()
    describe_holders()
    with op.batch_alter_table("certificate_types") as table:
        table.alter_column("issuing_authority", existing_type=sa.Text(), nullable=False)
        table.alter_column("issuing_level", existing_type=sa.String(32), nullable=False)
        table.alter_column("validity", existing_type=sa.String(32), nullable=False)
        table.alter_column("stale_after_hours", existing_type=sa.Integer(), nullable=False)
        table.alter_column("holder_kinds", existing_type=sa.JSON(), nullable=False)
    with op.batch_alter_table("certificates") as table:
        table.alter_column("holder_kind", existing_type=sa.String(32), nullable=False)
        table.alter_column("holder_number_kind", existing_type=sa.String(32), nullable=False)
        table.alter_column("remark", existing_type=sa.Text(), nullable=False)


def downgrade() -> None:
    connection = op.get_bind()
    for code, fields in connection.execute(sa.select(TYPES.c.code, TYPES.c.fields)).all():
        names = {field["code"]: field["name"] for field in fields}
        connection.execute(TYPES.update().where(TYPES.c.code == code).values(fields=names))
    for column in ("remark", "holder_number_kind", "holder_kind"):
        op.drop_column("certificates", column)
    for column in (
        "holder_kinds",
        "stale_after_hours",
        "validity_years",
        "validity",
        "issuing_level",
        "issuing_authority",
    ):
        op.drop_column("certificate_types", column)


def describe_types() -> None:
    """Say of the types that are there only what is known of them: nothing becomes public that was not."""
    connection = op.get_bind()
    for code, source, names in connection.execute(sa.select(TYPES.c.code, TYPES.c.source, TYPES.c.fields)).all():
        connection.execute(
            TYPES.update()
            .where(TYPES.c.code == code)
            .values(
                issuing_authority="未登记",
                issuing_level=source,
                validity="on-face",
                stale_after_hours=24,
                holder_kinds=["自然人", "法人", "非法人组织"],
                fields=[described(*each) for each in names.items()],
            )
        )


def described(code: str, name: str) -> dict[str, str]:
    if "身份号码" in name or "证件号码" in name:
        return {"code": code, "name": name, "kind": "identity-number", "sensitivity": "sensitive"}
    dated = code.endswith("_on") or code in {"valid_from", "valid_until"}
    return {"code": code, "name": name, "kind": "date" if dated else "text", "sensitivity": "personal"}


def describe_holders() -> None:
    """Tell persons from companies by their numbers; there have been no other holders until now."""
    connection = op.get_bind()
    numbers = sa.select(CERTIFICATES.c.id, CERTIFICATES.c.holder_number).order_by(CERTIFICATES.c.id).limit(10_000)
    last = 0
    while part := connection.execute(numbers.where(CERTIFICATES.c.id > last)).all():
        values = [{"this": row, **described_holder(keys().decrypt_text(number))} for row, number in part]
        connection.execute(CERTIFICATES.update().where(CERTIFICATES.c.id == sa.bindparam("this")), values)
        last = part[-1].id


def described_holder(number: str) -> dict[str, str]:
    # Companies' codes begin with 91, which is no region.
    person = number[0] != "9" and number[:17].isdigit()
    return {
        "holder_kind": "自然人" if person else "法人",
        "holder_number_kind": "公民身份号码" if person else "统一社会信用代码",
        "remark": "",
    }
