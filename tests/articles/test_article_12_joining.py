"""第十二条：电子证照使用部门、持证主体及其他社会用证主体有异议的，有权向综合管理单位提出核查申请。

Several objections may be about the same thing (并案): that takes nobody's right away."""

import io
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from openpyxl import load_workbook
from pydantic import ValidationError
from sqlalchemy import select, update

from gateways import superior_bureaus
from gateways.stand_in import StandIn
from models.cases import Case, Deadline
from models.certificates import CertificateType
from models.notices import OutgoingNotice
from models.objection_batches import ObjectionBatchChunk
from models.objections import Attachment, Objection, VerificationRequest
from regulation.certificates import Level
from regulation.limits import SUPPLEMENT, VERIFICATION_REQUEST
from regulation.objections import NO_SUCH, WHOLE, Ground, Outcome, Stage, Verdict
from regulation.supervision_reports import period_of
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import RefusalError
from tasks.case.answers import answer_or_wait
from tasks.case.attachments import File
from tasks.desk.sheets import sheet_of
from tasks.objections import steps
from tasks.objections.applications import ObjectionApplication
from tasks.objections.batch_files import read_file
from tasks.objections.batch_rows import results_of
from tasks.objections.batches import judge_batch
from tasks.objections.endings import conclude
from tasks.objections.followed import followed
from tasks.objections.kind import OBJECTION_TO_PARTY
from tasks.objections.lists import LAYOUT as LIST
from tasks.objections.questions import BatchReview, InitialReview, SupplementKind, SupplementReceived
from tasks.objections.registrations import register_objection
from tasks.objections.steps import dispute_on
from tasks.objections.verifications import prepare_pursuit
from tasks.supervision.figures import figures_of
from tasks.tables.headed import rows_of
from tests.articles.test_article_12_batches import (
    SENDER,
    cases,
    clear,
    hand_in,
    register,
    register_chunks,
    request,
    table,
)
from tests.articles.test_article_12_objections import (
    closed,
    deadline_of,
    decide,
    notices_to,
    reasons_to,
    reply,
    supplemented,
)
from tests.conftest import Clerk, certificates_with_address, facts_of, listed_for, officer_of, read_at_desk
from web.standing import status_of

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


# 各人的主张都一并送交


PNG = File("门牌证.png", "image/png", b"\x89PNG\r\n\x1a\n" + b"\0" * 64)
SECOND = {
    "email": "b@example.com",
    "objector_name": "傅二娘",
    "grounds": [Ground.TIMELINESS],
    "stated": "旧的地址没有更新",
    "proposed": "绍兴市柯桥区钱清街道3号",
    "reason": "去年已经迁址，换证时漏了。",
}


def joined(clerk: Any, source: Level = Level.CITY) -> tuple[Any, Any]:
    """A lead, and one with a claim and a file of its own that joined it."""
    lead = clerk.register(source)
    second = register_objection(clerk.application(source, **SECOND), [PNG], secrets.token_hex(4), "KQ001")
    assert second.joined
    return lead, Clerk(second.case_no, second.token)


def test_every_claim_goes_to_the_bureau(clerk: Any, city_bureau: StandIn) -> None:
    lead, _ = joined(clerk)
    lead.accept()
    lead.request()
    (asked,) = [call["fields"] for call in city_bureau.received]
    assert asked["caseNo"] == lead.case_no
    assert asked["reason"].startswith(
        "门牌号登记有误，与门牌证不一致。\n另有1件异议并案，请一并核实：\n（1）异议种类：时效性；"
    )
    for said in (*(SECOND[name] for name in ("stated", "proposed", "reason")), "附件：1个（门牌证.png）"):
        assert said in asked["reason"]
    # Who objects is none of the bureau's.
    assert "傅二娘" not in str(asked)


