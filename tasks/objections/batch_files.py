"""A table of objections (Article 12), one row an objection, as whoever collects them hands it in: a file, or a list of
JSON."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from runtime.refusals import InputError, wrong_fields
from tasks.objections.applications import LATER, ObjectionApplication
from tasks.tables.headed import Layout, refuse_nothing, rows_of

LAYOUT = Layout(
    {
        "objector_kind": ("申请人类别",),
        "objector_name": ("申请人姓名或名称", "申请人", "申请人姓名", "申请人名称"),
        "email": ("电子邮箱", "邮箱"),
        "phone": ("联系电话", "电话", "手机号码"),
        "certificate_type": ("证照类型", "证照名称"),
        "certificate": ("证照编号或电子证照标识", "证照编号", "电子证照标识"),
        "field": ("有异议的项目", "异议项目"),
        "grounds": ("异议种类",),
        "stated": ("证照上现在的内容", "现在的内容"),
        "proposed": ("申请人认为应当是", "应当是"),
        "reason": ("理由", "异议理由"),
        "interest": ("用证事由",),
    },
    tuple(name for name in ObjectionApplication.model_fields if name not in LATER),
    known_by="certificate_type",
)
SEPARATORS = re.compile(r"[、，,；;\s]+")
"""What stands between several grounds in one cell."""
ONE_BY_ONE = "代他人办理的须附证明材料，请逐件报送"
"""What is wrong with a row in which somebody acts for another."""
LISTED = 20
"""Wrong rows that a refusal lists."""


@dataclass(frozen=True, slots=True)
class BatchTable:
    """The rows of a table by their numbers: those that are objections, and what is wrong with the others; what refusals
    call the table, and by what it is known to be the same one again."""

    name: str
    sha256: str
    objections: tuple[tuple[int, ObjectionApplication], ...]
    wrong: tuple[tuple[int, str], ...]


def read_file(name: str, content: bytes) -> BatchTable:
    """The table in a file, its rows numbered as its program shows them. ``InputError`` for what ``rows_of`` refuses."""
    table = _table(name, content, _rows_of_file(name, content))
    refuse_nothing(name, table.objections or table.wrong)
    return table


def read_list(given: Sequence[Any]) -> BatchTable:
    """A list of JSON, its rows numbered from 1."""
    said = json.dumps(given, ensure_ascii=False, sort_keys=True)
    return _table("objections", said.encode(), ((number, each, []) for number, each in enumerate(given, 1)))


def refuse_all_wrong(table: BatchTable) -> None:
    """Raise ``InputError`` for a table in which no row is an objection."""
    if not table.objections:
        lines = [f"第{number}行：{what}" for number, what in table.wrong[:LISTED]]
        more = f"还有{len(table.wrong) - LISTED}行。" if len(table.wrong) > LISTED else ""
        raise InputError("\n".join([f"“{table.name}”没有一行可以登记：", *lines, *([more] if more else [])]))


def _rows_of_file(name: str, content: bytes) -> Iterator[tuple[int, Any, list[str]]]:
    for number, given, lost in rows_of(name, content, LAYOUT):
        grounds = [each for each in SEPARATORS.split(given.get("grounds", "")) if each]
        yield number, {**given, "grounds": grounds}, list(lost.values())


def _table(name: str, content: bytes, rows: Iterable[tuple[int, Any, list[str]]]) -> BatchTable:
    """The table of rows, each with its number and what is lost of it."""
    objections, wrong = [], []
    for number, given, lost in rows:
        try:
            application = ObjectionApplication.model_validate(given)
        except ValidationError as error:
            lost += wrong_fields(error, ObjectionApplication)
        else:
            lost += [ONE_BY_ONE] if application.acts_as is not None else []
        if lost:
            wrong.append((number, f"{'；'.join(lost)}。请更正该行后重新报送。"))
        else:
            objections.append((number, application))
    return BatchTable(name, hashlib.sha256(content).hexdigest(), tuple(objections), tuple(wrong))
