"""Signing on with a ticket of Zheliban, against a real stand-in server on loopback."""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from ezt import children
from gateways import zheliban
from gateways.zheliban import ASK, PATH, VALIDATE, Person, TicketError, ZhelibanUnavailableError, person_of, signature
from gateways.zheliban_stand_in import PERSONS, Fault, StandIn, running
from regulation.identity_numbers import NumberKind
from runtime import clock
from runtime.refusals import RefusalError

ROOT = Path(__file__).parents[2]
Configure = Callable[..., None]
Answering = Callable[..., None]

CODE, PASSWORD = "the-service", "the-service-password"
WOMAN = Person("俞小云", NumberKind.RESIDENT, "33060319900101122X")
FOREIGNER = Person("EVA MUSTERMANN", NumberKind.PASSPORT, "C01X00T47")
COMPANY = Person("绍兴柯桥恒盛天和置业有限公司", NumberKind.CREDIT_CODE, "91330603000000010F")


@pytest.fixture(autouse=True)
def _no_connection_outlives_its_test() -> Iterator[None]:
    yield
    zheliban.close()


@pytest.fixture
def stand_in(home: Path, configure: Configure) -> Iterator[StandIn]:
    """A stand-in that knows three, and settings that point to it."""
    with running(StandIn(CODE, PASSWORD, [WOMAN, FOREIGNER, COMPANY])) as server:
        point_to(configure, server.url)
        yield server


def point_to(configure: Configure, url: str) -> None:
    configure(EZT_ZHELIBAN__URL=url, EZT_ZHELIBAN__SERVICE_CODE=CODE, EZT_ZHELIBAN__SERVICE_PASSWORD=PASSWORD)


@pytest.fixture
def answering(home: Path, configure: Configure) -> Iterator[Answering]:
    """A sign-on that answers each call with what it is told, for what the stand-in would never say."""
    answers: list[object] = []

    def take(handler: BaseHTTPRequestHandler) -> None:
        handler.rfile.read(int(handler.headers["Content-Length"]))
        body = json.dumps(answers.pop(0)).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    handler = type("Handler", (BaseHTTPRequestHandler,), {"do_POST": take, "log_message": lambda *_: None})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        point_to(configure, f"http://127.0.0.1:{server.server_address[1]}")
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield lambda *given: answers.extend(given)
        server.shutdown()
        thread.join()


class TestPersons:
    @pytest.mark.parametrize("person", [WOMAN, FOREIGNER, COMPANY], ids=["woman", "foreigner", "company"])
    def test_a_ticket_says_who_comes(self, stand_in: StandIn, person: Person) -> None:
        assert person_of(f" {stand_in.issue(person.number)}\n") == person
        assert stand_in.calls == {VALIDATE: 1, ASK: 1}

    def test_an_address_may_end_with_a_slash(self, stand_in: StandIn, configure: Configure) -> None:
        configure(EZT_ZHELIBAN__URL=f"{stand_in.url}/")
        assert person_of(stand_in.issue(WOMAN.number)) == WOMAN

    def test_the_signature_is_md5_over_code_password_and_time(self) -> None:
        assert signature("k", "s", "1700000000000") == "c4d3fc98255d6327414e3bbf016779ce"

    def test_the_check_character_of_a_number_is_a_capital_x(self, answering: Answering) -> None:
        person = {"result": 0, "username": "俞", "authlevel": 2, "idtype": 1, "idnum": "11010519491231002x"}
        answering({"result": 0, "token": "t"}, person)
        assert person_of("ticket") == Person("俞", NumberKind.RESIDENT, "11010519491231002X")

    def test_a_person_shows_nothing_of_itself(self) -> None:
        assert repr([WOMAN]) == "[Person(RESIDENT)]"


