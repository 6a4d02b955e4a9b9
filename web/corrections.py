"""Departments answer what they did about a wrong value they had used (Articles 12 and 14): by link or by interface."""

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from runtime.refusals import RefusalError
from runtime.words import Words
from tasks.case.department_links import ByApplication, ByLink
from tasks.objections import corrections
from tasks.objections.corrections import ToldUse, open_for, told
from web.forms import NOBODYS, Filled, Token, Typed, checked, refused
from web.openapi import SIGNED, answers, takes
from web.rendering import message, page
from web.requests import FromDepartment, body_as

router = APIRouter(prefix="/api/v1/wrong-value-uses", tags=["用过的错误信息（第十二条）"])
pages = APIRouter(include_in_schema=False)


class Answered(BaseModel):
    """What the department did about it."""

    model_config = ConfigDict(extra="forbid")

    answer: Words = Field(title="处理情况", min_length=5, max_length=2000)


class AnswerSubmission(Answered):
    case_no: Words = Field(title="办件编号", min_length=1, max_length=30)


class ToldAnswer(BaseModel):
    case_no: str = Field(title="办件编号")
    department: str = Field(title="部门")
    certificate: str = Field(title="证照类型")
    field: str = Field(title="更正的项目")
    business_nos: list[str] = Field(title="用过错误内容的业务")
    told_on: date = Field(title="告知日期")
    due_on: date = Field(title="答复截止日")
    answer: str | None = Field(title="答复")
    answered_on: date | None = Field(title="答复日期")


class OpenAnswer(BaseModel):
    open: list[ToldAnswer] = Field(title="待答复")


@router.get(
    "",
    summary="待答复的错误信息",
    responses=answers(OpenAnswer, 401, 403, 429),
    openapi_extra={"parameters": SIGNED},
)
def still_open(caller: FromDepartment) -> dict[str, Any]:
    """本部门用过、后来更正了的证照信息，尚未答复如何处理的。"""
    return {"open": [asdict(each) for each in open_for(caller.speaks_for)]}


@router.post(
    "/answers",
    summary="答复如何处理",
    responses=answers(ToldAnswer, 401, 403, 404, 409, 413, 422, 429),
    openapi_extra=takes(AnswerSubmission, signed=True),
)
def answer(
    caller: FromDepartment,
    submission: Annotated[AnswerSubmission, Depends(body_as(AnswerSubmission))],
) -> dict[str, Any]:
    """答复以第一次为准；同样的答复重复提交没有影响。"""
    who = ByApplication(caller.speaks_for, caller.key, submission.case_no)
    return asdict(corrections.answer(who, submission.answer))


@pages.get("/wrong-value-uses/{token}")
def read(request: Request, token: Token) -> HTMLResponse:
    """What the department was told, with a form for its answer."""
    return _page(request, told(ByLink(token)))


@pages.post("/wrong-value-uses/{token}")
def reply(request: Request, token: Token, answer: Typed = "") -> Response:
    """The answer's form."""
    typed = {"answer": answer}
    try:
        corrections.answer(ByLink(token), checked(Answered, typed).answer)
    except RefusalError as why:
        return _page(request, told(ByLink(token)), refused(why, typed))
    return message(request, "答复已登记", "答复已登记，谢谢。", basis="第十二条、第十四条")


def _page(request: Request, about: ToldUse, form: Filled = NOBODYS) -> HTMLResponse:
    return page(request, "wrong-value.html", {"told": about, "form": form}, form.status)
