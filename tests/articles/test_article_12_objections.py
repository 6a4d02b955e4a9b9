"""第十二条：电子证照使用部门、持证主体及其他社会用证主体对电子证照信息准确性、完整性、时效性有异议的，有权向综合管理单位提出核查申请。
综合管理单位应当在收到异议申请5个工作日内，向省、市大数据局提出数据核实需求，核实后由综合管理单位将处理结果告知异议申请人。"""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select, text

from gateways.stand_in import Fault, StandIn
from gateways.superior_bureaus import BureauReply, fetch_reply
from models.calendars import PublishedYear
from models.cases import Answer, Case, Deadline, DeadlineChange, Handover, Reminder, StaffTask, StepRecord
from models.certificates import Certificate, CertificateType
from models.notices import OutgoingNotice
from models.objections import Objection, Supplement, VerificationRequest
from models.organisations import Leave
from models.records import AuditEntry
from notifications import notices
from notifications.rendering import render
from regulation.certificates import VARIANT_REMARK, CertificateState, Level, Verdict, judge_identifier, parse_identifier
from regulation.limits import INITIAL_REVIEW, OUTCOME_NOTICE, SUPPLEMENT, URGE, VERIFICATION_REQUEST
from regulation.objections import STAGES, Bureau, ObjectorKind, Stage
from regulation.stages import TransitionError
from regulation.working_days import YearArrangement, last_library_year
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import RefusalError
from tasks.case import hand_over
from tasks.case.answers import answer_or_wait
from tasks.case.calendars import publish, publish_year, take_over_library_years, working_days
from tasks.case.step import CaseClosedError
from tasks.desk import deadline_watch as deadlines
from tasks.desk.sheets import sheet_of
from tasks.objections import steps as objections
from tasks.objections import verifications
from tasks.objections.applications import ObjectionApplication
from tasks.objections.endings import conclude
from tasks.objections.kind import OBJECTION_TO_PARTY
from tasks.objections.questions import (
    InitialReview,
    LetterPosted,
    OutcomeDecision,
    RefusedRequest,
    SupplementReceived,
    VerificationReply,
    has_reply,
)
from tasks.objections.registrations import register_objection, roots_of
from tasks.office import leave
from tasks.office.officers import acting_officer
from tasks.register.faces import held_by, holder_index
from tasks.register.versions import CURRENT_VERSION, holders_of
from tests.articles.conftest import valid
from tests.conftest import (
    Clerk,
    answered,
    by_officer,
    certificate_of,
    certificates_with_address,
    facts_of,
    objection_about,
    read_at_desk,
    wait_until,
)

Day = Callable[[date], datetime]


def deadline_of(case_no: str, code: str, turn: int = 1) -> Deadline:
    with reading() as session:
        wanted = select(Deadline).where(Deadline.case_no == case_no, Deadline.limit_code == code, Deadline.turn == turn)
        return session.scalars(wanted).one()


NOT_TO_OBJECTORS = {"case-assigned", "certificate-disputed", "dispute-ended"}


def notices_to(case_no: str) -> list[str]:
    with reading() as session:
        wanted = select(OutgoingNotice.notice).where(OutgoingNotice.case_no == case_no).order_by(OutgoingNotice.id)
        return [notice for notice in session.scalars(wanted) if notice not in NOT_TO_OBJECTORS]


def backdate(case_no: str, code: str, days: int) -> None:
    """Let a deadline have begun so many days earlier than it did: the way tests let time pass."""
    with transaction() as session:
        calendar = working_days(session)
        for deadline in session.scalars(
            select(Deadline).where(Deadline.case_no == case_no, Deadline.limit_code == code, Deadline.met_on.is_(None))
        ):
            deadline.starts_on -= timedelta(days=days)
            deadline.due_on, deadline.provisional = calendar.due_date(deadline.starts_on, deadline.days)


def reply(clerk: Any, turn: int = 1, **changed: object) -> str | None:
    given = {
        "finding": "原数据有误",
        "content": "门牌号有误",
        "corrected_value": "绍兴市柯桥区群贤路9999号",
        "reply_no": "绍数函〔2026〕1号",
        "replied_on": str(clock.today()),
    }
    return clerk.answer(VerificationReply, turn, **(given | changed))


def decide(clerk: Any, outcome: str) -> str | None:
    return clerk.answer(OutcomeDecision, outcome=outcome, reason="经上级核实，原登记内容有误，予以更正。")


# 谁可以提出


@pytest.mark.parametrize("kind", list(ObjectorKind))
def test_holders_departments_and_other_users_may_object(clerk: Any, kind: ObjectorKind) -> None:
    interest = "核对租赁房屋的权属" if kind is ObjectorKind.OTHER_USER else ""
    case = clerk.register(objector_kind=kind, interest=interest)
    assert case.stage() == Stage.REGISTERED
    assert facts_of(read_at_desk(case.case_no, "KQ004")).get("用证事由", "") == interest


def test_whoever_uses_another_s_certificate_says_what_for(clerk: Any) -> None:
    with pytest.raises(ValidationError, match="须写明在办什么事"):
        clerk.application(objector_kind=ObjectorKind.OTHER_USER)
    # Who handed in before anybody was asked is not asked again.
    before = clerk.application().model_dump(mode="json") | {"objector_kind": "社会用证主体"}
    assert ObjectionApplication.received(before).interest == ""
    assert "interest" not in clerk.application().model_dump()


@pytest.mark.parametrize(
    "wrong",
    [
        {"grounds": []},
        {"grounds": ["不喜欢"]},
        {"objector_name": ""},
        {"email": "a@b"},
        {"email": "a@example.com\nBcc: b@example.com"},
        {"phone": "abc"},
        {"reason": "x"},
        {"proposed": "带\x00字符"},
        {"objector_name": "长" * 201},
    ],
)
def test_an_application_without_what_is_needed_is_refused_and_nothing_is_registered(
    clerk: Any, wrong: dict[str, object]
) -> None:
    with pytest.raises(ValidationError):
        clerk.register(**wrong)
    with reading() as session:
        assert session.scalar(select(func.count(Case.case_no))) == 0


def test_an_unknown_certificate_is_a_remark_for_the_reviewer_not_a_refusal(clerk: Any) -> None:
    case = clerk.register(certificate_type="从未见过的证", certificate="1.2.156.3005.2.X.Y.Z.001.0", field="什么项")
    with reading() as session:
        remark = session.get_one(Objection, case.case_no).remark
    assert "证照目录中没有" in remark
    assert "未找到该证照" in remark
    assert dict(sheet_of(case.case_no).lines)["系统提示"] == remark


def test_an_objector_is_not_told_what_the_register_holds(clerk: Any) -> None:
    """Anybody with a mail address may object to any number; an identity card's is a disability certificate's, too."""
    held, _ = certificate_of(Level.CITY)
    there = clerk.register()
    guessed = clerk.register(certificate=held.number[:-2] + "77")
    missing = {"grounds": ["应当有而没有的证照"], "field": "", "stated": ""}
    wanted, unwanted = clerk.register(**missing), clerk.register(**missing, certificate="第77号")
    sheets = [sheet_of(case.case_no, OBJECTION_TO_PARTY) for case in (there, guessed, wanted, unwanted)]
    assert not any("系统提示" in dict(sheet.lines) for sheet in sheets)
    # What is typed alike looks alike, whatever the register has.
    differing = {"办件编号", "证照", "经办人"}
    said = [[line for line in sheet.lines if line[0] not in differing] for sheet in sheets]
    assert said[0] == said[1]
    assert said[2] == said[3]
    assert "未找到该证照" in dict(sheet_of(guessed.case_no).lines)["系统提示"]
    assert "本区索引中有所填的编号" in dict(sheet_of(wanted.case_no).lines)["系统提示"]


