"""The web process: ``uvicorn web.app:app``."""

from fastapi import Depends, FastAPI

from web import (
    archived_copies,
    assets,
    backfills,
    certificates,
    corrections,
    front,
    holders,
    liaisons,
    objection_batches,
    objection_drafts,
    objections,
    own_certificates,
    pages,
    paper_reports,
    problems,
    rectifications,
    rule_revisions,
    service_guides,
    sign_in,
    spot_checks,
    supervision_reports,
    system_reviews,
    use_lists,
)
from web.desk import cases, door, figures, letters, lists, matters, phrases, starts
from web.requests import PrivateHeaders, SizeLimit, from_our_own_page

app = FastAPI(
    title="柯桥e证通 接口",
    description="绍兴市柯桥区电子证照管理办法业务流程系统的接口。请求签名方法见各接口说明。",
    version="1",
    docs_url=None,
    redoc_url=None,
)
problems.install(app)
for interface in (
    backfills.router,
    certificates.router,
    corrections.router,
    holders.router,
    objections.router,
    objection_batches.router,
    liaisons.router,
    use_lists.router,
    service_guides.router,
    system_reviews.router,
    rectifications.router,
    rule_revisions.router,
):
    app.include_router(interface)
for shown in (
    front.router,
    sign_in.router,
    objection_drafts.router,
    own_certificates.router,
    paper_reports.pages,
    use_lists.pages,
    backfills.pages,
    corrections.pages,
    rectifications.pages,
    rule_revisions.pages,
    archived_copies.router,
    spot_checks.pages,
    pages.router,
    supervision_reports.router,
    assets.router,
    door.router,
    lists.router,
    matters.router,
    letters.router,
    figures.router,
    cases.router,
    phrases.router,
    starts.router,
):
    app.include_router(shown, dependencies=[Depends(from_our_own_page)])
app.add_middleware(SizeLimit)
app.add_middleware(PrivateHeaders)


@app.get("/health", include_in_schema=False)
def health() -> dict[str, str]:
    """Whether the web process answers."""
    return {"status": "ok"}
