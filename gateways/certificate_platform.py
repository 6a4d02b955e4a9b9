"""Reading a certificate from the platform that answers for its data (Article 3), over the bureaus' gateways.

Our register is an index with cached faces; the caller asks here when a face is older than its type allows. Somebody
waits at a counter meanwhile, so a read is over ``WITHIN`` seconds, and a platform that has just failed is left alone
for ``REST`` seconds: those who come next are told at once.

The interface is agreed between the bureaus and not public: its path, names, codes and dates are in
``certificate_mapping.json``, which an operator can replace (``EZT_CERTIFICATE_MAPPING``).

Call none of this inside a transaction: the gateway's shared secrets are refreshed under a lock of their own. While
another process holds that lock to fetch them, a read waits longer than said above.
"""

import threading
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from gateways.zhejiang_gateway import (
    BureauRefusedError,
    BureauUnavailableError,
    Gateway,
    Matter,
    Name,
    PlatformPath,
    SignatureMapping,
    address,
    json_value,
    mapping_in_use,
)
from regulation import catalogue
from regulation.catalogue import FieldKind
from regulation.certificates import CertificateState, IdentifierError, parse_identifier
from regulation.identity_numbers import NUMBERS_BEFORE_2015, NumberKind
from regulation.objections import Bureau
from runtime.settings import settings

WITHIN, ATTEMPTS = 5.0, 2
"""Seconds that a read may take in all, and its tries."""
ANSWER_WITHIN, LEND_WITHIN = 2.0, 1.5
"""Seconds for one answer, and for one to a request for secrets."""
REST = 10.0
"""Seconds for which a platform that has just failed is not asked again."""
_SOME_DAY = date(2019, 3, 5)

