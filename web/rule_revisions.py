"""Rules that stand in the way over HTTP (Article 16): departments list them, follow them and report them revised."""

from dataclasses import asdict
from datetime import date
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from runtime import clock
from runtime.words import Words
from tasks.case.department_links import ByLink
from tasks.desk.runs import nudge
from tasks.rule_revisions import reports
from tasks.rule_revisions.questions import RevisionReport, RuleRevisionForm
from tasks.rule_revisions.reports import NO_FILE, listed, revisions_of
from tasks.rule_revisions.steps import list_rule
from web.departments import OwnCase, answered, answered_on_page
from web.forms import (
    NOBODYS,
    Files,
    Filled,
    Said,
    Token,
    Typed,
    back_to,
    checked_with_files,
    given_files,
    submission_number,
)
from web.objections import Attachments
from web.openapi import DEPARTMENTS, SIGNED, answers, takes
from web.rendering import page
from web.requests import FromDepartment, body_as
from web.standing import standing

router = APIRouter(prefix="/api/v1/rule-revisions", tags=["制度修订（第十六条）"])
pages = APIRouter(prefix="/rule-revisions", include_in_schema=False)

SAID = {"reported": "修订报告已收到。"}


class ListingSubmission(RuleRevisionForm):
    """A rule from a department's system; ``submission_no`` is the caller's own number for it."""

    submission_no: Annotated[Words, Field(title="提交编号", min_length=1, max_length=80)]


class ReportForm(BaseModel):
    """That it was revised, beside its files."""

    model_config = ConfigDict(extra="forbid")

    document_no: Words = Field(title="修订后的文号", min_length=2, max_length=60)
    in_force_on: date = Field(title="施行日期")
    text: Words = Field("", title="说明", max_length=1000)


class ReportSubmission(ReportForm):
    submission_no: Words = Field(title="提交编号", min_length=1, max_length=80)
    attachments: Attachments = Field(title="修订后的文件", min_length=1)


class RevisionAnswer(BaseModel):
    """A rule as its department sees it."""

    case_no: str = Field(title="办件编号")
    department: str = Field(title="部门")
    stage: str = Field(title="环节")
    document: str = Field(title="文件或流程")
    clause: str = Field(title="条款或环节")
    article: int = Field(title="妨碍第几条")
    why: str = Field(title="怎样妨碍")
    planned_on: date = Field(title="计划修订日期")
    due_on: date | None = Field(title="截止日")
    provisional: bool = Field(title="截止日为暂定")
    returned_for: str | None = Field(title="最近一次退回的理由")
    may_report: bool = Field(title="现在可以报告")
    document_no: str | None = Field(title="修订后的文号")
    in_force_on: date | None = Field(title="施行日期")
    closed_on: date | None = Field(title="办结日期")


class RevisionsAnswer(BaseModel):
    rule_revisions: list[RevisionAnswer] = Field(title="制度修订")


@router.post(
    "",
    status_code=201,
    summary="报送制度障碍",
    responses=DEPARTMENTS,
    openapi_extra=takes(ListingSubmission, signed=True),
)
def list_one(
    caller: FromDepartment,
    submission: Annotated[ListingSubmission, Depends(body_as(ListingSubmission))],
    background: BackgroundTasks,
) -> dict[str, Any]:
    """报送一项与本办法不相适应的制度或流程，由综合管理单位确认后跟踪到修订。同一提交编号重复提交只登记一次。"""
    form = RuleRevisionForm.model_validate(submission.model_dump(exclude={"submission_no"}))
    case_no = list_rule(form, caller.speaks_for, f"{caller.key}:{submission.submission_no}", caller.key)
    background.add_task(nudge, case_no)
    return standing(case_no)


@router.get(
    "",
    summary="本部门的制度修订",
    responses=answers(RevisionsAnswer, 401, 403, 429),
    openapi_extra={"parameters": SIGNED},
)
def own(caller: FromDepartment) -> dict[str, Any]:
    """本部门报送的制度障碍，新的在前。"""
    return {"rule_revisions": [asdict(each) for each in revisions_of(caller.speaks_for)]}


@router.get(
    "/{case_no}",
    summary="查看一件制度修订",
    responses=answers(RevisionAnswer, 401, 403, 404, 429),
    openapi_extra={"parameters": SIGNED},
)
def follow(own: OwnCase) -> dict[str, Any]:
    """一项制度障碍的时限和办理情况。"""
    return asdict(listed(own))


@router.post(
    "/{case_no}/report",
    summary="报告修订完成",
    responses=answers(RevisionAnswer, 401, 403, 404, 409, 413, 422, 429),
    openapi_extra=takes(ReportSubmission, signed=True),
)
def report(
    own: OwnCase,
    submission: Annotated[ReportSubmission, Depends(body_as(ReportSubmission))],
    background: BackgroundTasks,
) -> dict[str, Any]:
    """修订后的制度施行后报告文号和施行日期，附上文件；由综合管理单位核对。同一提交编号重复提交没有影响。"""
    said = partial(reports.report, own, _reported(submission), submission_no=submission.submission_no)
    return answered(own, listed, said, background, submission.attachments)


@pages.get("/{token}")
def read(request: Request, token: Token, said: Said = "") -> HTMLResponse:
    """What was listed, until when it is to be revised, and a form for the report."""
    return _page(request, token, said=SAID.get(said, ""))


@pages.post("/{token}/report")
def report_on_page(
    request: Request,
    token: Token,
    background: BackgroundTasks,
    submission_no: Typed = "",
    document_no: Typed = "",
    in_force_on: Typed = "",
    text: Typed = "",
    files: Files = None,
) -> Response:
    """The report's form, with files."""
    typed = {"document_no": document_no, "in_force_on": in_force_on, "text": text}
    given = given_files(files)

    def answer() -> str:
        form, kept = checked_with_files(ReportForm, typed, given, none_given=NO_FILE)
        return reports.report(ByLink(token), _reported(form), kept, submission_number(submission_no))

    then = back_to(f"/rule-revisions/{token}", "reported")
    return answered_on_page(answer, background, then, partial(_page, request, token), typed, given)


def _reported(form: ReportForm) -> RevisionReport:
    return RevisionReport(document_no=form.document_no, in_force_on=form.in_force_on, text=form.text)


def _page(request: Request, token: str, form: Filled = NOBODYS, said: str = "") -> HTMLResponse:
    context = {
        "case": listed(ByLink(token)),
        "token": token,
        "said": said,
        "submission_no": submission_number(),
        "form": form,
        "today": clock.today(),
    }
    return page(request, "rule-revision.html", context, form.status)
