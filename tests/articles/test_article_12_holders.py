"""第十二条 lets departments, holders and others object, and 第十五条 protects the holder: whoever holds a certificate
is told that somebody else objects to it, can say something to it, and hears how it ended."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pypdfium2
import pytest
from sqlalchemy import func, select

from models.cases import Deadline
from models.hearings import Hearing, HolderComment
from models.notices import OutgoingNotice
from models.objections import Attachment, Objection
from models.records import AuditEntry
from regulation.certificates import Level
from regulation.limits import DELIVERY, HOLDER_COMMENT, HOLDER_COMMENTS, VERIFICATION_REQUEST
from regulation.objections import Capacity, Stage, Way
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError, NotFoundError, RefusalError
from tasks.case.calendars import working_days
from tasks.certificates.own import comment_on_objection, own_certificate, own_certificates
from tasks.desk.postings import Posted, posted_letter, posting_list, register_posted, register_returned
from tasks.desk.sheets import sheet_of
from tasks.objections import steps
from tasks.objections.claims import claims_of
from tasks.objections.contacts import Wish, end_mandate
from tasks.objections.endings import conclude
from tasks.objections.hearings import enter_comment, last_day
from tasks.objections.kind import OBJECTION_TO_PARTY
from tasks.objections.named import CAME_LATER
from tasks.objections.questions import OutcomeApproval, OutcomeDecision, VerificationReply
from tasks.objections.registrations import Receipt, register_objection
from tasks.objections.ways import Contact
from tests.articles.test_article_12_corrected_values import DECISION, FIELDS, Permit, reply
from tests.articles.test_article_12_corrected_values import permit as permit
from tests.articles.test_article_12_corrected_values import permit_of_two as permit_of_two
from tests.conftest import SCAN, Clerk, at_desk, certificate_of, facts_of, officer_of, read_at_desk

DIRECTOR, RIGHT = "KQ004", FIELDS["address"][3]
ONLINE = Receipt()
SAYS = "门牌确实改过，门牌证可以提供。"


def objected(permit: Permit, proven: str = "", receipt: Receipt = ONLINE, **changed: object) -> Clerk:
    """An objection to the permit's address that was accepted."""
    application = permit.claim("address", RIGHT).model_copy(update=changed)
    done = register_objection(application, [], f"key-{clock.now()}-{changed}", "KQ001", receipt=receipt, proven=proven)
    case = Clerk(done.case_no, done.token)
    case.accept()
    return case


def heard_in(case: Clerk) -> list[Hearing]:
    with reading() as session:
        return list(session.scalars(select(Hearing).where(Hearing.case_no == case.case_no).order_by(Hearing.number)))


def to_post() -> list[tuple[str, str, str]]:
    return [(each.to, each.address, each.subject) for each in posting_list(at_desk(DIRECTOR)).notices]


def letter_of(case: Clerk, kind: str) -> OutgoingNotice:
    with reading() as session:
        wanted = select(OutgoingNotice).where(OutgoingNotice.case_no == case.case_no, OutgoingNotice.notice == kind)
        return session.scalars(wanted).one()


def registered(case: Clerk, said: Posted, kind: str = "certificate-disputed") -> None:
    register_posted({letter_of(case, kind).id: said}, clock.today(), "", at_desk(DIRECTOR))


def drafted(permit: Permit, case: Clerk, **changed: str) -> None:
    """The case as it is when its correction is to be approved."""
    case.request()
    assert case.answer(VerificationReply, **reply(RIGHT)) is None
    steps.take_reply.run(case.case_no)
    assert case.draft(OutcomeDecision, **DECISION | changed) is None


def test_a_strangers_objection_is_told_to_the_holder_at_the_address_on_the_certificate(permit: Permit) -> None:
    case = objected(permit, field="检验范围")
    assert to_post() == [
        (FIELDS["holder"][2], FIELDS["address"][2], f"有人对您的{permit.kind.name}提出异议（{case.case_no}）")
    ]
    _, pdf = posted_letter(letter_of(case, "certificate-disputed").id, at_desk(DIRECTOR))
    on_paper = pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_bounded().replace("\r\n", "")
    assert f"{FIELDS['holder'][2]}，您好" in on_paper
    assert "本邮件" not in on_paper
    said = repr(letter_of(case, "certificate-disputed").context)
    assert "检验范围" in said
    # What about, and neither by whom nor what a stranger typed.
    assert "俞小云" not in said
    assert RIGHT not in said
    # Whoever objects learns nothing of whom the certificate names.
    assert "持证主体" not in str([what for _, what in sheet_of(case.case_no, OBJECTION_TO_PARTY).timeline])
    assert "须告知持证主体（1名）有人提出异议" in [what for _, what in sheet_of(case.case_no).timeline]


