"""Random spot checks on pages (Article 17): the public reads commitments, results and draws; inspectors sign for their
checklists, fill them in, and confirm each other's."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, BackgroundTasks, Depends, File, Path, Request, UploadFile
from fastapi.responses import HTMLResponse, Response

from regulation.limits import CHECKS, CHECKS_AT_ONCE
from runtime.refusals import InputError, RefusalError
from runtime.words import Words
from tasks.desk.runs import nudge
from tasks.spot_checks.publications import check_draw, draw_file, round_in_public, rounds
from tasks.spot_checks.results import (
    checklist_file,
    checklists,
    confirm_results,
    enter_lines,
    enter_workbook,
    return_results,
    sign_for_checklists,
)
from web.forms import NOBODYS, CaseNo, Filled, SignatureForm, Token, Typed, checked, refused, row_number
from web.problems import status_of
from web.rendering import page
from web.requests import Allowance, Turns, address_of

TICKET_LIFE = timedelta(minutes=10)
"""How long an inspector who has signed can fill in a checklist."""

pages = APIRouter(prefix="/spot-checks", include_in_schema=False)

Uscc = Annotated[Words, Path(max_length=18)]
_checks, _turns = Allowance(CHECKS), Turns(CHECKS_AT_ONCE)

LINES_ON_THE_PAGE = 200
"""A longer checklist is filled in as a workbook: a browser's form has so many fields."""
ENTERED = "检查结果已登记，请同组检查人员确认。"
NOTHING: Mapping[str, str] = {}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pages.get("")
def every_round(request: Request) -> HTMLResponse:
    """All rounds, the latest first."""
    return page(request, "spot-checks.html", {"rounds": rounds()})


@pages.get("/{case_no}")
def one_round(request: Request, case_no: CaseNo) -> HTMLResponse:
    """A round: its commitment, and once it is published everything else."""
    return page(request, "spot-check.html", {"round": round_in_public(case_no), "checked": None, "given": False})


@pages.post("/{case_no}/check")
def check(request: Request, case_no: CaseNo, file: Annotated[UploadFile | None, File()] = None) -> HTMLResponse:
    """The draw made again: from a file that somebody kept, or from the one that is published here."""
    _checks.spend(request)
    given = file is not None and bool(file.filename)
    with _turns.taken(request):
        shown = round_in_public(case_no)
        try:
            found, status = check_draw(case_no, file.file.read() if file is not None and given else None), 200
        except RefusalError as why:
            found, status = [str(why)], status_of(why)
    return page(request, "spot-check.html", {"round": shown, "checked": found, "given": given}, status)


@pages.get("/{case_no}/draw.json")
def draw(case_no: CaseNo) -> Response:
    """The draw as a file that anybody can check."""
    headers = {"Content-Disposition": f'attachment; filename="{quote(case_no)}.json"'}
    return Response(draw_file(case_no), media_type="application/json", headers=headers)


@pages.get("/{case_no}/checklists")
def sign(request: Request, case_no: CaseNo) -> HTMLResponse:
    """Where an inspector signs."""
    return page(request, "spot-check-sign.html", {"case_no": case_no, "form": NOBODYS})


@pages.post("/{case_no}/checklists")
def read(request: Request, case_no: CaseNo, staff_no: Typed = "", code: Typed = "") -> HTMLResponse:
    """The checklists of the inspector who signed."""
    try:
        signature = checked(SignatureForm, {"staff_no": staff_no, "code": code})
        ticket = sign_for_checklists(case_no, signature.staff_no, signature.code, address_of(request))
    except RefusalError as why:
        form = refused(why, {"staff_no": staff_no})
        return page(request, "spot-check-sign.html", {"case_no": case_no, "form": form}, form.status)
    return _checklists(request, case_no, ticket)


@pages.get("/{case_no}/checklists/{uscc}/{ticket}.xlsx")
def workbook(case_no: CaseNo, uscc: Uscc, ticket: Token) -> Response:
    """A team's checklist to fill in."""
    name, content = checklist_file(case_no, uscc, ticket, TICKET_LIFE)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(content, media_type=XLSX, headers=headers)


