"""Service guides over HTTP (Articles 8 to 11): a department's application brings in what its guides demand."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from models.organisations import ApplicationKind
from tasks.guides.forms import GuideForm, guides_from
from tasks.guides.guides import bring_guides
from tasks.office.applications import Caller
from web.openapi import answers, inlined, takes
from web.requests import ENTRIES_OF_ROWS, Row, body_as, signed_by

router = APIRouter(prefix="/api/v1", tags=["办事指南（第八条至第十一条）"])


class GuidesSubmission(BaseModel):
    """本部门的办事指南；没有列出的事项不变。"""

    model_config = ConfigDict(extra="forbid")

    guides: list[Annotated[Row, WithJsonSchema(inlined(GuideForm))]] = Field(
        title="办事指南", min_length=1, max_length=500
    )


class BroughtAnswer(BaseModel):
    item_code: str = Field(title="事项编码")
    version: int = Field(title="现行版本")
    changes: list[str] = Field(title="与上一版的差别", description="空为没有变化，没有新增版本")


class GuidesAnswer(BaseModel):
    guides: list[BroughtAnswer] = Field(title="办事指南")


@router.post(
    "/service-guides",
    summary="报送办事指南",
    responses=answers(GuidesAnswer, 401, 403, 404, 409, 413, 422, 429),
    openapi_extra=takes(GuidesSubmission, signed=True),
)
def bring(
    caller: Annotated[Caller, Depends(signed_by(ApplicationKind.DEPARTMENT))],
    submission: Annotated[GuidesSubmission, Depends(body_as(GuidesSubmission, ENTRIES_OF_ROWS))],
) -> dict[str, Any]:
    """每个事项的全部材料一次报送；内容有变化的新增一版，没有变化的不新增。有一处不对，整件不登记。"""
    brought = bring_guides({caller.speaks_for: guides_from(submission.guides)}, caller.key)
    return {
        "guides": [
            {"item_code": each.item_code, "version": each.version, "changes": list(each.changes)} for each in brought
        ]
    }
