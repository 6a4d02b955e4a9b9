"""What no e-mail reaches goes by post: a list with addresses and letters, and that it was posted, signed, on record."""

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import httpx
import pypdfium2
import pytest
import segno
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ezt.desk import Desk
from models.cases import Deadline, StaffTask
from models.liaisons import LiaisonOfficer
from models.notices import NoticeState, OutgoingNotice
from models.objections import Objection
from models.organisations import Department, Officer, Role
from models.postings import Posting
from models.records import AuditEntry
from notifications.kept import said_in
from notifications.notices import WrongValueUsed
from notifications.outbox import queue
from regulation.limits import POSTING
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError, RefusalError
from runtime.settings import settings
from tasks.backfill.steps import return_for_correction
from tasks.case.calendars import working_days
from tasks.desk import letters, postings
from tasks.desk.matters import matters, see_to
from tasks.desk.postings import (
    Posted,
    address_list,
    correct_number,
    keep_addresses,
    note_unposted,
    posting_list,
    register_posted,
)
from tasks.desk.sheets import sheet_of
from tasks.desk.told import OF_STAFF
from tasks.objections.followed import link_to_look
from tasks.objections.kind import OBJECTION_TO_PARTY
from tasks.objections.questions import InitialReview, LetterPosted
from tasks.objections.steps import decline_objection, request_supplement
from tasks.objections.verifications import prepare_pursuit, record_letter
from tasks.office.signatures import SignatureError
from tests.articles import test_article_11_backfill as backfill
from tests.conftest import Clerk, Time, at_desk, officer_of, read_at_desk

DIRECTOR = "KQ004"
ADDRESS, NUMBER = "绍兴市柯桥区柯桥街道群贤路9999号", "XA12345678933"


@pytest.fixture
def unreached(clerk: Clerk) -> Clerk:
    """An objection whose applicant's mailbox was refused for good, of the letter that declines it."""
    case = clerk.register()
    assert case.answer(InitialReview, verdict="不予受理", reason="该信息不属于电子证照信息") is None
    decline_objection.run(case.case_no)
    with transaction() as session:
        declined = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == "objection-declined")).one()
        declined.state, declined.last_error = NoticeState.DEAD, "邮件服务器答复550"
        session.add(
            StaffTask(
                key=f"undeliverable:{declined.message_id}", case_no=case.case_no, what="送不到", opened_at=clock.now()
            )
        )
    return case


def to_post(staff_no: str = DIRECTOR) -> list[tuple[str, str]]:
    return [(each.case_no, each.to) for each in posting_list(at_desk(staff_no)).notices]


def only_id() -> int:
    (one,) = posting_list(at_desk(DIRECTOR)).notices
    return one.id


def open_matters() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(StaffTask.key).where(StaffTask.done_at.is_(None))))


def wrong_with(letters: dict[int, Posted], on: date | None) -> dict[str, str]:
    with pytest.raises(InputError) as refusal:
        register_posted(letters, on, "", at_desk(DIRECTOR))
    return dict(refusal.value.wrong)


def test_what_no_mailbox_takes_stands_there_with_a_name_for_those_whose_case_it_is(unreached: Clerk) -> None:
    assert to_post() == to_post(officer_of(unreached.case_no)) == [(unreached.case_no, "俞小云")]
    with reading() as session:
        others = session.scalars(
            select(Officer.staff_no).where(
                Officer.role == Role.OFFICER, Officer.active, Officer.staff_no != officer_of(unreached.case_no)
            )
        ).all()
    assert others
    assert all(to_post(each) == [] for each in others)


@pytest.mark.parametrize("notice", OF_STAFF)
def test_what_the_center_writes_to_itself_is_neither_posted_nor_told_to_anybody(clerk: Clerk, notice: str) -> None:
    case = clerk.register()
    with transaction() as session:
        session.execute(
            update(OutgoingNotice)
            .where(OutgoingNotice.case_no == case.case_no, OutgoingNotice.notice == "case-assigned")
            .values(notice=notice, state=NoticeState.DEAD, last_error="邮件服务器答复550")
        )
    assert to_post() == []
    assert [each.subject for each in read_at_desk(case.case_no, DIRECTOR).told] == [f"已收到您的异议（{case.case_no}）"]


