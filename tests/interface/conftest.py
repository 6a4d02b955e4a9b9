"""Callers of the web process for the tests of the interface."""

import json
import re
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from ezt.samples import data as samples
from models.certificates import Certificate, CertificateType
from regulation.certificates import CertificateState
from runtime import clock
from runtime.database import reading
from runtime.signing import sign
from tasks.certificates import use as certificate_use
from tasks.office import applications
from tests.conftest import ROOT
from web import requests

GUIDE = (ROOT / "docs" / "interface.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"(?m)^`POST (\S+)`：\n\n```json\n(.*?)```", GUIDE, re.DOTALL))


def licence() -> Certificate:
    with reading() as session:
        wanted = (
            select(Certificate)
            .join(CertificateType, CertificateType.code == Certificate.type_code)
            .where(CertificateType.name == "营业执照", Certificate.state == CertificateState.VALID)
        )
        return session.scalars(wanted.order_by(Certificate.id)).all()[0]


def example(path: str) -> dict[str, Any]:
    """What the guide hands in at this path, its blanks filled in."""
    held = licence()
    text = EXAMPLES[path]
    for blank, value in {
        "{证照编号}": held.number,
        "{证照上的住所}": held.face["address"],
        "{60天后}": str(clock.today() + timedelta(days=60)),
    }.items():
        text = text.replace(blank, value)
    given: dict[str, Any] = json.loads(text)
    return given


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
