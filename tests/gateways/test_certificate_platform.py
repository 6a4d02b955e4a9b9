"""Certificates read from the platform above, against a real stand-in server on loopback."""

import json
import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ezt.samples import catalogue as sample_catalogue
from ezt.samples import data as sample_data
from gateways import certificate_platform
from gateways.certificate_platform import Breaker, Found, certificate_mapping, read_certificate
from gateways.stand_in import Fault, StandIn, in_their_words
from gateways.zhejiang_gateway import BY_KEY, BureauRefusedError, BureauUnavailableError, MappingError, Matter
from regulation.catalogue import Field, FieldKind, Sensitivity
from regulation.certificates import CertificateState, Identifier
from regulation.identity_numbers import NUMBERS_BEFORE_2015, NumberKind
from regulation.objections import Bureau
from runtime import clock

BUILT_IN = Path(certificate_platform.__file__).with_name("certificate_mapping.json")
Start = Callable[..., StandIn]
Configure = Callable[..., None]

TYPE = "11100000000013338W009"
FIELDS = (
    Field("number", "施工许可证编号", FieldKind.NUMBER, Sensitivity.PUBLIC),
    Field("holder", "建设单位", FieldKind.NAME, Sensitivity.PUBLIC),
    Field("issued_on", "发证日期", FieldKind.DATE, Sensitivity.PUBLIC),
)
MATTER = Matter(
    power_matters="建筑工程施工许可",
    sub_power_matters="变更",
    accesscard_id="K001",
    material_name="建筑工程施工许可证",
    sponsor_name="绍兴市柯桥区住房和城乡建设局",
    sponsor_code="330603",
    project_id="YZ2026000001",
)
PERMIT = Found(
    identifier=str(Identifier(TYPE, "330603", "2019030500001", "001")),
    number="330603201903050001",
    holder_name="绍兴柯桥恒盛天和置业有限公司",
    holder_number_kind=NumberKind.CREDIT_CODE,
    holder_number="91330603000000019X",
    face={"number": "330603201903050001", "holder": "绍兴柯桥恒盛天和置业有限公司", "issued_on": "2019-03-05"},
    issued_on=date(2019, 3, 5),
    valid_until_on=None,
    state=CertificateState.VALID,
)


def put(city: StandIn, found: Found = PERMIT, **changed: object) -> None:
    """Let the stand-in know a certificate; ``changed`` are fields in the platform's own words."""
    city.certificates[found.identifier] = in_their_words(found, FIELDS, city.certificates_agreed) | changed


def read(identifier: str = "", number: str = "", holder_number: str = "") -> Found | None:
    return read_certificate(
        Bureau.CITY,
        MATTER,
        type_code=TYPE,
        fields=FIELDS,
        identifier=identifier,
        number=number,
        holder_number=holder_number,
    )


