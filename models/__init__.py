"""The tables, one noun a file. Importing this package knows them all."""

from models import (
    backfill_batches,
    backfills,
    calendars,
    cases,
    certificate_uses,
    certificates,
    findings,
    gateway_secrets,
    liaisons,
    notices,
    objections,
    organisations,
    records,
    rectifications,
    rule_revisions,
    supervision_reports,
    use_lists,
)
from models.base import Base

__all__ = [
    "Base",
    "backfill_batches",
    "backfills",
    "calendars",
    "cases",
    "certificate_uses",
    "certificates",
    "findings",
    "gateway_secrets",
    "liaisons",
    "notices",
    "objections",
    "organisations",
    "records",
    "rectifications",
    "rule_revisions",
    "supervision_reports",
    "use_lists",
]