def test_staff_are_written_to_by_every_class_that_says_so() -> None:
    """What is asked of an approver came to the posting list, and the page of the case had it among the letters."""
    assert {"case-assigned", "approval-asked", "deadlines-near", "spot-check-assigned"} <= set(OF_STAFF)


def test_a_department_without_any_address_is_written_to_by_post(clerk: Clerk) -> None:
    case = backfill.register()
    with transaction() as session:
        session.execute(update(Department).values(email=""))
        session.execute(update(LiaisonOfficer).values(until_on=date(2020, 1, 1)))
    assert backfill.review(case, "退回更正", "登记日期与扫描件不符。") is None
    return_for_correction.run(case.case_no)
    ((case_no, to),) = to_post()
    assert case_no == case.case_no
    assert to.startswith("绍兴市柯桥区")
    # One matter, not two, which ends when the letter is posted.
    (matter,) = [each for each in open_matters() if each.startswith(("unreached:", "undeliverable:"))]
    register_posted({only_id(): Posted(ADDRESS, NUMBER)}, clock.today(), "", at_desk(DIRECTOR))
    assert matter not in open_matters()
    assert to_post() == []


def matter_of_letter() -> int:
    with reading() as session:
        return session.scalars(select(StaffTask.id).where(StaffTask.key.startswith("undeliverable:"))).one()


def another_officer_than(staff_no: str) -> str:
    with reading() as session:
        wanted = select(Officer.staff_no).where(Officer.role == Role.OFFICER, Officer.active)
        return session.scalars(wanted.where(Officer.staff_no != staff_no)).all()[0]


def test_what_was_told_in_another_way_is_signed_for_and_not_posted(unreached: Clerk) -> None:
    """A word under the matter does not take an objector's letter from the list."""
    number, officer = matter_of_letter(), officer_of(unreached.case_no)
    assert [each.by_letter for each in matters(officer).rows if each.id == number] == [True]
    for staff_no in (officer, DIRECTOR):
        with pytest.raises(RefusalError, match="邮寄登记"):
            see_to(number, "已电话告知", at_desk(staff_no))
    with pytest.raises(RefusalError, match="由其本人或者负责人"):
        see_to(number, "已电话告知", at_desk(another_officer_than(officer)))
    assert to_post()

    assert "写明怎样告知" in wrong_with({only_id(): Posted(told_how="已告")}, clock.today())[f"told-{only_id()}"]
    both = Posted(ADDRESS, NUMBER, "电话0575-84120001告知本人")
    assert "只填一项" in wrong_with({only_id(): both}, clock.today())[f"told-{only_id()}"]
    told = {only_id(): Posted(told_how="电话0575-84120001告知本人")}
    for _ in range(2):
        assert register_posted(told, clock.today(), "", at_desk(DIRECTOR)) == 1
    assert to_post() == []
    assert not any(each.startswith("undeliverable:") for each in open_matters())
    page = read_at_desk(unreached.case_no, DIRECTOR)
    assert any("电话0575-84120001告知本人" in each.how and not each.is_late for each in page.told)
    own = sheet_of(unreached.case_no, OBJECTION_TO_PARTY)
    assert any(f"已于{clock.today()}另行告知" in what for _, what in own.timeline)


def test_what_an_earlier_version_was_content_with_does_not_come_back(unreached: Clerk) -> None:
    with transaction() as session:
        session.get_one(StaffTask, matter_of_letter()).done_at = clock.now()
        later = StaffTask(
            key=f"unposted:{only_id_of(session)}", case_no=unreached.case_no, what="x", opened_at=clock.now()
        )
        session.add(later)
        session.flush()
        number = later.id
    assert to_post() == []
    see_to(number, "已电话告知", at_desk(DIRECTOR))


