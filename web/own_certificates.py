"""The pages of whoever signed in (Articles 10, 11, 14): their certificates, presenting one, uses, authorisations."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from regulation.limits import PRESENTATION_LIFE
from runtime.refusals import RefusalError
from tasks.holders import (
    HolderRequest,
    PresentationRequest,
    WithdrawalRequest,
    present,
    uses_of_holder,
    withdraw_authorisation,
)
from tasks.own_certificates import (
    Doubt,
    authorisations_of,
    doubt_use,
    doubts_about,
    own_certificate,
    own_certificates,
)
from web.forms import Typed
from web.problems import status_of
from web.rendering import page
from web.sessions import own_session

router = APIRouter(prefix="/my", include_in_schema=False)

Own = Annotated[HolderRequest, Depends(own_session)]


@router.get("/certificates")
def certificates(request: Request, own: Own) -> HTMLResponse:
    """My certificates, masked."""
    return page(request, "my-certificates.html", {"certificates": own_certificates(own)})


@router.get("/certificates/{number}")
def certificate(request: Request, own: Own, number: int) -> HTMLResponse:
    """One of them with all that it says, to present it or to object to a field."""
    return page(request, "my-certificate.html", {"shown": own_certificate(own, number), "said": ""})


@router.post("/certificates/{number}/presentation")
def show(request: Request, own: Own, number: int, scenario: Typed = "") -> HTMLResponse:
    """A code to present a certificate with."""
    shown = own_certificate(own, number)
    try:
        made = present(
            PresentationRequest(
                session=own.session,
                certificate_type=shown.type_name,
                certificate=shown.identifier,
                scenario=scenario or None,
            )
        )
    except RefusalError as why:
        return page(request, "my-certificate.html", {"shown": shown, "said": str(why)}, status_of(why))
    context = {
        "shown": shown,
        "scenario": scenario,
        "qr": Markup(made.qr),  # noqa: S704 - a drawing that segno made of a code of ours
        "code": made.code,
        "until": f"{made.expires_at:%H:%M:%S}",
        "seconds": PRESENTATION_LIFE.value,
    }
    return page(request, "my-presentation.html", context)


@router.get("/uses")
def uses(request: Request, own: Own) -> HTMLResponse:
    """Who used my certificates, when, what for, and which fields."""
    answer = uses_of_holder(own)
    standing = doubts_about([use.record_no for use in answer.uses])
    context = {"uses": answer.uses, "more": answer.more, "standing": standing, "doubts": list(Doubt)}
    return page(request, "my-uses.html", context)


@router.post("/uses/{record_no}/doubt")
def doubt(own: Own, record_no: int, why: Annotated[Doubt, Form()]) -> Response:
    """The button to have a use looked into."""
    doubt_use(own, record_no, why)
    return RedirectResponse(f"/my/uses#use-{record_no}", 303)


@router.get("/authorisations")
def authorisations(request: Request, own: Own) -> HTMLResponse:
    """Whom I authorised."""
    return page(request, "my-authorisations.html", {"given": authorisations_of(own)})


@router.post("/authorisations/{authorisation_no}/withdrawal")
def withdraw(own: Own, authorisation_no: str) -> Response:
    """The button to withdraw one."""
    withdraw_authorisation(WithdrawalRequest(session=own.session, authorisation_no=authorisation_no))
    return RedirectResponse("/my/authorisations", 303)
