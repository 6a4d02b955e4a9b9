"""What the story of objections that were handed in together asks (Article 12)."""

from pydantic import Field

from regulation.objection_batches import BatchVerdict, apart_rows
from regulation.use_lists import LineNumbersError
from runtime.words import Words
from tasks.objection_batch_rows import resting_rows
from tasks.objection_questions import LetterPosted
from tasks.questions import Asked, Question


class BatchReview(Question):
    question = "batch-review"
    asks = "批量初审：没有系统提示的各件是否一并受理？有提示的各件已各自转入初审"

    verdict: BatchVerdict = Field(title="初审意见")
    apart: Words = Field(
        "", title="另行逐件初审的行", description="表格中的行号，如“12、40-42”；没有的不填", max_length=4000
    )

    def refusal(self, asked: Asked) -> str | None:
        try:
            apart_rows(self.apart, set(resting_rows(asked.session, asked.case.case_no)))
        except LineNumbersError as why:
            return f"另行逐件初审的行有误：{why}"
        return None


class BatchLetterPosted(LetterPosted):
    question = "batch-letter"
    asks = "该局没有接口，请将清单（见附件）一并书面发函后登记"
