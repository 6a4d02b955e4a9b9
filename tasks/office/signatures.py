"""Who signs: an officer's staff number and one-time code (Article 14). A code that was looked at is spent, whatever
comes of what was signed, and wrong ones are counted, at every door.

Signing is a transaction of its own, before that of the work: it stands though the work is refused. Whoever guesses is
slowed, and shuts nobody out: an officer's wrong codes count by where they came from, and what strangers' addresses did
to an officer's number says nothing against the addresses from which the officer has signed before.
"""

import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

import pyotp
from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from models.organisations import Officer, Role, SpentCode, WrongCode
from notifications.notices import CodesGuessed
from notifications.outbox import queue
from regulation.limits import (
    SIGNED_BEFORE,
    STRANGERS_WRONG_CODES,
    WRONG_CODE_LONGEST_WAIT,
    WRONG_CODE_WAIT,
    WRONG_CODE_WINDOW,
    WRONG_CODES,
)
from runtime import clock
from runtime.database import transaction
from runtime.refusals import RefusalError
from runtime.settings import settings
from tasks.audit import record
from tasks.office.officers import NO_AUDITOR

CODE_SECONDS = 30
"""Seconds that a one-time code stands for (RFC 6238); the one before and the one after are taken too."""

UNKNOWN = "工号不存在或已停用，请核对后重填。"

DESK, COMMAND_LINE = "desk", "command-line"
"""The doors that only the Center's own staff can get at. Any other source is the address that a page was sent from, or
a session."""
SESSION = "session:"
"""What the source of whoever is signed in begins with: nobody else who guesses behind their address is in it."""


class SignatureError(RefusalError):
    """A staff number and one-time code that do not hold."""


class SlowedError(SignatureError):
    """A signature that was not looked at: too many wrong ones came before it."""


def sign(staff_no: str, code: str, source: str) -> Officer:
    """The officer who signs with this staff number and one-time code, which are spent when this returns or raises; not
    to be called inside a transaction.

    ``source`` is ``DESK``, ``COMMAND_LINE`` or an address. Raises ``SignatureError`` for an unknown or former officer,
    and for a wrong, late or used code; ``SlowedError`` when it was not even looked at.
    """
    with transaction() as session:
        found = look_at(session, staff_no, code, source)
    # Only now, because a wrong code has to be counted.
    if isinstance(found, SignatureError):
        raise found
    if found.role is Role.AUDITOR:
        raise SignatureError(NO_AUDITOR)
    return found


def sign_on_page(staff_no: str, code: str, address: str) -> Officer:
    """As ``sign``, for a page that anybody can reach from an ``address``. Raises ``SignatureError`` with one sentence
    for every reason, so that it tells nobody which staff numbers there are."""
    try:
        return sign(staff_no, code, source_of(address))
    except SignatureError as why:
        raise as_on_page(why) from None


def as_on_page(why: SignatureError) -> SignatureError:
    """What a page says that anybody can reach."""
    if isinstance(why, SlowedError):
        return why
    return SignatureError(
        "工号或一次性验证码不对、已过期或已用过，请填写工号和验证器上最新的6位数字；多次不对的须稍后再试。"
    )


def look_at(session: Session, staff_no: str, code: str, source: str) -> Officer | SignatureError:
    """``sign`` in the caller's transaction, which spends the code together with the work. What is wrong with the
    signature is returned, not raised: the transaction has to commit, so that a wrong code counts."""
    at = clock.now()
    # Authenticators show a code in two groups.
    staff_no, code = staff_no.strip().upper(), "".join(unicodedata.normalize("NFKC", code).split())
    # Locked, so that codes that come at the same time are looked at one after the other.
    officer = session.get(Officer, staff_no, with_for_update={"key_share": True})
    if officer is not None and not officer.active:
        officer = None
    unknown = SignatureError(UNKNOWN)
    if not settings().one_time_codes:
        return officer or unknown
    if officer is None and source in (DESK, COMMAND_LINE):
        return unknown
    if not code:
        return SignatureError("未填写一次性验证码，请填写验证器上当前显示的6位数字。")
    slowed_until = _slowed_until(session, staff_no, source, at)
    if slowed_until is not None and slowed_until > at:
        return _slowed(slowed_until)
    step = int(at.timestamp()) // CODE_SECONDS
    for candidate in (step, step - 1, step + 1):
        if officer is None:
            break
        if pyotp.utils.strings_equal(code, pyotp.TOTP(officer.code_secret).at(candidate * CODE_SECONDS)):
            if session.get(SpentCode, (staff_no, candidate)) is not None:
                return SignatureError("该一次性验证码已用过，请等待下一个验证码后重填。")
            session.add(SpentCode(staff_no=staff_no, time_step=candidate, source=source))
            return officer
    session.execute(delete(WrongCode).where(WrongCode.at < at - timedelta(seconds=WRONG_CODE_WINDOW.value)))
    session.add(WrongCode(staff_no=staff_no, source=source, at=at))
    if officer is not None:
        # Strangers get few looks a day, so they cannot fill the record; their addresses are not for it.
        door = source if source in (DESK, COMMAND_LINE) else "page"
        record(session, "officer:code:refused", None, staff_no, at, door=door)
        _tell_of_guesses(session, officer, at)
    slowed_until = _slowed_until(session, staff_no, source, at)
    if slowed_until is not None and slowed_until > at:
        return SignatureError(f"一次性验证码不对或已过期，而且填错次数过多。{_again_after(slowed_until)}")
    return SignatureError("一次性验证码不对或已过期，请填写验证器上当前显示的6位数字。")


