"""The tables, one noun a file. Importing this package knows them all."""

from models import calendars, cases, certificates, gateway_secrets, notices, objections, organisations, records
from models.base import Base

__all__ = [
    "Base",
    "calendars",
    "cases",
    "certificates",
    "gateway_secrets",
    "notices",
    "objections",
    "organisations",
    "records",
]