def test_a_mapping_may_give_the_claims_that_joined_a_place_of_their_own(
    clerk: Any, city_bureau: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed = superior_bureaus.mapping()
    with_place = agreed.model_copy(update={"request": agreed.request | {"joined": "otherClaims"}})
    monkeypatch.setattr(superior_bureaus, "mapping", lambda: with_place)
    lead, _ = joined(clerk)
    lead.accept()
    lead.request()
    (asked,) = [call["fields"] for call in city_bureau.received]
    assert asked["reason"] == "门牌号登记有误，与门牌证不一致。"
    assert str(SECOND["proposed"]) in asked["otherClaims"]


def test_every_claim_goes_with_the_letter(clerk: Any) -> None:
    rows = clear(3)
    batch = register([*rows, rows[1] | {"电子邮箱": "b@example.com", "申请人认为应当是": "第二个人的主张"}])
    assert batch.answer(BatchReview, verdict="一并受理") is None
    judge_batch.run(batch.case_no)
    request(batch)
    with reading() as session:
        (content,) = session.scalars(select(Attachment.content).where(Attachment.case_no == batch.case_no))
    book = load_workbook(io.BytesIO(content))
    first, second = (list(sheet.values) for sheet in book.worksheets)
    assert [row[0] for row in first[1:]] == [case.case_no for case in cases(Case.stage != Stage.JOINED)]
    assert "另有1件异议并案，见“并案的异议”表" in str(first[2])
    assert [row[0] for row in second[1:]] == [cases()[1].case_no]
    assert "第二个人的主张" in second[1]
    # It is read back as any list is.
    assert [row.given["case_no"] for row in rows_of("清单.xlsx", content, LIST)] == [row[0] for row in first[1:]]


def test_staff_see_every_claim_and_its_files_before_they_decide(clerk: Any) -> None:
    lead, second = joined(clerk)
    assert dict(sheet_of(lead.case_no).lines)["并案"] == f"{second.case_no}（时效性；附件1个）"
    assert "钱清" not in sheet_of(lead.case_no).table()
    full = read_at_desk(lead.case_no, officer_of(lead.case_no))
    said = facts_of(full)
    for name, value in ((" 证照上现在的内容", "stated"), ("认为应当是", "proposed"), (" 理由", "reason")):
        assert said[f"并案{second.case_no}{name}"] == SECOND[value]
    assert said[f"并案{second.case_no} 附件"] == "1个：门牌证.png"
    files = [(each.case_no, each.name) for group in full.handed_in for each in group.files]
    assert files == [(second.case_no, "门牌证.png")]


def test_no_party_learns_anything_of_another(clerk: Any, city_bureau: StandIn) -> None:
    lead, second = joined(clerk)
    third = clerk.register(email="c@example.com")
    lead.accept()
    lead.request()
    steps_to_the_end(lead)
    mine = {case.case_no for case in (lead, second, third)}
    for case in (lead, second, third):
        others = mine - {case.case_no}
        sheet = sheet_of(case.case_no, OBJECTION_TO_PARTY)
        with reading() as session:
            told = session.scalars(select(OutgoingNotice).where(OutgoingNotice.case_no == case.case_no)).all()
        letters = [each.context for each in told if each.notice != "case-assigned"]
        seen = f"{sheet.lines} {sheet.timeline} {letters} {status_of(case.case_no)}"
        assert not any(other in seen for other in others), seen
        assert "objection-closed" in {each.notice for each in told}
    assert dict(sheet_of(second.case_no, OBJECTION_TO_PARTY).lines)["处理结果"] == "已更正"


def steps_to_the_end(lead: Any) -> None:
    assert reply(lead) is None
    steps.take_reply.run(lead.case_no)
    assert decide(lead, "已更正") is None
    conclude(lambda step: step.run(lead.case_no))


ADDRESS_FOUND = "绍兴市柯桥区群贤路9999号"
"""What the bureau finds in ``reply``."""


def told_at_the_end(case: Any) -> dict[str, Any]:
    """What the last letter to an objector says."""
    with reading() as session:
        wanted = select(OutgoingNotice.context).where(
            OutgoingNotice.case_no == case.case_no,
            OutgoingNotice.notice.in_(["objection-closed", "objection-answered"]),
        )
        return dict(session.scalars(wanted).one())


def of_claim(case: Any) -> str:
    return dict(sheet_of(case.case_no, OBJECTION_TO_PARTY).lines).get("您的主张", "")


def test_each_party_is_told_whether_what_they_claimed_was_found_right(clerk: Any, city_bureau: StandIn) -> None:
    lead, second = joined(clerk)
    third = clerk.register(email="c@example.com", proposed=f" {ADDRESS_FOUND} ")
    lead.accept()
    lead.request()
    assert of_claim(second) == ""
    steps_to_the_end(lead)
    assert [told_at_the_end(case)["adopted"] for case in (lead, second, third)] == [False, False, True]
    assert [of_claim(case)[:14] for case in (second, third)] == [
        "核实认定的内容与您主张的不同",
        "核实认定的内容与您主张的一致",
    ]
    # What it says now is its holder's to show: nobody had to prove who they are.
    for case in (lead, second):
        seen = f"{told_at_the_end(case)} {sheet_of(case.case_no, OBJECTION_TO_PARTY)}"
        assert ADDRESS_FOUND not in seen
        assert "持证主体请用“浙里办”登录后查看" in seen


def test_whoever_joined_follows_what_happens_to_everybody_in_the_case(clerk: Any, city_bureau: StandIn) -> None:
    lead = clerk.register()
    supplemented(lead)
    second = clerk.register(email="b@example.com")
    assert lead.answer(InitialReview, 2, verdict="要求补正", reason="请补交房产证照片") is None
    steps.request_supplement.run(lead.case_no, 2)

    def own() -> tuple[str, list[str]]:
        sheet = sheet_of(second.case_no, OBJECTION_TO_PARTY)
        assert lead.case_no not in str(sheet)
        return dict(sheet.lines)["合并办理的进展"], [what for _, what in sheet.timeline]

    # What was before they came is the others'.
    assert own() == (
        "等待另一位申请人补正",
        ["登记，写成给申请人的回执", "与同一证照同一项目的异议合并办理", "合并办理的异议须补正，等待补正"],
    )
    assert "房产证" not in str(sheet_of(second.case_no, OBJECTION_TO_PARTY))
    assert lead.answer(SupplementReceived, 2, kind="不再等待，按现有材料继续") is None
    steps.take_supplement.run(lead.case_no, 2)
    with transaction() as session:
        # What they were given for it has passed.
        passed = update(Deadline).where(Deadline.case_no == lead.case_no, Deadline.limit_code == SUPPLEMENT.code)
        session.execute(passed.values(due_on=clock.today() - timedelta(days=1)))
    assert lead.answer(InitialReview, 3, verdict="受理") is None
    steps.accept_objection.run(lead.case_no)
    lead.request()
    assert own()[0] == Stage.VERIFYING
    steps_to_the_end(lead)
    said = [what for _, what in sheet_of(second.case_no, OBJECTION_TO_PARTY).timeline]
    for what in ("收到核实结果", "认定处理结果：已更正", "本区索引已更正为新版本"):
        assert said.count(what) == 1
    assert said[-1] == "告知申请人结果，办结，去除异议标记"


def test_whoever_goes_on_by_themselves_is_given_a_run_at_once(clerk: Any) -> None:
    lead, second = joined(clerk)
    clerk.register(email="c@example.com")
    lead.answer(InitialReview, verdict="不予受理", reason="该信息不属于电子证照信息")
    assert steps.decline_objection.run(lead.case_no) == second.case_no
    alone = clerk.register(certificate="第12345号")
    alone.answer(InitialReview, verdict="不予受理", reason="该信息不属于电子证照信息")
    assert steps.decline_objection.run(alone.case_no) is None


def test_of_what_stays_as_it_was_no_claim_is_said_to_differ(clerk: Any, city_bureau: StandIn) -> None:
    lead, second = joined(clerk)
    bring_to(lead, Stage.VERIFYING)
    assert reply(lead, finding="原数据无误", corrected_value="") is None
    steps.take_reply.run(lead.case_no)
    assert decide(lead, "维持原信息") is None
    conclude(lambda step: step.run(lead.case_no))
    assert [told_at_the_end(case)["adopted"] for case in (lead, second)] == [None, None]
    assert of_claim(second) == ""


def test_an_answer_by_reference_says_whether_the_claim_was_found_right(clerk: Any, city_bureau: StandIn) -> None:
    lead, _ = joined(clerk)
    bring_to(lead, Stage.VERIFYING)
    steps_to_the_end(lead)
    about = objection(lead.case_no)
    given = {
        "certificate": about.certificate_reference,
        "certificate_type": about.certificate_type,
        "field": about.field_name,
    }
    again = clerk.register(**given | SECOND | {"grounds": ["准确性"]})
    assert again.answer(InitialReview, verdict="已有结论", reason=WHY) is None
    steps.refer_to_decision.run(again.case_no)
    assert told_at_the_end(again)["adopted"] is False
    assert of_claim(again).startswith("核实认定的内容与您主张的不同")


def test_staff_see_of_each_party_how_they_made_themselves_known(clerk: Any) -> None:
    lead = clerk.register()
    by_mail = "申请人只确认了邮箱，未经实名认证"
    second = register_objection(clerk.application(**SECOND), [PNG], secrets.token_hex(4), "e-mail", by_mail)
    assert second.joined
    assert dict(sheet_of(lead.case_no).lines)["并案"] == f"{second.case_no}（时效性；附件1个；{by_mail}）"
    full = read_at_desk(lead.case_no, officer_of(lead.case_no))
    assert dict(full.lines)[f"并案{second.case_no} 系统提示"] == by_mail


def test_whoever_is_released_is_told_nothing_of_the_other(clerk: Any) -> None:
    lead, second = joined(clerk)
    lead.answer(InitialReview, verdict="不予受理", reason="该信息不属于电子证照信息")
    steps.decline_objection.run(lead.case_no)
    with reading() as session:
        told = session.scalars(select(OutgoingNotice).where(OutgoingNotice.case_no == second.case_no)).all()
    assert [each.notice for each in told][:3] == ["objection-registered", "objection-joined", "objection-released"]
    assert not any(lead.case_no in str(each.context) for each in told)
    assert lead.case_no not in str(sheet_of(second.case_no, OBJECTION_TO_PARTY))


# 首位申请人撤回


REPLIED = (Stage.REGISTERED, Stage.SUPPLEMENT, Stage.ACCEPTED, Stage.VERIFYING, Stage.REPLIED)


def bring_to(lead: Any, stage: Stage) -> None:
    """Carry a case to a stage as its story does."""
    if stage is Stage.SUPPLEMENT:
        assert lead.answer(InitialReview, verdict="要求补正", reason="请补交门牌证照片") is None
        steps.request_supplement.run(lead.case_no)
    elif stage is not Stage.REGISTERED:
        lead.accept()
        if stage is not Stage.ACCEPTED:
            lead.request()
        if stage is Stage.REPLIED:
            assert reply(lead) is None
            steps.take_reply.run(lead.case_no)
    assert lead.stage() == stage


@pytest.mark.parametrize("stage", REPLIED)
def test_when_the_lead_withdraws_the_case_stays_where_it_is_for_the_others(
    clerk: Any, city_bureau: StandIn, stage: Stage
) -> None:
    lead, second = joined(clerk)
    third = clerk.register(email="c@example.com")
    bring_to(lead, stage)
    told = notices_to(lead.case_no)
    assert steps.withdraw_objection(lead.token) == lead.case_no
    assert steps.withdraw_objection(lead.token) == lead.case_no
    assert (lead.stage(), second.stage(), third.stage()) == (stage, Stage.JOINED, Stage.JOINED)
    assert notices_to(lead.case_no) == [*told, "objection-withdrawn"]
    # Of them nothing was asked.
    assert sheet_of(second.case_no, OBJECTION_TO_PARTY).stage == Stage.JOINED
    goes_on = f"{second.case_no}、{third.case_no}办理"
    assert goes_on in dict(sheet_of(lead.case_no).lines)["首位申请人已撤回"]
    assert listed_for()[lead.case_no].goes_on_for == (second.case_no, third.case_no)
    turn = 1
    if stage is Stage.SUPPLEMENT:
        # Nobody waits for what will not come.
        assert answer_or_wait(lead.case_no, SupplementReceived, 1) == {"kind": SupplementKind.NONE, "text": ""}
        steps.take_supplement.run(lead.case_no)
        turn = 2
    if stage in {Stage.REGISTERED, Stage.SUPPLEMENT}:
        assert lead.answer(InitialReview, turn, verdict="受理") is None
        steps.accept_objection.run(lead.case_no)
    if stage not in {Stage.VERIFYING, Stage.REPLIED}:
        lead.request()
        (asked,) = [call["fields"] for call in city_bureau.received]
        assert (asked["caseNo"], asked["proposedValue"]) == (lead.case_no, SECOND["proposed"])
        assert "另有1件异议并案" in asked["reason"]
        assert "门牌号登记有误" in asked["reason"]
    if stage is not Stage.REPLIED:
        assert reply(lead) is None
        steps.take_reply.run(lead.case_no)
    assert decide(lead, "已更正") is None
    conclude(lambda step: step.run(lead.case_no))
    assert notices_to(lead.case_no) == [*told, "objection-withdrawn"]
    assert {case.stage() for case in (lead, second, third)} == {Stage.CLOSED}
    for case in (second, third):
        assert notices_to(case.case_no)[-1] == "objection-closed"
        assert objection(case.case_no).outcome == Outcome.CORRECTED
        limit = deadline_of(case.case_no, VERIFICATION_REQUEST.code)
        assert (limit.met_on, limit.missed_by) == (clock.today(), 0)
    assert deadline_of(lead.case_no, VERIFICATION_REQUEST.code).missed_by == 0


def test_whoever_withdrew_reads_that_and_nothing_of_the_case_that_goes_on(clerk: Any, city_bureau: StandIn) -> None:
    lead, second = joined(clerk)
    bring_to(lead, Stage.VERIFYING)
    steps.withdraw_objection(lead.token)
    before = sheet_of(lead.case_no, OBJECTION_TO_PARTY)
    assert (before.stage, before.limits) == (Stage.WITHDRAWN, ())
    assert before.timeline[-1][1] == "申请人撤回"
    steps_to_the_end(lead)
    after = sheet_of(lead.case_no, OBJECTION_TO_PARTY)
    assert after == before
    assert status_of(lead.case_no)["stage"] == Stage.WITHDRAWN
    for act in (lambda: steps.log_disagreement(lead.token, "我不同意这个结果"),):
        with pytest.raises(RefusalError):
            act()
    steps.log_disagreement(second.token, "更正的不是我说的那一处")


def test_whoever_withdrew_can_supplement_nothing(clerk: Any) -> None:
    lead, _ = joined(clerk)
    bring_to(lead, Stage.SUPPLEMENT)
    steps.withdraw_objection(lead.token)
    with pytest.raises(RefusalError, match="已撤回"):
        steps.submit_supplement(lead.token, "又想补了", [], "s1")


def test_after_the_lead_the_first_of_the_others_is_asked_and_answers(clerk: Any) -> None:
    lead, second = joined(clerk)
    third = clerk.register(email="c@example.com")
    steps.withdraw_objection(lead.token)
    bring_to(lead, Stage.SUPPLEMENT)
    assert notices_to(second.case_no)[-1] == "supplement-requested"
    assert "supplement-requested" not in [*notices_to(lead.case_no), *notices_to(third.case_no)]
    stages = [sheet_of(case.case_no, OBJECTION_TO_PARTY).stage for case in (lead, second, third)]
    assert stages == [Stage.WITHDRAWN, Stage.SUPPLEMENT, Stage.JOINED]
    with pytest.raises(RefusalError, match="不需要补正"):
        steps.submit_supplement(third.token, "不是问我的", [], "s1")
    assert steps.submit_supplement(second.token, "迁址证明见附件", [PNG], "s1") == second.case_no
    steps.take_supplement.run(lead.case_no)
    assert lead.stage() == Stage.REGISTERED
    full = read_at_desk(lead.case_no, officer_of(lead.case_no))
    assert "迁址证明见附件" in dict(full.lines).values()


def test_a_supplement_that_nobody_is_left_to_give_is_not_waited_for(clerk: Any) -> None:
    lead, second = joined(clerk)
    clerk.register(email="c@example.com")
    steps.withdraw_objection(lead.token)
    bring_to(lead, Stage.SUPPLEMENT)
    steps.withdraw_objection(second.token)
    answered = answer_or_wait(lead.case_no, SupplementReceived, 1)
    assert answered is not None
    assert answered["kind"] == SupplementKind.NONE


def test_a_supplement_that_came_before_the_withdrawal_is_on_record(clerk: Any) -> None:
    lead, _ = joined(clerk)
    bring_to(lead, Stage.SUPPLEMENT)
    steps.submit_supplement(lead.token, "门牌证见附件", [], "s1")
    steps.withdraw_objection(lead.token)
    assert answer_or_wait(lead.case_no, SupplementReceived, 1) == {
        "kind": SupplementKind.RECEIVED,
        "text": "门牌证见附件",
    }


@pytest.mark.parametrize("first", ["lead", "joined"])
def test_when_all_have_withdrawn_the_case_ends_as_withdrawn(clerk: Any, city_bureau: StandIn, first: str) -> None:
    lead, second = joined(clerk)
    bring_to(lead, Stage.VERIFYING)
    order = (lead, second) if first == "lead" else (second, lead)
    for case in order:
        steps.withdraw_objection(case.token)
    assert (lead.stage(), second.stage()) == (Stage.WITHDRAWN, Stage.WITHDRAWN)
    with reading() as session:
        assert all(session.get_one(Case, case.case_no).closed_at is not None for case in order)
        filed = session.get_one(Objection, lead.case_no)
        assert dispute_on(session, filed.certificate_root or "") == []
    for case in order:
        assert notices_to(case.case_no).count("objection-withdrawn") == 1
    # A certificate that nobody disputes any more is open to a new objection.
    again = clerk.register(email="d@example.com")
    assert (again.stage(), objection(again.case_no).earlier_case_no) == (Stage.REGISTERED, lead.case_no)


def test_all_may_withdraw_at_once(clerk: Any) -> None:
    lead, second = joined(clerk)
    third = clerk.register(email="c@example.com")
    everyone = (lead, second, third)
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda case: steps.withdraw_objection(case.token), everyone))
    assert [case.stage() for case in everyone] == [Stage.WITHDRAWN] * 3


