"""What tests of operating the system share."""

from collections.abc import Callable

import pytest

from tests.conftest import forget_settings


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set environment variables and let the process read its settings again."""

    def apply(**variables: object) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, str(value))
        forget_settings()

    return apply