def test_an_identifier_of_another_type_is_no_certificate_of_the_type_that_was_named(clerk: Any) -> None:
    held, kind = certificate_of(Level.CITY)
    with reading() as session:
        other = session.scalars(select(CertificateType).where(CertificateType.code != kind.code)).first()
    assert other is not None
    field = next(iter(other.names.values()))
    case = clerk.register(certificate_type=other.name, certificate=held.identifier, field=field)
    with reading() as session:
        filed = session.get_one(Objection, case.case_no)
    assert filed.certificate_root is None
    assert "标识不是所填证照类型的" in filed.remark
    assert "未找到该证照" not in filed.remark
    case.accept()
    with reading() as session:
        assert objections.dispute_on(session, held.root) == []
    # Under its own type it is the certificate.
    assert clerk.register(certificate=held.identifier).stage() == Stage.REGISTERED


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0", ""),
        ("1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.Z", "不符合GB/T 36904"),
        ("１.２.156.3005.2.11100000000013338w009.11330105002500287c.2025052201.002.z", "不符合GB/T 36904"),
        ("1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.1", "可能有抄写错误"),
    ],
)
def test_what_the_check_character_of_an_identifier_says_is_a_remark(clerk: Any, reference: str, said: str) -> None:
    case = clerk.register(certificate=reference)
    with reading() as session:
        objection = session.get_one(Objection, case.case_no)
    assert objection.certificate_reference == reference
    assert ("校验位" in objection.remark) == bool(said)
    assert said in objection.remark


# 登记


def test_numbers_of_a_year_have_no_gap_under_concurrent_registrations_and_refusals(clerk: Any, on_day: Day) -> None:
    year = on_day(clock.today()).year

    def one(number: int) -> str:
        try:
            return str(
                clerk.register(certificate=f"编号{number}", email="坏" if number % 3 == 0 else "a@example.com").case_no
            )
        except ValidationError:
            return ""

    with ThreadPoolExecutor(8) as pool:
        given = sorted(filter(None, pool.map(one, range(24))))
    assert given == [f"YY-{year}-{number:06}" for number in range(1, 17)]


def test_handing_in_the_same_submission_twice_registers_once(clerk: Any) -> None:
    application = clerk.application()
    first = register_objection(application, [], "one", "KQ001")
    assert register_objection(application, [], "one", "KQ001") == first
    with reading() as session:
        assert session.scalar(select(func.count(Objection.case_no))) == 1


def test_the_first_registrations_of_a_year_and_the_same_submission_may_come_at_once(clerk: Any, on_day: Day) -> None:
    year = on_day(clock.today()).year
    application = clerk.application()

    def register(key: str) -> str:
        return register_objection(application, [], key, "KQ001").case_no

    with ThreadPoolExecutor(6) as threads:
        numbers = list(threads.map(register, ["one", "two", "three", "same", "same", "same"]))
    assert len(set(numbers)) == 4
    assert len(set(numbers[3:])) == 1
    assert sorted(set(numbers)) == [f"YY-{year}-{number:06}" for number in (1, 2, 3, 4)]


def test_what_was_typed_freely_about_the_certificate_stays_out_of_names_tables_and_the_trail(clerk: Any) -> None:
    typed = "张三丰的执照330603199001011234"
    case = clerk.register(certificate_type=typed, field="法人](x) [查看](http://evil.example/)")
    sheet = sheet_of(case.case_no)
    assert sheet.run_name == f"异议 {case.case_no} · 目录外证照 · 待初审"
    with reading() as session:
        trail = str([entry.detail for entry in session.scalars(select(AuditEntry))])
        stored = str(session.execute(text("SELECT * FROM objections")).all())
    for shown in (sheet.table(), sheet.timeline_table(), trail, stored):
        assert "张三丰" not in shown
        assert "evil" not in shown


def test_what_strangers_typed_is_no_markdown(clerk: Any) -> None:
    case = clerk.register(objector_name="[签](http://evil.example)", certificate="![x](http://evil.example/a)|www.x.cn")
    assert not re.search(r"(?<!\\)[\[<]|https?://|www\.", sheet_of(case.case_no).table())


def test_the_acknowledgement_explains_the_due_date(clerk: Any) -> None:
    case = clerk.register()
    with reading() as session:
        notice = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == "objection-registered")).one()
    counted = [day for day in notice.context["explanation"] if day["counts"]]
    assert (len(counted), counted[-1]["date"]) == (5, str(deadline_of(case.case_no, VERIFICATION_REQUEST.code).due_on))
    assert "不计入" in notice.context["explanation"][0]["why"]
    assert "俞" not in str(notice.context)


def test_cases_go_to_the_officer_with_the_fewest(clerk: Any) -> None:
    officers = [cases_officer(clerk.register(certificate=f"编号{n}").case_no) for n in range(6)]
    assert sorted(officers) == ["KQ001", "KQ001", "KQ002", "KQ002", "KQ003", "KQ003"]


def cases_officer(case_no: str) -> str:
    with reading() as session:
        return session.get_one(Case, case_no).officer_no


# 初审与补正


def test_declining_needs_a_reason_and_tells_it(clerk: Any) -> None:
    case = clerk.register()
    assert "理由" in (case.answer(InitialReview, verdict="不予受理") or "")
    assert case.stage() == Stage.REGISTERED
    assert case.answer(InitialReview, verdict="不予受理", reason="该信息不属于电子证照信息") is None
    objections.decline_objection.run(case.case_no)
    assert case.stage() == Stage.DECLINED
    assert notices_to(case.case_no) == ["objection-registered", "objection-declined"]


def reasons_to(case_no: str) -> list[str]:
    """What the notices of a case give as a reason."""
    with reading() as session:
        wanted = select(OutgoingNotice.context).where(OutgoingNotice.case_no == case_no).order_by(OutgoingNotice.id)
        return [context["reason"] for context in session.scalars(wanted) if "reason" in context]


def supplemented(case: Any, turn: int = 1) -> None:
    """A supplement was asked of a case and is in."""
    assert case.answer(InitialReview, turn, verdict="要求补正", reason=f"请补交第{turn}份材料") is None
    objections.request_supplement.run(case.case_no, turn)
    assert case.answer(SupplementReceived, turn, kind="已收到补正材料", text="门牌证复印件") is None
    objections.take_supplement.run(case.case_no, turn)


@pytest.mark.parametrize("supplements", [1, 2])
def test_whoever_is_declined_after_a_supplement_reads_why_and_not_what_was_missing(
    clerk: Any, supplements: int
) -> None:
    case = clerk.register()
    for turn in range(1, supplements + 1):
        supplemented(case, turn)
    case.answer(InitialReview, supplements + 1, verdict="不予受理", reason="该信息不属于电子证照信息")
    objections.decline_objection.run(case.case_no)
    assert reasons_to(case.case_no) == ["该信息不属于电子证照信息"]