def test_a_letter_does_not_go_where_it_is_said_that_nobody_is(permit: Permit) -> None:
    objected(permit)
    assert [address for _, address, _ in to_post()] == [""]


def test_where_something_of_a_holders_is_somebody_else_may_live(clerk: Clerk) -> None:
    held, kind = certificate_of(Level.CITY)
    assert kind.names["address"] == "坐落"
    case = clerk.register(field=kind.names["holder"])
    case.accept()
    (hearing,) = heard_in(case)
    assert (hearing.holder_name, hearing.address) == (held.holder_name, "")


def test_whoever_took_over_from_an_agent_was_seen_by_nobody(permit: Permit) -> None:
    name = permit.asked_about.name
    application = permit.claim("address", RIGHT).model_copy(update={"acts_as": Capacity.AGENT, "acts_for": name})
    done = register_objection(application, [SCAN], "key", "KQ001", receipt=Receipt(Way.IN_PERSON, clock.today()))
    case = Clerk(done.case_no, done.token)
    end_mandate(case.case_no, Contact("x@example.cn", "", ""), Wish("自称撤销委托。", "KQ001"))
    case.accept()
    assert [each.holder_name for each in heard_in(case)] == [name]


def test_a_holder_who_withdraws_while_others_go_on_is_heard(permit: Permit) -> None:
    number, name = permit.asked_about.number, permit.asked_about.name
    application = permit.claim("address", RIGHT)
    mine = register_objection(application, [], "mine", "zheliban", proven=number)
    theirs = register_objection(application.model_copy(update={"email": "b@example.com"}), [], "theirs", "KQ001")
    assert theirs.joined
    case = Clerk(mine.case_no, mine.token)
    case.accept()
    assert heard_in(case) == []
    steps.withdraw_objection(mine.token)
    assert [each.holder_name for each in heard_in(case)] == [name]


def test_a_letter_that_comes_back_has_told_nobody(permit: Permit) -> None:
    case = objected(permit, field="检验范围")
    number = letter_of(case, "certificate-disputed").id
    registered(case, Posted(FIELDS["address"][2], "XA12345678933"))
    assert to_post() == []
    (hearing,) = heard_in(case)
    with reading() as session:
        # So long it is on its way.
        day = working_days(session).due_on(clock.today(), DELIVERY.value + HOLDER_COMMENT.value)
        assert last_day(session, hearing) == day
    register_returned(number, "", at_desk(DIRECTOR))
    assert [address for _, address, _ in to_post()] == [FIELDS["address"][2]]
    (hearing,) = heard_in(case)
    assert (hearing.told_on, hearing.reached) == (None, None)
    # The number can be another letter's now, and the letter is posted again.
    registered(case, Posted(FIELDS["address"][2], "XA12345678944"))
    assert any("退回" in what for _, what, _ in read_at_desk(case.case_no, DIRECTOR).happened)


def test_what_the_drafter_typed_in_lets_nobody_off(permit: Permit) -> None:
    case = objected(permit)
    drafted(permit, case)
    enter_comment(case.case_no, 1, "没有意见，同意更正。", Way.BY_PHONE, clock.today(), [], officer_of(case.case_no))
    assert "现在同意的须写明理由" in str(case.approve(OutcomeApproval, reason=""))
    facts = facts_of(read_at_desk(case.case_no, DIRECTOR))
    assert any(f"工号{officer_of(case.case_no)}登记" in name for name in facts)


