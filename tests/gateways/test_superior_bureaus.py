"""Verification requests over the superior bureaus' gateways, against a real stand-in server on loopback."""

import json
import logging
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateways.stand_in import Fault, StandIn, running
from gateways.superior_bureaus import (
    ReplyError,
    VerificationMessage,
    fetch_reply,
    mapping,
    parse_reply,
    send_verification,
)
from gateways.zhejiang_gateway import (
    ATTEMPTS,
    BY_KEY,
    BY_SECRET,
    REFRESH_EARLY,
    BureauRefusedError,
    BureauUnavailableError,
    Gateway,
    MappingError,
    close,
    has_gateway,
)
from models.gateway_secrets import GatewaySecret
from regulation.objections import Bureau, Finding
from runtime.database import reading

ROOT = Path(__file__).parents[2]
BUILT_IN = ROOT / "gateways" / "verification_mapping.json"
Configure = Callable[..., None]


def again(message: VerificationMessage, number: int) -> VerificationMessage:
    """Another request of the same content."""
    return message.model_copy(update={"idempotency_key": f"{message.case_no}-{number}"})


class TestSending:
    def test_the_request_arrives_in_the_bureaus_own_words(self, city: StandIn, message: VerificationMessage) -> None:
        number = send_verification(Bureau.CITY, message)
        (arrived,) = city.received
        fields = arrived["fields"]
        assert arrived["path"] == mapping().send_path
        assert number == city.taken[message.idempotency_key].number
        assert {name: fields[name] for name in ("caseNo", "requestNo", "requestKind", "grounds", "dueDate")} == {
            "caseNo": "YY2026000001",
            "requestNo": "YY2026000001-1",
            "requestKind": "提出核实需求",
            "grounds": "准确性、时效性",
            "dueDate": "2026-02-25",
        }

    def test_the_matter_travels_as_additional(self, city: StandIn, message: VerificationMessage) -> None:
        send_verification(Bureau.CITY, message)
        assert json.loads(city.received[0]["fields"]["additional"]) == {
            "powerMatters": "异议核查",
            "subPowerMatters": "电子证照数据核实",
            "accesscardId": "K001",
            "materialName": "居民身份证",
            "sponsorName": "柯桥区大数据中心",
            "sponsorCode": "330603",
            "projectId": "YY2026000001",
        }

    def test_the_same_request_twice_gets_the_same_number(self, city: StandIn, message: VerificationMessage) -> None:
        assert send_verification(Bureau.CITY, message) == send_verification(Bureau.CITY, message)
        assert len(city.taken) == 1

    def test_a_connection_dropped_after_the_work_does_no_harm(
        self, city: StandIn, message: VerificationMessage
    ) -> None:
        city.order(Fault.DROP_AFTER_WORK)
        number = send_verification(Bureau.CITY, message)
        assert [call["fields"]["requestNo"] for call in city.received] == [message.idempotency_key] * 2
        assert [taken.number for taken in city.taken.values()] == [number]

    def test_after_closing_the_next_call_opens_a_connection(self, city: StandIn, message: VerificationMessage) -> None:
        send_verification(Bureau.CITY, message)
        close()
        close()
        assert send_verification(Bureau.CITY, message)


class TestFetching:
    def test_no_reply_yet_then_a_reply(
        self, start_bureau: Callable[..., StandIn], message: VerificationMessage
    ) -> None:
        city = start_bureau(reply_after=3600)
        number = send_verification(Bureau.CITY, message)
        assert fetch_reply(Bureau.CITY, number) is None
        city.reply_after = 0
        reply = fetch_reply(Bureau.CITY, send_verification(Bureau.CITY, again(message, 2)))
        assert reply is not None
        assert (reply.case_no, reply.finding) == (message.case_no, Finding.WRONG)
        assert reply.corrected_value == message.proposed

    def test_datas_may_be_text_inside_the_json(self, city: StandIn, message: VerificationMessage) -> None:
        city.order(Fault.TEXT_DATAS, 3)
        number = send_verification(Bureau.CITY, message)
        reply = fetch_reply(Bureau.CITY, number)
        assert reply is not None
        assert reply.reply_no == f"{number}-1"

    def test_an_unknown_number_is_for_staff(self, city: StandIn) -> None:
        with pytest.raises(BureauRefusedError, match="代码41：没有这个受理编号"):
            fetch_reply(Bureau.CITY, "HS0")


