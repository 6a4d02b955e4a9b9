"""What the backfill of one paper certificate and of a batch asks (Article 11)."""

from datetime import date
from typing import ClassVar

from pydantic import Field
from sqlalchemy.orm import Session

from models.backfill_batches import BackfillBatch
from models.cases import Case
from models.organisations import Officer
from regulation.backfill.batches import wrong_rows
from regulation.backfill.review import Verdict, may_review
from regulation.limits import BACKFILL_CORRECTION
from regulation.use_lists import LineNumbersError
from runtime.refusals import InputError, RefusalError
from runtime.words import Words
from tasks.backfill.entries import correction_refusal
from tasks.case.hand_over import entered_by
from tasks.case.questions import Asked, Needed, Question, set_by_system


class ScanAttached(Question):
    question = "scan"
    asks = "等待纸质证照的扫描件：在本页添加附件，添加后自动继续"
    awaits = "窗口添加扫描件"
    by_files = True

    note: Words = Field("", title="说明", max_length=200)

    @classmethod
    def check_officer(cls, session: Session, officer: Officer, case: Case, today: date) -> None:
        """Whoever entered a paper adds its scan, too."""
        if officer.staff_no not in entered_by(session, case.case_no):
            super().check_officer(session, officer, case, today)

    def check(self, asked: Asked) -> None:
        raise RefusalError("请先添加纸质证照的扫描件，添加后自动继续，不需要在此提交。")


class BackfillReview(Question):
    question = "backfill-review"
    asks = "审核补录：对照扫描件逐项核对（须由补录人以外的工作人员审核）"
    second = "补录人以外的工作人员"

    verdict: Verdict = Field(title="审核意见")
    reason: Words = Field("", title="理由", max_length=1000)

    hints: ClassVar = {
        "reason": {
            Verdict.RETURN: f"写明哪一项不对、怎么改，会告知部门；{set_by_system(BACKFILL_CORRECTION)}",
            Verdict.REFUSE: "写明哪一项不对，会告知部门",
        }
    }
    needs: ClassVar = {
        "reason": Needed("verdict", dict.fromkeys((Verdict.RETURN, Verdict.REFUSE), "退回或不予补录须写明哪一项不对"))
    }

    @classmethod
    def check_officer(cls, session: Session, officer: Officer, case: Case, today: date) -> None:
        """Whoever entered a paper does not review it, whoever they are."""
        if not may_review(officer.staff_no, entered_by(session, case.case_no)):
            raise RefusalError("补录人不能审核自己补录的证照，请由另一名工作人员审核，或移交办件。")
        super().check_officer(session, officer, case, today)


class BackfillCorrection(Question):
    question = "backfill-correction"
    asks = "更正补录内容（部门也可经接口更正，届时自动继续）"
    awaits = "补录人更正"

    values: Words = Field(
        title="更正的项目", description="每行一项，写作“项目：内容”；只写需要改的项目", min_length=3, max_length=4000
    )

    @classmethod
    def check_officer(cls, session: Session, officer: Officer, case: Case, today: date) -> None:
        """Whoever entered a paper corrects it, though the case is its reviewer's."""
        if officer.staff_no not in entered_by(session, case.case_no):
            super().check_officer(session, officer, case, today)

    def check(self, asked: Asked) -> None:
        if why := correction_refusal(asked.session, asked.case, self.values):
            raise InputError.of("values", why)


class BatchSampleReview(Question):
    question = "batch-sample"
    second = "报送人以外的工作人员"
    asks = "抽检批量补录：将抽取的行逐一与纸质证照核对（须由报送人以外的工作人员核对）"

    wrong: Words = Field(
        title="不符的行", description="填写行号，如“12、40-42”；全部相符的填“无”", min_length=1, max_length=4000
    )

    def check(self, asked: Asked) -> None:
        if not may_review(asked.officer_no, entered_by(asked.session, asked.case.case_no)):
            raise RefusalError("报送人不能抽检自己报送的批次，请由另一名工作人员核对，或移交办件。")
        sample = asked.session.get_one(BackfillBatch, asked.case.case_no).sample
        try:
            wrong_rows(self.wrong, tuple(sample or ()))
        except LineNumbersError as why:
            raise InputError.of("wrong", f"不符的行有误：{why}") from None
