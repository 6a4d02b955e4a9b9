"""Reviews of new systems over HTTP (Article 17): departments submit projects and follow them, report that they went
live; whoever approves projects verifies a reference."""

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, Path
from pydantic import BaseModel, Field

from runtime.words import Words
from tasks.desk.runs import nudge
from tasks.system_reviews.standing import go_live, standing_of_review, standings
from tasks.system_reviews.steps import behind_reference, submit_for_department
from tasks.system_reviews.submissions import GoLiveForm, SystemReviewForm
from web.forms import Token
from web.openapi import DEPARTMENTS, SIGNED, problems, takes
from web.requests import FromDepartment, body_as

router = APIRouter(prefix="/api/v1", tags=["新建系统评审（第十七条）"])

CaseNo = Annotated[str, Path(max_length=30, pattern=r"^PS-[0-9]{4}-[0-9]{6,9}$")]


class SystemReviewSubmission(SystemReviewForm):
    """A project from a department's system; ``submission_no`` is the caller's own number for it."""

    submission_no: Annotated[Words, Field(title="提交编号", min_length=1, max_length=80)]


class ReferenceAnswer(BaseModel):
    """What a reference stands for."""

    reference: str
    project_name: str
    project_code: str
    department: str
    result: str
    passed_on: str


@router.post(
    "/system-reviews",
    status_code=201,
    summary="提交系统评审",
    responses=DEPARTMENTS,
    openapi_extra=takes(SystemReviewSubmission, signed=True),
)
def submit(
    caller: FromDepartment,
    submission: Annotated[SystemReviewSubmission, Depends(body_as(SystemReviewSubmission))],
    background: BackgroundTasks,
) -> dict[str, Any]:
    """提交一个新建系统项目。建设内容没有明确的不予评审，逐条告知缺什么，补齐后以新的提交编号再提交（同一项目代码）；被要求补充材料时
    同样提交新的一版。同一提交编号重复提交只登记一次。"""
    form = SystemReviewForm.model_validate(submission.model_dump(exclude={"submission_no"}))
    submission_key = f"{caller.key}:{submission.submission_no}"
    case_no = submit_for_department(form, caller.speaks_for, submission_key, caller.key)
    background.add_task(nudge, case_no)
    return standing_of_review(caller.speaks_for, case_no)


@router.get("/system-reviews", summary="本部门的系统评审", responses=DEPARTMENTS, openapi_extra={"parameters": SIGNED})
def read_all(caller: FromDepartment) -> dict[str, Any]:
    """本部门提交过的项目，新的在前。"""
    return {"system_reviews": standings(caller.speaks_for)}


@router.get(
    "/system-reviews/{case_no}", summary="一件系统评审", responses=DEPARTMENTS, openapi_extra={"parameters": SIGNED}
)
def read(caller: FromDepartment, case_no: CaseNo) -> dict[str, Any]:
    """办理情况：环节、时限、不予评审的缺项、评审意见、评审意见书编号、承诺的用证清单条目是否列入。"""
    return standing_of_review(caller.speaks_for, case_no)


@router.post(
    "/system-reviews/{case_no}/go-live",
    summary="报告上线或改期",
    responses=DEPARTMENTS,
    openapi_extra=takes(GoLiveForm, signed=True),
)
def report(
    caller: FromDepartment, case_no: CaseNo, given: Annotated[GoLiveForm, Depends(body_as(GoLiveForm))]
) -> dict[str, Any]:
    """报告评审通过的系统已经上线，或者计划上线日期改期。"""
    go_live(caller.speaks_for, case_no, given, caller.key)
    return standing_of_review(caller.speaks_for, case_no)


@router.get("/system-review-references/{reference}", summary="核验评审意见书编号", responses=problems(404, 422))
def verify(reference: Token) -> ReferenceAnswer:
    """项目审批部门核验评审意见书编号（不需要签名）：项目、部门、结果、日期。编号末尾是校验值，写错或编造的一律答复没有。"""
    found = behind_reference(reference)
    return ReferenceAnswer(
        reference=found.reference,
        project_name=found.project_name,
        project_code=found.project_code,
        department=found.department,
        result=found.result,
        passed_on=str(found.passed_on),
    )
