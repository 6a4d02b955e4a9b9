"""第十二条 owes whoever objects an answer, and says nothing of e-mail: who has none is told by text message where there
is a gateway for them, by post, or at the counter, and reads the same words in each case."""

import re
from collections.abc import Callable
from datetime import timedelta

import httpx
import pypdfium2
import pytest
from sqlalchemy import select, update

from ezt.desk import Desk
from gateways.stand_in import Fault, StandIn
from models.certificates import Certificate
from models.notices import Channel, NoticeState, OutgoingNotice
from models.objections import Attachment
from models.records import AuditEntry
from notifications.kept import said_in
from notifications.sender import dispatch
from regulation.certificates import Level
from regulation.objections import Way
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError, RefusalError
from tasks.case.attachments import File
from tasks.desk.postings import (
    Posted,
    correct_number,
    posting_list,
    register_collected,
    register_posted,
    register_returned,
    to_collect,
)
from tasks.desk.postings import (
    receipt as receipt_of,
)
from tasks.desk.sheets import sheet_of
from tasks.objections.applications import ApplicationAtCounter
from tasks.objections.claims import claims_of
from tasks.objections.contacts import Wish, change_contact
from tasks.objections.kind import OBJECTION_TO_PARTY
from tasks.objections.questions import InitialReview
from tasks.objections.registrations import Receipt, register_objection
from tasks.objections.starts import RegisterObjection
from tasks.objections.steps import decline_objection, request_supplement
from tasks.objections.ways import Contact
from tests.conftest import (
    SCAN,
    Clerk,
    Mailbox,
    Time,
    at_desk,
    by_officer,
    certificate_of,
    certificates_with_address,
    objection_about,
    read_at_desk,
    wait_until,
)

MOBILE, ADDRESS, NUMBER, DIRECTOR = "138 0575 0001", "绍兴市柯桥区柯桥街道群贤路9999号", "XA12345678933", "KQ004"
PLAIN, HERSELF = "13805750001", "本人领取，核对身份证"


@pytest.fixture
def texts(city_bureau: StandIn, configure: Callable[..., None]) -> StandIn:
    """The city's gateway, over which text messages go."""
    configure(EZT_MESSAGES_OVER="city")
    return city_bureau


def without_e_mail(phone: str = MOBILE, address: str = "") -> Clerk:
    """An objection that was typed in for somebody who has no e-mail address."""
    held = certificate_of(Level.CITY)
    said = objection_about(*held).model_dump() | {"email": "", "phone": phone}
    application = ApplicationAtCounter.model_validate(said)
    receipt = Receipt(Way("来访"), clock.today(), "", address)
    done = register_objection(application, [SCAN], f"at-counter:{phone}:{address}", "KQ001", receipt=receipt)
    return Clerk(done.case_no, done.token)


def waiting() -> list[int]:
    return [each.id for each in posting_list(at_desk(DIRECTOR)).notices]


def of(case: Clerk, notice: str) -> OutgoingNotice:
    with reading() as session:
        wanted = select(OutgoingNotice).where(OutgoingNotice.case_no == case.case_no, OutgoingNotice.notice == notice)
        return session.scalars(wanted).one()


def to_objectors(mailbox: Mailbox) -> list[str]:
    return [mail["Subject"] for mail in mailbox.mails if "您的异议" in mail["Subject"]]


def make_due() -> None:
    with transaction() as session:
        session.execute(update(OutgoingNotice).values(next_attempt_at=clock.now() - timedelta(seconds=1)))


