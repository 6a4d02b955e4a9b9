"""The front page: what people can do here, in their words."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from web.rendering import page

router = APIRouter(include_in_schema=False)


@router.get("/")
def front(request: Request) -> HTMLResponse:
    """For everybody, without signing in."""
    return page(request, "front.html", {})


@router.get("/objections")
def find_objection(request: Request) -> HTMLResponse:
    """How an objector gets to their case: by the link they were sent, which is nobody else's to ask for."""
    return page(request, "find-objection.html", {})
