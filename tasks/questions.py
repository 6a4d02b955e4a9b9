"""What a story may ask, and of what shape an answer must be. Titles and descriptions are what staff read.

A question's ``refusal`` holds the rules that reach over several fields or into the case; it is asked again on our side
whatever the Prefect server has checked.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from regulation import backfill_review, liaisons, use_lists
from regulation.backfill_batches import wrong_rows
from regulation.objections import Finding, Outcome, Verdict, outcomes_for
from runtime.words import Words


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What an answer is checked against: the day of receipt, today, the bureau's finding once it is on record, the
    numbers of the lines that a department proposed, and who answers what whom has entered."""

    received_on: date
    today: date
    finding: Finding | None = None
    lines: tuple[int, ...] = ()
    officer_no: str = ""
    """Who answers."""
    entered_by: frozenset[str] = frozenset()
    """Who entered what is reviewed."""
    sample: tuple[int, ...] = ()
    """The rows of a batch that were drawn."""


class Question(BaseModel):
    """A decision point of a story."""

    model_config = ConfigDict(use_attribute_docstrings=False)

    question: ClassVar[str]
    asks: ClassVar[str]
    """The heading of the form."""

    def refusal(self, case: Circumstances) -> str | None:
        """Why this answer cannot be taken, in Chinese; ``None`` when it can."""
        return None


class InitialReview(Question):
    question = "initial-review"
    asks = "初审：受理、不予受理，还是要求补正？"

    verdict: Verdict = Field(title="初审意见")
    reason: Words = Field(
        "", title="理由或补正内容", description="不予受理须写明理由；要求补正须写明补什么", max_length=1000
    )

    def refusal(self, case: Circumstances) -> str | None:
        if self.verdict is Verdict.ACCEPT or len(self.reason) >= 5:
            return None
        if self.verdict is Verdict.DECLINE:
            return "不予受理须告知申请人理由，请在“理由或补正内容”中写明（至少5个字）。"
        return "要求补正须告知申请人补什么，请在“理由或补正内容”中写明（至少5个字）。"


class SupplementKind(StrEnum):
    RECEIVED = "已收到补正材料"
    NONE = "不再等待，按现有材料继续"


class SupplementReceived(Question):
    question = "supplement"
    asks = "等待申请人补正（申请人也可网上补正，届时自动继续）"

    kind: SupplementKind = Field(title="补正情况")
    text: Words = Field("", title="收到的材料", description="纸质或电话补正时，写明收到什么", max_length=1000)

    def refusal(self, case: Circumstances) -> str | None:
        if self.kind is SupplementKind.RECEIVED and not self.text:
            return "请在“收到的材料”中写明收到什么。"
        return None


class LetterPosted(Question):
    question = "letter-posted"
    asks = "该局没有接口，请书面发函后登记"

    letter_no: Words = Field(title="文号", min_length=2, max_length=60)
    posted_on: date = Field(title="发函日期")

    def refusal(self, case: Circumstances) -> str | None:
        if self.posted_on > case.today:
            return "发函日期不能晚于今天，请更正。"
        if self.posted_on < case.received_on:
            return f"发函日期不能早于收到异议的{case.received_on}，请更正。"
        return None


class ReplyKind(StrEnum):
    """How the wait for a bureau ended."""

    REPLIED = "replied"
    SILENT = "silent"
    REFUSED = "refused"


class VerificationReply(Question):
    question = "verification-reply"
    asks = "等待上级核实结果（接口回复自动登记；书面回复在此录入）"

    finding: Finding = Field(title="核实结论")
    content: Words = Field(title="回复内容", min_length=2, max_length=2000)
    corrected_value: Words = Field(
        "", title="正确的内容", description="原数据有误时填写上级认定的正确内容", max_length=500
    )
    reply_no: Words = Field(title="回复文号", min_length=2, max_length=60)
    replied_on: date = Field(title="回复日期")

    def refusal(self, case: Circumstances) -> str | None:
        if self.replied_on > case.today:
            return "回复日期不能晚于今天，请更正。"
        if self.finding in {Finding.WRONG, Finding.PARTLY_WRONG} and not self.corrected_value:
            return "上级认定原数据有误时，须填写“正确的内容”。"
        return None


class Remedy(StrEnum):
    """What staff can do after a bureau's platform refused a request."""

    AGAIN = "重新提出"
    LETTER = "书面发函"
    ESCALATE = "报省核实"