def test_who_has_a_mobile_phone_only_is_told_by_text_message_where_to_read(
    clerk: Clerk, texts: StandIn, mailbox: Mailbox, web: str
) -> None:
    case = without_e_mail()
    assert of(case, "objection-registered").channel is Channel.TEXT
    dispatch()
    ((number, said),) = texts.texts.values()
    assert number == PLAIN
    assert said.startswith(f"绍兴市柯桥区大数据发展管理中心：已收到您的异议（{case.case_no}）。")
    # A phone lies about: neither who, nor what about.
    application = objection_about(*certificate_of(Level.CITY))
    assert not any(each in said for each in (application.objector_name, application.certificate, application.stated))
    (link,) = [word for word in said.split() if word.startswith("http")]
    page = httpx.get(f"{web}/objections/{link.rpartition('/')[2]}").text
    # The whole letter stands there, as a mail would have said it.
    assert "给您的通知" in page
    assert "法定期限" in page or "5个工作日" in page
    assert to_objectors(mailbox) == []
    assert any("短信，已发出" in each.how for each in read_at_desk(case.case_no, DIRECTOR).told)
    assert waiting() == []


def test_a_number_that_nothing_reaches_goes_to_the_posting_list(clerk: Clerk, texts: StandIn, mailbox: Mailbox) -> None:
    case = without_e_mail()
    texts.order(Fault.NUMBER_REFUSED)
    assert dispatch().dead == 1
    letter = of(case, "objection-registered")
    assert (letter.state, waiting()) == (NoticeState.DEAD, [letter.id])
    assert "收不到短信" in str(letter.last_error)
    assert PLAIN not in str(letter.last_error)


def test_a_number_that_nothing_reaches_holds_up_nobody_else(clerk: Clerk, texts: StandIn, mailbox: Mailbox) -> None:
    without_e_mail("13805750001")
    without_e_mail("13805750002")
    texts.order(Fault.NUMBER_REFUSED)
    assert dispatch().dead == 1
    assert {number for number, _ in texts.texts.values()} == {"13805750002"}


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.GARBAGE, Fault.REFUSE])
def test_what_is_not_the_number_s_fault_is_tried_again(
    clerk: Clerk, texts: StandIn, mailbox: Mailbox, fault: Fault
) -> None:
    case = without_e_mail()
    texts.order(fault)
    assert (dispatch().retried, texts.texts) == (1, {})
    assert of(case, "objection-registered").state is NoticeState.QUEUED
    make_due()
    assert dispatch().sent == 1
    assert len(texts.texts) == 1


def test_a_gateway_that_is_away_holds_up_no_mail_and_is_asked_once(
    clerk: Clerk, texts: StandIn, mailbox: Mailbox
) -> None:
    for phone in ("13805750001", "13805750002", "13805750003"):
        without_e_mail(phone)
    clerk.register(certificate="另一张证照")
    # It fails once, and would take the others.
    texts.order(Fault.SERVER_ERROR)
    assert (dispatch().retried, texts.texts) == (5, {})
    assert len(to_objectors(mailbox)) == 1


def test_a_mail_server_that_is_away_holds_up_no_text_message(
    clerk: Clerk, texts: StandIn, configure: Callable[..., None]
) -> None:
    without_e_mail()
    clerk.register(certificate="另一张证照")
    configure(EZT_SMTP_HOST="127.0.0.1", EZT_SMTP_PORT="9")
    assert dispatch(timeout=2).sent == len(texts.texts) == 1


def test_a_message_that_is_handed_in_again_is_the_same(clerk: Clerk, texts: StandIn, mailbox: Mailbox) -> None:
    without_e_mail()
    texts.order(Fault.DROP_AFTER_WORK)
    assert dispatch().retried == 1
    make_due()
    assert dispatch().sent == 1
    assert len(texts.texts) == 1


