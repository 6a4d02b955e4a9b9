"""What the filing of a liaison officer asks (Article 13)."""

from pydantic import Field

from regulation.liaisons import Verdict
from runtime.words import Words
from tasks.case.questions import Asked, Question


class LiaisonConfirmation(Question):
    question = "liaison-confirmation"
    asks = "确认专人备案，还是退回？"

    verdict: Verdict = Field(title="意见")
    reason: Words = Field("", title="退回理由", description="退回须写明理由和怎样更正", max_length=1000)

    def refusal(self, asked: Asked) -> str | None:
        if self.verdict is Verdict.RETURN and len(self.reason) < 5:
            return "退回须告知部门理由，请在“退回理由”中写明（至少5个字）。"
        return None
