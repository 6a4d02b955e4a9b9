"""The certificate-use interface (用证接口, Article 6) for departments' applications."""

from asyncio import wrap_future
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from models.organisations import ApplicationKind
from regulation.certificate_use import Operation
from runtime.refusals import InputError
from tasks.certificates.copies import issue_copy, recognise_copy
from tasks.certificates.holders import redeem
from tasks.certificates.journal import SpentNonce, journal
from tasks.certificates.requests import (
    AuthenticationAnswer,
    AuthenticationRequest,
    CopyAnswer,
    CopyRequest,
    ExtractionAnswer,
    ExtractionRequest,
    QueryAnswer,
    QueryRequest,
    RedemptionAnswer,
    RedemptionRequest,
    UseRequest,
)
from tasks.certificates.use import MustWaitError, Outcome, Use, authenticate, carry_out, extract, query, unreadable
from tasks.office.applications import Caller
from web.openapi import answers, takes
from web.requests import authenticated, read_as

router = APIRouter(prefix="/api/v1", tags=["用证接口（第六条至第十一条）"])

R = TypeVar("R", bound=UseRequest)


def _offer(
    path: str,
    operation: Operation,
    takes_in: type[R],
    gives: type[BaseModel],
    work: Callable[[Use, R], BaseModel],
    summary: str,
    *,
    waits: bool = False,
) -> None:
    """Serve an operation. One that ``waits`` computes long or writes something of its own: it gets a thread, and its
    nonce is spent first. The others are short reads that a thread would only slow down, unless a face is stale."""

    async def endpoint(request: Request) -> Response:
        body = await request.body()
        caller, nonce = authenticated(request, body, ApplicationKind.DEPARTMENT)
        unspent: SpentNonce | None = nonce
        if waits:
            await wrap_future(journal().enter(nonce, None))
            unspent = None
        outcome = await come_to(caller, body)
        await wrap_future(journal().enter(unspent, outcome.entry))
        if outcome.answer is None:
            raise outcome.refusal or AssertionError("neither an answer nor a refusal")
        return Response(outcome.answer.model_dump_json(), media_type="application/json")

    async def come_to(caller: Caller, body: bytes) -> Outcome[BaseModel]:
        try:
            given = read_as(takes_in, body)
        except InputError as why:
            return unreadable(operation, caller, why)
        if not waits:
            with suppress(MustWaitError):
                return carry_out(operation, caller, given, work, may_wait=False)
        return await run_in_threadpool(carry_out, operation, caller, given, work, may_wait=True)

    router.add_api_route(
        path,
        endpoint,
        methods=["POST"],
        summary=summary,
        description=takes_in.__doc__ or "",
        operation_id=operation.value,
        responses=answers(gives, 401, 403, 404, 409, 413, 422, 429, 503),
        openapi_extra=takes(takes_in, signed=True),
    )


def _authenticated(use: Use, request: AuthenticationRequest) -> AuthenticationAnswer:
    return recognise_copy(use, request) if request.copy_file is not None else authenticate(use, request)


_offer("/certificates/query", Operation.QUERY, QueryRequest, QueryAnswer, query, "查询证照")
_offer(
    "/certificates/authenticate",
    Operation.AUTHENTICATE,
    AuthenticationRequest,
    AuthenticationAnswer,
    _authenticated,
    "核验证照或存档副本",
)
_offer("/certificates/extract", Operation.EXTRACT, ExtractionRequest, ExtractionAnswer, extract, "提取证照信息")
_offer(
    "/certificates/archived-copy",
    Operation.COPY,
    CopyRequest,
    CopyAnswer,
    issue_copy,
    "获取存档副本",
    waits=True,
)
_offer(
    "/presentations/redeem",
    Operation.REDEEM,
    RedemptionRequest,
    RedemptionAnswer,
    redeem,
    "凭亮证码用证",
    waits=True,
)
