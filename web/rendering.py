"""Pages from their templates."""

from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.templating import Jinja2Templates

_templates = Jinja2Templates(
    env=Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
    )
)


def page(request: Request, template: str, context: dict[str, Any], status: int = 200) -> HTMLResponse:
    """A page."""
    return _templates.TemplateResponse(request, template, context, status)


def message(request: Request, text: str, status: int = 200) -> HTMLResponse:
    """A page that says one thing."""
    return page(request, "message.html", {"text": text}, status)
