"""Random spot checks (随机抽查, Article 17): what may be drawn, what is checked, and how rounds and results stand.

第十七条：综合管理单位应当通过随机抽查、模拟办事、电子督查等方式对电子证照使用部门的电子证照管理工作进行日常监督，发现问题的，
及时督促整改。

Objects and inspectors are both drawn (双随机): ``regulation.spot_check_draws``.
"""

import re
from collections.abc import Collection, Iterable
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

from regulation.findings import FindingRule, Severity, Source
from regulation.limits import SPOT_CHECK_RATE, SPOT_CHECK_TEAM
from regulation.spot_check_draws import ListedItem
from regulation.stages import Stages
from runtime.refusals import InputError


class Stage(StrEnum):
    """Where a round stands. The values are what people read."""

    FROZEN = "待公布承诺"
    COMMITTED = "待抽取"
    DRAWN = "待分组"
    CHECKING = "检查中"
    CHECKED = "待公布结果"
    PUBLISHED = "结果已公布"


STAGES = Stages("抽查", {now: {to} for now, to in pairwise(Stage)})
"""A round goes through its stages in order."""


class ObjectKind(StrEnum):
    """What can be drawn. The values are what people read."""

    USE = "用证"
    """A department's certificate uses in one service item over the period."""
    ENTRY = "用证清单条目"
    BACKFILL = "补录证照"
    """A paper certificate, or a batch of them, that was backfilled in the period, by its case."""


class CheckResult(StrEnum):
    """What inspectors say of an object under one check item."""

    PASSED = "合格"
    FAILED = "不合格"
    NOT_APPLICABLE = "不适用"


class TeamStage(StrEnum):
    """Where a team's results stand."""

    CHECKING = "待登记"
    ENTERED = "待确认"
    CONFIRMED = "已确认"


class Fault(StrEnum):
    """What a check item that was not passed shows. The values are what people read."""

    USE = "用证没有对应的业务办件"
    LOG = "用证的日志记录不全"
    PAPER = "能用电子证照仍要求纸质证照"
    LIST = "实际用证与用证清单不一致"
    PRESENTATION = "应当接受移动端亮证而未接受"
    COPY = "以截图、复印件等代替电子证照"
    BACKFILL = "补录内容与纸质证照不一致"
    KEEPING = "补录的扫描件未按规定保管"


def _rule(code: str, fault: Fault, article: int, severity: Severity) -> FindingRule:
    return FindingRule(f"spot-check-{code}", fault, article, severity, Source.SPOT_CHECK, False)


RULE_OF = {
    Fault.USE: _rule("use", Fault.USE, 6, Severity.SEVERE),
    Fault.LOG: _rule("log", Fault.LOG, 14, Severity.MAJOR),
    Fault.PAPER: _rule("paper", Fault.PAPER, 8, Severity.MAJOR),
    Fault.LIST: _rule("list", Fault.LIST, 9, Severity.MAJOR),
    Fault.PRESENTATION: _rule("presentation", Fault.PRESENTATION, 10, Severity.MAJOR),
    Fault.COPY: _rule("copy", Fault.COPY, 11, Severity.MAJOR),
    Fault.BACKFILL: _rule("backfill", Fault.BACKFILL, 11, Severity.SEVERE),
    Fault.KEEPING: _rule("keeping", Fault.KEEPING, 15, Severity.MINOR),
}
RULES = tuple(RULE_OF.values())
"""What a check item that was not passed becomes: a person checked, so no program can look again."""


def _item(code: str, title: str, how: str, kinds: Iterable[ObjectKind], fault: Fault) -> ListedItem:
    rule = RULE_OF[fault]
    return ListedItem(code, title, rule.article, how, tuple(kinds), rule.code)


