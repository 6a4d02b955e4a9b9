"""Rectification (督促整改, Article 17): its stages, how long a department is given, and when it has failed.

第十七条：综合管理单位应当通过随机抽查、模拟办事、电子督查等方式对电子证照使用部门的电子证照管理工作进行日常监督，发现问题的，
及时督促整改。
"""

from enum import StrEnum

from regulation.findings import Severity
from regulation.limits import EXTENSION_DAYS, FAILURES_BEFORE_ESCALATION, RECTIFICATION_DAYS
from regulation.stages import Stages
from runtime.refusals import InputError


class Stage(StrEnum):
    """Where a finding's case stands. The values are what people read."""

    FOUND = "待处置"
    DISMISSED = "不成立"
    GONE = "原因已自行消除"
    """The cause was gone before anybody had decided."""
    MENDING = "整改中"
    RECHECK = "待复查"
    MENDED = "已整改"
    ESCALATED = "提请区政府督查通报"
    HANDED_OVER = "转区政府督办"


class Decision(StrEnum):
    """What an officer makes of a finding."""

    RECTIFY = "督促整改"
    DISMISS = "不成立"


class Response(StrEnum):
    """How the wait for a department ended."""

    DONE = "整改情况"
    EXTENSION = "申请延期"
    SILENT = "逾期未答复"
    """Recorded by the watch over time limits."""


class ExtensionVerdict(StrEnum):
    GRANT = "同意延期"
    REFUSE = "不同意延期"
    MOOT = "已答复整改情况，不再需要"
    """The department has answered while its request was looked at."""


class Verdict(StrEnum):
    """What a recheck comes to."""

    MENDED = "已整改"
    RETURNED = "退回整改"


class Conclusion(StrEnum):
    """How an escalated case ends."""

    MENDED = "已整改"
    HANDED_OVER = "转区政府督办办结"


STAGES = Stages(
    "督促整改",
    {
        Stage.FOUND: {Stage.DISMISSED, Stage.GONE, Stage.MENDING},
        Stage.MENDING: {Stage.RECHECK, Stage.MENDING, Stage.ESCALATED},
        Stage.RECHECK: {Stage.MENDED, Stage.MENDING, Stage.ESCALATED},
        Stage.ESCALATED: {Stage.MENDED, Stage.HANDED_OVER},
    },
)
"""From "整改中" to itself it goes when a limit passed in silence and another is set."""


def bounds(severity: Severity) -> tuple[int, int]:
    """The fewest and the most working days that a department is given for a finding of this severity.

    The measures say 及时 (promptly) and no number: the Center sets them.

    >>> bounds(Severity.SEVERE)
    (3, 5)
    """
    return RECTIFICATION_DAYS[severity]


def suggested_days(severity: Severity, repeated: bool) -> int:
    """The working days that are suggested: the most that the severity allows, the fewest for what came back.

    >>> suggested_days(Severity.MAJOR, repeated=False), suggested_days(Severity.MAJOR, repeated=True)
    (10, 5)
    """
    fewest, most = bounds(severity)
    return fewest if repeated else most


def check_days(severity: Severity, days: int) -> None:
    """Raise ``InputError`` for a number of working days that this severity does not allow."""
    fewest, most = bounds(severity)
    if not fewest <= days <= most:
        raise InputError(f"“{severity}”的问题整改时限为{fewest}至{most}个工作日，填写的是{days}，请更正。")


def check_extension(days: int, asked_before: bool) -> None:
    """Raise ``InputError`` for an extension that cannot be asked for: a second one, or one of too many days."""
    if asked_before:
        raise InputError("本件已经申请过一次延期；每件只能申请一次，请在截止日前答复整改情况。")
    if not 1 <= days <= EXTENSION_DAYS.value:
        raise InputError.of("days", f"延期为1至{EXTENSION_DAYS.value}个工作日，填写的是{days}，请更正。")


def is_escalated(failures: int) -> bool:
    """Whether so many failures (silence, or a recheck that found the cause again) bring the case to the district
    government's list.

    >>> is_escalated(1), is_escalated(2)
    (False, True)
    """
    return failures >= FAILURES_BEFORE_ESCALATION.value
