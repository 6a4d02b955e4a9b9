"""Verification requests (数据核实需求) to the city's and the province's bureaus, over their gateways.

The verification interface is agreed between the bureaus and not public: its paths, names and codes are in
``verification_mapping.json``, which an operator can replace (``EZT_GATEWAY_MAPPING``).

Call none of this inside a transaction: the gateway's shared secrets are refreshed under a lock of their own.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from gateways.zhejiang_gateway import (
    EXPIRED,
    REFRESHED_ELSEWHERE,
    WRONG_SIGNATURE,
    BureauRefusedError,
    BureauUnavailableError,
    Gateway,
    Matter,
    Name,
    PlatformPath,
    SignatureMapping,
    mapping_in_use,
)
from regulation.objections import Bureau, Finding, Pursuit
from runtime.refusals import RefusalError
from runtime.settings import settings
from runtime.words import Words

NOBODYS_NUMBER = "ezt-doctor"
"""A bureau's number for a request that it never gave."""


class ReplyError(RefusalError):
    """A reply that does not follow the mapping."""


class JoinedClaim(BaseModel):
    """What another objector says about the same field of the same certificate (并案); not who says it."""

    grounds: list[str]
    stated: str
    proposed: str
    reason: str
    attachments: list[str]

    def in_words(self) -> str:
        files = f"{len(self.attachments)}个（{'、'.join(self.attachments)}）" if self.attachments else "无"
        said = (
            ("异议种类", "、".join(self.grounds)),
            ("证照上现在的内容", self.stated),
            ("申请人认为应当是", self.proposed),
            ("理由", self.reason),
            ("附件", files),
        )
        return "；".join(f"{name}：{value}" for name, value in said)


def in_words(joined: Sequence[JoinedClaim]) -> str:
    """The claims that joined, as they go to a bureau; empty for none."""
    if not joined:
        return ""
    lines = [f"（{number}）{claim.in_words()}" for number, claim in enumerate(joined, 1)]
    return "\n".join([f"另有{len(joined)}件异议并案，请一并核实：", *lines])


class VerificationMessage(BaseModel):
    """A verification request (数据核实需求) or an urge, as it goes out; ``joined``: what others claim in its case."""

    case_no: str
    idempotency_key: str
    pursuit: Pursuit
    type_code: str
    type_name: str
    certificate_reference: str
    field_code: str
    field_name: str
    stated: str
    proposed: str
    reason: str
    grounds: list[str]
    joined: list[JoinedClaim] = Field(default_factory=list)
    received_on: date
    due_on: date
    matter: Matter


def _iso_date(value: object) -> object:
    """Dates as ISO 8601 only: pydantic would read a bare number as seconds since 1970."""
    return date.fromisoformat(value) if isinstance(value, str) else value


class BureauReply(BaseModel):
    """A verification reply (核实结果), whichever way it came."""

    case_no: Words = Field(min_length=1, max_length=60)
    reply_no: Words = Field(min_length=2, max_length=60)
    finding: Finding
    content: Words = Field(min_length=2, max_length=2000)
    corrected_value: Words = Field(max_length=500)
    replied_on: Annotated[date, BeforeValidator(_iso_date)]


class VerificationMapping(BaseModel):
    """The verification interface as agreed with the bureaus. ``request`` and ``reply``: our name to theirs."""

    model_config = ConfigDict(extra="forbid")

    signature: SignatureMapping
    send_path: PlatformPath
    reply_path: PlatformPath
    request: dict[str, Name]
    """``joined`` has a place of its own where the bureaus gave it one; else it stands below the reason."""
    remote_no: Name
    reply: dict[str, Name]
    findings: dict[str, Finding]

    @field_validator("request")
    @classmethod
    def _request_is_ours(cls, names: dict[str, str]) -> dict[str, str]:
        """What a bureau does not want may be left out, but not the case and what makes repeating harmless."""
        ours = VerificationMessage.model_fields.keys() - {"matter"}
        if not {"case_no", "idempotency_key"} <= names.keys() <= ours or len(set(names.values())) < len(names):
            raise ValueError("request")
        return names

    @field_validator("reply")
    @classmethod
    def _reply_is_whole(cls, names: dict[str, str]) -> dict[str, str]:
        if names.keys() != BureauReply.model_fields.keys() or len(set(names.values())) < len(names):
            raise ValueError("reply")
        return names

    @field_validator("findings")
    @classmethod
    def _every_finding_has_a_code(cls, findings: dict[str, Finding]) -> dict[str, Finding]:
        if set(findings.values()) != set(Finding):
            raise ValueError("findings")
        return findings


