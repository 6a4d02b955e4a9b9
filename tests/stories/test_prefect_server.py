"""What the desk's server does besides being Prefect's (docs/adr/0019)."""

import gc
import threading
from collections.abc import Iterator

import pytest

from ezt import prefect_server
from tests.conftest import wait_until


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Collects garbage as the server does, for this test only."""
    monkeypatch.setattr(prefect_server, "COLLECT_EVERY", 0.02)
    enough = prefect_server.collect_elsewhere()
    yield
    enough.set()
    gc.unfreeze()
    gc.enable()


class Waste:
    """Garbage that only a collector finds, and that says in which thread it was found."""

    def __init__(self, found_in: list[str]) -> None:
        self.itself, self.found_in = self, found_in

    def __del__(self) -> None:
        self.found_in.append(threading.current_thread().name)


def test_garbage_is_collected_by_nobody_who_has_something_else_to_do(collector: None) -> None:
    found_in: list[str] = []
    Waste(found_in)
    # Enough of it for Python's own collector to have come by.
    kept = [[] for _ in range(200_000)]
    assert len(kept) == 200_000
    wait_until(lambda: found_in, "垃圾没有回收", 20)
    assert found_in == ["garbage"]
