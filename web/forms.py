"""What every form of the pages goes through: it is checked field by field, and what is refused is shown again with
everything that was typed and each mistake beside its field."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import File as Uploaded
from fastapi import Form, Path, Query, UploadFile
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from runtime.refusals import InputError, RefusalError, in_chinese, wrong_by_field
from runtime.words import Words
from tasks.case.attachments import File, check_files
from tasks.case.submissions import OtherContentError
from web.problems import ProblemError, status_of

M = TypeVar("M", bound=BaseModel)
# A form's texts are taken as they come and checked by a model: what FastAPI refuses itself, a person would lose.
# The limits are those of whoever reads forms for us (Starlette): 1,000 fields of 1 MB.
Typed = Annotated[str, Form(max_length=1 << 20)]
Files = Annotated[list[UploadFile] | None, Uploaded(max_length=1000)]
Token = Annotated[str, Path(max_length=8192)]
"""What a private link, or a signature for a page, ends in: an address has no more room (nginx reads 8 KB of one)."""
CaseNo = Annotated[Words, Path(max_length=30)]
Said = Annotated[str, Query(max_length=40)]
"""The name of one of a page's sentences."""
RowNumber = Annotated[int, Field(ge=1, lt=2**63)]
"""The number of a row, which an address or a body names: the database cannot be asked for one that no column holds."""


_row_number = TypeAdapter(RowNumber)


def row_number(text: str) -> int | None:
    """The number of a row by which a page names a field; ``None`` for what is none."""
    try:
        return _row_number.validate_strings(text)
    except ValidationError:
        return None


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as its page shows it: what was ``typed``, what is ``wrong`` with it by field in the order of the page,
    and the ``refusal`` of what is wrong with no field."""

    typed: Mapping[str, Any] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    refusal: str = ""
    status: int = 200


NOBODYS = Filled()
"""A form that nobody has filled in yet."""


class SignatureForm(BaseModel):
    """Who signs."""

    staff_no: Words = Field(title="工号", min_length=1, max_length=20)
    code: Words = Field("", title="一次性验证码", max_length=10)


SENT_BEFORE = (
    "这份表单此前已经提交过，而这次填写的内容与那次不同，这次的还没有登记。请核对下面的内容；确实要另外提交的，"
    "请再提交一次。"
)
"""``OtherContentError`` where nobody sees a number."""


def checked(form: type[M], typed: Mapping[str, str]) -> M:
    """What was typed into a form; a field that was left empty is none. ``InputError`` says of every wrong field what is
    wrong with it."""
    try:
        return form.model_validate({name: value for name, value in typed.items() if value.strip()})
    except ValidationError as error:
        raise InputError(in_chinese(error, form), wrong_by_field(error, form)) from None


def checked_with_files(
    form: type[M], typed: Mapping[str, str], given: Sequence[tuple[str, bytes]], none_given: str = ""
) -> tuple[M, list[File]]:
    """What was typed and the files that came with it, whose field is ``files``. ``InputError`` says of both together
    what is wrong; ``none_given`` is what it says where there has to be a file and is none."""
    wrong: dict[str, str] = {}
    files: list[File] = []
    said = None
    try:
        said = checked(form, typed)
    except InputError as why:
        wrong |= why.wrong
    try:
        files = check_files(given)
    except InputError as why:
        wrong["files"] = str(why)
    if none_given and not given:
        wrong["files"] = none_given
    if said is None or wrong:
        raise InputError("".join(wrong.values()), wrong)
    return said, files


def refused(
    why: RefusalError | ProblemError, typed: Mapping[str, Any], given: Sequence[tuple[str, bytes]] = ()
) -> Filled:
    """The form to be shown again after a refusal. Files are not kept, which is said where they have to be chosen."""
    wrong = dict(why.wrong) if isinstance(why, InputError) else {}
    refusal = "" if wrong else SENT_BEFORE if isinstance(why, OtherContentError) else str(why)
    if given:
        names = "、".join(f"“{name}”" for name, _ in given)
        wrong["files"] = f"{wrong.get('files', '')}刚才选的{names}没有保存，附件须重新选择。"
    return Filled(typed, wrong, refusal, status_of(why))


def given_files(files: Sequence[UploadFile] | None) -> list[tuple[str, bytes]]:
    """The files of a form; a browser sends one without a name where none was chosen."""
    return [(file.filename, file.file.read()) for file in files or [] if file.filename]


def submission_number(given: str = "") -> str:
    """The hidden number by which a form that is sent twice is known; a fresh one where ``given`` is none of ours, as it
    is for a form that is handed out."""
    return given if re.fullmatch(r"[0-9a-f]{32}", given) else secrets.token_hex(16)


def back_to(path: str, said: str) -> RedirectResponse:
    """To the page that one came from, with one of its sentences by name: nobody can put words of theirs on it."""
    return RedirectResponse(f"{path}?{urlencode({'said': said})}", 303)
