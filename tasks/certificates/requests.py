"""What calls of the certificate-use interface say of themselves, and what they are answered (Articles 6, 8-11)."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from regulation.certificates import STATE_NAMES
from regulation.limits import LONGEST_TEXT, REQUEST_SIZE
from runtime.words import Plain, Words

Code = Annotated[str, Field(max_length=60)]
"""The code of a field."""
CERTIFICATE = "证照编号或电子证照标识"


EvenIf = Literal["superseded", "suspended", "revoked"]
"""States in which a certificate must not be used, so that its values are only for who says that they know it."""


class UseRequest(BaseModel):
    """What every use says: for which item and case, by whom, and what for (Articles 9 and 14)."""

    model_config = ConfigDict(extra="forbid")

    item: Plain = Field(title="事项编码", min_length=1, max_length=60)
    business_no: Plain = Field(title="业务办件编号", min_length=1, max_length=60)
    operator: Plain = Field(title="经办人员工号", min_length=1, max_length=40)
    purpose: Plain = Field(title="用途", min_length=2, max_length=100)
    scenario: Plain | None = Field(None, title="应用场景", description="一个事项有多个场景时必填", max_length=60)


class TypedRequest(UseRequest):
    certificate_type: Words = Field(title="证照类型", description="名称或21位类型代码", min_length=1, max_length=60)
    holder_number: Words = Field(title="持证主体证件号码", min_length=5, max_length=40)
    holder_name: Words | None = Field(None, title="持证主体名称", description="填写的须与登记一致", max_length=200)
    authorisation: Words | None = Field(None, title="授权编号", description="清单要求持证主体授权时必填", max_length=60)


class QueryRequest(TypedRequest):
    """查询：某持证主体名下的一类证照。"""


class AuthenticationRequest(TypedRequest):
    """核验：按编号或标识，或按存档副本文件。"""

    certificate: Words | None = Field(None, title=CERTIFICATE, min_length=1, max_length=200)
    copy_file: str | None = Field(None, title="存档副本（Base64）", min_length=1, max_length=REQUEST_SIZE.value)
    stated: dict[Code, Annotated[Words, Field(max_length=LONGEST_TEXT.value)]] = Field(
        default_factory=dict,
        title="出示的内容",
        description="项目代码与内容，与登记比对；只比对清单允许的项目",
        max_length=40,
    )


class ExtractionRequest(TypedRequest):
    """信息提取：清单允许的项目。"""

    certificate: Words = Field(title=CERTIFICATE, min_length=1, max_length=200)
    fields: list[Code] | None = Field(
        None, title="需要的项目", description="项目代码；不填为清单允许的全部", min_length=1, max_length=60
    )
    even_if: list[EvenIf] = Field(
        default_factory=list,
        title="仍要内容的状态",
        description="证照已被替代、暂停或撤销时不给内容；办理变更、恢复等事项确需查阅的，写明是哪种状态",
        max_length=3,
    )


class CopyRequest(TypedRequest):
    """存档副本：加盖用途水印、数字签名的PDF。"""

    certificate: Words = Field(title=CERTIFICATE, min_length=1, max_length=200)


class RedemptionRequest(UseRequest):
    """凭亮证码用证：只得到该场景允许的项目。"""

    code: Words = Field(title="亮证码", min_length=8, max_length=100)


class AnsweredState(StrEnum):
    """What authentication says of a certificate."""

    VALID = "valid"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    UNKNOWN = "unknown"
    TAMPERED = "tampered"
    NOT_A_CERTIFICATE = "not-a-certificate"
    UNAVAILABLE = "unavailable"

    @property
    def in_chinese(self) -> str:
        return _STATES[self]


_STATES = {
    **{AnsweredState(state): name for state, name in STATE_NAMES.items()},
    AnsweredState.SUPERSEDED: "已被新版本替代",
    AnsweredState.UNKNOWN: "查无此证",
    AnsweredState.TAMPERED: "与登记不符",
    AnsweredState.NOT_A_CERTIFICATE: "不得作为电子证照使用",
    AnsweredState.UNAVAILABLE: "暂时无法核验",
}


class DisputeMark(BaseModel):
    """The mark of an open objection (Article 12), and what a counter may do all the same. Whose cases they are is
    nothing that a counter needs."""

    fields: list[str] = Field(title="有异议的项目")
    may: str = Field(title="窗口可以怎么办")


class PaperDemand(BaseModel):
    """A law that demands the paper certificate for this item (Article 7)."""

    citation: str = Field(title="法律、法规依据")
    until_on: date | None = Field(title="有效期至")


class CertificateFacts(BaseModel):
    """A certificate without its face."""

    identifier: str = Field(title="电子证照标识")
    version: int = Field(title="版本")
    certificate_type: str = Field(title="证照类型")
    state: AnsweredState = Field(title="状态")
    state_name: str = Field(title="状态名称")
    issuing_authority: str = Field(title="颁证机构")
    issued_on: date = Field(title="颁发日期")
    valid_until_on: date | None = Field(title="有效期截止", description="空为长期")
    remark: str = Field(title="备注")
    origin: str | None = Field(title="来源", description="补录的证照：由谁录入、谁核对，颁证机构是否已确认")
    current_identifier: str | None = Field(title="现行版本的标识", description="本版本已被替代时")
    as_of: datetime = Field(title="数据时点", description="源头最近一次确认的时间")
    dispute: DisputeMark | None = Field(title="异议标记")


class QueryAnswer(BaseModel):
    certificates: list[CertificateFacts] = Field(title="证照")
    paper_demands: list[PaperDemand] = Field(title="法定纸质要求")


class AuthenticationAnswer(BaseModel):
    state: AnsweredState = Field(title="核验结果")
    state_name: str = Field(title="核验结果名称")
    reasons: list[str] = Field(title="理由")
    certificate: CertificateFacts | None = Field(title="证照")
    current_identifier: str | None = Field(title="现行版本的标识")
    receipt_no: str | None = Field(title="无法核验凭证号", description="凭此号可以收取纸质证照")
    paper_demands: list[PaperDemand] = Field(title="法定纸质要求")


class ShownField(BaseModel):
    code: str = Field(title="项目代码")
    name: str = Field(title="项目名称")
    value: str = Field(title="内容")


class ShownHolder(BaseModel):
    name: str | None = Field(title="名称", description="清单不允许的为空")
    number: str | None = Field(title="证件号码", description="清单不允许的为空")
    share: str | None = Field(title="份额", description="证照没有的、清单不允许的为空")


class ExtractionAnswer(BaseModel):
    certificate: CertificateFacts = Field(title="证照")
    holders: list[ShownHolder] = Field(
        default_factory=list, title="持证主体", description="所给项目中写明的各持证主体，依证面次序，持证人在先"
    )
    fields: list[ShownField] = Field(title="项目")
    withheld: list[str] = Field(title="清单不允许而未给出的项目")
    why_empty: str | None = Field(None, title="因证照状态没有给出内容的原因")


class CopyAnswer(BaseModel):
    copy_no: str = Field(title="副本编号")
    certificate: CertificateFacts = Field(title="证照")
    sha256: str = Field(title="文件SHA-256")
    content: str = Field(title="PDF文件（Base64）")


class RedemptionAnswer(ExtractionAnswer):
    scenario: str = Field(title="场景")
