"""The certificate-use interface (用证接口, Article 6) for departments' applications.

A call is one thread's work from its signature to its durable entry, without a hop in between: counters wait for it.
"""

from collections.abc import Callable
from typing import TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from models.organisations import ApplicationKind
from runtime.refusals import InputError
from tasks.archived_copies import issue_copy, recognise_copy
from tasks.certificate_use import Operation, Use, authenticate, carry_out, extract, query, refuse
from tasks.holders import redeem
from tasks.journal import SpentNonce, journal
from tasks.use_requests import (
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
    writes: bool = False,
) -> None:
    """Serve an operation. What ``writes`` something of its own has its nonce spent first."""

    async def endpoint(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(carried_out, request, body)

    def carried_out(request: Request, body: bytes) -> Response:
        caller, nonce = authenticated(request, body, ApplicationKind.DEPARTMENT)
        unspent: SpentNonce | None = nonce
        if writes:
            journal().submit(nonce, None)
            unspent = None
        try:
            given = read_as(takes_in, body)
        except InputError as why:
            refuse(operation, caller, unspent, why)
            raise
        answer = carry_out(operation, caller, unspent, given, work)
        return Response(answer.model_dump_json(), media_type="application/json")

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
    writes=True,
)
_offer(
    "/presentations/redeem",
    Operation.REDEEM,
    RedemptionRequest,
    RedemptionAnswer,
    redeem,
    "凭亮证码用证",
    writes=True,
)