def _tell_of_guesses(session: Session, officer: Officer, at: datetime) -> None:
    """Tell an officer, at most once a day, that so many codes were wrong that it may not be they who give them."""
    recent = WrongCode.at > at - timedelta(seconds=WRONG_CODE_WINDOW.value)
    given = select(func.count(), func.min(WrongCode.at)).where(WrongCode.staff_no == officer.staff_no, recent)
    times, since = session.execute(given).tuples().one()
    if times >= WRONG_CODES.value:
        first = since.astimezone(clock.SHANGHAI)
        said = f"{first.month}月{first.day}日 {first:%H:%M}"
        notice = CodesGuessed(officer=officer.name, times=times, since=said, desk=f"{settings().desk}/desk")
        key = f"codes-guessed:{officer.staff_no}:{clock.local_date(at)}"
        queue(session, notice, officer.email, key=key, case_no=None, at=at)


def _slowed(until: datetime) -> SlowedError:
    return SlowedError(f"填错验证码次数过多，这次没有核对。{_again_after(until)}")


def _again_after(until: datetime) -> str:
    # A minute that has begun is not over yet.
    said = (until + timedelta(seconds=59)).astimezone(clock.SHANGHAI)
    return f"请在{said:%H:%M}以后用验证器上当时显示的数字重填。"


def _slowed_until(session: Session, staff_no: str, source: str, at: datetime) -> datetime | None:
    """Until when a code from this source for this number is not looked at; ``None``: it never was slowed."""
    recent = select(WrongCode.staff_no, WrongCode.source, WrongCode.at).where(
        WrongCode.at > at - timedelta(seconds=WRONG_CODE_WINDOW.value),
        or_(WrongCode.staff_no == staff_no, WrongCode.source == source),
    )
    wrong = session.execute(recent).tuples().all()
    own = [when for number, came_from, when in wrong if (number, came_from) == (staff_no, source)]
    untils = [_again_at(own, WRONG_CODES.value)]
    signed_before = select(SpentCode.source).where(
        SpentCode.staff_no == staff_no,
        SpentCode.time_step > int((at - timedelta(days=SIGNED_BEFORE.value)).timestamp()) // CODE_SECONDS,
    )
    known = {DESK, COMMAND_LINE, *session.scalars(signed_before.distinct())}
    if source not in known and not source.startswith(SESSION):
        known |= {came_from for _, came_from, _ in wrong if came_from.startswith(SESSION)}
        strangers = [when for number, came_from, when in wrong if number == staff_no and came_from not in known]
        from_here = [when for _, came_from, when in wrong if came_from == source]
        untils += [_again_at(each, STRANGERS_WRONG_CODES.value) for each in (strangers, from_here)]
    return max((until for until in untils if until is not None), default=None)


def _again_at(wrong: Sequence[datetime], looked_at: int) -> datetime | None:
    """When the next code is looked at after these wrong ones, of which ``looked_at`` have nobody wait: each one more
    doubles the wait, up to the longest."""
    if len(wrong) < looked_at:
        return None
    # So many doublings are more than the longest wait, and no number that is too great for a time.
    doublings = min(len(wrong) - looked_at, WRONG_CODE_LONGEST_WAIT.value.bit_length())
    wait = min(WRONG_CODE_WAIT.value * 2**doublings, WRONG_CODE_LONGEST_WAIT.value)
    return max(wrong) + timedelta(seconds=wait)


def source_of(address: str) -> str:
    """An address as it counts: of version 6 the network, in which one host may have as many as it likes, and one of
    version 4 that is written as version 6 as what it is. What is none counts as one source."""
    try:
        host = ip_address(address)
    except ValueError:
        return "elsewhere"
    host = getattr(host, "ipv4_mapped", None) or host
    return str(host) if host.version == 4 else str(ip_network((host, 64), strict=False))
