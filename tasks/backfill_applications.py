"""What somebody reads off a paper certificate (Article 11), in the shape of the start form and of the interface."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from runtime.contacts import AddressOrNothing
from runtime.refusals import InputError
from runtime.words import Words
from tasks.departments import DepartmentText


class BackfillForm(BaseModel):
    """A paper certificate as it is entered at a counter."""

    model_config = ConfigDict(title="纸质证照补录", extra="forbid")

    department: DepartmentText
    certificate_type: Annotated[
        Words,
        Field(title="证照类型", description="目录中的名称、简称或代码", min_length=1, max_length=60),
    ]
    values: Annotated[
        Words,
        Field(
            title="证照上的内容", description="每行一项，写作“项目：内容”，如“发证日期：2012年3月5日”", max_length=4000
        ),
    ]
    service_case_no: Annotated[Words, Field(title="业务办件编号", min_length=1, max_length=60)]
    email: Annotated[AddressOrNothing, Field(title="持证主体邮箱", description="用于告知；没有的留空")] = ""


def values_in(text: str) -> dict[str, str]:
    """The lines of a text as item and content. ``InputError`` names the first line that is none.

    >>> values_in("姓名：俞小云\\n发证日期: 2012年3月5日")
    {'姓名': '俞小云', '发证日期': '2012年3月5日'}
    """
    values: dict[str, str] = {}
    for number, line in enumerate(filter(str.strip, text.splitlines()), 1):
        name, colon, content = line.replace("：", ":", 1).partition(":")
        if not colon or not name.strip():
            raise InputError(f"第{number}行应写作“项目：内容”，请更正。")
        if name.strip() in values:
            raise InputError(f"第{number}行的项目与前面的重复，请更正。")
        values[name.strip()] = content.strip()
    return values
