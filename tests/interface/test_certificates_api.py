"""The certificate-use interface over HTTP, against a real web process: what is allowed is answered, what is not is a
problem document that names the article, and both are on record."""

import base64
import json
import time
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from models.certificate_uses import ArchivedCopy, PaperException
from models.certificates import Certificate, CertificateType
from models.liaisons import LiaisonOfficer
from models.organisations import Application, Nonce
from models.records import AuditEntry
from models.use_lists import UseListEntry, UseListVersion
from regulation.catalogue import state_on
from regulation.certificates import CertificateState, parse_identifier
from runtime import clock
from runtime.database import reading, transaction
from runtime.signing import sign
from tasks.objections.registrations import register_objection
from tasks.office.applications import rotate_secret
from tasks.register.versions import enter, holders_of
from tests.conftest import objection_about
from tests.interface.conftest import Caller, caller_of

QUERY, AUTHENTICATE = "/api/v1/certificates/query", "/api/v1/certificates/authenticate"
EXTRACT, COPY = "/api/v1/certificates/extract", "/api/v1/certificates/archived-copy"
FOOD_PERMIT = {
    "item": "330603-SCJG-001",
    "business_no": "SP-2026-000123",
    "operator": "SCJG-017",
    "purpose": "核对申请人的主体资格",
}


@pytest.fixture
def licence(clerk: Any) -> Certificate:
    """A business licence that holds today."""
    with reading() as session:
        return _valid(session, "营业执照")


def _valid(session: Any, name: str) -> Certificate:
    wanted = (
        select(Certificate)
        .join(CertificateType, CertificateType.code == Certificate.type_code)
        .where(CertificateType.name == name, Certificate.state == CertificateState.VALID)
        .order_by(Certificate.id)
    )
    found: Certificate = next(
        each
        for each in session.scalars(wanted)
        if state_on(clock.today(), each.state, each.valid_until_on) is CertificateState.VALID
    )
    return found


def about(held: Certificate, **changed: object) -> dict[str, Any]:
    """A request about a business licence, with its holder's number."""
    return FOOD_PERMIT | {"certificate_type": "营业执照", "holder_number": held.holder_number} | changed


def last_entry() -> AuditEntry:
    with reading() as session:
        return session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()


def refused_under(answer: httpx.Response, article: int) -> str:
    """The sentence of a problem document that names this article; the refusal is on record with it."""
    assert answer.status_code == 403, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert (said["article"], said["type"]) == (article, f"/problems/article-{article}")
    entry = last_entry()
    assert (entry.tag.rpartition(":")[2], entry.detail["article"], entry.detail["why"]) == (
        "refused",
        article,
        said["detail"],
    )
    sentence: str = said["detail"]
    return sentence


# What is allowed


def test_a_query_finds_the_holders_certificates_without_their_faces(department: Caller, licence: Certificate) -> None:
    answer = department.post(QUERY, about(licence))
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["certificates"]
    assert (found["identifier"], found["state"], found["dispute"]) == (licence.identifier, "valid", None)
    assert licence.holder_name not in answer.text
    entry = last_entry()
    assert (entry.actor, entry.tag, entry.holder_index) == (
        "KQ-SCJG",
        "certificate:query:answered",
        licence.holder_index,
    )
    assert entry.detail["certificates"] == [licence.identifier]
    assert {entry.detail[name] for name in FOOD_PERMIT} == set(FOOD_PERMIT.values())
    assert licence.holder_number not in json.dumps(entry.detail)


def test_a_query_that_finds_nothing_is_answered_and_on_record(department: Caller, licence: Certificate) -> None:
    answer = department.post(QUERY, about(licence, holder_number="91330621MA2XXXXX0A"))
    # The province answers for licences; without its platform nobody can say that there is none.
    assert answer.status_code == 503
    assert answer.json()["receipt_no"].startswith("SL-")


def test_a_holders_name_must_agree_when_it_is_given(department: Caller, licence: Certificate) -> None:
    spaced = " ".join(licence.holder_name)
    assert department.post(QUERY, about(licence, holder_name=spaced)).json()["certificates"] != []
    assert department.post(QUERY, about(licence, holder_name="别的公司")).json()["certificates"] == []


