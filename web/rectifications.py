"""Rectifications over HTTP (Article 17): departments read what was found and say what they have done, by link or by
interface."""

from dataclasses import asdict
from datetime import date
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from regulation import rectifications as rules
from regulation.limits import EXTENSION_DAYS
from runtime.words import Words
from tasks.case.department_links import ByLink
from tasks.rectifications.questions import DepartmentResponse
from tasks.rectifications.responses import followed, rectifications_of, respond
from web.departments import OwnCase, answered, answered_on_page
from web.forms import (
    NOBODYS,
    Files,
    Filled,
    Said,
    Token,
    Typed,
    back_to,
    checked,
    checked_with_files,
    given_files,
    submission_number,
)
from web.objections import Attachments
from web.openapi import SIGNED, answers, takes
from web.rendering import page
from web.requests import FromDepartment, body_as

router = APIRouter(prefix="/api/v1/rectifications", tags=["督促整改（第十七条）"])
pages = APIRouter(prefix="/rectifications", include_in_schema=False)

Days = Annotated[int, Field(title="申请延期的工作日数", ge=1, le=99)]


SAID = {"answered": "整改情况已收到。", "extended": "延期申请已收到。"}


class AnswerForm(BaseModel):
    """What the department has done, beside its evidence."""

    model_config = ConfigDict(extra="forbid")

    text: Words = Field(title="整改情况", min_length=5, max_length=2000)


class AnswerSubmission(AnswerForm):
    submission_no: Words = Field(title="提交编号", min_length=1, max_length=80)
    attachments: Attachments = Field(default_factory=list)


class ExtensionForm(BaseModel):
    """For how long, and why. On the page, where an answer's text stands too, the reason has a name of its own."""

    model_config = ConfigDict(extra="forbid")

    reason: Words = Field(title="延期理由", min_length=5, max_length=2000)
    days: Days


class ExtensionSubmission(BaseModel):
    model_config = ConfigDict(extra="forbid")

    submission_no: Words = Field(title="提交编号", min_length=1, max_length=80)
    text: Words = Field(title="延期理由", min_length=5, max_length=2000)
    days: Days


class SaidAnswer(BaseModel):
    on: date = Field(title="日期")
    kind: str = Field(title="种类")
    text: str = Field(title="内容")
    days: int = Field(title="申请延期的工作日数")


class RectificationAnswer(BaseModel):
    """A rectification as its department sees it."""

    case_no: str = Field(title="办件编号")
    department: str = Field(title="部门")
    stage: str = Field(title="环节")
    problem: str = Field(title="问题")
    article: int = Field(title="依据：第几条")
    severity: str = Field(title="严重程度")
    facts: str = Field(title="事实")
    particulars: str = Field(
        title="具体指向", description="所涉操作员的工号、业务办件编号等，只供本部门核实；没有的为空"
    )
    requirement: str = Field(title="要求")
    first_on: date = Field(title="首次发现日期")
    times: int = Field(title="发现次数")
    earlier_case: str | None = Field(title="以前同样问题的办件编号")
    ordered_on: date = Field(title="通知日期")
    due_on: date | None = Field(title="截止日")
    provisional: bool = Field(title="截止日为暂定")
    moves: list[str] = Field(title="截止日的变动")
    failures: int = Field(title="整改不到位次数")
    returned_for: str | None = Field(title="最近一次退回的理由")
    extension: str | None = Field(title="延期申请的审核意见")
    concluded: str | None = Field(title="办结说明")
    said: list[SaidAnswer] = Field(title="本部门的答复")
    may_answer: bool = Field(title="现在可以答复")
    may_extend: bool = Field(title="现在可以申请延期")
    closed_on: date | None = Field(title="办结日期")


class RectificationsAnswer(BaseModel):
    rectifications: list[RectificationAnswer] = Field(title="督促整改")


@router.get(
    "",
    summary="本部门的督促整改",
    responses=answers(RectificationsAnswer, 401, 403, 429),
    openapi_extra={"parameters": SIGNED},
)
def own(
    caller: FromDepartment, only_open: Annotated[bool, Query(alias="open", description="只列在办的")] = False
) -> dict[str, Any]:
    """本部门被督促整改的问题，新的在前。"""
    return {"rectifications": [asdict(each) for each in rectifications_of(caller.speaks_for, only_open)]}


