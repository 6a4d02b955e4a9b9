"""Telephone numbers and e-mail addresses as forms and interfaces take them."""

from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from notifications.outbox import LONGEST_ADDRESS, AddressError, check_address
from runtime.words import Words

PHONE = r"^\+?[0-9][0-9 -]{5,19}$"


def _plain_address(text: str) -> str:
    try:
        check_address(text)
    except AddressError:
        # The field's title stands before what a validator says.
        raise ValueError("格式不对") from None
    return text


def _address_or_nothing(text: str) -> str:
    return _plain_address(text) if text else text


# Said to whoever writes a program; a longer one is refused as any that is none.
_SCHEMA = WithJsonSchema({"type": "string", "maxLength": LONGEST_ADDRESS})
Address = Annotated[Words, AfterValidator(_plain_address), _SCHEMA]
AddressOrNothing = Annotated[Words, AfterValidator(_address_or_nothing), _SCHEMA]
