"""Paper certificates over HTTP (Article 11): departments enter and correct them, holders see them and object."""

import hashlib
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from regulation.limits import LONGEST_TEXT
from runtime.contacts import AddressOrNothing
from runtime.refusals import RefusalError
from runtime.words import Words
from tasks.backfill.batches import register_file
from tasks.backfill.confirmations import LISTED, NOT_YOURS, confirm, unconfirmed
from tasks.backfill.entries import hints_about
from tasks.backfill.objections import Backfilled, HolderObjection, backfilled, object_to_backfill
from tasks.backfill.steps import correct_by_application, register_backfill
from tasks.case.attachments import check_files, from_base64
from tasks.desk.runs import nudge
from web.forms import NOBODYS, CaseNo, Filled, Token, Typed, back_to, checked, refused
from web.objections import Attachments
from web.openapi import DEPARTMENTS, SIGNED, takes
from web.rendering import page
from web.requests import Base64, FromDepartment, body_as
from web.standing import standing

router = APIRouter(prefix="/api/v1/backfills", tags=["纸质证照补录（第十一条）"])
pages = APIRouter(prefix="/backfills", include_in_schema=False)

Contents = Annotated[
    dict[Annotated[str, Field(max_length=60)], Annotated[Words, Field(max_length=LONGEST_TEXT.value)]],
    Field(title="证照上的内容", description="项目名称或代码与内容", max_length=60),
]


class BackfillSubmission(BaseModel):
    """A paper certificate with its scan, from a department's system."""

    model_config = ConfigDict(extra="forbid")

    submission_no: Words = Field(title="提交编号", min_length=1, max_length=80)
    certificate_type: Words = Field(title="证照类型", description="名称或类型代码", min_length=1, max_length=60)
    values: Contents
    service_case_no: Words = Field(title="业务办件编号", min_length=1, max_length=60)
    operator: Words = Field(title="经办人员工号", min_length=1, max_length=40)
    email: Annotated[AddressOrNothing, Field(title="持证主体邮箱")] = ""
    attachments: Attachments = Field(title="扫描件", min_length=1)


class BatchSubmission(BaseModel):
    """A file of paper certificates of one type."""

    model_config = ConfigDict(extra="forbid")

    certificate_type: Words = Field(title="证照类型", description="名称或类型代码", min_length=1, max_length=60)
    service_case_no: Words = Field(title="业务办件编号", min_length=1, max_length=60)
    operator: Words = Field(title="经办人员工号", min_length=1, max_length=40)
    name: Words = Field(title="文件名", min_length=1, max_length=200)
    content: Base64


class ConfirmationSubmission(BaseModel):
    model_config = ConfigDict(extra="forbid")

    identifiers: list[Annotated[Words, Field(min_length=1, max_length=120)]] = Field(
        title="电子证照标识", min_length=1, max_length=1000
    )
    operator: Words = Field(title="经办人员工号", min_length=1, max_length=40)


class CorrectionSubmission(BaseModel):
    model_config = ConfigDict(extra="forbid")

    values: Contents
    operator: Words = Field(title="经办人员工号", min_length=1, max_length=40)


@router.post(
    "",
    status_code=201,
    summary="补录一件纸质证照",
    responses=DEPARTMENTS,
    openapi_extra=takes(BackfillSubmission, signed=True),
)
def enter(
    caller: FromDepartment,
    submission: Annotated[BackfillSubmission, Depends(body_as(BackfillSubmission))],
    background: BackgroundTasks,
) -> dict[str, Any]:
    """登记一件纸质证照的补录，须附扫描件；内容缺漏或不可能的，逐项说明并不予登记；hints提示请再核对的各处，不影响登记。由另一人审核后入库。"""
    files = check_files([from_base64(file.name, file.content) for file in submission.attachments])
    case_no = register_backfill(
        caller.speaks_for,
        submission.certificate_type,
        submission.values,
        submission.service_case_no,
        submission.email,
        files,
        f"{caller.key}:{submission.submission_no}",
        f"{caller.key}/{submission.operator}",
    )
    background.add_task(nudge, case_no)
    return _with_hints(case_no)


