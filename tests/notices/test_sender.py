"""The way to the mail server: every fault it can have, and each notice sent once however many are sending.

Time is never waited for: a notice becomes due by moving its ``next_attempt_at`` back.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import load_only

from models.cases import StaffTask
from models.notices import NoticeState, OutgoingNotice
from notifications.outbox import message_id_of
from notifications.sender import (
    ATTEMPTS,
    CLAIM,
    EXCHANGE_TIMEOUTS,
    JITTER,
    MARKED_TOGETHER,
    Dispatched,
    MailNotSetUpError,
    dispatch,
    wait_after,
)
from runtime import clock
from runtime.database import reading, transaction
from runtime.keys import Keys, KeysMissingError
from tasks.case.notices import send_notices

A, B = "anna@example.com", "bela@example.com"


def row_of(to: str) -> OutgoingNotice:
    """The notice to an address, without its encrypted columns."""
    plain = load_only(
        OutgoingNotice.state,
        OutgoingNotice.attempts,
        OutgoingNotice.next_attempt_at,
        OutgoingNotice.claimed_until,
        OutgoingNotice.sent_at,
        OutgoingNotice.last_error,
        OutgoingNotice.message_id,
    )
    with reading() as session:
        wanted = select(OutgoingNotice).where(OutgoingNotice.message_id == message_id_of(f"key-{to}", to))
        return session.scalars(wanted.options(plain)).one()


def make_due() -> None:
    """As if the wait of every queued notice were over."""
    with transaction() as session:
        session.execute(update(OutgoingNotice).values(next_attempt_at=clock.now() - timedelta(seconds=1)))


def staff_tasks() -> list[StaffTask]:
    with reading() as session:
        return list(session.scalars(select(StaffTask).order_by(StaffTask.id)))


def test_what_is_queued_is_sent_once(server: Any, put: Callable[..., None]) -> None:
    put(A, B)
    assert dispatch() == Dispatched(sent=2, retried=0, dead=0)
    assert dispatch() == Dispatched(0, 0, 0)
    assert sorted(server.message_ids()) == sorted(message_id_of(f"key-{to}", to) for to in (A, B))
    sent = row_of(A)
    assert (sent.state, sent.attempts, sent.claimed_until, sent.last_error) == (NoticeState.SENT, 1, None, None)
    assert sent.sent_at is not None


def test_what_is_not_due_waits(server: Any, put: Callable[..., None]) -> None:
    put(A)
    with transaction() as session:
        session.execute(update(OutgoingNotice).values(next_attempt_at=clock.now() + timedelta(minutes=1)))
    assert dispatch() == Dispatched(0, 0, 0)
    make_due()
    assert dispatch() == Dispatched(1, 0, 0)


def test_no_more_than_the_limit_the_longest_due_first(server: Any, put: Callable[..., None]) -> None:
    put(A)
    put(B)
    assert dispatch(limit=1).sent == 1
    assert [mail["To"] for mail in server.mails] == [A]


def test_the_schedule_sends_all_that_is_due(server: Any, put: Callable[..., None]) -> None:
    server.on_recipient = {A: ["550 no"], B: ["450 later"]}
    put(A, B, *(f"{n}@example.com" for n in range(210)))
    assert send_notices() == "发出210封，待重试1封，无法送达1封"


def test_without_a_mail_server_notices_stay_queued(installation: Path, put: Callable[..., None]) -> None:
    put(A)
    with pytest.raises(MailNotSetUpError, match="未设置邮件服务器"):
        dispatch()
    # To the schedule, each minute, it is no error.
    assert "未设置邮件服务器" in send_notices()
    assert (row_of(A).state, row_of(A).claimed_until) == (NoticeState.QUEUED, None)


def test_without_keys_no_notice_is_given_up(server: Any, put: Callable[..., None], smtp_settings: Any) -> None:
    put(A)
    smtp_settings(DATA_KEYS="")
    with pytest.raises(KeysMissingError):
        dispatch()
    assert (row_of(A).state, row_of(A).claimed_until) == (NoticeState.QUEUED, None)


@pytest.mark.parametrize("answer", ["450 4.2.1 busy", "451 try later", "421 4.3.2 shutting down"])
@pytest.mark.parametrize("where", ["on_recipient", "on_data"])
def test_a_temporary_refusal_is_tried_again(server: Any, put: Callable[..., None], answer: str, where: str) -> None:
    getattr(server, where)[A] = [answer]
    put(A, B)
    before = clock.now()
    assert dispatch() == Dispatched(sent=1, retried=1, dead=0)
    waiting = row_of(A)
    assert (waiting.state, waiting.attempts, waiting.claimed_until) == (NoticeState.QUEUED, 1, None)
    assert waiting.last_error == f"邮件服务器答复{answer[:3]}"
    assert waiting.next_attempt_at - before >= wait_after(1) * (1 - JITTER)
    assert dispatch() == Dispatched(0, 0, 0)
    make_due()
    assert dispatch() == Dispatched(1, 0, 0)
    assert staff_tasks() == []


@pytest.mark.parametrize("where", ["on_recipient", "on_data"])
def test_a_final_refusal_becomes_a_staff_task(server: Any, put: Callable[..., None], where: str) -> None:
    getattr(server, where)[A] = [f"550 5.1.1 no such user {A}"]
    put(A, B)
    assert dispatch() == Dispatched(sent=1, retried=0, dead=1)
    dead = row_of(A)
    assert (dead.state, dead.attempts, dead.last_error) == (NoticeState.DEAD, 1, "邮件服务器答复550")
    (task,) = staff_tasks()
    assert task.key == f"undeliverable:{dead.message_id}"
    assert task.what == (
        "发往a***@example.com的一封通知无法送达（邮件服务器答复550）。"
        "请按登记的电话联系收件人，告知通知内容并核对邮箱。"
    )
    make_due()
    assert dispatch() == Dispatched(0, 0, 0)


def test_a_revived_notice_that_dies_again_reopens_its_task(server: Any, put: Callable[..., None]) -> None:
    server.on_recipient[A] = ["550 no", "554 no"]
    put(A)
    dispatch()
    with transaction() as session:
        session.execute(update(OutgoingNotice).values(state=NoticeState.QUEUED))
        session.execute(update(StaffTask).values(done_at=clock.now()))
    assert dispatch().dead == 1
    (task,) = staff_tasks()
    assert task.done_at is None
    assert "答复554" in task.what


def test_a_wrong_sender_address_is_no_notice_s_fault(
    installation: Path, smtp_settings: Any, put: Callable[..., None], serve: Callable[..., Any]
) -> None:
    with serve(smtp_settings()) as server:
        server.on_sender = ["550 5.7.1 sender unknown"]
        put(A)
        assert dispatch() == Dispatched(0, 1, 0)
    assert "发件地址（550）" in (row_of(A).last_error or "")


def test_the_waits_grow_to_more_than_a_day_and_then_it_is_given_up(server: Any, put: Callable[..., None]) -> None:
    server.on_recipient[A] = ["450 busy"] * ATTEMPTS
    put(A)
    waits = []
    for attempt in range(1, ATTEMPTS):
        make_due()
        before = clock.now()
        assert dispatch() == Dispatched(0, 1, 0)
        wait = row_of(A).next_attempt_at - before
        assert wait_after(attempt) * (1 - JITTER) <= wait <= wait_after(attempt) * (1 + JITTER) + timedelta(seconds=30)
        waits.append(wait)
    assert sum(map(wait_after, range(1, ATTEMPTS)), timedelta()) == timedelta(hours=59, minutes=41)
    assert all(wait % timedelta(minutes=1) for wait in waits)
    make_due()
    assert dispatch() == Dispatched(0, 0, 1)
    assert (row_of(A).state, row_of(A).attempts) == (NoticeState.DEAD, ATTEMPTS)
    assert len(staff_tasks()) == 1


def test_a_connection_that_breaks_after_data_is_tried_again_as_the_same_mail(
    server: Any, put: Callable[..., None]
) -> None:
    server.on_data[A] = ["drop"]
    put(A, B)
    assert dispatch() == Dispatched(sent=1, retried=1, dead=0)
    make_due()
    assert dispatch() == Dispatched(1, 0, 0)
    assert Counter(server.message_ids())[row_of(A).message_id] == 2
    first, second = (mail for mail in server.mails if mail["To"] == A)
    assert first["Date"] == second["Date"]


def test_a_slow_server_is_not_waited_for(server: Any, put: Callable[..., None]) -> None:
    server.seconds_for = lambda _: 3
    put(A)
    assert dispatch(timeout=0.3) == Dispatched(0, 1, 0)
    assert "Timeout" in (row_of(A).last_error or "")


def test_a_server_that_is_away_is_one_attempt_for_all(
    installation: Path, smtp_settings: Any, put: Callable[..., None]
) -> None:
    smtp_settings(SMTP_CONNECTIONS="2")
    put(*(f"{n}@example.com" for n in range(9)))
    assert dispatch() == Dispatched(0, 9, 0)
    assert dispatch() == Dispatched(0, 0, 0)
    assert {row_of(f"{n}@example.com").attempts for n in range(9)} == {1}
    assert "无法连接" in (row_of("8@example.com").last_error or "")


def test_what_was_accepted_is_marked_while_another_is_on_its_way(
    installation: Path, smtp_settings: Any, put: Callable[..., None], serve: Callable[..., Any]
) -> None:
    with serve(smtp_settings(SMTP_CONNECTIONS="2")) as server:
        server.seconds_for = lambda mail: 2.0 if mail["To"] == B else 0.0
        seen = []
        server.after_data = lambda: seen.append(row_of(A).state)
        put(A, B)
        assert dispatch().sent == 2
    assert seen == [NoticeState.QUEUED, NoticeState.SENT]


def test_what_is_accepted_while_others_are_being_marked_is_marked_too(
    installation: Path, smtp_settings: Any, put: Callable[..., None], serve: Callable[..., Any]
) -> None:
    def write_for_a_second() -> None:
        with transaction() as session:
            session.connection()
            time.sleep(1)

    def keep_busy() -> None:
        server.after_data = lambda: None
        other.submit(write_for_a_second)

    with serve(smtp_settings(SMTP_CONNECTIONS="2")) as server, ThreadPoolExecutor(1) as other:
        server.seconds_for = lambda _: 0.1
        server.after_data = keep_busy
        put(*(f"{n}@example.com" for n in range(10)))
        assert dispatch() == Dispatched(10, 0, 0)


def test_what_cannot_be_marked_stops_the_sending_and_is_sent_again(
    installation: Path, smtp_settings: Any, put: Callable[..., None], serve: Callable[..., Any]
) -> None:
    def rename(before: str, after: str) -> None:
        with transaction() as session:
            session.execute(text(f"ALTER TABLE {before} RENAME TO {after}"))

    def go_away() -> None:
        server.after_data = lambda: None
        rename("outgoing_notices", "away")

    with serve(smtp_settings(SMTP_CONNECTIONS="2")) as server:
        put(*(f"{n}@example.com" for n in range(90)))
        server.after_data = go_away
        with pytest.raises(OperationalError):
            dispatch()
        assert 1 <= len(server.mails) <= 2 * MARKED_TOGETHER + 2
        rename("away", "outgoing_notices")
        with transaction() as session:
            session.execute(update(OutgoingNotice).values(claimed_until=None))
        assert dispatch().sent == 90
    assert len(set(server.message_ids())) == 90
    assert max(Counter(server.message_ids()).values()) == 2


def test_a_claim_that_could_end_too_soon_is_given_back(server: Any, put: Callable[..., None]) -> None:
    put(A)
    assert dispatch(timeout=CLAIM / EXCHANGE_TIMEOUTS / timedelta(seconds=1)) == Dispatched(0, 0, 0)
    assert (row_of(A).attempts, row_of(A).claimed_until) == (0, None)
    assert dispatch().sent == 1


def test_a_claim_that_passed_to_another_is_not_marked(server: Any, put: Callable[..., None]) -> None:
    def another_claims() -> None:
        with transaction() as session:
            session.execute(update(OutgoingNotice).values(claimed_until=clock.now() + 2 * CLAIM))

    server.on_data[A] = ["450 busy"]
    server.after_data = another_claims
    put(A)
    assert dispatch() == Dispatched(0, 0, 0)
    assert row_of(A).attempts == 0


@pytest.mark.parametrize("connections", [1, 3])
def test_connections_are_few_and_used_again(
    installation: Path, smtp_settings: Any, put: Callable[..., None], serve: Callable[..., Any], connections: int
) -> None:
    with serve(smtp_settings(SMTP_CONNECTIONS=str(connections))) as server:
        put(*(f"{n}@example.com" for n in range(30)))
        assert dispatch().sent == 30
    assert len(set(server.message_ids())) == 30
    assert 1 <= len(server.connections) <= connections


def told(mails: list[Any], case_no: str) -> list[str]:
    """What the objector of a case read, in the order it came."""
    return [
        mail["Subject"].partition("（")[0]
        for mail in mails
        if case_no in mail["Subject"] and mail["To"] == "yuxiaoyun@example.com"
    ]


def test_a_case_is_told_in_the_order_in_which_it_happened(clerk: Any, city_bureau: Any, server: Any) -> None:
    server.seconds_for = lambda mail: 0.5 if "已收到" in mail["Subject"] else 0.0
    cases = [clerk.register(certificate=f"第{number}张证照") for number in range(3)]
    for case in cases:
        case.accept()
        case.request()
    assert dispatch().retried == 0
    for case in cases:
        assert told(server.mails, case.case_no) == [
            "已收到您的异议",
            "您的异议已受理",
            "已向绍兴市大数据局提出核实需求",
        ]


def test_what_came_later_in_a_case_does_not_overtake_what_another_is_sending(clerk: Any, server: Any) -> None:
    case, other = clerk.register(certificate="一张证照"), clerk.register(certificate="另一张证照")
    case.accept()
    with transaction() as session:
        own = select(func.min(OutgoingNotice.id)).where(OutgoingNotice.case_no == case.case_no).scalar_subquery()
        claim = update(OutgoingNotice).where(OutgoingNotice.id == own)
        session.execute(claim.values(claimed_until=clock.now() + CLAIM))
    dispatch()
    assert (told(server.mails, case.case_no), told(server.mails, other.case_no)) == ([], ["已收到您的异议"])
    with transaction() as session:
        session.execute(update(OutgoingNotice).values(claimed_until=None))
    dispatch()
    assert told(server.mails, case.case_no) == ["已收到您的异议", "您的异议已受理"]


def test_a_refusal_does_not_cost_the_connection(
    installation: Path, smtp_settings: Any, put: Callable[..., None], serve: Callable[..., Any]
) -> None:
    with serve(smtp_settings(SMTP_CONNECTIONS="1")) as server:
        server.on_recipient = {A: ["550 no"], B: ["450 later"]}
        put(A, B, "c@example.com")
        assert dispatch() == Dispatched(1, 1, 1)
    assert len(server.connections) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_login_over_an_encrypted_connection(
    installation: Path,
    smtp_settings: Any,
    put: Callable[..., None],
    serve: Callable[..., Any],
    certificates: Any,
    security: str,
) -> None:
    context, authority = certificates
    login = {"SMTP_USER": "ezt", "SMTP_PASSWORD": "correct horse"}
    port = smtp_settings(SMTP_SECURITY=security, SMTP_CA_FILE=authority, **login)
    with serve(port, security=security, context=context) as server:
        put(A)
        assert dispatch() == Dispatched(1, 0, 0)
    assert server.logins == ["ezt"]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_that_nobody_vouches_for_gets_nothing(
    installation: Path,
    smtp_settings: Any,
    put: Callable[..., None],
    serve: Callable[..., Any],
    certificates: Any,
    security: str,
) -> None:
    port = smtp_settings(SMTP_SECURITY=security, SMTP_USER="ezt", SMTP_PASSWORD="correct horse")
    with serve(port, security=security, context=certificates[0]) as server:
        put(A)
        assert dispatch() == Dispatched(0, 1, 0)
    assert (server.mails, server.logins) == ([], [])
    assert "无法连接" in (row_of(A).last_error or "")


def test_starttls_that_the_server_does_not_offer_is_not_done_without(
    installation: Path, smtp_settings: Any, put: Callable[..., None], serve: Callable[..., Any]
) -> None:
    with serve(smtp_settings(SMTP_SECURITY="starttls")) as server:
        put(A)
        assert dispatch() == Dispatched(0, 1, 0)
    assert server.mails == []


def test_a_wrong_password_gives_no_notice_up(
    installation: Path, smtp_settings: Any, put: Callable[..., None], serve: Callable[..., Any], certificates: Any
) -> None:
    context, authority = certificates
    port = smtp_settings(SMTP_SECURITY="tls", SMTP_CA_FILE=authority, SMTP_USER="ezt", SMTP_PASSWORD="wrong")
    with serve(port, security="tls", context=context):
        put(A, B)
        assert dispatch() == Dispatched(0, 2, 0)
    assert row_of(A).last_error == "邮件服务器登录失败（535）"


@pytest.mark.parametrize(
    ("poison", "error", "whose"),
    [
        ({"context": "x"}, "通知无法生成：无法解密", "发往a***@example.com"),
        ({"recipient": "x"}, "通知无法生成：无法解密", "收件地址无法解密"),
        ({"notice": "never-written"}, "通知无法生成：KeyError", "发往a***@example.com"),
        ({"notice": "objection-closed"}, "通知无法生成：ValidationError", "发往a***@example.com"),
    ],
)
def test_a_poisoned_notice_does_not_stop_the_others(
    server: Any, put: Callable[..., None], poison: dict[str, str], error: str, whose: str
) -> None:
    put(A, B)
    elsewhere = Keys(urlsafe_b64encode(os.urandom(32)).decode(), "another installation")
    sealed = {name: elsewhere.encrypt_text('"x"') for name in ("context", "recipient")}
    ((column, value),) = poison.items()
    with transaction() as session:
        session.execute(
            text(f"UPDATE outgoing_notices SET {column} = :value WHERE message_id = :id"),  # column is one of ours
            {"value": sealed.get(column, value), "id": message_id_of(f"key-{A}", A)},
        )
    assert dispatch() == Dispatched(sent=1, retried=0, dead=1)
    assert (row_of(A).state, row_of(A).last_error) == (NoticeState.DEAD, error)
    (task,) = staff_tasks()
    assert task.what.startswith(f"{whose}的一封通知无法送达（{error}）")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_dispatchers_at_once_send_each_notice_once(
    kind: str,
    install: Callable[[str, str], Path],
    smtp_settings: Any,
    put: Callable[..., None],
    serve: Callable[..., Any],
) -> None:
    together = threading.Barrier(4)
    port = smtp_settings(SMTP_CONNECTIONS="2")
    install(kind, "migrated")
    put(*(f"{n}@example.com" for n in range(80)))

    def one_of_four(_: int) -> int:
        together.wait()
        return sum(dispatch(limit=10).sent for _ in range(4))

    with serve(port) as server, ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(one_of_four, range(4))) + dispatch().sent == 80
    assert Counter(Counter(server.message_ids()).values()) == {1: 80}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_dispatcher_killed_before_it_could_mark_sends_the_same_mail_again(
    kind: str,
    install: Callable[[str, str], Path],
    smtp_settings: Any,
    put: Callable[..., None],
    serve: Callable[..., Any],
) -> None:
    port = smtp_settings()
    install(kind, "migrated")
    put(A)
    dispatcher: list[subprocess.Popen[bytes]] = []
    started = threading.Event()

    with serve(port) as server:

        def kill() -> None:
            server.after_data = lambda: None
            assert started.wait(30)
            os.kill(dispatcher[0].pid, signal.SIGKILL)
            dispatcher[0].wait()

        server.after_data = kill
        program = [sys.executable, "-c", "from notifications.sender import dispatch; dispatch()"]
        dispatcher.append(subprocess.Popen(program))
        started.set()
        assert dispatcher[0].wait(timeout=60) == -signal.SIGKILL
        killed = row_of(A)
        assert (killed.state, killed.attempts, len(server.mails)) == (NoticeState.QUEUED, 0, 1)
        assert killed.claimed_until is not None
        # Its claim keeps the notice until it runs out.
        assert dispatch() == Dispatched(0, 0, 0)
        with transaction() as session:
            session.execute(update(OutgoingNotice).values(claimed_until=clock.now()))
        assert dispatch() == Dispatched(1, 0, 0)
    assert server.message_ids() == [killed.message_id] * 2