@pytest.mark.parametrize("by", ["identifier", "number", "lower case"])
def test_authenticating_by_identifier_or_number(department: Caller, licence: Certificate, by: str) -> None:
    named = {"identifier": licence.identifier, "number": licence.number, "lower case": licence.identifier.lower()}
    answer = department.post(AUTHENTICATE, about(licence, certificate=named[by])).json()
    assert (answer["state"], answer["certificate"]["identifier"]) == ("valid", licence.identifier)
    assert answer["certificate"]["as_of"].endswith("+08:00")
    assert last_entry().detail["result"] == "valid"


@pytest.mark.parametrize("state", ["suspended", "revoked"])
def test_authenticating_says_what_its_source_said(department: Caller, licence: Certificate, state: str) -> None:
    with transaction() as session:
        session.get_one(Certificate, licence.id).state = CertificateState(state)
    answer = department.post(AUTHENTICATE, about(licence, certificate=licence.number)).json()
    assert (answer["state"], len(answer["reasons"])) == (state, 1)


def test_a_certificate_is_expired_from_the_day_after_its_last(department: Caller, licence: Certificate) -> None:
    for last_on, state in [(clock.today(), "valid"), (clock.today() - timedelta(days=1), "expired")]:
        with transaction() as session:
            session.get_one(Certificate, licence.id).valid_until_on = last_on
        assert department.post(AUTHENTICATE, about(licence, certificate=licence.number)).json()["state"] == state


def test_a_superseded_version_names_the_current_one(department: Caller, licence: Certificate) -> None:
    newer = parse_identifier(licence.identifier).next_version()
    with transaction() as session:
        old = session.get_one(Certificate, licence.id)
        old.state = CertificateState.SUPERSEDED
        copied = {
            column.key: getattr(old, column.key) for column in Certificate.__mapper__.column_attrs if column.key != "id"
        }
        new = Certificate(**copied | {"identifier": str(newer), "version": 2, "state": CertificateState.VALID})
        enter(session, new, holders_of(session, old.id))
    answer = department.post(AUTHENTICATE, about(licence, certificate=licence.identifier)).json()
    assert (answer["state"], answer["current_identifier"]) == ("superseded", str(newer))
    assert department.post(AUTHENTICATE, about(licence, certificate=licence.number)).json()["state"] == "valid"


def test_a_forged_identifier_is_told_from_a_real_one(department: Caller, licence: Certificate) -> None:
    check = licence.identifier[-1]
    forged = licence.identifier[:-1] + ("0" if check != "0" else "1")
    answer = department.post(AUTHENTICATE, about(licence, certificate=forged)).json()
    assert answer["state"] == "tampered"
    assert "校验位" in answer["reasons"][0]
    assert department.post(EXTRACT, about(licence, certificate=forged)).status_code == 422


def test_somebody_elses_certificate_is_unknown(department: Caller, licence: Certificate) -> None:
    with reading() as session:
        other = session.scalars(
            select(Certificate)
            .where(Certificate.type_code == licence.type_code, Certificate.holder_index != licence.holder_index)
            .order_by(Certificate.id)
        ).first()
    assert other is not None
    mixed = about(licence, certificate=other.identifier)
    assert department.post(AUTHENTICATE, mixed).json()["state"] == "unknown"
    refused = department.post(EXTRACT, mixed)
    assert refused.status_code == 404
    assert last_entry().detail["why"] == refused.json()["detail"]


def test_what_is_shown_is_compared_with_the_register(department: Caller, licence: Certificate) -> None:
    right = about(licence, certificate=licence.number, stated={"address": " " + licence.face["address"]})
    assert department.post(AUTHENTICATE, right).json()["state"] == "valid"
    wrong = about(licence, certificate=licence.number, stated={"address": "别处1号"})
    answer = department.post(AUTHENTICATE, wrong).json()
    assert answer["state"] == "tampered"
    assert "住所" in answer["reasons"][0]
    assert licence.face["address"] not in json.dumps(answer, ensure_ascii=False)


