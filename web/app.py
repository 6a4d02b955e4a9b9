"""The web process: ``uvicorn web.app:app``."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response

from web import liaisons, objections, pages, problems, use_lists
from web.requests import SizeLimit

app = FastAPI(
    title="柯桥e证通 接口",
    description="绍兴市柯桥区电子证照管理办法业务流程系统的接口。请求签名方法见各接口说明。",
    version="1",
    docs_url=None,
    redoc_url=None,
)
problems.install(app)
app.include_router(objections.router)
app.include_router(liaisons.router)
app.include_router(use_lists.router)
app.include_router(use_lists.pages)
app.include_router(pages.router)
app.add_middleware(SizeLimit)


@app.middleware("http")
async def _headers(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    """Pages with a private link in their address must not leak it, be framed, or load anything from elsewhere."""
    response = await go_on(request)
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self' 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    )
    return response


@app.get("/health", include_in_schema=False)
def health() -> dict[str, str]:
    """Whether the web process answers."""
    return {"status": "ok"}
