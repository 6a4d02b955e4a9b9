"""What nobody asks for and somebody has to see to (待阅事项)."""

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field

from runtime.refusals import RefusalError
from runtime.words import Words
from tasks.desk import door
from tasks.desk.door import SignedIn
from tasks.desk.matters import Matters, Whose, matters, see_to
from web.desk.door import HOME, AtDesk, AtDeskWithForm, from_its_networks
from web.desk.lists import Chosen, PageNo, page_number
from web.desk.rendering import desk_page
from web.forms import NOBODYS, Filled, RowNumber, Said, Typed, checked, refused

router = APIRouter(prefix=f"{HOME}/matters", include_in_schema=False, dependencies=[Depends(from_its_networks)])


class SeenTo(BaseModel):
    """How somebody saw to a matter."""

    note: Words = Field(title="处理情况", min_length=2, max_length=500)


@router.get("")
def show(request: Request, by: AtDesk, whose: Chosen = "", page: PageNo = 1, said: Said = "") -> HTMLResponse:
    """The matters, one's own to begin with. What was typed before one had to sign in again stands there again."""
    found = matters(by.staff_no, _whose(whose), page)
    sentence = "已登记处理情况。" if said == "done" else ""
    return _page(request, by, _whose(whose), found, _kept(by, found), sentence)


@router.get("/{number}")
def one(number: RowNumber) -> Response:
    """Who had to sign in again comes back here."""
    return RedirectResponse(f"{HOME}/matters#note-{number}", 303)


@router.post("/{number}/end")
def end(
    request: Request, number: RowNumber, by: AtDeskWithForm, note: Typed = "", whose: Typed = "", page: Typed = ""
) -> Response:
    """A matter is seen to, with a sentence."""
    which, place = _whose(whose), page_number(page)
    typed = {f"note-{number}": note}
    try:
        see_to(number, checked(SeenTo, {"note": note}).note, by)
    except RefusalError as why:
        form = refused(why, typed)
        wrong = {f"note-{number}": sentence for sentence in form.wrong.values()}
        shown = Filled(typed, wrong, form.refusal, form.status)
        return _page(request, by, which, matters(by.staff_no, which, place), shown)
    door.forget_typed(by.staff_no, _place(number))
    return RedirectResponse(f"{HOME}/matters?whose={which}&page={place}&said=done", 303)


def _page(
    request: Request, by: SignedIn, whose: Whose, found: Matters, form: Filled = NOBODYS, said: str = ""
) -> HTMLResponse:
    context = {"found": found, "whose": whose, "form": form, "said": said}
    return desk_page(request, "desk/matters.html", context, by, form.status)


def _whose(text: str) -> Whose:
    return Whose(text) if text in set(Whose) else Whose.MINE


def _kept(by: SignedIn, found: Matters) -> Filled:
    kept = door.kept_at(by.staff_no, [_place(each.id) for each in found.rows])
    notes = {each.id: kept.get(_place(each.id), {}).get("note", "") for each in found.rows}
    typed = {f"note-{number}": note for number, note in notes.items() if note}
    return Filled(typed, refusal="登录过期前您填写的处理情况还在下面，没有登记；请核对后登记。") if typed else NOBODYS


def _place(number: int) -> str:
    return f"{HOME}/matters/{number}/end"
