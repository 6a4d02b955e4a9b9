"""第三条：电子证照系统提供电子证照的查询、验证、展示和证照信息提取等服务，联接省、市、区数据共享平台；持证主体是指电子证照的
签发对象，包括自然人、法人和非法人组织。"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from ezt.samples import data as samples
from gateways import zhejiang_gateway
from gateways.stand_in import StandIn, running
from models.certificates import Certificate, CertificateType
from models.records import AuditEntry
from regulation.catalogue import HolderKind
from regulation.certificates import CertificateState, parse_identifier
from regulation.objections import Bureau
from runtime import clock
from runtime.database import reading, transaction
from tests.articles.conftest import Counter, of, valid
from tests.conftest import FEW, forget_settings


@pytest.fixture
def province(clerk: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
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


def test_certificates_of_all_three_kinds_of_holders_are_found(counter: Counter) -> None:
    with reading() as session:
        rows = session.execute(
            select(Certificate, CertificateType.name)
            .join(CertificateType, CertificateType.code == Certificate.type_code)
            .where(CertificateType.name.in_(["营业执照", "身份证"]))
            .order_by(Certificate.id)
        ).all()
    firsts = {held.holder_kind: (held, name) for held, name in reversed(rows)}
    assert set(firsts) == set(HolderKind)
    for held, name in firsts.values():
        found = counter.query(certificate_type=name, holder_number=held.holder_number)
        assert [each.identifier for each in found.certificates] == [held.identifier]


def test_what_is_stale_is_read_from_the_platform_that_answers_for_it(counter: Counter, province: StandIn) -> None:
    licence = valid("营业执照")
    with transaction() as session:
        session.get_one(Certificate, licence.id).read_at = clock.now() - timedelta(hours=25)
    said = province.certificates[licence.identifier]
    said["certData"] = said["certData"] | {"住所": "绍兴市柯桥区新路1号"}
    shown = counter.extract(**of(licence, "营业执照", fields=["address"]))
    assert [each.value for each in shown.fields] == ["绍兴市柯桥区新路1号"]
    with reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.tag == "certificate:version:refreshed")).one()
    assert entry.detail == {"identifier": licence.identifier, "changed": ["face"]}


def test_a_newer_version_from_above_supersedes_ours_and_both_are_kept(counter: Counter, province: StandIn) -> None:
    licence = valid("营业执照")
    newer = str(parse_identifier(licence.identifier).next_version())
    province.certificates[newer] = province.certificates.pop(licence.identifier) | {"certIdentifier": newer}
    with transaction() as session:
        session.get_one(Certificate, licence.id).read_at = clock.now() - timedelta(hours=25)
    answer = counter.authenticate(**of(licence, "营业执照"))
    assert (answer.certificate.identifier, answer.state) == (newer, "valid")
    with reading() as session:
        kept = session.scalars(
            select(Certificate.state).where(Certificate.root == licence.root).order_by(Certificate.version)
        ).all()
    assert kept == [CertificateState.SUPERSEDED, CertificateState.VALID]


def test_what_only_the_platform_knows_is_found_and_kept(counter: Counter, province: StandIn) -> None:
    licence = valid("营业执照")
    with transaction() as session:
        session.delete(session.get_one(Certificate, licence.id))
    for _ in range(2):
        found = counter.query(certificate_type="营业执照", holder_number=licence.holder_number)
        assert [each.identifier for each in found.certificates] == [licence.identifier]
    assert province.reads == 1
