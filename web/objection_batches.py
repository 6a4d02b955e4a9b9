"""Objections over HTTP that come many at once (Article 12): a department or a bureau hands in a list or a
table."""

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from models.organisations import ApplicationKind
from runtime.contacts import AddressOrNothing
from tasks.case.attachments import from_base64
from tasks.desk.runs import nudge
from tasks.objections.applications import ObjectionApplication
from tasks.objections.batch_files import BatchTable, read_file, read_list
from tasks.objections.batch_rows import results_of
from tasks.objections.batches import receive_batch
from tasks.objections.senders import of_sender
from tasks.office.applications import Caller
from web.forms import CaseNo
from web.openapi import DEPARTMENTS, SIGNED, inlined, takes
from web.requests import ENTRIES_OF_ROWS, ROWS, AttachedFile, Row, body_as, signed_by
from web.standing import standing

router = APIRouter(prefix="/api/v1/objection-batches", tags=["异议核查（第十二条）"])

Sender = Annotated[Caller, Depends(signed_by(ApplicationKind.DEPARTMENT, ApplicationKind.BUREAU))]


class Submission(BaseModel):
    """Where whoever hands objections in is told what came of them."""

    model_config = ConfigDict(extra="forbid")

    email: AddressOrNothing = Field("", title="接收登记结果的邮箱", description="部门不填的，发给专人和办公邮箱")


class BatchSubmission(Submission):
    """Objections in one list. They are checked one by one: what is wrong with one hands back no other."""

    objections: list[Annotated[Row, WithJsonSchema(inlined(ObjectionApplication))]] = Field(
        title="异议", min_length=1, max_length=ROWS
    )


class WorkbookSubmission(Submission, AttachedFile):
    """Objections in a file."""


@router.post(
    "",
    status_code=201,
    summary="批量提出异议",
    responses=DEPARTMENTS,
    openapi_extra=takes(BatchSubmission, signed=True),
)
def hand_in(
    caller: Sender,
    submission: Annotated[BatchSubmission, Depends(body_as(BatchSubmission, ENTRIES_OF_ROWS))],
    background: BackgroundTasks,
) -> dict[str, Any]:
    """一次报送许多件异议，各件同单件提出。能登记的全部收下，其余各件在wrong中逐件说明怎样更正（row从1起数）；
    同样内容重复报送只登记一次，更正后全部重报的，已登记的自动跳过。"""
    return _received(caller, read_list(submission.objections), submission.email, background)


@router.post(
    "/workbook",
    status_code=201,
    summary="以表格批量提出异议",
    responses=DEPARTMENTS,
    openapi_extra=takes(WorkbookSubmission, signed=True),
)
def hand_in_workbook(
    caller: Sender,
    submission: Annotated[WorkbookSubmission, Depends(body_as(WorkbookSubmission))],
    background: BackgroundTasks,
) -> dict[str, Any]:
    """报送一个文件的异议（XLSX、XLS、ET、CSV），一行一件。能登记的行全部收下，其余各行在wrong中逐行说明怎样更正（row为表格中的行号）；
    同一文件重复报送只登记一次，更正后报送全表的，已登记的行自动跳过。"""
    table = read_file(*from_base64(submission.name, submission.content))
    return _received(caller, table, submission.email, background)


def _received(caller: Caller, table: BatchTable, email: str, background: BackgroundTasks) -> dict[str, Any]:
    received = receive_batch(of_sender(table, caller), caller.speaks_for, caller.key, email, caller.key)
    background.add_task(nudge, received.case_no)
    wrong = [{"row": row, "detail": what} for row, what in received.wrong]
    return {**standing(received.case_no), "rows": received.rows, "wrong": wrong}


@router.get("/{case_no}", summary="查询批量异议", responses=DEPARTMENTS, openapi_extra={"parameters": SIGNED})
def follow(caller: Sender, case_no: CaseNo) -> dict[str, Any]:
    """本单位报送的一个批次：各行的办件编号和环节（new为false的是此前已登记的），以及退回更正的行。"""
    results = results_of(case_no, caller.key)
    return {**standing(case_no), **results}
