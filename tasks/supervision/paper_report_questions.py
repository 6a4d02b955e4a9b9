"""What the report of a citizen asks (Articles 8, 10, 11)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from models.cases import Case
from models.paper_reports import PaperReport
from regulation.paper_reports import Verdict
from regulation.service_guides import Demand, excuse
from runtime.contacts import PHONE, AddressOrNothing
from runtime.refusals import InputError
from runtime.words import Plain, Words
from tasks.case.questions import Asked, Needed, Question
from tasks.guides.guides import known_on
from tasks.guides.items import item_meant, item_names
from tasks.register.types import type_named, type_names


class PaperReportVerdict(Question):
    question = "paper-report-verdict"
    asks = "核实群众反映：属实吗？"

    verdict: Verdict = Field(title="核实结果")
    item_code: Words = Field("", title="事项", max_length=60)
    certificate_type: Words = Field("", title="证照类型", max_length=60)
    basis: Words = Field(
        "",
        title="指南外事项的依据（如权责清单）",
        max_length=120,
    )
    # What it is for stands in the title: the form is to be in sight as a whole.
    reason: Plain = Field("", title="说明（会告知反映人，不要写入个人信息）", max_length=1000)

    hints: ClassVar = {
        "item_code": {Verdict.CONFIRM: "从列表中选，或填编码、名称的一部分"},
        "certificate_type": {Verdict.CONFIRM: "从列表中选，或填名称的一部分、代码"},
    }
    needs: ClassVar = {
        "reason": Needed("verdict", dict.fromkeys(Verdict, "核实结果会告知反映人怎样核实的")),
        "item_code": Needed("verdict", {Verdict.CONFIRM: "属实的要通报部门整改"}, 1),
        "certificate_type": Needed(
            "verdict",
            {Verdict.CONFIRM: "属实的要通报部门整改，须是证照目录中的证照类型（目录中没有的，不属于第八条所说的情形）"},
            1,
        ),
    }

    @classmethod
    def known(cls, session: Session, case: Case) -> Mapping[str, Sequence[str]]:
        department = session.get_one(PaperReport, case.case_no).department_uscc
        types = sorted(type_names(session).values())
        return {"item_code": item_names(session, department), "certificate_type": types}

    def check(self, asked: Asked) -> None:
        super().check(asked)
        if self.verdict is Verdict.REJECT:
            return
        report = asked.session.get_one(PaperReport, asked.case.case_no)
        wrong = {}
        try:
            item_code = item_meant(asked.session, self.item_code, report.department_uscc, self.basis)
        except InputError as why:
            wrong["item_code"] = str(why)
        try:
            kind = type_named(asked.session, self.certificate_type)
        except InputError as why:
            wrong["certificate_type"] = f"{why}目录中没有的证照，不属于第八条所说的情形。"
        if wrong:
            raise InputError("".join(wrong.values()), wrong)
        known = known_on(asked.session, report.happened_on)(report.department_uscc)
        why_not = excuse(report.demand, kind.code, item_code, known)
        if why_not:
            raise InputError.of("verdict", f"不能列为部门的问题：{why_not}。请选“不属实”，并向反映人说明。")


DEMANDS = {Demand.PAPER: "要我交纸质证件原件", Demand.COPY: "要我交复印件", Demand.NO_PRESENTATION: "不让我用手机出示"}
"""What can be reported, in the words of whoever reports it."""


def _demanded(demand: Demand) -> Demand:
    if demand not in DEMANDS:
        raise ValueError("请选择其中一项")
    return demand


class PaperReportForm(BaseModel):
    """A report."""

    model_config = ConfigDict(extra="forbid")

    department: Words = Field(title="哪个部门的窗口", min_length=2, max_length=100)
    matter: Words = Field(title="办什么事", min_length=2, max_length=200)
    material: Words = Field(title="要的是什么证件", min_length=1, max_length=100)
    demand: Annotated[Demand, AfterValidator(_demanded)] = Field(title="窗口怎么要求")
    happened_on: date = Field(title="哪一天")
    account: Words = Field("", title="经过", max_length=2000)
    email: AddressOrNothing = Field("", title="邮箱")
    phone: Words = Field("", title="电话", pattern=rf"^$|{PHONE}")