@router.post(
    "/batches",
    status_code=201,
    summary="批量补录纸质证照",
    responses=DEPARTMENTS,
    openapi_extra=takes(BatchSubmission, signed=True),
)
def enter_batch(
    caller: FromDepartment,
    submission: Annotated[BatchSubmission, Depends(body_as(BatchSubmission))],
    background: BackgroundTasks,
) -> dict[str, Any]:
    """报送一个文件的纸质证照（CSV、XLSX、XLS、ET），一个文件只放一种证照；逐行核对，抽检通过后入库。同一文件办结前重复报送只登记一次。"""
    name, content = from_base64(submission.name, submission.content)
    case_no = register_file(
        name,
        content,
        hashlib.sha256(content).hexdigest(),
        submission.certificate_type,
        caller.speaks_for,
        submission.service_case_no,
        f"{caller.key}/{submission.operator}",
    )
    background.add_task(nudge, case_no)
    return standing(case_no)


@router.get("/unconfirmed", summary="待确认的补录证照", responses=DEPARTMENTS, openapi_extra={"parameters": SIGNED})
def to_confirm(caller: FromDepartment, after: Annotated[str, Query(max_length=120)] = "") -> dict[str, Any]:
    """本单位颁发、由各部门据纸质证照补录、本单位尚未确认的证照，按标识排序；还有更多的，以最后一个标识为after续取。"""
    found = unconfirmed(caller.speaks_for, after)
    return {"certificates": [asdict(each) for each in found], "more": len(found) == LISTED}


@router.post(
    "/confirmations",
    summary="确认补录的证照",
    responses=DEPARTMENTS,
    openapi_extra=takes(ConfirmationSubmission, signed=True),
)
def confirmations(
    caller: FromDepartment,
    submission: Annotated[ConfirmationSubmission, Depends(body_as(ConfirmationSubmission))],
) -> dict[str, Any]:
    """颁证机构成批确认补录的证照是本单位颁发的；不是的不要确认，内容有误的请提出核查申请（第十二条）。"""
    done = confirm(caller.speaks_for, submission.identifiers, f"{caller.key}/{submission.operator}")
    wrong = [{"identifier": each, "why": NOT_YOURS} for each in done.wrong]
    return {"confirmed": done.confirmed, "unchanged": done.unchanged, "wrong": wrong}


@router.post(
    "/{case_no}/correction",
    summary="更正退回的补录",
    responses=DEPARTMENTS,
    openapi_extra=takes(CorrectionSubmission, signed=True),
)
def correct(
    caller: FromDepartment,
    case_no: CaseNo,
    submission: Annotated[CorrectionSubmission, Depends(body_as(CorrectionSubmission))],
    background: BackgroundTasks,
) -> dict[str, Any]:
    """更正审核退回的项目，只写需要改的；更正后重新审核。"""
    correct_by_application(caller.speaks_for, case_no, submission.values, f"{caller.key}/{submission.operator}")
    background.add_task(nudge, case_no)
    return standing(case_no)


def _with_hints(case_no: str) -> dict[str, Any]:
    return {**standing(case_no), "hints": [{"field": name, "detail": why} for name, why in hints_about(case_no)]}


@pages.get("/{token}")
def read(request: Request, token: Token) -> HTMLResponse:
    """What was backfilled, for its holder, with a form for an objection."""
    return _page(request, backfilled(token))


@pages.post("/{token}")
def object_(
    request: Request,
    token: Token,
    background: BackgroundTasks,
    field: Typed = "",
    proposed: Typed = "",
    reason: Typed = "",
    phone: Typed = "",
) -> Response:
    """The objection's form."""
    typed = {"field": field, "proposed": proposed, "reason": reason, "phone": phone}
    try:
        registered = object_to_backfill(token, checked(HolderObjection, typed))
    except RefusalError as why:
        return _page(request, backfilled(token), refused(why, typed))
    background.add_task(nudge, registered.case_no)
    return back_to(f"/objections/{registered.token}", "filed")


def _page(request: Request, seen: Backfilled, form: Filled = NOBODYS) -> HTMLResponse:
    return page(request, "backfill.html", {"seen": seen, "form": form}, form.status)
