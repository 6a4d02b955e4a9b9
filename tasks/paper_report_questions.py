"""What the report of a citizen asks (Articles 8, 10, 11)."""

from pydantic import Field
from sqlalchemy.orm import Session

from models.certificates import CertificateType
from models.paper_reports import PaperReport
from regulation.paper_reports import Verdict
from regulation.service_guides import excuse
from runtime.words import Words
from tasks.catalogue import find_type
from tasks.questions import Asked, Question
from tasks.service_guides import known_on
from tasks.use_requests import Plain


class PaperReportVerdict(Question):
    question = "paper-report-verdict"
    asks = "核实群众反映：属实吗？"

    verdict: Verdict = Field(title="核实结果")
    item_code: Words = Field(
        "", title="事项编码", description="属实时填写", max_length=60, pattern=r"^[0-9A-Za-z._/-]*$"
    )
    certificate_type: Words = Field("", title="证照类型", description="属实时填写，目录中的名称或代码", max_length=60)
    reason: Plain = Field(
        "", title="说明", description="怎样核实的、为什么不属实；会告知反映人，不要写入个人信息", max_length=1000
    )

    def refusal(self, asked: Asked) -> str | None:
        if len(self.reason) < 5:
            return "核实结果会告知反映人，请在“说明”中写明怎样核实的（至少5个字）。"
        if self.verdict is Verdict.REJECT:
            return None
        if not self.item_code:
            return "属实的要通报部门整改，请填写事项编码。"
        kind = self.kind(asked.session)
        if kind is None:
            return "属实的要通报部门整改，请填写证照目录中的证照类型；目录中没有的，不属于第八条所说的情形。"
        report = asked.session.get_one(PaperReport, asked.case.case_no)
        known = known_on(asked.session, report.happened_on)(report.department_uscc)
        why_not = excuse(report.demand, kind.code, self.item_code, known)
        return f"不能列为部门的问题：{why_not}。请选“不属实”，并向反映人说明。" if why_not else None

    def kind(self, session: Session) -> CertificateType | None:
        """The type of the catalogue that is meant."""
        return find_type(session, self.certificate_type) if self.certificate_type else None