def test_who_is_known_to_be_the_holder_needs_no_word(permit: Permit) -> None:
    number, name = permit.asked_about.number, permit.asked_about.name
    assert heard_in(objected(permit, number)) == []
    # Who stood at the counter is one officer's word: the letter says in whose name it was, and whoever it really is
    # throws it away.
    at_counter = Receipt(Way.IN_PERSON, clock.today())
    theirs = objected(permit, receipt=at_counter, objector_name=name, field="检验范围")
    assert len(heard_in(theirs)) == 1
    assert letter_of(theirs, "certificate-disputed").context["claims"] == "本人"
    # A name that somebody types says nothing, nor does a number that is another's.
    assert len(heard_in(objected(permit, objector_name=name, field="检验等级"))) == 1
    assert len(heard_in(objected(permit, "330603199001011238", objector_name=name, field="许可证编号"))) == 1


def test_a_department_is_named_and_a_person_is_not(permit: Permit) -> None:
    office = "绍兴市柯桥区民政局"
    case = objected(permit, objector_kind="使用部门", objector_name=office)
    assert letter_of(case, "certificate-disputed").context["by"] == office


def test_of_several_holders_the_others_are_told(permit_of_two: Permit) -> None:
    case = objected(permit_of_two, permit_of_two.asked_about.number)
    (other,) = heard_in(case)
    assert other.holder_name != permit_of_two.asked_about.name
    both = objected(permit_of_two, field="检验范围")
    assert [each.number for each in heard_in(both)] == [1, 2]


def test_what_no_register_has_is_told_to_nobody(clerk: Clerk) -> None:
    case = clerk.register(certificate="浙(2019)柯桥区不动产权第9999999号")
    case.accept()
    assert heard_in(case) == []


def test_who_sees_it_on_the_page_gets_no_letter(permit: Permit) -> None:
    case, who = objected(permit), permit.holder()
    (own,) = own_certificates(who)
    assert own.heard
    # The list alone says too little to be told.
    assert len(to_post()) == 1
    (shown,) = own_certificate(who, own.number).heard
    assert (shown.case_no, shown.field, shown.proposed, shown.since) == (case.case_no, "地址", RIGHT, clock.today())
    with reading() as session:
        assert shown.due_on == working_days(session).due_on(clock.today(), HOLDER_COMMENT.value)
    assert to_post() == []
    assert "持证主体得到告知（在“我的证照”看到）" in [what for _, what in sheet_of(case.case_no).timeline]
    # Seen again, it is on record once.
    own_certificate(who, own.number)
    with reading() as session:
        told = select(func.count(AuditEntry.id)).where(AuditEntry.tag == "objection:holder:told")
        assert session.scalar(told) == 1


@pytest.mark.parametrize("code", ["holder", "holder_number", "agent_number"])
def test_of_who_somebody_is_no_claim_is_shown(permit: Permit, code: str) -> None:
    permit.object_to(code, FIELDS[code][3])
    (shown,) = own_certificate(permit.holder(), permit.now.id).heard
    assert (shown.field, shown.proposed) == (FIELDS[code][0], "")


def test_a_holder_says_something_and_it_is_with_the_case(permit: Permit) -> None:
    case, who = objected(permit), permit.holder()
    comment_on_objection(who, case.case_no, SAYS)
    comment_on_objection(who, case.case_no, SAYS)
    assert to_post() == []
    facts = facts_of(read_at_desk(case.case_no, officer_of(case.case_no)))
    assert facts[f"其意见（{clock.today()}，网上）"] == SAYS
    told = [each.context["why"] for each in assigned(case)]
    assert told.count("持证主体对异议提出了意见") == 1
    (shown,) = own_certificate(who, permit.now.id).heard
    assert [each.text for each in shown.said] == [SAYS]
    # Whoever objects reads nothing of it.
    assert SAYS not in repr(sheet_of(case.case_no, OBJECTION_TO_PARTY))


def test_what_a_holder_adds_is_theirs_and_comes_once(permit: Permit) -> None:
    case, who = objected(permit), permit.holder()
    comment_on_objection(who, case.case_no, SAYS)
    for _ in range(2):
        comment_on_objection(who, case.case_no, SAYS, [SCAN])
    with reading() as session:
        kept = session.scalars(select(Attachment.name).where(Attachment.case_no == case.case_no)).all()
        assert list(kept) == [SCAN.name]
        # It is no evidence of whoever objects, and goes to no bureau with their claim.
        assert claims_of(session, [case.case_no])[case.case_no][0].attachments == ()
    shown = read_at_desk(case.case_no, officer_of(case.case_no)).handed_in
    assert [file.name for group in shown for file in group.files] == [SCAN.name]


