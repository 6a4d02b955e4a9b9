"""第六条：电子证照使用部门应当按照统一标准规范将业务系统与区电子证照系统对接，通过调用用证接口的方式，使用、查阅、核验、打印
电子证照信息，依据职能合法合规使用电子证照。"""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models.certificates import Certificate
from models.records import AuditEntry
from regulation.certificate_use import UseRefusedError
from regulation.certificates import CertificateState
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError, NotFoundError
from tasks.keeping.records import seal_record, verify_record
from tests.articles.conftest import Counter, of, valid


def entries() -> list[AuditEntry]:
    with reading() as session:
        wanted = select(AuditEntry).where(AuditEntry.tag.startswith("certificate:"))
        return list(session.scalars(wanted.order_by(AuditEntry.id)))


def test_a_department_queries_authenticates_and_extracts_inside_its_list(counter: Counter) -> None:
    licence = valid("营业执照")
    (found,) = counter.query(certificate_type="营业执照", holder_number=licence.holder_number).certificates
    assert found.identifier == licence.identifier
    assert counter.authenticate(**of(licence, "营业执照")).state == "valid"
    shown = counter.extract(**of(licence, "营业执照", fields=["address", "capital"]))
    assert ([each.code for each in shown.fields], shown.withheld) == (["address"], ["capital"])
    assert [entry.tag for entry in entries()] == [
        "certificate:query:answered",
        "certificate:authenticate:answered",
        "certificate:extract:answered",
    ]


@pytest.mark.parametrize(
    ("key", "changed", "article"),
    [
        ("KQ-SCJG", {"item": "330603-SCJG-999"}, 9),
        ("KQ-SCJG", {"item": "330603-ZRZY-001"}, 9),
        ("KQ-ZRZY", {}, 9),
        ("KQ-SCJG", {"scenario": "网上办理"}, 9),
    ],
)
def test_what_is_not_its_function_is_refused_and_on_record(
    counter: Counter, key: str, changed: dict[str, str], article: int
) -> None:
    licence = valid("营业执照")
    counter.key, counter.matter = key, counter.matter | changed
    with pytest.raises(UseRefusedError) as refusal:
        counter.query(certificate_type="营业执照", holder_number=licence.holder_number)
    assert refusal.value.article == article
    (entry,) = entries()
    assert (entry.tag, entry.detail["article"]) == ("certificate:query:refused", article)
    assert entry.detail["why"] == str(refusal.value)


@pytest.mark.parametrize("state", [CertificateState.SUSPENDED, CertificateState.REVOKED])
def test_authentication_says_what_a_certificate_is_worth_today(counter: Counter, state: CertificateState) -> None:
    licence = valid("营业执照")
    with transaction() as session:
        session.get_one(Certificate, licence.id).state = state
    assert counter.authenticate(**of(licence, "营业执照")).state == state
    with transaction() as session:
        held = session.get_one(Certificate, licence.id)
        held.state, held.valid_until_on = CertificateState.VALID, clock.today() - timedelta(days=1)
    assert counter.authenticate(**of(licence, "营业执照")).state == "expired"


def test_what_is_shown_is_compared_and_what_the_list_does_not_allow_is_not(counter: Counter) -> None:
    licence = valid("营业执照")
    right, wrong = {"address": licence.face["address"]}, {"address": "别处1号"}
    assert counter.authenticate(**of(licence, "营业执照", stated=right)).state == "valid"
    assert counter.authenticate(**of(licence, "营业执照", stated=wrong)).state == "tampered"
    with pytest.raises(UseRefusedError, match="注册资本"):
        counter.authenticate(**of(licence, "营业执照", stated={"capital": "1"}))


def test_somebody_elses_certificate_is_not_found(counter: Counter) -> None:
    licence = valid("营业执照")
    other = of(licence, "营业执照") | {"holder_number": "91330621MA2XXXXX0A"}
    with pytest.raises(NotFoundError):
        counter.extract(**other | {"certificate": licence.identifier})
    with pytest.raises(InputError, match="证照目录"):
        counter.query(certificate_type="没有的证", holder_number=licence.holder_number)


def test_the_record_of_uses_is_sealed_and_holds_nothing_of_the_holder(counter: Counter) -> None:
    licence = valid("营业执照")
    counter.extract(**of(licence, "营业执照"))
    said: Any = str([entry.detail for entry in entries()])
    for secret in (licence.holder_number, licence.holder_name, licence.face["address"]):
        assert secret not in said
    assert seal_record(clock.now()) > 0
    assert verify_record().findings == ()


def test_a_certificate_type_is_named_or_coded_whatever_digits_its_code_has(counter: Counter) -> None:
    licence = valid("营业执照")
    assert sum(character.isdigit() for character in licence.type_code) >= 15, "as many as a number of a person has"
    by_code = counter.query(holder_number=licence.holder_number, certificate_type=licence.type_code)
    assert by_code == counter.query(holder_number=licence.holder_number, certificate_type="营业执照")
