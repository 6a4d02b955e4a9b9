"""What a department submits about a new system (Article 17), in the shape of the desk's form and of the interface."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.certificates import CertificateType
from regulation.limits import PERSONS_AT_SCALE, SYSTEM_LINES
from regulation.system_reviews import (
    Access,
    Construction,
    Handles,
    Plan,
    PlannedUse,
    Provision,
    SecurityLevel,
    ServiceItem,
    check_uses,
)
from regulation.use_lists import field_label
from runtime.contacts import PHONE, Address
from runtime.refusals import InputError
from runtime.words import Words, folded
from tasks.office.naming import meant, there_are
from tasks.use_list.proposals import FieldName

ItemCode = Annotated[Words, Field(title="事项编码", min_length=2, max_length=60, pattern=r"^[0-9A-Za-z._/-]*$")]


class ServiceItemForm(BaseModel):
    """A service item that the system handles."""

    model_config = ConfigDict(title="事项", extra="forbid")

    item_code: ItemCode
    item_name: Words = Field(title="事项名称", min_length=1, max_length=100)
    handles: Handles = Field(title="事项性质")
    without: Words = Field("", title="不使用电子证照的理由", description="使用的不填", max_length=500)


class ProvisionForm(BaseModel):
    """What the plan says on a matter, and where."""

    model_config = ConfigDict(title="建设内容", extra="forbid")

    text: Words = Field("", title="建设内容", max_length=4000)
    chapter: Words = Field("", title="方案章节", max_length=60)

    def provision(self) -> Provision:
        return Provision(self.text, self.chapter)


class PlannedUseForm(BaseModel):
    """A line of the use list that the system will need (Article 9)."""

    model_config = ConfigDict(title="用证条目", extra="forbid")

    item_code: ItemCode
    certificate_type: Words = Field(title="证照类型", description="名称或类型代码", min_length=1, max_length=100)
    scenario: Words = Field(title="应用场景", min_length=1, max_length=60)
    fields: list[FieldName] = Field(title="可用字段", description="字段名称或代码", min_length=1, max_length=100)
    holder_alone: bool = Field(False, title="可单独出示")


def _provision(title: str) -> ProvisionForm:
    field: ProvisionForm = Field(default_factory=ProvisionForm, title=title)
    return field


class SystemReviewForm(BaseModel):
    """A project. What a plan is silent on may be left out here: the gate says what is missing, by article."""

    model_config = ConfigDict(title="系统评审", extra="forbid")

    project_name: Words = Field(title="项目名称", min_length=2, max_length=100)
    project_code: Words = Field(
        title="项目代码", description="同一项目各版相同", min_length=2, max_length=60, pattern=r"^[0-9A-Za-z._/-]*$"
    )
    budget_class: Words = Field("", title="预算类别", max_length=60)
    construction: Construction = Field(title="建设性质")
    items: list[ServiceItemForm] = Field(title="事项", min_length=1, max_length=SYSTEM_LINES.value)
    issuing: ProvisionForm = _provision("签发")
    using: ProvisionForm = _provision("使用")
    sharing: ProvisionForm = _provision("共享")
    no_paper: ProvisionForm = _provision("不再要求纸质证照")
    presentation: ProvisionForm = _provision("单独出示的场景")
    archiving: ProvisionForm = _provision("存档副本")
    logging: ProvisionForm = _provision("日志")
    uses: list[PlannedUseForm] = Field([], title="用证条目", max_length=SYSTEM_LINES.value)
    access: Access = Field(title="用证方式")
    access_reason: Words = Field("", title="不用用证接口的理由", max_length=1000)
    own_copies: bool = Field(False, title="自建证照库或留存证照数据")
    security_level: SecurityLevel = Field(title="等级保护级别")
    persons: int = Field(
        title="个人信息人数",
        description=f"系统处理其个人信息的大约人数；{PERSONS_AT_SCALE.value}人以上须定为第三级",
        ge=0,
        le=10_000_000_000,
    )
    go_live_on: date = Field(title="计划上线日期")
    contact_name: Words = Field(title="联系人", min_length=2, max_length=60)
    contact_phone: Words = Field(title="联系电话", pattern=PHONE)
    contact_email: Annotated[Address, Field(title="联系邮箱")]

    def plan(self) -> Plan:
        """The project as the gate sees it; of a form whose uses are ``coded``."""
        return Plan(
            construction=self.construction,
            items=tuple(ServiceItem(item.item_code, item.item_name, item.handles, item.without) for item in self.items),
            uses=tuple(
                PlannedUse(use.item_code, use.certificate_type, use.scenario, tuple(use.fields), use.holder_alone)
                for use in self.uses
            ),
            issuing=self.issuing.provision(),
            using=self.using.provision(),
            sharing=self.sharing.provision(),
            no_paper=self.no_paper.provision(),
            presentation=self.presentation.provision(),
            archiving=self.archiving.provision(),
            logging=self.logging.provision(),
            access=self.access,
            access_reason=self.access_reason,
            own_copies=self.own_copies,
            security_level=self.security_level,
            persons=self.persons,
        )


class GoLive(StrEnum):
    """What a department says of going live."""

    LIVE = "已上线"
    MOVED = "改期"


class GoLiveForm(BaseModel):
    """A system went live, or will on another day."""

    model_config = ConfigDict(title="系统上线", extra="forbid")

    kind: GoLive = Field(title="情况")
    on: date = Field(title="日期", description="已上线的填上线日期，改期的填新的计划日期")
    reason: Words = Field("", title="改期理由", max_length=500)


def coded(session: Session, form: SystemReviewForm) -> SystemReviewForm:
    """The form with certificate types and fields by their codes, fields in the order of the face.

    Raises ``InputError`` for a type or field that the catalogue does not have and what ``check_uses`` raises.
    """
    kinds = {folded(text): kind for kind in session.scalars(select(CertificateType)) for text in (kind.code, kind.name)}
    uses = []
    for place, use in enumerate(form.uses, 1):
        kind = kinds.get(folded(use.certificate_type))
        if kind is None:
            why = f"用证条目第{place}行：证照目录中没有证照类型“{use.certificate_type}”"
            raise InputError(f"{why}，{meant(use.certificate_type, {each.name for each in kinds.values()})}")
        codes = {folded(text): field.code for field in kind.fields for text in (field.code, field.name)}
        if unknown := [name for name in use.fields if folded(name) not in codes]:
            names = "、".join(f"“{name}”" for name in unknown)
            raise InputError(f"用证条目第{place}行：“{kind.name}”没有字段{names}，{there_are(kind.names.values())}。")
        wanted = {codes[folded(name)] for name in use.fields}
        in_order = [field.code for field in kind.fields if field.code in wanted]
        uses.append(use.model_copy(update={"certificate_type": kind.code, "fields": in_order}))
    form = form.model_copy(update={"uses": uses})
    plan = form.plan()
    check_uses(plan.items, plan.uses)
    return form


PROVISIONS = ("issuing", "using", "sharing", "no_paper", "presentation", "archiving", "logging")


def described(form: SystemReviewForm, kinds: Mapping[str, CertificateType]) -> dict[str, str]:
    """Everything in a submission but whom to call, as lines with unique titles: for reading and for comparing."""
    titles = {name: field.title or name for name, field in SystemReviewForm.model_fields.items()}
    lines = {titles[name]: str(getattr(form, name)) for name in ("project_name", "project_code", "budget_class")} | {
        titles["construction"]: form.construction
    }
    for item in form.items:
        without = f"；不使用电子证照：{item.without}" if item.without else ""
        lines[f"事项{item.item_code}"] = f"{item.item_name}（{item.handles}）{without}"
    for name in PROVISIONS:
        said: ProvisionForm = getattr(form, name)
        lines[titles[name]] = f"{said.text}（{said.chapter}）" if said.chapter else said.text
    for use in form.uses:
        kind = kinds[use.certificate_type]
        known = {field.code: field for field in kind.fields}
        fields = "、".join(field_label(code, known) for code in use.fields)
        alone = "；可单独出示" if use.holder_alone else ""
        lines[f"用证条目{use.item_code} {kind.name} {use.scenario}"] = f"字段：{fields}{alone}"
    reason = f"（{form.access_reason}）" if form.access_reason else ""
    return lines | {
        titles["access"]: f"{form.access}{reason}",
        titles["own_copies"]: "是" if form.own_copies else "否",
        titles["security_level"]: form.security_level,
        titles["persons"]: f"约{form.persons}人",
        titles["go_live_on"]: str(form.go_live_on),
    }
