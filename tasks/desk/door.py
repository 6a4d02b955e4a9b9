"""Who is at the desk: staff sign in with staff number and one-time code, and stay signed in for a while.

What a browser brings is a random text; we keep its digest. A session ends by signing out, after a while of nothing,
after a working day, when the officer leaves, and when the secret of their codes or their account is changed.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.desk import DeskDraft, DeskSession
from models.organisations import Officer, Role
from regulation.limits import DESK_IDLE, DESK_SESSION, SIGNED_BEFORE
from runtime import clock
from runtime.database import reading, transaction
from runtime.keys import keys
from runtime.refusals import RefusalError
from tasks.audit import record
from tasks.office.officer_register import account_index
from tasks.office.signatures import SESSION, as_on_page, look_at, source_of

SEEN_EVERY = timedelta(minutes=1)
"""How exactly it is known when somebody was last there: not each page has to write."""
KEPT = timedelta(days=1)
"""How long what was typed is kept."""


class NotSignedInError(RefusalError):
    """Nobody is signed in, or not any more."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A member of staff at the desk."""

    staff_no: str
    name: str
    role: Role
    token: str

    @property
    def form_key(self) -> str:
        """What every form of theirs carries: a page of somebody else's cannot know it."""
        return _form_key(_digest(self.token))

    @property
    def source(self) -> str:
        """Where their signatures come from."""
        return f"{SESSION}{_digest(self.token)[:32]}"


def _form_key(token_digest: str) -> str:
    return keys().digest("desk-form", token_digest)


def sign_in(staff_no: str, code: str, address: str, before: str = "") -> str:
    """Sign in from an ``address``; what the browser has to bring from now on. The session that it brought ``before``
    ends. Raises ``SignatureError`` with one sentence for every reason."""
    token = secrets.token_urlsafe(32)
    with transaction() as session:
        found = look_at(session, staff_no, code, source_of(address))
        if isinstance(found, Officer):
            _begin(session, found, token, source_of(address), before)
    if not isinstance(found, Officer):
        raise as_on_page(found)
    return token


def begin(staff_no: str, address: str, before: str = "") -> str:
    """As ``sign_in``, for an officer whom somebody else has recognised. Raises ``NotSignedInError`` for nobody in
    service."""
    token = secrets.token_urlsafe(32)
    with transaction() as session:
        officer = session.get(Officer, staff_no)
        if officer is None or not officer.active:
            raise NotSignedInError("登录的账号没有对应的在职工作人员，请用工号和验证码登录，或请管理员登记账号。")
        _begin(session, officer, token, source_of(address), before)
    return token


def begin_with_account(account: str, address: str, before: str = "") -> str:
    """As ``begin``, for whoever signed on with this account of the government's sign-on."""
    with reading() as session:
        found = session.scalar(select(Officer.staff_no).where(Officer.account_index == account_index(account)))
    return begin(found or "", address, before)


def _begin(session: Session, officer: Officer, token: str, source: str, before: str) -> None:
    now = clock.now()
    _end(session, before, now)
    session.execute(delete(DeskSession).where(DeskSession.seen_at < now - timedelta(days=SIGNED_BEFORE.value)))
    session.execute(delete(DeskDraft).where(DeskDraft.at < now - KEPT))
    session.add(
        DeskSession(
            token_digest=_digest(token),
            staff_no=officer.staff_no,
            secret_mark=_mark(officer),
            source=source,
            begun_at=now,
            seen_at=now,
        )
    )
    record(session, "desk:session:begun", None, officer.staff_no, now)


def signed_in(token: str) -> SignedIn:
    """Who brings this. Raises ``NotSignedInError`` when that is nobody any more."""
    now = clock.now()
    with reading() as session:
        known = session.get(DeskSession, _digest(token))
        officer = session.get(Officer, known.staff_no) if known is not None else None
    if known is None or officer is None or not _holds(known, officer, now):
        raise NotSignedInError("登录已过期或已退出，请重新登录。")
    if now - known.seen_at >= SEEN_EVERY:
        with transaction() as session:
            again = session.get(DeskSession, known.token_digest)
            if again is not None:
                again.seen_at = max(again.seen_at, now)
    return SignedIn(officer.staff_no, officer.name, officer.role, token)


def _holds(known: DeskSession, officer: Officer, now: datetime) -> bool:
    idle, longest = timedelta(minutes=DESK_IDLE.value), timedelta(minutes=DESK_SESSION.value)
    lasts = now - known.seen_at < idle and now - known.begun_at < longest
    return known.ended_at is None and lasts and officer.active and known.secret_mark == _mark(officer)


def sign_out(token: str) -> None:
    """End a session."""
    with transaction() as session:
        _end(session, token, clock.now())


def _end(session: Session, token: str, now: datetime) -> None:
    known = session.get(DeskSession, _digest(token))
    if known is not None and known.ended_at is None:
        known.ended_at = now
        record(session, "desk:session:ended", None, known.staff_no, now)


def keep_typed(token: str, form_key: str, place: str, typed: Mapping[str, str]) -> bool:
    """Keep what was typed into the form of a ``place`` that has this key, by whoever this session is or was of; whether
    it was. Of a form that was opened in no session of theirs, nothing: who has got hold of the cookie of a session that
    is over would write into an officer's forms."""
    now = clock.now()
    with transaction() as session:
        known = session.get(DeskSession, _digest(token))
        if known is None:
            return False
        lately = DeskSession.staff_no == known.staff_no, DeskSession.seen_at > now - KEPT
        opened_in = session.scalars(select(DeskSession.token_digest).where(*lately)).all()
        if not any(compare_digest(_form_key(each).encode(), form_key.encode()) for each in opened_in):
            return False
        session.merge(DeskDraft(staff_no=known.staff_no, place=place, typed=dict(typed), at=now))
        return True


def kept_typed(staff_no: str, place: str) -> dict[str, str]:
    """What was kept for somebody of this form; empty when nothing was."""
    with reading() as session:
        draft = session.get(DeskDraft, (staff_no, place))
        return dict(draft.typed) if draft is not None else {}


def kept_at(staff_no: str, places: Sequence[str]) -> dict[str, dict[str, str]]:
    """As ``kept_typed``, of several forms: by place what was kept."""
    with reading() as session:
        wanted = select(DeskDraft).where(DeskDraft.staff_no == staff_no, DeskDraft.place.in_(places))
        return {draft.place: dict(draft.typed) for draft in session.scalars(wanted)}


def forget_typed(staff_no: str, place: str) -> None:
    """What was typed has been taken, or is not wanted any more."""
    with transaction() as session:
        session.execute(delete(DeskDraft).where(DeskDraft.staff_no == staff_no, DeskDraft.place == place))


def last_begun(staff_no: str, but_not: str) -> tuple[datetime, str] | None:
    """When and from where somebody last signed in before the session that they bring now."""
    with reading() as session:
        wanted = select(DeskSession.begun_at, DeskSession.source).where(
            DeskSession.staff_no == staff_no, DeskSession.token_digest != _digest(but_not)
        )
        found = session.execute(wanted.order_by(DeskSession.begun_at.desc()).limit(1)).tuples().one_or_none()
        return None if found is None else (found[0], found[1])


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _mark(officer: Officer) -> str:
    return keys().digest("code-secret", f"{officer.code_secret}{officer.account_index or ''}")
