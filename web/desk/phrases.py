"""Reasons that are often given (常用语), which directors keep."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from models.organisations import Role
from runtime.refusals import RefusalError
from tasks.desk import phrases
from tasks.desk.door import SignedIn
from tasks.desk.phrases import PhraseForm
from web.desk.door import HOME, AtDesk, AtDeskWithForm, from_its_networks
from web.desk.rendering import desk_page
from web.forms import NOBODYS, Filled, RowNumber, Said, Typed, back_to, checked, refused

router = APIRouter(prefix=f"{HOME}/phrases", include_in_schema=False, dependencies=[Depends(from_its_networks)])

SAID = {"kept": "常用语已保存，办理时可以点选。", "dropped": "常用语已删除。"}


@router.get("")
def show(request: Request, by: AtDesk, said: Said = "") -> HTMLResponse:
    """All of them, by where they are used."""
    return _page(request, by, NOBODYS, said)


@router.post("")
def keep(request: Request, by: AtDeskWithForm, place: Typed = "", text: Typed = "") -> Response:
    """One more."""
    typed = {"place": place, "text": text}
    try:
        phrases.keep_phrase(checked(PhraseForm, typed), by)
    except RefusalError as why:
        return _page(request, by, refused(why, typed))
    return back_to(f"{HOME}/phrases", "kept")


@router.post("/{number}/drop")
def drop(request: Request, number: Annotated[RowNumber, Path()], by: AtDeskWithForm) -> Response:
    """One that is not used any more."""
    try:
        phrases.drop_phrase(number, by)
    except RefusalError as why:
        return _page(request, by, refused(why, {}))
    return RedirectResponse(f"{HOME}/phrases?said=dropped", 303)


def _page(request: Request, by: SignedIn, form: Filled, said: str = "") -> HTMLResponse:
    places = phrases.places()
    context = {
        "places": places,
        "choices": [{"name": each.name, "words": f"{each.kind}　{each.title}"} for each in places],
        "form": form,
        "said": SAID.get(said, ""),
        "keeps": by.role is Role.DIRECTOR,
        "why_not": phrases.ONLY_DIRECTORS,
    }
    return desk_page(request, "desk/phrases.html", context, by, form.status)
