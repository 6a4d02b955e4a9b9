"""Whoever used a value that turned out wrong is told with their own case numbers, and answers (Articles 12 and 14)."""

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from gateways.stand_in import StandIn
from models.cases import StaffTask
from models.certificate_uses import WrongValueUse
from models.certificates import Certificate, CertificateType
from models.notices import OutgoingNotice
from regulation.certificates import CertificateState
from runtime import clock
from runtime.database import reading, transaction
from tasks.objections import corrections
from tasks.objections import steps as objections
from tasks.objections.questions import OutcomeDecision, VerificationReply
from tasks.objections.registrations import register_objection
from tests.conftest import Clerk, objection_about
from tests.interface.conftest import Caller, caller_of

EXTRACT = "/api/v1/certificates/extract"


@pytest.fixture
def estate(clerk: Any) -> Certificate:
    with reading() as session:
        wanted = (
            select(Certificate)
            .join(CertificateType, CertificateType.code == Certificate.type_code)
            .where(CertificateType.name == "不动产权证书", Certificate.state == CertificateState.VALID)
        )
        return session.scalars(wanted.order_by(Certificate.id)).all()[0]


@pytest.fixture
def land(web: str) -> Caller:
    return caller_of(web, "KQ-ZRZY")


def extract(caller: Caller, estate: Certificate, business_no: str, *fields: str) -> None:
    answer = caller.post(
        EXTRACT,
        {
            "item": "330603-ZRZY-001",
            "business_no": business_no,
            "operator": "ZR-1",
            "purpose": "办理转移登记",
            "certificate_type": "不动产权证书",
            "holder_number": estate.holder_number,
            "certificate": estate.number,
            "fields": list(fields),
        },
    )
    assert answer.status_code == 200, answer.text


def corrected(estate: Certificate) -> Clerk:
    """Carry an objection to the address through to its correction."""
    with reading() as session:
        kind = session.get_one(CertificateType, estate.type_code)
    registered = register_objection(objection_about(estate, kind), [], "k", "KQ001")
    clerk = Clerk(registered.case_no, registered.token)
    clerk.accept()
    clerk.request()
    reply = {
        "finding": "原数据有误",
        "content": "已核实",
        "corrected_value": "群贤路9999号",
        "reply_no": "绍数〔2026〕1号",
        "replied_on": str(clock.today()),
    }
    assert clerk.answer(VerificationReply, **reply) is None
    objections.take_reply.run(clerk.case_no)
    assert clerk.answer(OutcomeDecision, outcome="已更正", reason="原登记的门牌号有误，现予更正。") is None
    objections.decide_outcome.run(clerk.case_no)
    objections.correct_certificate.run(clerk.case_no)
    return clerk


def told_by_mail() -> list[OutgoingNotice]:
    with reading() as session:
        wanted = select(OutgoingNotice).where(OutgoingNotice.notice == "wrong-value-used")
        return list(session.scalars(wanted.order_by(OutgoingNotice.id)))


def test_a_department_that_used_the_wrong_value_is_told_once_with_its_business_numbers(
    land: Caller, estate: Certificate, city_bureau: StandIn
) -> None:
    for business_no in ("BDC-1", "BDC-2", "BDC-1"):
        extract(land, estate, business_no, "address")
    extract(land, estate, "BDC-3", "unit")
    case = corrected(estate)
    assert corrections.tell_users_of_wrong_value.run(case.case_no) == 1
    assert corrections.tell_users_of_wrong_value.run(case.case_no) == 1
    mails = told_by_mail()
    assert {mail.recipient for mail in mails} == {"liaison02@example.cn", "office02@example.cn"}
    assert len(mails) == 2
    assert mails[0].context["business_nos"] == ["BDC-1", "BDC-2"]
    (open_,) = land.send("GET", "/api/v1/wrong-value-uses").json()["open"]
    assert (open_["case_no"], open_["field"], open_["business_nos"]) == (case.case_no, "坐落", ["BDC-1", "BDC-2"])


def test_who_saw_the_right_value_or_only_asked_whether_there_is_one_is_not_told(
    land: Caller, estate: Certificate, city_bureau: StandIn
) -> None:
    case = corrected(estate)
    extract(land, estate, "BDC-1", "address")
    assert corrections.tell_users_of_wrong_value.run(case.case_no) == 0
    assert told_by_mail() == []


def test_the_answer_comes_by_the_link_and_stands(land: Caller, estate: Certificate, city_bureau: StandIn) -> None:
    extract(land, estate, "BDC-1", "address")
    case = corrected(estate)
    corrections.tell_users_of_wrong_value.run(case.case_no)
    link = told_by_mail()[0].context["link"]
    page = land.base + httpx.URL(link).path
    shown = httpx.get(page).text
    assert "BDC-1" in shown
    assert estate.face["address"] not in shown
    short = httpx.post(page, data={"answer": "好"})
    assert short.status_code == 422
    assert re.search(r"<textarea[^>]*>\s*好</textarea>", short.text)
    done = "BDC-1已重新核对，登记簿已更正。"
    assert "已登记" in httpx.post(page, data={"answer": done}).text
    assert done in httpx.get(page).text
    assert httpx.post(page, data={"answer": "另一个答复"}).status_code == 409
    assert land.send("GET", "/api/v1/wrong-value-uses").json()["open"] == []


def test_the_answer_comes_by_the_interface_from_whom_was_told_only(
    web: str, land: Caller, estate: Certificate, city_bureau: StandIn
) -> None:
    extract(land, estate, "BDC-1", "address")
    case = corrected(estate)
    corrections.tell_users_of_wrong_value.run(case.case_no)
    body = {"case_no": case.case_no, "answer": "业务未受影响。"}
    path = "/api/v1/wrong-value-uses/answers"
    assert caller_of(web, "KQ-SCJG").post(path, body).status_code == 404
    answers = [land.post(path, body) for _ in range(2)]
    assert [(each.status_code, each.json()["answer"]) for each in answers] == [(200, "业务未受影响。")] * 2


def test_what_is_not_answered_in_time_is_left_to_staff_once(
    land: Caller, estate: Certificate, city_bureau: StandIn
) -> None:
    extract(land, estate, "BDC-1", "address")
    case = corrected(estate)
    corrections.tell_users_of_wrong_value.run(case.case_no)
    assert corrections.note_unanswered(clock.now()) == 0
    with transaction() as session:
        session.scalars(select(WrongValueUse)).one().due_on = clock.today() - timedelta(days=1)
    for _ in range(2):
        assert corrections.note_unanswered(clock.now()) == 1
    with reading() as session:
        (what,) = session.scalars(select(StaffTask.what).where(StaffTask.key.startswith("wrong-value:")))
    assert "请督促" in what


@pytest.mark.parametrize("token", ["nobody", "x" * 3000, "%00"])
def test_a_link_that_leads_nowhere_is_a_page(web: str, token: str) -> None:
    answer = httpx.get(f"{web}/wrong-value-uses/{token}")
    assert answer.status_code == 404
    assert "链接无效" in answer.text
