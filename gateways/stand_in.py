"""A stand-in for a superior bureau's platform: a real HTTP server that speaks the gateway's protocol and misbehaves to
order. ``python -m gateways.stand_in --port 4231 --app-key K --app-secret S``

It checks signatures, times and the life of its secrets as the platform does, takes a request once per idempotency key,
and answers after a while: when asked and, if a callback is set, by itself. It also answers for the certificates that
it was given, and takes text messages, which go nowhere. Faults are ordered with ``POST /stand-in/faults``; ``GET
/stand-in/received`` shows what arrived. For loopback only: neither asks who calls.
"""

import argparse
import asyncio
import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import httpx
import stamina
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel, Field
from starlette.types import Receive, Scope, Send

from gateways.certificate_platform import CertificateMapping, Found, certificate_mapping
from gateways.faults import Faulty
from gateways.loopback import serve, serving
from gateways.superior_bureaus import VerificationMapping, mapping
from gateways.text_messages import MessageMapping, message_mapping
from gateways.zhejiang_gateway import (
    BY_KEY,
    BY_SECRET,
    DONE,
    EXPIRED,
    NEVER,
    REFRESHED_ELSEWHERE,
    WRONG_SIGNATURE,
    SignatureMapping,
    signature,
)
from regulation import catalogue
from regulation.objections import Bureau, Finding, Pursuit
from runtime import clock
from runtime.signing import KEY, NONCE, SIGNATURE, TIME, sign

REFUSED, UNKNOWN_NUMBER, NO_SUCH_ADDRESS = "40", "41", "44"
"""Business failures. The real codes are not public; to us they are all alike, but for those in a mapping."""
REQUEST_TIME_WINDOW = timedelta(minutes=15)
NOBODYS_CASE = "YY0000000000"
TEXT_FIELDS = ("message_id", "number", "text")


class Fault(StrEnum):
    """What can be ordered of the stand-in for its next calls."""

    REFUSE = "refuse"
    """A business failure under HTTP 500 whose message repeats the certificate's number, as platforms do."""
    SERVER_ERROR = "500"
    GARBAGE = "garbage"
    """HTTP 200 with a page instead of JSON."""
    SLOW = "slow"
    DROP_AFTER_WORK = "drop-after-work"
    """The request is taken and the connection closed without an answer."""
    TEXT_DATAS = "text-datas"
    """``datas`` as a JSON text inside the JSON."""
    EXPIRE_SECRETS = "expire-secrets"
    """The request secret has just ended: code 11."""
    WRONG_SIGNATURE = "wrong-signature"
    """The platform has forgotten both secrets it lent: code 14."""
    REFRESHING = "refreshing"
    """Somebody else has just refreshed: code 03."""
    ANSWER_TWICE = "answer-twice"
    ANSWER_LATE = "answer-late"
    UNKNOWN_CASE = "unknown-case"
    """The reply names a case that nobody has."""
    NUMBER_REFUSED = "number-refused"
    """Nothing reaches the number of the next text message."""


