"""Reports on supervision are read behind their private addresses only (Article 17)."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx

from regulation.supervision_reports import period_of
from tasks.supervision.reports import make_report


def test_a_report_is_a_page_and_a_pdf_behind_its_link_and_nowhere_else(web: str) -> None:
    path = web + urlsplit(make_report(period_of("2026-10"), datetime(2026, 11, 2, tzinfo=UTC)).link).path
    page = httpx.get(path)
    assert page.status_code == 200
    assert "2026年10月电子证照监督报告" in page.text
    assert f"{urlsplit(path).path}/pdf" in page.text
    pdf = httpx.get(f"{path}/pdf")
    assert (pdf.headers["content-type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    for wrong in (f"{path[:-1]}x", path.replace("2026-10", "2026-09"), path.replace("2026-10", "甲"), f"{path}é/pdf"):
        refused = httpx.get(wrong)
        assert refused.status_code == 404
        assert "链接无效" in refused.text
