"""Objecting on the page (Article 12): fill in, keep, check, hand in. Every step works without JavaScript, and what was
typed and the files are kept on our side from the first step on."""

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import UploadFile

from gateways.zheliban import Person
from regulation.limits import ATTACHMENT_COUNT, CONFIRMATION_MAILS, DRAFT_CHANGES, DRAFT_LIFE, DRAFTS
from regulation.objections import SHOWN_BY, Ground, ObjectorKind
from runtime.contacts import plain_address
from runtime.refusals import RefusalError
from tasks.case.notices import kick
from tasks.certificates.own import own_certificate
from tasks.desk.runs import nudge
from tasks.objections.applications import ObjectionApplication
from tasks.objections.drafts import (
    FIELDS,
    Draft,
    check_link,
    doubtful_in,
    draft_of,
    hand_in,
    open_draft,
    reference_to,
    registered_from,
    save_draft,
    send_confirmation,
    type_choices,
    wrong_in,
)
from tasks.objections.registrations import Registered
from web.forms import NOBODYS, Filled, RowNumber, Token, Typed, back_to, refused, row_number
from web.problems import status_of
from web.rendering import page
from web.requests import Allowance
from web.sessions import own_session, signed_in

router = APIRouter(prefix="/objection-drafts", include_in_schema=False)

TITLES = {name: field.title for name, field in ObjectionApplication.model_fields.items()}
GROUNDS = {
    Ground.ACCURACY: "内容不对（准确性）",
    Ground.COMPLETENESS: "内容不全、缺项（完整性）",
    Ground.TIMELINESS: "内容过时、没有更新（时效性）",
    Ground.MISSING: f"应当有这件证照，却没有（{Ground.MISSING}）",
}
KINDS = {
    ObjectorKind.HOLDER: "证照是我的，或者是我们单位的",
    ObjectorKind.OTHER_USER: "证照是别人的，我在办事中用到它",
    ObjectorKind.DEPARTMENT: "我代表使用电子证照的部门",
}
OTHER_FIELD = "其他项目"
ORDER = (
    "certificate_type",
    "certificate",
    "field",
    "grounds",
    "stated",
    "proposed",
    "reason",
    "files",
    "objector_kind",
    "interest",
    "acts_as",
    "acts_for",
    "objector_name",
    "email",
    "phone",
)
"""The fields as they stand on the page."""

_new, _changes, _mails = Allowance(DRAFTS), Allowance(DRAFT_CHANGES), Allowance(CONFIRMATION_MAILS)


@router.get("")
def begin(request: Request) -> HTMLResponse:
    """What an objection is, how it goes, and about which certificate it is."""
    return _choice(request)


@router.post("")
def open_new(request: Request, certificate_type: Typed = "") -> Response:
    """A draft about a certificate of this type."""
    wrong = _wrong_choice(certificate_type)
    if wrong:
        return _choice(request, wrong=wrong)
    _new.spend(request)
    person = signed_in(request)
    kind = {"objector_kind": str(ObjectorKind.HOLDER)} if person else {}
    return _to(open_draft({"certificate_type": _type(certificate_type), **kind}))


@router.post("/of-mine")
def open_about_own(request: Request, certificate: Annotated[RowNumber, Form()], field: Typed = "") -> Response:
    """A draft about a field of a certificate of whoever signed in, with what the certificate says."""
    shown = own_certificate(own_session(request), certificate)
    _new.spend(request)
    typed = {
        "objector_kind": str(ObjectorKind.HOLDER),
        "certificate_type": shown.type_name,
        "certificate": reference_to(shown.type_name, shown.number, shown.identifier),
    }
    values = dict(shown.objectionable)
    if field in values:
        typed |= {"field": field, "stated": values[field] or "无"}
    return _to(open_draft(typed))


@router.get("/{token}")
def fill_in(request: Request, token: Token) -> Response:
    """The form with what was typed so far; once the draft is handed in, the objection itself."""
    filed = registered_from(token)
    if filed is not None:
        return _registered(filed)
    draft = draft_of(token)
    if draft.typed.get("certificate_type") is None:
        return _choice(request, token=token)
    return _form(request, draft, {})


async def _sent(request: Request) -> tuple[dict[str, Any], list[tuple[str, bytes]], list[int], str]:
    """What a form brought: the typed fields, the files, the numbers of the files to drop, and the button."""
    async with request.form() as form:
        typed: dict[str, Any] = {name: str(form[name]) for name in FIELDS if name != "grounds" and name in form}
        typed["grounds"] = [str(ground) for ground in form.getlist("grounds")]
        uploads = [each for each in form.getlist("files") if isinstance(each, UploadFile)]
        files = [(each.filename, await each.read()) for each in uploads if each.filename]
        dropped = [number for each in form.getlist("drop") if (number := row_number(str(each))) is not None]
        button = str(form.get("do", "check"))
    return typed, files, dropped, button


