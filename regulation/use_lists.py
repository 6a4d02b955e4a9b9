"""The use list (Articles 9, 10): what a proposal changes, what a review may say of it, when an entry is asked about.

第九条：电子证照使用部门应细化应用场景，依据职能在用证清单范围内使用电子证照。用证清单应当实行动态管理，由使用机构及时向综合管理单位
提供，由综合管理管理部门进行维护。
第十条：电子证照使用部门应当明确持证主体可以单独出示电子证照的应用场景……
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from regulation.catalogue import Field, Sensitivity
from regulation.limits import ENTRY_CONFIRMATION, UNUSED_ENTRY
from regulation.stages import Stages


class Stage(StrEnum):
    """Where a proposal stands. The values are what people read."""

    PROPOSED = "待审核"
    TAKEN_OVER = "已列入清单"
    PARTLY_TAKEN_OVER = "部分列入清单"
    REFUSED = "未列入清单"


class Verdict(StrEnum):
    """What a review may say of a proposal."""

    ALL = "通过"
    PART = "部分通过"
    NONE = "不通过"


STAGE_AFTER = {Verdict.ALL: Stage.TAKEN_OVER, Verdict.PART: Stage.PARTLY_TAKEN_OVER, Verdict.NONE: Stage.REFUSED}


STAGES = Stages("用证清单", {Stage.PROPOSED: set(STAGE_AFTER.values())})
"""A proposal is decided once."""


class LineNumbersError(ValueError):
    """Text that names no lines, said in Chinese."""


def line_numbers(text: str) -> list[int]:
    """The lines that a text such as ``2、5-7`` names, in order. Raises ``LineNumbersError`` for any other text.

    >>> line_numbers("2、5-7"), line_numbers(" 3，1 "), line_numbers("")
    ([2, 5, 6, 7], [1, 3], [])
    """
    numbers: set[int] = set()
    for part in re.split(r"[、,，;；\s]+", text.strip()):
        if not part:
            continue
        span = re.fullmatch(r"第?([0-9]{1,7})(?:[-–—~至]([0-9]{1,7}))?行?", part, re.ASCII)
        first, last = (int(span[1]), int(span[2] or span[1])) if span else (1, 0)
        # A span is written out below: one that no list can have is a slip of the pen.
        if not first <= last < first + 10_000:
            raise LineNumbersError(f"“{part[:20]}”不是行号，请写成如“2、5-7”的样子。")
        numbers.update(range(first, last + 1))
    return sorted(numbers)


def lines_refusal(verdict: Verdict, refused: str, lines: Collection[int]) -> str | None:
    """Why a review cannot name these lines as refused, in Chinese; ``None`` when it can. ``lines`` are the proposal's.

    >>> lines_refusal(Verdict.PART, "2", [1, 2])
    >>> lines_refusal(Verdict.ALL, "2", [1, 2])
    '审核意见为“通过”时不能列出不通过的行；有不通过的行请选“部分通过”。'
    """
    try:
        numbers = line_numbers(refused)
    except LineNumbersError as why:
        return f"不通过的行有误：{why}"
    if strangers := [str(number) for number in numbers if number not in lines]:
        return f"本件没有第{'、'.join(strangers[:20])}行，请对照表格更正不通过的行。"
    if verdict is Verdict.ALL:
        return "审核意见为“通过”时不能列出不通过的行；有不通过的行请选“部分通过”。" if numbers else None
    if verdict is Verdict.PART:
        if not numbers:
            return "审核意见为“部分通过”时，请列出不通过的行，如“2、5-7”。"
        if len(numbers) == len(lines):
            return "所列的行包括了全部条目；全部不通过时请选“不通过”。"
    elif numbers and len(numbers) < len(lines):
        return "审核意见为“不通过”时不必列出行；只有部分行不通过时请选“部分通过”。"
    return None


@dataclass(frozen=True, slots=True)
class Terms:
    """What an entry allows: a proposed line's terms, or those in force. ``fields`` are codes."""

    item_name: str
    fields: tuple[str, ...]
    holder_alone: bool
    authorisation: bool

    def same_as(self, other: "Terms") -> bool:
        """Whether both allow the same; the order of the fields means nothing."""
        return replace(self, fields=other.fields) == other and set(self.fields) == set(other.fields)