def test_of_a_case_that_goes_on_the_first_is_declined_and_the_others_go_on(clerk: Any) -> None:
    lead, second = joined(clerk)
    third = clerk.register(email="c@example.com")
    steps.withdraw_objection(lead.token)
    assert lead.answer(InitialReview, verdict="不予受理", reason="该信息不属于电子证照信息") is None
    steps.decline_objection.run(lead.case_no)
    assert (lead.stage(), second.stage(), third.stage()) == (Stage.DECLINED, Stage.DECLINED, Stage.REGISTERED)
    assert notices_to(second.case_no)[-1] == "objection-declined"
    assert notices_to(third.case_no)[-1] == "objection-released"
    assert notices_to(lead.case_no)[-1] == "objection-withdrawn"
    assert sheet_of(lead.case_no, OBJECTION_TO_PARTY).stage == Stage.WITHDRAWN


def test_others_may_join_a_case_that_goes_on(clerk: Any) -> None:
    lead, _ = joined(clerk)
    steps.withdraw_objection(lead.token)
    assert objection(clerk.register(email="c@example.com").case_no).lead_case_no == lead.case_no


def test_a_case_that_rests_goes_on_resting_without_its_first_objector(clerk: Any, city_bureau: StandIn) -> None:
    city_bureau.reply_after = 3600
    rows = clear(3)
    batch = register([*rows, rows[1] | {"电子邮箱": "b@example.com", "申请人认为应当是": "绍兴市柯桥区钱清街道3号"}])
    lead = cases()[1].case_no
    steps.withdraw_objection(objection(lead).token)
    assert [case.at_rest for case in cases(Case.stage == Stage.REGISTERED)] == [True] * 3
    stages = {each["case_no"]: each["stage"] for each in results_of(batch.case_no, SENDER)["cases"]}
    assert stages[lead] == Stage.WITHDRAWN
    assert batch.answer(BatchReview, verdict="一并受理") is None
    judge_batch.run(batch.case_no)
    request(batch)
    assert [case.stage for case in cases()] == [Stage.VERIFYING] * 3 + [Stage.JOINED]
    assert all(case.at_rest for case in cases(Case.stage == Stage.VERIFYING))
    asked = {call["fields"]["caseNo"]: call["fields"]["proposedValue"] for call in city_bureau.received}
    assert asked[lead] == "绍兴市柯桥区钱清街道3号"
    # Nor does who withdraws from there on give it a run, until nobody is left.
    steps.withdraw_objection(objection(cases()[3].case_no).token)
    assert [case.stage for case in cases()] == [Stage.VERIFYING, Stage.WITHDRAWN, Stage.VERIFYING, Stage.WITHDRAWN]