@router.get(
    "/{case_no}",
    summary="查看一件督促整改",
    responses=answers(RectificationAnswer, 401, 403, 404, 429),
    openapi_extra={"parameters": SIGNED},
)
def follow(own: OwnCase) -> dict[str, Any]:
    """一件督促整改的事实、时限和办理情况。"""
    return asdict(followed(own))


@router.post(
    "/{case_no}/answer",
    summary="答复整改情况",
    responses=answers(RectificationAnswer, 401, 403, 404, 409, 413, 422, 429),
    openapi_extra=takes(AnswerSubmission, signed=True),
)
def answer(
    own: OwnCase,
    submission: Annotated[AnswerSubmission, Depends(body_as(AnswerSubmission))],
    background: BackgroundTasks,
) -> dict[str, Any]:
    """答复做了什么，附上材料；收到后复查。同一提交编号重复提交没有影响。"""
    response = DepartmentResponse(kind=rules.Response.DONE, text=submission.text)
    said = partial(respond, own, response, submission_no=submission.submission_no)
    return answered(own, followed, said, background, submission.attachments)


@router.post(
    "/{case_no}/extension",
    summary="申请延期整改",
    responses=answers(RectificationAnswer, 401, 403, 404, 409, 413, 422, 429),
    openapi_extra=takes(ExtensionSubmission, signed=True),
)
def extend(
    own: OwnCase,
    submission: Annotated[ExtensionSubmission, Depends(body_as(ExtensionSubmission))],
    background: BackgroundTasks,
) -> dict[str, Any]:
    """截止日前可以申请一次延期，由综合管理单位审核。同一提交编号重复提交没有影响。"""
    response = DepartmentResponse(kind=rules.Response.EXTENSION, text=submission.text, days=submission.days)
    said = partial(respond, own, response, submission_no=submission.submission_no)
    return answered(own, followed, said, background)


@pages.get("/{token}")
def read(request: Request, token: Token, said: Said = "") -> HTMLResponse:
    """What was found, until when it is to be mended, and what can be said to it now."""
    return _page(request, token, said=SAID.get(said, ""))


@pages.post("/{token}/answer")
def reply(
    request: Request,
    token: Token,
    background: BackgroundTasks,
    submission_no: Typed = "",
    text: Typed = "",
    files: Files = None,
) -> Response:
    """The form for what was done, with files."""
    typed, given = {"text": text}, given_files(files)

    def answer() -> str:
        form, kept = checked_with_files(AnswerForm, typed, given)
        response = DepartmentResponse(kind=rules.Response.DONE, text=form.text)
        return respond(ByLink(token), response, kept, submission_number(submission_no))

    then = back_to(f"/rectifications/{token}", "answered")
    return answered_on_page(answer, background, then, partial(_page, request, token), typed, given)


@pages.post("/{token}/extension")
def ask_for_time(
    request: Request,
    token: Token,
    background: BackgroundTasks,
    submission_no: Typed = "",
    reason: Typed = "",
    days: Typed = "",
) -> Response:
    """The form for an extension."""
    typed = {"reason": reason, "days": days}

    def answer() -> str:
        form = checked(ExtensionForm, typed)
        response = DepartmentResponse(kind=rules.Response.EXTENSION, text=form.reason, days=form.days)
        return respond(ByLink(token), response, [], submission_number(submission_no))

    then = back_to(f"/rectifications/{token}", "extended")
    return answered_on_page(answer, background, then, partial(_page, request, token), typed)


def _page(request: Request, token: str, form: Filled = NOBODYS, said: str = "") -> HTMLResponse:
    context = {
        "case": followed(ByLink(token)),
        "token": token,
        "said": said,
        "submission_no": submission_number(),
        "form": form,
        "most_days": EXTENSION_DAYS.value,
    }
    return page(request, "rectification.html", context, form.status)