@pytest.mark.parametrize(("over", "sentence"), [("", "请填写通信地址：进展"), ("city", "不是能收短信的手机号码")])
def test_who_can_be_told_in_no_way_is_asked_for_one(
    clerk: Clerk, city_bureau: StandIn, configure: Callable[..., None], over: str, sentence: str
) -> None:
    configure(EZT_MESSAGES_OVER=over)
    held = certificate_of(Level.CITY)
    given = objection_about(*held).model_dump() | {"email": "", "phone": "0575-84120001"}
    form = RegisterObjection.model_validate(given | {"way": "来访", "received_on": clock.today()})
    officer = by_officer("KQ001")
    with reading() as session, pytest.raises(InputError, match=sentence):
        form.check(session, officer, clock.today())
    # With a mobile number that is enough where messages are sent, and only there.
    form = form.model_copy(update={"phone": MOBILE})
    with reading() as session:
        if over:
            form.check(session, officer, clock.today())
        else:
            with pytest.raises(InputError, match=sentence):
                form.check(session, officer, clock.today())


def test_who_gave_a_postal_address_gets_letters_though_there_is_a_phone(
    clerk: Clerk, texts: StandIn, mailbox: Mailbox
) -> None:
    case = without_e_mail(address=ADDRESS)
    dispatch()
    assert texts.texts == {}
    assert waiting() == [of(case, "objection-registered").id]


def test_a_way_that_is_changed_to_the_phone_brings_what_had_not_arrived(
    clerk: Clerk, texts: StandIn, mailbox: Mailbox
) -> None:
    case = without_e_mail(address="绍兴市越城区解放路1号")
    wish = Wish("来电要求，核对了姓名和编号", "KQ001")
    change_contact(case.case_no, Contact("", "", ADDRESS), wish)
    change_contact(case.case_no, Contact("", MOBILE, ""), wish)
    dispatch()
    said = [text for _, text in texts.texts.values()]
    assert len([each for each in said if "已收到您的异议" in each]) == 1
    # That it was to be so at the address in between is nobody's to read any more.
    assert len([each for each in said if "今后的通知发给您" in each]) == 1
    # Of either address one letter is left: that nothing goes there any more.
    _, left = posting_list(at_desk(DIRECTOR)).notices
    assert (left.address, left.subject) == (ADDRESS, f"今后的通知不再发到这里（{case.case_no}）")


def test_an_objector_moves_to_a_phone_by_the_code_that_went_there(
    clerk: Clerk, texts: StandIn, mailbox: Mailbox, web: str
) -> None:
    case = clerk.register()
    path = f"{web}/objections/{case.token}"
    assert "新的邮箱或手机号码" in httpx.get(path).text
    assert "格式不对" in httpx.post(f"{path}/contact", data={"email": "0575-84120001"}).text
    assert "验证码已发出" in httpx.post(f"{path}/contact", data={"email": MOBILE}).text
    # The web process sends it right after its answer.
    wait_until(lambda: texts.texts, "没有收到短信")
    ((number, said),) = texts.texts.values()
    assert (number, "http" in said) == (PLAIN, False)
    (code,) = re.findall(r"验证码(\d{8})", said)
    done = httpx.post(f"{path}/contact", data={"email": MOBILE, "code": code}, follow_redirects=True)
    assert "今后的通知发到新的地方" in done.text
    wait_until(lambda: [text for _, text in texts.texts.values() if "今后的通知发给您" in text], "没有收到短信")
    stops = f"今后的通知不再发到这里（{case.case_no}）"
    wait_until(
        lambda: [mail for mail in mailbox.to("yuxiaoyun@example.com") if mail["Subject"] == stops], "没有收到邮件"
    )


@pytest.fixture
def declined(clerk: Clerk) -> Clerk:
    """An objection whose applicant has no way but the post: the acknowledgement and the refusal wait."""
    case = without_e_mail(address=ADDRESS)
    assert case.answer(InitialReview, verdict="不予受理", reason="该信息不属于电子证照信息") is None
    decline_objection.run(case.case_no)
    return case