def test_a_holders_number_that_stands_on_no_face_can_be_corrected(clerk: Any, city_bureau: StandIn) -> None:
    held = valid("医疗机构执业许可证")
    about = {"certificate_type": "医疗机构执业许可证", "certificate": held.number, "field": "持证主体证件号码"}
    case = clerk.register(**about, stated=held.holder_number, proposed="91330621MA2888888T")
    with reading() as session:
        filed = session.get_one(Objection, case.case_no)
    assert (filed.field_code, filed.remark) == ("holder_number", "")
    case.accept()
    case.request()
    assert reply(case, corrected_value="91330621MA2888888X") is not None
    assert reply(case, corrected_value="91330621MA2888888T") is None
    objections.take_reply.run(case.case_no)
    assert decide(case, "已更正") is None
    conclude(lambda step: step.run(case.case_no))
    with reading() as session:
        now = session.scalars(CURRENT_VERSION, {"root": held.root}).one()
        assert [each.number for each in holders_of(session, now.id)] == ["91330621MA2888888T"]
    assert (now.holder_number, now.holder_name, now.face) == ("91330621MA2888888T", held.holder_name, held.face)
    assert by_holder_number(held.holder_number, held.root) == []


def by_holder_number(number: str, root: str) -> list[str]:
    """The versions that hold now and are found by a holder's number."""
    with reading() as session:
        wanted = select(Certificate.identifier).where(
            held_by(holder_index(number)), Certificate.root == root, Certificate.state != CertificateState.SUPERSEDED
        )
        return list(session.scalars(wanted))


def test_whoever_joined_is_not_told_what_was_asked_of_the_first(clerk: Any) -> None:
    lead, second = clerk.register(), clerk.register(email="b@example.com")
    supplemented(lead)
    objections.withdraw_objection(lead.token)
    lead.answer(InitialReview, 2, verdict="不予受理", reason="该信息不属于电子证照信息")
    objections.decline_objection.run(lead.case_no)
    assert reasons_to(second.case_no) == ["该信息不属于电子证照信息"]


def test_a_supplement_has_a_limit_of_its_own_and_the_statutory_clock_goes_on(clerk: Any) -> None:
    case = clerk.register()
    before = deadline_of(case.case_no, VERIFICATION_REQUEST.code).due_on
    assert case.answer(InitialReview, verdict="要求补正", reason="请补交门牌证照片") is None
    objections.request_supplement.run(case.case_no)
    assert case.stage() == Stage.SUPPLEMENT
    assert deadline_of(case.case_no, SUPPLEMENT.code).days == SUPPLEMENT.value
    objections.submit_supplement(case.token, "门牌证见附件", [], "s1")
    objections.submit_supplement(case.token, "门牌证见附件", [], "s1")
    objections.take_supplement.run(case.case_no)
    assert case.stage() == Stage.REGISTERED
    assert deadline_of(case.case_no, SUPPLEMENT.code).missed_by == 0
    assert deadline_of(case.case_no, VERIFICATION_REQUEST.code).due_on == before
    assert deadline_of(case.case_no, INITIAL_REVIEW.code, 2).met_on is None
    assert case.answer(InitialReview, 2, verdict="受理") is None


def test_a_second_supplement_is_kept_and_does_not_answer_the_next_question(clerk: Any) -> None:
    case = clerk.register()
    for turn, what in ((1, "请补交门牌证明"), (2, "还缺产权证照片")):
        assert case.answer(InitialReview, turn, verdict="要求补正", reason=what) is None
        objections.request_supplement.run(case.case_no, turn)
        if turn == 1:
            objections.submit_supplement(case.token, "第一份", [], "k1")
            objections.submit_supplement(case.token, "第二份", [], "k2")
            objections.take_supplement.run(case.case_no, 1)
    assert answer_or_wait(case.case_no, SupplementReceived, 2) is None
    with reading() as session:
        assert session.scalars(select(Supplement).order_by(Supplement.id)).all()[1].text == "第二份"


def test_a_supplement_nobody_asked_for_is_refused(clerk: Any) -> None:
    with pytest.raises(RefusalError, match="不需要补正"):
        objections.submit_supplement(clerk.register().token, "多余", [], "s1")


def test_staff_may_stop_waiting_for_a_supplement(clerk: Any) -> None:
    case = clerk.register()
    case.answer(InitialReview, verdict="要求补正", reason="请补交门牌证照片")
    objections.request_supplement.run(case.case_no)
    assert case.answer(SupplementReceived, kind="不再等待，按现有材料继续") is None


# 5个工作日内提出核实需求


def test_the_request_goes_to_the_city_first_and_to_the_province_for_provincial_types(
    clerk: Any, city_bureau: StandIn
) -> None:
    city, province = clerk.register(Level.CITY), clerk.register(Level.PROVINCE)
    for case in (city, province):
        case.accept()
    assert (city.request(), province.request()) == ("gateway", "letter")
    assert [call["fields"]["caseNo"] for call in city_bureau.received] == [city.case_no]


def test_when_the_request_goes_out_the_duty_is_met_for_ever(clerk: Any, city_bureau: StandIn) -> None:
    case = clerk.register()
    case.accept()
    case.request()
    met = deadline_of(case.case_no, VERIFICATION_REQUEST.code)
    assert (met.met_on, met.missed_by) == (clock.today(), 0)
    assert case.stage() == Stage.VERIFYING


def test_a_missed_limit_says_by_how_many_working_days(clerk: Any, city_bureau: StandIn) -> None:
    case = clerk.register()
    case.accept()
    backdate(case.case_no, VERIFICATION_REQUEST.code, 21)
    due = deadline_of(case.case_no, VERIFICATION_REQUEST.code).due_on
    case.request()
    with reading() as session:
        expected = working_days(session).working_days_between(due, clock.today())
    assert expected > 0
    assert deadline_of(case.case_no, VERIFICATION_REQUEST.code).missed_by == expected


def test_while_the_bureau_is_down_the_clock_runs_and_the_request_waits(clerk: Any, city_bureau: StandIn) -> None:
    case = clerk.register()
    case.accept()
    city_bureau.order(Fault.SERVER_ERROR, times=9)
    case.request()
    assert case.stage() == Stage.ACCEPTED
    assert deadline_of(case.case_no, VERIFICATION_REQUEST.code).met_on is None
    city_bureau.forgive()
    with transaction() as session:
        session.scalars(select(VerificationRequest)).one().next_attempt_at = clock.now()
    assert verifications.correspond() == [case.case_no]
    assert case.stage() == Stage.VERIFYING
    assert len(city_bureau.taken) == 1


def test_a_business_refusal_is_a_question_to_staff_not_an_endless_retry(clerk: Any, city_bureau: StandIn) -> None:
    case = clerk.register()
    case.accept()
    city_bureau.order(Fault.REFUSE)
    case.request()
    assert len(city_bureau.received) == 1
    assert "材料不全" in dict(sheet_of(case.case_no).lines)["核实需求"]
    assert case.answer(RefusedRequest, remedy="重新提出") is None
    assert case.request(2) == "gateway"
    assert case.stage() == Stage.VERIFYING