def test_comparing_is_no_way_round_the_use_list(department: Caller, licence: Certificate) -> None:
    answer = department.post(AUTHENTICATE, about(licence, certificate=licence.number, stated={"capital": "1"}))
    assert "注册资本" in refused_under(answer, 9)


def test_fields_are_cut_to_what_the_item_allows(department: Caller, licence: Certificate) -> None:
    answer = department.post(EXTRACT, about(licence, certificate=licence.number, fields=["address", "capital"]))
    assert answer.status_code == 200, answer.text
    given = answer.json()
    assert [(field["code"], field["value"]) for field in given["fields"]] == [("address", licence.face["address"])]
    assert given["withheld"] == ["capital"]
    assert last_entry().detail["fields"] == ["address"]
    everything = department.post(EXTRACT, about(licence, certificate=licence.number)).json()
    assert [field["code"] for field in everything["fields"]] == [
        "holder_number",
        "holder",
        "legal_representative",
        "address",
        "scope",
    ]


def test_the_dispute_mark_shows_with_what_the_counter_may_do(
    department: Caller, licence: Certificate, clerk: Any
) -> None:
    with reading() as session:
        kind = session.get_one(CertificateType, licence.type_code)
    registered = register_objection(objection_about(licence, kind), [], "k", "KQ001")
    clerk.case_no = registered.case_no
    asked = about(licence, certificate=licence.number)
    assert department.post(AUTHENTICATE, asked).json()["certificate"]["dispute"] is None
    clerk.accept()
    mark = department.post(AUTHENTICATE, asked).json()["certificate"]["dispute"]
    # What is disputed, and no objector's case.
    assert mark["fields"] == ["住所"]
    assert registered.case_no not in str(mark)
    assert "不得仅因异议标记要求提交纸质证照" in mark["may"]


def test_a_law_that_demands_paper_is_named_until_it_ends(department: Caller, licence: Certificate) -> None:
    asked = about(licence, certificate=licence.number)
    with transaction() as session:
        for citation, until_on in [("《某法》第十条", clock.today()), ("《旧法》", clock.today() - timedelta(days=1))]:
            session.add(
                PaperException(
                    type_code=licence.type_code,
                    item_code=None,
                    citation=citation,
                    from_on=date(2020, 1, 1),
                    until_on=until_on,
                    entered_by_no="KQ004",
                    entered_at=clock.now(),
                )
            )
    demands = department.post(AUTHENTICATE, asked).json()["paper_demands"]
    assert [demand["citation"] for demand in demands] == ["《某法》第十条"]


# What is not allowed


def test_an_item_that_is_not_on_the_list(department: Caller, licence: Certificate) -> None:
    said = refused_under(department.post(QUERY, about(licence, item="330603-SCJG-999")), 9)
    assert "先提出用证清单" in said


def test_another_departments_item(web: str, department: Caller, licence: Certificate) -> None:
    refused_under(department.post(QUERY, about(licence, item="330603-ZRZY-001", certificate_type="身份证")), 9)
    refused_under(caller_of(web, "KQ-ZRZY").post(QUERY, about(licence)), 9)


def test_a_type_that_the_item_does_not_use(department: Caller, licence: Certificate) -> None:
    refused_under(department.post(QUERY, about(licence, certificate_type="结婚证")), 9)


def test_an_entry_that_has_ended_and_one_that_is_not_in_force_yet(
    department: Caller, licence: Certificate, at_once: None
) -> None:
    with transaction() as session:
        entry = session.scalars(
            select(UseListEntry).where(
                UseListEntry.item_code == FOOD_PERMIT["item"], UseListEntry.type_code == licence.type_code
            )
        ).one()
        before = session.scalars(select(UseListVersion).where(UseListVersion.entry_id == entry.id)).one()
        kept = {"entry_id": entry.id, "item_name": before.item_name, "fields": before.fields, "authorisation": False}
        later = clock.today() + timedelta(days=1)
        session.add(UseListVersion(**kept, holder_alone=True, ended=True, in_force_from=later, decided_at=clock.now()))
    assert department.post(QUERY, about(licence)).status_code == 200
    with transaction() as session:
        session.add(
            UseListVersion(**kept, holder_alone=True, ended=True, in_force_from=clock.today(), decided_at=clock.now())
        )
    refused_under(department.post(QUERY, about(licence)), 9)


