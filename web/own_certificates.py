"""The pages of whoever signed in (Articles 10, 11, 14): their certificates, presenting one, uses, authorisations."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup
from pydantic import BaseModel, Field

from regulation.limits import AUTHORISATION_LIFE, PRESENTATION_LIFE
from runtime import clock
from runtime.refusals import RefusalError
from runtime.words import Words
from tasks.certificates.holders import (
    HolderRequest,
    PresentationRequest,
    WithdrawalRequest,
    present,
    uses_of_holder,
    withdraw_authorisation,
)
from tasks.certificates.own import (
    Doubt,
    OwnFace,
    authorisation_choices,
    authorisations_of,
    comment_on_objection,
    corrections_for,
    doubt_use,
    doubts_about,
    give_authorisation,
    own_certificate,
    own_certificates,
)
from web.forms import (
    NOBODYS,
    CaseNo,
    Files,
    Filled,
    RowNumber,
    Said,
    Token,
    Typed,
    back_to,
    checked,
    checked_with_files,
    given_files,
    refused,
)
from web.problems import status_of
from web.rendering import page
from web.sessions import own_session

router = APIRouter(prefix="/my", include_in_schema=False)

DAYS = (1, 7, 15, AUTHORISATION_LIFE.value)
"""For how long the page offers to authorise."""
SAID = {
    "given": "授权已经生效。办事时把授权编号告诉窗口，部门凭编号使用。",
    "withdrawn": "授权已撤回，立即失效。",
}


class AuthorisationForm(BaseModel):
    """What is authorised, by its number on the use list, and for how long."""

    number: int = Field(title="授权的内容")
    days: int = Field(title="授权多久", ge=1, le=AUTHORISATION_LIFE.value)


class Comment(BaseModel):
    """What a holder says to somebody else's objection."""

    text: Words = Field(title="您的意见", min_length=5, max_length=2000)


Own = Annotated[HolderRequest, Depends(own_session)]


@router.get("/certificates")
def certificates(request: Request, own: Own) -> HTMLResponse:
    """My certificates, masked."""
    return page(request, "my-certificates.html", {"certificates": own_certificates(own)})


@router.get("/certificates/{number}")
def certificate(request: Request, own: Own, number: RowNumber) -> Response:
    """One of them with all that it says, to present it or to object to a field. The address of a version that was
    superseded leads to the present one."""
    shown = own_certificate(own, number)
    if shown.own.number != number:
        return RedirectResponse(f"/my/certificates/{shown.own.number}", 303)
    return _shown(request, shown)


@router.post("/certificates/{number}/comments/{case_no}")
def comment(
    request: Request, own: Own, number: RowNumber, case_no: CaseNo, text: Typed = "", files: Files = None
) -> Response:
    """What I say to somebody else's objection to it, with what shows it."""
    given = given_files(files)
    try:
        form, kept = checked_with_files(Comment, {"text": text}, given)
        comment_on_objection(own, case_no, form.text, kept)
    except RefusalError as why:
        # A page has such fields for each objection.
        said = refused(why, {f"text-{case_no}": text}, given)
        wrong = {f"{name}-{case_no}" if name in ("text", "files") else name: what for name, what in said.wrong.items()}
        return _shown(request, own_certificate(own, number), replace(said, wrong=wrong))
    return RedirectResponse(f"/my/certificates/{number}#heard-{case_no}", 303)


def _shown(request: Request, shown: OwnFace, form: Filled = NOBODYS, said: str = "") -> HTMLResponse:
    return page(request, "my-certificate.html", {"shown": shown, "form": form, "said": said}, form.status)


@router.post("/certificates/{number}/presentation")
def show(request: Request, own: Own, number: RowNumber, scenario: Typed = "") -> HTMLResponse:
    """A code to present a certificate with."""
    shown = own_certificate(own, number)
    try:
        made = present(
            checked(
                PresentationRequest,
                {
                    "session": own.session or "",
                    "certificate_type": shown.type_name,
                    "certificate": shown.identifier,
                    "scenario": scenario,
                },
            )
        )
    except RefusalError as why:
        return _shown(request, shown, Filled(status=status_of(why)), str(why))
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
    standing = doubts_about(own, [use.record_no for use in answer.uses])
    context = dict(answer) | {"standing": standing, "doubts": list(Doubt), "corrections": corrections_for(own)}
    return page(request, "my-uses.html", context)


@router.post("/uses/{record_no}/doubt")
def doubt(own: Own, record_no: RowNumber, why: Annotated[Doubt, Form()]) -> Response:
    """The button to have a use looked into."""
    doubt_use(own, record_no, why)
    return RedirectResponse(f"/my/uses#use-{record_no}", 303)


@router.get("/authorisations")
def authorisations(request: Request, own: Own, said: Said = "") -> HTMLResponse:
    """Whom I authorised."""
    return page(request, "my-authorisations.html", {"given": authorisations_of(own), "said": SAID.get(said, "")})


@router.get("/authorisations/new")
def choose(request: Request, own: Own) -> HTMLResponse:
    """Where I authorise a department: to use which certificate, what for, and for how long."""
    return _choices(request, own, Filled({"days": str(DAYS[0])}))


@router.post("/authorisations/new")
def give(request: Request, own: Own, number: Typed = "", days: Typed = "") -> Response:
    """The form of an authorisation."""
    typed = {"number": number, "days": days}
    try:
        form = checked(AuthorisationForm, typed)
        give_authorisation(own, form.number, form.days)
    except RefusalError as why:
        return _choices(request, own, refused(why, typed))
    return back_to("/my/authorisations", "given")


def _choices(request: Request, own: HolderRequest, form: Filled) -> HTMLResponse:
    today = clock.today()
    context = {
        "form": form,
        "choices": authorisation_choices(own),
        "days": {str(days): f"{days}天，{today + timedelta(days=days)}到期" for days in DAYS},
    }
    return page(request, "my-authorisation.html", context, form.status)


@router.get("/authorisations/{authorisation_no}/withdrawal")
def ask_withdrawal(request: Request, own: Own, authorisation_no: Token) -> Response:
    """What withdrawing does, before it is done; where there is nothing to withdraw, the authorisations."""
    given = (each for each in authorisations_of(own) if each.authorisation_no == authorisation_no and each.holds)
    if (each := next(given, None)) is None:
        return RedirectResponse("/my/authorisations", 303)
    context = {
        "heading": "撤回授权？",
        "basis": "第九条、第十五条",
        "lines": [("部门", each.department), ("事项", each.item), ("证照", each.certificate_type)],
        "what": "撤回后立即失效，该部门不能再为这一事项使用您的这种证照；撤回前已经办完的事不受影响。",
        "button": "确认撤回",
        "back": "/my/authorisations",
    }
    return page(request, "withdrawal.html", context)


@router.post("/authorisations/{authorisation_no}/withdrawal")
def withdraw(own: Own, authorisation_no: Token) -> Response:
    """The button behind it."""
    withdraw_authorisation(WithdrawalRequest(session=own.session, authorisation_no=authorisation_no))
    return back_to("/my/authorisations", "withdrawn")
