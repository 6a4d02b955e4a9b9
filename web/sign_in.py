"""Signing in with 浙里办 (Article 11: 实名认证后的持证主体，可以通过“浙里办”进入“柯桥e证通”), and out again."""

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from regulation.limits import HOLDER_SESSION, SIGN_INS
from runtime.refusals import RefusalError
from runtime.settings import settings
from runtime.words import Words
from tasks.certificates.holders import HolderRequest, open_session
from web import sessions
from web.problems import status_of
from web.rendering import page
from web.requests import Allowance

router = APIRouter(include_in_schema=False)

HOME = "/my/certificates"
BACK = "ezt-back"
"""The cookie that remembers, on the way over Zheliban, which of our pages somebody came from."""
# Nobody is sent anywhere but to the pages that ask for a signature.
_OURS = re.compile(r"/(my|objection-drafts)(/[\w-]+)*")

_tickets = Allowance(SIGN_INS)


@router.get("/sign-in")
def sign_in(
    request: Request,
    ticket: Annotated[Words, Query(max_length=500)] = "",
    back: Annotated[Words, Query(max_length=200)] = "",
) -> Response:
    """Where one signs in; and where Zheliban sends whoever did, with a ticket that this spends."""
    if not ticket:
        return _page(request, back=back)
    try:
        with _tickets.of_failures(request):
            opened = open_session(HolderRequest(ticket=ticket))
    except RefusalError as why:
        return _page(request, str(why), status_of(why))
    # Away from the address with the ticket in it, which then is in no history.
    answer = RedirectResponse(_ours(request.cookies.get(BACK, "")), 303)
    sessions.begin(answer, opened.session)
    answer.delete_cookie(BACK)
    return answer


@router.post("/sign-out")
def sign_out() -> Response:
    """The button on every page of whoever signed in."""
    answer = RedirectResponse("/", 303)
    sessions.end(answer)
    return answer


def _page(request: Request, said: str = "", status: int = 200, back: str = "") -> Response:
    known = settings().zheliban
    there = known.sign_in_url if known.url else ""
    answer = page(request, "sign-in.html", {"said": said, "there": there}, status)
    if back:
        secure = settings().public_url.startswith("https://")
        answer.set_cookie(BACK, _ours(back), max_age=HOLDER_SESSION.value, secure=secure, httponly=True, samesite="lax")
    return answer


def _ours(path: str) -> str:
    return path if _OURS.fullmatch(path) else HOME
