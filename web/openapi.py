"""The words of the OpenAPI document: bodies that are read after the signature, answers, problems, signing headers."""

from typing import Any

from pydantic import BaseModel

from runtime.signing import KEY, NONCE, SIGNATURE, TIME
from web.problems import TITLES

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "哪里不对，怎么办"},
        "article": {"type": "integer", "description": "不允许的依据：第几条"},
        "receipt_no": {"type": "string", "description": "上级平台不可用时的凭证号"},
    },
}
SIGNED = [
    {
        "name": KEY,
        "in": "header",
        "required": True,
        "schema": {"type": "string", "maxLength": 100},
        "description": "应用标识",
    },
    {
        "name": TIME,
        "in": "header",
        "required": True,
        "schema": {"type": "integer"},
        "description": "1970年以来的毫秒数，与本系统相差不超过5分钟",
    },
    {
        "name": NONCE,
        "in": "header",
        "required": True,
        "schema": {"type": "string", "minLength": 8, "maxLength": 100},
        "description": "每次请求不同的随机值",
    },
    {
        "name": SIGNATURE,
        "in": "header",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9a-fA-F]{64}$"},
        "description": "HMAC-SHA256(密钥, 方法\\n路径与查询\\n时间\\n随机值\\n请求体SHA-256)的十六进制",
    },
]


def takes(model: type[BaseModel], *, signed: bool = False) -> dict[str, Any]:
    """A body that is read after its signature has been checked, which FastAPI therefore knows nothing of."""
    body = {"required": True, "content": {"application/json": {"schema": inlined(model)}}}
    return {"requestBody": body} | ({"parameters": SIGNED} if signed else {})


def inlined(model: type[BaseModel]) -> dict[str, Any]:
    """A model's schema without references, so that it can stand inside another document."""
    schema = model.model_json_schema()
    known = schema.pop("$defs", {})

    def resolved(part: Any) -> Any:
        if isinstance(part, dict):
            if "$ref" in part:
                return resolved(known[part["$ref"].rpartition("/")[2]])
            return {name: resolved(value) for name, value in part.items()}
        return [resolved(value) for value in part] if isinstance(part, list) else part

    whole: dict[str, Any] = resolved(schema)
    return whole


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What an operation refuses with: a problem document with one of these statuses."""
    content = {"application/problem+json": {"schema": PROBLEM}}
    return {status: {"description": TITLES[status], "content": content} for status in statuses}


DEPARTMENTS = problems(401, 403, 404, 409, 413, 422, 429)
"""What a department's signed call can be refused with."""


def answers(model: type[BaseModel] | None, *refusals: int) -> dict[int | str, dict[str, Any]]:
    """What an operation answers: ``model`` (``None``: nothing), or a problem document with one of these statuses."""
    done: dict[str, Any] = {"description": "办妥"}
    return ({204: done} if model is None else {200: done | {"model": model}}) | problems(*refusals)
