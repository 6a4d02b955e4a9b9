"""Backfilled certificates say where they come from, and their issuers confirm them by hundreds (Article 11)."""

import secrets
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models.certificate_uses import Authorisation
from models.certificates import Certificate
from models.records import AuditEntry
from runtime import clock
from runtime.database import reading, transaction
from tasks.backfill import steps as backfills
from tasks.case.attachments import File
from tasks.office.departments import department_named
from tasks.register.versions import Corrected, columns_of, holders_of, supersede
from tests.articles.test_article_11_backfill import MARRIAGE, review
from tests.conftest import Clerk
from tests.interface.conftest import Caller, caller_of

LIST, CONFIRM = "/api/v1/backfills/unconfirmed", "/api/v1/backfills/confirmations"
SCAN = File("扫描件.png", "image/png", b"\x89PNG\r\n\x1a\n" + b"\0" * 64)
ISSUER = "绍兴市柯桥区民政局"


def backfill(number: int, issuer: str = ISSUER) -> Certificate:
    """A marriage certificate of the civil affairs bureau's, which the bureau of natural resources came across."""
    given = MARRIAGE | {"结婚证字号": f"J330603-2015-{number:06}", "登记机关": issuer, "登记日期": "2015年5月12日"}
    entered_by = "绍兴市自然资源和规划局柯桥分局"
    case = Clerk(
        backfills.register_backfill(entered_by, "结婚证", given, "ZR-1", "", [SCAN], f"k{number}", "KQ-ZRZY/7")
    )
    assert review(case, "通过") is None
    backfills.put_in_register.run(case.case_no, 1)
    with reading() as session:
        return session.scalars(select(Certificate).where(Certificate.backfilled_by_case == case.case_no)).one()


@pytest.fixture
def civil(web: str) -> Caller:
    return caller_of(web, "KQ-MZ")


def listed(caller: Caller, after: str = "") -> list[str]:
    answer = caller.send("GET", f"{LIST}?after={after}" if after else LIST)
    assert answer.status_code == 200, answer.text
    return [each["identifier"] for each in answer.json()["certificates"]]


def confirm(caller: Caller, *identifiers: str) -> dict[str, Any]:
    answer = caller.post(CONFIRM, {"identifiers": identifiers, "operator": "MZ-07"})
    assert answer.status_code == 200, answer.text
    given: dict[str, Any] = answer.json()
    return given


def origin(web: str, held: Certificate) -> str:
    """What the bureau of natural resources is told, which the holder has authorised."""
    with transaction() as session:
        given = Authorisation(
            authorisation_no=f"SQ-{secrets.token_hex(4)}",
            holder_index=held.holder_index,
            department_uscc=department_named(session, "绍兴市自然资源和规划局柯桥分局").uscc,
            item_code="330603-ZRZY-001",
            type_code=held.type_code,
            given_at=clock.now(),
            ends_at=clock.now() + timedelta(days=1),
        )
        session.add(given)
    answer = caller_of(web, "KQ-ZRZY").post(
        "/api/v1/certificates/authenticate",
        {
            "item": "330603-ZRZY-001",
            "business_no": "ZR-2026-1",
            "operator": "ZR-1",
            "purpose": "办理转移登记",
            "certificate_type": "结婚证",
            "holder_number": held.holder_number,
            "certificate": held.identifier,
            "authorisation": given.authorisation_no,
        },
    )
    assert answer.status_code == 200, answer.text
    said: str = answer.json()["certificate"]["origin"]
    return said


def test_an_issuer_confirms_many_at_once_and_authentication_tells_it(web: str, civil: Caller) -> None:
    made = [backfill(number) for number in range(3)]
    said = origin(web, made[0])
    assert "由绍兴市自然资源和规划局柯桥分局据纸质证照录入，综合管理单位（工号KQ" in said
    assert "颁证机构尚未确认" in said
    first, second, third = listed(civil)
    assert listed(civil, first) == [second, third]
    assert confirm(civil, first, second) == {"confirmed": 2, "unchanged": 0, "wrong": []}
    assert listed(civil) == [third]
    assert confirm(civil, first, third, third)["confirmed"] == 1
    assert "颁证机构已于" in origin(web, made[0])
    with reading() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.tag == "backfill:certificates:confirmed")).all()
    assert [each.detail["certificates"] for each in entries] == [[first, second], [third]]
    assert {each.actor for each in entries} == {"KQ-MZ/MZ-07"}


def test_nobody_confirms_what_another_has_issued(web: str, civil: Caller) -> None:
    own = backfill(1)
    land = caller_of(web, "KQ-ZRZY")
    assert listed(land) == []
    assert listed(civil) == [own.identifier]
    done = confirm(land, own.identifier)
    assert (done["confirmed"], [each["identifier"] for each in done["wrong"]]) == (0, [own.identifier])
    done = confirm(civil, "没有这个标识", own.identifier)
    assert (done["confirmed"], len(done["wrong"])) == (1, 1)
    assert "核查申请" in done["wrong"][0]["why"]


def test_what_was_issued_under_a_former_name_is_its_successors_to_confirm(web: str, civil: Caller) -> None:
    of_former = backfill(1, issuer="绍兴县民政局")
    assert listed(civil) == [of_former.identifier]
    assert listed(caller_of(web, "KQ-JT")) == []
    assert confirm(civil, of_former.identifier)["confirmed"] == 1
    assert "颁证机构已于" in origin(web, of_former)


def test_whoever_stands_on_a_paper_as_its_issuer_and_issues_no_such_certificates_confirms_none(
    web: str, civil: Caller
) -> None:
    made_up = backfill(1, issuer="绍兴市柯桥区交通运输局")
    transport = caller_of(web, "KQ-JT")
    assert listed(transport) == []
    assert confirm(transport, made_up.identifier)["confirmed"] == 0
    assert listed(civil) == []
    assert "颁证机构尚未确认" in origin(web, made_up)


def test_a_corrected_one_stays_backfilled_and_asks_its_issuer_anew(web: str, civil: Caller) -> None:
    held = backfill(1)
    confirm(civil, held.identifier)
    with transaction() as session:
        old = session.get_one(Certificate, held.id)
        corrected = Corrected(old.face | {"wife": "陈丽花"}, columns_of(old), holders_of(session, old.id), old.state)
        new = supersede(session, old, corrected, str(old.backfilled_by_case), old.read_at).identifier
    assert "此后经异议核查更正" not in origin(web, old)
    with reading() as session:
        now = session.scalars(select(Certificate).where(Certificate.identifier == new)).one()
    assert "此后经异议核查更正" in origin(web, now)
    assert listed(civil) == [new]