Texts = Annotated[list[Name], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Found:
    """A certificate as the platform knows it. ``face`` by our field codes, its dates as ISO 8601 or 长期.

    ``holder_number`` is what came, right or wrong; whether it is the one that was asked for is the caller's question.
    """

    identifier: str
    number: str
    holder_name: str
    holder_number_kind: NumberKind
    holder_number: str
    face: dict[str, str]
    issued_on: date
    valid_until_on: date | None
    """``None`` for 长期."""
    state: CertificateState


class CertificateMapping(BaseModel):
    """The interface as agreed with the bureaus. ``request`` and ``reply``: our name to theirs."""

    model_config = ConfigDict(extra="forbid")

    signature: SignatureMapping
    read_path: PlatformPath
    not_found_codes: list[Name]
    """Business failures that only say that there is no such certificate; an empty answer says so too."""
    request: dict[str, Name]
    reply: dict[str, Name]
    face_keys: Literal["name", "code"]
    """Whether a face is keyed by the catalogue's Chinese field names or by our field codes."""
    number_kinds: dict[str, NumberKind]
    states: dict[str, CertificateState]
    date_formats: Texts
    """As ``strptime`` takes them, the first one first."""
    no_end: Texts
    """What stands for a last day where there is none: texts, or dates as ISO 8601 in whichever format they come."""

    @field_validator("request")
    @classmethod
    def _request_is_whole(cls, names: dict[str, str]) -> dict[str, str]:
        if names.keys() != {"type_code", "identifier", "number", "holder_number"} or _repeats(names):
            raise ValueError("request")
        return names

    @field_validator("reply")
    @classmethod
    def _reply_is_whole(cls, names: dict[str, str]) -> dict[str, str]:
        if names.keys() != set(Found.__dataclass_fields__) or _repeats(names):
            raise ValueError("reply")
        return names

    @field_validator("number_kinds")
    @classmethod
    def _every_kind_of_today_has_a_code(cls, kinds: dict[str, NumberKind]) -> dict[str, NumberKind]:
        if not set(kinds.values()) >= set(NumberKind) - NUMBERS_BEFORE_2015:
            raise ValueError("number_kinds")
        return kinds

    @field_validator("states")
    @classmethod
    def _every_state_has_a_code(cls, states: dict[str, CertificateState]) -> dict[str, CertificateState]:
        if set(states.values()) != set(CertificateState):
            raise ValueError("states")
        return states

    @field_validator("date_formats")
    @classmethod
    def _formats_tell_the_whole_date(cls, formats: list[str]) -> list[str]:
        if any(_date(_SOME_DAY.strftime(each), [each]) != _SOME_DAY for each in formats):
            raise ValueError("date_formats")
        return formats


def _repeats(names: dict[str, str]) -> bool:
    return len(set(names.values())) < len(names)


def certificate_mapping() -> CertificateMapping:
    """The mapping in use, read once per file. ``MappingError`` names the file and the places that are wrong."""
    chosen = settings().certificate_mapping
    return mapping_in_use(CertificateMapping, chosen, "EZT_CERTIFICATE_MAPPING", "certificate_mapping.json")


@dataclass
class Breaker:
    """Keeps callers from waiting for a platform that has just failed. One a process; for threads.

    After a failure everybody is refused for ``rest`` seconds; then one caller tries while the others go on being
    refused, and what it meets decides for all.
    """

    rest: float = REST
    now: Callable[[], float] = time.monotonic
    _resting_until: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def guarding(self, platform: str, refusal: str) -> Iterator[None]:
        """Around a call to ``platform``: raises ``BureauUnavailableError`` with ``refusal`` instead of making it."""
        with self._lock:
            now = self.now()
            if now < self._resting_until.get(platform, now):
                raise BureauUnavailableError(refusal)
            if platform in self._resting_until:
                self._resting_until[platform] = now + self.rest
        try:
            yield
        except BureauUnavailableError:
            with self._lock:
                self._resting_until[platform] = self.now() + self.rest
            raise
        except BureauRefusedError:
            self._answered(platform)
            raise
        self._answered(platform)

    def _answered(self, platform: str) -> None:
        with self._lock:
            self._resting_until.pop(platform, None)


_breaker = Breaker()


def read_certificate(
    bureau: Bureau,
    matter: Matter,
    *,
    type_code: str,
    fields: Sequence[catalogue.Field],
    identifier: str = "",
    number: str = "",
    holder_number: str = "",
) -> Found | None:
    """A certificate of a type by its identifier, its number or its holder's number, whichever are given.

    ``fields`` are the type's, from the catalogue; ``matter`` says for which matter data are asked (Article 9). ``None``
    when the platform says that there is no such certificate. Raises ``BureauUnavailableError`` when the platform is
    down, slow, or answers what cannot be understood or was not asked for, ``BureauRefusedError`` when it says no, has
    no gateway here, or knows several such certificates, and ``MappingError`` for a broken mapping file.
    """
    agreed = certificate_mapping()
    keys = {"type_code": type_code, "identifier": identifier, "number": number, "holder_number": holder_number}
    given = {name: value for name, value in keys.items() if value}
    if given.keys() <= {"type_code"}:
        raise ValueError("a certificate is asked for by its identifier, its number or its holder's number")
    asked = {agreed.request[name]: value for name, value in given.items()}
    asked["additional"] = matter.model_dump_json(by_alias=True)
    ends_at = time.monotonic() + WITHIN
    gateway = Gateway(bureau, agreed.signature, ANSWER_WITHIN, LEND_WITHIN, ATTEMPTS, ends_at, "请稍后再试")
    try:
        with _breaker.guarding(address(bureau), f"{bureau}的平台刚才没有答复，请稍后再试。"):
            answer = gateway.call(agreed.read_path, asked, (identifier, number, holder_number))
    except BureauRefusedError as refusal:
        if refusal.code in agreed.not_found_codes:
            return None
        raise
    if isinstance(answer, list) and len(answer) > 1:
        raise BureauRefusedError(f"{bureau}的平台查到多件证照，请改用电子证照标识或证照编号查询。")
    if isinstance(answer, list):
        answer = answer[0] if answer else None
    if not answer:
        return None
    try:
        found = _found(answer, agreed, fields)
        _check_asked(found, agreed, given)
    except _UnreadableError as place:
        raise BureauUnavailableError(f"{bureau}的平台返回了无法识别的证照（{place}），请稍后再试。") from None
    return found


class _UnreadableError(Exception):
    """``str()`` is the platform's name of the field that cannot be read."""


def _found(answer: Any, agreed: CertificateMapping, fields: Sequence[catalogue.Field]) -> Found:
    """The certificate in an answer. ``_UnreadableError`` names the first field that cannot be read, never its value."""
    if not isinstance(answer, Mapping):
        raise _UnreadableError("datas")
    theirs = agreed.reply
    given = {ours: _text(answer.get(name), name) for ours, name in theirs.items() if ours != "face"}
    for ours in ("number", "holder_name", "holder_number"):
        if not given[ours]:
            raise _UnreadableError(theirs[ours])
    try:
        identifier = str(parse_identifier(given["identifier"]))
    except IdentifierError:
        raise _UnreadableError(theirs["identifier"]) from None
    kind, state = agreed.number_kinds.get(given["holder_number_kind"]), agreed.states.get(given["state"])
    issued_on = _date(given["issued_on"], agreed.date_formats)
    if kind is None or state is None or issued_on is None:
        wrong = {"holder_number_kind": kind, "state": state, "issued_on": issued_on}
        raise _UnreadableError("、".join(theirs[ours] for ours, value in wrong.items() if value is None))
    return Found(
        identifier=identifier,
        number=given["number"],
        holder_name=given["holder_name"],
        holder_number_kind=kind,
        holder_number=given["holder_number"],
        face=_face(answer.get(theirs["face"]), agreed, fields),
        issued_on=issued_on,
        valid_until_on=_last_day(given["valid_until_on"], agreed, theirs["valid_until_on"]),
        state=state,
    )


def _face(face: Any, agreed: CertificateMapping, fields: Sequence[catalogue.Field]) -> dict[str, str]:
    """The face by our field codes: an object, or its JSON text. What the catalogue does not know is left out."""
    name = agreed.reply["face"]
    if isinstance(face, str):
        face = json_value(face)
    if not isinstance(face, Mapping):
        raise _UnreadableError(name)
    keys = {field.code: field.name if agreed.face_keys == "name" else field.code for field in fields}
    dates = {field.code for field in fields if field.kind is FieldKind.DATE}
    values = {code: _text(face[key], f"{name}.{key}") for code, key in keys.items() if key in face}
    return {code: _as_on_ours(value, agreed) if code in dates else value for code, value in values.items()}


def _as_on_ours(text: str, agreed: CertificateMapping) -> str:
    """A face's date as our own faces write it; what is no date stays as it was printed."""
    try:
        day = _last_day(text, agreed, "")
    except _UnreadableError:
        return text
    return day.isoformat() if day else "长期"


def _last_day(text: str, agreed: CertificateMapping, name: str) -> date | None:
    """The day in ``text``, ``None`` for none. An empty text is not none: nothing must last for want of a date."""
    if text in agreed.no_end:
        return None
    day = _date(text, agreed.date_formats)
    if day is None:
        raise _UnreadableError(name)
    return None if day.isoformat() in agreed.no_end else day


def _date(text: str, formats: Sequence[str]) -> date | None:
    """The day in ``text`` by the first format that fits. ``strptime`` takes 2019111 for a date too, hence the length.

    >>> _date("2019年3月5日", ["%Y%m%d", "%Y年%m月%d日"])
    datetime.date(2019, 3, 5)
    """
    for each in formats if len(text) >= len("2019-3-5") else ():
        try:
            return datetime.strptime(text, each).date()  # noqa: DTZ007 (a day has no zone)
        except ValueError:
            continue
    return None


def _text(value: Any, name: str) -> str:
    """Numbers and nothing become text. ``_UnreadableError`` with ``name`` for what is neither."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _UnreadableError(name)
    return str(value).strip()


def _check_asked(found: Found, agreed: CertificateMapping, given: Mapping[str, str]) -> None:
    """A mixed-up answer must not show one holder another one's certificate.

    A newer version of the certificate that was asked for is no mix-up. ``_UnreadableError`` names what differs.
    """
    identifier = parse_identifier(found.identifier)
    if identifier.type_code != given["type_code"]:
        raise _UnreadableError(agreed.reply["identifier"])
    if "identifier" in given and parse_identifier(given["identifier"]).root != identifier.root:
        raise _UnreadableError(agreed.reply["identifier"])
    if "number" in given and _folded(given["number"]) != _folded(found.number):
        raise _UnreadableError(agreed.reply["number"])


def _folded(number: str) -> str:
    return "".join(unicodedata.normalize("NFKC", number).split()).upper()
