"""What an objector hands in (Article 12), in the shape of the start form and of the interface."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from regulation.objections import Ground, ObjectorKind
from runtime.contacts import PHONE, Address
from runtime.words import Words


class ObjectionApplication(BaseModel):
    """An application for a recheck (核查申请)."""

    model_config = ConfigDict(title="异议申请", extra="forbid")

    objector_kind: Annotated[ObjectorKind, Field(title="申请人类别")]
    objector_name: Annotated[Words, Field(title="申请人姓名或名称", min_length=1, max_length=200)]
    email: Annotated[Address, Field(title="电子邮箱", description="接收受理、补正和结果通知")]
    phone: Annotated[str, Field(title="联系电话", pattern=PHONE)]
    certificate_type: Annotated[
        Words, Field(title="证照类型", description="如：营业执照", min_length=2, max_length=100)
    ]
    certificate: Annotated[Words, Field(title="证照编号或电子证照标识", min_length=2, max_length=120)]
    field: Annotated[Words, Field(title="有异议的项目", description="如：法定代表人", min_length=1, max_length=60)]
    grounds: Annotated[list[Ground], Field(title="异议种类", min_length=1, max_length=3)]
    stated: Annotated[Words, Field(title="证照上现在的内容", description="缺失时填“无”", min_length=1, max_length=500)]
    proposed: Annotated[Words, Field(title="申请人认为应当是", min_length=1, max_length=500)]
    reason: Annotated[Words, Field(title="理由", min_length=5, max_length=2000)]
