"""What a citizen says on the public page about a counter that demanded paper (Articles 8, 10, 11)."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from regulation.service_guides import Demand
from runtime.contacts import PHONE, AddressOrNothing
from runtime.words import Words

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
