"""Objections over HTTP that come many at once (Article 12): a department or a bureau hands in a table."""

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends
from pydantic import BaseModel, ConfigDict, Field

from models.organisations import ApplicationKind
from runtime.words import Words
from tasks.applications import Caller
from tasks.attachments import from_base64
from tasks.case_runs import nudge
from tasks.contacts import AddressOrNothing
from tasks.objection_batch_rows import results_of
from tasks.objection_batches import receive_batch
from web.liaisons import standing
from web.openapi import DEPARTMENTS, SIGNED, takes
from web.requests import body_as, signed_by

router = APIRouter(prefix="/api/v1/objection-batches", tags=["异议核查（第十二条）"])

Sender = Annotated[Caller, Depends(signed_by(ApplicationKind.DEPARTMENT, ApplicationKind.BUREAU))]


class BatchSubmission(BaseModel):
    """A table of objections."""

    model_config = ConfigDict(extra="forbid")

    name: Words = Field(title="文件名", min_length=1, max_length=200)
    content: str = Field(title="内容（Base64）", min_length=1)
    email: AddressOrNothing = Field("", title="接收登记结果的邮箱", description="部门不填的，发给专人和办公邮箱")


@router.post(
    "",
    status_code=201,
    summary="批量提出异议",
    responses=DEPARTMENTS,
    openapi_extra=takes(BatchSubmission, signed=True),
)
def hand_in(
    caller: Sender,
    submission: Annotated[BatchSubmission, Depends(body_as(BatchSubmission))],
    background: BackgroundTasks,
) -> dict[str, Any]:
    """报送一个文件的异议（XLSX、XLS、ET、CSV），一行一件。能登记的行全部收下，其余各行在wrong中逐行说明怎样更正；
    同一文件重复报送只登记一次，更正后报送全表的，已登记的行自动跳过。"""
    name, content = from_base64(submission.name, submission.content)
    received = receive_batch(name, content, caller.speaks_for, caller.key, submission.email, caller.key)
    background.add_task(nudge, received.case_no)
    wrong = [{"row": row, "detail": what} for row, what in received.wrong]
    return {**standing(received.case_no), "rows": received.rows, "wrong": wrong}


@router.get("/{case_no}", summary="查询批量异议", responses=DEPARTMENTS, openapi_extra={"parameters": SIGNED})
def follow(caller: Sender, case_no: str) -> dict[str, Any]:
    """本单位报送的一个批次：各行的办件编号和环节（new为false的是此前已登记的），以及退回更正的行。"""
    results = results_of(case_no, caller.key)
    return {**standing(case_no), **results}
