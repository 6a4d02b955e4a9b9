"""Pages from their templates."""

from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.templating import Jinja2Templates

from regulation.certificates import mask_name
from web.assets import asset
from web.sessions import signed_in


def _for_every_page(request: Request) -> dict[str, Any]:
    person = signed_in(request)
    return {"holder": mask_name(person.name) if person else ""}


_templates = Jinja2Templates(
    env=Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
    ),
    context_processors=[_for_every_page],
)
_templates.env.globals["asset"] = asset


def page(request: Request, template: str, context: dict[str, Any], status: int = 200) -> HTMLResponse:
    """A page."""
    return _templates.TemplateResponse(request, template, context, status)


def message(request: Request, heading: str, text: str, status: int = 200) -> HTMLResponse:
    """A page that says one thing."""
    return page(request, "message.html", {"heading": heading, "text": text}, status)
