"""What a department lists as standing in the way (Article 16), in the shape of the start form and of the interface."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from runtime.words import Words


class RuleRevisionForm(BaseModel):
    """One clause of an internal rule or a process, and by when it is to be revised."""

    model_config = ConfigDict(title="制度修订", extra="forbid")

    document: Annotated[Words, Field(title="文件或流程名称", min_length=2, max_length=200)]
    clause: Annotated[Words, Field(title="条款或环节", min_length=1, max_length=200)]
    article: Annotated[int, Field(title="妨碍本办法第几条", ge=1, le=19)]
    why: Annotated[Words, Field(title="怎样妨碍电子证照应用", min_length=5, max_length=1000)]
    planned_on: Annotated[date, Field(title="计划修订日期")]
