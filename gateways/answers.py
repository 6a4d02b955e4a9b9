"""An answer of a platform outside, read no longer and no further than anybody can want it."""

import atexit
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx

LARGEST = 8 * 2**20
"""Bytes of an answer. A certificate or a reply has some thousand."""


class OversizedError(httpx.TransportError):
    """An answer that has no end in sight."""


class Connections:
    """This process's connections to a platform, opened by the first call and reused; for threads."""

    def __init__(self, opened: Callable[[], httpx.Client] = httpx.Client) -> None:
        self._opened, self._lock = opened, threading.Lock()
        self._client: httpx.Client | None = None
        atexit.register(self.close)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def post(self, url: str, within: float, connect_within: float, **sent: Any) -> tuple[int, bytes]:
        """Status and body of what a POST is answered, all of it within so many seconds.

        ``httpx`` alone waits so long for every single part. Raises what it raises: ``TimeoutException`` also for an
        answer that drips in, and ``OversizedError``.
        """
        with self._lock:
            self._client = client = self._client or self._opened()
        ends_at = time.monotonic() + within
        timeout = httpx.Timeout(within, connect=min(within, connect_within))
        with client.stream("POST", url, timeout=timeout, **sent) as answer:
            body = bytearray()
            for part in answer.iter_bytes():
                body += part
                if len(body) > LARGEST:
                    raise OversizedError(f"more than {LARGEST} bytes")
                if time.monotonic() > ends_at:
                    raise httpx.ReadTimeout(f"more than {within:g} s")
        return answer.status_code, bytes(body)

    def object_from(
        self, url: str, within: float, connect_within: float, with_field: str, **sent: Any
    ) -> tuple[dict[str, Any] | None, str]:
        """The JSON object with this field that a POST is answered; or ``None`` and, in a few Chinese words, why there
        is none, so that whoever raises does not drag the request along as an error's context."""
        try:
            _, body = self.post(url, within, connect_within, **sent)
            answer = json.loads(body)
        except httpx.TimeoutException:
            return None, "没有及时答复"
        except (httpx.HTTPError, httpx.InvalidURL):
            return None, "未能连通"
        except ValueError:
            return None, "暂时故障"
        return (answer, "") if isinstance(answer, dict) and with_field in answer else (None, "暂时故障")
