"""The list of what waits (待办): narrowed down, looked through, taken along as a workbook, given to somebody else."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, BeforeValidator, Field

from models.cases import CaseKind
from models.organisations import Role
from runtime import clock
from runtime.refusals import InputError, RefusalError
from runtime.settings import settings
from runtime.words import Words
from tasks.case.answers import Signature
from tasks.case.hand_over import give_cases
from tasks.desk import door
from tasks.desk.approvals import to_approve
from tasks.desk.door import SignedIn, last_begun
from tasks.desk.export import workbook
from tasks.desk.kinds import KINDS
from tasks.desk.search import NOTHING, search
from tasks.desk.to_do import PAGE, Urgency, Wanted, What, Whose, choices, inspections, known_names, listed, receivers
from tasks.office.signatures import SignatureError
from web.desk.door import HOME, AtDesk, AtDeskWithForm, from_its_networks
from web.desk.rendering import desk_page
from web.forms import NOBODYS, Filled, Said, Typed, checked, refused
from web.problems import status_of

router = APIRouter(prefix=HOME, include_in_schema=False, dependencies=[Depends(from_its_networks)])

FILTERS = ("whose", "what", "kind", "stage", "department", "officer", "due")
"""What narrows the list down, by the names that stand in its address."""
DIGITS, LONGEST_ADDRESS = 5, 2000
SHOWN = 20
"""Characters of a filter that is none which are said again."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Chosen = Annotated[str, Query(max_length=60)]
PageNo = Annotated[int, BeforeValidator(lambda text: unicodedata.normalize("NFKC", str(text))), Query(ge=1, le=10_000)]
_CASE_NO = re.compile(r"[\w-]{1,30}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f]")
E = TypeVar("E", bound=StrEnum)


class LookedFor(BaseModel):
    """What somebody looks for."""

    q: Words = Field(title="查找", min_length=1, max_length=100)


class Given(BaseModel):
    """To whom cases are given, and why."""

    to: Words = Field(title="接收人", min_length=1, max_length=20)
    why: Words = Field(title="移交理由", min_length=2, max_length=200)


def _asked(
    whose: Chosen = "",
    what: Chosen = "",
    kind: Chosen = "",
    stage: Chosen = "",
    department: Chosen = "",
    officer: Chosen = "",
    due: Chosen = "",
    page: PageNo = 1,
) -> dict[str, str]:
    """A dependency: what the address of the list narrows it down to."""
    given = dict(zip(FILTERS, (whose, what, kind, stage, department, officer, due), strict=True))
    return given | {"page": str(page)}


Asked = Annotated[dict[str, str], Depends(_asked)]
Cases = Annotated[list[Annotated[str, Field(max_length=10_000)]] | None, Form(max_length=PAGE)]
"""Cases of one page of the list."""


@router.get("")
def to_do(request: Request, by: AtDesk, asked: Asked, said: Said = "") -> HTMLResponse:
    """The list, one's own to begin with. What was typed before one had to sign in again stands there again."""
    kept = door.kept_typed(by.staff_no, f"{HOME}/search")
    if kept:
        door.forget_typed(by.staff_no, f"{HOME}/search")
    given = re.fullmatch(r"given-(\d{1,4})", said)
    sentence = f"已移交{given[1]}件，已通知接收人（休假的，通知其代理人）。" if given else ""
    return _list(request, by, asked, _kept(by), said=sentence, q=kept.get("q", ""))


@router.get("/list.xlsx")
def export(by: AtDesk, asked: Asked) -> Response:
    """All pages of the list as it was narrowed down."""
    wanted, _, _ = _wanted(asked)
    name = quote(f"待办-{clock.today()}.xlsx")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(workbook(by.staff_no, wanted), media_type=XLSX, headers=headers)


@router.post("/search")
def find(request: Request, by: AtDeskWithForm, q: Typed = "", page: Typed = "") -> HTMLResponse:
    """Cases by number, or by whom or what they are about. In a form, because names and numbers of people belong in no
    address."""
    try:
        looked_for = checked(LookedFor, {"q": q})
    except RefusalError as why:
        return _found(request, by, refused(why, {"q": q}))
    found = search(looked_for.q, by.staff_no, page_number(page))
    return _found(request, by, Filled({"q": q}), found=found, nothing="" if found.rows else NOTHING)


@router.get("/search")
def look(request: Request) -> Response:
    """Who reloads what they found begins again."""
    return RedirectResponse(HOME, 303)


@router.post("/hand-over")
def hand_over(
    request: Request,
    by: AtDeskWithForm,
    to: Typed = "",
    why: Typed = "",
    though_away: Typed = "",
    code: Typed = "",
    address: Typed = "",
    whole_page: Typed = "",
    case: Cases = None,
    shown: Cases = None,
) -> Response:
    """Cases are given to somebody else, for one reason, all or none."""
    chosen = shown if whole_page else case
    typed: dict[str, Any] = {
        "to": to,
        "why": why,
        "cases": chosen or [],
        "whole_page": whole_page,
        "though_away": though_away,
    }
    filters = dict(_pairs(address))
    try:
        signature = Signature(by.staff_no, code, by.source)
        number = give_cases(*_checked(chosen or [], to, why), signature, though_away)
    except SignatureError as why_not:
        return _list(request, by, filters, Filled(typed, {"code": str(why_not)}, "", status_of(why_not)))
    except RefusalError as wrong:
        return _list(request, by, filters, refused(wrong, typed))
    door.forget_typed(by.staff_no, f"{HOME}/hand-over")
    return RedirectResponse(_address(filters, said=f"given-{number}"), 303)