def only_id_of(session: Session) -> int:
    return session.scalars(select(OutgoingNotice.id).where(OutgoingNotice.state == NoticeState.DEAD)).one()


def test_a_matter_of_another_officer_s_case_is_theirs(clerk: Clerk) -> None:
    case = clerk.register()
    with transaction() as session:
        session.add(StaffTask(key="late-reply:x", case_no=case.case_no, what="请阅处", opened_at=clock.now()))
        session.flush()
        number = session.scalars(select(StaffTask.id).where(StaffTask.key == "late-reply:x")).one()
    officer = officer_of(case.case_no)
    with pytest.raises(RefusalError, match="由其本人或者负责人"):
        see_to(number, "已阅", at_desk(another_officer_than(officer)))
    see_to(number, "已阅，电话答复", at_desk(officer))
    assert "late-reply:x" not in open_matters()


def test_a_limit_for_who_is_written_to_counts_from_the_posting(clerk: Clerk, present: Time) -> None:
    case = clerk.register()
    assert case.answer(InitialReview, verdict="要求补正", reason="请补充证照扫描件") is None
    request_supplement.run(case.case_no, 1)
    before = limit_of(case, "supplement")
    with transaction() as session:
        asked = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == "supplement-requested")).one()
        asked.state, asked.last_error = NoticeState.DEAD, "邮件服务器答复550"
    present.pass_by(timedelta(days=3))
    register_posted({only_id(): Posted(ADDRESS, NUMBER)}, clock.today(), "", at_desk(DIRECTOR))
    after = limit_of(case, "supplement")
    assert (after.starts_on, after.days) == (clock.today(), before.days)
    assert after.due_on > before.due_on
    assert after.due_on == working_day_after(clock.today(), before.days)
    for kind in (None, OBJECTION_TO_PARTY):
        assert any(f"通知于{clock.today()}寄出" in what for _, what in sheet_of(case.case_no, kind).timeline)


def limit_of(case: Clerk, code: str) -> Deadline:
    with reading() as session:
        wanted = select(Deadline).where(Deadline.case_no == case.case_no, Deadline.limit_code == code)
        return session.scalars(wanted).one()


def working_day_after(start: date, days: int) -> date:
    with reading() as session:
        return working_days(session).due_date(start, days)[0]


def test_a_number_is_one_letter_s_and_can_be_set_right(unreached: Clerk, clerk: Clerk) -> None:
    by, first = at_desk(DIRECTOR), only_id()
    register_posted({first: Posted(ADDRESS, NUMBER)}, clock.today(), "", by)
    other = clerk.register(certificate="另一张证照")
    assert other.answer(InitialReview, verdict="不予受理", reason="该信息不属于电子证照信息") is None
    decline_objection.run(other.case_no)
    with transaction() as session:
        of_other = OutgoingNotice.case_no == other.case_no
        session.execute(
            update(OutgoingNotice)
            .where(of_other, OutgoingNotice.notice == "objection-declined")
            .values(state=NoticeState.DEAD, last_error="邮件服务器答复550")
        )
    second = only_id()
    taken = f"已登记在{unreached.case_no}的一封信上"
    assert taken in wrong_with({second: Posted(ADDRESS, NUMBER)}, clock.today())[f"tracking-{second}"]
    register_posted({second: Posted(ADDRESS, "XA99999999933")}, clock.today(), "", by)

    assert {each.id for each in posting_list(by).posted} == {first, second}
    for wrong, sentence in (("12", "8至20位"), ("XA99999999933", "已登记在")):
        with pytest.raises(InputError, match=sentence):
            correct_number(first, wrong, "", by)
    with pytest.raises(LookupError):
        correct_number(999, NUMBER, "", by)
    for _ in range(2):
        correct_number(first, "xa 1234 5678 999", "", by)
    with reading() as session:
        assert session.get_one(Posting, first).tracking_no == "XA12345678999"
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.tag == "case:notice:number-corrected"))
        assert (entry.detail["was"], entry.detail["tracking_no"]) == (NUMBER, "XA12345678999")
    corrected = f"挂号号码由{NUMBER}更正为XA12345678999"
    assert any(corrected in what for _, what in sheet_of(unreached.case_no, OBJECTION_TO_PARTY).timeline)


