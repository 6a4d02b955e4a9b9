"""The stand-in bureau: as strict as the platform it stands for, and failing only to order."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from ezt import children
from ezt.up import free_port
from gateways.stand_in import NOBODYS_CASE, Callback, Fault, StandIn, running
from gateways.superior_bureaus import VerificationMessage, fetch_reply, mapping, parse_reply, send_verification
from gateways.zhejiang_gateway import BY_KEY, BY_SECRET, signature
from regulation.objections import Bureau, Finding, Pursuit
from runtime.signing import sign

ROOT = Path(__file__).parents[2]
Start = Callable[..., StandIn]


def signed(stand_in: StandIn, secret: str, age_minutes: float = 0) -> dict[str, str]:
    """The three fields of a signature made some minutes ago."""
    request_time = str(int((time.time() - age_minutes * 60) * 1000))
    sign_ = signature(stand_in.app_key, secret, request_time)
    return {"appKey": stand_in.app_key, "requestTime": request_time, "sign": sign_}


def ask(stand_in: StandIn, path: str, fields: dict[str, str]) -> dict[str, Any]:
    """A POST and the envelope that came back."""
    envelope: dict[str, Any] = httpx.post(stand_in.url + path, data=fields).json()
    return envelope


class TestStrictness:
    def test_secrets_by_key(self, city: StandIn) -> None:
        envelope = ask(city, BY_KEY, signed(city, city.app_secret))
        lent = envelope["datas"]
        assert (envelope["code"], envelope["msg"], envelope["totalPage"]) == ("00", "成功", 1)
        assert lent["requestSecretEndTime"] / 1000 == pytest.approx(time.time() + 15 * 60, abs=5)
        assert lent["refreshSecretEndTime"] / 1000 == pytest.approx(time.time() + 48 * 3600, abs=5)

    def test_secrets_by_get(self, city: StandIn) -> None:
        answer = httpx.get(city.url + BY_KEY, params=signed(city, city.app_secret))
        assert answer.json()["code"] == "00"

    def test_a_refresh_makes_the_old_request_secret_worthless(self, city: StandIn) -> None:
        lent = ask(city, BY_KEY, signed(city, city.app_secret))["datas"]
        fresh = ask(city, BY_SECRET, signed(city, lent["refreshSecret"]))["datas"]
        assert fresh.keys() == {"requestSecret", "requestSecretEndTime"}
        assert ask(city, mapping().reply_path, signed(city, lent["requestSecret"]))["code"] == "03"
        assert ask(city, mapping().reply_path, signed(city, fresh["requestSecret"]))["code"] == "41"

    @pytest.mark.parametrize("age_minutes", [-16, 16])
    def test_a_signature_lives_15_minutes(self, city: StandIn, age_minutes: int) -> None:
        assert ask(city, BY_KEY, signed(city, city.app_secret, age_minutes))["code"] == "14"
        assert ask(city, BY_KEY, signed(city, city.app_secret, age_minutes * 0.9))["code"] == "00"

    @pytest.mark.parametrize("wrong", [{"appKey": "other"}, {"sign": "0" * 32}, {"requestTime": "now"}])
    def test_a_wrong_signature(self, city: StandIn, wrong: dict[str, str]) -> None:
        assert ask(city, BY_KEY, signed(city, city.app_secret) | wrong)["code"] == "14"
        assert ask(city, mapping().send_path, signed(city, city.app_secret) | wrong)["code"] == "14"
        assert not city.taken

    def test_an_ended_request_secret(self, start_bureau: Start) -> None:
        city = start_bureau(request_secret_life=-1)
        lent = ask(city, BY_KEY, signed(city, city.app_secret))["datas"]
        assert ask(city, mapping().send_path, signed(city, lent["requestSecret"]))["code"] == "11"

    def test_an_ended_refresh_secret(self, start_bureau: Start) -> None:
        city = start_bureau(refresh_secret_life=-1)
        lent = ask(city, BY_KEY, signed(city, city.app_secret))["datas"]
        assert ask(city, BY_SECRET, signed(city, lent["refreshSecret"]))["code"] == "14"

    def test_an_address_it_does_not_have(self, city: StandIn) -> None:
        lent = ask(city, BY_KEY, signed(city, city.app_secret))["datas"]
        assert ask(city, "/gateway/api/other.htm", signed(city, lent["requestSecret"]))["code"] == "44"


def test_both_signatures_are_those_that_openssl_makes() -> None:
    """The platform's MD5 over key, secret and time; our own HMAC-SHA256 over five lines."""
    assert signature("k", "s", "1700000000000") == "c4d3fc98255d6327414e3bbf016779ce"
    ours = sign("s", "POST", "/api/v1/objections", 1700000000000, "n-1", b"{}")
    assert ours == "f61300d8f7b4158f2ed0ca39803f424838af2aecd886a58f7864065743b0e940"


