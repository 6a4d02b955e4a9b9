"""Objections over HTTP (Article 12): departments' systems hand them in, objectors follow them, bureaus answer them.

Everything is written to our database first; the case's run is woken after the answer has left, and by recovery if that
fails.
"""

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends
from pydantic import BaseModel, ConfigDict, Field

from gateways.superior_bureaus import ReplyError, parse_reply
from models.organisations import ApplicationKind
from regulation.objections import Bureau
from runtime.words import Words
from tasks.case.attachments import check_files, from_base64
from tasks.desk.runs import nudge
from tasks.objections.applications import ObjectionApplication
from tasks.objections.doubts import doubts_of
from tasks.objections.registrations import handed_in_by, register_objection
from tasks.objections.senders import check_sender
from tasks.objections.steps import case_of_token, log_disagreement, status_link, submit_supplement, withdraw_objection
from tasks.objections.verifications import take_bureau_reply
from tasks.office.applications import Caller
from web.forms import Token
from web.openapi import problems, takes
from web.problems import ProblemError
from web.requests import ENTRIES, AttachedFile, body_as, signed_by
from web.standing import status_of

router = APIRouter(prefix="/api/v1", tags=["异议核查（第十二条）"])

ATTACHMENTS_NAMED = 100
"""Files that are looked at: of too many the refusal says how many may come."""
OBJECTORS = problems(404, 409, 413, 422)
"""What an objector's call can be refused with."""


Attachments = Annotated[list[AttachedFile], Field(title="附件", max_length=ATTACHMENTS_NAMED)]


class ObjectionSubmission(ObjectionApplication):
    """An objection from a department's system or Zheliban; ``submission_no`` is the caller's own number for it."""

    submission_no: Annotated[Words, Field(title="提交编号", min_length=1, max_length=80)]
    attachments: Annotated[Attachments, Field(default_factory=list)]


class SupplementSubmission(BaseModel):
    model_config = ConfigDict(extra="forbid")

    submission_no: Words = Field(title="提交编号", min_length=1, max_length=80)
    text: Words = Field(title="补正说明", min_length=2, max_length=2000)
    attachments: Attachments = Field(default_factory=list)


class DisagreementSubmission(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: Words = Field(title="不同意见", min_length=5, max_length=2000)


@router.post(
    "/objections",
    status_code=201,
    summary="提出异议",
    responses=problems(401, 403, 409, 413, 422, 429),
    openapi_extra=takes(ObjectionSubmission, signed=True),
)
def hand_in(
    caller: Annotated[Caller, Depends(signed_by(ApplicationKind.DEPARTMENT))],
    submission: Annotated[ObjectionSubmission, Depends(body_as(ObjectionSubmission))],
    background: BackgroundTasks,
) -> dict[str, Any]:
    """登记一件异议，返回办件编号、查询链接和逐日说明的截止日；hints提示请申请人再核对的各处，不影响登记。同一提交编号重复提交只登记一次。"""
    files = check_files([from_base64(file.name, file.content) for file in submission.attachments])
    application = ObjectionApplication.model_validate(submission.model_dump(exclude={"submission_no", "attachments"}))
    check_sender(application, caller)
    registered = register_objection(
        application, files, f"{caller.key}:{submission.submission_no}", caller.key, handed_in_by(caller.speaks_for)
    )
    background.add_task(nudge, registered.case_no)
    return {
        "token": registered.token or None,
        "status_url": status_link(registered.token) if registered.token else None,
        "hints": [{"field": name, "detail": why} for name, why in doubts_of(application).items()],
        **status_of(registered.case_no),
    }


@router.get("/objections/{token}", summary="查询进度", responses=problems(404))
def follow(token: Token) -> dict[str, Any]:
    """办件状态、时间线和逐日说明的截止日。"""
    return status_of(case_of_token(token))


@router.post(
    "/objections/{token}/supplements",
    summary="补正",
    responses=OBJECTORS,
    openapi_extra=takes(SupplementSubmission),
)
def supplement(
    token: Token,
    submission: Annotated[SupplementSubmission, Depends(body_as(SupplementSubmission))],
    background: BackgroundTasks,
) -> dict[str, Any]:
    """提交补正说明和附件。"""
    files = check_files([from_base64(file.name, file.content) for file in submission.attachments])
    case_no = submit_supplement(token, submission.text, files, submission.submission_no)
    background.add_task(nudge, case_no)
    return status_of(case_no)


@router.post("/objections/{token}/withdrawal", summary="撤回", responses=problems(404, 409, 413))
def withdraw(token: Token, background: BackgroundTasks) -> dict[str, Any]:
    """撤回异议；处理结果认定前可以撤回。"""
    case_no = withdraw_objection(token)
    background.add_task(nudge, case_no)
    return status_of(case_no)


@router.post(
    "/objections/{token}/disagreement",
    summary="提交不同意见",
    responses=OBJECTORS,
    openapi_extra=takes(DisagreementSubmission),
)
def disagree(
    token: Token, submission: Annotated[DisagreementSubmission, Depends(body_as(DisagreementSubmission))]
) -> dict[str, Any]:
    """对已告知的处理结果仍有不同意见的，登记在案。"""
    return status_of(log_disagreement(token, submission.text))


class ReplyBody(BaseModel):
    """A bureau's reply in the bureau's own field names (gateways/verification_mapping.json)."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"maxProperties": ENTRIES})


@router.post(
    "/verification-replies",
    summary="上级回复核实结果",
    responses=problems(401, 403, 404, 409, 413, 422, 429),
    openapi_extra=takes(ReplyBody, signed=True),
)
def bureau_replies(
    caller: Annotated[Caller, Depends(signed_by(ApplicationKind.BUREAU))],
    payload: Annotated[ReplyBody, Depends(body_as(ReplyBody))],
    background: BackgroundTasks,
) -> dict[str, Any]:
    """省、市大数据局推送核实结果；重复推送不重复登记；同一回复文号内容不同的，不予登记。"""
    try:
        reply = parse_reply(payload.model_dump())
    except ReplyError as error:
        raise ProblemError(422, str(error)) from None
    news = take_bureau_reply(Bureau(caller.speaks_for), reply)
    if news:
        background.add_task(nudge, reply.case_no)
    return {"case_no": reply.case_no, "recorded": news}
