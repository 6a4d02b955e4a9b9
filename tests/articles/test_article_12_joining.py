"""第十二条：电子证照使用部门、持证主体及其他社会用证主体有异议的，有权向综合管理单位提出核查申请。

Several objections may be about the same thing (并案): that takes nobody's right away."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from gateways.stand_in import StandIn
from models.cases import Case
from models.certificates import CertificateType
from models.objection_batches import ObjectionBatchChunk
from models.objections import Objection, VerificationRequest
from regulation.certificates import Level
from regulation.objections import NO_SUCH, WHOLE, Ground, Stage
from runtime.database import reading, transaction
from tasks.desk.sheets import sheet_of
from tasks.objections import steps
from tasks.objections.applications import ObjectionApplication
from tasks.objections.batch_files import read_file
from tasks.objections.questions import InitialReview
from tasks.objections.verifications import prepare_pursuit
from tests.articles.test_article_12_batches import cases, clear, hand_in, register_chunks, table
from tests.articles.test_article_12_objections import closed
from tests.conftest import Clerk, certificates_with_address

PLACEHOLDERS = (
    "{证照编号}", "无", "没有", "NULL", "null", "N/A", "不详", "未知", "暂无", "-", "——", "/", "0000", "00-00", "　",
    "【证照编号】", "没有证照编号", "无证", "ＮＵＬＬ", "***",
)  # fmt: skip


def objection(case_no: str) -> Objection:
    with reading() as session:
        return session.get_one(Objection, case_no)


# 占位的编号


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("number", PLACEHOLDERS)
def test_a_placeholder_is_no_number_of_a_certificate(clerk: Any, number: str) -> None:
    with pytest.raises(ValidationError, match="没有这件证照的，编号留空"):
        clerk.register(certificate=number)
    assert cases() == []


def test_a_row_with_a_placeholder_is_handed_back_and_says_what_to_do(clerk: Any) -> None:
    rows = clear(4)
    rows[0]["证照编号或电子证照标识"], rows[1]["证照编号或电子证照标识"] = "没有", ""
    read = read_file("异议.csv", table(rows))
    assert [row for row, _ in read.objections] == [4, 5]
    ending = f"；没有这件证照的，编号留空，异议种类只选“{Ground.MISSING}”。请更正该行后重新报送。"
    assert dict(read.wrong) == {
        2: f"证照编号或电子证照标识不是编号，请照证照填写{ending}",
        3: f"证照编号或电子证照标识未填写{ending}",
    }


def test_a_row_that_was_taken_before_the_rule_is_registered_as_it_was_taken(clerk: Any) -> None:
    batch = Clerk(hand_in(clear(2)).case_no)
    with transaction() as session:
        chunk = session.scalars(select(ObjectionBatchChunk)).one()
        (number, first), second = chunk.rows
        chunk.rows = [[number, first | {"certificate": "没有"}], second]
    register_chunks(batch)
    assert [objection(case.case_no).certificate_root is None for case in cases()] == [True, False]


# 应当有而没有的证照


def missing(clerk: Any, **changed: object) -> Any:
    given = {"grounds": [Ground.MISSING], "certificate": "", "field": "", "stated": ""}
    return clerk.register(**(given | changed))


def test_a_missing_certificate_is_a_ground_without_a_number_and_joins_nobody(clerk: Any, city_bureau: StandIn) -> None:
    first, second = missing(clerk), missing(clerk, email="b@example.com")
    assert (first.stage(), second.stage()) == (Stage.REGISTERED, Stage.REGISTERED)
    filed = objection(first.case_no)
    assert (filed.certificate_reference, filed.field_name, filed.stated) == ("", WHOLE, NO_SUCH)
    lines = dict(sheet_of(first.case_no).lines)
    assert lines["有异议的项目"] == f"{WHOLE}（{Ground.MISSING}）"
    assert "应当有这件证照而没有" in lines["系统提示"]
    assert "未找到该证照" not in lines["系统提示"]
    for case in (first, second):
        case.accept()
        assert case.request() == "gateway"
    (asked, _) = city_bureau.received
    assert asked["fields"]["grounds"] == Ground.MISSING
    assert (asked["fields"]["certNo"], asked["fields"]["presentValue"]) == ("", NO_SUCH)


def test_a_number_that_comes_with_a_missing_certificate_is_no_certificate_of_the_register(clerk: Any) -> None:
    other = clerk.register()
    case = missing(clerk, certificate=objection(other.case_no).certificate_reference)
    filed = objection(case.case_no)
    assert (case.stage(), filed.certificate_root, filed.field_code) == (Stage.REGISTERED, None, None)
    assert "本区索引中有所填的编号" in filed.remark


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"grounds": [Ground.MISSING, Ground.ACCURACY]}, "只能单独提出"),
        ({"grounds": [Ground.ACCURACY]}, "没有这件证照的，编号留空"),
        ({"certificate": "没有"}, "没有这件证照的，编号留空"),
        ({"grounds": [Ground.ACCURACY], "certificate": "第12号"}, "未填写"),
    ],
)
def test_an_application_without_a_number_has_that_ground_alone(clerk: Any, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        missing(clerk, **given)
    with reading() as session:
        assert session.scalars(select(Case.case_no)).all() == []


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_row_about_a_missing_certificate_needs_no_number(clerk: Any) -> None:
    rows = clear(2)
    for row in rows:
        row |= {"异议种类": Ground.MISSING, "证照编号或电子证照标识": "", "有异议的项目": "", "证照上现在的内容": ""}
    batch = Clerk(hand_in(rows).case_no)
    register_chunks(batch)
    # Each is looked at by itself: nothing can be compared with the register.
    assert [(case.stage, case.at_rest) for case in cases()] == [(Stage.REGISTERED, False)] * 2


def test_what_was_handed_in_again_as_the_form_gives_it_is_the_same(clerk: Any) -> None:
    given = clerk.application(grounds=[Ground.MISSING], certificate="", field="", stated="")
    assert ObjectionApplication.model_validate(given.model_dump()) == given


# 谁并入谁


def test_what_is_only_typed_alike_is_not_joined(clerk: Any) -> None:
    for given in ({"certificate": "第12345号"}, {"field": "同一个目录外项目"}, {"certificate_type": "从未见过的证"}):
        first, second = clerk.register(**given), clerk.register(**given, email="b@example.com")
        assert (first.stage(), second.stage()) == (Stage.REGISTERED, Stage.REGISTERED), given
        assert objection(second.case_no).earlier_case_no is None


def test_whoever_comes_before_the_request_joins_at_every_stage_before_it(clerk: Any) -> None:
    lead = clerk.register()
    assert clerk.register(email="b@example.com").stage() == Stage.JOINED
    assert lead.answer(InitialReview, verdict="要求补正", reason="请补交门牌证照片") is None
    steps.request_supplement.run(lead.case_no)
    assert clerk.register(email="c@example.com").stage() == Stage.JOINED
    steps.submit_supplement(lead.token, "门牌证见附件", [], "s1")
    steps.take_supplement.run(lead.case_no)
    assert lead.answer(InitialReview, 2, verdict="受理") is None
    steps.accept_objection.run(lead.case_no)
    assert clerk.register(email="d@example.com").stage() == Stage.JOINED
    prepare_pursuit.run(lead.case_no)
    assert lead.stage() == Stage.ACCEPTED
    late = clerk.register(email="e@example.com")
    assert (late.stage(), objection(late.case_no).earlier_case_no) == (Stage.REGISTERED, lead.case_no)


def test_whoever_comes_later_has_a_request_of_their_own_and_is_linked(clerk: Any, city_bureau: StandIn) -> None:
    first = clerk.register()
    first.accept()
    first.request()
    second = clerk.register(email="b@example.com", objector_name="傅二")
    assert dict(sheet_of(second.case_no).lines)["此前的异议"] == (
        f"{first.case_no}（{Stage.VERIFYING}）；主张的内容相同"
    )
    # Who comes while nobody was asked about the second joins that.
    third = clerk.register(email="c@example.com")
    assert objection(third.case_no).lead_case_no == second.case_no
    second.accept()
    assert second.request() == "gateway"
    assert [call["fields"]["caseNo"] for call in city_bureau.received] == [first.case_no, second.case_no]


def test_a_repeat_is_shown_with_what_was_decided_before(clerk: Any, city_bureau: StandIn) -> None:
    first = closed(clerk)
    about = objection(first.case_no)
    given = {
        "certificate": about.certificate_reference,
        "certificate_type": about.certificate_type,
        "field": about.field_name,
    }
    again = clerk.register(**given, proposed="绍兴市柯桥区柯桥街道群贤路1号")
    lines = dict(sheet_of(again.case_no).lines)
    assert lines["此前的异议"] == f"{first.case_no}（{Stage.CLOSED}，已更正）；同一申请人再次提出"


def test_two_at_once_are_one_lead_and_one_that_joined(clerk: Any) -> None:
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda n: clerk.register(email=f"n{n}@example.com"), range(4)))
    assert sorted(case.stage() for case in made) == sorted([Stage.REGISTERED, *[Stage.JOINED] * 3])


def test_joining_while_the_request_is_prepared_is_one_or_the_other(clerk: Any) -> None:
    for held, kind in certificates_with_address(CertificateType.source == Level.CITY)[:4]:
        about = {"certificate": held.number, "certificate_type": kind.name, "field": kind.names["address"]}
        lead = clerk.register(**about)
        lead.accept()

        def register(given: dict[str, str] = about) -> Any:
            return clerk.register(**given, email="b@example.com")

        with ThreadPoolExecutor(2) as threads:
            preparing, second = threads.submit(prepare_pursuit.run, lead.case_no), threads.submit(register)
            assert preparing.result() == "letter"
        with reading() as session:
            prepared_at = session.scalars(
                select(VerificationRequest.prepared_at).where(VerificationRequest.case_no == lead.case_no)
            ).one()
            opened_at = session.get_one(Case, second.result().case_no).opened_at
        if second.result().stage() == Stage.REGISTERED:
            assert objection(second.result().case_no).earlier_case_no == lead.case_no
        else:
            assert opened_at <= prepared_at


def test_a_declined_lead_is_what_came_before_for_whoever_goes_on(clerk: Any) -> None:
    lead, second = clerk.register(), clerk.register(email="b@example.com")
    lead.answer(InitialReview, verdict="不予受理", reason="该信息不属于电子证照信息")
    steps.decline_objection.run(lead.case_no)
    assert objection(second.case_no).earlier_case_no == lead.case_no
    # It is open to others again.
    assert objection(clerk.register(email="c@example.com").case_no).lead_case_no == second.case_no