def test_who_prints_the_addresses_is_on_record(unreached: Clerk) -> None:
    by = at_desk(DIRECTOR)
    assert address_list(by) == ()
    keep_addresses({only_id(): ADDRESS}, by)
    assert len(address_list(by)) == 1
    with reading() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.tag == "letters:addresses:printed"))
        assert (entry.actor, entry.detail) == (DIRECTOR, {"letters": 1})


def test_registered_it_leaves_list_and_matters_and_both_pages_say_so(unreached: Clerk) -> None:
    by = at_desk(DIRECTOR)
    assert register_posted({only_id(): Posted(ADDRESS, " xa 1234 5678 933 ")}, clock.today(), "", by) == 1
    assert to_post() == []
    assert not any(each.startswith("undeliverable:") for each in open_matters())
    said = f"已邮寄（挂号号码{NUMBER}，{clock.today()}寄出）"
    page = read_at_desk(unreached.case_no, DIRECTOR)
    assert any(said in what and who.endswith("（KQ004）") for _, what, who in page.happened)
    # Whoever reads the case sees where it went, which need not be where it should have gone.
    assert any(each.how == f"{said}，寄往{ADDRESS}" and not each.is_late for each in page.told)
    own = sheet_of(unreached.case_no, OBJECTION_TO_PARTY)
    assert any(said in what for _, what in own.timeline)
    with reading() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.tag == "case:notice:posted"))
        assert entry.actor == DIRECTOR
        assert "俞" not in str(entry.detail)
        assert session.scalars(select(Posting.address)).one() == ADDRESS


def test_the_same_form_twice_is_one_posting(unreached: Clerk) -> None:
    letters = {only_id(): Posted(ADDRESS, NUMBER)}
    for _ in range(2):
        assert register_posted(letters, clock.today(), "", at_desk(DIRECTOR)) == 1
    with reading() as session:
        assert len(session.scalars(select(AuditEntry).where(AuditEntry.tag == "case:notice:posted")).all()) == 1
    (number,) = letters
    other = {number: Posted(ADDRESS, "XA99999999933")}
    assert "已经登记" in wrong_with(other, clock.today())["letters"]


