"""Pages for people: an objector follows a case by its link."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import AfterValidator, BaseModel, Field

from regulation.limits import CONFIRMATION_MAILS, VERIFICATION_REQUEST
from regulation.objections import Stage
from runtime.contacts import LONGEST_ADDRESS
from runtime.refusals import InputError, RefusalError
from runtime.words import Words
from tasks.case.notices import kick
from tasks.desk.runs import nudge
from tasks.desk.sheets import sheet_of
from tasks.objections.contacts import ask_for_contact, confirm_contact
from tasks.objections.followed import followed, may_look
from tasks.objections.kind import OBJECTION_TO_PARTY
from tasks.objections.steps import case_of_token, log_disagreement, submit_supplement, withdraw_objection
from tasks.objections.ways import texts_go, written_to
from web.forms import (
    NOBODYS,
    CaseNo,
    Files,
    Filled,
    Said,
    Token,
    Typed,
    back_to,
    checked,
    checked_with_files,
    given_files,
    refused,
    submission_number,
)
from web.rendering import page
from web.requests import Allowance

router = APIRouter(include_in_schema=False)
_changes = Allowance(CONFIRMATION_MAILS)

SAID = {
    "filed": "异议已提交，我们已收到。办件编号和本页链接已发到您的邮箱，请保存。",
    "supplemented": "补正已收到。",
    "withdrawn": "异议已撤回。",
    "disagreed": "不同意见已登记。",
    "changed": "联系方式已改，今后的通知发到新的地方，原来的链接失效，请收藏本页网址。",
}


CODE_SENT = "验证码已发出，请填写在下面；填写以前，通知仍发到原来的地方。"
LOOK_ONLY = "本页只供查看。补正、撤回、提出不同意见，请凭办件编号来信、来电、来访。"


class SupplementForm(BaseModel):
    """The supplement form, beside its files."""

    text: Words = Field("", title="补正说明", max_length=2000)


class ContactForm(BaseModel):
    """Where an objector wants to be told: an e-mail address or, where text messages are sent, a mobile number."""

    email: Annotated[Words, AfterValidator(written_to)] = Field(
        title="新的邮箱", json_schema_extra={"maxLength": LONGEST_ADDRESS}
    )


class DisagreementForm(BaseModel):
    """That the objector still disagrees."""

    disagreement: Words = Field(title="不同意见", min_length=5, max_length=2000)


@router.get("/objections/{token}")
def follow(request: Request, token: Token, said: Said = "") -> HTMLResponse:
    """The objector's own page: stage, limits day by day, timeline, and what can be done now. ``said`` is the name of a
    sentence: nobody can put words of theirs on the page."""
    return _status_page(request, token, said=SAID.get(said, ""))


@router.get("/objections/look/{case_no}/{code}")
def look(request: Request, case_no: CaseNo, code: Token) -> HTMLResponse:
    """The same to be looked at only, where the code on a letter leads."""
    if not may_look(case_no, code):
        raise LookupError("没有这个页面，请重新扫描信上的二维码，或凭办件编号联系我们。")
    nothing = dict.fromkeys(("may_supplement", "may_disagree", "may_move"), False)
    context = {
        "sheet": sheet_of(case_no, OBJECTION_TO_PARTY),
        # Whoever finds one letter reads none of the others.
        "told": replace(followed(case_no), may_withdraw=False, letters=()),
        "request_days": VERIFICATION_REQUEST.value,
        "said": LOOK_ONLY,
        "form": NOBODYS,
    }
    return page(request, "objection.html", context | nothing)


def _status_page(request: Request, token: str, form: Filled = NOBODYS, said: str = "") -> HTMLResponse:
    """The objector's page; a text that was refused stands in its form again, though it may be too late for it."""
    case_no = case_of_token(token)
    sheet, told = sheet_of(case_no, OBJECTION_TO_PARTY), followed(case_no)
    stage = Stage(sheet.stage)
    context = {
        "sheet": sheet,
        "told": told,
        "request_days": VERIFICATION_REQUEST.value,
        "token": token,
        "said": said,
        "submission_no": submission_number(),
        "form": form,
        "may_supplement": stage is Stage.SUPPLEMENT,
        "may_disagree": stage is Stage.CLOSED,
        "may_move": stage is not Stage.WITHDRAWN,
        "texts": texts_go(),
    }
    return page(request, "objection.html", context, form.status)


@router.post("/objections/{token}/supplements")
def supplement(
    request: Request,
    token: Token,
    background: BackgroundTasks,
    submission_no: Typed = "",
    text: Typed = "",
    files: Files = None,
) -> Response:
    """The supplement form, with files."""
    typed, given = {"text": text}, given_files(files)
    try:
        form, kept = checked_with_files(SupplementForm, typed, given)
        if not form.text and not given:
            raise InputError.of("text", "请填写补正说明或选择附件。")
        case_no = submit_supplement(token, form.text, kept, submission_number(submission_no))
    except RefusalError as why:
        return _status_page(request, token, refused(why, typed, given))
    background.add_task(nudge, case_no)
    return back_to(f"/objections/{token}", "supplemented")


@router.post("/objections/{token}/contact")
def move(request: Request, token: Token, background: BackgroundTasks, email: Typed = "", code: Typed = "") -> Response:
    """Another address to be written to: a code goes there, and nothing changes before it is typed in here."""
    typed = {"email": email, "code": code}
    try:
        form = checked(ContactForm, {"email": email})
        _changes.spend(request, of=token)
        if not code.strip():
            ask_for_contact(token, form.email)
            background.add_task(kick)
            return _status_page(request, token, Filled(typed), CODE_SENT)
        moved = confirm_contact(token, form.email, code)
    except RefusalError as why:
        return _status_page(request, token, refused(why, typed))
    background.add_task(kick)
    return back_to(f"/objections/{moved}", "changed")


@router.get("/objections/{token}/withdrawal")
def ask_withdrawal(request: Request, token: Token) -> Response:
    """What withdrawing does, before it is done; where it cannot be done any more, the objector's page."""
    case_no = case_of_token(token)
    if not followed(case_no).may_withdraw:
        return RedirectResponse(f"/objections/{token}", 303)
    sheet = sheet_of(case_no, OBJECTION_TO_PARTY)
    context = {
        "heading": "撤回异议？",
        "basis": "第十二条",
        "lines": [("办件编号", case_no), ("证照", sheet.subject), ("当前环节", sheet.stage)],
        "what": "撤回后不再核查，也不能恢复；还需要核查的，可以重新提出。",
        "button": "确认撤回",
        "back": f"/objections/{token}",
    }
    return page(request, "withdrawal.html", context)


@router.post("/objections/{token}/withdrawal")
def withdraw(request: Request, token: Token, background: BackgroundTasks) -> Response:
    """The button behind it. Pressed again, it changes nothing."""
    try:
        case_no = withdraw_objection(token)
    except RefusalError as why:
        return _status_page(request, token, refused(why, {}))
    background.add_task(nudge, case_no)
    return back_to(f"/objections/{token}", "withdrawn")


@router.post("/objections/{token}/disagreement")
def disagree(request: Request, token: Token, disagreement: Typed = "") -> Response:
    """The disagreement form."""
    typed = {"disagreement": disagreement}
    try:
        log_disagreement(token, checked(DisagreementForm, typed).disagreement)
    except RefusalError as why:
        return _status_page(request, token, refused(why, typed))
    return back_to(f"/objections/{token}", "disagreed")
