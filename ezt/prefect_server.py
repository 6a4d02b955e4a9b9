"""Prefect's server, whose pages may ask nobody but it: ``python -m ezt.prefect_server --port 4200``.

Prefect's V2 UI reports its use to a company abroad, and no setting of the server stops the browser from doing so. So the
server is started with one middleware more: its pages carry a policy that a browser keeps them to.
"""

import argparse
import os

import uvicorn
from prefect.server.api.server import create_app
from prefect.settings import get_current_settings
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'self'; "
    # The UI's graph of a run is drawn by a worker that it makes itself, and with compiled code.
    "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of every page: whatever is asked for elsewhere does not leave the browser."""


class OnlyHere:
    """An ASGI middleware that puts ``POLICY`` on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = POLICY
                headers["Referrer-Policy"] = "same-origin"
            await send(message)

        await self._app(scope, receive, send_with_policy)


def main() -> None:
    """Serve until stopped, with the settings in the environment."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    api = get_current_settings().server.api
    # As ``prefect server start`` does it: this is the only server of the process.
    os.environ["PREFECT__SERVER_FINAL"] = "1"
    uvicorn.run(
        OnlyHere(create_app(final=True)),
        host="127.0.0.1",
        port=port,
        timeout_keep_alive=api.keepalive_timeout,
        ws_ping_interval=api.websocket_ping_interval,
        ws_ping_timeout=api.websocket_ping_timeout,
        log_level=get_current_settings().server.logging_level.lower(),
    )


if __name__ == "__main__":
    main()
