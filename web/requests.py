"""What every request goes through: a limit on its size, its signature, its body in the right shape."""

import hmac
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.message import Message as MimePart
from math import ceil
from threading import Lock
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from fastapi import Depends, Request
from limits import RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.organisations import ApplicationKind
from regulation.limits import REQUEST_SIZE, SIGNATURE_WINDOW, Limit
from runtime import clock
from runtime.refusals import InputError, RefusalError, in_chinese
from runtime.signing import KEY, NONCE, SIGNATURE, TIME, sign
from runtime.words import Words
from tasks.certificates.journal import SpentNonce, journal
from tasks.office.applications import Caller, caller_of
from tasks.office.signatures import source_of
from web.problems import ProblemError

M = TypeVar("M", bound=BaseModel)

ENTRIES = 20_000
"""Commas in a JSON body, so members and elements of whatever is in it: each may be wrong, and to say so takes time."""
ENTRIES_OF_ROWS = 200_000
"""The same of a body that is a list of forms, which are checked one by one elsewhere."""
ROWS = 10_000
"""Forms in such a list."""
MEMBERS = 100
"""Members of such a form."""
FIELDS = 1_000
"""Fields of a page's form, as Starlette takes them at most."""


def _modest(row: object) -> object:
    if isinstance(row, dict) and len(row) > MEMBERS:
        raise PydanticCustomError("too_long", "too long", {"max_length": MEMBERS, "field_type": "Dict"})
    return row


Row = Annotated[Any, AfterValidator(_modest)]
"""A form in a list of them, which is checked by itself: what is wrong with one hands back no other."""


class SizeLimit:
    """ASGI middleware that reads no body of more than ``REQUEST_SIZE`` bytes: it stops before the first one where the
    length is announced, else when the limit is passed, and the answer is 413. So it is for a form of more than
    ``FIELDS`` fields, empty ones included: the reader of forms takes its time over each."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        announced, taken, fields = int(headers.get("content-length", 0)), 0, 0
        is_form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        if headers.get("content-type", "").lower().lstrip().startswith("multipart/"):
            read_as_utf_8(scope, headers["content-type"])

        async def limited() -> Message:
            nonlocal taken, fields
            if announced <= REQUEST_SIZE.value:
                message = await receive()
                body = message.get("body", b"")
                taken += len(body)
                fields += is_form and body.count(b"&")
                if taken <= REQUEST_SIZE.value and fields < FIELDS:
                    return message
            # An HTTPException: FastAPI makes a 400 of whatever else is raised while it reads a form.
            raise HTTPException(413)

        await self.app(scope, limited, send)


def read_as_utf_8(scope: Scope, content_type: str) -> None:
    """Leave of a form's type only where its parts end. Browsers say nothing more; a character set that the sender names
    is one that Python knows, and to read some takes the square of the time."""
    said = MimePart()
    said["content-type"] = content_type
    kept = f'multipart/form-data; boundary="{said.get_param("boundary", "")}"'.encode("latin-1", "replace")
    scope["headers"] = [(name, kept if name == b"content-type" else value) for name, value in scope["headers"]]


class PrivateHeaders:
    """ASGI middleware: pages with a private link in their address must not leak it, be framed, or load anything from
    elsewhere; what a response says of these itself stands. A middleware of FastAPI's own kind would cost each call a
    task and two queues."""

    ONLY_OURS = (
        b"default-src 'none'",
        b"style-src 'self'",
        b"img-src 'self'",
        b"form-action 'self'",
        b"base-uri 'none'",
        b"frame-ancestors 'none'",
    )
    HEADERS = (
        # Not no-referrer: with it a browser hides from us too that a form is our own (``Origin: null``).
        (b"referrer-policy", b"same-origin"),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"content-security-policy", b"; ".join(ONLY_OURS)),
    )

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message.get("headers", ())
                said = {name.lower() for name, _ in own}
                message["headers"] = [*own, *(each for each in self.HEADERS if each[0] not in said)]
            await send(message)

        await self.app(scope, receive, with_headers)


def address_of(request: Request) -> str:
    """The address that a request came from: behind a proxy what it passes on, which uvicorn believes of loopback."""
    return request.client.host if request.client else ""


def from_our_own_page(request: Request) -> None:
    """A dependency of everything that is sent from pages: it may not come from a page of somebody else's (CSRF).

    A browser says by itself where a request comes from: in ``Sec-Fetch-Site`` where the connection is safe, else in
    ``Origin``. What says neither is no browser and brings no cookie by itself, so only then it is let through.
    Raises ``ProblemError`` 403.
    """
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        ours = site in ("same-origin", "none")
    elif origin is not None:
        ours = urlsplit(origin).netloc == request.headers.get("host")
    else:
        ours = not request.cookies
    if not ours:
        raise ProblemError(403, "这次提交不是从本系统的页面发出的，未作处理。请打开本系统的页面重新填写、提交。")


class Allowance:
    """How often one source may do something within an hour, by a limit of ``regulation.limits``. Counted by each web
    process for itself: several of them let through as many times as much."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit

    def spend(self, request: Request, of: str = "") -> None:
        """Count one more for whoever asks, or for what it is ``of``. Raises ``ProblemError`` 429 once too often."""
        self._let(_counted.hit, of or source_of(address_of(request)))

    @contextmanager
    def of_failures(self, request: Request) -> Iterator[None]:
        """Count what the block refuses, and nothing else: a whole office may sit behind one address. Raises
        ``ProblemError`` 429 for whoever has been refused too often."""
        source = source_of(address_of(request))
        self._let(_counted.test, source)
        try:
            yield
        except RefusalError:
            self._let(_counted.hit, source)
            raise

    def _let(self, ask: Callable[..., bool], counted: str) -> None:
        if not ask(RateLimitItemPerHour(self._limit.value), self._limit.code, counted):
            raise ProblemError(429, "您这里提交得太多了，请过一小时再试，或直接联系本中心。")