def assigned(case: Clerk) -> list[OutgoingNotice]:
    with reading() as session:
        wanted = select(OutgoingNotice).where(OutgoingNotice.case_no == case.case_no)
        return list(session.scalars(wanted.where(OutgoingNotice.notice == "case-assigned")))


def test_hearing_a_holder_delays_no_request(permit: Permit, city_bureau: object) -> None:
    case = objected(permit)
    with reading() as session:
        wanted = select(Deadline).where(Deadline.case_no == case.case_no)
        due = session.scalars(wanted.where(Deadline.limit_code == VERIFICATION_REQUEST.code)).one()
        assert due.starts_on == clock.today()
    assert case.request() == "gateway"
    assert case.stage() == Stage.VERIFYING


def test_nobody_else_comments_and_not_without_end(permit_of_two: Permit) -> None:
    case = objected(permit_of_two, permit_of_two.asked_about.number)
    with pytest.raises(NotFoundError):
        comment_on_objection(permit_of_two.holder(), case.case_no, SAYS)
    with pytest.raises(NotFoundError):
        comment_on_objection(permit_of_two.holder(), "YY-2026-999999", SAYS)
    who = replace(permit_of_two, place=0).holder()
    for number in range(HOLDER_COMMENTS.value):
        comment_on_objection(who, case.case_no, f"{SAYS}{number}")
    with pytest.raises(RefusalError, match="来信或者来访"):
        comment_on_objection(who, case.case_no, SAYS)


def test_to_change_the_certificate_before_the_holder_had_their_time_takes_a_reason(
    permit: Permit, on_day: Callable[[date], datetime]
) -> None:
    case = objected(permit)
    drafted(permit, case)
    assert "还没有得到告知，现在同意的须写明理由" in str(case.approve(OutcomeApproval, reason=""))
    registered(case, Posted(FIELDS["address"][2], "XA12345678933"))
    assert "前还可以提出意见，现在同意的须写明理由" in str(case.approve(OutcomeApproval, reason=""))
    (hearing,) = heard_in(case)
    assert hearing.told_on is not None
    with reading() as session:
        over = last_day(session, hearing)
        assert over is not None
    on_day(over + timedelta(days=1))
    assert case.approve(OutcomeApproval, reason="") is None


@pytest.mark.parametrize("outcome", ["said", "unreachable", "reason"])
def test_what_lets_it_be_decided_at_once(permit: Permit, outcome: str) -> None:
    case = objected(permit)
    drafted(permit, case)
    if outcome == "said":
        comment_on_objection(permit.holder(), case.case_no, SAYS)
    elif outcome == "unreachable":
        registered(case, Posted(tried="照证照上的地址去过，门牌已拆除，电话停机"))
    given = "纺织品出口通关急用，错误明显。" if outcome == "reason" else ""
    assert case.approve(OutcomeApproval, reason=given) is None


def test_what_leaves_the_certificate_as_it_is_waits_for_nobody(permit: Permit) -> None:
    case = objected(permit)
    case.request()
    right = {"finding": "原数据无误", "content": "与档案一致", "corrected_value": ""}
    assert case.answer(VerificationReply, **reply("") | right) is None
    steps.take_reply.run(case.case_no)
    given = {"outcome": "维持原信息", "reason": "经核实，登记的内容与原始档案一致。"}
    assert case.draft(OutcomeDecision, **given) is None
    assert case.approve(OutcomeApproval, reason="") is None


def test_that_nothing_reaches_a_holder_is_on_record_with_what_was_tried(permit: Permit) -> None:
    case = objected(permit)
    with pytest.raises(InputError, match="试过什么"):
        registered(case, Posted(tried="没人"))
    with pytest.raises(InputError, match="只填一项"):
        registered(case, Posted(tracking_no="XA12345678933", tried="照证照上的地址去过，门牌已拆除"))
    registered(case, Posted(tried="照证照上的地址去过，门牌已拆除"))
    registered(case, Posted(tried="照证照上的地址去过，门牌已拆除"))
    assert to_post() == []
    page = read_at_desk(case.case_no, DIRECTOR)
    assert any("照证照上的地址去过，门牌已拆除" in each.how for each in page.told)
    assert facts_of(page)[f"持证主体{FIELDS['holder'][2]}"] == f"{clock.today()}，无法送达（工号{DIRECTOR}登记）"
    # Who looks at the page afterwards knows after all.
    (shown,) = own_certificate(permit.holder(), permit.now.id).heard
    assert shown.due_on is not None