@pages.post("/{case_no}/checklists/{uscc}/workbook")
def upload(
    request: Request,
    case_no: CaseNo,
    uscc: Uscc,
    ticket: Typed = "",
    file: Annotated[UploadFile | None, File()] = None,
) -> HTMLResponse:
    """A checklist that was filled in."""

    def enter() -> str:
        if file is None or not file.filename:
            raise InputError.of("file", "请选择填写好的检查表。")
        try:
            enter_workbook(case_no, uscc, ticket, TICKET_LIFE, file.filename, file.file.read())
        except InputError as why:
            # Whatever is wrong is wrong in the file, and not in the lines of the page.
            raise InputError.of("file", str(why)) from None
        return ENTERED

    return _done(request, case_no, uscc, ticket, enter)


async def _filled(request: Request) -> dict[int, tuple[str, str]]:
    """What was filled in on the page: of each line its result and its note."""
    typed = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    numbers = (name.removeprefix("result-") for name in typed if name.startswith("result-"))
    return {
        number: (typed[f"result-{said}"].strip(), typed.get(f"note-{said}", "").strip())
        for said in numbers
        if (number := row_number(said)) is not None
    }


@pages.post("/{case_no}/checklists/{uscc}/lines")
def fill_in(
    request: Request,
    case_no: CaseNo,
    uscc: Uscc,
    filled: Annotated[dict[int, tuple[str, str]], Depends(_filled)],
    ticket: Typed = "",
) -> HTMLResponse:
    """A checklist that was filled in on the page."""

    def enter() -> str:
        enter_lines(case_no, uscc, ticket, TICKET_LIFE, filled)
        return ENTERED

    return _done(request, case_no, uscc, ticket, enter, _fields(filled))


@pages.post("/{case_no}/checklists/{uscc}/confirmation")
def confirm(
    request: Request, case_no: CaseNo, uscc: Uscc, background: BackgroundTasks, ticket: Typed = "", seen: Typed = ""
) -> HTMLResponse:
    """The colleague's signature; with the last one the round goes on."""

    def agree() -> str:
        if confirm_results(case_no, uscc, ticket, TICKET_LIFE, seen):
            background.add_task(nudge, case_no)
        return "检查结果已确认。"

    return _done(request, case_no, uscc, ticket, agree)


@pages.post("/{case_no}/checklists/{uscc}/return")
def send_back(request: Request, case_no: CaseNo, uscc: Uscc, ticket: Typed = "", why: Typed = "") -> HTMLResponse:
    """The colleague's results go back with why."""

    def give_back() -> str:
        return_results(case_no, uscc, ticket, TICKET_LIFE, why.strip())
        return "检查结果已退回。"

    return _done(request, case_no, uscc, ticket, give_back, {"why": why})


def _done(
    request: Request, case_no: str, uscc: str, ticket: str, work: Callable[[], str], typed: Mapping[str, str] = NOTHING
) -> HTMLResponse:
    """The checklists after ``work`` on a department's, with what it says or why it was refused; what was ``typed`` in
    vain stands there again. Raises ``SignatureError`` for a ticket that does not hold."""
    try:
        return _checklists(request, case_no, ticket, said=work())
    except RefusalError as why:
        form = refused(why, _of(uscc, typed))
        return _checklists(request, case_no, ticket, replace(form, wrong=_of(uscc, form.wrong)))


def _fields(filled: Mapping[int, tuple[str, str]]) -> dict[str, str]:
    """A checklist's lines as fields of the page."""
    return {
        f"{name}-{number}": value
        for number, line in filled.items()
        for name, value in zip(("result", "note"), line, strict=True)
    }


def _of(uscc: str, fields: Mapping[str, str]) -> dict[str, str]:
    """The fields of one department's checklist, told from those of the others on the page."""
    return {f"{uscc}-{name}": value for name, value in fields.items()}


def _checklists(request: Request, case_no: str, ticket: str, form: Filled = NOBODYS, said: str = "") -> HTMLResponse:
    found = checklists(case_no, ticket, TICKET_LIFE)
    standing = {name: value for each in found for name, value in _of(each.uscc, _fields(each.filled)).items()}
    context = {
        "case_no": case_no,
        "ticket": ticket,
        "said": said,
        "checklists": found,
        "form": replace(form, typed=standing | dict(form.typed)),
        "most": LINES_ON_THE_PAGE,
    }
    return page(request, "spot-check-checklists.html", context, form.status)