def test_a_letter_counts_from_the_day_it_was_posted(clerk: Any) -> None:
    case = clerk.register(Level.PROVINCE)
    case.accept()
    assert case.request() == "letter"
    backdate(case.case_no, VERIFICATION_REQUEST.code, 21)
    due_on = deadline_of(case.case_no, VERIFICATION_REQUEST.code).due_on
    with transaction() as session:
        session.get_one(Case, case.case_no).received_on = due_on - timedelta(days=9)
    with transaction() as session:
        request = session.scalars(select(VerificationRequest)).one()
        request.prepared_at -= clock.today() - due_on
    # There was nothing to post before it was accepted: an earlier day would meet the limit on paper.
    early = case.answer(LetterPosted, letter_no="柯数〔2026〕3号", posted_on=str(due_on - timedelta(days=1)))
    assert f"不能早于受理后拟函的{due_on}" in str(early)
    assert case.answer(LetterPosted, letter_no="柯数〔2026〕3号", posted_on=str(due_on)) is None
    verifications.record_letter.run(case.case_no)
    met = deadline_of(case.case_no, VERIFICATION_REQUEST.code)
    assert (met.met_on, met.missed_by) == (due_on, 0)


def test_a_letter_posted_today_meets_the_limit_today(clerk: Any) -> None:
    case = clerk.register(Level.PROVINCE)
    case.accept()
    assert case.request() == "letter"
    tomorrow = clock.today() + timedelta(days=1)
    assert "不能晚于今天" in (case.answer(LetterPosted, letter_no="柯数〔2026〕3号", posted_on=str(tomorrow)) or "")
    assert case.answer(LetterPosted, letter_no="柯数〔2026〕3号", posted_on=str(clock.today())) is None
    verifications.record_letter.run(case.case_no)
    assert deadline_of(case.case_no, VERIFICATION_REQUEST.code).met_on == clock.today()


# 催办与报省


def test_a_bureau_replies_to_nothing_before_it_was_asked(clerk: Any, present: Any) -> None:
    case = clerk.register(Level.PROVINCE)
    present.pass_by(timedelta(days=1))
    case.accept()
    case.request()
    asked_on = clock.today()
    assert case.answer(LetterPosted, letter_no="柯数〔2026〕3号", posted_on=str(asked_on)) is None
    verifications.record_letter.run(case.case_no)
    present.pass_by(timedelta(days=1))
    before = reply(case, replied_on=str(asked_on - timedelta(days=1)))
    assert f"不能早于提出核实需求的{asked_on}" in str(before)
    assert reply(case, replied_on=str(asked_on)) is None


def test_silence_is_answered_by_two_urges_and_then_the_province(clerk: Any, city_bureau: StandIn) -> None:
    city_bureau.reply_after = 3600
    case = clerk.register()
    case.accept()
    sent = []
    for turn in (1, 2, 3, 4):
        case.request(turn)
        with reading() as session:
            request = session.scalars(select(VerificationRequest).where(VerificationRequest.turn == turn)).one()
            sent.append((request.pursuit.value, request.bureau.value))
        if turn < 4:
            backdate(case.case_no, URGE.code, 30)
            swept = deadlines.sweep(a_working_day())
            assert swept.silent == (case.case_no,)
            assert deadlines.sweep(a_working_day()).silent == ()
    city, province = Bureau.CITY.value, Bureau.PROVINCE.value
    assert sent == [("提出核实需求", city), ("催办", city), ("催办", city), ("报省核实", province)]


def test_silence_is_answered_though_the_watch_died_after_telling_the_director(clerk: Any, city_bureau: StandIn) -> None:
    case = clerk.register()
    case.accept()
    case.request()
    backdate(case.case_no, URGE.code, 30)
    with transaction() as session:
        told = Reminder(deadline_id=deadline_of(case.case_no, URGE.code).id, kind=deadlines.OVERDUE, at=clock.now())
        session.add(told)
    assert deadlines.sweep(a_working_day()).silent == (case.case_no,)


def from_the_bureau(case_no: str, **changed: object) -> bool:
    given = {
        "case_no": case_no,
        "reply_no": "绍数核〔2026〕8号",
        "finding": "原数据无误",
        "content": "经核实，登记无误。",
        "corrected_value": "",
        "replied_on": clock.today(),
    }
    return verifications.take_bureau_reply(Bureau.CITY, BureauReply.model_validate(given | changed))


def test_a_recorded_reply_is_not_silenced_while_its_run_is_down(clerk: Any, city_bureau: StandIn) -> None:
    city_bureau.reply_after = 3600
    case = clerk.register()
    case.accept()
    case.request()
    backdate(case.case_no, URGE.code, 30)
    assert from_the_bureau(case.case_no)
    assert deadlines.sweep(a_working_day()).silent == ()
    objections.take_reply.run(case.case_no)
    assert decide(case, "维持原信息") is None


def test_a_paper_reply_while_the_request_is_on_its_way_leaves_nothing_to_urge(clerk: Any, city_bureau: StandIn) -> None:
    city_bureau.slow_by = 1.0
    city_bureau.order(Fault.SLOW)
    case = clerk.register()
    case.accept()
    verifications.prepare_pursuit.run(case.case_no)
    with ThreadPoolExecutor(1) as threads:
        sending = threads.submit(verifications.deliver_verification, case.case_no, 1)
        wait_until(lambda: city_bureau.received, "核实需求没有发出")
        assert reply(case) is None
        objections.take_reply.run(case.case_no)
        assert sending.result()
    with reading() as session:
        running = session.scalars(select(Deadline.limit_code).where(Deadline.running)).all()
    assert running == [OUTCOME_NOTICE.code]
    assert decide(case, "已更正") is None


def test_the_first_reply_stands_and_another_one_is_shown_to_staff(clerk: Any, city_bureau: StandIn) -> None:
    city_bureau.reply_after = 3600
    case = clerk.register()
    case.accept()
    case.request()
    assert from_the_bureau(case.case_no)
    assert not from_the_bureau(case.case_no)
    assert not from_the_bureau(
        case.case_no, reply_no="绍数核〔2026〕9号", finding="原数据有误", corrected_value="群贤路9999号"
    )
    objections.take_reply.run(case.case_no)
    assert decide(case, "已更正") is not None
    assert decide(case, "维持原信息") is None
    with reading() as session:
        (task,) = session.scalars(select(StaffTask)).all()
    assert "绍数核〔2026〕9号" in task.what


def test_a_reply_after_a_refusal_answers_the_case(clerk: Any, city_bureau: StandIn) -> None:
    city_bureau.order(Fault.REFUSE)
    case = clerk.register()
    case.accept()
    case.request()
    assert not has_reply(case.case_no)
    assert from_the_bureau(case.case_no)
    assert has_reply(case.case_no)
    assert verifications.prepare_pursuit.run(case.case_no, 2) == "answered"
    with reading() as session:
        assert session.get_one(Case, case.case_no).waiting_for is None


