"""Zhezhengding (浙政钉): which account of the government's own DingTalk somebody signed on with.

Staff are sent to its sign-on page (OAuth 2, authorization code) and come back with a code that serves once. Two calls,
each a form by POST, signed:

    /gettoken.json                             gives an access token of this application
    /rpc/oauth2/getuserinfo_bycode.json        access_token, code: gives the account

``X-Hmac-Auth-Signature`` is the Base64 of HMAC-SHA256, with the application's secret, over method, timestamp, nonce,
path and, where there are any, the fields by name as ``name=value`` joined by ``&``, a line each. ``success`` has to be
true in the answer and in its ``content``.

The interface document is not public; this is what several public clients agree on. Not certain, to be compared with the
document that an operator gets with the application's key:

- The page hands ``state`` back as it was. It knows no proof key (PKCE), so whoever steals a code and the application's
  secret can use it; here a code comes back to an https address of ours and is used at once.
- ``accountId`` names a person over all tenants. Some clients take it for a number, some for a text: taken as text.
- What the values of ``responseCode`` mean is not known: what fails at the second call is taken for the code's fault.
"""

import hashlib
import hmac
import secrets
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx

from gateways.answers import Connections
from runtime import clock
from runtime.refusals import RefusalError
from runtime.settings import settings

TOKEN_PATH, ACCOUNT_PATH = "/gettoken.json", "/rpc/oauth2/getuserinfo_bycode.json"
KEY, TIME, NONCE, SIGNATURE = "apiKey", "X-Hmac-Auth-Timestamp", "X-Hmac-Auth-Nonce", "X-Hmac-Auth-Signature"
VERSION = {"X-Hmac-Auth-Version": "1.0"}
TOKEN, CODE = "access_token", "code"
SUCCESS, CONTENT, DATA, GIVEN_TOKEN, ACCOUNT = "success", "content", "data", "accessToken", "accountId"

ANSWER_WITHIN, CONNECT_WITHIN = 4.0, 2.0
"""Seconds for an answer and for a connection; somebody looks at a blank page meanwhile."""
_connections = Connections(lambda: httpx.Client(transport=httpx.HTTPTransport(retries=1)))
close = _connections.close


class CodeError(RefusalError):
    """A code that is wrong, used or too old."""


class ZhezhengdingUnavailableError(RefusalError):
    """Zhezhengding is not set up here, could not be reached or answered nothing usable. The code may be spent."""


def is_set_up() -> bool:
    """Whether staff can sign on with it here."""
    return bool(settings().zhezhengding.url and settings().zhezhengding.sign_in_url)


def sign_in_address(state: str, back: str) -> str:
    """Where somebody signs on, to come ``back`` with a code and this ``state``."""
    given = settings().zhezhengding
    asked = {
        "response_type": "code",
        "client_id": given.app_key,
        "redirect_uri": back,
        "scope": "get_user_info",
        "authType": "QRCODE",
        "state": state,
    }
    return f"{given.sign_in_url}?{urlencode(asked)}"


def signature(secret: str, method: str, time: str, nonce: str, path: str, fields: Mapping[str, str]) -> str:
    """The platform's signature.

    >>> signature("secret", "POST", "2026-02-13T09:30:00.000+08:00", "17709462000001234", "/gettoken.json", {})
    'AD2Z8XMN3uYHAdYI1ONZyNyyB9QMPGUH7R8Y4CCbjXc='
    """
    said = [method, time, nonce, path]
    if fields:
        said.append("&".join(f"{name}={value}" for name, value in sorted(fields.items())))
    return b64encode(hmac.new(secret.encode(), "\n".join(said).encode(), hashlib.sha256).digest()).decode()


def account_of(code: str) -> str:
    """The account that the code is of, which is spent by this.

    Raises ``CodeError`` for a code that says nothing about anybody, and ``ZhezhengdingUnavailableError`` when
    Zhezhengding is not set up here, down, slow or not to be understood.
    """
    if not is_set_up():
        raise ZhezhengdingUnavailableError("本系统没有设置浙政钉登录，请用工号和一次性验证码登录。")
    if not code.strip():
        raise CodeError("没有收到浙政钉的登录凭证，请重新扫码，或用工号和一次性验证码登录。")
    token = _data(_ask(TOKEN_PATH, {})).get(GIVEN_TOKEN)
    if not token or not isinstance(token, str):
        raise _unreadable()
    answer = _ask(ACCOUNT_PATH, {TOKEN: token, CODE: code.strip()})
    if answer[SUCCESS] is not True:
        raise CodeError("浙政钉的登录凭证无效、已用过或已过期，请重新扫码，或用工号和一次性验证码登录。")
    account = str(_data(answer).get(ACCOUNT) or "").strip()
    if not account:
        raise _unreadable()
    return account


def _data(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    content = answer.get(CONTENT)
    data = content.get(DATA) if isinstance(content, Mapping) and content.get(SUCCESS) is True else None
    if answer[SUCCESS] is not True or not isinstance(data, Mapping):
        raise _unreadable()
    return data


def _unreadable() -> ZhezhengdingUnavailableError:
    return ZhezhengdingUnavailableError("浙政钉返回了无法识别的内容，请稍后再试，或用工号和一次性验证码登录。")


def _ask(path: str, fields: dict[str, str]) -> dict[str, Any]:
    """One signed call. An answer that did not come is not asked for again: the code may be spent already."""
    given, now = settings().zhezhengding, clock.now().astimezone(clock.SHANGHAI)
    time, nonce = now.isoformat(timespec="milliseconds"), f"{int(now.timestamp() * 1000)}{secrets.randbelow(10**4):04}"
    signed = signature(given.app_secret.get_secret_value(), "POST", time, nonce, path, fields)
    headers = VERSION | {KEY: given.app_key, TIME: time, NONCE: nonce, SIGNATURE: signed}
    answer, trouble = _connections.object_from(
        given.url + path, ANSWER_WITHIN, CONNECT_WITHIN, SUCCESS, data=fields, headers=headers
    )
    if answer is not None:
        return answer
    raise ZhezhengdingUnavailableError(f"浙政钉{trouble}，请稍后再试，或用工号和一次性验证码登录。")
