"""The articles hold on both kinds of database."""

from pathlib import Path

import pytest

from models.migrations import migrate
from tests.conftest import forget_settings


@pytest.fixture(params=["sqlite", "postgresql"])
def installation(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a migrated database, once of each kind."""
    if request.param == "postgresql":
        monkeypatch.setenv("EZT_DATABASE_URL", request.getfixturevalue("postgresql_database"))
        forget_settings()
    migrate()
    return home
