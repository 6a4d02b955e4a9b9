"""The one place that asks what time it is.

Everything statutory happens in Asia/Shanghai; instants are stored as UTC.
"""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The present date in Asia/Shanghai, the zone of everything statutory."""
    return local_date(now())


def local_date(instant: datetime) -> date:
    """The date in Asia/Shanghai on which an instant falls."""
    return instant.astimezone(SHANGHAI).date()


def start_of(day: date) -> datetime:
    """The instant at which a date begins in Asia/Shanghai."""
    return datetime.combine(day, time(), SHANGHAI)