def test_withdrawing_while_the_case_closes_is_one_or_the_other(clerk: Any, city_bureau: StandIn) -> None:
    for held, kind in certificates_with_address(CertificateType.source == Level.CITY)[:4]:
        about = {"certificate": held.number, "certificate_type": kind.name, "field": kind.names["address"]}
        lead, second = clerk.register(**about), clerk.register(**about, email="b@example.com")
        bring_to(lead, Stage.REPLIED)
        steps.withdraw_objection(lead.token)
        assert decide(lead, "已更正") is None

        def finish(case_no: str = lead.case_no) -> None:
            steps.decide_outcome.run(case_no)
            steps.close_objection.run(case_no)

        with ThreadPoolExecutor(2) as threads:
            closing, leaving = threads.submit(finish), threads.submit(steps.withdraw_objection, second.token)
            withdrawn = leaving.exception() is None
        assert (closing.exception() is None) is not withdrawn
        assert {lead.stage(), second.stage()} == {Stage.WITHDRAWN if withdrawn else Stage.CLOSED}


# 已有结论


WHY = "此前经上级核实，登记的内容与原始档案一致。"


def decided_and_again(clerk: Any, files: Sequence[File] = (), **changed: object) -> tuple[Any, Any]:
    """A case that was closed as upheld, and another about the same."""
    application = clerk.application(**changed)
    first = clerk.register()
    bring_to(first, Stage.VERIFYING)
    assert reply(first, finding="原数据无误", corrected_value="") is None
    steps.take_reply.run(first.case_no)
    assert decide(first, "维持原信息") is None
    conclude(lambda step: step.run(first.case_no))
    again = register_objection(application, files, secrets.token_hex(4), "KQ001")
    assert objection(again.case_no).earlier_case_no == first.case_no
    return first, Clerk(again.case_no, again.token)


