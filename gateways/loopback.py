"""How a stand-in is served: on loopback only, in a thread of its own or until its process is stopped."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

import uvicorn
from starlette.types import Receive, Scope, Send


class _Titled(Protocol):
    """An application with a name."""

    title: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


@contextmanager
def serving(app: _Titled, port: int) -> Iterator[int]:
    """``app`` on ``port`` (0 takes a free one) while the block runs; yields the port. ``OSError`` when it is taken."""
    # asyncio sends at once only on what is said to be TCP; elsewhere a second packet waits 40 ms for the first.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        server = uvicorn.Server(_config(app, port, "critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name=app.title)
        thread.start()
        try:
            while not server.started:
                if not thread.is_alive():
                    raise RuntimeError(f"{app.title}的替身没有启动")
                time.sleep(0.01)
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def serve(app: _Titled, port: int) -> None:
    """Serve ``app`` until the process is stopped."""
    with suppress(KeyboardInterrupt):
        uvicorn.Server(_config(app, port, "info")).run()


def _config(app: _Titled, port: int, log_level: str) -> uvicorn.Config:
    # A cut connection is an error to uvicorn and an order to us, hence the log level in ``serving``.
    return uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        log_level=log_level,
        access_log=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
