"""What the revision of an internal rule asks (Article 16)."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from models.cases import Case
from models.rule_revisions import RuleRevision
from regulation.limits import RULE_REVISION_AGAIN
from regulation.rule_revisions import Check, Verdict, check_again, check_in_force
from runtime.refusals import InputError
from runtime.words import Words
from tasks.case.questions import Asked, Counted, Needed, Question


class RevisionConfirmation(Question):
    question = "revision-confirmation"
    asks = "部门报送的制度障碍：确认并跟踪修订，还是退回？"

    verdict: Verdict = Field(title="意见")
    reason: Words = Field("", title="退回理由", max_length=1000)

    hints: ClassVar = {"reason": {Verdict.RETURN: "写明理由和怎样更正，会告知部门"}}
    needs: ClassVar = {"reason": Needed("verdict", {Verdict.RETURN: "退回须告知部门理由"})}

    def check(self, asked: Asked) -> None:
        super().check(asked)
        planned_on = asked.session.get_one(RuleRevision, asked.case.case_no).planned_on
        if self.verdict is not Verdict.RETURN and planned_on <= asked.today:
            why = f"计划修订日期{planned_on}已到，不能再按它跟踪，请退回，由部门另定日期后重新报送。"
            raise InputError.of("verdict", why)


class RevisionReport(Question):
    question = "revision-report"
    asks = "等待部门报告修订完成（部门经链接或接口报告的自动登记；书面报告在此录入，文件在本页添加）"
    awaits = "部门报告修订"

    document_no: Words = Field(title="修订后的文号", min_length=2, max_length=60)
    in_force_on: date = Field(title="施行日期")
    text: Words = Field("", title="说明", max_length=1000)

    @classmethod
    def allowed_days(cls, session: Session, case: Case, today: date) -> Mapping[str, tuple[date | None, date | None]]:
        return {"in_force_on": (case.received_on, today)}

    def check(self, asked: Asked) -> None:
        try:
            check_in_force(self.in_force_on, asked.case.received_on, asked.today)
        except InputError as why:
            raise InputError.of("in_force_on", str(why)) from None


class RevisionCheck(Question):
    question = "revision-check"
    asks = "核对修订：对照修订后的文件（见本页），妨碍的条款是否已经修订？"

    verdict: Check = Field(title="意见")
    days: Annotated[int, Counted("工作日")] = Field(0, title="再次修订的时限（工作日）", ge=0, le=99)
    reason: Words = Field("", title="退回理由", max_length=1000)

    hints: ClassVar = {
        "days": {Check.RETURN: f"填写1至{RULE_REVISION_AGAIN.value}个工作日"},
        "reason": {Check.RETURN: "写明哪里没有修订到位，会告知部门"},
    }
    needs: ClassVar = {
        "reason": Needed("verdict", {Check.RETURN: "退回须告知部门哪里没有修订到位"}),
        "days": Needed("verdict", {Check.RETURN: "退回须给出再次修订的时限"}, 1),
    }

    def check(self, asked: Asked) -> None:
        super().check(asked)
        if self.verdict is Check.RETURN:
            try:
                check_again(self.days)
            except InputError as why:
                raise InputError.of("days", str(why)) from None


class RuleRevisionForm(BaseModel):
    """One clause of an internal rule or a process, and by when it is to be revised."""

    model_config = ConfigDict(title="制度修订", extra="forbid")

    document: Annotated[Words, Field(title="文件或流程名称", min_length=2, max_length=200)]
    clause: Annotated[Words, Field(title="条款或环节", min_length=1, max_length=200)]
    article: Annotated[int, Field(title="妨碍本办法第几条", ge=1, le=19)]
    why: Annotated[Words, Field(title="怎样妨碍电子证照应用", min_length=5, max_length=1000)]
    planned_on: Annotated[date, Field(title="计划修订日期")]
