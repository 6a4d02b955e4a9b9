"""Rule revision (制度修订, Article 16): the stages of a rule that stands in the way, and by when it is revised.

第十六条：电子证照使用部门应当对本单位现行管理制度和业务流程中与本办法不相适应的条款进行修订，逐步消除电子证照应用障碍。
"""

from datetime import date, timedelta
from enum import StrEnum

from regulation.limits import RULE_REVISION, RULE_REVISION_AGAIN
from regulation.stages import Stages
from regulation.working_days import WorkingDays
from runtime.refusals import InputError


class Stage(StrEnum):
    """Where a rule that stands in the way stands. The values are what people read."""

    LISTED = "待确认"
    RETURNED = "已退回"
    REVISING = "修订中"
    CHECKING = "待核对"
    REVISED = "已修订"


class Verdict(StrEnum):
    """What staff say of a rule that a department lists."""

    CONFIRM = "确认"
    RETURN = "退回"


class Check(StrEnum):
    """What staff say of the proof that it was revised."""

    REVISED = "已修订"
    RETURN = "退回"


STAGES = Stages(
    "制度修订",
    {
        Stage.LISTED: {Stage.RETURNED, Stage.REVISING},
        Stage.REVISING: {Stage.CHECKING},
        Stage.CHECKING: {Stage.REVISED, Stage.REVISING},
    },
)


def check_planned_day(planned_on: date, today: date) -> None:
    """Raise ``InputError`` for a planned day that has come already, or lies more than ``RULE_REVISION`` days ahead.

    The measures say 逐步 (step by step) and name no date: the department plans it, within what the Center sets.
    """
    last = today + timedelta(days=RULE_REVISION.value)
    if not today < planned_on <= last:
        raise InputError(f"计划修订日期应在{today}之后，最晚{last}（{RULE_REVISION.value}天内），请更正。")


def days_until(calendar: WorkingDays, today: date, planned_on: date) -> int:
    """The working days of the limit that ends on the planned day, or on the next working day where that is one off
    (Civil Code Art. 203).

    >>> days_until(WorkingDays(), date(2026, 3, 2), date(2026, 3, 6))
    4
    >>> days_until(WorkingDays(), date(2026, 3, 2), date(2026, 3, 7))
    5
    """
    days = max(1, calendar.working_days_between(today, planned_on))
    return days if calendar.due_on(today, days) >= planned_on else days + 1


def check_again(days: int) -> None:
    """Raise ``InputError`` for a number of working days that cannot be set when a revision is sent back."""
    if not 1 <= days <= RULE_REVISION_AGAIN.value:
        raise InputError(f"再次修订的时限为1至{RULE_REVISION_AGAIN.value}个工作日，填写的是{days}，请更正。")


def check_in_force(in_force_on: date, listed_on: date, today: date) -> None:
    """Raise ``InputError`` for a day on which the revised rule cannot have come into force: it is reported once it is
    in force, and what was in force before it was listed is what stood in the way."""
    if in_force_on > today:
        raise InputError.of("in_force_on", "施行日期不能晚于今天；尚未施行的，请在施行后报告。")
    if in_force_on < listed_on:
        raise InputError.of("in_force_on", f"施行日期不能早于报送本件的{listed_on}，请核对。")