def test_a_bureau_that_is_down_does_not_keep_the_other_waiting_and_none_is_asked_first_for_ever(
    clerk: Any, city_bureau: StandIn
) -> None:
    city_bureau.reply_after = 3600
    cases_asked = [clerk.register(certificate=f"第{number}张证照") for number in range(3)]
    for case in cases_asked:
        case.accept()
        case.request()
    asked = []
    for _ in cases_asked:
        city_bureau.received.clear()
        assert verifications.correspond(limit=1) == []
        (call,) = city_bureau.received
        asked.append(call["fields"][city_bureau.agreed.remote_no])
    assert len(set(asked)) == 3


def a_working_day() -> datetime:
    """08:30 in Shanghai of the next working day."""
    with reading() as session:
        day = working_days(session).due_on(clock.today(), 1)
    return datetime(day.year, day.month, day.day, 0, 30, tzinfo=UTC)


def test_a_reply_that_comes_before_the_urge_makes_it_needless(clerk: Any, city_bureau: StandIn) -> None:
    case = clerk.register()
    case.accept()
    case.request()
    backdate(case.case_no, URGE.code, 30)
    deadlines.sweep(a_working_day())
    assert reply(case, 2) is None
    assert verifications.prepare_pursuit.run(case.case_no, 2) == "answered"


# 核实与告知


def test_a_certificate_the_register_has_not_gets_no_new_version_and_none_is_promised(
    clerk: Any, city_bureau: StandIn
) -> None:
    case = clerk.register(certificate="本区没有的证照")
    carry_to_decision(case, "已更正")
    assert objections.correct_certificate.run(case.case_no) is None
    objections.close_objection.run(case.case_no)
    closed = notice_of(case.case_no, "objection-closed")
    assert (closed["corrected"], closed["new_version"]) == (True, False)


def test_a_field_that_was_missing_is_filled_in(clerk: Any, city_bureau: StandIn) -> None:
    held, kind = certificate_of(Level.CITY)
    application = objection_about(held, kind, grounds=["完整性"], stated="无")
    with transaction() as session:
        certificate = session.scalars(select(Certificate).where(Certificate.identifier == held.identifier)).one()
        certificate.face = {code: value for code, value in certificate.face.items() if code != "address"}
    registered = register_objection(application, [], "missing", "KQ001")
    case = Clerk(registered.case_no, registered.token)
    carry_to_decision(case, "已更正")
    assert objections.correct_certificate.run(case.case_no) is not None
    objections.close_objection.run(case.case_no)
    assert notice_of(case.case_no, "objection-closed")["new_version"] is True


def carry_to_decision(case: Any, outcome: str) -> None:
    case.accept()
    case.request()
    assert reply(case) is None
    objections.take_reply.run(case.case_no)
    assert decide(case, outcome) is None
    objections.decide_outcome.run(case.case_no)


def notice_of(case_no: str, notice: str) -> dict[str, Any]:
    """What a queued notice says."""
    with reading() as session:
        wanted = select(OutgoingNotice).where(OutgoingNotice.case_no == case_no, OutgoingNotice.notice == notice)
        return session.scalars(wanted).one().context


def test_replies_by_poll_by_push_and_again_are_recorded_once(clerk: Any, city_bureau: StandIn) -> None:
    case = clerk.register()
    case.accept()
    case.request()
    with reading() as session:
        number = session.scalars(select(VerificationRequest.remote_no)).one()
    pushed = fetch_reply(Bureau.CITY, number or "")
    assert pushed is not None
    assert verifications.correspond() == [case.case_no]
    verifications.take_bureau_reply(Bureau.CITY, pushed)
    objections.take_reply.run(case.case_no)
    assert not verifications.take_bureau_reply(Bureau.CITY, pushed)
    assert case.stage() == Stage.REPLIED
    assert deadline_of(case.case_no, OUTCOME_NOTICE.code).days == OUTCOME_NOTICE.value


def test_a_reply_about_a_case_the_bureau_was_not_asked_about_is_refused(clerk: Any, city_bureau: StandIn) -> None:
    case = clerk.register()
    case.accept()
    case.request()
    with reading() as session:
        number = session.scalars(select(VerificationRequest.remote_no)).one()
    pushed = fetch_reply(Bureau.CITY, number or "")
    assert pushed is not None
    with pytest.raises(LookupError, match="没有向"):
        verifications.take_bureau_reply(Bureau.PROVINCE, pushed)
    with pytest.raises(LookupError, match="没有向"):
        verifications.take_bureau_reply(Bureau.CITY, pushed.model_copy(update={"case_no": "YY-2026-999999"}))


@pytest.mark.parametrize(
    ("finding", "outcome", "allowed"),
    [
        ("原数据有误", "已更正", True),
        ("原数据有误", "维持原信息", False),
        ("原数据部分有误", "部分更正", True),
        ("原数据无误", "维持原信息", True),
        ("原数据无误", "已更正", False),
        ("无法核实", "无法认定", True),
    ],
)
def test_the_outcome_follows_from_the_reply(
    clerk: Any, city_bureau: StandIn, finding: str, outcome: str, allowed: bool
) -> None:
    case = clerk.register()
    case.accept()
    case.request()
    wrong = "有误" in finding
    assert reply(case, finding=finding, corrected_value="群贤路9999号" if wrong else "") is None
    objections.take_reply.run(case.case_no)
    assert (decide(case, outcome) is None) == allowed


CLAIMED, NOT_CLAIMED = "绍兴市柯桥区柯桥街道群贤路9999号", "绍兴市柯桥区柯桥街道群贤路8888号"


@pytest.mark.parametrize(
    ("finding", "found", "outcome", "value", "allowed"),
    [
        # What was claimed is what was found right: all of it is corrected, however it is written.
        ("原数据有误", CLAIMED, "部分更正", "", "已更正"),
        ("原数据有误", "绍兴市柯桥区柯桥街道群贤路９９９９号", "部分更正", "", "已更正"),
        ("原数据部分有误", CLAIMED, "部分更正", "", "已更正"),
        ("原数据部分有误", CLAIMED, "已更正", "", ""),
        ("原数据有误", NOT_CLAIMED, "部分更正", CLAIMED, "已更正"),
        # What was found is neither what was there nor what was claimed.
        ("原数据有误", NOT_CLAIMED, "部分更正", "", ""),
        ("原数据有误", NOT_CLAIMED, "已更正", "", ""),
        ("原数据部分有误", NOT_CLAIMED, "已更正", "", "部分更正"),
    ],
)
def test_corrected_in_part_is_only_what_differs_from_the_claim(
    clerk: Any, city_bureau: StandIn, finding: str, found: str, outcome: str, value: str, allowed: str
) -> None:
    case = clerk.register()
    case.accept()
    case.request()
    assert reply(case, finding=finding, corrected_value=found) is None
    objections.take_reply.run(case.case_no)
    said = case.answer(OutcomeDecision, outcome=outcome, reason="经上级核实，原登记内容有误，予以更正。", value=value)
    assert (said or "").endswith(f"处理结果应为“{allowed}”。" if allowed else "")
    if allowed == "已更正":
        assert "的内容与申请人主张的一致" in (said or "")


