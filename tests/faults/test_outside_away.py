"""Mail server and bureau away for a day, then coming and going; and a bureau that answers what is no answer. The days
are simulated, the servers are real."""

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import stamina
from aiosmtpd.controller import Controller
from sqlalchemy import func, select

from ezt.up import free_port
from gateways import zhejiang_gateway
from gateways.answers import LARGEST
from gateways.stand_in import Fault, StandIn, running
from gateways.zhejiang_gateway import ATTEMPTS
from models.cases import StaffTask
from models.notices import NoticeState, OutgoingNotice
from models.objections import VerificationRequest
from notifications.sender import dispatch
from regulation.objections import Stage
from runtime import clock
from runtime.database import reading
from tasks.keeping.records import seal_record, verify_record
from tasks.objections import steps as objections
from tasks.objections import verifications
from tasks.objections.questions import has_reply
from tests.conftest import Clerk, Mailbox

pytestmark = pytest.mark.thorough

SEED = 330603
EVERY = timedelta(minutes=2)
"""How often the scheduled stories look after what is left over."""
AWAY = timedelta(hours=23)
FLAPS = (timedelta(minutes=6), timedelta(minutes=2))
"""For how long a server is there and away, by turns, when it comes back."""


class Time:
    """The simulated present, which only moves when it is told to."""

    def __init__(self) -> None:
        self.now = datetime.fromisoformat("2026-03-02T09:00:00+08:00")  # a Monday
        """Far from midnight, weekends and holidays."""

    def pass_by(self, lasting: timedelta, work: Callable[[], object]) -> None:
        """Let time pass, with ``work`` done as often as it is scheduled."""
        until = self.now + lasting
        while self.now < until:
            self.now += EVERY
            work()


@pytest.fixture
def present(sample_data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Time]:
    # After the sample data, which other tests share.
    given = Time()
    monkeypatch.setattr(clock, "now", lambda: given.now)
    with stamina.set_testing(True, attempts=ATTEMPTS, cap=True):
        yield given
    zhejiang_gateway.close()


def queued() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).where(OutgoingNotice.state == NoticeState.QUEUED)) or 0


def test_a_mail_server_that_is_away_for_a_day_and_then_comes_and_goes(
    present: Time, clerk: Clerk, configure: Callable[..., None]
) -> None:
    # When somebody tries again is up to chance.
    random.seed(SEED)
    box, port = Mailbox(), free_port()
    configure(EZT_SMTP_HOST="127.0.0.1", EZT_SMTP_PORT=port)
    cases = [clerk.register(email=f"objector{number}@example.com", certificate=f"第{number}号") for number in range(5)]
    present.pass_by(AWAY, lambda: dispatch(timeout=2))
    assert (len(box.mails), queued()) == (0, 10)
    with reading() as session:
        assert session.scalars(select(StaffTask.key)).all() == [], "nothing is given up"

    @contextmanager
    def there() -> Iterator[None]:
        controller = Controller(box, hostname="127.0.0.1", port=port)
        controller.start()
        try:
            yield
        finally:
            controller.stop()

    for _ in range(200):
        if not queued():
            break
        with there():
            present.pass_by(FLAPS[0], lambda: dispatch(limit=2, timeout=2))
        present.pass_by(FLAPS[1], lambda: dispatch(limit=2, timeout=2))
    assert queued() == 0
    with reading() as session:
        ids = session.scalars(select(OutgoingNotice.message_id)).all()
        assert set(session.scalars(select(OutgoingNotice.state))) == {NoticeState.SENT}
    assert Counter(mail["Message-ID"] for mail in box.mails) == Counter(ids)
    assert {len(box.to(f"objector{number}@example.com")) for number in range(len(cases))} == {1}


