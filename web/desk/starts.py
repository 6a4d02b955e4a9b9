"""What staff start: a form, what will come of it, a signature, a receipt (``/desk/start``).

Each page is a page of its own address, so that the back button and a second window show what is true. What is typed is
kept with the entry (``tasks.desk.entries``) whenever it is sent, right or wrong.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, BackgroundTasks, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from models.organisations import Officer
from regulation.limits import ATTACHMENT_SIZE
from runtime import clock
from runtime.database import reading
from runtime.refusals import RefusalError
from runtime.settings import settings
from runtime.words import Words
from tasks.case.answers import ChangedError
from tasks.case.attachments import File, check_files
from tasks.case.start import Start
from tasks.desk import door, entries
from tasks.desk.door import SignedIn
from tasks.desk.entries import Entry, Foreseen
from tasks.desk.runs import nudge_all
from tasks.desk.starts import STARTS
from tasks.desk.typed import ROWS, rows_in, tidy
from tasks.office.signatures import SignatureError
from tasks.register.look_ups import FoundCertificate, look_up
from web.desk.door import HOME, NOT_KEPT, AtDesk, AtDeskWithForm, from_its_networks
from web.desk.fields import Offered, Shown, shown, suggested
from web.desk.rendering import desk_page
from web.forms import Files, Filled, Said, given_files, refused, row_number
from web.problems import ProblemError, status_of

router = APIRouter(prefix=f"{HOME}/start", include_in_schema=False, dependencies=[Depends(from_its_networks)])

NOT_TYPED = NOT_KEPT | {"entry", "files", "do", "more", "find", "found", "drop", "shown"}
"""Fields of the page that are not the form's."""
SAID = {
    "kept": "已暂存，到明天此时为止都可以继续填写；没有签名的不会登记。",
    "dropped": "未完成的登记已删除。",
    "again": "登录过期前您填写的内容还在下面，没有登记；请核对后继续。",
    "again-files": "登录过期前您填写的内容还在下面，没有登记；附件没有保存，须重新选择。请核对后继续。",
}
EntryId = Annotated[Words, Query(max_length=60)]
Code = Annotated[Words, Path(max_length=40)]
_FOUND = "\t"
"""Between the type and the number of a certificate that was found."""


@router.get("")
def starts(request: Request, by: AtDesk, q: Annotated[Words, Query(max_length=60)] = "", said: Said = "") -> Response:
    """Everything that can be started, by what it is about, and what somebody has not finished."""
    wanted = [start for start in STARTS.values() if _is_meant(start, q)]
    groups: dict[str, list[type[Start]]] = {}
    for start in wanted:
        groups.setdefault(start.about.group, []).append(start)
    context = {"groups": groups, "q": q, "unfinished": entries.unfinished(by), "said": SAID.get(said, "")}
    return desk_page(request, "desk/starts.html", context, by)


def _is_meant(start: type[Start], words: str) -> bool:
    about = start.about
    text = f"{about.named} {about.group} {about.article} {about.does} {about.words}"
    return all(word in text for word in words.split())


@router.get("/{code}")
def show(request: Request, code: Code, by: AtDesk, entry: EntryId = "", said: Said = "") -> Response:
    """The form: empty, or with what was typed before. What was sent when nobody was signed in any more is kept now."""
    start = _start(code)
    if again := _sent_too_late(code, by):
        return RedirectResponse(again, 303)
    kept = entries.entry_of(entry, code, by) if entry else None
    if kept is not None and kept.came_of_it is not None:
        return RedirectResponse(_address(code, "done", entry), 303)
    typed = kept.typed if kept is not None and kept.typed else _first(start, by)
    page = _Page(start, by, kept.id if kept is not None else entries.new_id(), typed, kept)
    return page.shown(request, said=SAID.get(said, ""))


@router.post("/{code}/form")
async def send(request: Request, code: Code, by: AtDeskWithForm, files: Files = None) -> Response:
    """The form: to be looked at before it is signed, to be kept, or to offer what follows from what is typed."""
    start, given, sent = _start(code), given_files(files), await _sent(request)
    return await run_in_threadpool(_taken, request, start, by, sent, given)


