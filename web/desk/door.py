"""The way in: only from the networks that the operator names, and only for who has signed in."""

import re
import secrets
from ipaddress import ip_address
from secrets import compare_digest
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from gateways import zhezhengding
from regulation.limits import APPROVED_AT_ONCE, DESK_SESSION, DESK_SIGN_ONS
from runtime.refusals import RefusalError
from runtime.settings import settings
from runtime.words import Words
from tasks.desk import door
from tasks.desk.door import NotSignedInError, SignedIn
from web.forms import Filled, SignatureForm, Typed, checked, refused
from web.problems import ProblemError
from web.rendering import page
from web.requests import Allowance, address_of

NOT_KEPT = frozenset({"code", "form_key", "submission_no"})
"""Fields of a form that are not kept for whoever has to sign in again."""
HOME = "/desk"
MOST_FIELDS = 2 * APPROVED_AT_ONCE.value + 20
"""Fields of a form: of a list of drafts each has two."""
ENDED = {
    "page": "登录已过期或已退出，请重新登录。",
    "form": "登录已过期或已退出，刚才提交的没有登记；填写的文字已保留，登录后请核对、重新提交。",
}
"""Why somebody has to sign in again, by what they did."""
STATE = "ezt-desk-state"
"""The cookie that remembers, on the way over the government's sign-on, what was sent along and where to go after."""
SIGN_ON_TAKES = 600
"""Seconds that somebody has for signing on there."""
# Nobody is sent anywhere but to our own pages.
_OURS = re.compile(r"/desk(/[\w.-]+)*")

_sign_ons = Allowance(DESK_SIGN_ONS)


def from_its_networks(request: Request) -> None:
    """A dependency of all that is the desk's. Raises ``ProblemError`` 404 for whoever comes from elsewhere: to them
    there is no desk."""
    networks = settings().desk_networks
    if not networks:
        return
    try:
        address = ip_address(address_of(request))
    except ValueError:
        raise ProblemError(404, "没有这个地址，请核对。") from None
    address = getattr(address, "ipv4_mapped", None) or address
    if not any(address in network for network in networks if network.version == address.version):
        raise ProblemError(404, "没有这个地址，请核对。")


def at_desk(request: Request) -> SignedIn:
    """A dependency: who is at the desk. Raises ``NotSignedInError``."""
    return door.signed_in(request.cookies.get(cookie_name(), ""))


async def at_desk_with_form(request: Request) -> SignedIn:
    """A dependency of every form: who sends it. Of whoever is not signed in any more, what was typed is kept until they
    are. Raises ``NotSignedInError``, ``ProblemError`` 403 for a form that is none of theirs."""
    # FastAPI has read the form; this is the same one.
    items = (await request.form(max_fields=MOST_FIELDS)).multi_items()
    sent = {name: value for name, value in items if isinstance(value, str)}
    token, form_key = request.cookies.get(cookie_name(), ""), sent.get("form_key", "")
    typed = {name: value for name, value in sent.items() if name not in NOT_KEPT}
    try:
        by = await run_in_threadpool(at_desk, request)
    except NotSignedInError:
        # A file is not kept, which is said.
        if files := "、".join(filter(None, (value.filename for _, value in items if not isinstance(value, str)))):
            typed["files"] = files
        await run_in_threadpool(door.keep_typed, token, form_key, request.url.path, typed)
        raise
    if not compare_digest(form_key.encode(), by.form_key.encode()):
        kept = await run_in_threadpool(door.keep_typed, token, form_key, request.url.path, typed)
        what = "填写的内容已保留，请重新打开办件，核对后提交" if kept else "请回到办件，刷新后重新提交"
        raise ProblemError(403, f"这份表单不是您这次登录后打开的，没有登记；{what}。")
    return by


AtDesk = Annotated[SignedIn, Depends(at_desk)]
AtDeskWithForm = Annotated[SignedIn, Depends(at_desk_with_form)]

router = APIRouter(prefix=HOME, include_in_schema=False, dependencies=[Depends(from_its_networks)])


@router.get("/sign-in")
def sign_in_page(
    request: Request,
    back: Annotated[Words, Query(max_length=200)] = "",
    ended: Annotated[Words, Query(max_length=10)] = "",
) -> Response:
    """Where staff sign in, and read why they have to again: their session had ``ended``."""
    return _page(request, Filled({}, refusal=ENDED.get(ended, "")), back)


