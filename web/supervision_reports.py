"""Reports on supervision behind their private addresses (Article 17)."""

import re
from base64 import b64encode
from hashlib import sha256

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from tasks.supervision.reports import report_behind
from web.forms import Token

router = APIRouter(include_in_schema=False)


@router.get("/reports/{code}/{key}")
def report(code: Token, key: Token) -> HTMLResponse:
    """The report as a page. It is kept as one file, its style within, which only the style's own hash lets work."""
    html = report_behind(code, key).html
    styles = (sha256(style.encode()).digest() for style in re.findall(r"<style>([^<]*)</style>", html))
    allowed = " ".join(f"'sha256-{b64encode(digest).decode()}'" for digest in styles)
    policy = f"default-src 'none'; style-src {allowed}; base-uri 'none'; frame-ancestors 'none'"
    return HTMLResponse(html, headers={"Content-Security-Policy": policy})


@router.get("/reports/{code}/{key}/pdf")
def report_as_pdf(code: Token, key: Token) -> Response:
    """The report as a PDF."""
    kept = report_behind(code, key)
    disposition = f'inline; filename="{kept.code}.pdf"'
    return Response(kept.pdf, media_type="application/pdf", headers={"Content-Disposition": disposition})
