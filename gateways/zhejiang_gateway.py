"""The city's and the province's public-data gateways: Zhejiang's protocol, whatever is asked over it.

A gateway lends two secrets: a request secret (15 minutes) signs calls, a refresh secret (48 hours) fetches the next
request secret. A refresh makes the old request secret worthless, so all our processes share one in the database.
Calls are signed with MD5, which is the platform's choice and stays in this file. An answer's ``code`` decides, whatever
the HTTP status says:

    00  done
    11  the request secret has expired: refresh it, repeat
    14  wrong signature: fetch both secrets anew by key, repeat
    03  wrong signature, seen when two processes refresh at once: take what the other one fetched or refresh, repeat
    any other, or the same trouble again after our own remedy: a business failure, which staff decide on

Call none of this inside a transaction: the shared secrets are refreshed under a lock of their own.
"""

import hashlib
import json
import math
import re
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import httpx
import stamina
from pydantic import AliasGenerator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from sqlalchemy.exc import IntegrityError

from gateways.answers import Connections, OversizedError
from models.gateway_secrets import GatewaySecret
from regulation.objections import Bureau
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import RefusalError
from runtime.settings import GatewaySettings, settings

Agreed = TypeVar("Agreed", bound=BaseModel)

DONE, EXPIRED, REFRESHED_ELSEWHERE, WRONG_SIGNATURE = "00", "11", "03", "14"
BY_KEY, BY_SECRET = "/gateway/app/refreshTokenByKey.htm", "/gateway/app/refreshTokenBySec.htm"
REFRESH_EARLY = timedelta(minutes=3)
"""How long before its end a secret is replaced, so that no call is signed with one that ends on the way."""
CONNECT_WITHIN, ANSWER_WITHIN, LEND_WITHIN = 3.0, 8.0, 4.0
"""Seconds to reach a gateway, for its answer, and for its answer to a request for secrets. The last is short because
the lock is held meanwhile, and on SQLite that lock keeps everybody else from writing."""
ATTEMPTS, RETRY_WITHIN = 4, 12.0
"""Tries of one call, and seconds after which no further one is made: with the last answer about 20 seconds in all.
Whoever wanted the call tries again later."""
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_connections = Connections()
close = _connections.close

Name = Annotated[str, Field(min_length=1)]
PlatformPath = Annotated[str, Field(pattern="^/")]


class BureauUnavailableError(Exception):
    """The gateway could not be reached or answered nothing usable: to be tried again later."""


class BureauRefusedError(Exception):
    """The gateway answered with a business failure: staff decide what to do. ``code`` is the platform's, if any."""

    def __init__(self, why: str, code: str = "") -> None:
        super().__init__(why)
        self.code = code


class MappingError(RefusalError):
    """A mapping file that cannot be used."""


class _TransientError(Exception):
    """One attempt failed in a way that another may not; ``str()`` continues a sentence about the platform."""


class Matter(BaseModel):
    """For which matter data are asked (Article 9 on the wire): the gateway's ``additional``."""

    model_config = ConfigDict(alias_generator=AliasGenerator(serialization_alias=to_camel))

    power_matters: str
    sub_power_matters: str
    accesscard_id: str
    material_name: str
    sponsor_name: str
    sponsor_code: str
    project_id: str


class SignatureMapping(BaseModel):
    """How the signature travels: some gateways spell the key ``appkey``, some take it as headers with a JSON body."""

    model_config = ConfigDict(extra="forbid")

    place: Literal["form", "headers"]
    app_key: Name
    request_time: Name
    sign: Name


def mapping_in_use(form: type[Agreed], chosen: str, setting: str, built_in: str) -> Agreed:
    """An interface's mapping, the operator's or else the ``built_in`` file, read once per file. ``MappingError`` names
    the file and its wrong places, the setting that chose it, and the built-in one that shows how it is done."""
    agreed: Agreed = _mapping_in(form, Path(chosen or Path(__file__).with_name(built_in)), setting, built_in)
    return agreed


@cache
def _mapping_in(form: type[Agreed], path: Path, setting: str, built_in: str) -> Agreed:
    try:
        return form.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise MappingError(f"字段对照文件{path}不存在或无法读取，请检查{setting}。") from None
    except ValidationError as error:
        places = {".".join(map(str, problem["loc"])) or "整个文件" for problem in error.errors()}
        where = "、".join(sorted(places))
        raise MappingError(f"字段对照文件{path}有误（{where}），请对照内置的{built_in}更正。") from None


def has_gateway(bureau: Bureau) -> bool:
    """Whether requests to this bureau go over its gateway; by letter otherwise."""
    return bool(address(bureau))


