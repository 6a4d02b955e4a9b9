"""a certificate's columns follow from its face"""

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from models.base import Instant, TypedJson
from regulation.backfill.judge import Columns, Judge, PaperType
from regulation.catalogue import Field, HolderKind, Validity
from regulation.identity_numbers import NumberKind
from regulation.register_columns import read_off
from runtime import clock
from runtime.keys import NotOursError, keys

revision = "0019"
down_revision = "0018"
in_chinese = "证照的编号、持证主体和日期一律取自证面；补录的来源随更正后的版本保留"

AT_ONCE = 2000
SEALED = ("number", "holder_name", "holder_number")
NAMED = 20
"""Identifiers that are named; the record has all of them."""

certificates = sa.table(
    "certificates",
    sa.column("id", sa.Integer),
    sa.column("identifier", sa.Text),
    sa.column("root", sa.Text),
    sa.column("type_code", sa.Text),
    sa.column("number", sa.Text),
    sa.column("number_index", sa.Text),
    sa.column("holder_kind", sa.Text),
    sa.column("holder_name", sa.Text),
    sa.column("holder_number_kind", sa.Text),
    sa.column("holder_number", sa.Text),
    sa.column("holder_index", sa.Text),
    sa.column("face", sa.Text),
    sa.column("issued_on", sa.Date),
    sa.column("valid_until_on", sa.Date),
    sa.column("backfilled_by_case", sa.Text),
)
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


def upgrade() -> None:
    connection, c = op.get_bind(), certificates.c
    # A corrected version of what was backfilled had lost where it came from.
    first = certificates.alias()
    origin = sa.select(first.c.backfilled_by_case).where(
        first.c.root == c.root, first.c.backfilled_by_case.is_not(None)
    )
    lost = sa.update(certificates).where(c.backfilled_by_case.is_(None), origin.exists())
    connection.execute(lost.values(backfilled_by_case=origin.limit(1).scalar_subquery()))
    kinds = {kind.code: kind for kind in connection.execute(sa.select(certificate_types))}
    changed, unread = 0, 0
    named: list[str] = []
    for code, rows in groupby(_rows(connection), key=lambda row: str(row.type_code)):
        kind = kinds[code]
        paper = PaperType(code, kind.name, Validity(kind.validity), kind.validity_years, kind.holder_kinds, kind.fields)
        judge = Judge(paper, clock.today(), ())
        for row in rows:
            try:
                before, face = _opened(row)
            except NotOursError:
                unread += 1
                continue
            after, _ = read_off(judge, face, before)
            if after != before:
                _change(connection, row, before, after)
                changed += 1
                named += [row.identifier] if len(named) < NAMED else []
    if changed:
        rest = f"等{changed}件" if changed > len(named) else ""
        _say(f"有{changed}件证照登记的栏目与证面不同，已按证面更正，请核对：{'、'.join(named)}{rest}")
    if unread:
        _say(f"有{unread}件证照的内容用现有的数据密钥无法解开，未能核对；请用 ezt key list 查看密钥")


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


def _change(connection: sa.Connection, row: sa.Row[Any], before: Columns, after: Columns) -> None:
    names = [name for name in Columns.__slots__ if getattr(after, name) != getattr(before, name)]
    values = {name: getattr(after, name) for name in names}
    values |= {name: keys().encrypt_text(values[name]) for name in SEALED if name in values}
    values |= {"number_index": keys().blind_index("certificate-number", after.number)}
    values |= {"holder_index": keys().blind_index("holder-number", after.holder_number)}
    connection.execute(sa.update(certificates).where(certificates.c.id == row.id).values(values))
    detail = {"identifier": row.identifier, "changed": names}
    entry = {"at": clock.now(), "actor": "system", "tag": "certificate:version:recomputed", "detail": detail}
    connection.execute(sa.insert(audit_entries).values(entry))


def _say(what: str) -> None:
    """To whoever migrates, and to staff."""
    said = context.config.attributes["said"]
    said.append(what)
    task = {"key": f"upgrade:{revision}:{len(said)}", "what": what, "opened_at": clock.now()}
    op.get_bind().execute(sa.insert(staff_tasks).values(task))


def _rows(connection: sa.Connection) -> Iterator[sa.Row[Any]]:
    """All versions, by type, some at a time."""
    c, after = certificates.c, ("", 0)
    while True:
        wanted = sa.select(certificates).where(sa.tuple_(c.type_code, c.id) > sa.tuple_(*map(sa.literal, after)))
        rows = connection.execute(wanted.order_by(c.type_code, c.id).limit(AT_ONCE)).all()
        if not rows:
            return
        yield from rows
        after = (rows[-1].type_code, rows[-1].id)


def downgrade() -> None:
    """What was recomputed is right for the version before, too."""