class TestReplies:
    @pytest.mark.parametrize("finding", Finding)
    def test_only_an_error_is_corrected(
        self, start_bureau: Start, message: VerificationMessage, finding: Finding
    ) -> None:
        start_bureau(finding=finding)
        reply = fetch_reply(Bureau.CITY, send_verification(Bureau.CITY, message))
        assert reply is not None
        assert reply.finding is finding
        assert bool(reply.corrected_value) == (finding in {Finding.WRONG, Finding.PARTLY_WRONG})
        assert reply.content == f"绍兴市大数据局经向数据源头核实：{finding}。"

    def test_an_urge_has_a_number_and_no_reply_of_its_own(self, city: StandIn, message: VerificationMessage) -> None:
        urge = message.model_copy(update={"pursuit": Pursuit.URGE, "idempotency_key": "urge"})
        assert fetch_reply(Bureau.CITY, send_verification(Bureau.CITY, urge)) is None

    def test_late_to_order(self, city: StandIn, message: VerificationMessage) -> None:
        city.order(Fault.ANSWER_LATE)
        assert fetch_reply(Bureau.CITY, send_verification(Bureau.CITY, message)) is None
        city.late_by = 0
        city.order(Fault.ANSWER_LATE)
        in_time = message.model_copy(update={"idempotency_key": "2"})
        assert fetch_reply(Bureau.CITY, send_verification(Bureau.CITY, in_time))

    def test_for_a_case_nobody_has(self, city: StandIn, message: VerificationMessage) -> None:
        city.order(Fault.UNKNOWN_CASE)
        reply = fetch_reply(Bureau.CITY, send_verification(Bureau.CITY, message))
        assert reply is not None
        assert reply.case_no == NOBODYS_CASE


class TestCallback:
    def test_the_reply_is_pushed_and_signed_as_our_interface_wants(
        self, start_bureau: Start, message: VerificationMessage, listener: Any, wait_for: Callable[..., None]
    ) -> None:
        city = start_bureau(callback=Callback(listener.url, "bureau", "secret"))
        send_verification(Bureau.CITY, message)
        wait_for(lambda: city.pushed == [200])
        ((path, headers, body),) = listener.posts
        assert path == "/replies?from=city"
        assert headers["X-EZT-Key"] == "bureau"
        right = sign("secret", "POST", path, int(headers["X-EZT-Time"]), headers["X-EZT-Nonce"], body)
        assert headers["X-EZT-Signature"] == right
        assert int(headers["X-EZT-Time"]) / 1000 == pytest.approx(time.time(), abs=10)
        assert parse_reply(httpx.Response(200, content=body).json()).corrected_value == message.proposed

    def test_a_request_that_arrives_again_is_not_answered_again(
        self, start_bureau: Start, message: VerificationMessage, listener: Any, wait_for: Callable[..., None]
    ) -> None:
        city = start_bureau(callback=Callback(listener.url, "bureau", "secret"))
        city.order(Fault.DROP_AFTER_WORK)
        send_verification(Bureau.CITY, message)
        wait_for(lambda: city.pushed)
        other = message.model_copy(update={"idempotency_key": "2"})
        send_verification(Bureau.CITY, other)
        wait_for(lambda: len(city.pushed) == 2)
        assert len({body for _, _, body in listener.posts}) == 2

    def test_twice_to_order_each_with_its_own_nonce(
        self, start_bureau: Start, message: VerificationMessage, listener: Any, wait_for: Callable[..., None]
    ) -> None:
        city = start_bureau(callback=Callback(listener.url, "bureau", "secret"))
        city.order(Fault.ANSWER_TWICE)
        send_verification(Bureau.CITY, message)
        wait_for(lambda: city.pushed == [200, 200])
        assert len({body for _, _, body in listener.posts}) == 1
        assert len({headers["X-EZT-Nonce"] for _, headers, _ in listener.posts}) == 2

    @pytest.mark.parametrize(("statuses", "pushed"), [([503, 200], [503, 200]), ([422], [422])])
    def test_what_failed_is_pushed_again_and_what_was_refused_is_not(
        self,
        start_bureau: Start,
        message: VerificationMessage,
        listener: Any,
        wait_for: Callable[..., None],
        statuses: list[int],
        pushed: list[int],
    ) -> None:
        listener.statuses = statuses
        city = start_bureau(callback=Callback(listener.url, "bureau", "secret"))
        send_verification(Bureau.CITY, message)
        wait_for(lambda: city.pushed == pushed)


