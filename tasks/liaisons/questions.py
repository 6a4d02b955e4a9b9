"""What the filing of a liaison officer asks (Article 13)."""

from typing import ClassVar

from pydantic import Field

from regulation.liaisons import Verdict
from runtime.words import Words
from tasks.case.questions import Needed, Question


class LiaisonConfirmation(Question):
    question = "liaison-confirmation"
    asks = "确认专人备案，还是退回？"

    verdict: Verdict = Field(title="意见")
    reason: Words = Field("", title="退回理由", max_length=1000)

    hints: ClassVar = {"reason": {Verdict.RETURN: "写明理由和怎样更正，会告知部门"}}
    needs: ClassVar = {"reason": Needed("verdict", {Verdict.RETURN: "退回须告知部门理由"})}
