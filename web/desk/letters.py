"""What goes by post (邮寄登记): the list, each letter as a PDF, the addresses on a page to be printed, and that it was
posted."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from models.organisations import Role
from regulation.limits import POSTING
from runtime import clock
from runtime.refusals import RefusalError
from runtime.settings import settings
from runtime.words import Words
from tasks.desk import door
from tasks.desk import postings as post
from tasks.desk.door import SignedIn
from tasks.desk.postings import LONGEST_ADDRESS, Posted
from tasks.office.signatures import SignatureError
from web.desk.door import HOME, NOT_KEPT, AtDesk, AtDeskWithForm, from_its_networks
from web.desk.rendering import desk_page
from web.forms import (
    NOBODYS,
    Files,
    Filled,
    RowNumber,
    Said,
    Typed,
    back_to,
    checked,
    checked_with_files,
    given_files,
    refused,
    row_number,
)
from web.problems import status_of

PLACE = f"{HOME}/letters"
SAID = {
    "kept": "地址已保存，可以打印信件和地址清单。",
    "posted": "已登记，经过里写明挂号号码，或者已另行告知。",
    "collected": "已登记当面领取，送达回证已附卷。",
    "returned": "已登记退回，信重新列在下面，请另寄或者另行告知。",
    "corrected": "已更正挂号号码，两个号码都留在经过里。",
}
KEPT = "登录过期前您填写的内容还在下面，没有登记；请核对后提交。"

router = APIRouter(prefix=PLACE, include_in_schema=False, dependencies=[Depends(from_its_networks)])


class PostedOn(BaseModel):
    """The day that all of a form's letters were posted on."""

    posted_on: date | None = Field(None, title="邮寄或告知日期")


@router.get("")
def show(request: Request, by: AtDesk, said: Said = "") -> HTMLResponse:
    """The list. What was typed before one had to sign in again stands there again."""
    for form in ("posted", "addresses"):
        typed = door.kept_typed(by.staff_no, f"{PLACE}/{form}")
        if typed:
            door.forget_typed(by.staff_no, f"{PLACE}/{form}")
            return _page(request, by, Filled(typed, refusal=KEPT))
    return _page(request, by, NOBODYS, said)


@router.post("/addresses")
async def keep(request: Request, by: AtDeskWithForm) -> Response:
    """Where letters go, before they are printed."""
    return await run_in_threadpool(_keep, request, by, await _sent(request))


def _keep(request: Request, by: SignedIn, sent: Mapping[str, str]) -> Response:
    try:
        post.keep_addresses({number: text for number, text in _column(sent, "address").items() if text.strip()}, by)
    except RefusalError as why:
        return _page(request, by, refused(why, sent))
    return back_to(PLACE, "kept")


@router.post("/posted")
async def register(request: Request, by: AtDeskWithForm) -> Response:
    """Letters were posted: those whose number was typed, on one day, signed with one code."""
    return await run_in_threadpool(_register, request, by, await _sent(request))


def _register(request: Request, by: SignedIn, sent: Mapping[str, str]) -> Response:
    typed = {name: value for name, value in sent.items() if name not in NOT_KEPT}
    try:
        post.register_posted(_letters(sent), _posted_on(sent), sent.get("code", ""), by)
    except SignatureError as why:
        return _page(request, by, Filled(typed, {"code": str(why)}, "", status_of(why)))
    except RefusalError as why:
        return _page(request, by, refused(why, typed))
    return back_to(PLACE, "posted")


def _letters(sent: Mapping[str, str]) -> dict[int, Posted]:
    columns = [_column(sent, name) for name in ("address", "tracking", "told", "tried")]
    found = {number: Posted(*(column.get(number, "") for column in columns)) for column in columns for number in column}
    return {number: said for number, said in found.items() if said.tracking_no.strip() or said.in_words}


def _posted_on(sent: Mapping[str, str]) -> date | None:
    return checked(PostedOn, {"posted_on": sent.get("posted_on", "")}).posted_on


def _column(sent: Mapping[str, str], name: str) -> dict[int, str]:
    """The fields of a form that stand in one column, by the numbers of their letters."""
    found = {}
    for field, text in sent.items():
        column, _, number = field.partition("-")
        letter = row_number(number) if column == name else None
        if letter is not None:
            found[letter] = text
    return found


async def _sent(request: Request) -> dict[str, str]:
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


@router.get("/addresses")
def addresses(request: Request, by: AtDesk) -> HTMLResponse:
    """The addresses on a page to be printed, which goes to the post office with the letters."""
    return desk_page(request, "desk/addresses.html", {"letters": post.address_list(by), "today": clock.today()}, by)


