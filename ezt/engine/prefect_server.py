"""Prefect's server, where staff trigger and monitor flows: ``python -m ezt.engine.prefect_server --port 4200``.

It is Prefect's own server with a few differences. It obeys nobody without the password and answers no other site's
pages: what reaches it can start stories and read what they were told (docs/adr/0026). It serves the V1 pages only: the
V2 pages report to a company abroad, no setting stops them, and whoever has tried them once would be led to them for a
year (docs/adr/0018). The pages carry a policy that lets a browser ask nobody but this server, and a stylesheet and
scripts that mend what gets in the way and say in Chinese what staff read. And garbage is collected beside its event
loop (docs/adr/0019).
"""

import argparse
import gc
import logging
import os
import threading
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from html import escape
from pathlib import Path

import prefect
import uvicorn
from prefect.server.api.server import create_app
from prefect.server.database.configurations import SQLITE_BEGIN_MODE, AioSqliteConfiguration
from prefect.server.database.dependencies import temporary_database_config
from prefect.settings import (
    PREFECT_API_DATABASE_CONNECTION_URL,
    PREFECT_SERVER_CORS_ALLOWED_ORIGINS,
    PREFECT_UI_STATIC_DIRECTORY,
    get_current_settings,
    temporary_settings,
)
from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction
from starlette.datastructures import MutableHeaders
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ezt.engine.prefect_access import name_password
from runtime.settings import settings as installed

logger = logging.getLogger(__name__)

POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    # The graph of a run is drawn by a worker that the page makes itself, with shaders it compiles itself.
    "script-src 'self' 'unsafe-eval'; worker-src 'self' blob:; connect-src 'self' data: blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:"
)
"""The Content-Security-Policy of every page: whatever is asked for elsewhere does not leave the browser."""

MENDED = Path(__file__).parent / "static"
"""The stylesheet and the scripts of ours."""
MENDING = (
    '<meta name="ezt-desk" content="{desk}"><link rel="stylesheet" href="/mended/mended.css">'
    '<script src="/mended/mended.js"></script><script src="/mended/chinese.js"></script>'
)
"""How the V1 pages ask for them, and where the desk is; the scripts before theirs, while the address is the one that
was opened."""
COLLECT_EVERY = 1.0
"""Seconds between collections of young garbage."""
ALL_OF_IT = 30
"""So many collections after each other, one takes the old garbage too."""


class AtOnce(AioSqliteConfiguration):
    """Transactions on Prefect's SQLite that take the write lock when they begin.

    Prefect takes it at the first statement that writes. Where another one has written meanwhile, SQLite then refuses at
    once and whoever pressed Submit has pressed in vain: nothing would have helped but to read again what was read.
    """

    @asynccontextmanager
    async def begin_transaction(
        self,
        session: AsyncSession,
        with_for_update: bool = False,
    ) -> AsyncIterator[AsyncSessionTransaction]:
        async with session.begin() as transaction:
            token = SQLITE_BEGIN_MODE.set("IMMEDIATE")
            try:
                await session.connection()
            finally:
                # Not for sessions that only read within this one.
                SQLITE_BEGIN_MODE.reset(token)
            yield transaction


class OnlyHere:
    """An ASGI middleware that puts ``POLICY`` on every answer, and takes away credentials that cannot be the password:
    Prefect compares them as text, which fails where they are not ASCII."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = POLICY
                headers["Referrer-Policy"] = "same-origin"
            await send(message)

        if "headers" in scope:
            kept = [
                (name, value) for name, value in scope["headers"] if name != b"authorization" or _may_be_ours(value)
            ]
            scope = {**scope, "headers": kept}
        await self._app(scope, receive, send_with_policy)


def _may_be_ours(credentials: bytes) -> bool:
    """Whether these are basic credentials in ASCII."""
    try:
        return b64decode(credentials.partition(b" ")[2], validate=True).isascii()
    except ValueError:
        return False


def main() -> None:
    """Serve until stopped, with the settings in the environment."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    name_password()
    settings = get_current_settings()
    pages = settings.home / "ui"
    # As ``prefect server start`` does it: this is the only server of the process.
    os.environ["PREFECT__SERVER_FINAL"] = "1"
    # Pages that are not there are not served, and neither are the invitations to them.
    prefect.__ui_v2_static_path__ = pages / "none"
    with ExitStack() as stack:
        # No page but its own may ask it from a browser. Prefect would let every page read its answers.
        only_own = {PREFECT_UI_STATIC_DIRECTORY: str(pages), PREFECT_SERVER_CORS_ALLOWED_ORIGINS: ""}
        stack.enter_context(temporary_settings(only_own))
        address = str(PREFECT_API_DATABASE_CONNECTION_URL.value())
        if address.startswith("sqlite"):
            stack.enter_context(temporary_database_config(AtOnce(connection_url=address)))
        app = create_app(final=True)
        # Before the UI, which takes every address that is left.
        app.router.routes[:0] = [
            Mount("/mended", StaticFiles(directory=MENDED)),
        ]
        _mend(pages / "v1" / "index.html")
        collect_elsewhere()
        uvicorn.run(
            OnlyHere(app),
            host="127.0.0.1",
            port=parser.parse_args().port,
            timeout_keep_alive=settings.server.api.keepalive_timeout,
            ws_ping_interval=settings.server.api.websocket_ping_interval,
            ws_ping_timeout=settings.server.api.websocket_ping_timeout,
            log_level=settings.server.logging_level.lower(),
        )


def collect_elsewhere() -> threading.Event:
    """Until the event that is returned is set, garbage of this process is collected in a thread that does nothing else.

    A cursor of SQLite that lies in a cycle is closed by whoever collects it, and has to wait for its connection, which
    may be waiting for the write lock of another one, which waits for the event loop: where that collects, everything
    stands still for the minute that Prefect lets a connection wait.
    """
    gc.disable()
    # What is there now stays, so nobody need look at it again.
    gc.freeze()
    enough = threading.Event()
    threading.Thread(target=_collect, args=(enough,), name="garbage", daemon=True).start()
    return enough


def _collect(enough: threading.Event) -> None:
    times = 0
    while not enough.wait(COLLECT_EVERY):
        times += 1
        gc.collect(2 if times % ALL_OF_IT == 0 else 1)


def _mend(page: Path) -> None:
    """Let the V1 pages, which Prefect has copied here, ask for the stylesheet and the scripts: before all of Prefect's
    own, in place of what an earlier version has put there."""
    before, head, within = page.read_text(encoding="utf-8").partition("<head>")
    _, own, rest = within.partition("<meta charset")
    mending = MENDING.format(desk=escape(installed().desk))
    if own:
        page.write_text(f"{before}{head}{mending}{own}{rest}", encoding="utf-8")


if __name__ == "__main__":
    main()