class TestTickets:
    def test_one_can_be_used_once(self, stand_in: StandIn) -> None:
        ticket = stand_in.issue(WOMAN.number)
        person_of(ticket)
        with pytest.raises(TicketError, match="请从浙里办重新进入"):
            person_of(ticket)

    def test_one_lives_for_a_while(self, stand_in: StandIn) -> None:
        stand_in.ticket_life = 0
        with pytest.raises(TicketError, match="已过期"):
            person_of(stand_in.issue(WOMAN.number))

    def test_a_wrong_one(self, stand_in: StandIn) -> None:
        with pytest.raises(TicketError, match="无效"):
            person_of("0" * 32)
        assert stand_in.calls == {VALIDATE: 1}

    def test_none_at_all(self, stand_in: StandIn) -> None:
        with pytest.raises(TicketError, match="没有收到"):
            person_of(" ")
        assert not stand_in.calls

    def test_who_is_not_authenticated_by_real_name_is_nobody(self, stand_in: StandIn) -> None:
        stand_in.order(Fault.NOT_AUTHENTICATED)
        with pytest.raises(TicketError, match="先在浙里办完成实名认证"):
            person_of(stand_in.issue(WOMAN.number))

    def test_a_level_that_is_missing_is_none(self, answering: Answering) -> None:
        answering({"result": "0", "token": "t"}, {"result": "0", "username": "俞", "idtype": "1", "idnum": "x"})
        with pytest.raises(TicketError, match="实名认证"):
            person_of("ticket")

    def test_an_officers_card_is_for_the_counter(self, answering: Answering) -> None:
        card = {"result": "0", "username": "俞", "authlevel": "3", "idtype": "3", "idnum": "1"}
        answering({"result": "0", "token": "t"}, card)
        with pytest.raises(TicketError, match="请到窗口办理"):
            person_of("ticket")


class TestSetUp:
    def test_without_an_address_nobody_signs_on(self, home: Path) -> None:
        with pytest.raises(RefusalError, match="EZT_ZHELIBAN__URL") as refusal:
            person_of("ticket")
        assert not isinstance(refusal.value, TicketError)

    def test_a_wrong_password_looks_like_a_wrong_ticket(self, stand_in: StandIn, configure: Configure) -> None:
        configure(EZT_ZHELIBAN__SERVICE_PASSWORD="not-the-password")
        with pytest.raises(TicketError, match="代码1") as refusal:
            person_of(stand_in.issue(WOMAN.number))
        assert "password" not in str(refusal.value)


WHOLE = {"result": "0", "username": "俞", "authlevel": "3", "idtype": "1", "idnum": "11010519491231002X"}
LEGAL = {"result": "0", "userType": "LEGAL_PERSON"}


