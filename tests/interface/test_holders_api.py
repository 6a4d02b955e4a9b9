"""What holders do themselves: present a certificate once, authorise a department, and see who used what."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from ezt.samples import data as samples
from gateways import zheliban
from gateways.zheliban_stand_in import Fault, StandIn, running
from models.certificates import Certificate, CertificateType
from models.organisations import Department
from models.records import AuditEntry
from regulation.catalogue import state_on
from regulation.certificates import CertificateState
from runtime import clock
from runtime.database import reading, transaction
from tests.conftest import FEW, forget_settings
from tests.interface.conftest import Caller, caller_of

PRESENT, REDEEM = "/api/v1/presentations", "/api/v1/presentations/redeem"
AT_THE_COUNTER = {
    "item": "330603-SCJG-001",
    "business_no": "SP-2026-000123",
    "operator": "SCJG-017",
    "purpose": "核对申请人的身份",
}


@pytest.fixture
def signed_on(web: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A stand-in of 浙里办 that knows the sample's holders."""
    known = samples.persons(samples.DEFAULT_SEED, FEW.holders)
    with running(StandIn("ezt", "password", known)) as stand_in:
        monkeypatch.setenv("EZT_ZHELIBAN__URL", stand_in.url)
        monkeypatch.setenv("EZT_ZHELIBAN__SERVICE_CODE", "ezt")
        monkeypatch.setenv("EZT_ZHELIBAN__SERVICE_PASSWORD", "password")
        forget_settings()
        yield stand_in
        zheliban.close()


@pytest.fixture
def card(clerk: Any) -> Certificate:
    """An identity card that holds today."""
    return valid("身份证")


def valid(name: str) -> Certificate:
    with reading() as session:
        wanted = (
            select(Certificate)
            .join(CertificateType, CertificateType.code == Certificate.type_code)
            .where(CertificateType.name == name)
            .order_by(Certificate.id)
        )
        return next(
            each
            for each in session.scalars(wanted)
            if state_on(clock.today(), each.state, each.valid_until_on) is CertificateState.VALID
        )


def ask(base: str, path: str, **body: object) -> httpx.Response:
    return httpx.post(base + path, json=body, timeout=30)


def code_for(base: str, signed_on: StandIn, held: Certificate, kind: str = "身份证", **more: object) -> str:
    ticket = signed_on.issue(held.holder_number)
    answer = ask(base, PRESENT, ticket=ticket, certificate_type=kind, **more)
    assert answer.status_code == 200, answer.text
    code: str = answer.json()["code"]
    return code


def test_a_presented_certificate_shows_the_scenarios_fields_once(
    department: Caller, signed_on: StandIn, card: Certificate
) -> None:
    ticket = signed_on.issue(card.holder_number)
    presented = ask(department.base, PRESENT, ticket=ticket, certificate_type="身份证").json()
    assert presented["qr"].startswith("<svg")
    answer = department.post(REDEEM, AT_THE_COUNTER | {"code": presented["code"]})
    assert answer.status_code == 200, answer.text
    shown = {field["code"]: field["value"] for field in answer.json()["fields"]}
    assert shown == {code: card.face[code] for code in ("holder", "holder_number", "address", "valid_until")}
    again = department.post(REDEEM, AT_THE_COUNTER | {"code": presented["code"]})
    assert (again.status_code, again.json()["article"]) == (403, 10)


def test_a_code_lives_for_sixty_seconds(
    department: Caller, signed_on: StandIn, card: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = [code_for(department.base, signed_on, card) for _ in range(2)]
    start = clock.now()
    monkeypatch.setattr(clock, "now", lambda: start + timedelta(seconds=59))
    assert department.post(REDEEM, AT_THE_COUNTER | {"code": codes[0]}).status_code == 200
    monkeypatch.setattr(clock, "now", lambda: start + timedelta(seconds=61))
    assert "重新出示" in department.post(REDEEM, AT_THE_COUNTER | {"code": codes[1]}).json()["detail"]


def test_of_redemptions_at_the_same_time_one_succeeds(
    department: Caller, signed_on: StandIn, card: Certificate
) -> None:
    body = AT_THE_COUNTER | {"code": code_for(department.base, signed_on, card)}
    start = threading.Barrier(8)

    def redeem(_: int) -> int:
        start.wait()
        return department.post(REDEEM, body).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(redeem, range(8)))
    assert statuses == [200] + [403] * 7


def test_presenting_for_one_scenario_is_for_no_other(
    web: str, department: Caller, signed_on: StandIn, card: Certificate
) -> None:
    code = code_for(web, signed_on, card, scenario="窗口受理")
    other = department.post(REDEEM, AT_THE_COUNTER | {"code": code, "scenario": "路面核验"})
    assert (other.status_code, other.json()["article"]) == (403, 10)
    # The refusal has not spent it.
    assert department.post(REDEEM, AT_THE_COUNTER | {"code": code}).json()["scenario"] == "窗口受理"


def test_an_item_in_which_the_holder_may_not_present_alone(
    web: str, signed_on: StandIn, card: Certificate, department: Caller
) -> None:
    code = code_for(web, signed_on, card)
    online = AT_THE_COUNTER | {"item": "330603-SCJG-002", "code": code}
    refused = department.post(REDEEM, online)
    assert (refused.status_code, refused.json()["article"]) == (403, 10)
    assert "可以单独出示" in refused.json()["detail"]


