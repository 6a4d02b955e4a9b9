"""What stands on a case's page beside the form: what the decision hangs on, files, notices, other cases, letters."""

import io
import re
import zipfile
from collections.abc import Callable
from html import unescape
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
import typst
from sqlalchemy import func, select

from ezt.desk import Desk
from models.cases import Case, StaffTask
from models.certificates import Certificate, CertificateHolder
from models.desk import DeskDraft, DeskPhrase, DeskSession
from models.notices import NoticeState, OutgoingNotice
from models.objections import Attachment, Objection
from models.organisations import Leave, Officer, Role
from models.records import AuditEntry
from notifications import rendering
from regulation.catalogue import HolderKind
from regulation.certificates import Level
from runtime import clock
from runtime.database import reading, transaction
from tasks.case import answers
from tasks.case.attachments import check_files
from tasks.case.hand_over import give_case
from tasks.desk.case_page import add_files
from tasks.desk.kinds import KINDS, QUESTIONS
from tasks.desk.matters import see_to
from tasks.desk.phrases import PhraseForm, drop_phrase, keep_phrase, places
from tasks.desk.sheets import sheet_of
from tasks.objections import steps as objections
from tasks.objections.kind import OBJECTION_TO_PARTY
from tasks.objections.questions import LetterPosted, SupplementReceived
from tasks.objections.registrations import register_objection
from tasks.objections.steps import submit_supplement
from tasks.office.staff_tasks import open_staff_task
from tasks.register.holders import TITLE
from tasks.register.types import objectionable
from tests.conftest import (
    Clerk,
    at_desk,
    by_officer,
    certificates_with_address,
    objection_about,
    officer_of,
    read_at_desk,
)
from web import rendering as rendering_of_pages
from web.rendering import differing

DIRECTOR = "KQ004"


def png() -> bytes:
    made = typst.compile(b"#set page(width: 3cm, height: 3cm)\nseal", format="png")
    assert isinstance(made, bytes)
    return made


def pdf(pages: int = 2) -> bytes:
    made = typst.compile("\n\n#pagebreak()\n\n".join(["Page"] * pages).encode(), format="pdf")
    assert isinstance(made, bytes)
    return made


def ofd() -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        archive.writestr("OFD.xml", "<ofd/>")
    return kept.getvalue()


def form_key(page: str) -> str:
    return re.findall(r'name="form_key" value="(\w+)"', page)[0]


