"""Text messages (短信) to mobile numbers, over the gateway of the bureau that runs the district's message component.

The component is agreed with the bureau and not public: its path, names and codes are in ``message_mapping.json``,
which an operator can replace (``EZT_MESSAGE_MAPPING``). Nothing is sent unless ``EZT_MESSAGES_OVER`` says whose gateway
it is.

Call none of this inside a transaction: the gateway's shared secrets are refreshed under a lock of their own.
"""

from pydantic import BaseModel, ConfigDict, field_validator

from gateways.zhejiang_gateway import (
    BureauRefusedError,
    Gateway,
    Name,
    PlatformPath,
    SignatureMapping,
    has_gateway,
    mapping_in_use,
)
from regulation.objections import Bureau
from runtime.settings import settings


class NumberRefusedError(Exception):
    """The component says that nothing reaches this number: to try again is of no use. ``str()`` is its code."""


class MessageMapping(BaseModel):
    """The interface as agreed with the bureau. ``request``: our name to theirs; ``message_id`` makes repeating
    harmless."""

    model_config = ConfigDict(extra="forbid")

    signature: SignatureMapping
    send_path: PlatformPath
    request: dict[str, Name]
    number_refused_codes: list[Name]
    """Business failures that say that the number is wrong, out of service, or wants no messages."""

    @field_validator("request")
    @classmethod
    def _request_is_whole(cls, names: dict[str, str]) -> dict[str, str]:
        if names.keys() != {"message_id", "number", "text"} or len(set(names.values())) < len(names):
            raise ValueError("request")
        return names


def message_mapping() -> MessageMapping:
    """The mapping in use, read once per file. ``MappingError`` names the file and the places that are wrong."""
    chosen = settings().message_mapping
    return mapping_in_use(MessageMapping, chosen, "EZT_MESSAGE_MAPPING", "message_mapping.json")


def over() -> Bureau | None:
    """Over whose gateway text messages go; ``None`` where they go nowhere."""
    bureau = {"city": Bureau.CITY, "province": Bureau.PROVINCE}.get(settings().messages_over)
    return bureau if bureau is not None and has_gateway(bureau) else None


def send_text(number: str, text: str, message_id: str, within: float) -> None:
    """Hand one message in, within so many seconds for an answer; the same ``message_id`` is the same message.

    Raises ``NumberRefusedError``; ``BureauUnavailableError``, ``BureauRefusedError`` and ``MappingError`` for what is
    not the number's fault and may be tried again.
    """
    bureau, agreed = over(), message_mapping()
    if bureau is None:
        raise BureauRefusedError("没有设置短信经哪个网关发出（EZT_MESSAGES_OVER）。")
    ours = {"message_id": message_id, "number": number, "text": text}
    gateway = Gateway(bureau, agreed.signature, answer_within=within, attempts=1)
    try:
        gateway.call(agreed.send_path, {theirs: ours[name] for name, theirs in agreed.request.items()}, {number, text})
    except BureauRefusedError as refusal:
        if refusal.code in agreed.number_refused_codes:
            raise NumberRefusedError(refusal.code) from None
        raise