def verdicts(case: Any) -> Sequence[str]:
    with reading() as session:
        return InitialReview.choices(session, session.get_one(Case, case.case_no))["verdict"]


def test_what_was_decided_is_answered_by_reference(clerk: Any, city_bureau: StandIn) -> None:
    first, again = decided_and_again(clerk, email="b@example.com", objector_name="傅二娘")
    other = clerk.register(email="c@example.com")
    assert Verdict.ANSWERED in verdicts(again)
    assert "理由" in str(again.answer(InitialReview, verdict="已有结论"))
    assert again.answer(InitialReview, verdict="已有结论", reason=WHY) is None
    steps.refer_to_decision.run(again.case_no)
    for case in (again, other):
        assert case.stage() == Stage.ANSWERED
        assert notices_to(case.case_no)[-1] == "objection-answered"
        ended = followed(case.case_no).ended
        assert ended is not None
        assert (ended.outcome, ended.reason) == (Outcome.UPHELD, WHY)
        with reading() as session:
            assert session.get_one(Case, case.case_no).closed_at is not None
            (told,) = session.scalars(
                select(OutgoingNotice).where(
                    OutgoingNotice.case_no == case.case_no, OutgoingNotice.notice == "objection-answered"
                )
            )
        assert (told.context["outcome"], told.context["reason"]) == (Outcome.UPHELD, WHY)
        assert first.case_no not in str(told.context)
        # Nobody was asked: that is no limit that was met.
        limit = deadline_of(case.case_no, VERIFICATION_REQUEST.code)
        assert (limit.met_on, limit.lapsed_on) == (None, clock.today())
    lines = dict(sheet_of(again.case_no).lines)
    assert lines["处理结果"] == Outcome.UPHELD
    assert notices_to(first.case_no)[-1] == "objection-closed"
    # The next one is answered by the same.
    next_one = clerk.register(email="d@example.com")
    assert Verdict.ANSWERED in verdicts(next_one)