def words(page: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", page))


def compared(case_no: str) -> dict[str, str]:
    return dict(line for each in read_at_desk(case_no, DIRECTOR).compared for line in each.lines)


def test_the_present_face_stands_beside_what_is_stated_proposed_and_replied(case: Clerk, desk: Desk) -> None:
    with reading() as session:
        objection = session.get_one(Objection, case.case_no)
        held = session.scalars(select(Certificate).where(Certificate.root == objection.certificate_root)).one()
    shown = compared(case.case_no)
    assert shown["本区登记现在是"] == held.face["address"]
    assert shown["申请人看到的是"] == objection.stated
    assert shown["申请人认为应当是"] == objection.proposed
    assert shown["电子证照标识"] == held.identifier
    assert held.holder_name in shown.values()
    desk.decide(case.case_no, "initial-review", DIRECTOR, verdict="受理")
    objections.accept_objection.run(case.case_no)
    case.request()
    given = {"finding": "原数据有误", "content": "档案为8888号", "corrected_value": "绍兴市柯桥区群贤路8888号"}
    case.answer(QUESTIONS["verification-reply"], reply_no="绍数〔2026〕1号", replied_on=str(clock.today()), **given)
    shown = compared(case.case_no)
    assert shown["上级核实结论"] == "原数据有误：档案为8888号"
    assert shown["上级认定应当是"] == "绍兴市柯桥区群贤路8888号"


def test_what_differs_is_marked_and_what_strangers_typed_stays_text() -> None:
    assert differing("群贤路9999号", "群贤路515号") == "群贤路<mark>9999</mark>号"
    assert differing("a<b>c", "a<b>d") == "a&lt;b&gt;<mark>c</mark>"
    assert differing("全然不同的话", "x") == "全然不同的话"
    assert differing("<script>", "") == "&lt;script&gt;"


def test_a_register_that_changed_since_has_to_be_seen_before_deciding(case: Clerk, desk: Desk) -> None:
    hidden = desk.asked(case.case_no, "initial-review", DIRECTOR)
    with transaction() as session:
        objection = session.get_one(Objection, case.case_no)
        held = session.scalars(select(Certificate).where(Certificate.root == objection.certificate_root)).one()
        held.face = {**held.face, "address": "绍兴市柯桥区新址1号"}
    sent = desk.browser(DIRECTOR).post(f"/desk/cases/{case.case_no}/answers", data=hidden | {"verdict": "受理"})
    assert sent.status_code == 409
    assert "绍兴市柯桥区新址1号" in words(sent.text)


def test_every_kind_says_what_its_decisions_hang_on() -> None:
    lacking = [kind.code.label for kind in KINDS.values() if "lambda" in kind.sheet.compared.__name__]
    assert lacking == []


def test_files_are_told_apart_by_day_occasion_and_whom_they_come_from(case: Clerk, desk: Desk) -> None:
    desk.decide(case.case_no, "initial-review", DIRECTOR, verdict="要求补正", reason="请补门牌证复印件")
    objections.request_supplement.run(case.case_no)
    assert answers.answer_or_wait(case.case_no, SupplementReceived, 1) is None
    submit_supplement(case.token, "门牌证一份", check_files([("门牌证.png", png())]), "1")
    officer = officer_of(case.case_no)
    add_files(case.case_no, at_desk(officer), [("邮寄来的.pdf", pdf())])
    came = [(group.what, group.who, [file.name for file in group.files]) for group in _groups(case.case_no)]
    assert [files for _, _, files in came] == [["邮寄来的.pdf"], ["门牌证.png"]]
    assert came[1][:2] == ("申请人提交补正", "申请人")
    assert came[0][0] == "工作人员添加附件（1个）"
    assert came[0][1].endswith(f"（{officer}）")


def _groups(case_no: str) -> tuple[object, ...]:
    return read_at_desk(case_no, DIRECTOR).handed_in


def test_what_came_with_the_registration_says_so(clerk: Clerk) -> None:
    held, kind = certificates_with_address()[0]
    files = check_files([("身份证.png", png())])
    case_no = register_objection(objection_about(held, kind), files, "key", "KQ001").case_no
    (group,) = read_at_desk(case_no, DIRECTOR).handed_in
    assert group.what == "登记时提交"


def test_a_pdf_is_seen_page_by_page_as_pictures(case: Clerk, desk: Desk) -> None:
    add_files(case.case_no, at_desk(DIRECTOR), [("来函.pdf", pdf(2))])
    page = desk.page(case.case_no, DIRECTOR)
    pictures = re.findall(r'<img src="(/desk/cases/[^"]+/pages/\d+)"', page)
    assert len(pictures) == 2
    browser = desk.browser(DIRECTOR)
    for picture in pictures:
        found = browser.get(picture)
        assert (found.status_code, found.headers["content-type"]) == (200, "image/png")
        assert found.content.startswith(b"\x89PNG")
    assert browser.get(pictures[0].replace("/pages/1", "/pages/3")).status_code == 409
    assert browser.get(pictures[0].replace("/pages/1", "/pages/31")).status_code == 422
    # The PDF itself opens nowhere: it is downloaded.
    whole = browser.get(pictures[0].partition("/pages/")[0])
    assert whole.headers["content-disposition"] == f"attachment; filename*=UTF-8''{quote('来函.pdf')}"
    colleague = next(no for no in ("KQ001", "KQ002", "KQ003") if no != officer_of(case.case_no))
    assert desk.browser(colleague).get(pictures[0]).status_code == 409
    with reading() as session:
        looks = session.scalars(select(AuditEntry.actor).where(AuditEntry.tag == "case:file:read")).all()
    assert set(looks) == {DIRECTOR}


def test_a_pdf_that_cannot_be_shown_is_said_and_can_be_downloaded(case: Clerk, desk: Desk) -> None:
    add_files(case.case_no, at_desk(DIRECTOR), [("坏的.pdf", b"%PDF-1.7 rubbish"), ("正本.ofd", ofd())])
    page = desk.page(case.case_no, DIRECTOR)
    assert "不能在此显示，请下载后查看" in page
    assert "OFD，1KB" in words(page)
    assert "/pages/1" not in page


def test_notices_are_told_with_when_how_and_their_text_but_not_the_link(case: Clerk, desk: Desk) -> None:
    with transaction() as session:
        notice = session.scalars(select(OutgoingNotice).where(OutgoingNotice.case_no == case.case_no)).first()
        assert notice is not None
        notice.state, notice.sent_at = NoticeState.SENT, notice.queued_at
        link = notice.context["link"]
    page = words(desk.page(case.case_no, DIRECTOR))
    assert "yuxiaoyun@example.com" in page
    assert "电子邮件，已发出" in page
    assert link not in page
    assert "收件人专用的链接" in page
    told = read_at_desk(case.case_no, DIRECTOR).told
    # What the Center writes to itself went to nobody else.
    assert [each.to for each in told] == ["yuxiaoyun@example.com"]
    assert rendering.SENDER_NAME in told[0].text


def test_whatever_can_be_opened_says_so_in_words() -> None:
    templates = Path(rendering_of_pages.__file__).parent / "templates"
    summaries = [
        (path.name, summary)
        for path in templates.rglob("*.html")
        for summary in re.findall("<details.*?<summary>(.*?)</summary>", path.read_text("utf-8"), re.DOTALL)
    ]
    assert len(summaries) >= 7
    assert [name for name, summary in summaries if not re.search(r"\{\{ opens\(.*?\) \}\}$", summary)] == []


def test_a_notice_that_did_not_arrive_and_one_that_cannot_be_said_any_more_hide_no_case(case: Clerk) -> None:
    with transaction() as session:
        notice = session.scalars(select(OutgoingNotice).where(OutgoingNotice.case_no == case.case_no)).first()
        assert notice is not None
        notice.state, notice.last_error, notice.context = NoticeState.DEAD, "邮箱格式不对", {"other": 1}
    told = read_at_desk(case.case_no, DIRECTOR).told[0]
    assert told.is_late
    assert "须另行告知" in told.how
    assert "无法显示" in told.text


def test_a_holder_by_a_correction_is_held_against_the_register(clerk: Clerk) -> None:
    (held, kind), *others = (
        (each, kind)
        for each, kind in certificates_with_address(Certificate.holder_kind == HolderKind.LEGAL_PERSON)
        if "holder_number" in objectionable(kind)
    )
    other = next(each for each, _ in others if each.holder_number != held.holder_number)
    number = {
        "field": objectionable(kind)["holder_number"],
        "stated": held.holder_number,
        "proposed": other.holder_number,
    }
    registered = register_objection(objection_about(held, kind, **number), [], "n", "KQ001", "x")
    there = next(each for each in read_at_desk(registered.case_no, DIRECTOR).compared if each.title == TITLE)
    assert there.table is not None
    assert {row[0] for row in there.table.rows} == {other.holder_name}
    # Who objects reads nothing of it: anybody may name any number.
    assert other.holder_name not in str(sheet_of(registered.case_no, OBJECTION_TO_PARTY))
    elsewhere = register_objection(objection_about(held, kind), [], "a", "KQ001", "x")
    assert all(each.title != TITLE for each in read_at_desk(elsewhere.case_no, DIRECTOR).compared)


def test_other_cases_of_the_certificate_and_of_its_holder_are_linked(clerk: Clerk, desk: Desk) -> None:
    first = clerk.register()
    other = clerk.register(field="有效期")
    related = {each.case_no: each for each in read_at_desk(first.case_no, DIRECTOR).related}
    assert related[other.case_no].why == "同一证照"
    assert related[other.case_no].is_open
    assert f'<a href="/desk/cases/{other.case_no}">' in desk.page(first.case_no, DIRECTOR)


def test_a_case_about_another_certificate_of_the_holder_is_linked(clerk: Clerk) -> None:
    first = clerk.register()
    with transaction() as session:
        objection = session.get_one(Objection, first.case_no)
        held = session.scalars(select(Certificate).where(Certificate.root == objection.certificate_root)).one()
        other, kind = next(each for each in certificates_with_address() if each[0].root != held.root)
        mine = session.scalars(select(CertificateHolder).where(CertificateHolder.certificate_id == other.id)).first()
        assert mine is not None
        mine.holder_index = held.holder_index
    second = register_objection(objection_about(other, kind), [], "second", "KQ001").case_no
    related = {each.case_no: each.why for each in read_at_desk(first.case_no, DIRECTOR).related}
    assert related[second] == "同一持证主体"


def test_an_applicants_other_cases_are_linked_open_ones_first(clerk: Clerk) -> None:
    by_holder = {each[0].holder_index: each for each in certificates_with_address()}
    first, second, third = list(by_holder.values())[:3]
    phone = {"objector_name": "钱一一", "phone": "0575-84120099", "email": "qian@example.com"}
    numbers = [
        register_objection(objection_about(*about, **phone), [], f"of one {place}", "KQ001").case_no
        for place, about in enumerate((first, second))
    ]
    named = {**phone, "phone": "0575-84120098"}
    numbers.append(register_objection(objection_about(*third, **named), [], "of another", "KQ001").case_no)
    with transaction() as session:
        session.get_one(Case, numbers[1]).closed_at = clock.now()
    related = read_at_desk(numbers[0], DIRECTOR).related
    assert [(each.case_no, each.why, each.is_open) for each in related if each.case_no in numbers] == [
        (numbers[2], "同名的申请人或持证主体", True),
        (numbers[1], "同一联系电话", False),
    ]


def test_the_letter_of_a_case_is_drafted_from_it_and_names_no_objector(clerk: Clerk, desk: Desk) -> None:
    held, kind = next(each for each in certificates_with_address() if each[1].source is Level.PROVINCE)
    case_no = register_objection(objection_about(held, kind), [], "letter", "KQ001").case_no
    there = f"/desk/cases/{case_no}/letter"
    played = Clerk(case_no, "")
    assert desk.browser(DIRECTOR).get(there).status_code == 404
    played.accept()
    assert played.request() == "letter"
    assert answers.answer_or_wait(case_no, LetterPosted, 1) is None
    assert f'href="{there}"' in desk.page(case_no, DIRECTOR)
    found = desk.browser(DIRECTOR).get(there)
    assert found.content.startswith(b"%PDF")
    assert quote("函（草稿）.pdf") in found.headers["content-disposition"]
    with reading() as session:
        letter = KINDS[session.get_one(Case, case_no).kind].sheet.letter(session, session.get_one(Case, case_no))
        assert session.scalars(select(AuditEntry).where(AuditEntry.tag == "case:letter:drafted")).one()
    assert letter is not None
    assert letter.to == "浙江省大数据局"
    said = repr(letter)
    assert "柯桥街道群贤路9999号" in said
    assert "俞小云" not in said
    colleague = next(no for no in ("KQ001", "KQ002", "KQ003") if no != officer_of(case_no))
    assert desk.browser(colleague).get(there).status_code == 409


def test_directors_keep_usual_reasons_and_others_read_them(case: Clerk, desk: Desk) -> None:
    browser, text = desk.browser(DIRECTOR), "所述项目不是证照所载内容。"
    key = {"form_key": form_key(browser.get("/desk/phrases").text)}
    for given, why in (
        ({"place": "", "text": text}, "用在哪里未填写"),
        ({"place": "outcome.value", "text": text}, "请选择用在哪一项"),
        ({"place": "initial-review.reason", "text": "证件号码330603198001011234"}, "不要写入个人的证件号码"),
    ):
        answer = browser.post("/desk/phrases", data=key | given)
        assert answer.status_code == 422
        assert why in words(answer.text)
        assert given["text"] in answer.text
    for _ in range(2):
        kept = browser.post("/desk/phrases", data=key | {"place": "initial-review.reason", "text": text})
        assert kept.headers["location"] == "/desk/phrases?said=kept"
    with reading() as session:
        (phrase,) = session.scalars(select(DeskPhrase).where(DeskPhrase.text == text))
    officer = desk.browser("KQ001")
    assert text in officer.get("/desk/phrases").text
    theirs = {"form_key": form_key(officer.get("/desk/phrases").text)}
    for path in ("/desk/phrases", f"/desk/phrases/{phrase.id}/drop"):
        refused = officer.post(path, data=theirs | {"place": "initial-review.reason", "text": "另一条常用语"})
        assert refused.status_code == 409
        assert "由负责人维护" in refused.text
    assert f"<option>{text}</option>" in desk.page(case.case_no, DIRECTOR)
    assert browser.post(f"/desk/phrases/{phrase.id}/drop", data=key).status_code == 303
    assert browser.post(f"/desk/phrases/{phrase.id}/drop", data=key).status_code == 303
    assert text not in desk.page(case.case_no, DIRECTOR)


def test_a_chosen_reason_counts_where_nothing_was_typed(case: Clerk, desk: Desk) -> None:
    usual = "所述项目不是证照所载内容，不属于核查范围。"
    keep_phrase(PhraseForm(place="initial-review.reason", text=usual), at_desk(DIRECTOR))
    hidden = desk.asked(case.case_no, "initial-review", DIRECTOR)
    given = {"verdict": "不予受理", "reason": " ", "phrase-reason": usual}
    done = desk.browser(DIRECTOR).post(f"/desk/cases/{case.case_no}/answers", data=hidden | given)
    assert done.status_code == 303
    with reading() as session:
        assert answers.accepted_answer(session, case.case_no, "initial-review", 1) == {
            "verdict": "不予受理",
            "reason": usual,
        }
    (number,) = [number for place in places() for number, text in place.phrases.items() if text == usual]
    drop_phrase(number, at_desk(DIRECTOR))
    assert all(usual not in place.phrases.values() for place in places())


def test_what_was_recorded_is_said_to_whom_it_is_of_and_to_nobody_else(case: Clerk, desk: Desk) -> None:
    desk.decide(case.case_no, "initial-review", DIRECTOR, verdict="要求补正", reason="请补门牌证复印件")
    there = f"/desk/cases/{case.case_no}?said=decided&of=initial-review-1"
    said = words(desk.browser(DIRECTOR).get(there).text)
    assert re.search("已登记.*初审意见：要求补正；理由或补正内容：请补门牌证复印件", said)
    assert "已登记" not in desk.browser(officer_of(case.case_no)).get(there).text
    for of in ("initial-review-2", "x", "initial-review-" + "9" * 20, ""):
        assert "已登记" not in desk.browser(DIRECTOR).get(f"/desk/cases/{case.case_no}?said=decided&of={of}").text


def typed(desk: Desk, case: Clerk, **given: str) -> dict[str, str]:
    return desk.asked(case.case_no, "initial-review", DIRECTOR) | {"verdict": "不予受理", **given}


def test_what_is_typed_and_left_is_there_again_until_it_is_sent_or_cleared(case: Clerk, desk: Desk) -> None:
    browser, there = desk.browser(DIRECTOR), f"/desk/cases/{case.case_no}"
    left = typed(desk, case, reason="写了一半的理由", code="123456")
    assert browser.post(f"{there}/draft", data=left).status_code == 204
    page = browser.get(there).text
    assert ">\n写了一半的理由</textarea>" in page
    assert re.search(r'value="不予受理" checked', page)
    assert "没有提交的内容还在下面" in page
    with reading() as session:
        assert "123456" not in str(session.scalars(select(DeskDraft)).one().typed)
    cleared = browser.post(f"{there}/draft", data=left | {"drop": "yes"})
    assert cleared.headers["location"] == f"{there}?said=dropped"
    assert "写了一半的理由" not in browser.get(there).text
    # Sent, it is kept no longer.
    browser.post(f"{there}/draft", data=left)
    desk.decide(case.case_no, "initial-review", DIRECTOR, verdict="受理")
    with reading() as session:
        assert session.scalars(select(DeskDraft)).all() == []


def test_adding_a_file_loses_nothing_of_what_stands_in_the_form(case: Clerk, desk: Desk) -> None:
    browser, there = desk.browser(DIRECTOR), f"/desk/cases/{case.case_no}"
    given = typed(desk, case, reason="写了一半的理由")
    sent = browser.post(f"{there}/files", data=given, files=[("files", ("门牌证.png", png()))])
    assert sent.headers["location"] == f"{there}?said=added"
    page = browser.get(sent.headers["location"]).text
    assert ">\n写了一半的理由</textarea>" in page
    refused = browser.post(f"{there}/files", data=given, files=[("files", ("a.png", b"MZ"))])
    assert refused.status_code == 422
    assert ">\n写了一半的理由</textarea>" in refused.text
    assert "刚才选的“a.png”没有保存" in refused.text


def test_a_file_that_was_chosen_beside_the_form_comes_along_with_the_answer(case: Clerk, desk: Desk) -> None:
    given, there = typed(desk, case, reason="所述项目不是证照内容"), f"/desk/cases/{case.case_no}/answers"
    refused = desk.browser(DIRECTOR).post(there, data=given, files=[("files", ("a.png", b"MZ"))])
    assert refused.status_code == 422
    assert "“a.png”的内容不是" in words(refused.text)
    assert "刚才选的“a.png”没有保存" in words(refused.text)
    # A slip in the form keeps no file, and says so.
    wrong = desk.browser(DIRECTOR).post(there, data=given | {"reason": " "}, files=[("files", ("门牌证.png", png()))])
    assert wrong.status_code == 422
    assert "附件须重新选择" in words(wrong.text)
    with reading() as session:
        assert session.scalar(select(func.count(Attachment.id))) == 0
    files = [("门牌证.png", png())]
    desk.decide(case.case_no, "initial-review", DIRECTOR, files=files, verdict="受理")
    with reading() as session:
        assert answers.accepted_answer(session, case.case_no, "initial-review", 1) is not None
        assert session.scalars(select(Attachment.name)).all() == ["门牌证.png"]


def test_a_file_that_came_when_nobody_was_signed_in_any_more_is_said_to_be_lost(case: Clerk, desk: Desk) -> None:
    browser, there = desk.browser(DIRECTOR), f"/desk/cases/{case.case_no}"
    given = typed(desk, case, reason="写了一半的理由")
    with transaction() as session:
        for signed_in in session.scalars(select(DeskSession)):
            signed_in.ended_at = signed_in.seen_at
    sent = browser.post(f"{there}/files", data=given, files=[("files", ("门牌证.png", png()))])
    assert "sign-in" in sent.headers["location"]
    with reading() as session:
        assert session.scalars(select(Attachment)).all() == []
    desk.browsers.pop(DIRECTOR).close()
    page = desk.page(case.case_no, DIRECTOR)
    assert "登录过期前选的“门牌证.png”没有保存" in page
    assert ">\n写了一半的理由</textarea>" in page
    # Said once; what was typed stays.
    page = desk.page(case.case_no, DIRECTOR)
    assert "登录过期前选的" not in page
    assert ">\n写了一半的理由</textarea>" in page


def test_what_a_page_kept_when_nobody_was_signed_in_any_more_is_there_again(case: Clerk, desk: Desk) -> None:
    given, there = typed(desk, case, reason="写了一半的理由"), f"/desk/cases/{case.case_no}"
    with transaction() as session:
        for signed_in in session.scalars(select(DeskSession)):
            signed_in.ended_at = signed_in.seen_at
    assert "sign-in" in desk.browser(DIRECTOR).post(f"{there}/draft", data=given).headers["location"]
    desk.browsers.pop(DIRECTOR).close()
    for _ in range(2):
        assert ">\n写了一半的理由</textarea>" in desk.page(case.case_no, DIRECTOR)
    desk.decide(case.case_no, "initial-review", DIRECTOR, verdict="受理")
    with reading() as session:
        assert session.scalars(select(DeskDraft)).all() == []


def test_an_auditor_reads_everything_and_adds_nothing(case: Clerk, desk: Desk) -> None:
    with transaction() as session:
        auditor = session.get_one(Officer, next(no for no in ("KQ001", "KQ002") if no != officer_of(case.case_no)))
        auditor.role = Role.AUDITOR
    page = desk.page(case.case_no, auditor.staff_no)
    assert "yuxiaoyun@example.com" in page
    assert 'name="files"' not in page
    assert 'id="answer"' not in page


def test_what_was_typed_for_a_question_that_is_asked_no_more_is_shown_once(case: Clerk, desk: Desk) -> None:
    browser, there = desk.browser(DIRECTOR), f"/desk/cases/{case.case_no}"
    browser.post(f"{there}/draft", data=typed(desk, case, reason="写了一半的理由"))
    own = officer_of(case.case_no)
    desk.decide(case.case_no, "initial-review", own, verdict="受理")
    page = words(browser.get(there).text)
    assert re.search(rf"这一步已由\w+（{own}）于", page)
    assert "写了一半的理由" in page
    assert "写了一半的理由" not in browser.get(there).text


def test_who_decides_on_what_was_withdrawn_meanwhile_reads_so_and_keeps_their_words(case: Clerk, desk: Desk) -> None:
    given = typed(desk, case, reason="所述项目不属于证照登记的内容。")
    objections.withdraw_objection(case.token)
    answer = desk.browser(DIRECTOR).post(f"/desk/cases/{case.case_no}/answers", data=given)
    assert answer.status_code == 409
    page = words(answer.text)
    assert "本件现在是“已撤回”，不再等答复" in page
    assert "所述项目不属于证照登记的内容。" in page


def test_what_was_decided_and_by_whom_stands_in_the_history(case: Clerk, desk: Desk) -> None:
    why = "所述项目不属于证照登记的内容。"
    desk.decide(case.case_no, "initial-review", DIRECTOR, verdict="不予受理", reason=why)
    page = words(desk.page(case.case_no, DIRECTOR))
    with reading() as session:
        name = session.get_one(Officer, DIRECTOR).name
    assert f"初审：初审意见：不予受理；理由或补正内容：{why.rstrip('。')} {name}（{DIRECTOR}）" in page
    # Whoever has nothing to do with the case reads no reason.
    colleague = next(each for each in ("KQ001", "KQ002", "KQ003") if each != officer_of(case.case_no))
    assert why not in words(desk.page(case.case_no, colleague))


def test_a_form_of_an_earlier_session_of_theirs_is_refused_and_what_it_says_is_kept(case: Clerk, desk: Desk) -> None:
    given, there = typed(desk, case, reason="写了一半的理由"), f"/desk/cases/{case.case_no}"
    desk.browsers.pop(DIRECTOR).close()
    answer = desk.browser(DIRECTOR).post(f"{there}/answers", data=given)
    assert answer.status_code == 403
    assert "填写的内容已保留" in answer.text
    assert ">\n写了一半的理由</textarea>" in desk.page(case.case_no, DIRECTOR)


@pytest.mark.parametrize("signed_in", [True, False])
def test_who_has_only_the_cookie_writes_nothing_into_an_officers_forms(
    case: Clerk, desk: Desk, signed_in: bool
) -> None:
    given = typed(desk, case, reason="别人写的理由") | {"form_key": "0" * 64}
    if not signed_in:
        with transaction() as session:
            for known in session.scalars(select(DeskSession)):
                known.ended_at = known.seen_at
    answer = desk.browser(DIRECTOR).post(f"/desk/cases/{case.case_no}/answers", data=given)
    assert answer.status_code == (403 if signed_in else 303)
    with reading() as session:
        assert session.scalars(select(DeskDraft)).all() == []


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("门牌证明.hta", "门牌证明.hta.png"),
        ("门牌\u202egnp.exe", "门牌gnp.exe.png"),
        ("门牌\r\n证.PNG", "门牌证.PNG"),
        ("", ".png"),
    ],
)
def test_the_name_of_a_file_says_what_it_is(name: str, kept: str) -> None:
    (file,) = check_files([(name, png())])
    assert file.name == kept


