"""The style sheets, the desk's script and the icon of the pages. Their addresses name their content, so a browser keeps
them for good and still never shows a page in yesterday's style."""

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Response
from fastapi import Path as InPath

router = APIRouter(include_in_schema=False)

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
Name = Annotated[str, InPath(max_length=200)]
FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}


@cache
def _files() -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (Path(__file__).parent / "static").iterdir()}


def asset(name: str) -> str:
    """The address of a file by its name. ``KeyError`` for one that there is not."""
    return f"/static/{sha256(_files()[name]).hexdigest()[:16]}/{name}"


@router.get("/static/{digest}/{name}")
def serve(digest: Name, name: Name) -> Response:
    """A file, at the address that its content has now."""
    if name not in _files() or asset(name) != f"/static/{digest}/{name}":
        raise LookupError("没有这个文件，请刷新页面。")
    return Response(_files()[name], media_type=MEDIA_TYPES[Path(name).suffix], headers=FOR_GOOD)