class TestFailures:
    @pytest.mark.parametrize("fault", [Fault.DOWN, Fault.GARBAGE])
    def test_down_or_garbage(self, stand_in: StandIn, fault: Fault) -> None:
        stand_in.order(fault)
        with pytest.raises(ZhelibanUnavailableError) as trouble:
            person_of(stand_in.issue(WOMAN.number))
        assert str(trouble.value) == "浙里办暂时故障，请稍后从浙里办重新进入。"
        assert person_of(stand_in.issue(WOMAN.number)) == WOMAN

    def test_slow(self, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(zheliban, "ANSWER_WITHIN", 0.3)
        stand_in.slow_by = 3
        stand_in.order(Fault.SLOW)
        began = time.monotonic()
        with pytest.raises(ZhelibanUnavailableError, match="没有及时答复"):
            person_of(stand_in.issue(WOMAN.number))
        assert time.monotonic() - began < 2

    def test_nobody_there(self, home: Path, configure: Configure) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            point_to(configure, f"http://127.0.0.1:{probe.getsockname()[1]}")
            with pytest.raises(ZhelibanUnavailableError, match="未能连通"):
                person_of("ticket")

    def test_an_address_that_is_none(self, home: Path, configure: Configure) -> None:
        point_to(configure, "http://[sso")
        with pytest.raises(ZhelibanUnavailableError, match="未能连通"):
            person_of("ticket")

    @pytest.mark.parametrize(
        "answers",
        [
            [{}],
            [["0"]],
            [{"result": "0"}],
            [{"result": "0", "token": 7}],
            [{"result": "0", "token": "t"}, {"result": "5", "errmsg": "x"}],
            [{"result": "0", "token": "t"}, WHOLE | {"username": None}],
            [{"result": "0", "token": "t"}, WHOLE | {"idnum": "110105194912310021"}],
            [{"result": "0", "token": "t"}, WHOLE | {"idnum": 7}],
            [{"result": "0", "token": "t"}, LEGAL],
            [{"result": "0", "token": "t"}, LEGAL | {"legalPersonInfo": {"name": "甲"}}],
            [{"result": "0", "token": "t"}, LEGAL | {"legalPersonInfo": {"name": "甲", "unifiedSocialId": "9"}}],
        ],
    )
    def test_what_is_not_to_be_understood(self, answering: Answering, answers: list[object]) -> None:
        answering(*answers)
        with pytest.raises(ZhelibanUnavailableError):
            person_of("ticket")

    def test_no_name_number_ticket_or_password_gets_into_errors_or_logs(
        self, stand_in: StandIn, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        told: list[str] = []
        ticket = stand_in.issue(WOMAN.number)
        person_of(ticket)
        for fault in (Fault.DOWN, Fault.GARBAGE, Fault.NOT_AUTHENTICATED):
            stand_in.order(fault)
            with pytest.raises((TicketError, ZhelibanUnavailableError)) as trouble:
                person_of(stand_in.issue(WOMAN.number))
            told += [*traceback.format_exception(trouble.value), repr(trouble.value.__context__)]
        seen = caplog.text + "".join(told)
        assert PATH in seen
        for value in (WOMAN.name, WOMAN.number, ticket, PASSWORD):
            assert value not in seen


class TestStandIn:
    def test_a_ticket_is_given_over_http(self, stand_in: StandIn) -> None:
        given = httpx.post(f"{stand_in.url}/stand-in/tickets", json={"number": WOMAN.number})
        assert person_of(given.json()["ticket"]) == WOMAN

    def test_not_for_somebody_it_does_not_know(self, stand_in: StandIn) -> None:
        unknown = httpx.post(f"{stand_in.url}/stand-in/tickets", json={"number": "330603199001011240"})
        assert unknown.status_code == 404

    def test_faults_are_ordered_over_http(self, stand_in: StandIn) -> None:
        assert httpx.post(f"{stand_in.url}/stand-in/faults", json={"kind": "down"}).json() == {
            "kind": "down",
            "times": 1,
        }
        with pytest.raises(ZhelibanUnavailableError):
            person_of(stand_in.issue(WOMAN.number))

    @pytest.mark.parametrize("age", [-11, 11])
    def test_a_signature_lives_ten_minutes(self, stand_in: StandIn, age: int) -> None:
        assert call(stand_in, minutes=age)["result"] == "1"
        assert call(stand_in, minutes=age * 0.9)["result"] == "0"

    @pytest.mark.parametrize("wrong", [{"sign": "0" * 32}, {"servicecode": "other"}, {"time": "now"}, {"time": ""}])
    def test_a_wrong_signature(self, stand_in: StandIn, wrong: dict[str, str]) -> None:
        assert call(stand_in, **wrong)["result"] == "1"

    def test_a_method_it_does_not_have(self, stand_in: StandIn) -> None:
        assert call(stand_in, method="idValidation")["result"] == "4"

    def test_a_token_can_be_used_once(self, stand_in: StandIn) -> None:
        token = call(stand_in)["token"]
        assert call(stand_in, method=ASK, token=token)["username"] == WOMAN.name
        assert call(stand_in, method=ASK, token=token)["result"] == "3"


def call(stand_in: StandIn, minutes: float = 0, **fields: str) -> dict[str, Any]:
    """A call that was signed some minutes ago, with a ticket of the woman's."""
    when = (clock.now() - timedelta(minutes=minutes)).astimezone(clock.SHANGHAI).strftime("%Y%m%d%H%M%S")
    form = {"method": VALIDATE, "servicecode": CODE, "time": when, "sign": signature(CODE, PASSWORD, when)}
    form |= {"st": stand_in.issue(WOMAN.number)} | fields
    answer: dict[str, Any] = httpx.post(stand_in.url + PATH, data=form).json()
    return answer


def test_as_a_process_of_its_own(home: Path, configure: Configure, tmp_path: Path) -> None:
    persons = tmp_path / "persons.json"
    persons.write_bytes(PERSONS.dump_json([WOMAN, COMPANY]))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    known = ["--service-code", CODE, "--service-password", PASSWORD, "--persons", str(persons)]
    process = children.start(
        [sys.executable, "-m", "gateways.zheliban_stand_in", "--port", str(port), *known],
        cwd=ROOT,
        env=os.environ,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    point_to(configure, url)
    try:
        ticket = wait_for_ticket(url, COMPANY.number)
        assert person_of(ticket) == COMPANY
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def wait_for_ticket(url: str, number: str) -> str:
    until = time.monotonic() + 60
    while True:
        try:
            ticket: str = httpx.post(f"{url}/stand-in/tickets", json={"number": number}).json()["ticket"]
        except httpx.ConnectError:
            assert time.monotonic() < until, "it did not start"
            time.sleep(0.1)
        else:
            return ticket
