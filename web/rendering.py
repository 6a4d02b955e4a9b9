"""Pages from their templates."""

from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.templating import Jinja2Templates

from regulation.certificates import mask_name
from runtime import clock
from web.assets import asset
from web.sessions import signed_in

COMPARED = 300
"""Characters up to which it is shown where two values differ."""
ALIKE = 0.5
"""How much two values have to have in common for that to say anything."""


def _for_every_page(request: Request) -> dict[str, Any]:
    person = signed_in(request)
    return {"holder": mask_name(person.name) if person else ""}


def differing(value: str, against: str) -> Markup:
    """A value, with what of it differs from another one marked."""
    if not against or value == against or max(len(value), len(against)) > COMPARED:
        return escape(value)
    matcher = SequenceMatcher(None, against, value, autojunk=False)
    if matcher.ratio() < ALIKE:
        return escape(value)
    parts = (
        escape(value[start:end]) if same == "equal" else Markup("<mark>{}</mark>").format(value[start:end])
        for same, _, _, start, end in matcher.get_opcodes()
        if start < end
    )
    return Markup().join(parts)


_templates = Jinja2Templates(
    env=Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
    ),
    context_processors=[_for_every_page],
)
_templates.env.globals["asset"] = asset
_templates.env.filters["day"] = clock.local_date
_templates.env.filters["differing"] = differing
_templates.env.filters["minute"] = lambda at: f"{at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}"


def page(request: Request, template: str, context: dict[str, Any], status: int = 200) -> HTMLResponse:
    """A page."""
    return _templates.TemplateResponse(request, template, context, status)


def message(request: Request, heading: str, text: str, status: int = 200, *, basis: str = "") -> HTMLResponse:
    """A page that says one thing; ``basis``: the articles that it rests on, none where something is refused."""
    return page(request, "message.html", {"heading": heading, "text": text, "basis": basis}, status)
