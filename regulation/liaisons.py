"""Liaison officers (Article 13): the stages of a filing, and how long whom it replaces stays on file.

第十三条：电子证照使用部门应当结合本单位实际，指定专人负责电子证照管理工作，并向综合管理单位备案。
"""

from datetime import date, timedelta
from enum import StrEnum

from regulation.limits import LIAISON_OVERLAP, LIAISON_REMINDER
from regulation.stages import Stages
from runtime.refusals import InputError


class Stage(StrEnum):
    """Where a filing stands. The values are what people read."""

    FILED = "待确认"
    ON_FILE = "已备案"
    RETURNED = "已退回"


class Verdict(StrEnum):
    """What staff say of a filing."""

    CONFIRM = "确认"
    RETURN = "退回"


STAGES = Stages("备案", {Stage.FILED: {Stage.ON_FILE, Stage.RETURNED}})
"""A filing is decided once."""


def check_last_day(last_on: date, filed_on: date, handed_over: bool) -> None:
    """Raise ``InputError`` for a last day that has passed, or an overlap longer than ``LIAISON_OVERLAP``.

    The overlap runs from the confirmation, which is not earlier than the filing: counted from the filing it is kept
    whenever staff confirm.
    """
    if last_on < filed_on:
        raise InputError(f"最后在册日{last_on}已过，请填今天（{filed_on}）或以后的日期，或留空（以确认之日为准）。")
    longest = filed_on + timedelta(days=LIAISON_OVERLAP.value)
    if handed_over and last_on > longest:
        raise InputError(f"新旧专人并存最长{LIAISON_OVERLAP.value}天，最后在册日不能晚于{longest}，请更正。")


def last_day(asked: date | None, confirmed_on: date) -> date:
    """The last day on file, itself included, of whom a confirmed filing replaces or ends.

    Nobody goes off the file in retrospect: what was done on a day with somebody on file stays right.

    >>> last_day(None, date(2026, 3, 2)), last_day(date(2026, 2, 27), date(2026, 3, 2))
    (datetime.date(2026, 3, 2), datetime.date(2026, 3, 2))
    """
    return max(asked or confirmed_on, confirmed_on)


def is_due_for_reminder(reminded_on: date | None, today: date) -> bool:
    """Whether a department that has nobody on file is reminded today, once in ``LIAISON_REMINDER`` days.

    >>> is_due_for_reminder(date(2026, 3, 2), date(2026, 3, 8)), is_due_for_reminder(date(2026, 3, 2), date(2026, 3, 9))
    (False, True)
    """
    return reminded_on is None or today - reminded_on >= timedelta(days=LIAISON_REMINDER.value)
