"""What the review of a use-list proposal asks (Article 9)."""

from typing import ClassVar

from pydantic import Field
from sqlalchemy import select

from models.use_lists import ProposedLine
from regulation.use_lists import Verdict, lines_refusal
from runtime.refusals import InputError
from runtime.words import Words
from tasks.case.questions import Asked, Needed, Question


class UseListReview(Question):
    question = "use-list-review"
    asks = "审核用证清单：通过、部分通过，还是不通过？"

    verdict: Verdict = Field(title="审核意见")
    refused: Words = Field("", title="不通过的行", max_length=1000)
    reason: Words = Field("", title="理由", max_length=1000)

    hints: ClassVar = {
        "refused": {Verdict.PART: "填写行号，如：2、5-7"},
        "reason": dict.fromkeys((Verdict.PART, Verdict.NONE), "写明理由，会告知部门"),
    }
    needs: ClassVar = {
        "refused": Needed("verdict", {Verdict.PART: "部分通过须列出不通过的行"}, 1),
        "reason": Needed("verdict", dict.fromkeys((Verdict.PART, Verdict.NONE), "不通过须告知部门理由")),
    }

    def check(self, asked: Asked) -> None:
        wanted = select(ProposedLine.line).where(ProposedLine.case_no == asked.case.case_no)
        lines = tuple(asked.session.scalars(wanted))
        if why := lines_refusal(self.verdict, self.refused, lines):
            raise InputError.of("refused", why)
        super().check(asked)
