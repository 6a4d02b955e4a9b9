"""What every request goes through: a limit on its size, its signature, its body in the right shape."""

import hmac
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError
from sqlalchemy import delete, or_, select
from sqlalchemy.exc import IntegrityError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.organisations import Application, ApplicationKind, ApplicationSecret, Nonce
from regulation.limits import REQUEST_SIZE, SIGNATURE_WINDOW
from runtime import clock
from runtime.database import transaction
from runtime.refusals import in_chinese
from runtime.signing import KEY, NONCE, SIGNATURE, TIME, sign
from web.problems import ProblemError

M = TypeVar("M", bound=BaseModel)


class SizeLimit:
    """ASGI middleware that reads no body of more than ``REQUEST_SIZE`` bytes: it stops before the first one where the
    length is announced, else when the limit is passed, and the answer is 413."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced, taken = int(Headers(scope=scope).get("content-length", 0)), 0

        async def limited() -> Message:
            nonlocal taken
            if announced <= REQUEST_SIZE.value:
                message = await receive()
                taken += len(message.get("body", b""))
                if taken <= REQUEST_SIZE.value:
                    return message
            # An HTTPException: FastAPI makes a 400 of whatever else is raised while it reads a form.
            raise HTTPException(413)

        await self.app(scope, limited, send)


async def raw_body(request: Request) -> bytes:
    """The request's body, whole."""
    return await request.body()


def body_as(model: type[M]) -> Callable[..., Awaitable[M]]:
    """A dependency that reads the JSON body as ``model`` and refuses with every wrong field named in Chinese."""

    async def parsed(body: Annotated[bytes, Depends(raw_body)]) -> M:
        try:
            return model.model_validate_json(body)
        except ValidationError as error:
            if any(problem["type"] == "json_invalid" for problem in error.errors(include_input=False)):
                raise ProblemError(422, "请求体不是有效的JSON，请检查后重新提交。") from None
            raise ProblemError(422, in_chinese(error, model)) from None

    return parsed


def signed_by(kind: ApplicationKind) -> Callable[..., Application]:
    """A dependency that admits requests signed by an application of this kind, each nonce once."""

    def caller(request: Request, body: Annotated[bytes, Depends(raw_body)]) -> Application:
        headers = request.headers
        key, nonce, time_ms = headers.get(KEY, ""), headers.get(NONCE, ""), headers.get(TIME, "")
        if not key or not 8 <= len(nonce) <= 100 or not (time_ms.isascii() and time_ms.isdigit()) or len(time_ms) > 15:
            raise ProblemError(401, f"请求须带{KEY}、{TIME}（毫秒）、{NONCE}（8至100字符）和{SIGNATURE}。")
        now = clock.now()
        if abs(int(time_ms) / 1000 - now.timestamp()) > SIGNATURE_WINDOW.value:
            raise ProblemError(401, f"{TIME}与本系统时间相差超过{SIGNATURE_WINDOW.value}秒，请校准时钟后重试。")
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        try:
            with transaction() as session:
                application = session.get(Application, key)
                good = or_(ApplicationSecret.until_at.is_(None), ApplicationSecret.until_at > now)
                secrets = session.scalars(
                    select(ApplicationSecret.secret).where(ApplicationSecret.key == key, good)
                ).all()
                given = headers.get(SIGNATURE, "").lower().encode()
                right = any(
                    hmac.compare_digest(sign(secret, request.method, path, int(time_ms), nonce, body).encode(), given)
                    for secret in secrets
                )
                if application is None or not right or not application.active or application.kind is not kind:
                    raise ProblemError(401, "签名不符或应用未登记，请核对密钥、时间、路径和请求体后重新签名。")
                session.execute(delete(Nonce).where(Nonce.expires_at < now))
                session.add(Nonce(key=key, nonce=nonce, expires_at=now + timedelta(seconds=2 * SIGNATURE_WINDOW.value)))
        except IntegrityError:
            raise ProblemError(401, f"{NONCE}已用过，请为每次请求生成新的随机值。") from None
        return application

    return caller