@dataclass(frozen=True, slots=True)
class Callback:
    """Where replies are pushed, and the application they are signed as."""

    url: str
    key: str
    secret: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A request that was taken: our number for it, its reply and when that is due, how often it is pushed."""

    number: str
    reply: dict[str, str] | None
    due_at: datetime
    pushes: int


@dataclass
class StandIn(Faulty):
    """One stand-in platform: how it behaves, and what it has seen. Lives and waits are in seconds."""

    app_key: str
    app_secret: str
    name: str = Bureau.CITY
    port: int = 0
    """0 takes a free one; ``running`` fills it in."""
    finding: Finding = Finding.WRONG
    reply_after: float = 0.0
    late_by: float = 60.0
    slow_by: float = 30.0
    request_secret_life: float = 15 * 60
    refresh_secret_life: float = 48 * 3600
    callback: Callback | None = None
    certificates: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    """What it answers for, by identifier: answers in the mapping's own words, such as ``in_their_words`` makes."""

    received: list[dict[str, Any]] = field(default_factory=list)
    taken: dict[str, Taken] = field(default_factory=dict)
    lent: Counter[str] = field(default_factory=Counter)
    """How often each of the two token addresses gave secrets."""
    pushed: list[int] = field(default_factory=list)
    """What the callback answered, as HTTP status."""
    texts: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Text messages by their own numbers: to which mobile number, and what they say."""
    reads: int = 0
    """How often it was asked for a certificate and did answer, if only that there is none."""

    request_secret: str = field(default="", repr=False)
    request_secret_ends_at: datetime = NEVER
    previous_request_secret: str = field(default="", repr=False)
    refresh_secret: str = field(default="", repr=False)
    refresh_secret_ends_at: datetime = NEVER
    agreed: VerificationMapping = field(default_factory=mapping, repr=False)
    certificates_agreed: CertificateMapping = field(default_factory=certificate_mapping, repr=False)
    messages_agreed: MessageMapping = field(default_factory=message_mapping, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def forgive(self) -> None:
        """Cancel every order that is left."""
        with self._lock:
            self._faults.clear()

    def signature_at(self, path: str) -> SignatureMapping:
        """How a call to ``path`` carries its signature; each interface has its own way."""
        agreed = {self.certificates_agreed.read_path: self.certificates_agreed.signature}
        agreed |= {self.messages_agreed.send_path: self.messages_agreed.signature}
        return agreed.get(path, self.agreed.signature)

    def signed(self, fields: dict[str, str], secret: str) -> bool:
        """Whether the application signed these fields with ``secret`` and within the last 15 minutes.

        All interfaces fetch their secrets at the same addresses, so the names of any will do.
        """
        every = self.agreed.signature, self.certificates_agreed.signature, self.messages_agreed.signature
        return any(self._signed(fields, secret, names) for names in every)

    def _signed(self, fields: dict[str, str], secret: str, names: SignatureMapping) -> bool:
        request_time = fields.get(names.request_time, "")
        if not secret or not request_time.isdecimal() or fields.get(names.app_key) != self.app_key:
            return False
        age = abs(clock.now().timestamp() * 1000 - int(request_time))
        return age <= REQUEST_TIME_WINDOW.total_seconds() * 1000 and fields.get(names.sign) == signature(
            self.app_key, secret, request_time
        )

    def lend(self, way: str) -> dict[str, Any]:
        """New secrets as the token addresses give them; the old request secret is worthless from now on."""
        self.lent[way] += 1
        self.previous_request_secret, self.request_secret = self.request_secret, secrets.token_hex(16)
        self.request_secret_ends_at = clock.now() + timedelta(seconds=self.request_secret_life)
        lent = {
            "requestSecret": self.request_secret,
            "requestSecretEndTime": _milliseconds(self.request_secret_ends_at),
        }
        if way == BY_SECRET:
            return lent
        self.refresh_secret = secrets.token_hex(16)
        self.refresh_secret_ends_at = clock.now() + timedelta(seconds=self.refresh_secret_life)
        return lent | {
            "refreshSecret": self.refresh_secret,
            "refreshSecretEndTime": _milliseconds(self.refresh_secret_ends_at),
        }

    def trouble(self, fields: dict[str, str]) -> tuple[str, str] | None:
        """The code and message for a call whose secret is not in order, ordered or real."""
        if self.ordered(Fault.EXPIRE_SECRETS):
            self.request_secret_ends_at = NEVER
        if self.ordered(Fault.WRONG_SIGNATURE):
            self.request_secret = self.previous_request_secret = self.refresh_secret = ""
        if self.ordered(Fault.REFRESHING):
            self.previous_request_secret, self.request_secret = self.request_secret, secrets.token_hex(16)
        if self.signed(fields, self.previous_request_secret):
            return REFRESHED_ELSEWHERE, "签名错误，请求密钥已刷新"
        if not self.signed(fields, self.request_secret):
            return WRONG_SIGNATURE, "签名错误"
        if clock.now() >= self.request_secret_ends_at:
            return EXPIRED, "请求密钥已过期"
        return None

    def take(self, fields: dict[str, str]) -> tuple[Taken, bool]:
        """Take a request once per idempotency key; the second value says whether it is new."""
        key = fields.get(self.agreed.request["idempotency_key"], "")
        if key in self.taken:
            return self.taken[key], False
        number = f"HS{clock.today():%Y%m%d}{len(self.taken) + 1:05}"
        wait = self.reply_after + (self.late_by if self.ordered(Fault.ANSWER_LATE) else 0)
        # An urge hastens the request before it and gets no reply of its own.
        urge = fields.get(self.agreed.request.get("pursuit", "")) == Pursuit.URGE
        taken = Taken(
            number,
            None if urge else self._reply(number, fields),
            clock.now() + timedelta(seconds=wait),
            2 if self.ordered(Fault.ANSWER_TWICE) else 1,
        )
        self.taken[key] = taken
        return taken, True

    def _reply(self, number: str, fields: dict[str, str]) -> dict[str, str]:
        ours, theirs = self.agreed.request, self.agreed.reply
        wrong = self.finding in {Finding.WRONG, Finding.PARTLY_WRONG}
        case_no = NOBODYS_CASE if self.ordered(Fault.UNKNOWN_CASE) else fields.get(ours["case_no"], "")
        return {
            theirs["case_no"]: case_no,
            theirs["reply_no"]: f"{number}-1",
            theirs["finding"]: next(code for code, finding in self.agreed.findings.items() if finding is self.finding),
            theirs["content"]: f"{self.name}经向数据源头核实：{self.finding}。",
            theirs["corrected_value"]: fields.get(ours.get("proposed", ""), "") if wrong else "",
            theirs["replied_on"]: clock.today().isoformat(),
        }

    def reply(self, number: str) -> dict[str, str] | None:
        """The reply to the request numbered so, once it is due. ``KeyError`` for a number we never gave."""
        taken = {each.number: each for each in self.taken.values()}[number]
        return taken.reply if clock.now() >= taken.due_at else None

    def certificate(self, fields: dict[str, str]) -> dict[str, Any] | None:
        """The certificate that a read asks for, by what it names, the more exact first; ``None`` if there is none."""
        self.reads += 1
        asks, answers = self.certificates_agreed.request, self.certificates_agreed.reply
        if identifier := fields.get(asks["identifier"], ""):
            return self.certificates.get(identifier)
        key = "number" if fields.get(asks["number"]) else "holder_number"
        of_type = f".{fields.get(asks['type_code'], '')}."
        return next(
            (
                answer
                for identifier, answer in self.certificates.items()
                if of_type in identifier and answer[answers[key]] == fields.get(asks[key])
            ),
            None,
        )

    async def push(self, taken: Taken) -> None:
        """Push a reply to the callback when it is due; an unreachable callback is tried again for a minute."""
        if self.callback is None or taken.reply is None:
            return
        await asyncio.sleep(max(0.0, (taken.due_at - clock.now()).total_seconds()))
        body = json.dumps(taken.reply, ensure_ascii=False).encode()
        async with httpx.AsyncClient(timeout=10) as client:
            for _ in range(taken.pushes):
                with suppress(httpx.HTTPError):
                    await self._post(client, self.callback, body)

    async def _post(self, client: httpx.AsyncClient, callback: Callback, body: bytes) -> None:
        path = httpx.URL(callback.url).raw_path.decode()
        async for attempt in stamina.retry_context(on=httpx.HTTPError, attempts=8, timeout=60):
            with attempt:
                now, nonce = _milliseconds(clock.now()), secrets.token_hex(8)
                signed = sign(callback.secret, "POST", path, now, nonce, body)
                headers = {KEY: callback.key, TIME: str(now), NONCE: nonce, SIGNATURE: signed}
                headers["Content-Type"] = "application/json"
                answer = await client.post(callback.url, content=body, headers=headers)
                self.pushed.append(answer.status_code)
                if answer.is_server_error:
                    answer.raise_for_status()


def in_their_words(found: Found, fields: Sequence[catalogue.Field], agreed: CertificateMapping) -> dict[str, Any]:
    """A certificate as the platform answers it: the reading of ``certificate_platform`` turned round."""

    def code(codes: Mapping[str, StrEnum], ours: StrEnum) -> str:
        return next(theirs for theirs, each in codes.items() if each is ours)

    keys = {field.code: field.name if agreed.face_keys == "name" else field.code for field in fields}
    style, until = agreed.date_formats[0], found.valid_until_on
    ours = {
        "identifier": found.identifier,
        "number": found.number,
        "holder_name": found.holder_name,
        "holder_number_kind": code(agreed.number_kinds, found.holder_number_kind),
        "holder_number": found.holder_number,
        "face": {keys[code]: value for code, value in found.face.items()},
        "issued_on": found.issued_on.strftime(style),
        "valid_until_on": until.strftime(style) if until else agreed.no_end[0],
        "state": code(agreed.states, found.state),
    }
    return {agreed.reply[name]: value for name, value in ours.items()}


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)


class _Cut(Response):
    """Promises a body and ends without it: the server then closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})


