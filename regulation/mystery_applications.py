"""Mystery applications (模拟办事, Article 17): what came back of a call that was tried, and whose fault it was.

第十七条：综合管理单位应当通过随机抽查、模拟办事、电子督查等方式对电子证照使用部门的电子证照管理工作进行日常监督……
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from regulation.service_guides import TRIAL_ACCESS, TRIAL_ENTRY, Wrong


class CallOutcome(StrEnum):
    """What came back. The values are what people read."""

    OK = "成功"
    REFUSED = "被拒绝"
    ERROR = "未能答复"
    NO_APPLICATION = "没有应用"


LIAISON_ARTICLE = 13


def outcome_of(status: int | None) -> CallOutcome:
    """What an HTTP status means; ``None``: nothing came back.

    Too many calls (429) and trouble of the server's (5xx) are no refusal of what was asked.

    >>> [outcome_of(status).value for status in (200, 403, 401, 429, 503, None)]
    ['成功', '被拒绝', '被拒绝', '未能答复', '未能答复', '未能答复']
    """
    if status is None or status == 429 or status >= 500:
        return CallOutcome.ERROR
    return CallOutcome.OK if status == 200 else CallOutcome.REFUSED


@dataclass(frozen=True, slots=True)
class Tried:
    """How the calls of an entry of the use list ended: with the last of its steps, or with the one that failed."""

    entry: str
    """The item's code, the type and the scenario, as people read them."""
    step: str
    outcome: CallOutcome
    status: int | None
    article: int | None
    said: str

    @property
    def keeps_everybody_out(self) -> bool:
        """Whether it is the department that is refused, whatever it asks for: it has no application, its application
        is not let in (401), or it has no liaison officer on file (Article 13)."""
        return self.outcome is CallOutcome.NO_APPLICATION or (
            self.outcome is CallOutcome.REFUSED and (self.status == 401 or self.article == LIAISON_ARTICLE)
        )


def judge(tried: Sequence[Tried]) -> list[Wrong]:
    """What is wrong with a department's use list in practice, from how its entries went.

    What keeps everybody of a department out is one finding about the department. An entry that is refused what the list
    grants is one about the entry. A call that was not answered is no fault of the department's: the interface is ours.

    >>> entry = Tried("i 身份证（窗口受理）", "查询", CallOutcome.REFUSED, 404, None, "没有这件证照。")
    >>> [(wrong.rule.code, wrong.subject) for wrong in judge([entry])]
    [('trial-entry', 'i 身份证（窗口受理）')]
    >>> judge([Tried("i 身份证（窗口受理）", "查询", CallOutcome.ERROR, 503, None, "")])
    []
    """
    out = [each for each in tried if each.keeps_everybody_out]
    found = []
    if out:
        why = out[0].said or "本部门没有登记调用用证接口的应用。"
        facts = (
            f"模拟办事试用{len(tried)}个用证清单条目，其中{len(out)}个不能用证：{why}窗口无法用证，只能收取纸质证照。"
        )
        found.append(Wrong(TRIAL_ACCESS, "", facts))
    for each in tried:
        if each.outcome is CallOutcome.REFUSED and not each.keeps_everybody_out:
            facts = f"用证清单允许“{each.entry}”用证，模拟办事在“{each.step}”一步被拒绝：{each.said}"
            found.append(Wrong(TRIAL_ENTRY, each.entry, facts))
    return found