def test_days_that_the_case_allows_are_all_that_can_be_chosen(clerk: Clerk, desk: Desk) -> None:
    case = clerk.register()
    case.accept()
    case.request()
    assert answers.answer_or_wait(case.case_no, QUESTIONS["verification-reply"], 1) is None
    page = desk.page(case.case_no, DIRECTOR)
    assert re.search(rf'name="replied_on" type="date" value="" min="{clock.today()}" max="{clock.today()}"', page)


def test_a_question_that_files_answer_has_no_signature(desk: Desk) -> None:
    assert [each.question for each in QUESTIONS.values() if each.by_files] == ["scan"]


def test_whose_a_case_is_stands_there_by_name(case: Clerk, desk: Desk) -> None:
    own = officer_of(case.case_no)
    other = "KQ003" if own != "KQ003" else "KQ002"
    with reading() as session:
        said = {no: f"{session.get_one(Officer, no).name}（{no}）" for no in (own, other)}
    assert dict(read_at_desk(case.case_no, DIRECTOR).lines)["经办人"] == said[own]
    give_case(case.case_no, other, "轮岗到窗口", by_officer(DIRECTOR))
    page = read_at_desk(case.case_no, DIRECTOR)
    assert f"由{said[own]}移交{said[other]}：轮岗到窗口" in [what for _, what, _ in page.happened]
    today = clock.today()
    with transaction() as session:
        session.add(Leave(staff_no=other, substitute_no=own, from_on=today, until_on=today))
    assert dict(read_at_desk(case.case_no, DIRECTOR).lines)["经办人"] == f"{said[other]}，今天由{said[own]}代理"
    # Who may not see it all reads whose it is, and not why it was handed over.
    page_of_others = desk.browser("KQ001" if "KQ001" not in (own, other) else "KQ002")
    if page_of_others is not desk.browser(own):
        shown = words(page_of_others.get(f"/desk/cases/{case.case_no}").text)
        assert (f"本件由{said[own]}办理" in shown, "轮岗到窗口" in shown) == (True, False)