def test_what_does_not_hold_is_not_presented(web: str, signed_on: StandIn, card: Certificate) -> None:
    with transaction() as session:
        session.get_one(Certificate, card.id).state = CertificateState.REVOKED
    ticket = signed_on.issue(card.holder_number)
    refused = ask(web, PRESENT, ticket=ticket, certificate_type="身份证")
    assert (refused.status_code, refused.json()["article"]) == (403, 10)
    none = ask(web, PRESENT, ticket=signed_on.issue(card.holder_number), certificate_type="营业执照")
    assert none.status_code == 404


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"ticket": "no-such-ticket"}, 401),
        ({"session": "made-up"}, 401),
        ({}, 422),
        ({"ticket": "a", "session": "b"}, 422),
        ({"ticket": "t\0"}, 422),
        ({"ticket": "t" * 501}, 422),
    ],
)
def test_whoever_is_nobody_presents_nothing(web: str, signed_on: StandIn, given: dict[str, str], status: int) -> None:
    answer = ask(web, PRESENT, certificate_type="身份证", **given)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_a_ticket_serves_once_and_buys_a_session(
    web: str, signed_on: StandIn, card: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = signed_on.issue(card.holder_number)
    opened = ask(web, "/api/v1/holder-sessions", ticket=ticket).json()
    assert card.holder_name not in opened["name"]
    assert ask(web, "/api/v1/holder-sessions", ticket=ticket).status_code == 401
    for _ in range(2):
        assert ask(web, PRESENT, session=opened["session"], certificate_type="身份证").status_code == 200
    later = clock.now() + timedelta(seconds=1801)
    monkeypatch.setattr("time.time", lambda: later.timestamp())
    assert ask(web, PRESENT, session=opened["session"], certificate_type="身份证").status_code == 401


def test_when_zheliban_is_away_the_caller_is_told_to_come_back(web: str, signed_on: StandIn, card: Certificate) -> None:
    ticket = signed_on.issue(card.holder_number)
    signed_on.order(Fault.DOWN, 5)
    answer = ask(web, PRESENT, ticket=ticket, certificate_type="身份证")
    assert (answer.status_code, "浙里办" in answer.json()["detail"]) == (503, True)


def test_an_authorisation_opens_what_asks_for_it_until_it_is_withdrawn(
    department: Caller, signed_on: StandIn, clerk: Any
) -> None:
    estate = valid("不动产权证书")
    asked = AT_THE_COUNTER | {
        "certificate_type": "不动产权证书",
        "holder_number": estate.holder_number,
        "certificate": estate.number,
    }
    given = ask(
        department.base,
        "/api/v1/authorisations",
        ticket=signed_on.issue(estate.holder_number),
        department="绍兴市柯桥区市场监督管理局",
        item=AT_THE_COUNTER["item"],
        certificate_type="不动产权证书",
        days=3,
    )
    assert given.status_code == 200, given.text
    number = given.json()["authorisation_no"]

    def extracted() -> int:
        return department.post("/api/v1/certificates/extract", asked | {"authorisation": number}).status_code

    assert extracted() == 200
    end = {"ticket": signed_on.issue(estate.holder_number), "authorisation_no": number}
    assert ask(department.base, "/api/v1/authorisations/withdrawal", **end).status_code == 204
    assert extracted() == 403


def test_nobody_authorises_what_the_use_list_does_not_know(web: str, signed_on: StandIn, card: Certificate) -> None:
    answer = ask(
        web,
        "/api/v1/authorisations",
        ticket=signed_on.issue(card.holder_number),
        department="绍兴市柯桥区民政局",
        item="330603-MZ-001",
        certificate_type="身份证",
        days=3,
    )
    assert (answer.status_code, answer.json()["article"]) == (403, 9)


def test_a_holder_reads_in_plain_words_who_used_what(
    web: str, department: Caller, signed_on: StandIn, card: Certificate
) -> None:
    asked = AT_THE_COUNTER | {"certificate_type": "身份证", "holder_number": card.holder_number}
    department.post("/api/v1/certificates/query", asked)
    department.post("/api/v1/certificates/extract", asked | {"certificate": card.number, "fields": ["address"]})
    department.post(REDEEM, AT_THE_COUNTER | {"code": code_for(web, signed_on, card)})
    other = valid("营业执照")
    department.post(
        "/api/v1/certificates/query",
        AT_THE_COUNTER | {"certificate_type": "营业执照", "holder_number": other.holder_number},
    )
    uses = ask(web, "/api/v1/certificate-uses", ticket=signed_on.issue(card.holder_number)).json()
    sentences = [use["sentence"] for use in uses["uses"]]
    assert len(sentences) == 3
    assert "查看了您出示的身份证上的姓名" in sentences[0]
    assert "绍兴市柯桥区市场监督管理局为办理“食品经营许可（新办）”提取了您的身份证上的住址。" in sentences[1]
    assert "查询了您名下有无身份证" in sentences[2]
    with reading() as session:
        read = session.scalars(select(AuditEntry).where(AuditEntry.tag == "certificate:uses:read")).one()
        assert (read.holder_index, read.detail) == (card.holder_index, {"count": 3})


def test_the_department_that_redeems_is_the_one_whose_item_it_is(
    web: str, signed_on: StandIn, card: Certificate
) -> None:
    code = code_for(web, signed_on, card)
    refused = caller_of(web, "KQ-JT").post(REDEEM, AT_THE_COUNTER | {"code": code})
    assert (refused.status_code, refused.json()["article"]) == (403, 9)
    with reading() as session:
        transport = session.scalars(select(Department).where(Department.name.contains("交通"))).one()
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    assert (entry.detail["department"], entry.holder_index) == (transport.uscc, card.holder_index)
