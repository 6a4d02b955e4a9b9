"""The tables, one noun a file. Importing this package knows them all."""

from models import (
    backfills,
    calendars,
    cases,
    certificate_uses,
    certificates,
    gateway_secrets,
    liaisons,
    notices,
    objections,
    organisations,
    records,
    use_lists,
)
from models.base import Base

__all__ = [
    "Base",
    "backfills",
    "calendars",
    "cases",
    "certificate_uses",
    "certificates",
    "gateway_secrets",
    "liaisons",
    "notices",
    "objections",
    "organisations",
    "records",
    "use_lists",
]