@pytest.mark.parametrize(
    ("said", "on", "field", "sentence"),
    [
        (Posted("", NUMBER), 0, "address-{}", "请填写寄往的地址"),
        (Posted("路" * 201, NUMBER), 0, "address-{}", "地址最多200字"),
        (Posted(ADDRESS, "12"), 0, "tracking-{}", "8至20位"),
        (Posted(ADDRESS, "张三收张三收张三收"), 0, "tracking-{}", "8至20位"),
        (Posted(ADDRESS, NUMBER), 1, "posted_on", "不能晚于今天"),
        (Posted(ADDRESS, NUMBER), -1, "posted_on", "不能早于"),
        (Posted(ADDRESS, NUMBER), None, "posted_on", "请填写邮寄或告知的日期"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_registered(
    unreached: Clerk, said: Posted, on: int | None, field: str, sentence: str
) -> None:
    number = only_id()
    day = None if on is None else clock.today() + timedelta(days=on)
    wrong = wrong_with({number: said}, day)
    assert sentence in wrong[field.format(number)]
    assert to_post()


def test_nothing_chosen_two_of_one_number_and_nobodys_letter(unreached: Clerk) -> None:
    assert "至少" in wrong_with({}, clock.today())["letters"]
    assert "刷新" in wrong_with({999: Posted(ADDRESS, NUMBER)}, clock.today())["letters"]


def test_an_auditor_reads_and_registers_nothing(unreached: Clerk) -> None:
    with transaction() as session:
        session.get_one(Officer, "KQ003").role = Role.AUDITOR
    assert to_post("KQ003")
    with pytest.raises(RefusalError, match="审计人员"):
        register_posted({only_id(): Posted(ADDRESS, NUMBER)}, clock.today(), "", at_desk("KQ003"))
    with pytest.raises(RefusalError, match="审计人员"):
        keep_addresses({only_id(): ADDRESS}, at_desk("KQ003"))


def test_a_wrong_code_registers_nothing(unreached: Clerk, configure: Callable[..., None]) -> None:
    number = only_id()
    by = at_desk(DIRECTOR)
    configure(EZT_ONE_TIME_CODES="true")
    with pytest.raises(SignatureError):
        register_posted({number: Posted(ADDRESS, NUMBER)}, clock.today(), "000000", by)
    assert to_post()


def test_what_is_not_posted_in_time_is_a_matter_once(unreached: Clerk, present: Time) -> None:
    with transaction() as session:
        session.execute(update(OutgoingNotice).values(queued_at=present.now))
    assert note_unposted(present.now) == 0
    present.pass_by(timedelta(days=POSTING.value))
    assert note_unposted(present.now) == 0
    present.pass_by(timedelta(days=1))
    for _ in range(2):
        assert note_unposted(present.now) == 1
    (late,) = [each for each in open_matters() if each.startswith("unposted:")]
    (one,) = posting_list(at_desk(DIRECTOR)).notices
    assert one.late
    register_posted({one.id: Posted(ADDRESS, NUMBER)}, clock.today(), "", at_desk(DIRECTOR))
    assert late not in open_matters()
    assert note_unposted(present.now) == 0


def test_a_letter_to_a_bureau_is_listed_and_its_number_stands_in_the_history(clerk: Clerk) -> None:
    case = clerk.register()
    case.accept()
    assert prepare_pursuit.run(case.case_no, 1) == "letter"
    wrong = case.answer(LetterPosted, letter_no="柯数〔2026〕3号", posted_on=str(clock.today()), tracking_no="12")
    assert "8至20位" in str(wrong)
    (letter,) = posting_list(at_desk(DIRECTOR)).letters
    assert (letter.case_no, letter.to) == (case.case_no, "绍兴市大数据局")
    given = {"letter_no": "柯数〔2026〕3号", "posted_on": str(clock.today()), "tracking_no": "xa12345678933"}
    assert case.answer(LetterPosted, **given) is None
    record_letter.run(case.case_no, 1)
    assert posting_list(at_desk(DIRECTOR)).letters == ()
    for kind in (None, OBJECTION_TO_PARTY):
        assert any(f"已邮寄（挂号号码{NUMBER}）" in what for _, what in sheet_of(case.case_no, kind).timeline)


@pytest.fixture
def desk(web: str) -> Iterator[Desk]:
    """The desk in a browser."""
    opened = Desk(None, web)  # type: ignore[arg-type]
    yield opened
    opened.close()


def sent(desk: Desk, form: str, **fields: str) -> httpx.Response:
    browser = desk.browser(DIRECTOR)
    key = re.findall(r'name="form_key" value="(\w+)"', browser.get("/desk/letters").text)[0]
    return browser.post(f"/desk/letters/{form}", data={"form_key": key, **fields})


def test_the_page_keeps_addresses_prints_and_registers(unreached: Clerk, desk: Desk) -> None:
    number, browser = only_id(), desk.browser(DIRECTOR)
    page = browser.get("/desk/letters").text
    assert "俞小云" in page
    assert f'href="/desk/letters/{number}.pdf"' in page
    assert sent(desk, "addresses", **{f"address-{number}": ADDRESS}).headers["location"] == "/desk/letters?said=kept"
    assert f'value="{ADDRESS}"' in browser.get("/desk/letters").text
    printed = browser.get("/desk/letters/addresses").text
    assert ADDRESS in printed
    assert "俞小云" in printed

    pdf = browser.get(f"/desk/letters/{number}.pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    text = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf.content))
    words = re.sub(r"\s", "", text)
    assert ADDRESS in words
    assert "俞小云" in words
    assert "该信息不属于电子证照信息" in words
    assert "http" not in words

    wrong = sent(desk, "posted", **{f"address-{number}": ADDRESS, f"tracking-{number}": "12", "posted_on": "x"})
    assert wrong.status_code == 422
    assert 'value="12"' in wrong.text
    done = sent(
        desk,
        "posted",
        **{f"address-{number}": ADDRESS, f"tracking-{number}": NUMBER, "posted_on": str(clock.today())},
    )
    assert done.headers["location"] == "/desk/letters?said=posted"
    slip = sent(desk, f"{number}/number", tracking_no="12")
    assert "8至20位" in slip.text
    assert slip.status_code == 422
    # The mistake is in sight: what can be opened is open.
    assert "<details open>" in slip.text
    corrected = sent(desk, f"{number}/number", tracking_no="XA99999999933")
    assert corrected.headers["location"] == "/desk/letters?said=corrected"
    assert "挂号号码XA99999999933" in browser.get("/desk/letters").text
    # Whoever had to sign in again meanwhile comes back to the list.
    assert browser.get(f"/desk/letters/{number}/number").headers["location"] == "/desk/letters"
    assert "没有要邮寄的通知" in browser.get("/desk/letters").text
    assert browser.get(f"/desk/letters/{number}.pdf").status_code == 404


def test_a_letter_to_a_department_goes_to_the_department_and_one_of_two_leaves_the_other(clerk: Clerk) -> None:
    case, now = clerk.register(), clock.now()
    names = ("绍兴市柯桥区民政局", "绍兴市柯桥区市场监督管理局")
    with transaction() as session:
        for name in names:
            notice = WrongValueUsed(
                case_no=case.case_no,
                department=name,
                certificate="营业执照",
                field="有效期",
                business_nos=["业务-1"],
                more=False,
                link="https://kq.example.cn/x",
                due_on=clock.today(),
            )
            queue(session, notice, "", key=f"test:{name}", case_no=case.case_no, at=now)
            todo = f"“{name}”没有可用的邮箱，请另行送达并补登邮箱"
            session.add(StaffTask(key=f"unreached:test:{name}", case_no=case.case_no, what=todo, opened_at=now))
    assert to_post() == [(case.case_no, name) for name in names]
    first, second = posting_list(at_desk(DIRECTOR)).notices
    register_posted({first.id: Posted(ADDRESS, NUMBER)}, clock.today(), "", at_desk(DIRECTOR))
    assert [each.id for each in posting_list(at_desk(DIRECTOR)).notices] == [second.id]
    assert f"unreached:test:{names[1]}" in open_matters()
    assert f"unreached:test:{names[0]}" not in open_matters()


def test_a_letter_to_an_objector_has_a_code_to_look_at_the_case_and_nothing_else(
    unreached: Clerk, web: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = list[str]()

    def draw(template: bytes, said: dict[str, list[dict[str, str]]]) -> bytes:
        drawn.append(said["letters"][0]["code"])
        return letters.pdf_from(template, said)

    monkeypatch.setattr(postings, "pdf_from", draw)
    _, pdf = postings.posted_letter(only_id(), at_desk(DIRECTOR))
    with reading() as session:
        link = link_to_look(session, unreached.case_no)
        token = session.get_one(Objection, unreached.case_no).token
    assert drawn == [segno.make(link, error="m").svg_inline(border=0)]
    text = pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_bounded()
    assert "扫码查看办理进度" in text
    assert "本邮件" not in text
    assert token not in link
    path = link.removeprefix(settings().public_url)
    page = httpx.get(f"{web}{path}")
    assert page.status_code == 200
    assert "不予受理" in page.text
    assert "只供查看" in page.text
    assert "<form" not in page.text
    # Whoever finds one letter reads none of the others; the objector reads them all.
    assert "给您的通知" not in page.text
    assert "给您的通知" in httpx.get(f"{web}/objections/{token}").text
    assert token not in page.text
    assert httpx.get(f"{web}{path[:-1]}").status_code == 404
    assert httpx.get(f"{web}{path.replace('-000001', '-000002')}").status_code == 404


def test_all_letters_are_printed_at_once_each_on_pages_of_its_own(unreached: Clerk) -> None:
    by = at_desk(DIRECTOR)
    # Without an address there is nothing to post.
    with pytest.raises(LookupError):
        postings.all_letters(by)
    other = Clerk().register()
    with transaction() as session:
        (lost,) = session.scalars(
            select(OutgoingNotice).where(
                OutgoingNotice.case_no == other.case_no, OutgoingNotice.notice == "objection-registered"
            )
        )
        lost.state, lost.last_error = NoticeState.DEAD, "邮件服务器答复550"
    for each in posting_list(by).notices:
        keep_addresses({each.id: ADDRESS}, by)
    name, pdf = postings.all_letters(by)
    assert name == "待寄通知2封.pdf"
    texts = [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(pdf)]
    first = [text for text in texts if "第 1 页" in text]
    assert [unreached.case_no in text for text in first] == [True, False]
    assert other.case_no in first[1]
    assert all(ADDRESS in text for text in first)
    assert "共 1 页" in first[0]
    with reading() as session:
        printed = session.scalars(select(AuditEntry.case_no).where(AuditEntry.tag == "case:notice:printed")).all()
    assert printed == [unreached.case_no, other.case_no]


def test_what_is_registered_long_afterwards_counts_from_then(clerk: Clerk, present: Time) -> None:
    """An officer's word on a day that has passed takes nobody's time."""
    case = clerk.register()
    assert case.answer(InitialReview, verdict="要求补正", reason="请补充证照扫描件") is None
    request_supplement.run(case.case_no, 1)
    with transaction() as session:
        asked = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == "supplement-requested")).one()
        asked.state, asked.last_error = NoticeState.DEAD, "邮件服务器答复550"
    written = clock.today()
    present.pass_by(timedelta(days=15))
    told = {only_id(): Posted(told_how="电话0575-84120001告知本人")}
    register_posted(told, written, "", at_desk(DIRECTOR))
    assert limit_of(case, "supplement").starts_on == clock.today()
    why = f"通知于{written}另行告知，{clock.today()}登记"
    assert any(why in what for _, what in sheet_of(case.case_no).timeline)


def test_a_letter_on_paper_says_no_day_that_may_have_passed_and_no_page_to_fill_in(clerk: Clerk) -> None:
    case = clerk.register()
    assert case.answer(InitialReview, verdict="要求补正", reason="请补充证照扫描件") is None
    request_supplement.run(case.case_no, 1)
    with reading() as session:
        asked = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == "supplement-requested")).one()
        days = session.scalars(select(Deadline).where(Deadline.limit_code == "supplement")).one()
    subject, text = said_in(asked, "（扫码查看）", on_paper=True)
    assert "截止" not in subject
    assert f"自您收到本信之日起{days.days}个工作日" in text
    assert "在线补正" not in text
    assert str(days.due_on.year) + "年" not in text
    assert "来信或者来访" in text
    assert "在线补正" in said_in(asked)[1]


def test_whose_address_was_kept_is_on_record(unreached: Clerk) -> None:
    for _ in range(2):
        keep_addresses({only_id(): ADDRESS}, at_desk(DIRECTOR))
    with reading() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.tag == "case:notice:address-kept"))
        assert (entry.actor, entry.case_no) == (DIRECTOR, unreached.case_no)
        assert ADDRESS not in str(entry.detail)
