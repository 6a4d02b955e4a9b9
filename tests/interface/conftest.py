"""Callers of the web process for the tests of the interface."""

import json
import time
from dataclasses import dataclass

import httpx
import pytest

from ezt import sample_data as samples
from runtime.signing import sign
from tasks import applications, certificate_use
from web import requests


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
