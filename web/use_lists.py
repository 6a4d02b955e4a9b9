"""The use list over HTTP (Articles 9, 10): departments propose it, read it, and say which entries they still need."""

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from regulation.working_days import CalendarError, parse_day
from runtime import clock
from runtime.database import reading
from runtime.refusals import InputError, RefusalError
from runtime.words import Words
from tasks.case.attachments import from_base64
from tasks.desk.runs import nudge
from tasks.office.applications import Caller
from tasks.office.departments import department_named
from tasks.use_list.files import rows_of_file
from tasks.use_list.proposals import LineForm
from tasks.use_list.standing import described
from tasks.use_list.steps import Proposed, register_proposal
from tasks.use_list.watch import answer_as_department, answer_by_link, enquiries_of_token, open_enquiries
from web.forms import NOBODYS, Filled, RowNumber, Token, refused, row_number
from web.openapi import DEPARTMENTS, SIGNED, takes
from web.rendering import page
from web.requests import ENTRIES_OF_ROWS, ROWS, Base64, FromDepartment, Row, body_as
from web.standing import standing

router = APIRouter(prefix="/api/v1/use-list", tags=["用证清单（第九条、第十条）"])
pages = APIRouter(prefix="/use-list", include_in_schema=False)


class ProposalSubmission(BaseModel):
    """Lines for the list. They are checked one by one, so that every wrong one is named by its number from 1."""

    model_config = ConfigDict(extra="forbid")

    submission_no: Words = Field(title="提交编号", min_length=1, max_length=80)
    lines: list[Annotated[Row, WithJsonSchema(LineForm.model_json_schema())]] = Field(
        title="条目", min_length=1, max_length=ROWS
    )


class WorkbookSubmission(BaseModel):
    model_config = ConfigDict(extra="forbid")

    submission_no: Words = Field(title="提交编号", min_length=1, max_length=80)
    name: Words = Field(title="文件名", min_length=1, max_length=200)
    content: Base64


class EnquiryAnswer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    enquiry: RowNumber = Field(title="询问编号")
    keep: bool = Field(title="是否仍需要")


class AnswersSubmission(BaseModel):
    model_config = ConfigDict(extra="forbid")

    answers: list[EnquiryAnswer] = Field(title="答复", min_length=1, max_length=1000)


@router.post(
    "/proposals",
    status_code=201,
    summary="提出用证清单",
    responses=DEPARTMENTS,
    openapi_extra=takes(ProposalSubmission, signed=True),
)
def propose(
    caller: FromDepartment,
    submission: Annotated[ProposalSubmission, Depends(body_as(ProposalSubmission, ENTRIES_OF_ROWS))],
    background: BackgroundTasks,
) -> dict[str, Any]:
    """提出新增、变更或停用的条目，由综合管理单位审核。有任何一行不对，整件不登记，并逐行说明。同一提交编号重复提交只登记一次。"""
    proposed = register_proposal(
        _uscc(caller), list(enumerate(submission.lines, 1)), f"{caller.key}:{submission.submission_no}", caller.key
    )
    return _registered(proposed, background)


@router.post(
    "/proposals/workbook",
    status_code=201,
    summary="以表格提出用证清单",
    responses=DEPARTMENTS,
    openapi_extra=takes(WorkbookSubmission, signed=True),
)
def propose_workbook(
    caller: FromDepartment,
    submission: Annotated[WorkbookSubmission, Depends(body_as(WorkbookSubmission))],
    background: BackgroundTasks,
) -> dict[str, Any]:
    """以XLSX、XLS、ET或CSV表格提出，表头与导出的清单相同；与现行清单相同的行略过。行号为表格中的行号。"""
    name, content = from_base64(submission.name, submission.content)
    proposed = register_proposal(
        _uscc(caller),
        rows_of_file(name, content, caller.speaks_for),
        f"{caller.key}:{submission.submission_no}",
        caller.key,
        skip_unchanged=True,
    )
    return _registered(proposed, background)


@router.get("", summary="查询用证清单", responses=DEPARTMENTS, openapi_extra={"parameters": SIGNED})
def read(caller: FromDepartment, on: Annotated[str, Query(max_length=10)] = "") -> dict[str, Any]:
    """本部门某日（默认今天）在清单内可以使用的证照、场景和字段。"""
    try:
        day = parse_day(on) if on else clock.today()
    except CalendarError as wrong:
        raise InputError(f"on有误：{wrong}") from None
    with reading() as session:
        uscc = department_named(session, caller.speaks_for).uscc
        return {"on": str(day), "department": caller.speaks_for, "entries": described(session, day, uscc)}


@router.get("/enquiries", summary="待答复的清单询问", responses=DEPARTMENTS, openapi_extra={"parameters": SIGNED})
def enquiries(caller: FromDepartment) -> dict[str, Any]:
    """本部门尚未答复的条目询问。"""
    with reading() as session:
        asked = open_enquiries(session, department_named(session, caller.speaks_for).uscc)
    return {
        "enquiries": [
            {
                "enquiry": each.number,
                "item_code": each.item_code,
                "item_name": each.item_name,
                "certificate_type": each.certificate_type,
                "scenario": each.scenario,
                "why": each.why,
                "due_on": str(each.due_on),
            }
            for each in asked
        ]
    }


@router.post(
    "/enquiries/answers",
    summary="答复清单询问",
    responses=DEPARTMENTS,
    openapi_extra=takes(AnswersSubmission, signed=True),
)
def answer(
    caller: FromDepartment, submission: Annotated[AnswersSubmission, Depends(body_as(AnswersSubmission))]
) -> dict[str, Any]:
    """答复条目是否仍需要；不再需要的自次日起停用。"""
    answers = {each.enquiry: each.keep for each in submission.answers}
    return {"recorded": answer_as_department(_uscc(caller), answers, caller.key)}


@pages.get("/enquiries/{token}")
def enquiry_page(request: Request, token: Token, recorded: int = 0) -> HTMLResponse:
    """Where a liaison officer says which entries are still needed."""
    return _page(request, token, recorded=recorded)


async def _chosen(request: Request) -> dict[int, bool]:
    """What was chosen on the page: a radio button an entry, named by the enquiry's number."""
    return {
        number: value == "keep"
        for name, value in (await request.form()).items()
        if (number := row_number(name)) is not None and value in {"keep", "end"}
    }


@pages.post("/enquiries/{token}")
def answer_page(request: Request, token: Token, answers: Annotated[dict[int, bool], Depends(_chosen)]) -> Response:
    """The answers of the page."""
    try:
        recorded = answer_by_link(token, answers)
    except RefusalError as why:
        typed = {str(number): "keep" if keep else "end" for number, keep in answers.items()}
        return _page(request, token, refused(why, typed))
    return RedirectResponse(f"/use-list/enquiries/{token}?recorded={recorded}", 303)


def _page(request: Request, token: str, form: Filled = NOBODYS, recorded: int = 0) -> HTMLResponse:
    department, asked = enquiries_of_token(token)
    context = {"department": department, "asked": asked, "token": token, "form": form, "recorded": recorded}
    return page(request, "enquiry.html", context, form.status)


def _uscc(caller: Caller) -> str:
    with reading() as session:
        return department_named(session, caller.speaks_for).uscc


def _registered(proposed: Proposed, background: BackgroundTasks) -> dict[str, Any]:
    background.add_task(nudge, proposed.case_no)
    return standing(proposed.case_no) | {"lines": proposed.lines}
