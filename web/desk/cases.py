"""The page of a case: what is decided on, the evidence, and the form beside it."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, BackgroundTasks, Depends, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from runtime.refusals import RefusalError
from runtime.settings import settings
from tasks.desk import case_page as pages
from tasks.desk import door
from tasks.desk.case_page import AskedNow, CasePage
from tasks.desk.door import SignedIn
from tasks.desk.evidence import PICTURES
from tasks.desk.kinds import QUESTIONS
from tasks.desk.pictures import SHOWN_PAGES
from tasks.desk.runs import nudge, run_standing
from tasks.desk.to_do import next_to_decide
from tasks.office.signatures import SignatureError
from web.desk.door import HOME, NOT_KEPT, AtDesk, AtDeskWithForm, from_its_networks
from web.desk.fields import Offered, Shown, shown, with_phrases
from web.desk.rendering import desk_page
from web.forms import NOBODYS, CaseNo, Files, Filled, RowNumber, Said, given_files, refused, submission_number

router = APIRouter(prefix=f"{HOME}/cases", include_in_schema=False, dependencies=[Depends(from_its_networks)])

NOT_TYPED = NOT_KEPT | {"shown", "asked", "files"}
"""Fields that nobody types into."""
SAID = {"added": "附件已添加。", "there": "这些附件本件中已有，没有重复添加。", "dropped": "没有提交的内容已清除。"}
KEPT = "您上次在这里填写、没有提交的内容还在下面；请核对后提交。"
GONE = "本件现在是“{stage}”，不等这一步的答复了，请看现在等什么。"
OVER = "本件现在是“{stage}”，不再等答复。"


@router.get("/{case_no}")
def show(request: Request, case_no: CaseNo, by: AtDesk, said: Said = "", of: Said = "") -> HTMLResponse:
    """The page. What was typed before and not submitted stands in the form; ``of`` is what has just been answered."""
    return _page(request, case_no.upper(), by, _kept(by, case_no.upper()), said, of)


@router.post("/{case_no}/answers")
async def answer(
    request: Request, case_no: CaseNo, background: BackgroundTasks, by: AtDeskWithForm, files: Files = None
) -> Response:
    """The form of the open question. Its fields are the question's; files that were chosen come along."""
    given, sent = given_files(files), await _sent(request)
    return await run_in_threadpool(_answer, request, case_no.upper(), background, by, sent, given)


async def _sent(request: Request) -> dict[str, str]:
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


def _answer(
    request: Request,
    case_no: str,
    background: BackgroundTasks,
    by: SignedIn,
    sent: Mapping[str, str],
    given: list[tuple[str, bytes]],
) -> Response:
    asked, key = sent.get("asked", ""), submission_number(sent.get("submission_no", ""))
    typed = _typed(sent)
    try:
        code, seen = sent.get("code", ""), sent.get("shown", "")
        pages.decide(case_no, by, asked, key, with_phrases(typed), code, seen, given)
    except SignatureError as why:
        again = refused(why, typed, given)
        return _page(request, case_no, by, Filled(typed, {**again.wrong, "code": str(why)}, "", again.status))
    except RefusalError as why:
        return _page(request, case_no, by, refused(why, typed, given))
    _forget(by, case_no)
    background.add_task(nudge, case_no)
    return RedirectResponse(f"{HOME}/cases/{case_no}?said=decided&of={asked}", 303, background=background)


def _typed(sent: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in sent.items() if name not in NOT_KEPT and name != "files"}


@router.post("/{case_no}/draft")
async def keep(request: Request, case_no: CaseNo, by: AtDeskWithForm) -> Response:
    """What stands in the form of whoever leaves the page, to be there when they come back; or that they want none of
    it any more."""
    sent = await _sent(request)
    if sent.get("drop"):
        await run_in_threadpool(_forget, by, case_no.upper())
        return RedirectResponse(f"{HOME}/cases/{case_no.upper()}?said=dropped", 303)
    await run_in_threadpool(_keep, case_no.upper(), by, _typed(sent))
    return Response(status_code=204)


def _keep(case_no: str, by: SignedIn, typed: Mapping[str, str]) -> None:
    if any(value for name, value in typed.items() if name not in NOT_TYPED):
        door.keep_typed(by.token, by.form_key, _place(case_no), typed)


@router.post("/{case_no}/files")
async def add(
    request: Request, case_no: CaseNo, background: BackgroundTasks, by: AtDeskWithForm, files: Files = None
) -> Response:
    """Files that came on paper or by mail. The case may have waited for them. What stands in the question's form, of
    which the button is one, is kept."""
    given, typed = given_files(files), _typed(await _sent(request))
    return await run_in_threadpool(_add, request, case_no.upper(), background, by, given, typed)


def _add(
    request: Request,
    case_no: str,
    background: BackgroundTasks,
    by: SignedIn,
    given: list[tuple[str, bytes]],
    typed: Mapping[str, str],
) -> Response:
    try:
        added = pages.add_files(case_no, by, given)
    except RefusalError as why:
        return _page(request, case_no, by, refused(why, typed, given))
    _keep(case_no, by, typed)
    background.add_task(nudge, case_no)
    return RedirectResponse(f"{HOME}/cases/{case_no}?said={'added' if added else 'there'}", 303, background=background)


