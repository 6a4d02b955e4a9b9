"""What a caller gets when something is refused, never a traceback: programs a problem document (RFC 9457), people a
page, both in Chinese."""

import logging
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from gateways.zheliban import TicketError, ZhelibanUnavailableError
from regulation.certificate_use import UseRefusedError
from regulation.limits import REQUEST_SIZE
from runtime.refusals import InputError, NotFoundError, RefusalError
from tasks.certificates.journal import ReplayedError
from tasks.certificates.reading import PlatformDownError
from tasks.desk.door import NotSignedInError
from tasks.office.signatures import SignatureError
from web.rendering import message
from web.sessions import SignedOutError

logger = logging.getLogger(__name__)

AGAIN_AFTER = 10
"""Seconds after which a caller may try again what the database could not do."""

TITLES = {
    401: "身份未通过",
    403: "不允许",
    404: "没有找到",
    405: "方法不对",
    409: "与办件现状不符",
    413: "内容过大",
    422: "填写有误",
    429: "过于频繁",
    500: "系统故障",
    503: "暂时不可用",
}


class ProblemError(Exception):
    """A refusal with its HTTP status and headers; ``detail`` is one Chinese sentence that says what to do."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or {}


def problem(
    request: Request,
    status: int,
    detail: str,
    kind: str = "about:blank",
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Response:
    """The refusal as whoever asked can read it: only programs call what is under ``/api/``. ``kind`` is the problem
    document's type, ``more`` its extension members."""
    title = TITLES.get(status, "请求未完成")
    if not request.url.path.startswith("/api/"):
        # Imported here: its pages show problems.
        from web.desk.rendering import desk_problem

        return desk_problem(request, title, detail, status) or message(request, title, detail, status)
    document = {"type": kind, "title": title, "status": status, "detail": detail, **more}
    return JSONResponse(document, status, headers, media_type="application/problem+json")


def status_of(error: RefusalError | ProblemError) -> int:
    """The HTTP status that a refusal, or one of the layers below, has here."""
    match error:
        case ProblemError(status=status):
            return status
        case ReplayedError() | TicketError():
            return 401
        case SignatureError() | UseRefusedError():
            return 403
        case NotFoundError():
            return 404
        case InputError():
            return 422
        case PlatformDownError() | ZhelibanUnavailableError():
            return 503
    return 409


def refused(request: Request, error: RefusalError) -> Response:
    """A refusal with what a program wants to know of it."""
    match error:
        case UseRefusedError(article=article):
            return problem(request, status_of(error), str(error), f"/problems/article-{article}", article=article)
        case PlatformDownError(receipt_no=receipt_no):
            return problem(request, status_of(error), str(error), "/problems/platform-down", receipt_no=receipt_no)
    return problem(request, status_of(error), str(error))


def install(app: FastAPI) -> None:
    """Turn every way to fail into a problem document or a page."""

    @app.exception_handler(ProblemError)
    def _problem(request: Request, error: ProblemError) -> Response:
        return problem(request, error.status, error.detail, headers=error.headers)

    @app.exception_handler(SignedOutError)
    def _signed_out(request: Request, _error: SignedOutError) -> Response:
        # What was sent cannot be sent again after signing in; the page that it was sent from is under /my.
        back = request.url.path if request.method == "GET" else "/my/certificates"
        return RedirectResponse(f"/sign-in?back={back}", 303)

    @app.exception_handler(NotSignedInError)
    def _not_at_the_desk(request: Request, _error: NotSignedInError) -> Response:
        # Imported here: its pages show problems.
        from web.desk.door import HOME, way_back, why_again

        return RedirectResponse(f"{HOME}/sign-in?{urlencode({'back': way_back(request)} | why_again(request))}", 303)

    @app.exception_handler(RefusalError)
    def _refusal(request: Request, error: RefusalError) -> Response:
        return refused(request, error)

    @app.exception_handler(LookupError)
    def _unknown(request: Request, error: LookupError) -> Response:
        if type(error) is not LookupError:
            raise error  # A KeyError or IndexError is a fault of ours, nothing that somebody asked for in vain.
        return problem(request, 404, str(error.args[0]) if error.args else "没有找到。")

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, _error: RequestValidationError) -> Response:
        return problem(request, 422, "请求的内容有误，请更正后重新提交。")

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        sayings = {
            404: "没有这个地址，请核对。",
            405: "这个地址不支持该方法，请核对。",
            413: f"请求不能超过{REQUEST_SIZE.value // 2**20}MB，请减少或压缩附件后重新提交。",
        }
        return problem(request, error.status_code, sayings.get(error.status_code, "请求未完成，请稍后重试。"))

    @app.exception_handler(OperationalError)
    def _database_away(request: Request, error: OperationalError) -> Response:
        # Locked, restarting or out of disk: not ours, it may pass, and its transaction has left nothing behind.
        logger.error("the database: %s", error.orig)
        detail = "系统暂时无法读写数据，这次提交没有登记；请稍后重试。"
        return problem(request, 503, detail, headers={"Retry-After": str(AGAIN_AFTER)})

    @app.exception_handler(Exception)
    def _failure(request: Request, _error: Exception) -> Response:
        return problem(request, 500, "系统暂时出现故障，已记录；请稍后重试。")
