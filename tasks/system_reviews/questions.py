"""What the review of a new system asks (Article 17)."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from regulation.limits import SYSTEM_SUPPLEMENT
from regulation.system_reviews import Verdict
from runtime.words import Words
from tasks.case.questions import Needed, Question, set_by_system


class SystemReviewOpinion(Question):
    question = "system-review"
    asks = "评审新建系统：评审通过、评审不通过，还是补充材料？（建设内容没有明确的，已由系统不予评审，不会到这里）"

    verdict: Verdict = Field(title="评审意见")
    text: Words = Field("", title="理由或补充内容", max_length=2000)

    hints: ClassVar = {
        "text": {
            Verdict.FAILED: "写明理由，会告知部门",
            Verdict.SUPPLEMENT: f"写明补什么，会告知部门；{set_by_system(SYSTEM_SUPPLEMENT)}",
        }
    }
    needs: ClassVar = {
        "text": Needed(
            "verdict",
            {Verdict.FAILED: "评审不通过须告知部门理由", Verdict.SUPPLEMENT: "补充材料须告知部门补充什么"},
        )
    }


class MaterialKind(StrEnum):
    RECEIVED = "已收到补充材料"
    NONE = "不再等待，按现有材料评审"


class MaterialReceived(Question):
    question = "system-material"
    asks = "等待部门补充材料（部门也可经接口提交新的一版，届时自动继续）"
    awaits = "部门补充材料"

    kind: MaterialKind = Field(title="补充情况")
    text: Words = Field("", title="收到的材料", description="书面补充时，写明收到什么，并在本页添加", max_length=1000)

    needs: ClassVar = {"text": Needed("kind", {MaterialKind.RECEIVED: "收到补充材料的须写明收到什么"}, 1)}
