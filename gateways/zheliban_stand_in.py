"""A stand-in for Zheliban's unified sign-on: a real HTTP server that speaks its protocol and misbehaves to order.
``python -m gateways.zheliban_stand_in --port 4233 --service-code C --service-password P --persons FILE``

It checks signature and time of every call. A ticket for a person it knows is given by ``POST /stand-in/tickets`` with
``{"number": ...}``, or to whoever chooses them on ``/stand-in/sign-in?back=<address>``; it can be used once and lives
for a while. Faults are ordered with ``POST /stand-in/faults``. For loopback only: none of them asks who calls.
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
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from pydantic import BaseModel, TypeAdapter
from pydantic import Field as PydanticField

from gateways.faults import Faulty
from gateways.loopback import serve, serving
from gateways.zheliban import (
    ASK,
    COMPANY,
    COMPANY_CODE,
    COMPANY_NAME,
    COMPANY_TYPE,
    DONE,
    LEVEL,
    METHOD,
    NAME,
    NUMBER,
    NUMBER_KIND,
    NUMBER_KINDS,
    PATH,
    RESULT,
    SERVICE,
    SIGN,
    TICKET,
    TIME,
    TIME_FORMAT,
    TOKEN,
    USER_TYPE,
    VALIDATE,
    Person,
    signature,
)
from regulation.certificates import mask_name, mask_number
from regulation.identity_numbers import NumberKind
from runtime import clock

WRONG_SIGNATURE, WRONG_TICKET, WRONG_TOKEN, WRONG_METHOD = "1", "2", "3", "4"
"""Failures. The real values are not public; to us they are all alike."""
TIME_WINDOW = timedelta(minutes=10)
SIGN_IN = "/stand-in/sign-in"
SHOWN = 50
"""How many people the page to sign in on offers."""


class Fault(StrEnum):
    """What can be ordered of the stand-in for its next calls."""

    DOWN = "down"
    GARBAGE = "garbage"
    """HTTP 200 with a page instead of JSON."""
    SLOW = "slow"
    NOT_AUTHENTICATED = "not-authenticated"
    """The person is not authenticated by real name."""


@dataclass
class StandIn(Faulty):
    """One stand-in: whom it knows, how it behaves, and how often it was called. Lives and waits are in seconds."""

    service_code: str
    service_password: str
    persons: Iterable[Person] = ()
    port: int = 0
    """0 takes a free one; ``running`` fills it in."""
    ticket_life: float = 300.0
    slow_by: float = 30.0

    calls: Counter[str] = field(default_factory=Counter)
    """How often each method was called."""
    _known: dict[str, Person] = field(default_factory=dict, repr=False)
    _tickets: dict[str, tuple[Person, datetime]] = field(default_factory=dict, repr=False)
    _tokens: dict[str, Person] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._known = {person.number: person for person in self.persons}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def issue(self, number: str) -> str:
        """A ticket for the person or company with this number. ``KeyError`` for somebody it does not know."""
        ticket = secrets.token_hex(16)
        with self._lock:
            ends_at = clock.now() + timedelta(seconds=self.ticket_life)
            self._tickets[ticket] = self._known[number], ends_at
        return ticket

    def known(self) -> list[tuple[str, Person]]:
        """Some of those it knows, by number."""
        return list(self._known.items())[:SHOWN]

    def sign_in_url(self, back: str) -> str:
        """Where somebody signs in to come back to an address with a ticket."""
        return f"{self.url}{SIGN_IN}?{urlencode({'back': back})}"

    def answer(self, form: dict[str, str]) -> dict[str, Any]:
        """What a call is answered."""
        self.calls[form.get(METHOD, "")] += 1
        if not self._signed(form):
            return _failure(WRONG_SIGNATURE, "签名错误")
        if form.get(METHOD) == VALIDATE:
            return self._validated(form.get(TICKET, ""))
        if form.get(METHOD) == ASK:
            return self._asked(form.get(TOKEN, ""))
        return _failure(WRONG_METHOD, "方法不存在")

    def _signed(self, form: dict[str, str]) -> bool:
        time = form.get(TIME, "")
        try:
            called_at = datetime.strptime(time, TIME_FORMAT).replace(tzinfo=clock.SHANGHAI)
        except ValueError:
            return False
        right = signature(self.service_code, self.service_password, time)
        in_time = abs(clock.now() - called_at) <= TIME_WINDOW
        return in_time and form.get(SERVICE) == self.service_code and form.get(SIGN) == right

    def _validated(self, ticket: str) -> dict[str, Any]:
        with self._lock:
            person, ends_at = self._tickets.pop(ticket, (None, clock.now()))
            if person is None or ends_at <= clock.now():
                return _failure(WRONG_TICKET, "票据无效")
            token = f"{secrets.token_hex(16)}-commonToken"
            self._tokens[token] = person
        return {RESULT: DONE, "errmsg": "成功", TOKEN: token}

    def _asked(self, token: str) -> dict[str, Any]:
        with self._lock:
            person = self._tokens.pop(token, None)
        if person is None:
            return _failure(WRONG_TOKEN, "令牌无效")
        if person.number_kind is NumberKind.CREDIT_CODE:
            company = {COMPANY_NAME: person.name, COMPANY_CODE: person.number}
            return {RESULT: DONE, "errmsg": "成功", USER_TYPE: COMPANY_TYPE, COMPANY: company}
        kind = next(code for code, kind in NUMBER_KINDS.items() if kind is person.number_kind)
        level = "1" if self.ordered(Fault.NOT_AUTHENTICATED) else "3"
        own = {NAME: person.name, NUMBER_KIND: kind, NUMBER: person.number, LEVEL: level}
        return {RESULT: DONE, "errmsg": "成功"} | own


def _failure(code: str, message: str) -> dict[str, Any]:
    return {RESULT: code, "errmsg": message}


class _Order(BaseModel):
    kind: Fault
    times: int = PydanticField(1, ge=1)


class _Wish(BaseModel):
    number: str


def build_app(stand_in: StandIn) -> FastAPI:
    """The sign-on's address over one state."""
    app = FastAPI(title="浙里办", docs_url=None, redoc_url=None, openapi_url=None)

    @app.post(PATH)
    async def call(request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        if stand_in.ordered(Fault.DOWN):
            return PlainTextResponse("Service Unavailable", 503)
        if stand_in.ordered(Fault.GARBAGE):
            return PlainTextResponse("<html>系统维护中</html>")
        if stand_in.ordered(Fault.SLOW):
            await asyncio.sleep(stand_in.slow_by)
        return JSONResponse(stand_in.answer(form))

    @app.post("/stand-in/tickets")
    async def tickets(wish: _Wish) -> dict[str, str]:
        try:
            return {"ticket": stand_in.issue(wish.number)}
        except KeyError:
            raise HTTPException(404, "没有这个人或单位") from None

    @app.get(SIGN_IN)
    async def sign_in(back: str) -> HTMLResponse:
        """In place of Zheliban's own page: whoever is chosen is taken for signed in."""
        people = "".join(
            f'<li><a href="/stand-in/chosen?{escape(urlencode({"number": number, "back": back}))}">'
            f"{escape(mask_name(person.name))} {escape(mask_number(number))}</a></li>"
            for number, person in stand_in.known()
        )
        return HTMLResponse(
            '<!doctype html><html lang="zh-CN"><meta charset="utf-8">'
            f"<title>浙里办替身</title><h1>浙里办登录（替身，仅供试用）</h1><p>选一个人登录：</p><ul>{people}</ul></html>"
        )

    @app.get("/stand-in/chosen")
    async def chosen(number: str, back: str) -> Response:
        try:
            return RedirectResponse(f"{back}?{urlencode({'ticket': stand_in.issue(number)})}", 303)
        except KeyError:
            raise HTTPException(404, "没有这个人或单位") from None

    @app.post("/stand-in/faults")
    async def faults(order: _Order) -> _Order:
        stand_in.order(order.kind, order.times)
        return order

    return app


@contextmanager
def running(stand_in: StandIn) -> Iterator[StandIn]:
    """The stand-in on loopback while the block runs; its ``url`` says where. ``OSError`` for a port that is taken."""
    with serving(build_app(stand_in), stand_in.port) as stand_in.port:
        yield stand_in


PERSONS = TypeAdapter(list[Person])
"""The form of the file with the persons that a stand-in knows."""


def main() -> None:
    """Run a stand-in until it is stopped."""
    parser = argparse.ArgumentParser(description="浙里办统一登录的替身，供试用、演示和测试，只在本机监听")
    parser.add_argument("--port", type=int, required=True, help="端口")
    parser.add_argument("--service-code", required=True)
    parser.add_argument("--service-password", required=True)
    parser.add_argument("--persons", type=Path, metavar="FILE", help="可以登录的人和单位（JSON）")
    given = parser.parse_args()
    persons = PERSONS.validate_json(given.persons.read_bytes()) if given.persons else []
    serve(build_app(StandIn(given.service_code, given.service_password, persons, given.port)), given.port)


if __name__ == "__main__":
    main()
