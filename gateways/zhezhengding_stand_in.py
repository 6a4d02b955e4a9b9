"""A stand-in for Zhezhengding's sign-on: a real HTTP server that speaks its protocol and misbehaves to order.
``python -m gateways.zhezhengding_stand_in --port 4234 --app-key K --app-secret S --account 10001 --account 10002``

It checks signature and time of every call. A code for an account it knows is given to whoever chooses the account on
its sign-on page, which sends them back with it; it can be used once and lives for a while. For loopback only: its page
asks nobody who they are.
"""

import argparse
import asyncio
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from html import escape
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response

from gateways.faults import Faulty
from gateways.loopback import serve, serving
from gateways.zhezhengding import (
    ACCOUNT,
    ACCOUNT_PATH,
    CODE,
    CONTENT,
    DATA,
    GIVEN_TOKEN,
    KEY,
    NONCE,
    SIGNATURE,
    SUCCESS,
    TIME,
    TOKEN,
    TOKEN_PATH,
    signature,
)
from runtime import clock

TIME_WINDOW = timedelta(minutes=10)
SIGN_ON = "/oauth2/auth.htm"


class Fault(StrEnum):
    """What can be ordered of the stand-in for its next calls."""

    DOWN = "down"
    GARBAGE = "garbage"
    """HTTP 200 with a page instead of JSON."""
    SLOW = "slow"


@dataclass
class StandIn(Faulty):
    """One stand-in: which accounts it knows, how it behaves, and how often it was called. Lives and waits are in
    seconds."""

    app_key: str
    app_secret: str
    accounts: Iterable[str] = ()
    port: int = 0
    """0 takes a free one; ``running`` fills it in."""
    code_life: float = 300.0
    slow_by: float = 30.0

    calls: Counter[str] = field(default_factory=Counter)
    """How often each path was called."""
    _codes: dict[str, tuple[str, datetime]] = field(default_factory=dict, repr=False)
    _tokens: set[str] = field(default_factory=set, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sign_in_url(self) -> str:
        """Its sign-on page."""
        return f"{self.url}{SIGN_ON}"

    def issue(self, account: str) -> str:
        """A code for this account. ``KeyError`` for one that it does not know."""
        if account not in self.accounts:
            raise KeyError(account)
        code = secrets.token_hex(20)
        with self._lock:
            self._codes[code] = account, clock.now() + timedelta(seconds=self.code_life)
        return code

    def answer(self, path: str, headers: Any, form: dict[str, str]) -> dict[str, Any]:
        """What a call is answered."""
        self.calls[path] += 1
        if not self._signed(path, headers, form):
            return _failure("签名错误")
        with self._lock:
            if path == TOKEN_PATH:
                token = f"app_{secrets.token_hex(16)}"
                self._tokens.add(token)
                return _given({GIVEN_TOKEN: token, "expiresIn": 7200})
            account, ends_at = self._codes.pop(form.get(CODE, ""), ("", clock.now()))
            if form.get(TOKEN) not in self._tokens or not account or ends_at <= clock.now():
                return _failure("授权码无效")
            return _given({ACCOUNT: int(account) if account.isdigit() else account, "employeeCode": f"GE_{account}"})

    def _signed(self, path: str, headers: Any, form: dict[str, str]) -> bool:
        time, nonce = headers.get(TIME, ""), headers.get(NONCE, "")
        try:
            in_time = abs(clock.now() - datetime.fromisoformat(time)) <= TIME_WINDOW
        except (ValueError, TypeError):
            return False
        right = signature(self.app_secret, "POST", time, nonce, path, form)
        return in_time and headers.get(KEY) == self.app_key and headers.get(SIGNATURE) == right


def _given(data: dict[str, Any]) -> dict[str, Any]:
    content = {SUCCESS: True, DATA: data, "responseCode": "0", "responseMessage": "OK"}
    return {SUCCESS: True, CONTENT: content, "bizErrorCode": "0"}


def _failure(message: str) -> dict[str, Any]:
    return {SUCCESS: False, "bizErrorCode": "OPF-B001", "errorMsg": message}


def build_app(stand_in: StandIn) -> FastAPI:
    """The sign-on's addresses over one state."""
    app = FastAPI(title="浙政钉", docs_url=None, redoc_url=None, openapi_url=None)

    async def call(request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        if stand_in.ordered(Fault.DOWN):
            return PlainTextResponse("Service Unavailable", 503)
        if stand_in.ordered(Fault.GARBAGE):
            return PlainTextResponse("<html>系统维护中</html>")
        if stand_in.ordered(Fault.SLOW):
            await asyncio.sleep(stand_in.slow_by)
        return JSONResponse(stand_in.answer(request.url.path, request.headers, form))

    for path in (TOKEN_PATH, ACCOUNT_PATH):
        app.add_api_route(path, call, methods=["POST"])

    @app.get(SIGN_ON)
    async def sign_on(client_id: str, redirect_uri: str, response_type: str, scope: str, state: str = "") -> Response:
        """In place of the real page: whoever is chosen is taken for signed on."""
        if (client_id, response_type, scope) != (stand_in.app_key, "code", "get_user_info"):
            raise HTTPException(403, "无权限访问")
        ways = {
            account: f"/stand-in/chosen?{urlencode({'account': account, 'back': redirect_uri, 'state': state})}"
            for account in stand_in.accounts
        }
        people = "".join(f'<li><a href="{escape(way)}">{escape(account)}</a></li>' for account, way in ways.items())
        return HTMLResponse(
            '<!doctype html><html lang="zh-CN"><meta charset="utf-8">'
            f"<title>浙政钉替身</title><h1>浙政钉登录（替身，仅供试用）</h1><p>选一个账号登录：</p><ul>{people}</ul></html>"
        )

    @app.get("/stand-in/chosen")
    async def chosen(account: str, back: str, state: str = "") -> Response:
        try:
            return RedirectResponse(f"{back}?{urlencode({'code': stand_in.issue(account), 'state': state})}", 303)
        except KeyError:
            raise HTTPException(404, "没有这个账号") from None

    return app


@contextmanager
def running(stand_in: StandIn) -> Iterator[StandIn]:
    """The stand-in on loopback while the block runs; its ``url`` says where. ``OSError`` for a port that is taken."""
    with serving(build_app(stand_in), stand_in.port) as stand_in.port:
        yield stand_in


def main() -> None:
    """Run a stand-in until it is stopped."""
    parser = argparse.ArgumentParser(description="浙政钉登录的替身，供试用和测试，只在本机监听")
    parser.add_argument("--port", type=int, required=True, help="端口")
    parser.add_argument("--app-key", required=True)
    parser.add_argument("--app-secret", required=True)
    parser.add_argument("--account", action="append", default=[], help="可以登录的账号，可以多次")
    given = parser.parse_args()
    serve(build_app(StandIn(given.app_key, given.app_secret, given.account, given.port)), given.port)


if __name__ == "__main__":
    main()