class TestFound:
    @pytest.mark.parametrize(
        "key",
        [
            {"identifier": PERMIT.identifier},
            {"number": PERMIT.number},
            {"holder_number": PERMIT.holder_number},
            {"identifier": PERMIT.identifier, "number": PERMIT.number, "holder_number": PERMIT.holder_number},
        ],
    )
    def test_by_whatever_names_it(self, city: StandIn, key: dict[str, str]) -> None:
        put(city)
        assert read(**key) == PERMIT
        assert city.reads == 1

    def test_a_number_of_another_type_is_another_certificate(self, city: StandIn) -> None:
        other = str(Identifier("11100000MB03271699022", "330603", "1", "001"))
        put(city, replace(PERMIT, identifier=other))
        assert read(number=PERMIT.number) is None

    def test_the_question_is_signed_and_says_for_which_matter(self, city: StandIn) -> None:
        put(city)
        read(PERMIT.identifier)
        (call,) = city.received
        assert call["path"] == certificate_mapping().read_path
        assert call["fields"].keys() == {
            "certTypeCode", "certIdentifier", "additional", "appKey", "requestTime", "sign",
        }  # fmt: skip
        assert json.loads(call["fields"]["additional"]) == {
            "powerMatters": "建筑工程施工许可",
            "subPowerMatters": "变更",
            "accesscardId": "K001",
            "materialName": "建筑工程施工许可证",
            "sponsorName": "绍兴市柯桥区住房和城乡建设局",
            "sponsorCode": "330603",
            "projectId": "YZ2026000001",
        }
        assert city.lent == {BY_KEY: 1}

    def test_a_wrong_signature_is_refused(self, city: StandIn, configure: Configure) -> None:
        put(city)
        configure(EZT_CITY_GATEWAY__APP_SECRET="not-the-secret")
        with pytest.raises(BureauRefusedError, match="代码14"):
            read(PERMIT.identifier)
        assert not city.reads

    @pytest.mark.parametrize("fault", [Fault.EXPIRE_SECRETS, Fault.REFRESHING, Fault.WRONG_SIGNATURE])
    def test_trouble_with_secrets_is_not_noticed(self, city: StandIn, fault: Fault) -> None:
        put(city)
        read(PERMIT.identifier)
        city.order(fault)
        assert read(PERMIT.identifier) == PERMIT

    def test_datas_may_be_text_inside_the_json_and_the_face_text_inside_that(self, city: StandIn) -> None:
        put(city, certData=json.dumps({"建设单位": "甲"}))
        city.order(Fault.TEXT_DATAS, 2)
        found = read(PERMIT.identifier)
        assert found is not None
        assert found.face == {"holder": "甲"}

    def test_a_list_of_one_is_one(self, city: StandIn) -> None:
        put(city)
        city.certificates[PERMIT.identifier] = [city.certificates[PERMIT.identifier]]  # type: ignore[assignment]
        assert read(PERMIT.identifier) == PERMIT

    def test_an_identifier_of_the_second_algorithm_is_kept_as_it_came(self, city: StandIn) -> None:
        variant = str(Identifier(TYPE, "330603", "2019030500001", "001", variant=True))
        assert variant != PERMIT.identifier
        put(city, replace(PERMIT, identifier=variant))
        found = read(variant)
        assert found is not None
        assert found.identifier == variant

    def test_a_newer_version_is_an_answer(self, city: StandIn) -> None:
        newer = str(Identifier(TYPE, "330603", "2019030500001", "002"))
        put(city, certIdentifier=newer)
        found = read(PERMIT.identifier)
        assert found is not None
        assert found.identifier == newer

    @pytest.mark.parametrize("number", ["330603199001011234", "33060319900101", "无"])
    def test_a_wrong_holder_number_is_kept_as_it_came(self, city: StandIn, number: str) -> None:
        put(city, holderCode=number, holderCodeType=111)
        found = read(PERMIT.identifier)
        assert found is not None
        assert (found.holder_number, found.holder_number_kind) == (number, NumberKind.RESIDENT)

    def test_a_face_holds_what_the_catalogue_knows_as_text(self, city: StandIn) -> None:
        face = {"施工许可证编号": 330603201903050001, "建设单位": None, "发证日期": "20190305", "内部备注": "x"}
        put(city, certData=face)
        found = read(PERMIT.identifier)
        assert found is not None
        assert found.face == {"number": "330603201903050001", "holder": "", "issued_on": "2019-03-05"}

    @pytest.mark.parametrize(
        ("printed", "ours"), [("2019年3月5日", "2019-03-05"), ("9999-12-31", "长期"), ("见副本", "见副本"), ("", "")]
    )
    def test_a_date_on_the_face_is_written_as_on_ours_if_it_is_one(
        self, city: StandIn, printed: str, ours: str
    ) -> None:
        put(city, certData={"发证日期": printed})
        found = read(PERMIT.identifier)
        assert found is not None
        assert found.face == {"issued_on": ours}


@pytest.mark.parametrize("bureau", Bureau)
def test_the_platform_above_knows_its_sample_certificates(start_bureau: Start, bureau: Bureau) -> None:
    known = sample_data.certificates_above(bureau, sample_data.DEFAULT_SEED, 60)
    start_bureau(bureau, certificates=known)
    kinds = {kind.code: kind for kind in sample_catalogue.KINDS}
    made = {each.identifier: each for each in sample_data.certificates(sample_data.DEFAULT_SEED, 60, clock.now())}
    assert {kinds[made[identifier].type_code].source.name for identifier in known} == {bureau.name}
    for identifier in list(known)[:12]:
        own = made[identifier]
        fields = kinds[own.type_code].fields
        found = read_certificate(bureau, MATTER, type_code=own.type_code, fields=fields, identifier=identifier)
        assert found is not None
        assert {name: getattr(own, name) for name in asdict(found)} == asdict(found)


