"""A real web process for the tests of the interface and the pages."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn

from ezt import sample_data as samples
from runtime.signing import sign
from tasks import applications, certificate_use
from web import requests
from web.app import app


@pytest.fixture
def web(clerk: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The web process on loopback. Prefect is out of reach here, which must not trouble a caller."""
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    monkeypatch.setenv("PREFECT_CLIENT_MAX_RETRIES", "0")
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@dataclass
class Caller:
    """A department's system that signs what it sends."""

    base: str
    key: str
    secret: str

    def post(self, path: str, body: object, **changed: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return self.send("POST", path, content, **changed)

    def send(self, method: str, path: str, content: bytes = b"", **changed: str) -> httpx.Response:
        now, nonce = int(time.time() * 1000), f"nonce-{time.time_ns()}"
        headers = {"X-EZT-Key": self.key, "X-EZT-Time": str(now), "X-EZT-Nonce": nonce}
        headers["X-EZT-Signature"] = sign(self.secret, method, path, now, nonce, content)
        return httpx.request(method, self.base + path, content=content, headers=headers | changed, timeout=30)


def caller_of(web: str, key: str) -> Caller:
    """The sample's application with this key, which signs with its secret."""
    return Caller(web, key, samples.application_secret(samples.DEFAULT_SEED, key))


@pytest.fixture
def department(web: str) -> Caller:
    return caller_of(web, "KQ-SCJG")


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process knows is read anew for every call, not every second."""
    monkeypatch.setattr(requests, "caller_of", applications.caller_of.__wrapped__)
    monkeypatch.setattr(certificate_use, "standing_of", certificate_use.standing_of.__wrapped__)
