"""What waits for somebody's approval (审签), decided on together."""

import re
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, BackgroundTasks, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from runtime.refusals import RefusalError
from runtime.settings import settings
from runtime.words import Words
from tasks.desk import approvals, door
from tasks.desk.approvals import Approved
from tasks.desk.door import SignedIn
from tasks.desk.runs import nudge_all
from web.desk.door import HOME, AtDesk, AtDeskWithForm, from_its_networks
from web.desk.rendering import desk_page
from web.forms import Filled, Said, checked, refused

PLACE = f"{HOME}/approvals"

router = APIRouter(prefix=PLACE, include_in_schema=False, dependencies=[Depends(from_its_networks)])

BatchNo = Annotated[str, Query(max_length=30)]


class Opinion(BaseModel):
    """What is said of those that go back, and of those that depart from what the bureau found."""

    reason: Words = Field("", title="审签说明", max_length=500)


@router.get("")
def show(request: Request, by: AtDesk, batch: BatchNo = "", said: Said = "") -> HTMLResponse:
    """The drafts, of one batch where its number stands in the address."""
    done = re.fullmatch(r"done-(\d{1,4})-(\d{1,4})", said)
    sentence = f"已审签：同意{done[1]}件，退回{done[2]}件。" if done else ""
    kept = door.kept_typed(by.staff_no, PLACE)
    if kept:
        door.forget_typed(by.staff_no, PLACE)
    return _page(request, by, batch.strip().upper(), Filled({"reason": kept.get("reason", "")}), said=sentence)


@router.post("")
async def decide(request: Request, background: BackgroundTasks, by: AtDeskWithForm) -> Response:
    """All that was shown is agreed to, but what is returned."""
    return await run_in_threadpool(_decide, request, background, by, await request.form())


def _decide(request: Request, background: BackgroundTasks, by: SignedIn, sent: FormData) -> Response:
    batch, returned = _text(sent, "batch").strip().upper(), {str(each) for each in sent.getlist("returned")}
    typed = {"reason": _text(sent, "reason"), "returned": returned}
    try:
        reason = checked(Opinion, {"reason": _text(sent, "reason")}).reason
        done = approvals.decide(by, batch, _text(sent, "shown"), returned, reason, _text(sent, "code"))
    except RefusalError as why:
        return _page(request, by, batch, refused(why, typed))
    background.add_task(nudge_all, done.case_nos)
    if done.refused:
        return _page(request, by, batch, Filled(typed), done)
    where = f"{PLACE}?said=done-{done.agreed}-{done.returned}" + (f"&batch={quote(batch)}" if batch else "")
    return RedirectResponse(where, 303, background=background)


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
        "batch": batch,
        "form": form,
        "done": done,
        "said": said,
        "codes": settings().one_time_codes,
    }
    return desk_page(request, "desk/approvals.html", context, by, form.status)
