"""The certificate-use interface as a department's application sees it: the other end of our own ``web`` (Article 6)."""

import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from runtime import clock
from runtime.settings import settings
from runtime.signing import KEY, NONCE, SIGNATURE, TIME, sign

ANSWER_WITHIN, CONNECT_WITHIN = 30.0, 5.0
"""Seconds for an answer and for a connection, as the guide for departments has them."""


@dataclass(frozen=True, slots=True)
class CameBack:
    """What a call came to: the HTTP status (``None``: nothing came back), the JSON answer or problem document, and how
    many milliseconds it took."""

    status: int | None
    document: dict[str, Any]
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Interface:
    """The interface over one connection pool."""

    client: httpx.Client

    def answers(self) -> bool:
        """Whether the web process answers at all."""
        try:
            return self.client.get("/health").status_code == 200
        except httpx.HTTPError:
            return False

    def call(self, key: str, secret: str, path: str, said: Mapping[str, Any]) -> CameBack:
        """Call an operation as an application, signed; whatever happens is told, nothing raised."""
        body = json.dumps(said, ensure_ascii=False).encode()
        now, nonce = int(clock.now().timestamp() * 1000), secrets.token_hex(16)
        headers = {
            KEY: key,
            TIME: str(now),
            NONCE: nonce,
            SIGNATURE: sign(secret, "POST", path, now, nonce, body),
            "Content-Type": "application/json",
        }
        began = time.perf_counter()
        try:
            answer = self.client.post(path, content=body, headers=headers)
            document = answer.json()
        except httpx.HTTPError:
            return CameBack(None, {}, _since(began))
        except ValueError:
            return CameBack(answer.status_code if answer.status_code >= 400 else None, {}, _since(began))
        return CameBack(answer.status_code, document if isinstance(document, dict) else {}, _since(began))


@contextmanager
def interface() -> Iterator[Interface]:
    """The interface under the address from the settings, until the block ends. No proxy and no redirect: what is signed
    is meant for this address."""
    base = settings().interface_url or settings().public_url
    limit = httpx.Timeout(ANSWER_WITHIN, connect=CONNECT_WITHIN)
    with httpx.Client(base_url=base.rstrip("/"), timeout=limit, trust_env=False, follow_redirects=False) as client:
        yield Interface(client)


def _since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