class Turns:
    """Work that takes long: one at a time for a source, and together no more at once than a limit of
    ``regulation.limits`` says. Counted by each web process for itself."""

    def __init__(self, limit: Limit) -> None:
        self._limit, self._lock = limit, Lock()
        self._under_way: set[str] = set()

    @contextmanager
    def taken(self, request: Request) -> Iterator[None]:
        """The turn of whoever asks, while the block lasts. Raises ``ProblemError`` 429 where there is none."""
        source = source_of(address_of(request))
        with self._lock:
            if source in self._under_way:
                raise ProblemError(429, "您这里上一次提交的还在处理，请等它有了结果再试。")
            if len(self._under_way) >= self._limit.value:
                raise ProblemError(429, "现在同时提交的人较多，请过半分钟再试。")
            self._under_way.add(source)
        try:
            yield
        finally:
            with self._lock:
                self._under_way.remove(source)


async def raw_body(request: Request) -> bytes:
    """The request's body, whole."""
    return await request.body()


def body_as(model: type[M], entries: int = ENTRIES) -> Callable[..., Awaitable[M]]:
    """A dependency that reads the JSON body as ``model`` and refuses with every wrong field named in Chinese."""

    async def parsed(body: Annotated[bytes, Depends(raw_body)]) -> M:
        return read_as(model, body, entries)

    return parsed


def read_as(model: type[M], body: bytes, entries: int = ENTRIES) -> M:
    """The JSON body as ``model``. ``InputError`` names every wrong field in Chinese, and refuses unread what has more
    than so many ``entries``."""
    if body.count(b",") > entries:
        raise InputError(f"请求体超过{entries}项，请核对，内容确实这么多的请分几次提交。")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        if error.error_count() == 1 and error.errors(include_input=False)[0]["type"] == "json_invalid":
            raise InputError("请求体不是有效的JSON，请检查后重新提交。") from None
        raise InputError(in_chinese(error, model)) from None