class _Order(BaseModel):
    kind: Fault
    times: int = Field(1, ge=1)


def build_app(bureau: StandIn) -> FastAPI:
    """The platform's addresses over one state."""
    app = FastAPI(title=bureau.name, docs_url=None, redoc_url=None, openapi_url=None)
    pushes: set[asyncio.Task[None]] = set()

    def envelope(code: str, msg: str, datas: Any = None, status: int = 200) -> Response:
        if datas is not None and bureau.ordered(Fault.TEXT_DATAS):
            datas = json.dumps(datas, ensure_ascii=False)
        counts = {"dataCount": 0, "totalDataCount": 0, "totalPage": 1, "requestId": None}
        return JSONResponse({"code": code, "msg": msg, "data": "", "datas": datas} | counts, status)

    async def failing() -> Response | None:
        """A failure below the protocol, if one is ordered."""
        if bureau.ordered(Fault.SERVER_ERROR):
            return PlainTextResponse("Internal Server Error", 500)
        if bureau.ordered(Fault.GARBAGE):
            return PlainTextResponse("<html>系统维护中</html>")
        if bureau.ordered(Fault.SLOW):
            await asyncio.sleep(bureau.slow_by)
        return None

    @app.api_route("/gateway/app/{way}.htm", methods=["GET", "POST"])
    async def token(way: str, request: Request) -> Response:
        fields = await _fields(request, bureau.signature_at(request.url.path))
        if failure := await failing():
            return failure
        if request.url.path == BY_SECRET and clock.now() < bureau.refresh_secret_ends_at:
            secret = bureau.refresh_secret
        else:
            secret = bureau.app_secret if request.url.path == BY_KEY else ""
        if not bureau.signed(fields, secret):
            return envelope(WRONG_SIGNATURE, "签名错误")
        return envelope(DONE, "成功", bureau.lend(request.url.path))

    @app.api_route("/gateway/api/{path:path}", methods=["GET", "POST"])
    async def call(path: str, request: Request) -> Response:
        fields = await _fields(request, bureau.signature_at(request.url.path))
        bureau.received.append({"path": request.url.path, "fields": fields})
        if failure := await failing():
            return failure
        if trouble := bureau.trouble(fields):
            return envelope(*trouble)
        if bureau.ordered(Fault.REFUSE):
            names = bureau.agreed.request.get("certificate_reference", ""), bureau.certificates_agreed.request["number"]
            number = next((fields[name] for name in names if name in fields), "")
            return envelope(REFUSED, f"证照{number}材料不全，予以退回", status=500)
        answers: dict[str, Callable[[dict[str, str]], Response]] = {
            bureau.agreed.send_path: take,
            bureau.agreed.reply_path: reply,
            bureau.certificates_agreed.read_path: read,
            bureau.messages_agreed.send_path: text,
        }
        answer = answers.get(request.url.path)
        return answer(fields) if answer else envelope(NO_SUCH_ADDRESS, "接口不存在")

    def take(fields: dict[str, str]) -> Response:
        taken, new = bureau.take(fields)
        if new:
            push = asyncio.create_task(bureau.push(taken))
            pushes.add(push)
            push.add_done_callback(pushes.discard)
        if bureau.ordered(Fault.DROP_AFTER_WORK):
            return _Cut()
        return envelope(DONE, "成功", {bureau.agreed.remote_no: taken.number})

    def reply(fields: dict[str, str]) -> Response:
        try:
            return envelope(DONE, "成功", bureau.reply(fields.get(bureau.agreed.remote_no, "")))
        except KeyError:
            return envelope(UNKNOWN_NUMBER, "没有这个受理编号")

    def read(fields: dict[str, str]) -> Response:
        found, codes = bureau.certificate(fields), bureau.certificates_agreed.not_found_codes
        if bureau.ordered(Fault.DROP_AFTER_WORK):
            return _Cut()
        return envelope(DONE, "成功", found) if found or not codes else envelope(codes[0], "没有这件证照")

    def text(fields: dict[str, str]) -> Response:
        message_id, number, said = (fields.get(bureau.messages_agreed.request[name], "") for name in TEXT_FIELDS)
        if bureau.ordered(Fault.NUMBER_REFUSED):
            return envelope(bureau.messages_agreed.number_refused_codes[0], f"{number}为空号")
        bureau.texts.setdefault(message_id, (number, said))
        return _Cut() if bureau.ordered(Fault.DROP_AFTER_WORK) else envelope(DONE, "成功", {})

    @app.get("/stand-in/received")
    async def received() -> dict[str, Any]:
        return {
            "calls": bureau.received,
            "taken": {key: taken.number for key, taken in bureau.taken.items()},
            "lent": bureau.lent,
            "pushed": bureau.pushed,
            "reads": bureau.reads,
            "texts": bureau.texts,
        }

    @app.post("/stand-in/faults")
    async def faults(order: _Order) -> _Order:
        bureau.order(order.kind, order.times)
        return order

    return app