def test_who_collects_signs_for_all_that_waits_for_them(declined: Clerk) -> None:
    both = first, second = waiting()
    by = at_desk(DIRECTOR)
    assert to_collect(first, by) == to_collect(second, by)
    name, sheet = receipt_of(second, by)
    text = pypdfium2.PdfDocument(sheet)[0].get_textpage().get_text_bounded()
    assert name == f"{declined.case_no}送达回证.pdf"
    applicant = objection_about(*certificate_of(Level.CITY)).objector_name
    for said in ("送达回证", declined.case_no, applicant, "已收到您的异议", "不予受理", "代收", "身份证件"):
        assert said in text

    for said, files, field in (("", [SCAN], "collected_by"), ("本人", [SCAN], "collected_by"), (HERSELF, [], "files")):
        with pytest.raises(InputError) as refused:
            register_collected(both, said, clock.today(), files, "", by)
        assert set(refused.value.wrong) == {field}
    with pytest.raises(InputError, match="不能晚于今天") as refused:
        register_collected(both, HERSELF, clock.today() + timedelta(days=1), [SCAN], "", by)
    assert set(refused.value.wrong) == {"posted_on"}
    assert waiting() == [first, second]

    signed = File("送达回证.png", "image/png", b"signed")
    for _ in range(2):
        register_collected(both, HERSELF, clock.today(), [signed], "", by)
    assert waiting() == []
    told = [each.how for each in read_at_desk(declined.case_no, DIRECTOR).told]
    assert told == [f"已当面领取（{clock.today()}，{HERSELF}，送达回证附卷）"] * 2
    own = [what for _, what in sheet_of(declined.case_no, OBJECTION_TO_PARTY).timeline]
    assert sum(f"已于{clock.today()}当面领取" in what for what in own) == 2
    with reading() as session:
        kept = session.scalars(select(Attachment.name).where(Attachment.case_no == declined.case_no)).all()
        assert list(kept) == [SCAN.name, signed.name]
        # What somebody signed is no evidence of theirs.
        assert claims_of(session, [declined.case_no])[declined.case_no][0].attachments == (SCAN.name,)
        tags = session.scalars(select(AuditEntry.tag).where(AuditEntry.tag.startswith("case:notice:"))).all()
        assert tags.count("case:notice:collected") == 2
    with pytest.raises((LookupError, RefusalError)):
        register_collected(both, "他人领取，核对身份证", clock.today(), [signed], "", by)


def test_what_was_written_after_the_sheet_was_signed_was_not_collected(clerk: Clerk) -> None:
    case = without_e_mail(address=ADDRESS)
    sheet = to_collect(waiting()[0], at_desk(DIRECTOR)).ids
    assert case.answer(InitialReview, verdict="不予受理", reason="该信息不属于电子证照信息") is None
    decline_objection.run(case.case_no)
    register_collected(sheet, HERSELF, clock.today(), [SCAN], "", at_desk(DIRECTOR))
    assert [each.subject for each in posting_list(at_desk(DIRECTOR)).notices] == [f"您的异议不予受理（{case.case_no}）"]


def test_somebody_with_the_holder_s_name_does_not_collect_the_holder_s_letter(clerk: Clerk) -> None:
    held, kind = certificate_of(Level.CITY)
    said = objection_about(held, kind).model_dump() | {"email": "", "objector_name": held.holder_name}
    application = ApplicationAtCounter.model_validate(said)
    receipt = Receipt(Way.BY_LETTER, clock.today(), "", ADDRESS)
    done = register_objection(application, [SCAN], "in-their-name", "KQ001", receipt=receipt)
    Clerk(done.case_no, done.token).accept()
    by = at_desk(DIRECTOR)
    mine = [each.id for each in posting_list(by).notices if not each.to_holder]
    (theirs,) = [each.id for each in posting_list(by).notices if each.to_holder]
    assert {each.to for each in posting_list(by).notices} == {held.holder_name}
    assert to_collect(mine[0], by).ids == tuple(mine)
    assert to_collect(theirs, by).ids == (theirs,)