class TestSecrets:
    def test_one_pair_serves_many_calls(self, city: StandIn, message: VerificationMessage) -> None:
        for number in range(5):
            send_verification(Bureau.CITY, again(message, number))
        assert city.lent == {BY_KEY: 1}

    def test_they_are_not_readable_in_the_database(self, city: StandIn, message: VerificationMessage) -> None:
        send_verification(Bureau.CITY, message)
        with reading() as session:
            stored = str(session.connection().exec_driver_sql("SELECT * FROM gateway_secrets").all())
            assert session.get_one(GatewaySecret, "CITY").request_secret == city.request_secret
        assert city.request_secret not in stored
        assert city.refresh_secret not in stored

    def test_each_bureau_has_its_own(self, start_bureau: Callable[..., StandIn], message: VerificationMessage) -> None:
        city, province = start_bureau(), start_bureau(Bureau.PROVINCE)
        for bureau in (Bureau.CITY, Bureau.PROVINCE, Bureau.CITY):
            send_verification(bureau, message)
        assert city.lent == province.lent == {BY_KEY: 1}
        assert (len(city.received), len(province.received)) == (2, 1)

    @pytest.mark.parametrize(
        ("fault", "lent"),
        [
            (Fault.EXPIRE_SECRETS, {BY_KEY: 1, BY_SECRET: 1}),
            (Fault.REFRESHING, {BY_KEY: 1, BY_SECRET: 1}),
            (Fault.WRONG_SIGNATURE, {BY_KEY: 2}),
        ],
    )
    def test_trouble_is_remedied_once(
        self, city: StandIn, message: VerificationMessage, fault: Fault, lent: dict[str, int]
    ) -> None:
        send_verification(Bureau.CITY, message)
        city.order(fault)
        assert send_verification(Bureau.CITY, again(message, 2))
        assert city.lent == lent

    @pytest.mark.parametrize(
        ("fault", "code"), [(Fault.EXPIRE_SECRETS, "11"), (Fault.REFRESHING, "03"), (Fault.WRONG_SIGNATURE, "14")]
    )
    def test_the_same_trouble_again_is_for_staff(
        self, city: StandIn, message: VerificationMessage, fault: Fault, code: str
    ) -> None:
        city.order(fault, 2)
        with pytest.raises(BureauRefusedError, match=f"代码{code}"):
            send_verification(Bureau.CITY, message)
        assert len(city.received) == 2

    def test_all_three_kinds_in_one_call_are_remedied(self, city: StandIn, message: VerificationMessage) -> None:
        for fault in (Fault.EXPIRE_SECRETS, Fault.REFRESHING, Fault.WRONG_SIGNATURE):
            send_verification(Bureau.CITY, again(message, 1))
            city.order(fault)
        assert send_verification(Bureau.CITY, again(message, 2))

    @pytest.mark.parametrize(("beyond_the_margin", "refreshed"), [(-5, 1), (60, 0)])
    def test_it_is_refreshed_some_minutes_early(
        self,
        start_bureau: Callable[..., StandIn],
        message: VerificationMessage,
        beyond_the_margin: int,
        refreshed: int,
    ) -> None:
        city = start_bureau(request_secret_life=(REFRESH_EARLY + timedelta(seconds=beyond_the_margin)).total_seconds())
        send_verification(Bureau.CITY, message)
        send_verification(Bureau.CITY, message)
        assert city.lent[BY_SECRET] == refreshed

    def test_without_a_living_refresh_secret_the_key_serves(
        self, start_bureau: Callable[..., StandIn], message: VerificationMessage
    ) -> None:
        city = start_bureau(request_secret_life=60, refresh_secret_life=60)
        send_verification(Bureau.CITY, message)
        send_verification(Bureau.CITY, message)
        assert city.lent == {BY_KEY: 2}

    def test_a_refresh_secret_that_is_not_taken_any_more_gives_way_to_the_key(
        self, city: StandIn, message: VerificationMessage
    ) -> None:
        send_verification(Bureau.CITY, message)
        city.refresh_secret = "forgotten"
        city.order(Fault.EXPIRE_SECRETS)
        send_verification(Bureau.CITY, message)
        assert city.lent == {BY_KEY: 2}

    def test_a_wrong_app_secret_is_for_staff(
        self, city: StandIn, message: VerificationMessage, configure: Configure
    ) -> None:
        configure(EZT_CITY_GATEWAY__APP_SECRET="not-the-secret")
        with pytest.raises(BureauRefusedError, match=r"代码14.*EZT_CITY_GATEWAY__APP_KEY") as refusal:
            send_verification(Bureau.CITY, message)
        assert "not-the-secret" not in str(refusal.value)
        assert not city.received


