"""Stories are played on SQLite with one worker, as on a single machine; ``make thorough`` plays them as an installation
does that has grown: on PostgreSQL, Prefect's data too, with two workers, where more can go wrong."""

import pytest


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.thorough)])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Each kind once."""
    return str(request.param)