def test_a_limit_counts_from_the_day_of_collecting(clerk: Clerk, present: Time) -> None:
    case = without_e_mail(address=ADDRESS)
    assert case.answer(InitialReview, verdict="要求补正", reason="请补充证照扫描件") is None
    request_supplement.run(case.case_no, 1)
    present.pass_by(timedelta(days=3))
    register_collected(waiting(), HERSELF, clock.today(), [SCAN], "", at_desk(DIRECTOR))
    assert any(f"通知于{clock.today()}当面领取" in what for _, what in sheet_of(case.case_no).timeline)


def test_an_envelope_with_two_letters_has_one_number_and_comes_back_whole(declined: Clerk) -> None:
    first, second = waiting()
    by = at_desk(DIRECTOR)
    elsewhere = {first: Posted(ADDRESS, NUMBER), second: Posted("绍兴市越城区解放路1号", NUMBER)}
    with pytest.raises(InputError, match="收件人或者地址不同"):
        register_posted(elsewhere, clock.today(), "", by)
    register_posted({each: Posted(ADDRESS, NUMBER) for each in (first, second)}, clock.today(), "", by)
    correct_number(first, "XA99999999933", "", by)
    assert {each.tracking_no for each in posting_list(by).posted} == {"XA99999999933"}
    register_returned(second, "", by)
    assert waiting() == [first, second]


def test_at_the_desk_the_scan_is_chosen_beside_the_words(declined: Clerk, web: str) -> None:
    opened = Desk(None, web)  # type: ignore[arg-type]
    try:
        browser, number = opened.browser(DIRECTOR), waiting()[0]
        place = f"/desk/letters/{number}/collect"
        assert place in browser.get("/desk/letters").text
        page = browser.get(place).text
        (key,) = set(re.findall(r'name="form_key" value="(\w+)"', page))
        ids = re.findall(r'name="letters" value="(\d+)"', page)
        assert sorted(map(int, ids)) == waiting()
        typed = {"form_key": key, "letters": ids}
        typed |= {"collected_by": "女儿俞某代收，核对了身份证", "posted_on": str(clock.today())}
        refused = browser.post(place, data=typed)
        assert "请选择领取人签名的送达回证" in refused.text
        assert 'value="女儿俞某代收，核对了身份证"' in refused.text
        wrong = browser.post(place, data=typed, files={"files": ("送达回证.exe", b"MZ")})
        assert "不是PDF" in wrong.text
        done = browser.post(place, data=typed, files={"files": (SCAN.name, SCAN.content)})
        assert done.headers["location"] == "/desk/letters?said=collected"
        assert browser.get(f"/desk/letters/{number}/receipt.pdf").status_code == 404
    finally:
        opened.close()
    assert waiting() == []


def test_an_acknowledgement_after_the_statutory_day_promises_no_day_that_has_passed(clerk: Clerk) -> None:
    on = clock.today() - timedelta(days=20)
    receipt = Receipt(Way.BY_PHONE, on, "内部转办，今天才到", "")
    done = register_objection(clerk.application(), [], "late", "KQ001", receipt=receipt)
    Clerk(done.case_no, done.token).accept()
    for notice in ("objection-registered", "objection-accepted"):
        with reading() as session:
            sent = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == notice)).one()
        text = said_in(sent)[1]
        assert "已过" in text
        assert "最迟于截止日当日" not in text


def test_staff_read_where_somebody_who_says_they_hold_a_certificate_is_named_otherwise(clerk: Clerk) -> None:
    stranger = clerk.register()
    held, kind = certificates_with_address(Certificate.id != certificate_of(Level.CITY)[0].id)[0]
    holder = objection_about(held, kind, objector_name=held.holder_name)
    own = register_objection(holder, [], "own", "KQ001").case_no
    doubt = ("请注意", "申请人自称持证主体，姓名或名称与登记的不一致")
    for case_no, there in ((stranger.case_no, True), (own, False)):
        lines = [line for each in read_at_desk(case_no, DIRECTOR).compared for line in each.lines]
        assert (doubt in lines) is there
