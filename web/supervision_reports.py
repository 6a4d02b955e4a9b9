"""Reports on supervision behind their private addresses (Article 17)."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from tasks.supervision_reports import report_behind

router = APIRouter(include_in_schema=False)


@router.get("/reports/{code}/{key}")
def report(code: str, key: str) -> HTMLResponse:
    """The report as a page."""
    return HTMLResponse(report_behind(code, key).html)


@router.get("/reports/{code}/{key}/pdf")
def report_as_pdf(code: str, key: str) -> Response:
    """The report as a PDF."""
    kept = report_behind(code, key)
    disposition = f'inline; filename="{kept.code}.pdf"'
    return Response(kept.pdf, media_type="application/pdf", headers={"Content-Disposition": disposition})
