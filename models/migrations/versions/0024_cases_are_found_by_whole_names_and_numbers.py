"""cases are found by whole names and numbers"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from runtime.keys import NotOursError, keys

revision = "0024"
down_revision = "0023"
in_chinese = "办件可以按整个姓名、名称或号码查找（只存摘要）"

AT_ONCE = 1000
ON_PAPER = ("number", "holder", "holder_number", "husband", "husband_number", "wife", "wife_number")
BETWEEN = "、"

marks = sa.table("case_marks", sa.column("case_no", sa.Text), sa.column("mark", sa.Text))
objections = sa.table(
    "objections",
    sa.column("case_no", sa.Text),
    sa.column("objector_name", sa.Text),
    sa.column("phone", sa.Text),
    sa.column("certificate_reference", sa.Text),
    sa.column("certificate_root", sa.Text),
)
certificates = sa.table(
    "certificates", sa.column("id", sa.Integer), sa.column("root", sa.Text), sa.column("backfilled_by_case", sa.Text)
)
holders = sa.table("certificate_holders", sa.column("certificate_id", sa.Integer), sa.column("name", sa.Text))
entries = sa.table(
    "backfill_entries", sa.column("case_no", sa.Text), sa.column("turn", sa.Integer), sa.column("given", sa.Text)
)
backfills = sa.table("backfills", sa.column("case_no", sa.Text))
filings = sa.table(
    "liaison_filings",
    sa.column("case_no", sa.Text),
    sa.column("name", sa.Text),
    sa.column("phone", sa.Text),
    sa.column("replaces_id", sa.Integer),
)
officers = sa.table("liaison_officers", sa.column("id", sa.Integer), sa.column("name", sa.Text))
reports = sa.table("paper_reports", sa.column("case_no", sa.Text), sa.column("phone", sa.Text))


def upgrade() -> None:
    op.create_table(
        "case_marks",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"], name=op.f("fk_case_marks_case_no")),
        sa.PrimaryKeyConstraint("case_no", "mark", name=op.f("pk_case_marks")),
    )
    op.create_index(op.f("ix_case_marks_mark"), "case_marks", ["mark"])
    o, h, c = objections.c, holders.c, certificates.c
    held = holders.join(certificates, h.certificate_id == c.id)
    _mark(_opened(sa.select(o.case_no, o.objector_name, o.phone, o.certificate_reference)))
    named = sa.select(o.case_no, h.name).select_from(held.join(objections, o.certificate_root == c.root))
    _mark(_opened(named))
    # A batch of paper certificates is not marked: the register leads to it.
    own = sa.select(c.backfilled_by_case, h.name).select_from(held)
    _mark(_opened(own.where(c.backfilled_by_case.in_(sa.select(backfills.c.case_no)))))
    _mark(_on_paper())
    _mark(_opened(sa.select(filings.c.case_no, filings.c.name, filings.c.phone)))
    replaced = filings.join(officers, filings.c.replaces_id == officers.c.id)
    _mark(_opened(sa.select(filings.c.case_no, officers.c.name).select_from(replaced)))
    _mark(_opened(sa.select(reports.c.case_no, reports.c.phone)))


def _opened(wanted: sa.Select[Any]) -> Iterator[tuple[str, str]]:
    """What stands sealed in the columns after the case's number; what no key of ours opens is left out."""
    for case_no, *sealed in op.get_bind().execute(wanted).all():
        for each in filter(None, sealed):
            try:
                yield case_no, keys().decrypt_text(each)
            except NotOursError:
                continue


def _on_paper() -> Iterator[tuple[str, str]]:
    for case_no, given in _opened(sa.select(entries.c.case_no, entries.c.given)):
        written = json.loads(given)
        for field in ON_PAPER:
            text = str(written.get(field) or "")
            yield from ((case_no, each) for each in (text, *text.split(BETWEEN)))


def _mark(found: Iterable[tuple[str, str]]) -> None:
    connection, by_case = op.get_bind(), defaultdict(set)
    for case_no, text in found:
        if text.strip():
            by_case[case_no].add(keys().blind_index("case-mark", text))
    there = {tuple(row) for row in connection.execute(sa.select(marks))}
    rows = sorted({(case_no, mark) for case_no, given in by_case.items() for mark in given} - there)
    for first in range(0, len(rows), AT_ONCE):
        some = rows[first : first + AT_ONCE]
        connection.execute(sa.insert(marks), [{"case_no": case_no, "mark": mark} for case_no, mark in some])


def downgrade() -> None:
    op.drop_table("case_marks")