def test_joined_objectors_who_claim_otherwise_are_corrected_in_part(clerk: Any, city_bureau: StandIn) -> None:
    case = clerk.register()
    clerk.register(objector_name="陈丽华", proposed=NOT_CLAIMED)
    case.accept()
    case.request()
    assert reply(case, corrected_value=CLAIMED) is None
    objections.take_reply.run(case.case_no)
    assert decide(case, "部分更正") is None


def test_what_differs_from_what_the_bureau_found_says_why(clerk: Any, city_bureau: StandIn) -> None:
    case = clerk.register()
    case.accept()
    case.request()
    assert reply(case) is None
    objections.take_reply.run(case.case_no)
    said = {"outcome": "部分更正", "reason": "经上级核实，原登记内容有误，予以更正。", "value": NOT_CLAIMED}
    assert "与上级认定的不同，请写明依据" in str(case.answer(OutcomeDecision, **said))
    assert case.answer(OutcomeDecision, **said, differs="该局2026年3月2日来电更正，已索要书面文件") is None
    with reading() as session:
        given = session.scalars(select(Answer.given).where(Answer.question == OutcomeDecision.question)).one()
    assert given["differs"].startswith("该局")


@pytest.mark.parametrize(
    ("value", "outcome", "told"),
    [
        ("绍兴市柯桥区钱清街道1号", "部分更正", "本中心认定的内容与上级核实的不同，也与您主张的不同。"),
        (CLAIMED, "已更正", "本中心认定的内容与上级核实的不同，与您主张的一致。"),
    ],
)
def test_a_value_of_the_center_s_own_is_not_told_as_verified(
    clerk: Any, city_bureau: StandIn, value: str, outcome: str, told: str
) -> None:
    case = clerk.register()
    case.accept()
    case.request()
    assert reply(case, corrected_value=NOT_CLAIMED) is None
    objections.take_reply.run(case.case_no)
    said = {"outcome": outcome, "reason": "登记的内容与不动产登记簿不符，予以更正。", "value": value}
    assert case.answer(OutcomeDecision, **said, differs="该局2026年3月2日来电更正，已索要书面文件") is None
    objections.decide_outcome.run(case.case_no)
    objections.correct_certificate.run(case.case_no)
    objections.close_objection.run(case.case_no)
    with reading() as session:
        told_them = session.scalars(
            select(OutgoingNotice.context).where(OutgoingNotice.notice == "objection-closed")
        ).one()
    mail = render(notices.ObjectionClosed.model_validate(told_them))
    assert told in mail.text
    assert told in mail.html
    assert "核实认定" not in mail.text
    assert dict(sheet_of(case.case_no, OBJECTION_TO_PARTY).lines)["您的主张"].startswith(told[:-1])


def closed(clerk: Any, outcome: str = "已更正", **changed: object) -> Any:
    case = clerk.register(**changed)
    case.accept()
    case.request()
    assert reply(case) is None
    objections.take_reply.run(case.case_no)
    assert decide(case, outcome) is None
    objections.decide_outcome.run(case.case_no)
    objections.correct_certificate.run(case.case_no)
    objections.close_objection.run(case.case_no)
    return case


def test_a_correction_is_a_new_version_and_the_old_one_is_kept(clerk: Any, city_bureau: StandIn) -> None:
    case = closed(clerk)
    with reading() as session:
        root = session.get_one(Objection, case.case_no).certificate_root
        old, new = session.scalars(select(Certificate).where(Certificate.root == root).order_by(Certificate.version))
    assert (old.state.value, new.state.value, new.version) == ("superseded", "valid", 2)
    assert new.face["address"] == "绍兴市柯桥区群贤路9999号"
    assert old.face["address"] != new.face["address"]
    assert new.corrected_by_case == case.case_no
    assert (new.holder_kind, new.holder_number_kind) == (old.holder_kind, old.holder_number_kind)


def test_a_certificate_from_above_with_the_other_check_character_is_found_kept_and_corrected_by_the_standard(
    clerk: Any, city_bureau: StandIn
) -> None:
    held, _ = certificate_of(Level.CITY)
    as_it_came = str(replace(parse_identifier(held.identifier), variant=True))
    with transaction() as session:
        certificate = session.get_one(Certificate, held.id)
        certificate.identifier, certificate.remark = as_it_came, VARIANT_REMARK
    case = closed(clerk)
    with reading() as session:
        objection = session.get_one(Objection, case.case_no)
        assert [each.root for each in roots_of(session, [(None, as_it_came.lower())])] == [objection.certificate_root]
        old, new = session.scalars(
            select(Certificate).where(Certificate.root == objection.certificate_root).order_by(Certificate.version)
        )
    assert (old.identifier, old.remark) == (as_it_came, VARIANT_REMARK)
    assert (judge_identifier(new.identifier)[0], new.remark) == (Verdict.ISO, "")


def test_the_dispute_mark_stands_from_acceptance_to_the_end(clerk: Any, city_bureau: StandIn) -> None:
    case = clerk.register()
    with reading() as session:
        root = session.get_one(Objection, case.case_no).certificate_root or ""
        assert objections.dispute_on(session, root) == []
    case.accept()
    with reading() as session:
        assert objections.dispute_on(session, root) == [case.case_no]
    assert ("异议标记", f"该证照有异议正在核实（{case.case_no}）") in sheet_of(case.case_no).lines
    objections.withdraw_objection(case.token)
    with reading() as session:
        assert objections.dispute_on(session, root) == []
    assert "异议标记" not in dict(sheet_of(case.case_no).lines)


def test_a_disagreement_is_logged_after_the_outcome_and_the_case_stays_closed(clerk: Any, city_bureau: StandIn) -> None:
    case = closed(clerk)
    objections.log_disagreement(case.token, "更正后的门牌仍然不对")
    objections.log_disagreement(case.token, "更正后的门牌仍然不对")
    assert case.stage() == Stage.CLOSED
    with reading() as session:
        assert session.scalar(select(func.count(StaffTask.id)).where(StaffTask.case_no == case.case_no)) == 1
    with pytest.raises(RefusalError, match="已经登记"):
        objections.log_disagreement(case.token, "另一个意见也不对")


def test_a_disagreement_before_the_outcome_is_refused(clerk: Any) -> None:
    with pytest.raises(RefusalError, match="尚未告知"):
        objections.log_disagreement(clerk.register().token, "我不同意这个")


# 撤回


def test_withdrawal_is_possible_until_the_outcome(clerk: Any, city_bureau: StandIn) -> None:
    case = clerk.register()
    case.accept()
    objections.withdraw_objection(case.token)
    assert objections.withdraw_objection(case.token) == case.case_no
    assert case.stage() == Stage.WITHDRAWN
    assert notices_to(case.case_no)[-1] == "objection-withdrawn"
    with pytest.raises(CaseClosedError):
        verifications.prepare_pursuit.run(case.case_no)
    with pytest.raises(RefusalError, match="不能再撤回"):
        objections.withdraw_objection(closed(clerk).token)


def test_what_a_withdrawal_leaves_undone_is_not_said_to_be_done(clerk: Any) -> None:
    case = clerk.register()
    objections.withdraw_objection(case.token)
    lapsed = deadline_of(case.case_no, VERIFICATION_REQUEST.code)
    assert (lapsed.met_on, lapsed.lapsed_on, lapsed.missed_by) == (None, clock.today(), 0)
    assert all("不再适用" in limit.standing for limit in sheet_of(case.case_no).limits)