class RefusedRequest(Question):
    question = "refused-request"
    asks = "上级平台退回了核实需求，请决定怎么办"

    remedy: Remedy = Field(title="处理方式")


class OutcomeDecision(Question):
    question = "outcome"
    asks = "根据核实结果拟定处理结果"

    outcome: Outcome = Field(title="处理结果")
    reason: Words = Field(title="告知申请人的理由", min_length=10, max_length=1000)
    value: Words = Field("", title="更正后的内容", description="留空即采用上级认定的内容", max_length=500)

    def refusal(self, case: Circumstances) -> str | None:
        if case.finding is None:
            return "尚未登记上级核实结果，不能拟定处理结果。"
        allowed = outcomes_for(case.finding)
        if self.outcome not in allowed:
            names = "或".join(f"“{outcome}”" for outcome in sorted(allowed))
            return f"上级核实结论为“{case.finding}”，处理结果应为{names}。"
        return None


class LiaisonConfirmation(Question):
    question = "liaison-confirmation"
    asks = "确认专人备案，还是退回？"

    verdict: liaisons.Verdict = Field(title="意见")
    reason: Words = Field("", title="退回理由", description="退回须写明理由和怎样更正", max_length=1000)

    def refusal(self, case: Circumstances) -> str | None:
        if self.verdict is liaisons.Verdict.RETURN and len(self.reason) < 5:
            return "退回须告知部门理由，请在“退回理由”中写明（至少5个字）。"
        return None


class UseListReview(Question):
    question = "use-list-review"
    asks = "审核用证清单：通过、部分通过，还是不通过？"

    verdict: use_lists.Verdict = Field(title="审核意见")
    refused: Words = Field("", title="不通过的行", description="部分通过时填写行号，如：2、5-7", max_length=1000)
    reason: Words = Field("", title="理由", description="有不通过的行时须写明，将告知部门", max_length=1000)

    def refusal(self, case: Circumstances) -> str | None:
        return use_lists.review_refusal(self.verdict, self.refused, self.reason, case.lines)


class ScanAttached(Question):
    question = "scan"
    asks = "等待纸质证照的扫描件：点下面的链接签名后添加附件，添加后自动继续"

    note: Words = Field("", title="说明", description="如无法取得扫描件，请写明并转为退回", max_length=200)

    def refusal(self, case: Circumstances) -> str | None:
        return "请先在签名页添加纸质证照的扫描件，添加后自动继续，不需要在此提交。"


class BackfillReview(Question):
    question = "backfill-review"
    asks = "审核补录：对照扫描件逐项核对（须由补录人以外的工作人员审核）"

    verdict: backfill_review.Verdict = Field(title="审核意见")
    reason: Words = Field("", title="理由", description="退回或不予补录须写明哪一项不对、怎么改", max_length=1000)

    def refusal(self, case: Circumstances) -> str | None:
        if not backfill_review.may_review(case.officer_no, case.entered_by):
            return "补录人不能审核自己补录的证照，请由另一名工作人员审核，或移交办件。"
        if self.verdict is not backfill_review.Verdict.APPROVE and len(self.reason) < 5:
            return "退回或不予补录须写明理由，请在“理由”中写明哪一项不对（至少5个字）。"
        return None


class BackfillCorrection(Question):
    question = "backfill-correction"
    asks = "更正补录内容（部门也可经接口更正，届时自动继续）"

    values: Words = Field(
        title="更正的项目", description="每行一项，写作“项目：内容”；只写需要改的项目", min_length=3, max_length=4000
    )


class BatchSampleReview(Question):
    question = "batch-sample"
    asks = "抽检批量补录：将抽取的行逐一与纸质证照核对（须由报送人以外的工作人员核对）"

    wrong: Words = Field(
        title="不符的行", description="填写行号，如“12、40-42”；全部相符的填“无”", min_length=1, max_length=4000
    )

    def refusal(self, case: Circumstances) -> str | None:
        if not backfill_review.may_review(case.officer_no, case.entered_by):
            return "报送人不能抽检自己报送的批次，请由另一名工作人员核对，或移交办件。"
        try:
            wrong_rows(self.wrong, case.sample)
        except use_lists.LineNumbersError as why:
            return f"不符的行有误：{why}"
        return None
