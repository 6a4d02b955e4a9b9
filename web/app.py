"""The web process: ``uvicorn web.app:app``."""

from fastapi import FastAPI

from web import (
    backfills,
    certificates,
    corrections,
    holders,
    liaisons,
    objections,
    pages,
    paper_reports,
    problems,
    rectifications,
    rule_revisions,
    service_guides,
    spot_checks,
    supervision_reports,
    system_reviews,
    use_lists,
)
from web.requests import PrivateHeaders, SizeLimit

app = FastAPI(
    title="柯桥e证通 接口",
    description="绍兴市柯桥区电子证照管理办法业务流程系统的接口。请求签名方法见各接口说明。",
    version="1",
    docs_url=None,
    redoc_url=None,
)
problems.install(app)
app.include_router(backfills.router)
app.include_router(certificates.router)
app.include_router(corrections.router)
app.include_router(holders.router)
app.include_router(objections.router)
app.include_router(liaisons.router)
app.include_router(use_lists.router)
app.include_router(service_guides.router)
app.include_router(paper_reports.pages)
app.include_router(use_lists.pages)
app.include_router(system_reviews.router)
app.include_router(backfills.pages)
app.include_router(corrections.pages)
app.include_router(rectifications.router)
app.include_router(rectifications.pages)
app.include_router(rule_revisions.router)
app.include_router(rule_revisions.pages)
app.include_router(holders.pages)
app.include_router(spot_checks.pages)
app.include_router(pages.router)
app.include_router(supervision_reports.router)
app.add_middleware(SizeLimit)
app.add_middleware(PrivateHeaders)


@app.get("/health", include_in_schema=False)
def health() -> dict[str, str]:
    """Whether the web process answers."""
    return {"status": "ok"}