def test_a_bureau_that_is_away_for_a_day_and_then_comes_and_goes(
    present: Time, clerk: Clerk, configure: Callable[..., None]
) -> None:
    port = free_port()
    configure(
        EZT_CITY_GATEWAY__URL=f"http://127.0.0.1:{port}",
        EZT_CITY_GATEWAY__APP_KEY="kq-app",
        EZT_CITY_GATEWAY__APP_SECRET="kq-secret",
    )
    cases = [clerk.register(certificate=f"第{number}号") for number in range(5)]
    for case in cases:
        case.accept()
        case.request()
    present.pass_by(AWAY, verifications.correspond)
    assert {case.stage() for case in cases} == {Stage.ACCEPTED}
    bureau = StandIn("kq-app", "kq-secret", port=port)
    for flap in range(200):
        with running(bureau):
            # It is there, and every other time it loses its answer.
            bureau.order(Fault.DROP_AFTER_WORK, ATTEMPTS * (flap % 2))
            present.pass_by(FLAPS[0], verifications.correspond)
            bureau.forgive()
        zhejiang_gateway.close()
        present.pass_by(FLAPS[1], verifications.correspond)
        if all(has_reply(case.case_no) for case in cases):
            break
    assert all(has_reply(case.case_no) for case in cases)
    with reading() as session:
        sent = session.execute(select(VerificationRequest.idempotency_key, VerificationRequest.remote_no)).tuples()
        assert dict(sent.all()) == {key: taken.number for key, taken in bureau.taken.items()}
    assert len(bureau.taken) == 5
    for case in cases:
        objections.take_reply.run(case.case_no)
        assert case.stage() == Stage.REPLIED
    seal_record(clock.now())
    assert verify_record().findings == ()


@contextmanager
def answering(parts: Callable[[], Iterator[bytes]]) -> Iterator[str]:
    """A server that answers whatever it is asked with these bytes, part by part; its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                try:
                    for part in parts():
                        if over.is_set():
                            return
                        connection.sendall(part)
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        over.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"


def whole(body: bytes) -> Iterator[bytes]:
    yield OK + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def truncated() -> Iterator[bytes]:
    yield OK + b'Content-Length: 500\r\n\r\n{"code": "00", "datas": {"requestSec'


def endless() -> Iterator[bytes]:
    yield OK + b"\r\n"
    for _ in range(4 * LARGEST // 2**20):
        yield b" " * 2**20


def dripping() -> Iterator[bytes]:
    yield OK + b"\r\n"
    while True:
        yield b" "
        time.sleep(0.1)


GARBAGE: dict[str, Callable[[], Iterator[bytes]]] = {
    "a page": lambda: whole(b"<html>\xe7\xbb\xb4\xe6\x8a\xa4\xe4\xb8\xad</html>"),
    "nothing": lambda: whole(b""),
    "half an answer": truncated,
    "a list": lambda: whole(b'[{"code": "00"}]'),
    "bytes": lambda: whole(bytes(range(256))),
    "no secrets": lambda: whole(b'{"code": "00", "datas": {"requestSecret": ""}}'),
    "no HTTP": lambda: iter([b"220 mail.example.cn ESMTP\r\n"]),
    "no end": endless,
    "an answer by drops": dripping,
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_a_bureau_that_answers_garbage_is_tried_again_later(
    present: Time,
    clerk: Clerk,
    configure: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    garbage: Callable[[], Iterator[bytes]],
) -> None:
    # What a first call asks for are secrets.
    defaults = zhejiang_gateway.Gateway.__init__.__defaults__
    monkeypatch.setattr(zhejiang_gateway.Gateway.__init__, "__defaults__", (defaults[0], 0.5, *defaults[2:]))
    case = clerk.register()
    with answering(garbage) as url:
        configure(
            EZT_CITY_GATEWAY__URL=url, EZT_CITY_GATEWAY__APP_KEY="kq-app", EZT_CITY_GATEWAY__APP_SECRET="kq-secret"
        )
        case.accept()
        began = time.monotonic()
        case.request()
        assert time.monotonic() - began < 60
        assert case.stage() == Stage.ACCEPTED
        zhejiang_gateway.close()
    with running(StandIn("kq-app", "kq-secret")) as bureau:
        configure(EZT_CITY_GATEWAY__URL=bureau.url)
        present.pass_by(timedelta(minutes=4), verifications.correspond)
        assert len(bureau.taken) == 1
        assert has_reply(case.case_no)