def test_other_letters_reach_somebody(clerk: Clerk) -> None:
    application = clerk.application().model_copy(update={"email": ""})
    done = register_objection(application, [], "key", "KQ001")
    with pytest.raises(InputError, match="只有告知持证主体的信"):
        registered(Clerk(done.case_no), Posted(tried="打过两次电话没人接"), "objection-registered")


def test_what_staff_enter_is_with_the_case_and_its_scan_is_no_objectors(permit: Permit) -> None:
    case = objected(permit)
    enter_comment(case.case_no, 1, SAYS, Way.BY_LETTER, clock.today(), [SCAN], "KQ001")
    with reading() as session:
        (said,) = session.scalars(select(HolderComment))
        assert (said.text, said.by_no, said.way) == (SAYS, "KQ001", Way.BY_LETTER)
        (claim,) = claims_of(session, [case.case_no])[case.case_no]
        assert claim.attachments == ()
    assert to_post() == []
    assert facts_of(read_at_desk(case.case_no, DIRECTOR))[f"其意见（{clock.today()}，来信，工号KQ001登记）"] == SAYS


def test_the_holder_hears_how_it_ended(permit: Permit) -> None:
    case = objected(permit)
    registered(case, Posted(FIELDS["address"][2], "XA12345678933"))
    drafted(permit, case)
    assert case.approve(OutcomeApproval) is None
    conclude(lambda step: step.run(case.case_no))
    ended = letter_of(case, "dispute-ended").context
    assert (ended["outcome"], ended["changed"], ended["reason"]) == ("已更正", True, DECISION["reason"])
    assert [subject for _, _, subject in to_post()] == [
        f"对您的{permit.kind.name}的异议已办结（{case.case_no}）：已更正"
    ]
    with pytest.raises(RefusalError, match="另行提出"):
        comment_on_objection(permit.holder(), case.case_no, SAYS)
    (shown,) = own_certificate(permit.holder(), permit.now.id).heard
    assert (shown.stands, shown.due_on, shown.reason) == ("已更正", None, DECISION["reason"])
    # Whoever reads it on the page needs no letter of that either.
    assert to_post() == []


def test_the_holder_hears_of_a_withdrawal(permit: Permit) -> None:
    case = objected(permit)
    steps.withdraw_objection(case.token)
    assert letter_of(case, "dispute-ended").context["outcome"] == "已撤回"
    # The letter before has not left: one is enough.
    assert [subject for _, _, subject in to_post()] == [
        f"对您的{permit.kind.name}的异议已办结（{case.case_no}）：已撤回"
    ]


def test_whom_nothing_reached_is_not_written_to_again(permit: Permit) -> None:
    case = objected(permit)
    registered(case, Posted(tried="照证照上的地址去过，门牌已拆除"))
    steps.withdraw_objection(case.token)
    assert to_post() == []
    # Should they ever sign in, they read how it ended.
    assert letter_of(case, "dispute-ended").context["outcome"] == "已撤回"


def test_a_certificate_that_came_into_the_register_after_the_objection_is_found_when_it_is_accepted(
    permit: Permit,
) -> None:
    """A backfill of the same week left its holder untold, and the register as it was."""
    application = permit.claim("address", RIGHT)
    case = Clerk(register_objection(application, [], "early", "KQ001").case_no)
    with transaction() as session:
        objection = session.get_one(Objection, case.case_no)
        root, objection.certificate_root = objection.certificate_root, None
    case.accept()
    with reading() as session:
        objection = session.get_one(Objection, case.case_no)
        assert (objection.certificate_root, CAME_LATER in objection.remark) == (root, True)
    assert [each.holder_name for each in heard_in(case)] == [permit.asked_about.name]
