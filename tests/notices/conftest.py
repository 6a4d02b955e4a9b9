"""A mail server on loopback whose faults a test can choose, and notices to send to it."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from ezt.up import free_port
from notifications.notices import ObjectionWithdrawn
from notifications.outbox import queue
from runtime import clock
from runtime.database import transaction
from tests.conftest import forget_settings

DROP = "drop"
"""As an answer to DATA: take the mail, then break the connection without a word."""


class FaultyServer:
    """Answers MAIL, or RCPT and DATA for an address, as it was told, the rest with 250. Counts its connections."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.logins: list[str] = []
        self.connections: set[object] = set()
        self.on_sender: list[str] = []
        self.on_recipient: dict[str, list[str]] = {}
        self.on_data: dict[str, list[str]] = {}
        self.seconds_for: Callable[[EmailMessage], float] = lambda _: 0.0
        self.after_data: Callable[[], object] = lambda: None
        self.lock = threading.Lock()

    def message_ids(self) -> list[str]:
        return [mail["Message-ID"] for mail in self.mails]

    async def handle_MAIL(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _: list[str]
    ) -> str:
        if self.on_sender:
            return self.on_sender.pop(0)
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, _server: SMTP, session: Session, envelope: Envelope, address: str, _: list[str]) -> str:
        self.connections.add(session.peer)
        if answers := self.on_recipient.get(address):
            return answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        answers = self.on_data.get(envelope.rcpt_tos[0], [])
        answer = answers.pop(0) if answers else "250 OK"
        content = envelope.content
        assert isinstance(content, bytes)
        mail = cast("EmailMessage", message_from_bytes(content, policy=default))
        await asyncio.sleep(self.seconds_for(mail))
        if answer.startswith(("250", DROP)):
            with self.lock:
                self.mails.append(mail)
        self.after_data()
        if answer == DROP:
            assert server.transport is not None
            server.transport.abort()
        return answer

    def authenticate(
        self, _server: object, _session: object, _envelope: object, _method: str, given: Any
    ) -> AuthResult:
        assert isinstance(given, LoginPassword)
        self.logins.append(given.login.decode())
        return AuthResult(success=given.password == b"correct horse", handled=False)


@contextmanager
def serving(port: int, security: str = "none", context: ssl.SSLContext | None = None) -> Iterator[FaultyServer]:
    """A server on a port of loopback while the block runs; encrypted ones offer a login."""
    server = FaultyServer()
    options: dict[str, Any] = {"authenticator": server.authenticate}
    if security == "starttls":
        options |= {"tls_context": context, "require_starttls": True, "auth_required": True}
    if security == "tls":
        # aiosmtpd counts only STARTTLS as encryption before a login; here the whole connection is.
        options |= {"ssl_context": context, "auth_require_tls": False}
    controller = Controller(server, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


@pytest.fixture
def serve() -> Callable[..., Any]:
    """``serving``, for tests that choose the settings or the time of the server."""
    return serving


@pytest.fixture
def smtp_settings(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Point the settings to a free port of loopback, with more settings if given; returns the port."""

    def point(**more: str) -> int:
        port = free_port()
        for name, value in {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(port), **more}.items():
            monkeypatch.setenv(f"EZT_{name}", value)
        forget_settings()
        return port

    return point


@pytest.fixture
def server(installation: object, smtp_settings: Callable[..., int]) -> Iterator[FaultyServer]:
    """A plain mail server to which the settings point."""
    with serving(smtp_settings()) as server:
        yield server


def a_notice() -> ObjectionWithdrawn:
    return ObjectionWithdrawn(case_no="YY-2026-000001", certificate="不动产权证书", link="https://kq.example.cn/o/4f0c")


@pytest.fixture
def put() -> Callable[..., None]:
    """Queue a notice to each address, in one transaction."""

    def put(*addresses: str) -> None:
        with transaction() as session:
            for to in addresses:
                queue(session, a_notice(), to, key=f"key-{to}", case_no=None, at=clock.now())

    return put


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str]:
    """A server's TLS context for 127.0.0.1, and the file of the authority that vouches for it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return context, str(path)
