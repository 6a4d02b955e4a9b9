"""What the rectification of a finding asks (Article 17)."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Answer, Case
from models.findings import Finding
from regulation.findings import Severity
from regulation.limits import EXTENSION_DAYS, RECTIFICATION_DAYS
from regulation.rectifications import (
    Conclusion,
    Decision,
    ExtensionVerdict,
    Response,
    Verdict,
    check_days,
    check_extension,
    suggested_days,
)
from runtime.refusals import InputError
from runtime.words import Words
from tasks.case.questions import Asked, Counted, Needed, Question

_DAYS = {severity: f"{fewest}至{most}个工作日" for severity, (fewest, most) in RECTIFICATION_DAYS.items()}


class FindingDecision(Question):
    question = "finding-decision"
    asks = "发现的问题：督促整改，还是不成立？（已按规则的建议填好，可以改）"

    decision: Decision = Field(title="处置意见")
    severity: Severity = Field(title="严重程度")
    days: Annotated[int, Counted("工作日")] = Field(title="整改时限（工作日）", ge=0, le=99)
    reason: Words = Field("", title="理由或要求", description="不要写个人信息", max_length=1000)

    hints: ClassVar = {
        "days": _DAYS,
        "reason": {Decision.DISMISS: "写明理由", Decision.RECTIFY: "所写要求会告知部门"},
    }
    needs: ClassVar = {"reason": Needed("decision", {Decision.DISMISS: "不成立须写明理由"})}

    @classmethod
    def suggested(cls, session: Session, case: Case) -> Mapping[str, Any]:
        """What the rule suggests."""
        finding = session.scalars(select(Finding).where(Finding.case_no == case.case_no)).one()
        days = suggested_days(finding.severity, finding.repeats_id is not None)
        return {"decision": Decision.RECTIFY, "severity": finding.severity, "days": days}

    def check(self, asked: Asked) -> None:
        super().check(asked)
        if self.decision is Decision.RECTIFY:
            _of_days(check_days, self.severity, self.days)


class DepartmentResponse(Question):
    question = "department-response"
    asks = "等待部门答复整改情况（部门经链接或接口答复的自动登记；书面答复在此录入，材料在本页添加）"
    awaits = "部门答复整改"

    kind: Literal[Response.DONE, Response.EXTENSION] = Field(title="部门答复")
    text: Words = Field(title="整改情况，或延期理由", min_length=5, max_length=2000)
    days: Annotated[int, Counted("工作日")] = Field(0, title="申请延期的工作日数", ge=0, le=99)

    hints: ClassVar = {"days": {Response.EXTENSION: f"填写1至{EXTENSION_DAYS.value}个工作日"}}
    needs: ClassVar = {"days": Needed("kind", {Response.EXTENSION: "申请延期的须写明天数"}, 1)}

    def check(self, asked: Asked) -> None:
        if self.kind is Response.EXTENSION:
            _of_days(check_extension, self.days, extension_asked(asked.session, asked.case.case_no))


class ExtensionDecision(Question):
    question = "extension-decision"
    asks = "部门申请延期整改：同意，还是不同意？（每件只能延期一次）"

    verdict: Literal[ExtensionVerdict.GRANT, ExtensionVerdict.REFUSE] = Field(title="意见")
    reason: Words = Field("", title="理由", max_length=1000)

    hints: ClassVar = {"reason": {ExtensionVerdict.REFUSE: "写明理由，会告知部门"}}
    needs: ClassVar = {"reason": Needed("verdict", {ExtensionVerdict.REFUSE: "不同意延期须告知部门理由"})}


class Recheck(Question):
    question = "recheck"
    asks = "复查整改情况：已整改，还是退回整改？（整改情况和材料见本页）"

    verdict: Verdict = Field(title="复查意见")
    days: Annotated[int, Counted("工作日")] = Field(0, title="再次整改的时限（工作日）", ge=0, le=99)
    reason: Words = Field("", title="理由", max_length=1000)

    hints: ClassVar = {
        "days": {Verdict.RETURNED: f"按严重程度填写，{'；'.join(f'{each}{days}' for each, days in _DAYS.items())}"},
        "reason": {Verdict.RETURNED: "写明哪里没有改到位，会告知部门"},
    }
    needs: ClassVar = {
        "reason": Needed("verdict", {Verdict.RETURNED: "退回整改须告知部门哪里没有改到位"}),
        "days": Needed("verdict", {Verdict.RETURNED: "退回整改须给出时限"}, 1),
    }

    def check(self, asked: Asked) -> None:
        super().check(asked)
        if self.verdict is Verdict.RETURNED:
            _of_days(check_days, ordered_severity(asked.session, asked.case.case_no), self.days)


class FinalStanding(Question):
    question = "final-standing"
    asks = "已提请区政府督查通报，继续跟踪：部门何时整改到位？（整改到位或转区政府督办后在此登记）"
    awaits = "通报后的整改"

    conclusion: Conclusion = Field(title="最后情况")
    reason: Words = Field(title="说明", min_length=5, max_length=1000)

    hints: ClassVar = {"reason": {Conclusion.MENDED: "写明怎样核实的", Conclusion.HANDED_OVER: "写明区政府督办的文号"}}


class LateResponse(Question):
    """What a department says once its case is on the government's list: it is kept for the officer, who is told."""

    question = "late-response"
    asks = "部门在提请督查通报后的答复"


def extension_asked(session: Session, case_no: str) -> bool:
    """Whether the department has asked for an extension before."""
    wanted = select(Answer.given).where(
        Answer.case_no == case_no, Answer.question == DepartmentResponse.question, Answer.refusal.is_(None)
    )
    return any(given["kind"] == Response.EXTENSION for given in session.scalars(wanted))


def ordered_severity(session: Session, case_no: str) -> Severity:
    """The severity that the officer decided on."""
    wanted = select(Answer.given).where(
        Answer.case_no == case_no, Answer.question == FindingDecision.question, Answer.refusal.is_(None)
    )
    return Severity(session.scalars(wanted).one()["severity"])


def _of_days(check: Callable[..., None], *given: object) -> None:
    """What a rule says of the days stands beside them."""
    try:
        check(*given)
    except InputError as why:
        raise InputError.of("days", str(why)) from None
