"""Pages of the desk: with who is there, and with a script of our own."""

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from runtime.settings import settings
from tasks.desk.door import SignedIn
from web.rendering import page
from web.requests import PrivateHeaders

POLICY = b"; ".join((*PrivateHeaders.ONLY_OURS, b"script-src 'self'", b"connect-src 'self'")).decode()


def desk_page(
    request: Request, template: str, context: dict[str, Any], by: SignedIn, status: int = 200
) -> HTMLResponse:
    """A page for somebody at the desk."""
    shown = page(request, template, {"by": by, "prefect": settings().prefect_url, **context}, status)
    shown.headers["Content-Security-Policy"] = POLICY
    return shown