def _taken(
    request: Request, start: type[Start], by: SignedIn, sent: Mapping[str, str], given: list[tuple[str, bytes]]
) -> Response:
    code, entry_id, do = start.about.code, sent.get("entry", ""), sent.get("do", "")
    entries.check_may_start(start, by)
    found: Sequence[FoundCertificate] | None = None
    typed = _with_found(start, sent, {name: text for name, text in sent.items() if name not in NOT_TYPED})
    kept = entries.known_entry(entry_id, code, by)
    if kept is not None and kept.came_of_it is not None:
        # Sent again, or from a second window: it is the same thing.
        return RedirectResponse(_address(code, "done", entry_id), 303)
    typed = tidy(start, typed)
    wrong: dict[str, str] = {}
    if given or sent.get("drop") or do in ("check", "keep"):
        kept, wrong = _keep(kept, entry_id, start, by, typed, given, sent.get("drop", ""))
    if do == "keep" and not wrong:
        return RedirectResponse(f"{HOME}/start?said=kept", 303)
    if do == "check" and kept is not None and not wrong:
        try:
            entries.check(kept, by)
        except RefusalError as why:
            return _Page(start, by, entry_id, typed, kept).shown(request, refused(why, typed))
        return RedirectResponse(_address(code, "sign", entry_id), 303)
    if more := sent.get("more"):
        lines = range(max(1, len(rows_in(typed, more))) + 1)
        typed = {f"{more}-{number}-{ROWS}": "" for number in lines} | typed
    if do == "find" and start.about.finds:
        found = look_up(sent.get("find", ""), by.staff_no)
    typed |= entries.follows(start, typed, by)
    page = _Page(start, by, entry_id, typed, kept, found=found, find=sent.get("find", ""))
    return page.shown(request, Filled(typed, wrong, "", 422 if wrong else 200))


def _keep(
    kept: Entry | None,
    entry_id: str,
    start: type[Start],
    by: SignedIn,
    typed: Mapping[str, str],
    given: list[tuple[str, bytes]],
    dropped: str,
) -> tuple[Entry | None, dict[str, str]]:
    """The entry with what was sent, files too that can be taken; what is wrong with the others."""
    files: list[File] = []
    refusals: list[str] = []
    if given and not start.about.takes_files:
        refusals.append("这项登记不收附件，请去掉附件后再提交。")
    for name, content in given if start.about.takes_files else ():
        try:
            files += check_files([(name, content)])
        except RefusalError as why:
            refusals.append(str(why))
    number = row_number(dropped)
    try:
        kept = entries.keep(entry_id, start.about.code, by, typed, files, [] if number is None else [number])
    except RefusalError as why:
        refusals.append(str(why))
    return kept, {"files": "".join(refusals)} if refusals else {}


@router.get("/{code}/sign")
def look(request: Request, code: Code, by: AtDesk, entry: EntryId = "") -> Response:
    """What will come of it, to be signed."""
    start = _start(code)
    door.forget_typed(by.staff_no, f"{HOME}/start/{code}/sign")
    kept = entries.entry_of(entry, code, by)
    if kept.came_of_it is not None:
        return RedirectResponse(_address(code, "done", entry), 303)
    return _to_sign(request, start, by, kept)


@router.post("/{code}/sign")
async def sign(request: Request, code: Code, background: BackgroundTasks, by: AtDeskWithForm) -> Response:
    """The signature, with which it is done."""
    start, sent = _start(code), await _sent(request)
    return await run_in_threadpool(_signed, request, start, by, sent, background)


def _signed(
    request: Request, start: type[Start], by: SignedIn, sent: Mapping[str, str], background: BackgroundTasks
) -> Response:
    code, entry_id = start.about.code, sent.get("entry", "")
    kept = entries.entry_of(entry_id, code, by)
    run_id = entries.run_of(entry_id)
    try:
        begun = entries.sign(entry_id, code, by, sent.get("code", ""), sent.get("shown", ""))
    except SignatureError as why:
        return _to_sign(request, start, by, kept, Filled({}, {"code": str(why)}, "", status_of(why)))
    except ChangedError as why:
        return _to_sign(request, start, by, entries.entry_of(entry_id, code, by), refused(why, {}))
    except RefusalError as why:
        return _Page(start, by, entry_id, kept.typed, kept).shown(request, refused(why, kept.typed))
    if begun is not None:
        background.add_task(nudge_all, begun.news, run_id)
    return RedirectResponse(_address(code, "done", entry_id), 303, background=background)


def _to_sign(
    request: Request, start: type[Start], by: SignedIn, kept: Entry, form: Filled | None = None
) -> HTMLResponse:
    try:
        foreseen: Foreseen = entries.foresee(kept, by)
    except RefusalError as why:
        return _Page(start, by, kept.id, kept.typed, kept).shown(request, refused(why, kept.typed))
    form = form or Filled()
    fields = shown(start, _offered(start, kept.typed), kept.typed)
    context = {
        "start": start,
        "entry": kept,
        "lines": list(_said(fields, kept.typed)),
        "foreseen": foreseen,
        "form": form,
        "codes": settings().one_time_codes,
    }
    return desk_page(request, "desk/start-sign.html", context, by, form.status)


@router.get("/{code}/done")
def done(request: Request, code: Code, by: AtDesk, entry: EntryId = "") -> Response:
    """The receipt: what came of it."""
    start = _start(code)
    kept = entries.entry_of(entry, code, by)
    if kept.came_of_it is None:
        return RedirectResponse(_address(code, "", entry), 303)
    return desk_page(request, "desk/start-done.html", {"start": start, "entry": kept}, by)


