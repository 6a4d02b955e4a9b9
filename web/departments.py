"""What departments answer to their cases, behind the link of a mail or by their own systems, and what comes back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import BackgroundTasks, Depends
from fastapi.responses import Response

from runtime.refusals import RefusalError
from tasks.case.attachments import File, check_files, from_base64
from tasks.case.department_links import ByApplication
from tasks.desk.runs import nudge
from web.forms import CaseNo, Filled, refused
from web.requests import AttachedFile, FromDepartment


def _own_case(caller: FromDepartment, case_no: CaseNo) -> ByApplication:
    return ByApplication(caller.speaks_for, caller.key, case_no)


OwnCase = Annotated[ByApplication, Depends(_own_case)]
"""The case that an address names, as the department that signed the call comes to it."""


def answered(
    own: ByApplication,
    see: Callable[[ByApplication], Any],
    answer: Callable[[Sequence[File]], str],
    background: BackgroundTasks,
    attachments: Sequence[AttachedFile] = (),
) -> dict[str, Any]:
    """The case as its department can ``see`` it after its ``answer``, of which the case hears."""
    # Whose case it is comes before what is wrong with the files.
    see(own)
    files = check_files([from_base64(file.name, file.content) for file in attachments])
    background.add_task(nudge, answer(files))
    return asdict(see(own))


def answered_on_page(
    answer: Callable[[], str],
    background: BackgroundTasks,
    then: Response,
    page: Callable[[Filled], Response],
    typed: Mapping[str, Any],
    files: Sequence[tuple[str, bytes]] = (),
) -> Response:
    """``then``, after an ``answer`` of which its case hears; or the ``page`` again, with what was typed and why it is
    refused."""
    try:
        case_no = answer()
    except RefusalError as why:
        return page(refused(why, typed, files))
    background.add_task(nudge, case_no)
    return then