def test_a_department_whose_liaison_officers_filing_has_ended(
    department: Caller, licence: Certificate, at_once: None
) -> None:
    for last_on, status in [(clock.today(), 200), (clock.today() - timedelta(days=1), 403)]:
        with transaction() as session:
            session.execute(update(LiaisonOfficer).values(until_on=last_on))
        answer = department.post(QUERY, about(licence))
        assert answer.status_code == status
    assert "备案" in refused_under(answer, 13)


def test_a_use_that_needs_the_holders_authorisation(department: Caller, clerk: Any) -> None:
    with reading() as session:
        estate = _valid(session, "不动产权证书")
    asked = FOOD_PERMIT | {
        "certificate_type": "不动产权证书",
        "holder_number": estate.holder_number,
        "certificate": estate.number,
    }
    assert "授权" in refused_under(department.post(EXTRACT, asked), 15)
    refused_under(department.post(EXTRACT, asked | {"authorisation": "SQ-0000000000000000"}), 15)


# Archived copies


def test_an_archived_copy_is_known_again_and_its_alteration_too(department: Caller, licence: Certificate) -> None:
    answer = department.post(COPY, about(licence, certificate=licence.number))
    assert answer.status_code == 200, answer.text
    given = answer.json()
    content = base64.b64decode(given["content"])
    assert content.startswith(b"%PDF-")
    with reading() as session:
        assert session.get_one(ArchivedCopy, given["copy_no"]).business_no == FOOD_PERMIT["business_no"]

    def authenticated(file: bytes) -> dict[str, Any]:
        sent = about(licence, copy_file=base64.b64encode(file).decode())
        answer: dict[str, Any] = department.post(AUTHENTICATE, sent).json()
        return answer

    assert authenticated(content)["state"] == "valid"
    assert authenticated(content + b"\n")["state"] == "tampered"
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    assert authenticated(bytes(flipped))["state"] in {"tampered", "not-a-certificate"}
    page = httpx.get(f"{department.base}/copies/{given['copy_no']}")
    assert "有效" in page.text
    assert licence.holder_name not in page.text


def test_a_copy_is_only_of_what_holds(department: Caller, licence: Certificate) -> None:
    with transaction() as session:
        session.get_one(Certificate, licence.id).state = CertificateState.SUSPENDED
    refused_under(department.post(COPY, about(licence, certificate=licence.number)), 11)


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n" + b"\0" * 64,
        b"\xff\xd8\xff\xe0\0\x10JFIF\0" + b"\0" * 64,
        b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
        "一段文字".encode(),
    ],
    ids=["screenshot", "photo", "scan to PDF", "text"],
)
def test_what_was_made_from_a_certificate_is_none(department: Caller, licence: Certificate, content: bytes) -> None:
    answer = department.post(AUTHENTICATE, about(licence, copy_file=base64.b64encode(content).decode())).json()
    assert answer["state"] == "not-a-certificate"
    said = "".join(answer["reasons"])
    assert "不得作为电子证照使用（第十一条）" in said
    assert "亮证码" in said


# Signatures, bodies, limits


@pytest.mark.parametrize(
    "changed",
    [
        {"X-EZT-Signature": "0" * 64},
        {"X-EZT-Signature": ""},
        {"X-EZT-Key": "nobody"},
        {"X-EZT-Key": "SX-DSJ"},
        {"X-EZT-Key": "KQ-ZRZY"},
        {"X-EZT-Time": str(int((time.time() - 301) * 1000))},
        {"X-EZT-Time": "-1"},
        {"X-EZT-Nonce": "x" * 101},
        {"X-EZT-Nonce": "another-nonce"},
    ],
)
def test_a_wrong_signature_opens_nothing(department: Caller, licence: Certificate, changed: dict[str, str]) -> None:
    assert department.post(QUERY, about(licence), **changed).status_code == 401


def test_a_signature_is_for_one_address(department: Caller, licence: Certificate) -> None:
    body = json.dumps(about(licence, certificate=licence.number)).encode()
    now = int(time.time() * 1000)
    signature = sign(department.secret, "POST", QUERY, now, "nonce-of-another-path", body)
    headers = {"X-EZT-Time": str(now), "X-EZT-Nonce": "nonce-of-another-path", "X-EZT-Signature": signature}
    assert department.post(EXTRACT, body, **headers).status_code == 401


