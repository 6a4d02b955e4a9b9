"""What an objector hands in (Article 12), in the shape of the desk's form and of the interface."""

from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
)

from regulation.objections import NO_SUCH, WHOLE, Capacity, Ground, ObjectorKind, is_placeholder
from runtime.contacts import PHONE, Address, AddressOrNothing
from runtime.words import Words

LATER = frozenset({"interest", "acts_as", "acts_for"})
"""Fields that earlier versions did not have; most leave them empty."""
_UNLESS_MISSING = f"异议种类为“{Ground.MISSING}”的不填"


class ObjectionApplication(BaseModel):
    """An application for a recheck (核查申请). The grounds come before what they decide on: of a certificate that is
    missing there is no number, no field and nothing to copy."""

    model_config = ConfigDict(title="异议申请", extra="forbid", validate_default=True)

    objector_kind: Annotated[ObjectorKind, Field(title="申请人类别")]
    objector_name: Annotated[Words, Field(title="申请人姓名或名称", min_length=1, max_length=200)]
    email: Annotated[Address, Field(title="电子邮箱", description="接收受理、补正和结果通知")]
    phone: Annotated[str, Field(title="联系电话", pattern=PHONE)]
    certificate_type: Annotated[
        Words, Field(title="证照类型", description="如：营业执照", min_length=2, max_length=100)
    ]
    grounds: Annotated[
        list[Ground],
        Field(title="异议种类", description=f"“{Ground.MISSING}”只能单独提出", min_length=1, max_length=3),
    ]
    certificate: Annotated[
        Words, Field(title="证照编号或电子证照标识", description=_UNLESS_MISSING, max_length=120)
    ] = ""
    field: Annotated[
        Words, Field(title="有异议的项目", description=f"如：法定代表人；{_UNLESS_MISSING}", max_length=60)
    ] = ""
    stated: Annotated[
        Words, Field(title="证照上现在的内容", description=f"缺失时填“无”；{_UNLESS_MISSING}", max_length=500)
    ] = ""
    proposed: Annotated[Words, Field(title="申请人认为应当是", min_length=1, max_length=500)]
    reason: Annotated[Words, Field(title="理由", min_length=5, max_length=2000)]
    interest: Annotated[
        Words,
        Field(
            title="用证事由",
            description=f"{ObjectorKind.OTHER_USER}须写明在办什么事、怎样用到这件证照；其他申请人不填",
            max_length=200,
        ),
    ] = ""
    acts_as: Annotated[
        Capacity | None,
        Field(title="代他人办理的身份", description="本人（本单位）办理的不填；代他人办理的须附证明材料"),
    ] = None
    acts_for: Annotated[
        Words, Field(title="代谁办理", description="被代理、被监护、被继承的人或者原单位的全名", max_length=200)
    ] = ""

    @classmethod
    def received(cls, given: dict[str, Any]) -> Self:
        """An application that was taken before, as it was taken then: a number that would be refused today is its
        reviewer's to judge."""
        return cls.model_validate(given, context={"received": True})

    @field_validator("grounds")
    @classmethod
    def _missing_stands_alone(cls, grounds: list[Ground]) -> list[Ground]:
        if Ground.MISSING in grounds and len(grounds) > 1:
            raise ValueError(f"中“{Ground.MISSING}”只能单独提出，证照上的其他问题请另提一件")
        return grounds

    @field_validator("interest")
    @classmethod
    def _use_is_said(cls, text: str, info: ValidationInfo) -> str:
        received = info.context and info.context.get("received")
        if not text and not received and info.data.get("objector_kind") is ObjectorKind.OTHER_USER:
            raise ValueError(f"未填写；{ObjectorKind.OTHER_USER}须写明在办什么事、怎样用到这件证照")
        return text

    @field_validator("acts_for")
    @classmethod
    def _both_are_named(cls, name: str, info: ValidationInfo) -> str:
        capacity = info.data.get("acts_as")
        if capacity is not None and info.data.get("objector_kind") is ObjectorKind.DEPARTMENT:
            raise ValueError(f"和代他人办理的身份都不用填：{ObjectorKind.DEPARTMENT}以自己的名义提出")
        if capacity is not None and not name:
            raise ValueError(f"未填写；以{capacity}身份办理的须写明代谁办理")
        if capacity is None and name and "acts_as" in info.data:
            raise ValueError("已填写，请一并选择代他人办理的身份；本人办理的都不填")
        return name

    @model_serializer(mode="wrap")
    def _as_before_there_was_more(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # So that what was handed in before is known again.
        said: dict[str, Any] = serialise(self)
        return {name: value for name, value in said.items() if name not in LATER or value}

    @field_validator("certificate")
    @classmethod
    def _certificate_is_named(cls, number: str, info: ValidationInfo) -> str:
        if info.context and info.context.get("received"):
            return number
        if not number and _is_missing(info):
            return number
        if len(number) < 2 or is_placeholder(number):
            wrong = "不是编号，请照证照填写" if number else "未填写"
            raise ValueError(f"{wrong}；没有这件证照的，编号留空，异议种类只选“{Ground.MISSING}”")
        return number

    @field_validator("field", "stated")
    @classmethod
    def _is_filled_in(cls, text: str, info: ValidationInfo) -> str:
        if not _is_missing(info):
            if not text:
                # While the grounds are wrong themselves, it may be that there is none.
                raise ValueError("未填写" if "grounds" in info.data else "未填写；没有这件证照的不填")
            return text
        return WHOLE if info.field_name == "field" else text or NO_SUCH


class ApplicationAtCounter(ObjectionApplication):
    """As staff type it in for somebody who may have no e-mail address and no telephone: then they are written to."""

    email: Annotated[AddressOrNothing, Field(title="电子邮箱", description="没有的留空，填写通信地址")] = ""
    phone: Annotated[str, Field(title="联系电话", description="没有的留空", pattern=rf"^$|{PHONE}")] = ""


def _is_missing(info: ValidationInfo) -> bool:
    """Whether the certificate is what is missing. Grounds that are wrong themselves do not say so: what else is not
    filled in is said along with them, not when the form comes again."""
    return Ground.MISSING in info.data.get("grounds", ())