class TestDates:
    @pytest.mark.parametrize(
        "text", ["2019-03-05", "20190305", 20190305, "2019年3月5日", "2019年03月05日", " 2019-3-5 "]
    )
    def test_every_way_of_writing_one(self, city: StandIn, text: object) -> None:
        put(city, issueDate=text, validEndDate=text)
        found = read(PERMIT.identifier)
        assert found is not None
        assert (found.issued_on, found.valid_until_on) == (date(2019, 3, 5), date(2019, 3, 5))

    @pytest.mark.parametrize("text", ["长期", "9999-12-31", "99991231", 99991231, "9999年12月31日"])
    def test_none(self, city: StandIn, text: object) -> None:
        put(city, validEndDate=text)
        found = read(PERMIT.identifier)
        assert found is not None
        assert found.valid_until_on is None

    @pytest.mark.parametrize("field", ["issueDate", "validEndDate"])
    @pytest.mark.parametrize("text", ["", None, "2019-02-30", "2019111", "待定", "1551744000000"])
    def test_what_is_no_date(self, city: StandIn, field: str, text: object) -> None:
        put(city, **{field: text})
        with pytest.raises(BureauUnavailableError, match=f"无法识别的证照（{field}）"):
            read(PERMIT.identifier)


class TestNotFound:
    def test_by_the_platforms_code(self, city: StandIn) -> None:
        assert read(PERMIT.identifier) is None
        assert city.reads == 1

    @pytest.mark.parametrize("nothing", [None, {}, [], ""])
    def test_by_an_empty_answer(self, city: StandIn, nothing: object) -> None:
        city.certificates_agreed = city.certificates_agreed.model_copy(update={"not_found_codes": []})
        city.certificates[PERMIT.identifier] = nothing  # type: ignore[assignment]
        assert read(PERMIT.identifier) is None

    def test_another_business_failure_is_for_staff(self, city: StandIn) -> None:
        put(city)
        city.order(Fault.REFUSE)
        with pytest.raises(BureauRefusedError) as refusal:
            read(number=PERMIT.number)
        assert str(refusal.value) == "绍兴市大数据局的平台未受理（代码40：证照***材料不全，予以退回）。"

    def test_several_are_for_who_asked(self, city: StandIn) -> None:
        put(city)
        one = city.certificates[PERMIT.identifier]
        city.certificates[PERMIT.identifier] = [one, one]  # type: ignore[assignment]
        with pytest.raises(BureauRefusedError, match="多件证照"):
            read(PERMIT.identifier)

    def test_without_a_key_nothing_is_asked(self, city: StandIn) -> None:
        with pytest.raises(ValueError, match="identifier"):
            read()
        assert not city.received

    def test_without_a_gateway(self, installation: Path) -> None:
        with pytest.raises(BureauRefusedError, match="没有设置网关地址"):
            read(PERMIT.identifier)


