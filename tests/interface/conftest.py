"""A real web process for the tests of the interface and the pages."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from web.app import app


@pytest.fixture
def web(clerk: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The web process on loopback. Prefect is out of reach here, which must not trouble a caller."""
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    monkeypatch.setenv("PREFECT_CLIENT_MAX_RETRIES", "0")
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()
