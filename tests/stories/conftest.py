"""Stories are played as an installation plays them that has grown: on PostgreSQL, Prefect's data too, with two workers.

What a story asks of a database both kinds give (tests/articles runs every step on either); with two workers more can go
wrong. The objection's story is played on SQLite, too, and what is about Prefect's own data is as on one machine.
"""

import pytest


@pytest.fixture
def database_kind() -> str:
    """Of both databases."""
    return "postgresql"
