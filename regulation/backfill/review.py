"""The stages of a paper certificate's backfill (Article 11), and who may review it.

第十一条：老版纸质证照应当在办理相关业务时予以信息补录，完成证照电子化。
"""

from enum import StrEnum

from regulation.stages import Stages


class Stage(StrEnum):
    """Where a backfill stands. The values are what people read."""

    ENTERED = "待审核"
    RETURNED = "待更正"
    REGISTERED = "已入库"
    REFUSED = "不予补录"


class Verdict(StrEnum):
    """What the second officer says who has compared the entry with the scan."""

    APPROVE = "通过"
    RETURN = "退回更正"
    REFUSE = "不予补录"


STAGES = Stages(
    "补录",
    {
        Stage.ENTERED: {Stage.RETURNED, Stage.REGISTERED, Stage.REFUSED},
        Stage.RETURNED: {Stage.ENTERED},
    },
)


def may_review(reviewer: str, entered_by: frozenset[str]) -> bool:
    """Whether somebody may review what these people entered: never their own (a second pair of eyes).

    >>> may_review("KQ002", frozenset({"KQ001"})), may_review("KQ001", frozenset({"KQ001"}))
    (True, False)
    """
    return reviewer not in entered_by