@router.post("/{number}/number")
def correct(
    request: Request,
    number: Annotated[RowNumber, Path()],
    by: AtDeskWithForm,
    tracking_no: Typed = "",
    code: Typed = "",
) -> Response:
    """The number of a letter was typed wrongly."""
    typed = {f"corrected-{number}": tracking_no}
    try:
        post.correct_number(number, tracking_no, code, by)
    except SignatureError as why:
        return _page(request, by, Filled(typed, {f"code-{number}": str(why)}, "", status_of(why)))
    except RefusalError as why:
        return _page(request, by, refused(why, typed))
    return back_to(PLACE, "corrected")


@router.post("/{number}/return")
def returned(request: Request, number: Annotated[RowNumber, Path()], by: AtDeskWithForm, code: Typed = "") -> Response:
    """A letter came back."""
    try:
        post.register_returned(number, code, by)
    except SignatureError as why:
        return _page(request, by, Filled({}, {f"code-{number}": str(why)}, "", status_of(why)))
    except RefusalError as why:
        return _page(request, by, refused(why, {}))
    return back_to(PLACE, "returned")


class CollectedForm(BaseModel):
    """Who collected letters at the counter, beside what they signed."""

    collected_by: Words = Field("", title="领取人和身份核对", max_length=200)
    posted_on: date | None = Field(None, title="领取日期")


@router.get("/{number}/collect")
def ask_collected(request: Request, number: Annotated[RowNumber, Path()], by: AtDesk) -> HTMLResponse:
    """The form for letters that somebody collects."""
    place = f"{PLACE}/{number}/collect"
    kept = door.kept_typed(by.staff_no, place)
    if kept:
        door.forget_typed(by.staff_no, place)
    return _collect_page(request, number, by, Filled(kept, refusal=KEPT if kept else ""))


@router.post("/{number}/collect")
def collect(
    request: Request,
    number: Annotated[RowNumber, Path()],
    by: AtDeskWithForm,
    collected_by: Typed = "",
    posted_on: Typed = "",
    code: Typed = "",
    letters: Annotated[list[Annotated[str, Field(max_length=20)]] | None, Form(max_length=100)] = None,
    files: Files = None,
) -> Response:
    """Somebody has signed for letters: those that stood on the page."""
    ids = [each for each in map(row_number, letters or []) if each is not None]
    typed, given = {"collected_by": collected_by, "posted_on": posted_on}, given_files(files)
    try:
        form, signed_for = checked_with_files(CollectedForm, typed, given)
        post.register_collected(ids or [number], form.collected_by, form.posted_on, signed_for, code, by)
    except SignatureError as why:
        shown = refused(why, typed, given)
        wrong = {**shown.wrong, "code": str(why)}
        return _collect_page(request, number, by, Filled(typed, wrong, "", shown.status))
    except RefusalError as why:
        return _collect_page(request, number, by, refused(why, typed, given))
    return back_to(PLACE, "collected")


def _collect_page(request: Request, number: int, by: SignedIn, form: Filled) -> HTMLResponse:
    typed = {"posted_on": str(clock.today()), **form.typed}
    context = {
        "number": number,
        "found": post.to_collect(number, by),
        "form": Filled(typed, form.wrong, form.refusal, form.status),
        "codes": settings().one_time_codes,
    }
    return desk_page(request, "desk/collect.html", context, by, form.status)


@router.get("/{number}/receipt.pdf")
def receipt(number: Annotated[RowNumber, Path()], by: AtDesk) -> Response:
    """What is signed by whoever collects (送达回证)."""
    return _pdf(*post.receipt(number, by))


@router.get("/{number}/return")
@router.get("/{number}/number")
def again(number: Annotated[RowNumber, Path()], by: AtDesk) -> Response:
    """Who had to sign in again comes back here; one number is soon typed."""
    door.forget_typed(by.staff_no, f"{PLACE}/{number}/number")
    return RedirectResponse(PLACE, 303)


@router.get("/all.pdf")
def every_letter(by: AtDesk) -> Response:
    """All letters whose address is known, to be printed at once."""
    return _pdf(*post.all_letters(by))


@router.get("/{number}.pdf")
def letter(number: Annotated[RowNumber, Path()], by: AtDesk) -> Response:
    """A notice as the letter that is posted."""
    return _pdf(*post.posted_letter(number, by))


def _pdf(name: str, content: bytes) -> Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(content, media_type="application/pdf", headers=headers)


def _page(request: Request, by: SignedIn, form: Filled, said: str = "") -> HTMLResponse:
    found = post.posting_list(by)
    known: dict[str, Any] = {f"address-{each.id}": each.address for each in found.notices}
    shown = Filled({"posted_on": str(clock.today()), **known, **form.typed}, form.wrong, form.refusal, form.status)
    context = {
        "found": found,
        "form": shown,
        "said": SAID.get(said, ""),
        "days": POSTING.value,
        "most": LONGEST_ADDRESS,
        "correcting": any(name.startswith(("corrected-", "code-")) for name in form.wrong),
        "codes": settings().one_time_codes,
        "registers": by.role != Role.AUDITOR,
    }
    return desk_page(request, "desk/letters.html", context, by, form.status)