def mapping() -> VerificationMapping:
    """The mapping in use, read once per file. ``MappingError`` names the file and the places that are wrong."""
    chosen = settings().gateway_mapping
    return mapping_in_use(VerificationMapping, chosen, "EZT_GATEWAY_MAPPING", "verification_mapping.json")


def send_verification(bureau: Bureau, message: VerificationMessage) -> str:
    """Hand in a verification request; returns the bureau's own number for it.

    The idempotency key goes along, so handing in again what arrived before gives the same number. Raises
    ``BureauUnavailableError``, ``BureauRefusedError``, and ``MappingError`` for a broken mapping file.
    """
    agreed = mapping()
    others = in_words(message.joined)
    given = message.model_dump(mode="json", exclude={"matter"})
    given |= {"grounds": "、".join(message.grounds), "joined": others}
    if others and "joined" not in agreed.request:
        given["reason"] = f"{message.reason}\n{others}"
    fields = {theirs: str(given[ours]) for ours, theirs in agreed.request.items()}
    fields["additional"] = message.matter.model_dump_json(by_alias=True)
    private = {message.certificate_reference, message.stated, message.proposed, message.reason, given["reason"], others}
    for claim in message.joined:
        private |= {claim.stated, claim.proposed, claim.reason, *claim.attachments}
    answer = Gateway(bureau, agreed.signature).call(agreed.send_path, fields, private)
    number = answer.get(agreed.remote_no) if isinstance(answer, Mapping) else None
    if not number or not isinstance(number, str | int):
        raise BureauUnavailableError(f"{bureau}的平台没有返回受理编号，稍后自动重试。")
    return str(number)


def fetch_reply(bureau: Bureau, remote_no: str) -> BureauReply | None:
    """The bureau's reply to the request it numbered ``remote_no``; ``None`` while there is none.

    Raises ``BureauUnavailableError``, ``BureauRefusedError``, ``MappingError``, and ``ReplyError`` for a reply that
    cannot be read.
    """
    agreed = mapping()
    answer = Gateway(bureau, agreed.signature).call(agreed.reply_path, {agreed.remote_no: remote_no})
    if not answer:
        return None
    if not isinstance(answer, Mapping):
        raise ReplyError("核实结果不是一个JSON对象。")
    return parse_reply(answer)


def check_access(bureau: Bureau, within: float) -> None:
    """Ask the bureau, once and for so many seconds at most, for the reply to a request that nobody handed in.

    A business failure is a good answer: whoever says that there is none has taken our signature. Raises
    ``BureauUnavailableError``, ``BureauRefusedError`` for a signature that is not taken, and ``MappingError``.
    """
    agreed = mapping()
    gateway = Gateway(bureau, agreed.signature, attempts=1, ends_at=time.monotonic() + within, afterwards="没有再试")
    try:
        gateway.call(agreed.reply_path, {agreed.remote_no: NOBODYS_NUMBER})
    except BureauRefusedError as refusal:
        if refusal.code in {"", EXPIRED, REFRESHED_ELSEWHERE, WRONG_SIGNATURE}:
            raise


def parse_reply(payload: Mapping[str, object]) -> BureauReply:
    """A reply in the bureau's own field names, as fetched or pushed. ``ReplyError`` names what is wrong with it."""
    theirs = mapping().reply
    given = {ours: _as_text(payload.get(name)) for ours, name in theirs.items()}
    finding = mapping().findings.get(str(given["finding"]))
    if finding is None:
        raise ReplyError(f"字段{theirs['finding']}应为{'、'.join(mapping().findings)}之一。")
    try:
        return BureauReply.model_validate(given | {"finding": finding})
    except ValidationError as error:
        names = "、".join(sorted({theirs[str(problem["loc"][0])] for problem in error.errors()}))
        raise ReplyError(f"字段{names}缺失、过长或格式不对；日期写作2026-02-13。") from None


def _as_text(value: object) -> object:
    """Numbers and nothing become text; what is neither stays as it is, to be refused with its field's name."""
    if value is None:
        return ""
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else value