@router.post("/{token}")
def keep(
    request: Request, token: Token, sent: Annotated[tuple[dict[str, Any], Any, list[int], str], Depends(_sent)]
) -> Response:
    """Keep what was typed; then show what is wrong with it, or the whole of it to be checked."""
    _changes.spend(request)
    typed, files, dropped, button = sent
    if button == "type":
        wrong = _wrong_choice(typed.get("certificate_type", ""))
        if wrong:
            return _choice(request, token=token, wrong=wrong)
        save_draft(token, {"certificate_type": _type(typed["certificate_type"]), "field": ""}, [])
        return _to(token)
    if button == "retype":
        typed["certificate_type"] = None
    person = signed_in(request)
    if person is not None:
        typed["objector_name"] = person.name
    try:
        untaken = save_draft(token, typed, files, dropped)
    except RefusalError as why:
        there = draft_of(token)
        unsaved = Draft(token, {**there.typed, **typed}, there.files, there.fields, there.kept_until)
        return _form(request, unsaved, {"reason": str(why)} | dict(refused(why, typed, files).wrong), status_of(why))
    if button == "retype":
        return _to(token)
    draft = draft_of(token)
    wrong_fields = wrong_in(draft, person) if button == "check" else {}
    if wrong_fields or untaken:
        return _form(request, draft, wrong_fields | ({"files": "".join(untaken)} if untaken else {}), 422)
    return _to(token, "/review") if button == "check" else _form(request, draft, {}, saved=True)


@router.get("/{token}/review")
def review(request: Request, token: Token) -> Response:
    """Everything once more before it counts (WCAG 2.2, 3.3.4), and how to hand it in."""
    draft = draft_of(token)
    if wrong_in(draft, signed_in(request)):
        return _to(token)
    return _review(request, draft)


@router.post("/{token}/submission")
def submit(request: Request, token: Token, background: BackgroundTasks) -> Response:
    """Hand in: at once for whoever signed in, else by a mail to the address."""
    person = signed_in(request)
    if person is not None:
        return _hand_in(token, person, "", background)
    if registered_from(token) is not None:
        return _to(token)
    draft = draft_of(token)
    if wrong_in(draft, None):
        return _to(token)
    email = plain_address(str(draft.typed["email"]))
    _changes.spend(request)
    _mails.spend(request, of=email.lower())
    send_confirmation(token)
    background.add_task(kick)
    return page(request, "objection-confirm.html", {"draft": draft, "email": email})


@router.get("/{token}/confirmation/{code}")
def confirm(request: Request, token: Token, code: Token) -> Response:
    """Where the mail leads. A look at it changes nothing: programs that look at mails look at links too."""
    if registered_from(token) is not None:
        return _to(token)
    check_link(token, code)
    draft = draft_of(token)
    if wrong_in(draft, None):
        return _to(token)
    return _review(request, draft, code)


@router.post("/{token}/confirmation/{code}")
def confirmed(token: Token, code: Token, background: BackgroundTasks) -> Response:
    """The button behind the mail's link."""
    return _hand_in(token, None, code, background)


def _hand_in(token: str, person: Person | None, code: str, background: BackgroundTasks) -> Response:
    registered = hand_in(token, person, code)
    background.add_task(nudge, registered.case_no)
    return _registered(registered, "filed")


def _registered(registered: Registered, said: str = "") -> RedirectResponse:
    """To the objection, for whoever its letters still go to."""
    if not registered.token:
        raise RefusalError(
            f"这份申请已登记为{registered.case_no}，此后联系方式有变更，本页的链接已失效，请用最近一封通知中的链接。"
        )
    place = f"/objections/{registered.token}"
    return back_to(place, said) if said else RedirectResponse(place, 303)


def _to(token: str, further: str = "") -> RedirectResponse:
    return RedirectResponse(f"/objection-drafts/{token}{further}", 303)


def _type(chosen: str) -> str:
    return chosen if chosen in type_choices() else ""


def _wrong_choice(chosen: str) -> str:
    if chosen == "other" or chosen in type_choices():
        return ""
    return "请选择证照类型；目录里没有的，选最后一项"


def _choice(request: Request, token: str = "", wrong: str = "") -> HTMLResponse:
    form = Filled(wrong={"certificate_type": wrong}, status=422) if wrong else NOBODYS
    context = {"token": token, "types": type_choices(), "form": form, "days": DRAFT_LIFE.value}
    return page(request, "objection-type.html", context, form.status)


def _form(
    request: Request, draft: Draft, wrong: dict[str, str], status: int = 200, *, saved: bool = False
) -> HTMLResponse:
    person = signed_in(request)
    typed = {name: value for name, value in draft.typed.items() if value}
    context = {
        "draft": draft,
        "form": Filled(typed, {name: wrong[name] for name in ORDER if name in wrong}, status=status),
        "saved": saved,
        "name": person.name if person else "",
        "fields": (*draft.fields, OTHER_FIELD) if draft.fields else (),
        "grounds": {str(ground): words for ground, words in GROUNDS.items()},
        "kinds": {str(kind): words for kind, words in KINDS.items()},
        "capacities": {str(each): f"{each}（须附{shown_by}）" for each, shown_by in SHOWN_BY.items()},
        "most": ATTACHMENT_COUNT.value,
    }
    return page(request, "objection-form.html", context, status)


def _review(request: Request, draft: Draft, code: str = "") -> HTMLResponse:
    person = signed_in(request)
    typed = draft.typed
    said = {name: str(typed.get(name) or "") for name in FIELDS if name != "grounds"}
    said["grounds"] = "；".join(GROUNDS[Ground(each)] for each in typed["grounds"])
    said["objector_kind"] = KINDS[ObjectorKind(typed["objector_kind"])]
    if person is not None and not code:
        said["objector_name"] = f"{person.name}（已实名认证）"
    lines = [(TITLES[name], said[name]) for name in ORDER if said.get(name)]
    doubts = [(TITLES[name], why) for name, why in doubtful_in(draft, person).items()]
    return page(request, "objection-review.html", {"draft": draft, "lines": lines, "doubts": doubts, "code": code})
