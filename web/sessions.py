"""The session of a holder who signed in on our pages: a cookie that only the pages read, never the interface.

Its value is the session that the interface gives programs (``tasks.certificates.holders.open_session``), so both end
alike.
"""

from fastapi import Request, Response

from gateways.zheliban import Person, TicketError
from regulation.limits import HOLDER_SESSION
from runtime.settings import settings
from tasks.certificates.holders import HolderRequest, holder_of


class SignedOutError(Exception):
    """A page that is for whoever signed in, and nobody is, or not any more."""


def signed_in(request: Request) -> Person | None:
    """Who signed in, ``None`` for nobody."""
    token = request.cookies.get(_name())
    if not token or len(token) > 2000:
        return None
    try:
        return holder_of(HolderRequest(session=token))
    except (TicketError, ValueError):
        return None


def own_session(request: Request) -> HolderRequest:
    """A dependency of the pages that are for whoever signed in. Raises ``SignedOutError``."""
    if signed_in(request) is None:
        raise SignedOutError
    return HolderRequest(session=request.cookies[_name()])


def begin(response: Response, token: str) -> None:
    """Let a browser bring the session along for as long as it lasts, from our own pages only.

    ``Lax`` and not ``Strict``: whoever comes back from Zheliban, or from a link in a mail, arrives from elsewhere.
    """
    response.set_cookie(
        _name(), token, max_age=HOLDER_SESSION.value, secure=_secure(), httponly=True, samesite="lax", path="/"
    )


def end(response: Response) -> None:
    """Let a browser forget the session."""
    response.delete_cookie(_name(), secure=_secure(), httponly=True, samesite="lax", path="/")


def _secure() -> bool:
    return settings().public_url.startswith("https://")


def _name() -> str:
    # A browser takes a __Host- cookie from nobody but this very host, over a safe connection.
    return "__Host-ezt-session" if _secure() else "ezt-session"
