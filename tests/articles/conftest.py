"""The articles hold on both kinds of database."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from models.migrations import migrate
from runtime import clock
from tests.conftest import forget_settings


@pytest.fixture(params=["sqlite", "postgresql"])
def installation(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a migrated database, once of each kind."""
    if request.param == "postgresql":
        monkeypatch.setenv("EZT_DATABASE_URL", request.getfixturevalue("postgresql_database"))
        forget_settings()
    migrate()
    return home


@pytest.fixture
def on_day(monkeypatch: pytest.MonkeyPatch) -> Callable[[date], datetime]:
    """Lets it be nine o'clock in Shanghai on a day, from then on; the instant."""

    def set_clock(day: date) -> datetime:
        instant = datetime.combine(day, time(9), clock.SHANGHAI).astimezone(UTC)
        monkeypatch.setattr(clock, "now", lambda: instant)
        return instant

    return set_clock