class TestManyAtOnce:
    def test_what_another_one_refreshed_is_taken_over(
        self, start_bureau: Callable[..., StandIn], message: VerificationMessage, wait_for: Callable[..., None]
    ) -> None:
        """A call is on its way with a secret that somebody else's refresh makes worthless meanwhile."""
        city = start_bureau(slow_by=1)
        send_verification(Bureau.CITY, message)
        city.order(Fault.SLOW)
        with ThreadPoolExecutor(1) as pool:
            slow = pool.submit(send_verification, Bureau.CITY, again(message, 2))
            wait_for(lambda: len(city.received) == 2)
            city.order(Fault.EXPIRE_SECRETS)
            send_verification(Bureau.CITY, again(message, 3))
            assert not slow.done()
            assert slow.result()
        assert city.lent == {BY_KEY: 1, BY_SECRET: 1}
        assert len(city.received) == 5

    def test_threads_share_one_refresh(self, shared_city: StandIn, message: VerificationMessage) -> None:
        together = threading.Barrier(8)

        def send(number: int) -> str:
            together.wait()
            return send_verification(Bureau.CITY, again(message, number))

        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(send, range(8)))) == 8
            assert shared_city.lent == {BY_KEY: 1}
            shared_city.order(Fault.EXPIRE_SECRETS)
            assert len(set(pool.map(send, range(8, 16)))) == 8
        assert shared_city.lent == {BY_KEY: 1, BY_SECRET: 1}

    @pytest.mark.thorough
    def test_processes_share_one_refresh(self, shared_city: StandIn, message: VerificationMessage) -> None:
        assert len(set(send_from_processes(message, range(3)))) == 3
        assert shared_city.lent == {BY_KEY: 1}
        shared_city.order(Fault.EXPIRE_SECRETS)
        assert len(set(send_from_processes(message, range(3, 6)))) == 3
        assert shared_city.lent == {BY_KEY: 1, BY_SECRET: 1}


PROCESS = """
import sys
from gateways.superior_bureaus import VerificationMessage, send_verification
from regulation.objections import Bureau
message = VerificationMessage.model_validate_json(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
print(send_verification(Bureau.CITY, message))
"""