@router.get("/{case_no}/files/{number}")
def file(case_no: CaseNo, number: Annotated[RowNumber, Path()], by: AtDesk) -> Response:
    """A file of the case: pictures in place, whatever else under its name."""
    found = pages.file_of(case_no.upper(), number, by)
    how = "inline" if found.media_type in PICTURES else "attachment"
    return _named(found.content, found.media_type, found.name, how)


@router.get("/{case_no}/files/{number}/pages/{page}")
def picture(
    case_no: CaseNo, number: Annotated[RowNumber, Path()], page: Annotated[int, Path(ge=1, le=SHOWN_PAGES)], by: AtDesk
) -> Response:
    """A page of a PDF as a picture."""
    return Response(pages.picture_of(case_no.upper(), number, page, by), media_type="image/png")


@router.get("/{case_no}/letter")
def letter(case_no: CaseNo, by: AtDesk) -> Response:
    """The draft of the letter that the case asks for."""
    name, content = pages.letter_of(case_no.upper(), by)
    return _named(content, "application/pdf", name, "attachment")


def _named(content: bytes, media_type: str, name: str, how: str) -> Response:
    return Response(
        content, media_type=media_type, headers={"Content-Disposition": f"{how}; filename*=UTF-8''{quote(name)}"}
    )


def _page(request: Request, case_no: str, by: SignedIn, form: Filled, said: str = "", of: str = "") -> HTMLResponse:
    found = pages.case_page(case_no, by)
    typed_for = form.typed.get("asked", "")
    late = ""
    if found.whole and typed_for and not _still_asked(found, typed_for):
        gone = GONE if found.is_open else OVER
        late = pages.answered_by(case_no, typed_for) or gone.format(stage=found.sheet.stage)
    asked = found.asked if found.asked is not None and not found.asked.may_not else None
    done = pages.recorded(case_no, of, by) if said == "decided" else []
    run = run_standing(case_no)
    context = {
        "case": found,
        "asked": asked,
        "fields": _fields(asked),
        "form": _filled(form, asked, late),
        "typed": bool(form.typed) and not late,
        "late": late,
        "lost": _titled(typed_for, form.typed) if late else {},
        "said": SAID.get(said, ""),
        "done": done,
        "next_no": next_to_decide(by.staff_no, case_no) if done else None,
        "submission_no": submission_number(),
        "codes": settings().one_time_codes,
        "run": f"{settings().prefect_url}/runs/flow-run/{run.run_id}" if run.run_id else "",
        "undone": run.undone,
    }
    if late:
        # It stands on this page now, once: the question has its answer.
        _forget(by, case_no)
    return desk_page(request, "desk/case.html", context, by, form.status)


def _fields(asked: AskedNow | None) -> list[Shown]:
    if asked is None or asked.question.by_files:
        return []
    without = [name for name, choices in asked.choices.items() if not choices]
    return shown(asked.question, Offered(asked.choices, asked.days, asked.phrases, asked.known, without))


def _kept(by: SignedIn, case_no: str) -> Filled:
    """What was typed and not submitted: left standing, or sent when nobody was signed in any more, with a file too."""
    for place in _places(case_no):
        typed = door.kept_typed(by.staff_no, place)
        if typed:
            names = typed.pop("files", "")
            wrong = {"files": f"登录过期前选的“{names}”没有保存，附件须重新选择。"} if names else {}
            if place != _place(case_no):
                # So that it is said once; what was typed goes on being kept.
                door.forget_typed(by.staff_no, place)
                _keep(case_no, by, typed)
            has_text = any(value for name, value in typed.items() if name not in NOT_TYPED)
            return Filled(typed, wrong, KEPT if has_text else "")
    return NOBODYS


def _forget(by: SignedIn, case_no: str) -> None:
    for place in _places(case_no):
        door.forget_typed(by.staff_no, place)


def _place(case_no: str) -> str:
    return _places(case_no)[0]


def _places(case_no: str) -> list[str]:
    """The addresses that a case's forms are sent to, that of the answer first."""
    return [f"{HOME}/cases/{case_no}/{form}" for form in ("answers", "files", "draft")]


def _still_asked(found: CasePage, asked: str) -> bool:
    return found.asked is not None and found.asked.name == asked


def _filled(form: Filled, asked: AskedNow | None, late: str) -> Filled:
    """The form as it is shown: what was typed into it, or what is suggested. Whoever comes too late has a fresh one."""
    if form.typed.get("asked") and not late:
        return form
    typed = {name: str(value) for name, value in asked.suggested.items()} if asked is not None else {}
    return Filled(typed, {} if late else form.wrong, "" if late else form.refusal, form.status)


def _titled(asked: str, typed: Mapping[str, Any]) -> dict[str, str]:
    """What was typed into the form of a question that is not asked any more, by the titles of its fields."""
    question = QUESTIONS.get(asked.rpartition("-")[0])
    if question is None:
        return {}
    titles = {name: field.title or name for name, field in question.model_fields.items()}
    return {titles[name]: value for name, value in typed.items() if name in titles and value}