async def _fields(request: Request, names: SignatureMapping) -> dict[str, str]:
    """What a call brought along, wherever it put it: address, form, or JSON body with the signature as headers."""
    fields = dict(request.query_params)
    if request.headers.get("content-type", "").startswith("application/json"):
        signed = (names.app_key, names.request_time, names.sign)
        body: dict[str, str] = await request.json()
        return fields | body | {name: request.headers.get(name, "") for name in signed}
    return fields | {name: str(value) for name, value in (await request.form()).items()}


@contextmanager
def running(bureau: StandIn) -> Iterator[StandIn]:
    """The stand-in on loopback while the block runs; its ``url`` says where. ``OSError`` for a port that is taken."""
    with serving(build_app(bureau), bureau.port) as bureau.port:
        yield bureau


def main() -> None:
    """Run a stand-in until it is stopped."""
    parser = argparse.ArgumentParser(description="上级大数据局平台的替身，供试用、演示和测试，只在本机监听")
    parser.add_argument("--port", type=int, required=True, help="端口")
    parser.add_argument("--app-key", required=True)
    parser.add_argument("--app-secret", required=True)
    parser.add_argument("--name", default=str(Bureau.CITY), help="以谁的名义回复")
    parser.add_argument("--reply-after", type=float, default=0.0, metavar="SECONDS", help="受理后多少秒回复")
    parser.add_argument("--finding", choices=[finding.name for finding in Finding], default=Finding.WRONG.name)
    parser.add_argument("--callback", default="", metavar="URL", help="回复推送到哪里；不填只供查询")
    parser.add_argument("--callback-key", default="")
    parser.add_argument("--callback-secret", default="")
    parser.add_argument("--certificates", type=Path, metavar="FILE", help="所答的证照（JSON，以电子证照标识为键）")
    given = parser.parse_args()
    bureau = StandIn(
        given.app_key,
        given.app_secret,
        name=given.name,
        port=given.port,
        finding=Finding[given.finding],
        reply_after=given.reply_after,
        certificates=json.loads(given.certificates.read_text(encoding="utf-8")) if given.certificates else {},
        callback=Callback(given.callback, given.callback_key, given.callback_secret) if given.callback else None,
    )
    serve(build_app(bureau), bureau.port)


if __name__ == "__main__":
    main()
