"""The web process: ``uvicorn web.app:app``."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI, Response
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from models.migrations import check_current
from runtime.database import cause_of
from runtime.refusals import RefusalError
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
    source_checks,
    spot_checks,
    supervision_reports,
    system_reviews,
    use_lists,
)
from web.desk import approvals, cases, door, figures, letters, lists, matters, phrases, starts
from web.requests import PrivateHeaders, SizeLimit, from_our_own_page


def wrong_with_tables() -> str:
    """Why the tables cannot be worked with, in Chinese; empty when they are this program's."""
    try:
        check_current()
    except RefusalError as why:
        return str(why)
    except SQLAlchemyError as trouble:
        return f"数据库不能使用（{cause_of(trouble)}）。"
    return ""


@asynccontextmanager
async def _started(_: FastAPI) -> AsyncIterator[None]:
    wrong = wrong_with_tables()
    if wrong:
        # It goes on: as soon as the tables are there it answers, and until then /health says what is missing.
        logging.getLogger("uvicorn.error").error(wrong)
    yield


app = FastAPI(
    lifespan=_started,
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
    source_checks.router,
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
    source_checks.pages,
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
    approvals.router,
    cases.router,
    phrases.router,
    starts.router,
):
    app.include_router(shown, dependencies=[Depends(from_our_own_page)])
app.add_middleware(SizeLimit)
app.add_middleware(PrivateHeaders)


@app.get("/health", include_in_schema=False)
def health() -> Response:
    """Whether the web process answers, and from tables that are its own."""
    wrong = wrong_with_tables()
    return JSONResponse({"status": wrong or "ok"}, 503 if wrong else 200)
