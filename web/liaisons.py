"""Liaison officers over HTTP (Article 13): a department's application files whom it designates, and every change."""

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends
from pydantic import Field

from models.organisations import ApplicationKind
from runtime.words import Words
from tasks.desk.runs import nudge
from tasks.liaisons.filings import LiaisonFilingForm
from tasks.liaisons.steps import file_for_department
from tasks.office.applications import Caller
from web.openapi import DEPARTMENTS, takes
from web.requests import body_as, signed_by
from web.standing import standing

router = APIRouter(prefix="/api/v1", tags=["专人备案（第十三条）"])


class LiaisonSubmission(LiaisonFilingForm):
    """A filing from a department's system; ``submission_no`` is the caller's own number for it."""

    submission_no: Annotated[Words, Field(title="提交编号", min_length=1, max_length=80)]


@router.post(
    "/liaison-filings",
    status_code=201,
    summary="专人备案",
    responses=DEPARTMENTS,
    openapi_extra=takes(LiaisonSubmission, signed=True),
)
def file_liaison(
    caller: Annotated[Caller, Depends(signed_by(ApplicationKind.DEPARTMENT))],
    submission: Annotated[LiaisonSubmission, Depends(body_as(LiaisonSubmission))],
    background: BackgroundTasks,
) -> dict[str, Any]:
    """登记本部门的一件专人备案（指定、变更或终止），由综合管理单位确认后在册。同一提交编号重复提交只登记一次。"""
    filing = LiaisonFilingForm.model_validate(submission.model_dump(exclude={"submission_no"}))
    case_no = file_for_department(filing, caller.speaks_for, f"{caller.key}:{submission.submission_no}", caller.key)
    background.add_task(nudge, case_no)
    return standing(case_no)