def signed_by(*kinds: ApplicationKind) -> Callable[..., Caller]:
    """A dependency that admits requests signed by an application of one of these kinds, each nonce once."""

    def admitted(request: Request, body: Annotated[bytes, Depends(raw_body)]) -> Caller:
        caller, nonce = authenticated(request, body, *kinds)
        if caller.on_trial:
            raise ProblemError(403, "模拟办事用的密钥只能试用用证接口，不能代部门办理其他事项。")
        journal().enter(nonce, None).result()
        return caller

    return admitted


FromDepartment = Annotated[Caller, Depends(signed_by(ApplicationKind.DEPARTMENT))]


def authenticated(request: Request, body: bytes, *kinds: ApplicationKind) -> tuple[Caller, SpentNonce]:
    """Who signed a request, and the nonce that has to be spent before anything is answered.

    Raises ``ProblemError``: 401 for a signature that does not hold, 403 for a call from elsewhere than agreed, 429 for
    too many calls.
    """
    headers = request.headers
    key, nonce, time_ms = headers.get(KEY, ""), headers.get(NONCE, ""), headers.get(TIME, "")
    if (
        not 1 <= len(key) <= 100
        or not 8 <= len(nonce) <= 100
        or not (time_ms.isascii() and time_ms.isdigit())
        or len(time_ms) > 15
    ):
        raise ProblemError(401, f"请求须带{KEY}、{TIME}（毫秒）、{NONCE}（8至100字符）和{SIGNATURE}。")
    now = clock.now()
    if abs(int(time_ms) / 1000 - now.timestamp()) > SIGNATURE_WINDOW.value:
        raise ProblemError(401, f"{TIME}与本系统时间相差超过{SIGNATURE_WINDOW.value}秒，请校准时钟后重试。")
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    given = headers.get(SIGNATURE, "").lower().encode()
    caller = caller_of(key)
    known = caller if caller is not None and caller.kind in kinds else None
    secrets = known.good_secrets(now) if known is not None else []
    of_center = known.good_trial_secrets(now) if known is not None else []
    # Every good secret is tried, so that the time taken does not tell which one it was.
    right = [
        hmac.compare_digest(sign(secret, request.method, path, int(time_ms), nonce, body).encode(), given)
        for secret in (*secrets, *of_center)
    ]
    if caller is None or not any(right):
        raise ProblemError(401, "签名不符或应用未登记，请核对密钥、时间、路径和请求体后重新签名。")
    if not any(right[: len(secrets)]):
        caller = replace(caller, on_trial=True)
    if not caller.may_call_from(address_of(request)):
        raise ProblemError(403, "本次调用的来源地址不在该应用登记的网段内，请从登记的服务器调用或变更登记。")
    allowance = RateLimitItemPerMinute(caller.calls_a_minute)
    # What the Center tries must not use up what the department may call.
    counted = f"{key} on trial" if caller.on_trial else key
    if not _calls.hit(allowance, counted):
        wait = max(1, ceil(_calls.get_window_stats(allowance, counted).reset_time - time.time()))
        raise ProblemError(429, f"调用过于频繁，请{wait}秒后重试。", {"Retry-After": str(wait)})
    return caller, SpentNonce(key, nonce, now)


# Counted by each web process for itself: several of them let through as many times as much.
_calls = SlidingWindowCounterRateLimiter(MemoryStorage())
_counted = SlidingWindowCounterRateLimiter(MemoryStorage())


Base64 = Annotated[str, Field(title="内容（Base64）", min_length=1, max_length=REQUEST_SIZE.value)]


class AttachedFile(BaseModel):
    """A file in a JSON body."""

    model_config = ConfigDict(extra="forbid")

    name: Words = Field(title="文件名", min_length=1, max_length=200)
    content: Base64