@router.post("/sign-in")
def sign_in(request: Request, staff_no: Typed = "", code: Typed = "", back: Typed = "") -> Response:
    """Sign in, and on to where one came from."""
    before = request.cookies.get(cookie_name(), "")
    try:
        given = checked(SignatureForm, {"staff_no": staff_no, "code": code})
        token = door.sign_in(given.staff_no, given.code, address_of(request), before)
    except RefusalError as why:
        return _page(request, refused(why, {"staff_no": staff_no}), back)
    return let_in(RedirectResponse(_ours(back), 303), token)


@router.get("/sign-on")
def sign_on(request: Request, back: Annotated[Words, Query(max_length=200)] = "") -> Response:
    """On to the government's sign-on, which sends whoever signs on back to ``signed_on``."""
    if not zhezhengding.is_set_up():
        raise ProblemError(404, "没有这个地址，请核对。")
    state = secrets.token_urlsafe(32)
    answer = RedirectResponse(zhezhengding.sign_in_address(state, f"{settings().desk}{HOME}/signed-on"), 303)
    # The browser that was sent there is the one that may come back with what it is given.
    answer.set_cookie(
        STATE,
        f"{state}{_ours(back)}",
        max_age=SIGN_ON_TAKES,
        secure=_secure(),
        httponly=True,
        samesite="lax",
        path=HOME,
    )
    return answer


@router.get("/signed-on")
def signed_on(
    request: Request,
    code: Annotated[Words, Query(max_length=500)] = "",
    state: Annotated[Words, Query(max_length=100)] = "",
) -> Response:
    """Where the government's sign-on sends whoever signed on, with a code that this spends."""
    kept, slash, path = request.cookies.get(STATE, "").partition("/")
    try:
        with _sign_ons.of_failures(request):
            if not kept or not compare_digest(kept.encode(), state.encode()):
                raise NotSignedInError("这次登录不是从本页发起的，或已过时，请重新登录。")
            account = zhezhengding.account_of(code)
            token = door.begin_with_account(account, address_of(request), request.cookies.get(cookie_name(), ""))
    except RefusalError as why:
        answer = _page(request, refused(why, {}), slash + path)
    else:
        # Away from the address with the code in it, which then is in no history.
        answer = let_in(RedirectResponse(_ours(slash + path), 303), token)
    answer.delete_cookie(STATE, secure=_secure(), httponly=True, samesite="lax", path=HOME)
    return answer


@router.post("/sign-out")
def sign_out(request: Request, by: AtDeskWithForm) -> Response:
    """The button on every page of the desk."""
    door.sign_out(by.token)
    answer = RedirectResponse(f"{HOME}/sign-in", 303)
    answer.delete_cookie(cookie_name(), secure=_secure(), httponly=True, samesite="lax", path="/")
    return answer


def let_in(answer: Response, token: str) -> Response:
    """Let a browser bring the session along, from our own pages and from links in mails."""
    answer.set_cookie(
        cookie_name(),
        token,
        max_age=DESK_SESSION.value * 60,
        secure=_secure(),
        httponly=True,
        samesite="lax",
        path="/",
    )
    return answer


def cookie_name() -> str:
    """The cookie of the desk's sessions. A browser takes a ``__Host-`` cookie from nobody but this very host, over a
    safe connection."""
    return "__Host-ezt-desk" if _secure() else "ezt-desk"


def why_again(request: Request) -> dict[str, str]:
    """What the page to sign in is told of whoever was signed in before."""
    if cookie_name() not in request.cookies:
        return {}
    return {"ended": "page" if request.method == "GET" else "form"}


def way_back(request: Request) -> str:
    """Where whoever has to sign in first comes back to: the page, or the one that a form was sent from."""
    path = request.url.path
    if request.method != "GET":
        path = path.rpartition("/")[0]
    query = f"?{request.url.query}" if request.method == "GET" and request.url.query else ""
    return _ours(path) + query


def _page(request: Request, form: Filled, back: str) -> Response:
    there = f"{HOME}/sign-on?{urlencode({'back': back})}" if zhezhengding.is_set_up() else ""
    context = {"form": form, "back": back, "codes": settings().one_time_codes, "there": there}
    return page(request, "desk/sign-in.html", context, form.status)


def _secure() -> bool:
    return settings().desk.startswith("https://")


def _ours(path: str) -> str:
    bare = path.partition("?")[0]
    return path if _OURS.fullmatch(bare) and not re.search(r"[\s\\]", path) else HOME
