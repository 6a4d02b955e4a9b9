"""What supervision finds (Article 17): its sources, how severe it is, and the rules that find it.

第十七条：综合管理单位应当通过随机抽查、模拟办事、电子督查等方式对电子证照使用部门的电子证照管理工作进行日常监督，发现问题的，及时督促整改。
"""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How severe a finding is; the values are what people read, the mildest first."""

    MINOR = "一般"
    MAJOR = "较重"
    SEVERE = "严重"


class Source(StrEnum):
    """How a finding came about: the three ways of Article 17 first."""

    SPOT_CHECK = "随机抽查"
    MYSTERY = "模拟办事"
    ONLINE = "电子督查"
    VISIT = "现场体验"
    CITIZEN = "群众反映"
    GO_LIVE = "上线核对"


@dataclass(frozen=True, slots=True)
class FindingRule:
    """What is looked for: the article that is broken, how severe that is the first time, and whether a program can look
    again (``rerun``) or a person has to."""

    code: str
    title: str
    article: int
    severity: Severity
    source: Source
    rerun: bool


def severity_of(rule: FindingRule, repeated: bool) -> Severity:
    """How severe a finding is: one step more than the rule says when the same was found before (internal rule).

    >>> rule = FindingRule("liaison-missing", "未备案专人", 13, Severity.MINOR, Source.ONLINE, True)
    >>> str(severity_of(rule, repeated=False)), str(severity_of(rule, repeated=True))
    ('一般', '较重')
    """
    scale = list(Severity)
    return scale[min(scale.index(rule.severity) + repeated, len(scale) - 1)]
