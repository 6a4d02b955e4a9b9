"""a certificate has several holders"""

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from models.base import Instant, TypedJson
from regulation.backfill.judge import Columns, Holder, Judge, PaperType
from regulation.catalogue import Field, HolderKind, Validity
from regulation.identity_numbers import NumberKind
from regulation.register_columns import is_silent_on_a_holder, read_off
from runtime import clock
from runtime.keys import NotOursError, keys

revision = "0022"
down_revision = "0021"
in_chinese = "一件证照可以有多个持证主体，每个持证主体都能查到"

AT_ONCE = 2000
SEALED = ("holder_name", "holder_number")
OF_HOLDER = ("holder_kind", "holder_name", "holder_number_kind", "holder_number")


def _of_version() -> list[sa.ColumnClause[Any]]:
    return [
        sa.column("number", sa.Text),
        sa.column("holder_kind", sa.Text),
        sa.column("holder_name", sa.Text),
        sa.column("holder_number_kind", sa.Text),
        sa.column("holder_number", sa.Text),
        sa.column("holder_index", sa.Text),
        sa.column("face", sa.Text),
        sa.column("issued_on", sa.Date),
        sa.column("valid_until_on", sa.Date),
    ]


certificates = sa.table(
    "certificates",
    sa.column("id", sa.Integer),
    sa.column("identifier", sa.Text),
    sa.column("type_code", sa.Text),
    *_of_version(),
)
backfill_batches = sa.table("backfill_batches", sa.column("case_no", sa.Text), sa.column("type_code", sa.Text))
backfill_rows = sa.table("backfill_rows", sa.column("case_no", sa.Text), sa.column("row", sa.Integer), *_of_version())
certificate_types = sa.table(
    "certificate_types",
    sa.column("code", sa.Text),
    sa.column("name", sa.Text),
    sa.column("validity", sa.Text),
    sa.column("validity_years", sa.Integer),
    sa.column("holder_kinds", TypedJson(tuple[HolderKind, ...])),
    sa.column("fields", TypedJson(tuple[Field, ...])),
)
audit_entries = sa.table(
    "audit_entries",
    sa.column("at", Instant),
    sa.column("actor", sa.Text),
    sa.column("tag", sa.Text),
    sa.column("detail", sa.JSON),
)
staff_tasks = sa.table(
    "staff_tasks", sa.column("key", sa.Text), sa.column("what", sa.Text), sa.column("opened_at", Instant)
)
presentations = sa.table("presentations", sa.column("certificate_id", sa.Integer), sa.column("holder_index", sa.Text))


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("holder_kind", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number_kind", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("holder_index", sa.Text(), nullable=False),
        sa.Column("share", sa.Text(), nullable=True),
    ]


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        # Whoever still writes certificates is not kept waiting for long, and neither is the upgrade.
        connection.execute(sa.text("SET LOCAL lock_timeout = '5s'"))
    holders = op.create_table(
        "certificate_holders",
        sa.Column("certificate_id", sa.Integer(), nullable=False),
        *_columns(),
        sa.ForeignKeyConstraint(
            ["certificate_id"],
            ["certificates.id"],
            name=op.f("fk_certificate_holders_certificate_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("certificate_id", "place", name=op.f("pk_certificate_holders")),
    )
    row_holders = op.create_table(
        "backfill_row_holders",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        *_columns(),
        sa.ForeignKeyConstraint(
            ["case_no", "row"],
            ["backfill_rows.case_no", "backfill_rows.row"],
            name=op.f("fk_backfill_row_holders_case_no_row"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("case_no", "row", "place", name=op.f("pk_backfill_row_holders")),
    )
    op.add_column("presentations", sa.Column("holder_index", sa.Text(), nullable=False, server_default=""))
    first = sa.select(certificates.c.holder_index).where(certificates.c.id == presentations.c.certificate_id)
    connection.execute(sa.update(presentations).values(holder_index=first.scalar_subquery()))
    judges = dict(_judges(connection))
    _fill(connection, holders, judges)
    _fill_staged(connection, row_holders, judges)
    # After the rows, which is quicker than with each of them.
    name = "ix_certificate_holders_holder_index_certificate_id"
    op.create_index(name, "certificate_holders", ["holder_index", "certificate_id"], unique=True)


def _fill(connection: sa.Connection, table: sa.Table, judges: dict[str, Judge]) -> None:
    """The holders of all versions, and the first one's columns where the face tells another."""
    changed, unread, silent = 0, 0, 0
    for rows in _rows(connection, certificates, certificates.c.id):
        made: list[dict[str, Any]] = []
        for row in rows:
            judge = judges[row.type_code]
            try:
                before, face = _opened(row)
            except NotOursError:
                unread += 1
                made.append({"certificate_id": row.id, **_as_it_is(row)})
                continue
            after, found = read_off(judge, face, before)
            made += ({"certificate_id": row.id, **each} for each in _sealed(found))
            silent += is_silent_on_a_holder(judge, face, found)
            changed += _change(connection, row, before, after)
        connection.execute(sa.insert(table), made)
    if changed:
        _say(f"有{changed}件证照登记的持证主体与证面不同，已按证面更正，逐件记在日志中")
    if silent:
        _say(f"有{silent}件证照的证面写有多个持证主体，其中有人没有能识别的证件号码，其本人查不到，请核实")
    if unread:
        _say(f"有{unread}件证照的内容用现有的数据密钥无法解开，只登记了原来的持证主体；请用 ezt key list 查看密钥")


def _fill_staged(connection: sa.Connection, table: sa.Table, judges: dict[str, Judge]) -> None:
    """Those of the rows of batches that wait to be registered."""
    types = dict(connection.execute(sa.select(backfill_batches.c.case_no, backfill_batches.c.type_code)).tuples().all())
    for rows in _rows(connection, backfill_rows, backfill_rows.c.case_no, backfill_rows.c.row):
        made: list[dict[str, Any]] = []
        for row in rows:
            try:
                before, face = _opened(row)
            except NotOursError:
                # The columns of the row will do.
                continue
            _, found = read_off(judges[types[row.case_no]], face, before)
            if len(found) > 1 or found[0].field != "holder" or found[0].share:
                made += ({"case_no": row.case_no, "row": row.row, **each} for each in _sealed(found))
        if made:
            connection.execute(sa.insert(table), made)


def _judges(connection: sa.Connection) -> Iterator[tuple[str, Judge]]:
    for kind in connection.execute(sa.select(certificate_types)):
        validity = Validity(kind.validity)
        paper = PaperType(kind.code, kind.name, validity, kind.validity_years, kind.holder_kinds, kind.fields)
        yield kind.code, Judge(paper, clock.today(), ())


def _opened(row: sa.Row[Any]) -> tuple[Columns, dict[str, str]]:
    """What the register kept of a version, and its face. ``NotOursError`` for what no key of ours opens."""
    opened = keys().decrypt_text
    before = Columns(
        opened(row.number),
        HolderKind(row.holder_kind),
        opened(row.holder_name),
        NumberKind(row.holder_number_kind),
        opened(row.holder_number),
        row.issued_on,
        row.valid_until_on,
    )
    return before, json.loads(opened(row.face))


def _sealed(found: tuple[Holder, ...]) -> Iterator[dict[str, Any]]:
    for place, each in enumerate(found, 1):
        yield {
            "place": place,
            "field": each.field,
            "holder_kind": each.kind,
            "name": keys().encrypt_text(each.name),
            "number_kind": each.number_kind,
            "number": keys().encrypt_text(each.number),
            "holder_index": keys().blind_index("holder-number", each.number),
            "share": keys().encrypt_text(each.share) if each.share else None,
        }


def _as_it_is(row: sa.Row[Any]) -> dict[str, Any]:
    return {
        "place": 1,
        "field": "holder",
        "holder_kind": row.holder_kind,
        "name": row.holder_name,
        "number_kind": row.holder_number_kind,
        "number": row.holder_number,
        "holder_index": row.holder_index,
        "share": None,
    }


def _change(connection: sa.Connection, row: sa.Row[Any], before: Columns, after: Columns) -> bool:
    """Let the columns be the first holder's; whether they were not."""
    names = [name for name in OF_HOLDER if getattr(after, name) != getattr(before, name)]
    if not names:
        return False
    values = {name: getattr(after, name) for name in names}
    values |= {name: keys().encrypt_text(values[name]) for name in SEALED if name in values}
    values |= {"holder_index": keys().blind_index("holder-number", after.holder_number)}
    connection.execute(sa.update(certificates).where(certificates.c.id == row.id).values(values))
    detail = {"identifier": row.identifier, "changed": names}
    entry = {"at": clock.now(), "actor": "system", "tag": "certificate:version:recomputed", "detail": detail}
    connection.execute(sa.insert(audit_entries).values(entry))
    return True


def _say(what: str) -> None:
    """To whoever migrates, and to staff."""
    said = context.config.attributes["said"]
    said.append(what)
    task = {"key": f"upgrade:{revision}:{len(said)}", "what": what, "opened_at": clock.now()}
    op.get_bind().execute(sa.insert(staff_tasks).values(task))


def _rows(connection: sa.Connection, table: sa.TableClause, *key: sa.ColumnClause[Any]) -> Iterator[list[sa.Row[Any]]]:
    """All rows of a table by its key, some at a time."""
    wanted = sa.select(table).order_by(*key).limit(AT_ONCE)
    rows = connection.execute(wanted).all()
    while rows:
        yield list(rows)
        after = [getattr(rows[-1], column.name) for column in key]
        rows = connection.execute(wanted.where(sa.tuple_(*key) > sa.tuple_(*after))).all()


def downgrade() -> None:
    op.drop_column("presentations", "holder_index")
    op.drop_table("backfill_row_holders")
    op.drop_table("certificate_holders")
