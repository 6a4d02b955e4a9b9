"""Pages for people: an objector follows a case by its link; an officer reads what the Prefect UI must not know."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, BackgroundTasks, File, Form, Path, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field, ValidationError

from regulation.objections import Stage, may_withdraw
from runtime.refusals import InputError, RefusalError, in_chinese
from runtime.words import Words
from tasks.attachments import check_files
from tasks.case_runs import nudge
from tasks.objections import case_of_token, log_disagreement, submit_supplement, withdraw_objection
from tasks.sheets import add_attachments, attachment_of, full_sheet, sheet_of
from web.objections import DisagreementSubmission
from web.problems import status_of
from web.rendering import message, page

router = APIRouter(include_in_schema=False)

TICKET_LIFE = timedelta(minutes=10)
"""How long the attachments of a sheet can be opened, and others added, after an officer has signed for it."""

SAID = {
    "filed": "异议已提交，我们已收到。办件编号和本页链接已发到您的邮箱，请保存。",
    "supplemented": "补正已收到。",
    "withdrawn": "异议已撤回。",
    "disagreed": "不同意见已登记。",
}

M = TypeVar("M", bound=BaseModel)
CaseNo = Annotated[Words, Path(max_length=30)]
# A form's texts are taken as they come and checked by a model: what FastAPI refuses itself, a person would lose.
Typed = Annotated[str, Form()]
Files = Annotated[list[UploadFile] | None, File()]


class SupplementForm(BaseModel):
    """The supplement form, beside its files."""

    submission_no: Words = Field(title="提交编号", min_length=1, max_length=80)
    text: Words = Field(title="补正说明", max_length=2000)


class SignatureForm(BaseModel):
    """Who wants to see a case unmasked."""

    staff_no: Words = Field(title="工号", min_length=1, max_length=20)
    code: Words = Field(title="一次性验证码", max_length=10)


@router.get("/objections/{token}")
def follow(request: Request, token: str, said: str = "") -> HTMLResponse:
    """The objector's own page: stage, limits day by day, timeline, and what can be done now. ``said`` is the name of a
    sentence: nobody can put words of theirs on the page."""
    return _status_page(request, token, SAID.get(said, ""))


def _status_page(
    request: Request, token: str, said: str, status: int = 200, *, supplement: str = "", disagreement: str = ""
) -> HTMLResponse:
    """The objector's page; a text that was refused stands in its form again, though it may be too late for it."""
    sheet = sheet_of(case_of_token(token))
    stage = Stage(sheet.stage)
    context = {
        "sheet": sheet,
        "token": token,
        "said": said,
        "submission_no": secrets.token_hex(8),
        "supplement": supplement,
        "disagreement": disagreement,
        "may_supplement": stage is Stage.SUPPLEMENT,
        "may_withdraw": may_withdraw(stage),
        "may_disagree": stage is Stage.CLOSED,
    }
    return page(request, "objection.html", context, status)


@router.post("/objections/{token}/supplements")
def supplement(
    request: Request,
    token: str,
    background: BackgroundTasks,
    submission_no: Typed = "",
    text: Typed = "",
    files: Files = None,
) -> Response:
    """The supplement form, with files."""
    given = given_files(files)
    try:
        form = checked(SupplementForm, submission_no=submission_no, text=text)
        if not form.text and not given:
            raise InputError("请填写补正说明或选择附件。")
        case_no = submit_supplement(token, form.text, check_files(given), form.submission_no)
    except RefusalError as why:
        said = f"{why}附件须重新选择。" if given else str(why)
        return _status_page(request, token, said, status_of(why), supplement=text)
    background.add_task(nudge, case_no)
    return back_to(token, "supplemented")


@router.post("/objections/{token}/withdrawal")
def withdraw(request: Request, token: str, background: BackgroundTasks) -> Response:
    """The withdrawal button."""
    try:
        case_no = withdraw_objection(token)
    except RefusalError as why:
        return _status_page(request, token, str(why), status_of(why))
    background.add_task(nudge, case_no)
    return back_to(token, "withdrawn")


@router.post("/objections/{token}/disagreement")
def disagree(request: Request, token: str, text: Typed = "") -> Response:
    """The disagreement form."""
    try:
        log_disagreement(token, checked(DisagreementSubmission, text=text).text)
    except RefusalError as why:
        return _status_page(request, token, str(why), status_of(why), disagreement=text)
    return back_to(token, "disagreed")


@router.get("/desk/{case_no}")
def sign_for_sheet(request: Request, case_no: CaseNo) -> HTMLResponse:
    """Where an officer signs to see a case unmasked."""
    return page(request, "sign.html", {"case_no": case_no, "refusal": ""})


@router.post("/desk/{case_no}")
def read_sheet(request: Request, case_no: CaseNo, staff_no: Typed = "", code: Typed = "") -> HTMLResponse:
    """The whole case for the officer who signed; that they looked is on record (Article 14)."""
    try:
        signature = checked(SignatureForm, staff_no=staff_no, code=code)
        sheet = full_sheet(case_no, signature.staff_no, signature.code)
    except RefusalError as why:
        status = 422 if isinstance(why, InputError) else 403
        return page(request, "sign.html", {"case_no": case_no, "refusal": str(why)}, status)
    return page(request, "case.html", {"sheet": sheet})


@router.post("/desk/{case_no}/attachments")
def attach(request: Request, case_no: CaseNo, ticket: Typed = "", files: Files = None) -> HTMLResponse:
    """Files that staff add, by the ticket that a signed sheet gave out: the Prefect UI's forms take none."""
    added = add_attachments(case_no, ticket, given_files(files), TICKET_LIFE)
    return message(request, f"已添加{added}个附件。" if added else "这些附件办件中已有，没有重复添加。")


@router.get("/desk/attachments/{ticket}")
def attachment(request: Request, ticket: str) -> Response:
    """An attachment, by the ticket that a signed sheet gave out."""
    file = attachment_of(ticket, TICKET_LIFE)
    if file is None:
        return message(request, "链接已过期，请回到办件重新签名查看。", 404)
    headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
    return Response(file.content, media_type=file.media_type, headers=headers)


def checked(form: type[M], **typed: str) -> M:
    """What was typed into a form. ``InputError`` names every wrong field."""
    try:
        return form.model_validate(typed)
    except ValidationError as error:
        raise InputError(in_chinese(error, form)) from None


def given_files(files: Sequence[UploadFile] | None) -> list[tuple[str, bytes]]:
    """The files of a form; a browser sends one without a name where none was chosen."""
    return [(file.filename, file.file.read()) for file in files or [] if file.filename]


def back_to(token: str, said: str) -> RedirectResponse:
    """To the objector's own page, with one of the sentences ``SAID``."""
    return RedirectResponse(f"/objections/{token}?{urlencode({'said': said})}", 303)
