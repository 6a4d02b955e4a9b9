"""Pages of the desk: with who is there, and with a script of our own."""

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from sqlalchemy.exc import OperationalError

from runtime import clock
from runtime.settings import settings
from tasks.desk.door import NotSignedInError, SignedIn
from tasks.desk.matters import number_of_matters
from tasks.desk.rounds import still_since
from web.desk.door import HOME, at_desk, from_its_networks
from web.forms import Filled
from web.problems import ProblemError
from web.rendering import page
from web.requests import PrivateHeaders

POLICY = b"; ".join((*PrivateHeaders.ONLY_OURS, b"script-src 'self'", b"connect-src 'self'")).decode()


def desk_page(
    request: Request, template: str, context: dict[str, Any], by: SignedIn, status: int = 200
) -> HTMLResponse:
    """A page for somebody at the desk."""
    for_menu = {
        "by": by,
        "prefect": settings().prefect_url,
        "open_matters": number_of_matters(by.staff_no),
        "still_since": still_since(clock.now()),
    }
    shown = page(request, template, for_menu | context, status)
    shown.headers["Content-Security-Policy"] = POLICY
    return shown


def desk_problem(request: Request, heading: str, text: str, status: int) -> HTMLResponse | None:
    """What is wrong, for somebody at the desk, with the search for what they may have meant; ``None`` for an address
    that is none of the desk's, and for whoever is not signed in there: to them there is no desk."""
    if request.url.path != HOME and not request.url.path.startswith(f"{HOME}/"):
        return None
    try:
        from_its_networks(request)
        by = at_desk(request)
        looked_for = Filled({"q": request.path_params.get("case_no", "")})
        return desk_page(
            request, "desk/problem.html", {"heading": heading, "text": text, "form": looked_for}, by, status
        )
    except (ProblemError, NotSignedInError, OperationalError):
        # Without the database nobody is signed in anywhere.
        return None