def test_a_matter_and_the_sentence_that_ended_it_stand_with_their_case(case: Clerk, desk: Desk) -> None:
    officer = officer_of(case.case_no)
    with transaction() as session:
        open_staff_task(session, "k", case.case_no, "给申请人的通知无法送达", clock.now())
        number = session.scalars(select(StaffTask.id).where(StaffTask.key == "k")).one()
    menu = re.compile(r"待阅事项（(\d+)）</a>")
    shown = desk.browser(officer).get(f"/desk/cases/{case.case_no}").text
    before = int(menu.findall(shown)[0])
    assert f'/desk/matters?whose=all#note-{number}"' in shown
    see_to(number, "已电话告知本人", at_desk(officer))
    shown = desk.browser(officer).get(f"/desk/cases/{case.case_no}").text
    assert (f"#note-{number}" in shown, [int(each) for each in menu.findall(shown)]) == (
        False,
        [before - 1] if before > 1 else [],
    )
    happened = read_at_desk(case.case_no, officer).happened
    assert [what for _, what, _ in happened if "待阅事项" in what] == [
        "待阅事项已处理：已电话告知本人（给申请人的通知无法送达）",
        "列为待阅事项：给申请人的通知无法送达",
    ]


@pytest.mark.parametrize("path", ["cases/YY-2020-000099", "cases/%E5%BC%82%E8%AE%AE", "nowhere", "matters/0"])
def test_what_there_is_not_is_said_on_the_desks_own_page_with_the_search(case: Clerk, desk: Desk, path: str) -> None:
    answer = desk.browser(DIRECTOR).get(f"/desk/{path}")
    assert answer.status_code in {404, 422}
    assert 'action="/desk/search"' in answer.text
    assert "回到首页" not in answer.text
    if path.startswith("cases/YY"):
        assert "没有编号为YY-2020-000099的办件" in answer.text
        assert 'value="YY-2020-000099"' in answer.text


def test_to_whoever_is_not_at_the_desk_there_is_none(web: str) -> None:
    with httpx.Client(base_url=web) as stranger:
        assert "/desk" not in stranger.get("/desk/nowhere").text


def test_from_other_networks_there_is_no_desk_even_signed_in(
    case: Clerk, desk: Desk, configure: Callable[..., None]
) -> None:
    browser = desk.browser(DIRECTOR)
    configure(EZT_DESK_NETWORKS='["203.0.113.0/24"]')
    answer = browser.get(f"/desk/cases/{case.case_no}")
    assert (answer.status_code, "/desk/search" in answer.text) == (404, False)