@pytest.mark.parametrize("path", [QUERY, COPY])
def test_a_replay_is_refused_and_leaves_no_second_entry(department: Caller, licence: Certificate, path: str) -> None:
    body = json.dumps(about(licence) | ({"certificate": licence.number} if path == COPY else {})).encode()
    now, nonce = int(time.time() * 1000), "the-same-nonce"
    signature = sign(department.secret, "POST", path, now, nonce, body)
    headers = {"X-EZT-Time": str(now), "X-EZT-Nonce": nonce, "X-EZT-Signature": signature}
    answers = [department.post(path, body, **headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 401]
    with reading() as session:
        entries = session.scalars(select(AuditEntry.tag).where(AuditEntry.tag.startswith("certificate:"))).all()
        assert len(entries) == 1
        assert len(session.scalars(select(Nonce)).all()) == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"business_no": ""}, "业务办件编号不能为空"),
        ({"operator": "x" * 41}, "经办人员工号不能超过40个字"),
        ({"holder_name": "名" * 201}, "持证主体名称不能超过200个字"),
        ({"purpose": "为330603199001011234办理"}, "用途不要写入个人的证件号码"),
        ({"holder_number": "3306\0031990"}, "持证主体证件号码含有不可见的控制字符"),
        ({"certificate_type": "没有的证"}, "证照目录中没有所填的证照类型"),
        ({"surplus": "1"}, "surplus没有这一项"),
    ],
)
def test_wrong_input_is_said_field_by_field_and_on_record(
    department: Caller, licence: Certificate, changed: dict[str, object], said: str
) -> None:
    answer = department.post(QUERY, about(licence, **changed))
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert last_entry().tag == "certificate:query:refused"


@pytest.mark.parametrize("body", [b"", b"{", b'{"item": "330603-SC', b"[]", b"null", b"\xff\xfe", b'{"item": NaN}'])
def test_a_body_that_is_none_is_refused(department: Caller, body: bytes) -> None:
    assert department.post(QUERY, body).status_code == 422


def test_unknown_fields_to_extract_are_named(department: Caller, licence: Certificate) -> None:
    answer = department.post(EXTRACT, about(licence, certificate=licence.number, fields=["salary"]))
    assert answer.status_code == 422
    assert "salary" in answer.json()["detail"]


def test_an_old_secret_holds_until_the_overlap_has_passed(
    department: Caller, licence: Certificate, at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = Caller(department.base, department.key, rotate_secret(department.key, "KQ004", timedelta(seconds=60)))
    for caller in (department, new):
        assert caller.post(QUERY, about(licence)).status_code == 200
    later = clock.now() + timedelta(seconds=60)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert department.post(QUERY, about(licence)).status_code == 401
    assert new.post(QUERY, about(licence)).status_code == 200


def test_calls_from_elsewhere_than_agreed_are_refused(department: Caller, licence: Certificate, at_once: None) -> None:
    for networks, status in [(["10.0.0.0/8"], 403), (["10.0.0.0/8", "127.0.0.0/8"], 200)]:
        with transaction() as session:
            session.get_one(Application, department.key).networks = networks
        assert department.post(QUERY, about(licence)).status_code == status


def test_too_many_calls_are_told_when_to_come_back(department: Caller, licence: Certificate, at_once: None) -> None:
    with transaction() as session:
        session.get_one(Application, department.key).calls_a_minute = 3
    answers = [department.post(QUERY, about(licence)) for _ in range(5)]
    assert [answer.status_code for answer in answers].count(429) >= 2
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60


def test_a_call_that_a_process_cannot_put_on_record_is_not_answered(
    department: Caller, licence: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert department.post(QUERY, about(licence)).status_code == 200
    with transaction() as session:
        session.connection().exec_driver_sql(
            "CREATE TRIGGER no_entries BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
    answer = department.post(QUERY, about(licence))
    assert answer.status_code == 500
    assert licence.identifier not in answer.text