def send_from_processes(message: VerificationMessage, numbers: range) -> list[str]:
    """Send one request from each of several processes at the same moment; the bureau's numbers."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, again(message, number).model_dump_json()],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in numbers
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    sent = [process.communicate(timeout=60)[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return sent


class TestFailures:
    def test_a_business_failure_is_for_staff_whatever_the_http_status(
        self, city: StandIn, message: VerificationMessage
    ) -> None:
        city.order(Fault.REFUSE)
        with pytest.raises(BureauRefusedError) as refusal:
            send_verification(Bureau.CITY, message)
        assert str(refusal.value) == "绍兴市大数据局的平台未受理（代码40：证照***材料不全，予以退回）。"
        assert len(city.received) == 1, "a decision is not asked for twice"

    @pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.GARBAGE])
    def test_a_passing_failure_is_not_noticed(self, city: StandIn, message: VerificationMessage, fault: Fault) -> None:
        city.order(fault, ATTEMPTS - 1)
        assert send_verification(Bureau.CITY, message)

    @pytest.mark.parametrize(
        ("fault", "why"),
        [
            (Fault.SERVER_ERROR, "绍兴市大数据局的平台暂时故障（HTTP 500），稍后自动重试。"),
            (Fault.GARBAGE, "绍兴市大数据局的平台暂时故障（HTTP 200），稍后自动重试。"),
            (Fault.DROP_AFTER_WORK, "绍兴市大数据局的平台未能连通，稍后自动重试。"),
        ],
    )
    def test_a_lasting_one_is_to_be_tried_later(
        self, city: StandIn, message: VerificationMessage, fault: Fault, why: str
    ) -> None:
        city.order(fault, ATTEMPTS)
        with pytest.raises(BureauUnavailableError) as trouble:
            send_verification(Bureau.CITY, message)
        assert str(trouble.value) == why
        assert send_verification(Bureau.CITY, message)

    def test_a_bureau_that_does_not_answer_in_time(self, start_bureau: Callable[..., StandIn]) -> None:
        city = start_bureau(slow_by=5)
        city.order(Fault.SLOW, ATTEMPTS)
        with pytest.raises(BureauUnavailableError, match="没有及时答复"):
            Gateway(Bureau.CITY, mapping().signature, 0.2, 0.2).call(mapping().reply_path, {})

    def test_a_bureau_that_is_down_and_comes_back(
        self, installation: Path, configure: Configure, message: VerificationMessage
    ) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        configure(
            EZT_CITY_GATEWAY__URL=f"http://127.0.0.1:{port}/",
            EZT_CITY_GATEWAY__APP_KEY="k",
            EZT_CITY_GATEWAY__APP_SECRET="s",
        )
        with pytest.raises(BureauUnavailableError, match="绍兴市大数据局的平台未能连通，稍后自动重试。"):
            send_verification(Bureau.CITY, message)
        for _ in range(2):
            with running(StandIn("k", "s", port=port)):
                assert send_verification(Bureau.CITY, message)

    def test_an_address_that_is_none(
        self, installation: Path, configure: Configure, message: VerificationMessage
    ) -> None:
        configure(EZT_CITY_GATEWAY__URL="http://[gateway")
        with pytest.raises(BureauUnavailableError, match="未能连通"):
            send_verification(Bureau.CITY, message)

    def test_without_a_gateway_it_is_a_letter(self, city: StandIn, message: VerificationMessage) -> None:
        assert has_gateway(Bureau.CITY)
        assert not has_gateway(Bureau.PROVINCE)
        with pytest.raises(BureauRefusedError, match="浙江省大数据局没有设置网关地址"):
            send_verification(Bureau.PROVINCE, message)

    def test_no_secret_and_no_persons_value_gets_into_errors_or_logs(
        self, city: StandIn, message: VerificationMessage, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        told: list[str] = []
        for fault in Fault:
            city.order(fault, ATTEMPTS if fault in {Fault.SERVER_ERROR, Fault.GARBAGE, Fault.DROP_AFTER_WORK} else 2)
            city.slow_by = 0
            try:
                send_verification(Bureau.CITY, message)
            except (BureauRefusedError, BureauUnavailableError) as error:
                told += traceback.format_exception(error)
                told += [repr(error.__context__), repr(getattr(error.__context__, "__context__", None))]
        assert len(told) > 10
        seen = caplog.text + "".join(told)
        for secret in (city.app_secret, city.app_key, city.request_secret, city.refresh_secret):
            assert secret not in seen
        for value in (message.certificate_reference, message.stated, message.proposed, message.reason):
            assert value not in seen


class TestMapping:
    def test_another_interface_needs_another_file_only(
        self, start_bureau: Callable[..., StandIn], configure: Configure, tmp_path: Path, message: VerificationMessage
    ) -> None:
        agreed = json.loads(BUILT_IN.read_text(encoding="utf-8"))
        agreed |= {"send_path": "/gateway/api/hs/new.htm", "reply_path": "/gateway/api/hs/get.htm", "remote_no": "id"}
        agreed["signature"] |= {"place": "headers", "app_key": "appkey"}
        agreed["request"] = {"case_no": "ajbh", "idempotency_key": "qqbh", "proposed": "xgh"}
        agreed["reply"] |= {"corrected_value": "xgh"}
        agreed["findings"] = dict(zip("ABCD", Finding, strict=True))
        configure(EZT_GATEWAY_MAPPING=str(write(tmp_path, agreed)))
        city = start_bureau()
        reply = fetch_reply(Bureau.CITY, send_verification(Bureau.CITY, message))
        assert reply is not None
        assert (reply.case_no, reply.corrected_value) == (message.case_no, message.proposed)
        assert city.received[0]["path"] == "/gateway/api/hs/new.htm"
        assert city.received[0]["fields"].keys() == {
            "ajbh", "qqbh", "xgh", "additional", "appkey", "requestTime", "sign",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("change", "place"),
        [
            ({"send_path": "no/slash"}, "send_path"),
            ({"remote_no": ""}, "remote_no"),
            ({"findings": {"1": "原数据有误"}}, "findings"),
            ({"findings": {"1": "大概有误"}}, "findings.1"),
            ({"request": {"case_no": "a"}}, "request"),
            ({"request": {"case_no": "a", "idempotency_key": "a"}}, "request"),
            ({"request": {"case_no": "a", "idempotency_key": "b", "phone": "c"}}, "request"),
            ({"reply": {"case_no": "a"}}, "reply"),
            ({"signature": {"place": "address"}}, "signature.place"),
            ({"sendpath": "/a"}, "sendpath"),
        ],
    )
    def test_a_broken_one_names_the_place(
        self, home: Path, configure: Configure, tmp_path: Path, change: dict[str, Any], place: str
    ) -> None:
        path = write(tmp_path, json.loads(BUILT_IN.read_text(encoding="utf-8")) | change)
        configure(EZT_GATEWAY_MAPPING=str(path))
        with pytest.raises(MappingError) as error:
            mapping()
        assert f"字段对照文件{path}有误（" in str(error.value)
        assert place in str(error.value)

    def test_one_that_is_no_json(self, home: Path, configure: Configure, tmp_path: Path) -> None:
        path = tmp_path / "mapping.json"
        path.write_text("{", encoding="utf-8")
        configure(EZT_GATEWAY_MAPPING=str(path))
        with pytest.raises(MappingError, match="整个文件"):
            mapping()

    def test_one_that_is_not_there(
        self, home: Path, configure: Configure, tmp_path: Path, message: VerificationMessage
    ) -> None:
        configure(EZT_GATEWAY_MAPPING=str(tmp_path / "gone.json"))
        with pytest.raises(MappingError, match=r"gone\.json不存在或无法读取"):
            send_verification(Bureau.CITY, message)


def write(folder: Path, agreed: dict[str, Any]) -> Path:
    path = folder / "mapping.json"
    path.write_text(json.dumps(agreed, ensure_ascii=False), encoding="utf-8")
    return path


WHOLE = {
    "caseNo": "YY2026000001",
    "replyNo": "HS-1",
    "finding": "1",
    "content": "经核实有误",
    "correctedValue": "某某路二号",
    "replyDate": "2026-02-13",
}


@pytest.mark.usefixtures("home")
class TestReplies:
    def test_a_whole_one(self) -> None:
        reply = parse_reply(WHOLE | {"unknown": "ignored"})
        assert (reply.reply_no, reply.finding, reply.replied_on) == ("HS-1", Finding.WRONG, date(2026, 2, 13))

    @pytest.mark.parametrize("nothing", [{"correctedValue": None}, {"correctedValue": " "}])
    def test_nothing_corrected(self, nothing: dict[str, object]) -> None:
        assert parse_reply(WHOLE | {"finding": 3} | nothing).corrected_value == ""

    def test_numbers_where_text_is_meant(self) -> None:
        reply = parse_reply(WHOLE | {"finding": 2, "replyNo": 4711, "replyDate": 20260213})
        assert (reply.finding, reply.reply_no) == (Finding.PARTLY_WRONG, "4711")
        assert reply.replied_on == date(2026, 2, 13)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("caseNo", ""),
            ("caseNo", None),
            ("replyNo", "1"),
            ("replyNo", True),
            ("finding", "7"),
            ("finding", None),
            ("finding", ["1"]),
            ("content", ""),
            ("content", {"text": "有误"}),
            ("content", "误" * 2001),
            ("correctedValue", ["某某路二号"]),
            ("correctedValue", "路" * 501),
            ("replyDate", ""),
            ("replyDate", "二月十三日"),
            ("replyDate", "86400"),
            ("replyDate", "2026-02-30"),
        ],
    )
    def test_a_wrong_one_names_the_field_and_not_the_value(self, field: str, value: object) -> None:
        with pytest.raises(ReplyError, match=field) as error:
            parse_reply(WHOLE | {field: value})
        assert isinstance(error.value, ValueError)
        assert len(str(value)) < 5 or str(value) not in str(error.value)

    def test_an_empty_one(self) -> None:
        with pytest.raises(ReplyError, match="finding"):
            parse_reply({})