class TestControl:
    def test_faults_are_ordered_over_http(self, city: StandIn, message: VerificationMessage) -> None:
        answer = httpx.post(f"{city.url}/stand-in/faults", json={"kind": "500", "times": 2})
        assert answer.json() == {"kind": "500", "times": 2}
        send_verification(Bureau.CITY, message)
        assert not city.ordered(Fault.SERVER_ERROR)

    @pytest.mark.parametrize("order", [{"kind": "rain"}, {"kind": "slow", "times": 0}, {}])
    def test_there_is_no_such_fault(self, city: StandIn, order: dict[str, object]) -> None:
        assert httpx.post(f"{city.url}/stand-in/faults", json=order).status_code == 422

    def test_what_arrived_can_be_seen(self, city: StandIn, message: VerificationMessage) -> None:
        number = send_verification(Bureau.CITY, message)
        seen = httpx.get(f"{city.url}/stand-in/received").json()
        assert seen["taken"] == {message.idempotency_key: number}
        assert seen["calls"][0]["fields"]["caseNo"] == message.case_no
        assert seen["lent"] == {BY_KEY: 1}

    def test_it_stops_at_once_though_calls_and_pushes_hang(
        self, installation: Path, message: VerificationMessage, configure: Callable[..., None]
    ) -> None:
        nowhere = Callback("http://127.0.0.1:9/", "bureau", "secret")
        with running(StandIn("k", "s", reply_after=3600, callback=nowhere)) as city:
            configure(EZT_CITY_GATEWAY__URL=city.url, EZT_CITY_GATEWAY__APP_KEY="k", EZT_CITY_GATEWAY__APP_SECRET="s")
            send_verification(Bureau.CITY, message)
            city.order(Fault.SLOW)
            with pytest.raises(httpx.ReadTimeout):
                httpx.post(city.url + mapping().reply_path, timeout=0.1)
            began = time.monotonic()
        assert time.monotonic() - began < 5

    def test_a_taken_port(self, city: StandIn) -> None:
        with pytest.raises(OSError, match="in use"), running(StandIn("k", "s", port=city.port)):
            pass


def test_it_runs_as_a_program_and_stops_when_told(
    installation: Path,
    configure: Callable[..., None],
    message: VerificationMessage,
    listener: Any,
    wait_for: Callable[..., None],
) -> None:
    port = free_port()
    command = [sys.executable, "-m", "gateways.stand_in", "--port", str(port), "--app-key", "k"]
    command += ["--app-secret", "s", "--name", "浙江省大数据局", "--reply-after", "0.1", "--finding", "RIGHT"]
    command += ["--callback", listener.url, "--callback-key", "bureau", "--callback-secret", "secret"]
    program = children.start(command, cwd=ROOT, stderr=subprocess.PIPE, env=os.environ | {"PYTHONUTF8": "1"})
    try:
        configure(
            EZT_PROVINCE_GATEWAY__URL=f"http://127.0.0.1:{port}",
            EZT_PROVINCE_GATEWAY__APP_KEY="k",
            EZT_PROVINCE_GATEWAY__APP_SECRET="s",
        )
        wait_for(lambda: answers(port))
        send_verification(Bureau.PROVINCE, message)
        wait_for(lambda: listener.posts)
        reply = parse_reply(httpx.Response(200, content=listener.posts[0][2]).json())
        assert (reply.finding, reply.corrected_value) == (Finding.RIGHT, "")
        assert reply.content.startswith("浙江省大数据局")
    finally:
        program.send_signal(signal.SIGINT)
        _, said = program.communicate(timeout=20)
    assert program.returncode == 0
    assert b"Traceback" not in said


def answers(port: int) -> bool:
    """Whether somebody answers on a port of loopback."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/stand-in/received").is_success
    except httpx.TransportError:
        return False
