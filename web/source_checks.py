"""Departments of the district say what their records say (Article 12): by link or by interface."""

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field

from regulation.objections import Finding
from runtime.refusals import RefusalError
from runtime.words import Words
from tasks.case.department_links import ByApplication, ByLink
from tasks.case.notices import kick
from tasks.objections import source_checks
from tasks.objections.source_checks import AskedOf, SourceAnswer, asked_of, open_for
from web.forms import NOBODYS, Filled, Token, Typed, checked, refused
from web.openapi import SIGNED, answers, takes
from web.rendering import message, page
from web.requests import FromDepartment, body_as

router = APIRouter(prefix="/api/v1/source-checks", tags=["请责任部门核对（第十二条）"])
pages = APIRouter(include_in_schema=False)


class AnswerSubmission(SourceAnswer):
    case_no: Words = Field(title="办件编号", min_length=1, max_length=30)


class Check(BaseModel):
    case_no: str = Field(title="办件编号")
    department: str = Field(title="部门")
    certificate: str = Field(title="证照类型")
    reference: str = Field(title="证照编号或电子证照标识")
    field: str = Field(title="有异议的项目")
    stated: str = Field(title="证照上现在的内容")
    proposed: str = Field(title="申请人认为应当是")
    asked_on: date = Field(title="请求日期")
    due_on: date = Field(title="答复截止日")
    finding: Finding | None = Field(title="核对结论")
    value: str | None = Field(title="正确的内容")
    basis: str | None = Field(title="依据")
    answered_on: date | None = Field(title="答复日期")


class OpenChecks(BaseModel):
    open: list[Check] = Field(title="待答复")


@router.get(
    "",
    summary="待答复的核对请求",
    responses=answers(OpenChecks, 401, 403, 429),
    openapi_extra={"parameters": SIGNED},
)
def still_open(caller: FromDepartment) -> dict[str, Any]:
    """登记在本部门、或者由本部门补录的证照有异议，请本部门核对而尚未答复的。"""
    return {"open": [asdict(each) for each in open_for(caller.speaks_for)]}


@router.post(
    "/answers",
    summary="答复核对情况",
    responses=answers(Check, 401, 403, 404, 409, 413, 422, 429),
    openapi_extra=takes(AnswerSubmission, signed=True),
)
def answer(
    caller: FromDepartment,
    submission: Annotated[AnswerSubmission, Depends(body_as(AnswerSubmission))],
    background: BackgroundTasks,
) -> dict[str, Any]:
    """答复以第一次为准；同样的答复重复提交没有影响。认定处理结果以前可以答复。"""
    who = ByApplication(caller.speaks_for, caller.key, submission.case_no)
    said = SourceAnswer.model_validate(submission.model_dump(exclude={"case_no"}))
    background.add_task(kick)
    return asdict(source_checks.answer(who, said))


@pages.get("/source-checks/{token}")
def read(request: Request, token: Token) -> HTMLResponse:
    """What the department is asked, with a form for its answer."""
    return _page(request, asked_of(ByLink(token)))


@pages.post("/source-checks/{token}")
def reply(
    request: Request,
    token: Token,
    background: BackgroundTasks,
    finding: Typed = "",
    value: Typed = "",
    basis: Typed = "",
) -> Response:
    """The answer's form."""
    typed = {"finding": finding, "value": value, "basis": basis}
    try:
        source_checks.answer(ByLink(token), checked(SourceAnswer, typed))
    except RefusalError as why:
        return _page(request, asked_of(ByLink(token)), refused(why, typed))
    background.add_task(kick)
    return message(request, "核对情况已登记", "核对情况已登记，谢谢。", basis="第十二条")


def _page(request: Request, asked: AskedOf, form: Filled = NOBODYS) -> HTMLResponse:
    context = {"asked": asked, "form": form, "findings": {str(each): str(each) for each in Finding}}
    return page(request, "source-check.html", context, form.status)