@pytest.mark.parametrize("new", ["value", "paper", "supplement", "joined"])
def test_whoever_states_something_new_is_not_put_off(clerk: Any, city_bureau: StandIn, new: str) -> None:
    files = [PNG] if new == "paper" else []
    _, again = decided_and_again(clerk, files, **({"proposed": "群贤路1号"} if new == "value" else {}))
    turn = 1
    if new == "supplement":
        bring_to(again, Stage.SUPPLEMENT)
        steps.submit_supplement(again.token, "原来的产权证上写得清楚", [], "s1")
        steps.take_supplement.run(again.case_no)
        turn = 2
    elif new == "joined":
        clerk.register(email="c@example.com", proposed="群贤路2号")
    assert Verdict.ANSWERED not in verdicts(again)
    assert "没有可以援引的结论" in str(again.answer(InitialReview, turn, verdict="已有结论", reason=WHY))
    assert again.answer(InitialReview, turn, verdict="受理") is None


def test_whoever_joined_since_the_review_and_states_something_new_goes_on(clerk: Any, city_bureau: StandIn) -> None:
    _, again = decided_and_again(clerk)
    assert again.answer(InitialReview, verdict="已有结论", reason=WHY) is None
    same, other = clerk.register(email="c@example.com"), clerk.register(email="d@example.com", proposed="群贤路2号")
    steps.refer_to_decision.run(again.case_no)
    assert [case.stage() for case in (again, same, other)] == [Stage.ANSWERED, Stage.ANSWERED, Stage.REGISTERED]
    assert notices_to(other.case_no)[-1] == "objection-released"
    assert Verdict.ANSWERED not in verdicts(other)


