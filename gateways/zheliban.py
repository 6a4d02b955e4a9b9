"""Zheliban (浙里办): who comes with a ticket of Zhejiang's unified sign-on.

A holder who is authenticated by real name there is sent to us with a ticket that can be used once. Two calls, both a
form by POST to ``PATH`` with ``servicecode``, ``time`` (yyyyMMddHHmmss in Shanghai), ``sign`` (MD5, which is the
platform's choice and stays in this file) and ``datatype=json``:

    method=ticketValidation, st=<ticket>    gives a token
    method=getUserInfo, token=<token>       gives the person

``result`` 0 is success, anything else a failure with ``errmsg``.

The interface document is not public; this is what several public clients agree on. Not certain, to be compared with the
document that an operator gets with the service code:

- Companies used to sign on at a component of their own, with other calls. Newer clients of the unified sign-on get a
  company in the same answer as a person, as ``userType`` and ``legalPersonInfo``; that is what is read here.
- Since 2022 both calls are also reached through the province's data-sharing gateway, which gives each call an address
  of its own and wants a second signature (HMAC-SHA256) in the headers. That is not built.
- What the values of ``result`` mean is not known: what fails at the first call is taken for the ticket's fault, though
  it may be a wrong service password.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from gateways.answers import Connections
from regulation.identity_numbers import NumberError, NumberKind, parse_credit_code, parse_resident_number
from runtime import clock
from runtime.refusals import RefusalError
from runtime.settings import settings

PATH = "/sso/servlet/simpleauth"
METHOD, SERVICE, TIME, SIGN, FORMAT = "method", "servicecode", "time", "sign", "datatype"
VALIDATE, TICKET = "ticketValidation", "st"
ASK, TOKEN = "getUserInfo", "token"
RESULT, DONE = "result", "0"
TIME_FORMAT = "%Y%m%d%H%M%S"

NAME, LEVEL, NUMBER_KIND, NUMBER = "username", "authlevel", "idtype", "idnum"
REAL_NAME_LEVELS = frozenset("23")
"""初级实名, 高级实名. At level 1 the name and the number are what somebody typed."""
NUMBER_KINDS = {
    "1": NumberKind.RESIDENT,
    "2": NumberKind.PASSPORT,
    "4": NumberKind.HONG_KONG_MACAO_PERMIT,
    "5": NumberKind.TAIWAN_PERMIT,
    "6": NumberKind.PERMANENT_RESIDENCE,
}
"""3 is an officer's card, which is no number of a holder here."""
USER_TYPE, COMPANY_TYPE = "userType", "LEGAL_PERSON"
COMPANY, COMPANY_NAME, COMPANY_CODE = "legalPersonInfo", "name", "unifiedSocialId"

ANSWER_WITHIN, CONNECT_WITHIN = 4.0, 2.0
"""Seconds for an answer and for a connection; somebody looks at a blank page meanwhile."""
# Of itself the transport repeats only what did not even connect.
_connections = Connections(lambda: httpx.Client(transport=httpx.HTTPTransport(retries=1)))
close = _connections.close


class TicketError(RefusalError):
    """A ticket that is wrong, used or too old, or whose owner is not authenticated by real name."""


class ZhelibanUnavailableError(RefusalError):
    """Zheliban is not set up here, could not be reached or answered nothing usable. The ticket may be spent."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed on: a natural person or, with a credit code, a company. ``repr`` shows nothing of it."""

    name: str
    number_kind: NumberKind
    number: str

    def __repr__(self) -> str:
        return f"Person({self.number_kind.name})"


def signature(service_code: str, service_password: str, time: str) -> str:
    """The platform's signature: MD5 as 32 lower-case hex digits.

    >>> signature("code", "password", "20260213093000")
    '27b966b0be6d241650694fcf9d73092f'
    """
    return hashlib.md5((service_code + service_password + time).encode(), usedforsecurity=False).hexdigest()


def person_of(ticket: str) -> Person:
    """Who holds the ticket, which is spent by this.

    Raises ``TicketError`` for a ticket that says nothing about anybody, and ``ZhelibanUnavailableError`` when Zheliban
    is not set up here, down, slow or not to be understood.
    """
    if not settings().zheliban.url:
        raise ZhelibanUnavailableError("本系统没有设置浙里办登录，请改用其他方式，或请管理员设置EZT_ZHELIBAN__URL。")
    if not ticket.strip():
        raise TicketError("没有收到浙里办登录凭证，请从浙里办重新进入。")
    validated = _ask(VALIDATE, {TICKET: ticket.strip()})
    if str(validated[RESULT]) != DONE:
        code = str(validated[RESULT])[:10]
        raise TicketError(f"浙里办登录凭证无效、已用过或已过期（代码{code}），请从浙里办重新进入。")
    token = validated.get(TOKEN)
    if not token or not isinstance(token, str):
        raise _unreadable()
    answer = _ask(ASK, {TOKEN: token})
    if str(answer[RESULT]) != DONE:
        raise _unreadable()
    return _company(answer) if answer.get(USER_TYPE) == COMPANY_TYPE else _natural_person(answer)


def _natural_person(answer: Mapping[str, Any]) -> Person:
    if str(answer.get(LEVEL)) not in REAL_NAME_LEVELS:
        raise TicketError("您的浙里办账号尚未实名认证，请先在浙里办完成实名认证再进入。")
    name, number = _text(answer, NAME), _text(answer, NUMBER)
    kind = NUMBER_KINDS.get(str(answer.get(NUMBER_KIND)))
    if kind is None:
        raise TicketError("您在浙里办登记的证件种类不能在此办理，请到窗口办理。")
    if kind is NumberKind.RESIDENT:
        try:
            number = parse_resident_number(number).number
        except NumberError:
            raise _unreadable() from None
    return Person(name, kind, number)


def _company(answer: Mapping[str, Any]) -> Person:
    company = answer.get(COMPANY)
    if not isinstance(company, Mapping):
        raise _unreadable()
    name = _text(company, COMPANY_NAME)
    try:
        return Person(name, NumberKind.CREDIT_CODE, parse_credit_code(_text(company, COMPANY_CODE)))
    except NumberError:
        raise _unreadable() from None


def _text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value.strip():
        raise _unreadable()
    return value.strip()


def _unreadable() -> ZhelibanUnavailableError:
    return ZhelibanUnavailableError("浙里办返回了无法识别的内容，请稍后从浙里办重新进入。")


def _ask(method: str, fields: dict[str, str]) -> dict[str, Any]:
    """One signed call. An answer that did not come is not asked for again: the ticket may be spent already."""
    given = settings().zheliban
    now = clock.now().astimezone(clock.SHANGHAI).strftime(TIME_FORMAT)
    sign = signature(given.service_code, given.service_password.get_secret_value(), now)
    form = {METHOD: method, SERVICE: given.service_code, TIME: now, SIGN: sign, FORMAT: "json"} | fields
    answer, trouble = _connections.object_from(given.url + PATH, ANSWER_WITHIN, CONNECT_WITHIN, RESULT, data=form)
    if answer is not None:
        return answer
    raise ZhelibanUnavailableError(f"浙里办{trouble}，请稍后从浙里办重新进入。")