class Change(StrEnum):
    """What a proposed line does to the list."""

    NEW = "新增"
    CHANGED = "变更"
    ENDED = "停用"


def change_of(proposed: Terms | None, now: Terms | None) -> Change | None:
    """What a line does where ``now`` is in force and ``proposed`` shall be (``None``: nothing is); ``None`` for
    nothing at all."""
    if proposed is None:
        return None if now is None else Change.ENDED
    if now is None:
        return Change.NEW
    return None if proposed.same_as(now) else Change.CHANGED


def differences(proposed: Terms, now: Terms | None, fields: Mapping[str, Field]) -> list[str]:
    """What a new or changed entry changes, in Chinese and one thing a text, for whoever reviews it. Sensitive fields
    say so: they need the strongest reason.

    >>> name = Field("holder", "姓名", "name", Sensitivity.PERSONAL)
    >>> number = Field("holder_number", "公民身份号码", "identity-number", Sensitivity.SENSITIVE)
    >>> known = {"holder": name, "holder_number": number}
    >>> old = Terms("婚姻登记", ("holder",), False, True)
    >>> new = Terms("婚姻登记", ("holder_number",), False, False)
    >>> differences(new, old, known)
    ['增加字段：公民身份号码（敏感）', '减少字段：姓名', '不再需授权']
    """
    before = now or Terms(proposed.item_name, (), False, False)
    added = [code for code in proposed.fields if code not in before.fields]
    removed = [code for code in before.fields if code not in proposed.fields]
    said = []
    if added:
        said.append(f"{'增加' if now else ''}字段：{'、'.join(field_label(code, fields) for code in added)}")
    if removed:
        said.append(f"减少字段：{'、'.join(field_label(code, fields) for code in removed)}")
    if proposed.holder_alone != before.holder_alone:
        said.append("可单独出示" if proposed.holder_alone else "不再可单独出示")
    if proposed.authorisation != before.authorisation:
        said.append("需授权" if proposed.authorisation else "不再需授权")
    if proposed.item_name != before.item_name:
        said.append(f"事项名称由“{before.item_name}”改为“{proposed.item_name}”")
    return said


def field_label(code: str, fields: Mapping[str, Field]) -> str:
    """A field's name, marked where it is sensitive. The catalogue may have lost a field that a list still names."""
    field = fields.get(code)
    if field is None:
        return code
    return f"{field.name}（敏感）" if field.sensitivity is Sensitivity.SENSITIVE else field.name


def in_force_from(asked: date | None, approved_on: date) -> date:
    """From when an approved line counts: the day the department asked for, but not before it was approved, because
    what could be seen on a past day must not change.

    >>> in_force_from(date(2026, 3, 1), date(2026, 3, 9)), in_force_from(date(2026, 4, 1), date(2026, 3, 9))
    (datetime.date(2026, 3, 9), datetime.date(2026, 4, 1))
    """
    return max(asked or approved_on, approved_on)


def ends_from(answered_on: date) -> date:
    """From when an entry is off the list that a department says it does not need: the day after, so that what it was
    used for on the day of the answer stays inside the list of that day.

    >>> ends_from(date(2026, 3, 9))
    datetime.date(2026, 3, 10)
    """
    return answered_on + timedelta(days=1)


class Enquiry(StrEnum):
    """Why a department is asked about an entry (动态管理)."""

    UNUSED = "180天未使用"
    YEARLY = "年度确认"


def enquiry_due(in_force_since: date, used_on: date | None, confirmed_on: date | None, today: date) -> Enquiry | None:
    """Whether a department is asked about an entry today, and why; ``None``: it is not.

    ``in_force_since`` is the day from which its present version counts, ``used_on`` its last use, ``confirmed_on`` when
    the department last said that it is needed.

    >>> enquiry_due(date(2026, 1, 1), None, None, date(2026, 6, 29)), enquiry_due(date(2026, 1, 1), None, None,
    ... date(2026, 6, 30)).value
    (None, '180天未使用')
    """
    looked_at = max(day for day in (in_force_since, confirmed_on) if day is not None)
    last = max(looked_at, used_on) if used_on else looked_at
    if today - last >= timedelta(days=UNUSED_ENTRY.value):
        return Enquiry.UNUSED
    if today - looked_at >= timedelta(days=ENTRY_CONFIRMATION.value):
        return Enquiry.YEARLY
    return None