def test_an_answer_by_reference_after_a_supplement_tells_why_and_not_what_was_missing(
    clerk: Any, city_bureau: StandIn
) -> None:
    _, again = decided_and_again(clerk)
    supplemented(again)
    assert again.answer(InitialReview, 2, verdict="已有结论", reason=WHY) is None
    steps.refer_to_decision.run(again.case_no)
    assert reasons_to(again.case_no) == [WHY]


def test_what_was_not_decided_is_no_answer(clerk: Any, city_bureau: StandIn) -> None:
    first = clerk.register()
    bring_to(first, Stage.VERIFYING)
    again = clerk.register(email="b@example.com")
    assert Verdict.ANSWERED not in verdicts(again)
    steps.withdraw_objection(first.token)
    assert Verdict.ANSWERED not in verdicts(again)


def test_what_is_answered_by_reference_is_counted_as_that(clerk: Any, city_bureau: StandIn) -> None:
    _, again = decided_and_again(clerk)
    assert again.answer(InitialReview, verdict="已有结论", reason=WHY) is None
    steps.refer_to_decision.run(again.case_no)
    today = clock.today()
    with reading() as session:
        due = deadline_of(again.case_no, VERIFICATION_REQUEST.code).due_on
        figures = figures_of(session, period_of(f"{today:%Y-%m}"))
        later = figures_of(session, period_of(f"{due:%Y-%m}"))
    section = next(each for each in figures.sections if each.title.startswith("异议核实需求按期率"))
    assert section.rows[-1][-1] == "1"
    section = next(each for each in later.sections if each.title.startswith("异议核实需求按期率"))
    # The one that was asked about.
    assert section.rows[-1][1:4] == ("1", "1", "0")
