"""The certificate catalogue (证照目录): what a type's fields are and how much they tell of a person, and until when a
certificate of it holds."""

import calendar
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from regulation.certificates import STATE_NAMES, CertificateState


class HolderKind(StrEnum):
    """Who can hold certificates (Article 3)."""

    NATURAL_PERSON = "自然人"
    LEGAL_PERSON = "法人"
    UNINCORPORATED = "非法人组织"


class FieldKind(StrEnum):
    """What a field's value is, which decides how it is checked and masked."""

    TEXT = "text"
    NAME = "name"
    ADDRESS = "address"
    DATE = "date"
    NUMBER = "number"
    """A number that a certificate or a register gives, letters included."""
    IDENTITY_NUMBER = "identity-number"
    CREDIT_CODE = "credit-code"
    AMOUNT = "amount"
    """A sum of money with its currency."""
    CHOICE = "choice"
    """One of the field's ``choices``."""


class Sensitivity(StrEnum):
    """How much a field tells of a natural person; ``SENSITIVE`` as in Art. 28 of the Personal Information Protection
    Law, children's information included."""

    PUBLIC = "public"
    PERSONAL = "personal"
    SENSITIVE = "sensitive"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a type's face."""

    code: str
    name: str
    kind: FieldKind
    sensitivity: Sensitivity
    choices: tuple[str, ...] = ()


STATE = Field("state", "证照状态", FieldKind.CHOICE, Sensitivity.PUBLIC, tuple(STATE_NAMES.values()))
"""What no face says and yet can be wrong of every certificate, so that an objection may be about it (Article 12)."""


class Validity(StrEnum):
    """What says until when a certificate of a type holds."""

    UNLIMITED = "unlimited"
    YEARS = "years"
    ON_FACE = "on-face"


def valid_until(validity: Validity, years: int | None, issued_on: date, on_face: date | None) -> date | None:
    """The last day on which a certificate holds, ``None`` if there is none (长期).

    ``years`` belongs to ``Validity.YEARS``: they end on the day of the same number, or on the month's last where it has
    none (Civil Code Art. 202). ``on_face`` is the date printed on the certificate.

    >>> valid_until(Validity.YEARS, 5, date(2020, 2, 29), None)
    datetime.date(2025, 2, 28)
    """
    match validity:
        case Validity.UNLIMITED:
            return None
        case Validity.ON_FACE:
            return on_face
        case Validity.YEARS:
            if years is None:
                raise ValueError("a validity of years without their number")
            year, month = issued_on.year + years, issued_on.month
            return date(year, month, min(issued_on.day, calendar.monthrange(year, month)[1]))


def state_on(day: date, recorded: CertificateState, valid_until_on: date | None) -> CertificateState:
    """A certificate's state on ``day``: passing its last day ends it, whoever has recorded that yet.

    =====================  ==================  ===========
    recorded               its last day        state
    =====================  ==================  ===========
    valid, suspended       none, or not past   as recorded
    valid, suspended       past                expired
    expired                any                 expired
    revoked, superseded    any                 as recorded
    =====================  ==================  ===========

    >>> str(state_on(date(2026, 1, 2), CertificateState.VALID, date(2026, 1, 1)))
    'expired'
    """
    passing = recorded is CertificateState.VALID or recorded is CertificateState.SUSPENDED
    if passing and valid_until_on is not None and valid_until_on < day:
        return CertificateState.EXPIRED
    return recorded