def address(bureau: Bureau) -> str:
    """Where a bureau's gateway is; empty when it has none."""
    return _settings_of(bureau).url


def _settings_of(bureau: Bureau) -> GatewaySettings:
    return settings().city_gateway if bureau is Bureau.CITY else settings().province_gateway


def signature(app_key: str, secret: str, request_time: str) -> str:
    """The platform's signature: MD5 as 32 lower-case hex digits; ``request_time`` is milliseconds since 1970.

    >>> signature("k", "s", "1700000000000")
    'c4d3fc98255d6327414e3bbf016779ce'
    """
    return hashlib.md5((app_key + secret + request_time).encode(), usedforsecurity=False).hexdigest()


class _Lent(BaseModel):
    """What the gateway lends; a refresh by secret need not repeat the refresh secret. Ends in ms since 1970."""

    model_config = ConfigDict(alias_generator=AliasGenerator(validation_alias=to_camel), coerce_numbers_to_str=True)

    request_secret: Name
    request_secret_end_time: AwareDatetime
    refresh_secret: str | None = None
    refresh_secret_end_time: AwareDatetime | None = None


@dataclass(frozen=True, slots=True)
class Gateway:
    """One bureau's gateway: signed calls with this installation's shared secrets. Times in seconds."""

    bureau: Bureau
    signature: SignatureMapping
    answer_within: float = ANSWER_WITHIN
    lend_within: float = LEND_WITHIN
    attempts: int = ATTEMPTS
    ends_at: float = math.inf
    """The moment of ``time.monotonic()`` after which the platform is waited for no longer."""
    afterwards: str = "稍后自动重试"
    """What becomes of a call that failed, to end the sentence that says so."""

    def call(self, path: str, fields: dict[str, str], private: Collection[str] = ()) -> Any:
        """A data call's ``datas``; object or JSON text, as the gateway likes. ``private`` are the values that must
        not get into an error's text although the platform repeats them.

        Tries a few times with growing, jittered waits. Raises ``BureauUnavailableError`` and ``BureauRefusedError``.
        """
        if not has_gateway(self.bureau):
            raise BureauRefusedError(f"{self.bureau}没有设置网关地址，请书面发函或请管理员设置。")
        try:
            for attempt in stamina.retry_context(
                on=_TransientError,
                attempts=self.attempts,
                timeout=RETRY_WITHIN,
                wait_initial=0.5,
                wait_max=4.0,
                wait_jitter=0.5,
            ):
                with attempt:
                    return self._attempt(path, fields, private)
        except _TransientError as why:
            raise BureauUnavailableError(f"{self.bureau}的平台{why}，{self.afterwards}。") from None
        raise AssertionError("retrying either returns or raises")

    def _attempt(self, path: str, fields: dict[str, str], private: Collection[str]) -> Any:
        """One attempt, with the protocol's trouble with secrets dealt with: we remedy each kind once.

        Taking over what another process fetched meanwhile is no remedy of ours and does not count. The loop ends all
        the same, because every fetch was some process's counted remedy.
        """
        remedied: set[str] = set()
        secret = self._request_secret()
        while True:
            answer = self._exchange(path, fields, secret, self.answer_within)
            code = str(answer["code"])
            if code == DONE:
                return _datas(answer)
            if code in remedied or code not in {EXPIRED, REFRESHED_ELSEWHERE, WRONG_SIGNATURE}:
                raise BureauRefusedError(f"{self.bureau}的平台未受理{self._stated(answer, private)}。", code)
            # With 14 nothing we hold can be trusted; with 11 and 03 the refresh secret still can.
            secret, ours = self._replace(secret, by_key=code == WRONG_SIGNATURE)
            if ours:
                remedied.add(code)

    def _request_secret(self) -> str:
        """The shared request secret; it is replaced some minutes before it ends."""
        with reading() as session:
            row = session.get(GatewaySecret, self.bureau.name)
        if row is None:
            self._make_row()
        elif row.request_secret_ends_at - clock.now() > REFRESH_EARLY:
            return row.request_secret
        return self._replace(row.request_secret if row is not None else "")[0]

    def _make_row(self) -> None:
        """An empty row, since a row that does not exist cannot be locked."""
        with suppress(IntegrityError), transaction() as session:
            session.add(
                GatewaySecret(
                    gateway=self.bureau.name,
                    request_secret="",
                    request_secret_ends_at=NEVER,
                    refresh_secret="",
                    refresh_secret_ends_at=NEVER,
                )
            )

    def _replace(self, stale: str, by_key: bool = False) -> tuple[str, bool]:
        """The request secret instead of ``stale``, and whether it was us who fetched it.

        The row is locked over the exchange on purpose: a second refresh would make the first one's secret worthless.
        """
        with transaction() as session:
            row = session.get_one(GatewaySecret, self.bureau.name, with_for_update=True)
            now = clock.now()
            if row.request_secret != stale and row.request_secret_ends_at > now:
                return row.request_secret, False
            usable = not by_key and row.refresh_secret_ends_at - now > REFRESH_EARLY
            lent = self._borrow(row.refresh_secret if usable else None)
            row.request_secret, row.request_secret_ends_at = lent.request_secret, lent.request_secret_end_time
            if lent.refresh_secret and lent.refresh_secret_end_time:
                row.refresh_secret, row.refresh_secret_ends_at = lent.refresh_secret, lent.refresh_secret_end_time
            return row.request_secret, True

    def _borrow(self, refresh_secret: str | None) -> _Lent:
        """New secrets by the refresh secret; by the application's key without one or when it is not taken any more."""
        answer = self._exchange(BY_SECRET, {}, refresh_secret, self.lend_within) if refresh_secret else None
        if answer is None or str(answer["code"]) != DONE:
            app_secret = _settings_of(self.bureau).app_secret.get_secret_value()
            answer = self._exchange(BY_KEY, {}, app_secret, self.lend_within)
        if str(answer["code"]) != DONE:
            names = f"EZT_{self.bureau.name}_GATEWAY__APP_KEY和APP_SECRET"
            said = self._stated(answer)
            raise BureauRefusedError(f"{self.bureau}的平台没有发给请求密钥{said}，请核对{names}以及本机时钟。")
        try:
            return _Lent.model_validate(_datas(answer))
        except ValidationError:
            raise _TransientError("返回的密钥无法识别") from None

    def _exchange(self, path: str, fields: dict[str, str], secret: str, within: float) -> dict[str, Any]:
        """One POST and the envelope that came back. Raises ``_TransientError`` when none did.

        The errors are raised outside of ``except``, so that they do not drag the request along as their context.
        """
        gateway, names = _settings_of(self.bureau), self.signature
        within = min(within, self.ends_at - time.monotonic())
        if within <= 0:
            raise _TransientError("没有及时答复")
        now = str(int(clock.now().timestamp() * 1000))
        signed = {
            names.app_key: gateway.app_key,
            names.request_time: now,
            names.sign: signature(gateway.app_key, secret, now),
        }
        if names.place == "headers" and path not in {BY_KEY, BY_SECRET}:
            sent: dict[str, Any] = {"json": fields, "headers": signed}
        else:
            sent = {"data": fields | signed}
        try:
            status, body = _connections.post(gateway.url + path, within, CONNECT_WITHIN, **sent)
        except httpx.TimeoutException:
            trouble = "没有及时答复"
        except OversizedError:
            trouble = "答复过大"
        except (httpx.HTTPError, httpx.InvalidURL):
            trouble = "未能连通"
        else:
            answer = json_value(body)
            if isinstance(answer, dict) and "code" in answer:
                return answer
            trouble = f"暂时故障（HTTP {status}）"
        raise _TransientError(trouble)

    def _stated(self, answer: dict[str, Any], private: Collection[str] = ()) -> str:
        """The platform's code and message in brackets, without the keys and persons' values it may repeat."""
        gateway = _settings_of(self.bureau)
        said = str(answer.get("msg") or "")
        kept_out = {gateway.app_key, gateway.app_secret.get_secret_value(), *private} - {""}
        for value in sorted(kept_out, key=len, reverse=True):
            said = said.replace(value, "***")
        # Identity numbers and mobile numbers that we did not send ourselves.
        said = re.sub(r"(?<!\d)(\d{17}[\dXx]|\d{15}|1[3-9]\d{9})(?!\d)", "***", said)
        return f"（代码{str(answer['code'])[:20]}：{said[:200]}）"


def _datas(answer: dict[str, Any]) -> Any:
    """An envelope's ``datas``: a JSON value, or a JSON text inside the JSON."""
    datas = answer.get("datas")
    if not isinstance(datas, str) or not datas.strip():
        return datas or None
    parsed = json_value(datas)
    if parsed is None and datas.strip() != "null":
        raise _TransientError("返回了无法识别的内容")
    return parsed


def json_value(text: str | bytes) -> Any:
    """The JSON value in ``text``, ``None`` if there is none."""
    try:
        return json.loads(text)
    except ValueError:
        return None
