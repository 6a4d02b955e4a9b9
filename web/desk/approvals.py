"""What waits for somebody's approval (审签), decided on together."""

import re
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, BackgroundTasks, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from runtime.refusals import InputError, RefusalError
from runtime.settings import settings
from runtime.words import Words
from tasks.desk import approvals, door
from tasks.desk.approvals import Approved, Put
from tasks.desk.approvals import Said as SaidOf
from tasks.desk.door import SignedIn
from tasks.desk.runs import nudge_all
from tasks.office.signatures import SignatureError
from web.desk.door import HOME, NOT_KEPT, AtDesk, AtDeskWithForm, from_its_networks
from web.desk.rendering import desk_page
from web.forms import Filled, Said, checked, refused
from web.problems import status_of

PLACE = f"{HOME}/approvals"

router = APIRouter(prefix=PLACE, include_in_schema=False, dependencies=[Depends(from_its_networks)])

BatchNo = Annotated[str, Query(max_length=30)]


@router.get("")
def show(request: Request, by: AtDesk, batch: BatchNo = "", said: Said = "") -> HTMLResponse:
    """The drafts, of one batch where its number stands in the address."""
    done = re.fullmatch(r"done-(\d{1,4})-(\d{1,4})", said)
    sentence = f"已审签：同意{done[1]}件，退回{done[2]}件。" if done else ""
    kept = door.kept_typed(by.staff_no, PLACE)
    if kept:
        door.forget_typed(by.staff_no, PLACE)
    return _page(request, by, batch.strip().upper(), Filled(kept), said=sentence)


@router.post("")
async def decide(request: Request, background: BackgroundTasks, by: AtDeskWithForm) -> Response:
    """All that was shown is agreed to, but what is returned."""
    return await run_in_threadpool(_decide, request, background, by, await request.form())


def _decide(request: Request, background: BackgroundTasks, by: SignedIn, sent: FormData) -> Response:
    typed = {name: value for name, value in sent.items() if isinstance(value, str) and name not in NOT_KEPT}
    batch = typed.get("batch", "").strip().upper()
    try:
        done = approvals.decide(by, batch, typed.get("shown", ""), _said(typed), _text(sent, "code"))
    except SignatureError as why:
        return _page(request, by, batch, Filled(typed, {"code": str(why)}, "", status_of(why)))
    except RefusalError as why:
        return _page(request, by, batch, refused(why, typed))
    background.add_task(nudge_all, done.case_nos)
    if done.refused:
        return _page(request, by, batch, Filled(typed), done)
    where = f"{PLACE}?said=done-{done.agreed}-{done.returned}" + (f"&batch={quote(batch)}" if batch else "")
    return RedirectResponse(where, 303, background=background)


class Why(BaseModel):
    """Why a draft goes back, or is agreed to though it departs from what the bureau found."""

    reason: Words = Field("", title="审签说明", max_length=500)


def _said(typed: Mapping[str, str]) -> dict[str, SaidOf]:
    """What is said of each draft: a choice, and a reason where one was written."""
    wrong, said = dict[str, str](), dict[str, SaidOf]()
    for name, value in typed.items():
        case_no = name.removeprefix("opinion-")
        if case_no == name:
            continue
        try:
            reason = checked(Why, {"reason": typed.get(f"reason-{case_no}", "")}).reason
        except InputError as why:
            wrong[f"reason-{case_no}"] = f"{case_no}：{why}"
            continue
        said[case_no] = SaidOf(Put(value) if value in set(Put) else Put.LATER, reason)
    if wrong:
        raise InputError("".join(wrong.values()), wrong)
    return said


def _text(sent: FormData, name: str) -> str:
    value = sent.get(name, "")
    return value if isinstance(value, str) else ""


def _page(
    request: Request,
    by: SignedIn,
    batch: str,
    form: Filled,
    done: Approved | None = None,
    said: str = "",
) -> HTMLResponse:
    context = {
        "found": approvals.waiting(by, batch),
        "puts": list(Put),
        "facts_of": approvals.FACTS_OF,
        "batch": batch,
        "form": form,
        "done": done,
        "said": said,
        "codes": settings().one_time_codes,
    }
    return desk_page(request, "desk/approvals.html", context, by, form.status)