CHECK_ITEMS = (
    _item(
        "SC-01",
        "每次用证都有对应的业务办件",
        "从日志中取用证若干次，逐次核对业务编号在部门业务系统中存在，且与持证主体相符",
        [ObjectKind.USE],
        Fault.USE,
    ),
    _item(
        "SC-02",
        "部门业务系统留有用证全过程日志",
        "在部门业务系统中查同一次用证的操作人、时间、用途是否可查",
        [ObjectKind.USE],
        Fault.LOG,
    ),
    _item(
        "SC-03",
        "没有再要求提供同一证照的纸质件",
        "抽看业务档案和办事指南，有无可由电子证照代替的纸质件",
        [ObjectKind.USE, ObjectKind.ENTRY],
        Fault.PAPER,
    ),
    _item(
        "SC-04",
        "实际场景、内容与用证清单一致",
        "对照清单看窗口和网上办理实际查阅的内容",
        [ObjectKind.ENTRY],
        Fault.LIST,
    ),
    _item(
        "SC-05",
        "清单承诺的移动端亮证能够办理",
        "在窗口以移动端亮证试办；清单未承诺的填不适用",
        [ObjectKind.ENTRY],
        Fault.PRESENTATION,
    ),
    _item(
        "SC-06",
        "没有以截图、复印件等代替电子证照",
        "抽看业务档案中的证照材料来源",
        [ObjectKind.USE, ObjectKind.ENTRY],
        Fault.COPY,
    ),
    _item(
        "SC-07",
        "补录内容与纸质证照一致",
        "对照原件或扫描件逐项核对；批量的按行抽核",
        [ObjectKind.BACKFILL],
        Fault.BACKFILL,
    ),
    _item("SC-08", "扫描件清晰完整、按规定保管", "查看扫描件及其存放和权限", [ObjectKind.BACKFILL], Fault.KEEPING),
)
"""The list of check items (抽查事项清单) that an installation begins with; staff keep it up."""


def quarter_of(day: date) -> str:
    """The quarter of a day as people write it.

    >>> quarter_of(date(2026, 4, 1))
    '2026年第2季度'
    """
    return f"{day.year}年第{(day.month + 2) // 3}季度"


def quarter_before(day: date) -> tuple[date, date]:
    """The first and the last day of the quarter before the one of ``day``, which a scheduled round looks at.

    >>> quarter_before(date(2026, 1, 5)), quarter_before(date(2026, 8, 3))[1]
    ((datetime.date(2025, 10, 1), datetime.date(2025, 12, 31)), datetime.date(2026, 6, 30))
    """
    begins = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    last = begins - timedelta(days=1)
    return date(last.year, last.month - 2, 1), last


def check_round(period_from: date, period_until: date, rate: int, today: date) -> None:
    """Raise ``InputError`` for a period that cannot be looked at and a rate (per ten thousand) below the floor.

    >>> check_round(date(2026, 1, 1), date(2026, 3, 31), 500, date(2026, 4, 1))
    """
    if period_until < period_from:
        raise InputError("抽查期间的结束日早于开始日，请更正。")
    if period_until >= today:
        raise InputError(f"抽查期间须已结束，结束日应早于今天（{today}），请更正。")
    if rate < SPOT_CHECK_RATE.value:
        raise InputError(f"抽查比例不得低于{SPOT_CHECK_RATE.value / 100:g}%（{SPOT_CHECK_RATE.source}），请更正。")


_PERSONAL_NUMBER = re.compile(r"(?<![0-9])(?:1[3-9][0-9]{9}|[0-9]{15}|[0-9]{17}[0-9Xx])(?![0-9])")
"""A mobile telephone number, or an identity number of 15 or 18 places."""


def note_refusal(result: CheckResult, note: str) -> str | None:
    """Why a note cannot stand with a result, in Chinese; ``None`` when it can. It goes to the department and must name
    nobody: what looks like a telephone or identity number is refused.

    >>> note_refusal(CheckResult.PASSED, "")
    >>> note_refusal(CheckResult.FAILED, "")
    '不合格须写明情况（至少5个字）'
    >>> note_refusal(CheckResult.PASSED, "张某 330621199001011234")
    '情况说明中不能有电话号码、身份号码，请改写业务编号'
    """
    if result is not CheckResult.PASSED and len(note) < 5:
        return f"{result}须写明情况（至少5个字）"
    if _PERSONAL_NUMBER.search(note):
        return "情况说明中不能有电话号码、身份号码，请改写业务编号"
    return None


def may_confirm(officer_no: str, entered_by: str, team: Collection[str]) -> bool:
    """Whether somebody may confirm what a colleague entered: both of a team sign, each once.

    >>> may_confirm("KQ002", "KQ001", ("KQ001", "KQ002")), may_confirm("KQ001", "KQ001", ("KQ001", "KQ002"))
    (True, False)
    """
    return officer_no in team and officer_no != entered_by and len(team) == SPOT_CHECK_TEAM.value