def test_a_review_is_in_time_by_its_answer_however_late_its_run(clerk: Any) -> None:
    case = clerk.register()
    assert case.answer(InitialReview, verdict="受理") is None
    backdate(case.case_no, INITIAL_REVIEW.code, 30)
    with transaction() as session:
        due_on = deadline_of(case.case_no, INITIAL_REVIEW.code).due_on
        verdict = session.scalars(select(Answer).where(Answer.case_no == case.case_no)).one()
        verdict.at = datetime(due_on.year, due_on.month, due_on.day, 8, 0, tzinfo=UTC)
    objections.accept_objection.run(case.case_no)
    met = deadline_of(case.case_no, INITIAL_REVIEW.code)
    assert (met.met_on, met.missed_by) == (due_on, 0)


# 并案


def test_a_second_objection_to_the_same_field_joins_and_gets_every_notice(clerk: Any, city_bureau: StandIn) -> None:
    lead = clerk.register()
    second = clerk.register(email="second@example.com", objector_name="傅二")
    other = clerk.register(field="别的项目")
    assert (second.stage(), other.stage()) == (Stage.JOINED, Stage.REGISTERED)
    lead.accept()
    lead.request()
    assert reply(lead) is None
    objections.take_reply.run(lead.case_no)
    assert decide(lead, "已更正") is None
    objections.decide_outcome.run(lead.case_no)
    objections.close_objection.run(lead.case_no)
    assert second.stage() == Stage.CLOSED
    assert notices_to(second.case_no) == [
        "objection-registered",
        "objection-joined",
        "objection-accepted",
        "verification-sent",
        "objection-closed",
    ]
    assert deadline_of(second.case_no, VERIFICATION_REQUEST.code).missed_by == 0


def decline(case: Any) -> None:
    assert case.answer(InitialReview, verdict="不予受理", reason="该信息不属于电子证照信息") is None
    objections.decline_objection.run(case.case_no)


def test_when_the_lead_is_declined_the_joined_go_on(clerk: Any) -> None:
    lead, second, third = clerk.register(), clerk.register(email="b@example.com"), clerk.register(email="c@example.com")
    decline(lead)
    assert (second.stage(), third.stage()) == (Stage.REGISTERED, Stage.JOINED)
    with reading() as session:
        assert session.get_one(Objection, third.case_no).lead_case_no == second.case_no


def test_the_joined_are_told_that_they_go_on_alone(clerk: Any) -> None:
    lead, second = clerk.register(), clerk.register(email="b@example.com")
    decline(lead)
    assert notices_to(second.case_no) == ["objection-registered", "objection-joined", "objection-released"]


def test_a_joined_objection_can_be_withdrawn_only_until_the_common_outcome(clerk: Any, city_bureau: StandIn) -> None:
    lead, second = clerk.register(), clerk.register(email="b@example.com")
    carry_to_decision(lead, "已更正")
    with pytest.raises(RefusalError, match="不能再撤回"):
        objections.withdraw_objection(second.token)


def test_withdrawing_while_the_lead_closes_is_one_or_the_other(clerk: Any, city_bureau: StandIn) -> None:
    for held, kind in certificates_with_address(CertificateType.source == Level.CITY)[:4]:
        about = {"certificate": held.number, "certificate_type": kind.name, "field": kind.names["address"]}
        lead, second = clerk.register(**about), clerk.register(**about, email="b@example.com")
        lead.accept()
        lead.request()
        assert reply(lead) is None
        objections.take_reply.run(lead.case_no)
        assert decide(lead, "已更正") is None

        def finish(case_no: str = lead.case_no) -> None:
            objections.decide_outcome.run(case_no)
            objections.close_objection.run(case_no)

        with ThreadPoolExecutor(2) as threads:
            closing, leaving = threads.submit(finish), threads.submit(objections.withdraw_objection, second.token)
            closing.result()
            withdrawn = leaving.exception() is None
        assert second.stage() == (Stage.WITHDRAWN if withdrawn else Stage.CLOSED)
        assert ("objection-closed" in notices_to(second.case_no)) is not withdrawn


# 每一步只发生一次


def test_a_step_done_again_changes_nothing(clerk: Any, city_bureau: StandIn) -> None:
    case = closed(clerk)
    before = notices_to(case.case_no)
    with reading() as session:
        steps = session.scalar(select(func.count(StepRecord.step)).where(StepRecord.case_no == case.case_no))
    for step in (objections.accept_objection, objections.take_reply, objections.correct_certificate):
        step.run(case.case_no)
    objections.close_objection.run(case.case_no)
    assert notices_to(case.case_no) == before
    with reading() as session:
        assert session.scalar(select(func.count(StepRecord.step)).where(StepRecord.case_no == case.case_no)) == steps


def test_a_step_out_of_turn_is_stopped_with_the_article(clerk: Any) -> None:
    with pytest.raises(TransitionError, match="第十二条"):
        objections.close_objection.run(clerk.register().case_no)
    with pytest.raises(TransitionError):
        STAGES.check(Stage.CLOSED, Stage.WITHDRAWN)


# 时限巡查


def test_reminders_are_given_once_and_missed_limits_go_to_the_director(clerk: Any) -> None:
    case = clerk.register()
    review = deadline_of(case.case_no, INITIAL_REVIEW.code)
    for _ in range(2):
        deadlines.sweep(at_half_past_eight(review.due_on))
    with reading() as session:
        kinds = session.scalars(select(Reminder.kind).where(Reminder.deadline_id == review.id)).all()
        day_after = working_days(session).due_on(review.due_on, 1)
    assert kinds == ["0"]
    for _ in range(2):
        deadlines.sweep(at_half_past_eight(day_after))
    with reading() as session:
        kinds = session.scalars(select(Reminder.kind).where(Reminder.deadline_id == review.id)).all()
        missed = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == "deadlines-missed")).all()
    assert kinds == ["0", "overdue"]
    assert [notice.recipient for notice in missed] == ["kq004@example.cn"]


def test_a_notice_lists_the_earliest_and_counts_the_rest_and_a_sweep_tells_what_is_new(
    clerk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "LINES_IN_A_NOTICE", 3)
    numbers = [clerk.register(certificate=f"第{place}张证照").case_no for place in range(5)]
    day = deadline_of(numbers[0], INITIAL_REVIEW.code).due_on
    for away in ("KQ002", "KQ003"):
        leave.file_leave(away, "KQ001", day, day, by_officer("KQ004"))
    assert deadlines.sweep(at_half_past_eight(day)).near == 5
    assert listed("deadlines-near") == [(numbers[:3], 2)]
    later = clerk.register(certificate="又一张证照").case_no
    assert deadlines.sweep(at_half_past_eight(day) + timedelta(hours=1)).near == 1
    assert listed("deadlines-near")[1:] == [([later], 0)]
    with reading() as session:
        day_after = working_days(session).due_on(day, 1)
    assert deadlines.sweep(at_half_past_eight(day_after)).overdue == 6
    assert listed("deadlines-missed") == [(numbers[:3], 3)]
    latest = clerk.register(certificate="最后一张证照").case_no
    assert deadlines.sweep(at_half_past_eight(day_after) + timedelta(hours=1)).overdue == 1
    assert listed("deadlines-missed")[1:] == [([latest], 0)]


