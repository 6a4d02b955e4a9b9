"""Archived copies on pages (Article 11): anybody checks one by its file or by its number, without signing in."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, File, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from regulation.limits import ATTACHMENT_SIZE, CHECKS
from runtime.words import Words
from tasks.certificates.copies import NOT_A_CERTIFICATE, CopyOnPage, copy_on_page, standing_of_copy
from web.forms import Filled, Token
from web.rendering import message, page
from web.requests import Allowance

router = APIRouter(prefix="/copies", include_in_schema=False)

_checks = Allowance(CHECKS)


@router.get("")
def ask(request: Request, copy_no: Annotated[Words, Query(max_length=60)] = "") -> Response:
    """Where one hands in a file, or types a number."""
    if copy_no:
        return RedirectResponse(f"/copies/{quote(copy_no, safe='')}", 303)
    return _page(request)


@router.post("")
def check(request: Request, file: Annotated[UploadFile | None, File()] = None) -> HTMLResponse:
    """What a file is worth. It is looked at and not kept."""
    if file is None or not file.filename:
        return _page(request, wrong="请选择要核对的文件")
    if file.size is None or file.size > ATTACHMENT_SIZE.value:
        most = ATTACHMENT_SIZE.value // 2**20
        return _page(request, wrong=f"文件超过{most}MB；本系统出具的存档副本没有这么大")
    _checks.spend(request)
    content = file.file.read()
    if not content:
        return _page(request, wrong="文件是空的，请重新选择")
    return _page(request, found=copy_on_page(content))


@router.get("/{copy_no}")
def standing(request: Request, copy_no: Token) -> Response:
    """What the QR code of an archived copy leads to."""
    return message(request, "存档副本现状", standing_of_copy(copy_no), basis="第十一条")


def _page(request: Request, *, found: CopyOnPage | None = None, wrong: str = "") -> HTMLResponse:
    form = Filled(wrong={"file": wrong}, status=422) if wrong else Filled()
    context = {
        "found": found,
        "form": form,
        "not_a_certificate": NOT_A_CERTIFICATE,
        "most": ATTACHMENT_SIZE.value // 2**20,
    }
    return page(request, "copies.html", context, form.status)