@router.post("/{code}/drop")
async def drop(request: Request, code: Code, by: AtDeskWithForm) -> Response:
    """What somebody has begun and does not want any more."""
    entry_id, start = (await _sent(request)).get("entry", ""), _start(code)
    await run_in_threadpool(entries.check_may_start, start, by)
    await run_in_threadpool(entries.drop, entry_id, start.about.code, by)
    return RedirectResponse(f"{HOME}/start?said=dropped", 303)


@dataclass(frozen=True, slots=True)
class _Page:
    """The page of a form."""

    start: type[Start]
    by: SignedIn
    entry_id: str
    typed: Mapping[str, str]
    kept: Entry | None = None
    found: Sequence[FoundCertificate] | None = None
    find: str = ""

    def shown(self, request: Request, form: Filled | None = None, said: str = "") -> HTMLResponse:
        form = replace(form or Filled(), typed=self.typed)
        may_not = ""
        try:
            entries.check_may_start(self.start, self.by)
        except RefusalError as why:
            may_not = str(why)
        with reading() as session:
            there = self.start.there(session, clock.today())
        context = {
            "start": self.start,
            "path": f"{HOME}/start/{self.start.about.code}",
            "entry_id": self.entry_id,
            "kept": self.kept,
            "fields": shown(self.start, _offered(self.start, self.typed), self.typed),
            "form": form,
            "said": said,
            "may_not": may_not,
            "there": there,
            "found": self.found,
            "find": self.find,
            "found_as": _found_as,
            "file_size": ATTACHMENT_SIZE.value // 2**20,
        }
        return desk_page(request, "desk/start.html", context, self.by, form.status)


def _offered(start: type[Start], typed: Mapping[str, str]) -> Offered:
    with reading() as session:
        return Offered(
            choices=start.choices(session, typed),
            days=start.allowed_days(session, clock.today()),
            among=start.offered(session, typed),
            parts=start.parts(session, typed),
        )


def _first(start: type[Start], by: SignedIn) -> dict[str, str]:
    """What stands in an empty form."""
    with reading() as session:
        officer = session.get_one(Officer, by.staff_no)
        return suggested(start, start.suggested(session, officer, clock.today()))


def _said(fields: Sequence[Shown], typed: Mapping[str, str]) -> list[tuple[str, str]]:
    """What was filled in, by the titles of the fields."""
    said: list[tuple[str, str]] = []
    for field in fields:
        if field.control == "boxes":
            chosen = [value for number, value in enumerate(field.choices) if typed.get(f"{field.name}-{number}")]
            said.append((field.title, "、".join(chosen)))
        elif field.control == "rows":
            for number, row in enumerate(field.rows, 1):
                inside = "；".join(f"{title}：{text}" for title, text in _said(row, typed))
                said.append((f"{field.title} 第{number}行", inside))
        elif field.control == "group":
            said += [(f"{field.title}：{part}", text) for part, text in _said(field.parts, typed)]
        else:
            text = typed.get(field.name, "")
            said.append((field.title, field.choices.get(text, text)))
    return [(title, text) for title, text in said if text]


def _with_found(start: type[Start], sent: Mapping[str, str], typed: dict[str, str]) -> dict[str, str]:
    """What was typed, with the certificate that was chosen of those found."""
    kind, _, reference = sent.get("found", "").partition(_FOUND)
    if not start.about.finds or not reference:
        return typed
    return typed | {"certificate_type": kind, start.about.finds: reference}


def _found_as(found: FoundCertificate) -> str:
    return f"{found.certificate_type}{_FOUND}{found.reference}"


def _sent_too_late(code: str, by: SignedIn) -> str:
    """Where to go on with what was sent when nobody was signed in any more; empty where nothing was."""
    for form in ("form", "sign"):
        place = f"{HOME}/start/{code}/{form}"
        typed = door.kept_typed(by.staff_no, place)
        if not typed:
            continue
        door.forget_typed(by.staff_no, place)
        if form == "sign":
            return _address(code, "sign", typed.get("entry", ""))
        kept = tidy(STARTS[code], {name: text for name, text in typed.items() if name not in NOT_TYPED})
        try:
            entry = entries.keep(typed.get("entry", ""), code, by, kept)
        except LookupError:
            # It has expired meanwhile; what was typed has not.
            entry = entries.keep(entries.new_id(), code, by, kept)
        return f"{_address(code, '', entry.id)}&said=again{'-files' if typed.get('files') else ''}"
    return ""


def _start(code: str) -> type[Start]:
    found = STARTS.get(code)
    if found is None:
        raise ProblemError(404, "没有这个地址，请核对。")
    return found


def _address(code: str, page: str, entry_id: str) -> str:
    return f"{HOME}/start/{code}{page and f'/{page}'}?{urlencode({'entry': entry_id})}"


async def _sent(request: Request) -> dict[str, str]:
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