def listed(notice: str) -> list[tuple[list[str], int]]:
    """The cases that each notice of a kind lists, and how many more it speaks of."""
    with reading() as session:
        wanted = select(OutgoingNotice.context).where(OutgoingNotice.notice == notice).order_by(OutgoingNotice.id)
        return [([line["case_no"] for line in each["lines"]], each["more"]) for each in session.scalars(wanted)]


def at_half_past_eight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 0, 30, tzinfo=UTC)


def test_on_a_day_off_the_watch_does_nothing(clerk: Any) -> None:
    clerk.register()
    assert not deadlines.sweep(at_half_past_eight(date(2026, 10, 1))).working_day
    with reading() as session:
        assert session.scalar(select(func.count(Reminder.kind))) == 0


@pytest.mark.parametrize(("years", "month"), [(-1, 12), (0, 1)], ids=["in December", "in January"])
def test_a_year_that_nobody_published_in_time_is_a_task_for_staff(clerk: Any, years: int, month: int) -> None:
    year = last_library_year() + 1
    with reading() as session:
        working = working_days(session).due_on(date(year + years, month, 20), 1)
    for _ in range(2):
        deadlines.sweep(at_half_past_eight(working))
    with reading() as session:
        assert session.scalars(select(StaffTask.key)).all() == [f"calendar:{year}"]


def test_reminders_go_to_the_substitute_and_follow_a_hand_over(clerk: Any) -> None:
    case = clerk.register()
    review = deadline_of(case.case_no, INITIAL_REVIEW.code)
    own = cases_officer(case.case_no)
    first, second = (no for no in ("KQ001", "KQ002", "KQ003") if no != own)
    leave.file_leave(own, first, review.due_on, review.due_on, by_officer("KQ004"))
    deadlines.sweep(at_half_past_eight(review.due_on))
    assert near_notices() == [f"{first.lower()}@example.cn"]
    joined = clerk.register(email="b@example.com")
    hand_over.give_case(case.case_no, second, "休假较长", by_officer("KQ004"))
    assert cases_officer(case.case_no) == second
    assert cases_officer(joined.case_no) == second
    with reading() as session:
        assert {row.why for row in session.scalars(select(Handover))} == {"休假较长"}
    with reading() as session:
        calendar = working_days(session)
    days = (review.due_on - timedelta(days=number) for number in range(1, 15))
    before = next(day for day in days if calendar.is_working_day(day))
    deadlines.sweep(at_half_past_eight(before))
    assert near_notices()[-1] == f"{second.lower()}@example.cn"


def near_notices() -> list[str]:
    with reading() as session:
        wanted = select(OutgoingNotice.recipient).where(OutgoingNotice.notice == "deadlines-near")
        return list(session.scalars(wanted.order_by(OutgoingNotice.id)))


def test_nobody_makes_themselves_somebody_elses_substitute(clerk: Any) -> None:
    with pytest.raises(RefusalError, match="本人或负责人"):
        leave.file_leave("KQ001", "KQ003", clock.today(), clock.today(), by_officer("KQ003"))
    leave.file_leave("KQ001", "KQ003", clock.today(), clock.today(), by_officer("KQ001"))


def test_leave_in_a_circle_leads_to_the_director(clerk: Any) -> None:
    day = clock.today()
    with transaction() as session:
        for absent, substitute in (("KQ001", "KQ002"), ("KQ002", "KQ001")):
            session.add(Leave(staff_no=absent, substitute_no=substitute, from_on=day, until_on=day))
    with reading() as session:
        assert acting_officer(session, "KQ001", day).staff_no == "KQ004"


def test_only_the_officer_the_substitute_or_a_director_may_decide(clerk: Any) -> None:
    case = clerk.register()
    own = cases_officer(case.case_no)
    stranger = next(no for no in ("KQ001", "KQ002", "KQ003") if no != own)
    given = {"verdict": "受理"}
    assert own in (answered(case.case_no, InitialReview, 1, given, stranger) or "")
    assert answered(case.case_no, InitialReview, 1, given, "KQ004") is None
    assert "先登记" in (answered(case.case_no, InitialReview, 1, given, own) or "")


# 放假安排公布


def test_publishing_a_year_moves_provisional_dates_and_keeps_the_rule(clerk: Any, on_day: Day) -> None:
    year = last_library_year() + 1
    on_day(date(year, 1, 4))
    case = clerk.register()
    settled = deadline_of(case.case_no, VERIFICATION_REQUEST.code)
    assert settled.provisional
    before = settled.due_on
    days_off = {date(year, 1, 1): "元旦", before: "临时放假"}
    with transaction() as session:
        assert publish_year(session, YearArrangement(year, days_off), "KQ004", clock.now()) == 1
    moved = deadline_of(case.case_no, VERIFICATION_REQUEST.code)
    assert moved.due_on > before
    assert not moved.provisional
    with reading() as session:
        change = session.scalars(select(DeadlineChange)).one()
    assert (change.from_on, change.to_on) == (before, moved.due_on)
    assert f"{year}年放假安排" in change.rule


def test_a_year_published_anew_moves_what_the_wrong_one_had_settled(clerk: Any, on_day: Day) -> None:
    year = last_library_year() + 1
    on_day(date(year - 1, 12, 31))
    clerk.register()
    publish(year, f"{year}-01-01 元旦", "", by_officer("KQ004"))
    first = due_on()
    on_day(date(year, 1, 1))
    # The request's date and that of the review: both run over the first days of the year.
    assert publish(year, f"{year}-01-01至{year}-01-05 元旦", "", by_officer("KQ004")) == 2
    assert due_on() > first


def due_on() -> date:
    """When the only verification request is due."""
    with reading() as session:
        return session.scalars(select(Deadline.due_on).where(Deadline.limit_code == VERIFICATION_REQUEST.code)).one()


def test_a_year_that_the_library_has_learned_is_taken_over_from_it(clerk: Any, on_day: Day) -> None:
    year = last_library_year()
    on_day(date(year, 6, 1))
    clerk.register()
    with transaction() as session:
        deadline = session.scalars(select(Deadline).where(Deadline.limit_code == VERIFICATION_REQUEST.code)).one()
        # Published here before the library knew it, with a day too many.
        row = PublishedYear(
            year=year, days_off={f"{year}-12-31": "误录"}, days_worked=[], officer_no="KQ004", at=clock.now()
        )
        session.add(row)
        right, deadline.due_on = deadline.due_on, deadline.due_on + timedelta(days=3)
    with transaction() as session:
        take_over_library_years(session, clock.now())
    assert due_on() == right
    with reading() as session:
        assert session.scalars(select(PublishedYear)).all() == []
        assert "系统日历收录" in session.scalars(select(DeadlineChange.rule)).one()


@pytest.mark.parametrize("wrong", ["2027-02-30 春节", "2027-02-05", "2027-03-01至2027-02-01 春节", "2029-01-01 元旦"])
def test_an_arrangement_that_cannot_be_is_refused(clerk: Any, wrong: str) -> None:
    with pytest.raises(RefusalError):
        publish(2027, wrong, "", by_officer("KQ004"))