class TestGarbage:
    @pytest.mark.parametrize(
        ("changed", "place"),
        [
            ({"certIdentifier": PERMIT.identifier[:-1] + "?"}, "certIdentifier"),
            ({"certIdentifier": None}, "certIdentifier"),
            ({"certIdentifier": str(Identifier(TYPE, "330603", "2", "001"))}, "certIdentifier"),
            ({"certIdentifier": str(Identifier(f"{TYPE[:-1]}1", "330603", "2019030500001", "001"))}, "certIdentifier"),
            ({"certNo": ""}, "certNo"),
            ({"certNo": "330603201903050002"}, "certNo"),
            ({"holderName": ["甲"]}, "holderName"),
            ({"holderCode": None}, "holderCode"),
            ({"holderCodeType": "999", "certState": "7"}, "holderCodeType、certState"),
            ({"certState": True}, "certState"),
            ({"certData": "{"}, "certData"),
            ({"certData": ["甲"]}, "certData"),
            ({"certData": {"建设单位": {"甲": 1}}}, "certData.建设单位"),
        ],
    )
    def test_it_names_the_field_and_no_value(self, city: StandIn, changed: dict[str, object], place: str) -> None:
        put(city, **changed)
        with pytest.raises(BureauUnavailableError) as trouble:
            read(PERMIT.identifier, PERMIT.number)
        assert str(trouble.value) == f"绍兴市大数据局的平台返回了无法识别的证照（{place}），请稍后再试。"

    @pytest.mark.parametrize("answer", ["证照", 7, ["证照"]])
    def test_what_is_no_certificate_at_all(self, city: StandIn, answer: object) -> None:
        city.certificates[PERMIT.identifier] = answer  # type: ignore[assignment]
        with pytest.raises(BureauUnavailableError):
            read(PERMIT.identifier)

    def test_one_unreadable_certificate_keeps_nobody_from_the_others(self, city: StandIn) -> None:
        put(city, certState="7")
        with pytest.raises(BureauUnavailableError):
            read(PERMIT.identifier)
        put(city)
        assert read(PERMIT.identifier) == PERMIT

    def test_no_persons_value_gets_into_errors_or_logs(self, city: StandIn, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        told: list[str] = []
        for changed in ({"certData": "{" + PERMIT.holder_name}, {"certNo": "1"}, {"issueDate": PERMIT.holder_number}):
            put(city, **changed)
            with pytest.raises(BureauUnavailableError) as trouble:
                read(PERMIT.identifier, PERMIT.number, PERMIT.holder_number)
            told += traceback.format_exception(trouble.value)
        seen = caplog.text + "".join(told)
        for value in (PERMIT.identifier, PERMIT.number, PERMIT.holder_number, PERMIT.holder_name):
            assert value not in seen


class TestFailures:
    @pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.GARBAGE, Fault.DROP_AFTER_WORK])
    def test_a_passing_one_is_not_noticed(self, city: StandIn, fault: Fault) -> None:
        put(city)
        read(PERMIT.identifier)
        city.order(fault)
        assert read(PERMIT.identifier) == PERMIT

    @pytest.mark.parametrize(
        ("fault", "why"),
        [
            (Fault.SERVER_ERROR, "暂时故障（HTTP 500）"),
            (Fault.GARBAGE, "暂时故障（HTTP 200）"),
            (Fault.DROP_AFTER_WORK, "未能连通"),
        ],
    )
    def test_a_lasting_one_is_to_be_tried_later(self, city: StandIn, fault: Fault, why: str) -> None:
        read(PERMIT.identifier)
        city.order(fault, certificate_platform.ATTEMPTS)
        with pytest.raises(BureauUnavailableError) as trouble:
            read(PERMIT.identifier)
        assert str(trouble.value) == f"绍兴市大数据局的平台{why}，请稍后再试。"

    def test_a_slow_platform_costs_five_seconds_once(self, start_bureau: Start) -> None:
        """Twice the same: the secrets are lent quickly, then each try waits in vain; afterwards nobody waits."""
        city = start_bureau(slow_by=20)
        read(PERMIT.identifier)
        city.order(Fault.SLOW, 20)
        began = time.monotonic()
        with pytest.raises(BureauUnavailableError, match="没有及时答复，请稍后再试"):
            read(PERMIT.identifier)
        waited = time.monotonic() - began
        assert 2 * certificate_platform.ANSWER_WITHIN <= waited < certificate_platform.WITHIN + 1
        began = time.monotonic()
        with pytest.raises(BureauUnavailableError, match="刚才没有答复"):
            read(PERMIT.identifier)
        assert time.monotonic() - began < 0.5

    def test_the_end_holds_for_secrets_too(self, start_bureau: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(certificate_platform, "WITHIN", 0.5)
        city = start_bureau(slow_by=20)
        city.order(Fault.SLOW, 20)
        began = time.monotonic()
        with pytest.raises(BureauUnavailableError, match="没有及时答复"):
            read(PERMIT.identifier)
        assert time.monotonic() - began < 1.5

    def test_down_and_back(self, start_bureau: Start, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
        """While it rests the platform is not asked, though it is back; then it is."""
        clock = Clock()
        monkeypatch.setattr(certificate_platform, "_breaker", Breaker(now=clock))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        configure(EZT_CITY_GATEWAY__URL=f"http://127.0.0.1:{port}")
        with pytest.raises(BureauUnavailableError, match="未能连通"):
            read(PERMIT.identifier)
        city = start_bureau(port=port)
        put(city)
        clock.time += certificate_platform.REST - 1
        with pytest.raises(BureauUnavailableError, match="绍兴市大数据局的平台刚才没有答复，请稍后再试。"):
            read(PERMIT.identifier)
        assert not city.received
        clock.time += 2
        assert read(PERMIT.identifier) == PERMIT
        assert read(PERMIT.identifier) == PERMIT


class Clock:
    """A clock that stands until it is moved."""

    time = 1000.0

    def __call__(self) -> float:
        return self.time


class TestBreaker:
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def breaker(self, clock: Clock) -> Breaker:
        return Breaker(10, clock)

    def call(self, breaker: Breaker, error: Exception | None = None, platform: str = "city") -> str:
        """What a guarded call meets: its own error's text, ``"done"``, or ``"refused"``."""
        try:
            with breaker.guarding(platform, "refused"):
                if error is not None:
                    raise error
        except (BureauUnavailableError, BureauRefusedError) as met:
            return str(met)
        return "done"

    def test_it_lets_everything_through_as_long_as_all_is_well(self, breaker: Breaker) -> None:
        assert [self.call(breaker) for _ in range(3)] == ["done"] * 3

    def test_a_business_failure_is_an_answer(self, breaker: Breaker) -> None:
        assert self.call(breaker, BureauRefusedError("no")) == "no"
        assert self.call(breaker) == "done"

    def test_after_a_failure_it_refuses_for_ten_seconds(self, breaker: Breaker, clock: Clock) -> None:
        assert self.call(breaker, BureauUnavailableError("down")) == "down"
        clock.time += 9.9
        assert self.call(breaker) == "refused"
        clock.time += 0.1
        assert self.call(breaker) == "done"
        assert self.call(breaker) == "done"

    def test_a_failure_after_the_rest_begins_another_one(self, breaker: Breaker, clock: Clock) -> None:
        self.call(breaker, BureauUnavailableError("down"))
        clock.time += 10
        assert self.call(breaker, BureauUnavailableError("still down")) == "still down"
        clock.time += 9.9
        assert self.call(breaker) == "refused"

    def test_one_platform_does_not_answer_for_another(self, breaker: Breaker) -> None:
        self.call(breaker, BureauUnavailableError("down"))
        assert self.call(breaker, platform="province") == "done"

    def test_after_the_rest_one_of_many_threads_tries(self, breaker: Breaker, clock: Clock) -> None:
        self.call(breaker, BureauUnavailableError("down"))
        clock.time += 10
        together, tried = threading.Barrier(8), threading.Event()

        def attempt(_: int) -> str:
            together.wait()
            try:
                with breaker.guarding("city", "refused"):
                    # Until all the others have been told.
                    tried.wait(10)
            except BureauUnavailableError as met:
                return str(met)
            return "done"

        with ThreadPoolExecutor(8) as pool:
            futures = [pool.submit(attempt, number) for number in range(8)]
            until = time.monotonic() + 10
            while sum(future.done() for future in futures) < 7:
                assert time.monotonic() < until
                time.sleep(0.01)
            tried.set()
            assert sorted(future.result() for future in futures) == ["done"] + ["refused"] * 7
        assert self.call(breaker) == "done"


class TestMapping:
    @pytest.fixture
    def other(self, installation: Path, configure: Configure, tmp_path: Path) -> None:
        """Another interface: other names everywhere, headers, faces by our codes."""
        agreed = json.loads(BUILT_IN.read_text(encoding="utf-8"))
        agreed["signature"] |= {"place": "headers", "app_key": "appkey"}
        agreed |= {"read_path": "/gateway/api/dzzz/cx.htm", "not_found_codes": [], "face_keys": "code"}
        agreed["request"] = {"type_code": "lx", "identifier": "bs", "number": "bh", "holder_number": "czr"}
        agreed["reply"] |= {"identifier": "bs", "number": "bh", "valid_until_on": "yxq"}
        agreed |= {"date_formats": ["%d.%m.%Y"], "no_end": ["永久"]}
        configure(EZT_CERTIFICATE_MAPPING=str(write(tmp_path, agreed)))

    @pytest.mark.usefixtures("other")
    def test_another_interface_needs_another_file_only(self, start_bureau: Start) -> None:
        city = start_bureau()
        put(city)
        assert city.certificates[PERMIT.identifier]["yxq"] == "永久"
        assert city.certificates[PERMIT.identifier]["issueDate"] == "05.03.2019"
        assert read(PERMIT.identifier) == PERMIT
        (call,) = city.received
        assert call["path"] == "/gateway/api/dzzz/cx.htm"
        assert call["fields"].keys() == {"lx", "bs", "additional", "appkey", "requestTime", "sign"}
        assert read(number="none") is None

    def test_the_built_in_one_knows_every_kind_of_number(self, home: Path) -> None:
        assert set(certificate_mapping().number_kinds.values()) == set(NumberKind)

    def test_a_platform_need_not_know_the_numbers_of_before_2015(
        self, home: Path, configure: Configure, tmp_path: Path
    ) -> None:
        agreed = json.loads(BUILT_IN.read_text(encoding="utf-8"))
        kinds = {code: kind for code, kind in agreed["number_kinds"].items() if kind not in NUMBERS_BEFORE_2015}
        configure(EZT_CERTIFICATE_MAPPING=str(write(tmp_path, agreed | {"number_kinds": kinds})))
        assert certificate_mapping().number_kinds == kinds

    @pytest.mark.parametrize("kind", sorted(NUMBERS_BEFORE_2015))
    def test_an_organisation_is_one_by_its_old_number_too(self, city: StandIn, kind: NumberKind) -> None:
        put(city, replace(PERMIT, holder_number_kind=kind, holder_number="330603000012349"))
        found = read(PERMIT.identifier)
        assert found is not None
        assert found.holder_number_kind is kind
        assert found.holder_number_kind.of_organisation

    @pytest.mark.parametrize(
        ("change", "place"),
        [
            ({"read_path": "no/slash"}, "read_path"),
            ({"request": {"type_code": "a", "identifier": "b"}}, "request"),
            ({"request": {"type_code": "a", "identifier": "a", "number": "b", "holder_number": "c"}}, "request"),
            ({"reply": {"identifier": "a"}}, "reply"),
            ({"face_keys": "pinyin"}, "face_keys"),
            ({"number_kinds": {"1": "公民身份号码"}}, "number_kinds"),
            ({"states": {"1": "valid"}}, "states"),
            ({"states": {"1": "fine"}}, "states.1"),
            ({"date_formats": []}, "date_formats"),
            ({"date_formats": ["%Y-%m"]}, "date_formats"),
            ({"no_end": [""]}, "no_end.0"),
            ({"signature": {"place": "address"}}, "signature.place"),
            ({"readpath": "/a"}, "readpath"),
        ],
    )
    def test_a_broken_one_names_the_place(
        self, home: Path, configure: Configure, tmp_path: Path, change: dict[str, Any], place: str
    ) -> None:
        path = write(tmp_path, json.loads(BUILT_IN.read_text(encoding="utf-8")) | change)
        configure(EZT_CERTIFICATE_MAPPING=str(path))
        with pytest.raises(MappingError) as error:
            certificate_mapping()
        assert f"字段对照文件{path}有误（" in str(error.value)
        assert place in str(error.value)
        assert "内置的certificate_mapping.json" in str(error.value)

    def test_one_that_is_not_there(self, city: StandIn, configure: Configure, tmp_path: Path) -> None:
        configure(EZT_CERTIFICATE_MAPPING=str(tmp_path / "gone.json"))
        with pytest.raises(MappingError, match=r"gone\.json不存在或无法读取，请检查EZT_CERTIFICATE_MAPPING"):
            read(PERMIT.identifier)


def write(folder: Path, agreed: dict[str, Any]) -> Path:
    path = folder / "mapping.json"
    path.write_text(json.dumps(agreed, ensure_ascii=False), encoding="utf-8")
    return path