def _checked(chosen: list[str], to: str, why: str) -> tuple[list[str], str, str]:
    """All that is wrong with what was filled in, at once."""
    wrong = {} if chosen else {"cases": "请至少选择一件要移交的办件。"}
    if not all(map(_CASE_NO.fullmatch, chosen)):
        wrong["cases"] = "所选的办件编号不对，请重新选择。"
    try:
        given = checked(Given, {"to": to, "why": why})
    except InputError as error:
        raise InputError(str(error), wrong | error.wrong) from None
    if wrong:
        raise InputError("".join(wrong.values()), wrong)
    return chosen, given.to, given.why


def _kept(by: SignedIn) -> Filled:
    """What was typed into the form of a hand-over before one had to sign in again."""
    place = f"{HOME}/hand-over"
    typed = door.kept_typed(by.staff_no, place)
    if not typed:
        return NOBODYS
    door.forget_typed(by.staff_no, place)
    said = "登录过期前您填写的移交内容还在下面，没有提交过；请重新选择办件后提交。"
    return Filled({"to": typed.get("to", ""), "why": typed.get("why", "")}, refusal=said)


def _list(
    request: Request, by: SignedIn, given: Mapping[str, str], form: Filled, said: str = "", q: str = ""
) -> HTMLResponse:
    wanted, chosen, unknown = _wanted(given)
    found = listed(by.staff_no, wanted)
    if found.page > found.pages:
        wanted = replace(wanted, page=found.pages)
        found = listed(by.staff_no, wanted)
    context = {
        "wanted": wanted,
        "found": found,
        "choices": choices(by.staff_no, wanted),
        "whats": list(What),
        "urgencies": list(Urgency),
        "unknown": unknown,
        "inspections": [
            each for each in inspections() if wanted.whose is not Whose.MINE or by.staff_no in each.inspectors
        ],
        "chosen": chosen,
        "address": lambda **changed: _address(chosen, **changed),
        "file": f"{HOME}/list.xlsx?{urlencode(chosen)}",
        "form": form,
        "said": said,
        "q": q,
        "to_approve": to_approve(by),
        "last": last_begun(by.staff_no, by.token),
        "codes": settings().one_time_codes,
        "receivers": receivers() if by.role is Role.DIRECTOR and found.rows else [],
    }
    return desk_page(request, "desk/to-do.html", context, by, form.status)


def _found(request: Request, by: SignedIn, form: Filled, **more: Any) -> HTMLResponse:
    return desk_page(request, "desk/found.html", {"form": form, "found": None, "nothing": "", **more}, by, form.status)


def _wanted(given: Mapping[str, str]) -> tuple[Wanted, dict[str, str], list[str]]:
    """What an address asks for, the filters that count, and those that are none: these are said, and narrow nothing
    down."""
    typed = {name: _CONTROL.sub("", unicodedata.normalize("NFKC", given.get(name, ""))).strip() for name in FILTERS}
    known: dict[str, set[Any]] = {
        "whose": set(Whose),
        "what": set(What),
        "kind": set(CaseKind),
        "stage": {str(stage) for kind in KINDS.values() for stage in kind.stages.all},
        "due": set(Urgency),
    }
    typed["officer"] = typed["officer"].upper()
    on_file = known_names(typed["department"], typed["officer"])
    chosen = {name: value for name, value in typed.items() if value in known.get(name, on_file)}
    unknown = [value[:SHOWN] for name, value in typed.items() if value and name not in chosen]
    wanted = Wanted(
        whose=Whose(chosen.get("whose", Whose.MINE)),
        what=_one_of(What, chosen.get("what", "")),
        kind=_one_of(CaseKind, chosen.get("kind", "")),
        stage=chosen.get("stage", ""),
        department_uscc=chosen.get("department", ""),
        officer_no=chosen.get("officer", ""),
        urgency=_one_of(Urgency, chosen.get("due", "")),
        page=page_number(given.get("page", "")),
    )
    return wanted, chosen, unknown


def page_number(text: str) -> int:
    """The page that is meant, the first one where none is; ``１２`` is 12."""
    digits = unicodedata.normalize("NFKC", text).strip()
    return max(1, int(digits)) if digits.isdecimal() and len(digits) <= DIGITS else 1


def _one_of(choices: type[E], text: str) -> E | None:
    return choices(text) if text in set(choices) else None


def _address(chosen: Mapping[str, str], **changed: object) -> str:
    """The list as it is narrowed down, with some of that changed."""
    said = {name: str(value) for name, value in {**chosen, **changed}.items() if value}
    return f"{HOME}?{urlencode(said)}" if said else HOME


def _pairs(address: str) -> list[tuple[str, str]]:
    return parse_qsl(address[:LONGEST_ADDRESS])
