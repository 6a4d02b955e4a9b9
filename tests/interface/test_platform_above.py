"""The register reads through to the platform above, and says honestly when that one is down (Articles 3 and 8)."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from ezt.samples import data as samples
from gateways import zhejiang_gateway
from gateways.stand_in import Fault, StandIn, running
from models.cases import StaffTask
from models.certificate_uses import UnavailableReceipt
from models.certificates import Certificate, CertificateType
from models.records import AuditEntry
from regulation.certificates import CertificateState, parse_identifier
from regulation.objections import Bureau
from runtime import clock
from runtime.database import reading, transaction
from tests.conftest import FEW, forget_settings
from tests.interface.conftest import Caller, caller_of
from tests.interface.conftest import licence as a_licence
from tests.interface.test_certificates_api import AUTHENTICATE, EXTRACT, QUERY, about


@pytest.fixture
def province(web: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """The province's platform, which knows the sample's certificates."""
    monkeypatch.setattr("gateways.certificate_platform._breaker.rest", 0.0)
    above = StandIn("kq-app", "kq-secret", certificates=samples.certificates_above(Bureau.PROVINCE, 1, FEW.holders))
    with running(above) as platform:
        monkeypatch.setenv("EZT_PROVINCE_GATEWAY__URL", platform.url)
        monkeypatch.setenv("EZT_PROVINCE_GATEWAY__APP_KEY", platform.app_key)
        monkeypatch.setenv("EZT_PROVINCE_GATEWAY__APP_SECRET", platform.app_secret)
        forget_settings()
        yield platform
        zhejiang_gateway.close()


@pytest.fixture
def licence(clerk: Any) -> Certificate:
    return a_licence()


@pytest.fixture
def age(licence: Certificate) -> Callable[[int], None]:
    """Let hours go by since the licence was read."""

    def aged(hours: int) -> None:
        with transaction() as session:
            session.get_one(Certificate, licence.id).read_at = clock.now() - timedelta(hours=hours)

    return aged


def stored(licence: Certificate) -> Certificate:
    with reading() as session:
        return session.get_one(Certificate, licence.id)


def test_what_is_fresh_is_not_asked_for(department: Caller, province: StandIn, licence: Certificate) -> None:
    assert department.post(AUTHENTICATE, about(licence, certificate=licence.number)).json()["state"] == "valid"
    assert province.reads == 0


def test_what_is_stale_is_read_again_with_the_matter_it_is_for(
    department: Caller, province: StandIn, licence: Certificate, age: Callable[[int], None]
) -> None:
    age(25)
    said = province.certificates[licence.identifier]
    said["certData"] = said["certData"] | {"住所": "绍兴市柯桥区新路1号"}
    said["certState"] = "3"
    answer = department.post(AUTHENTICATE, about(licence, certificate=licence.number)).json()
    assert (answer["state"], province.reads) == ("suspended", 1)
    now = stored(licence)
    assert (now.face["address"], now.state) == ("绍兴市柯桥区新路1号", CertificateState.SUSPENDED)
    with reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.tag == "certificate:version:refreshed")).one()
        assert entry.detail == {"identifier": licence.identifier, "changed": ["face", "state"]}
    department.post(AUTHENTICATE, about(licence, certificate=licence.number))
    assert province.reads == 1


def test_a_newer_version_above_supersedes_ours(
    department: Caller, province: StandIn, licence: Certificate, age: Callable[[int], None]
) -> None:
    age(25)
    newer = str(parse_identifier(licence.identifier).next_version())
    said = province.certificates.pop(licence.identifier)
    province.certificates[newer] = said | {"certIdentifier": newer}
    (found,) = department.post(QUERY, about(licence)).json()["certificates"]
    assert (found["identifier"], found["version"], found["state"]) == (newer, 2, "valid")
    old = department.post(AUTHENTICATE, about(licence, certificate=licence.identifier)).json()
    assert (old["state"], old["current_identifier"]) == ("superseded", newer)


def test_a_certificate_that_only_the_platform_knows_is_found(
    department: Caller, province: StandIn, licence: Certificate
) -> None:
    with transaction() as session:
        session.delete(session.get_one(Certificate, licence.id))
    (found,) = department.post(QUERY, about(licence)).json()["certificates"]
    assert found["identifier"] == licence.identifier
    shown = department.post(EXTRACT, about(licence, certificate=licence.number, fields=["address"])).json()
    assert shown["fields"][0]["value"] == licence.face["address"]


def test_what_the_platform_does_not_know_any_more_is_suspended_and_looked_into(
    department: Caller, province: StandIn, licence: Certificate, age: Callable[[int], None]
) -> None:
    age(25)
    del province.certificates[licence.identifier]
    answer = department.post(AUTHENTICATE, about(licence, certificate=licence.identifier)).json()
    assert answer["state"] == "suspended"
    with reading() as session:
        assert licence.identifier in session.scalars(select(StaffTask.what)).one()


def test_an_older_version_above_does_not_undo_a_correction(
    department: Caller, province: StandIn, licence: Certificate, age: Callable[[int], None]
) -> None:
    newer = parse_identifier(licence.identifier).next_version()
    with transaction() as session:
        ours = session.get_one(Certificate, licence.id)
        ours.identifier, ours.version = str(newer), 2
    age(25)
    answer = department.post(AUTHENTICATE, about(licence, certificate=licence.number)).json()
    assert (answer["state"], answer["certificate"]["version"]) == ("valid", 2)
    with reading() as session:
        assert "请催办" in session.scalars(select(StaffTask.what)).one()


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.GARBAGE, Fault.REFUSE])
def test_while_it_is_down_the_counter_gets_a_numbered_receipt(
    department: Caller, province: StandIn, licence: Certificate, age: Callable[[int], None], fault: Fault
) -> None:
    age(25)
    province.order(fault, 20)
    asked = about(licence, certificate=licence.number)
    answer = department.post(AUTHENTICATE, asked).json()
    assert answer["state"] == "unavailable"
    assert answer["receipt_no"] == f"SL-{clock.today().year}-000001"
    assert "可以收取纸质证照" in answer["reasons"][0]
    refused = department.post(EXTRACT, asked)
    # The same business case goes on under the same number.
    assert (refused.status_code, refused.json()["receipt_no"]) == (503, answer["receipt_no"])
    other = department.post(AUTHENTICATE, asked | {"business_no": "SP-2"}).json()["receipt_no"]
    assert other.endswith("000002")
    with reading() as session:
        assert session.scalar(select(func.count(UnavailableReceipt.receipt_no))) == 2
        tags = select(AuditEntry.tag).where(AuditEntry.tag.startswith("certificate:"))
        entries = session.scalars(tags.order_by(AuditEntry.id)).all()
    assert entries == [
        "certificate:authenticate:answered",
        "certificate:extract:unavailable",
        "certificate:authenticate:answered",
    ]


def test_the_districts_own_types_need_no_platform(department: Caller, web: str, clerk: Any) -> None:
    with reading() as session:
        permit = session.scalars(
            select(Certificate)
            .join(CertificateType, CertificateType.code == Certificate.type_code)
            .where(CertificateType.name == "医疗机构执业许可证")
            .order_by(Certificate.id)
        ).first()
    assert permit is not None
    with transaction() as session:
        session.get_one(Certificate, permit.id).read_at = clock.now() - timedelta(days=400)
    asked = {
        "item": "330603-WJ-001",
        "business_no": "WJ-1",
        "operator": "WJ-1",
        "purpose": "校验",
        "certificate_type": "医疗机构执业许可证",
        "holder_number": permit.holder_number,
        "certificate": permit.number,
    }
    assert caller_of(web, "KQ-WJ").post(EXTRACT, asked).status_code == 200
