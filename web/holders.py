"""What holders' clients call (Articles 10, 11, 14): 浙里办's page of 柯桥e证通, which brings a ticket of its user."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from tasks.certificates.holders import (
    AuthorisationAnswer,
    AuthorisationRequest,
    HolderRequest,
    PresentationAnswer,
    PresentationRequest,
    SessionAnswer,
    UsesAnswer,
    WithdrawalRequest,
    authorise,
    open_session,
    present,
    uses_of_holder,
    withdraw_authorisation,
)
from web.openapi import answers, takes
from web.requests import body_as

router = APIRouter(prefix="/api/v1", tags=["持证主体（第十条、第十一条、第十四条）"])

PROBLEMS = (401, 403, 404, 413, 422, 503)


@router.post(
    "/holder-sessions",
    summary="以浙里办票据换取会话",
    responses=answers(SessionAnswer, *PROBLEMS),
    openapi_extra=takes(HolderRequest),
)
def enter(request: Annotated[HolderRequest, Depends(body_as(HolderRequest))]) -> SessionAnswer:
    """票据只能用一次；会话30分钟内有效。"""
    return open_session(request)


@router.post(
    "/presentations",
    summary="亮证",
    responses=answers(PresentationAnswer, *PROBLEMS),
    openapi_extra=takes(PresentationRequest),
)
def make_code(request: Annotated[PresentationRequest, Depends(body_as(PresentationRequest))]) -> PresentationAnswer:
    """为本人一件有效的证照取得亮证码：60秒内有效，只能用一次，窗口只看到该场景允许的项目。"""
    return present(request)


@router.post(
    "/authorisations",
    summary="授权",
    responses=answers(AuthorisationAnswer, *PROBLEMS),
    openapi_extra=takes(AuthorisationRequest),
)
def allow(request: Annotated[AuthorisationRequest, Depends(body_as(AuthorisationRequest))]) -> AuthorisationAnswer:
    """授权一个部门为一个事项使用本人的一类证照。"""
    return authorise(request)


@router.post(
    "/authorisations/withdrawal",
    status_code=204,
    response_class=Response,
    summary="撤回授权",
    responses=answers(None, *PROBLEMS),
    openapi_extra=takes(WithdrawalRequest),
)
def disallow(request: Annotated[WithdrawalRequest, Depends(body_as(WithdrawalRequest))]) -> None:
    """立即撤回；重复撤回没有影响。"""
    withdraw_authorisation(request)


@router.post(
    "/certificate-uses",
    summary="谁用过我的证照",
    responses=answers(UsesAnswer, *PROBLEMS),
    openapi_extra=takes(HolderRequest),
)
def uses(request: Annotated[HolderRequest, Depends(body_as(HolderRequest))]) -> UsesAnswer:
    """哪个部门在什么时候、为了什么事项、看了什么。"""
    return uses_of_holder(request)
