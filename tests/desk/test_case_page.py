"""The page of a case at the desk: what is decided on, the form of every question, and what becomes of an answer."""

import re
from collections.abc import Iterable
from html import unescape
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import func, select

from ezt.desk import Desk, NotThereError, said_on
from models.cases import Answer
from models.objections import Attachment
from models.organisations import SpentCode
from models.records import AuditEntry
from regulation import limits
from regulation.limits import Limit
from runtime import clock
from runtime.database import reading, transaction
from tasks.backfill.questions import BackfillReview
from tasks.case import answers
from tasks.case.answers import changed_answers
from tasks.case.attachments import File, keep_files
from tasks.case.questions import Question
from tasks.desk.kinds import QUESTIONS
from tasks.objections import steps as objections
from tasks.objections.questions import (
    InitialReview,
    OutcomeDecision,
    ReviewApproval,
    SupplementReceived,
    VerificationReply,
)
from tasks.system_reviews.questions import SystemReviewOpinion
from tests.conftest import Clerk, answered, officer_of
from web.desk.fields import Offered, shown

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
DIRECTOR = "KQ004"
NEEDING = [each for each in QUESTIONS.values() if each.needs]


@pytest.fixture
def one_time_codes() -> bool:
    """They are part of what is tested here."""
    return True


def send(desk: Desk, case_no: str, hidden: dict[str, str], by: str = DIRECTOR, **typed: str) -> httpx.Response:
    return desk.browser(by).post(f"/desk/cases/{case_no}/answers", data=hidden | typed)


def count(column: Any) -> int:
    with reading() as session:
        return session.scalar(select(func.count(column))) or 0


def accepted() -> list[dict[str, Any]]:
    with reading() as session:
        return list(session.scalars(select(Answer.given).where(Answer.refusal.is_(None))))


def add_file(case_no: str, name: str = "门牌证.png", content: bytes = PNG) -> int:
    with transaction() as session:
        keep_files(session, case_no, [File(name, "image/png", content)], clock.now())
        session.flush()
        return session.scalars(select(Attachment.id).where(Attachment.case_no == case_no)).all()[-1]


def test_facts_evidence_and_form_stand_on_one_page(desk: Desk, case: Clerk) -> None:
    file = add_file(case.case_no)
    page = desk.page(case.case_no, DIRECTOR)
    # What differs from the register is marked.
    text = unescape(re.sub(r"<[^>]+>", "", page))
    for told in ("俞小云", "yuxiaoyun@example.com", "群贤路9999号", "门牌号登记有误", "向省、市大数据局提出核实需求"):
        assert told in text
    assert f'<img src="/desk/cases/{case.case_no}/files/{file}"' in page
    assert re.findall(r'name="verdict" value="(.+?)"', page) == ["受理", "不予受理", "要求补正"]
    # Nothing was decided before, so there is nothing to refer to, and no word of it.
    assert "选“不予受理”、“要求补正”时必填" in page
    assert "已有结论" not in text
    with reading() as session:
        looked = session.scalars(select(AuditEntry.actor).where(AuditEntry.tag == "case:sheet:read")).all()
    assert looked == [DIRECTOR]


def test_an_answer_is_recorded_signed_and_sealed_and_leads_on(desk: Desk, case: Clerk, clerk: Clerk) -> None:
    other = clerk.register(field="有效期")
    assert answers.answer_or_wait(other.case_no, InitialReview, 1) is None
    officer = officer_of(case.case_no)
    hidden = desk.asked(case.case_no, "initial-review")
    done = send(desk, case.case_no, hidden, officer, verdict="受理", code=desk.sign(officer)["code"])
    there = f"/desk/cases/{case.case_no}?said=decided&of=initial-review-1"
    assert (done.status_code, done.headers["location"]) == (303, there)
    assert accepted() == [{"verdict": "受理", "reason": ""}]
    with reading() as session:
        answer = session.scalars(select(Answer)).one()
        entry = session.scalars(select(AuditEntry).where(AuditEntry.tag == "case:initial-review:answered")).one()
    assert (answer.officer_no, entry.actor) == (officer, officer)
    # What was shown is in the seal, and a later change of the answer is found.
    assert entry.detail["shown"] == hidden["shown"]
    assert changed_answers() == []
    page = desk.browser(officer).get(done.headers["location"]).text
    assert re.search("已登记</strong>.*初审意见：.*受理", page)
    if officer_of(other.case_no) == officer:
        assert f"办理下一件：{other.case_no}" in page
    assert "系统正在办理" in page


def test_what_is_wrong_stands_beside_its_field_nothing_is_lost_and_no_code_is_spent(desk: Desk, case: Clerk) -> None:
    hidden, code = desk.asked(case.case_no, "initial-review", DIRECTOR), desk.sign(DIRECTOR)["code"]
    spent = count(SpentCode.time_step)
    answer = send(desk, case.case_no, hidden, verdict="不予受理", reason="不行", code=code)
    assert answer.status_code == 422
    assert "不予受理须告知申请人理由" in said_on(answer.text)
    assert 'id="reason-wrong"' in answer.text
    assert re.search(r'value="不予受理" checked', answer.text)
    assert ">\n不行</textarea>" in answer.text
    assert code not in answer.text
    assert "初审意见未填写" in said_on(send(desk, case.case_no, hidden, code=code).text)
    assert (count(Answer.id), count(SpentCode.time_step)) == (0, spent)
    assert send(desk, case.case_no, hidden, verdict="受理", code=code).status_code == 303


def test_a_wrong_code_stands_beside_its_field_and_counts(desk: Desk, case: Clerk) -> None:
    hidden = desk.asked(case.case_no, "initial-review", DIRECTOR)
    answer = send(desk, case.case_no, hidden, verdict="受理", code="000000")
    assert answer.status_code == 403
    assert 'id="code-wrong"' in answer.text
    assert re.search(r'value="受理" checked', answer.text)
    with reading() as session:
        assert session.scalar(select(func.count()).where(AuditEntry.tag == "officer:code:refused")) == 1
    assert accepted() == []


def test_a_form_that_is_sent_twice_counts_once(desk: Desk, case: Clerk) -> None:
    hidden, code = desk.asked(case.case_no, "initial-review", DIRECTOR), desk.sign(DIRECTOR)["code"]
    for _ in range(2):
        assert send(desk, case.case_no, hidden, verdict="受理", code=code).status_code == 303
    assert len(accepted()) == 1


def test_a_form_that_comes_again_with_other_words_is_another_answer(desk: Desk, case: Clerk) -> None:
    hidden = desk.asked(case.case_no, "initial-review", DIRECTOR)
    assert send(desk, case.case_no, hidden, verdict="受理", code=desk.sign(DIRECTOR)["code"]).status_code == 303
    again = send(desk, case.case_no, hidden, verdict="不予受理", reason="所述项目不是证照内容", code="1")
    assert again.status_code == 409
    assert re.search(rf"这一步已由\w+（{DIRECTOR}）于", unescape(re.sub(r"<[^>]+>", "", again.text)))
    assert accepted() == [{"verdict": "受理", "reason": ""}]


def test_a_number_of_a_form_counts_for_its_own_case_only(desk: Desk, case: Clerk, clerk: Clerk) -> None:
    other = clerk.register(field="有效期").case_no
    assert answers.answer_or_wait(other, InitialReview, 1) is None
    first, second = (desk.asked(each, "initial-review", DIRECTOR) for each in (case.case_no, other))
    second["submission_no"] = first["submission_no"]
    for case_no, hidden in ((case.case_no, first), (other, second)):
        sent = send(desk, case_no, hidden, verdict="受理", code=desk.sign(DIRECTOR)["code"])
        assert sent.status_code == 303
    assert len(accepted()) == 2


def test_who_comes_too_late_reads_who_answered_what_and_keeps_their_words(desk: Desk, case: Clerk) -> None:
    hidden, code = desk.asked(case.case_no, "initial-review", DIRECTOR), desk.sign(DIRECTOR)["code"]
    own = officer_of(case.case_no)
    assert answered(case.case_no, InitialReview, 1, {"verdict": "受理"}, own, desk.sign(own)["code"]) is None
    answer = send(desk, case.case_no, hidden, verdict="不予受理", reason="所述项目不是证照内容", code=code)
    assert answer.status_code == 409
    said = unescape(re.sub(r"<[^>]+>", "", answer.text))
    assert re.search(rf"这一步已由\w+（{own}）于", said)
    assert "初审意见：受理" in said
    assert "所述项目不是证照内容" in said
    assert accepted() == [{"verdict": "受理", "reason": ""}]


def test_nobody_decides_on_what_they_have_not_seen(desk: Desk, case: Clerk) -> None:
    hidden, code = desk.asked(case.case_no, "initial-review", DIRECTOR), desk.sign(DIRECTOR)["code"]
    add_file(case.case_no, "后来的.png")
    answer = send(desk, case.case_no, hidden, verdict="要求补正", reason="请补交门牌证照片", code=code)
    assert answer.status_code == 409
    assert "本件在您打开之后有了新的内容" in answer.text
    assert "后来的.png" in answer.text
    assert "请补交门牌证照片" in answer.text
    fresh = re.findall(r'name="shown" value="(\w+)"', answer.text)[0]
    assert fresh != hidden["shown"]
    hidden["shown"] = fresh
    again = send(desk, case.case_no, hidden, verdict="要求补正", reason="请补交门牌证照片", code=code)
    assert again.status_code == 303


@pytest.mark.parametrize("asked", ["outcome-1", "initial-review-2", "nothing-1", "", "initial-review-x"])
def test_only_what_the_case_waits_for_can_be_answered(desk: Desk, case: Clerk, asked: str) -> None:
    hidden = desk.asked(case.case_no, "initial-review", DIRECTOR) | {"asked": asked}
    given = {"verdict": "受理", "outcome": "已更正", "reason": "经核实，登记的地址有误。"}
    answer = send(desk, case.case_no, hidden, **given, code=desk.sign(DIRECTOR)["code"])
    assert answer.status_code == 409
    assert "看现在等什么" in answer.text
    assert accepted() == []


def test_a_colleague_sees_the_case_masked_and_cannot_decide_it(desk: Desk, case: Clerk) -> None:
    file = add_file(case.case_no)
    other = next(no for no in ("KQ001", "KQ002", "KQ003") if no != officer_of(case.case_no))
    page = desk.page(case.case_no, other)
    for hidden_from_them in ("俞小云", "yuxiaoyun", "群贤路9999号"):
        assert hidden_from_them not in page
    assert f"由工号{officer_of(case.case_no)}办理" in page
    assert 'id="asks"' not in page
    assert desk.browser(other).get(f"/desk/cases/{case.case_no}/files/{file}").status_code == 409
    key = {"form_key": re.findall(r'name="form_key" value="(\w+)"', page)[0]}
    sent = desk.browser(other).post(f"/desk/cases/{case.case_no}/files", data=key, files=[("files", ("a.png", PNG))])
    assert sent.status_code == 409
    assert count(Attachment.id) == 1
    hidden = desk.asked(case.case_no, "initial-review", DIRECTOR) | key
    assert "办理" in said_on(send(desk, case.case_no, hidden, other, verdict="受理", code="1").text)
    assert accepted() == []


def test_files_open_in_place_or_under_their_names(desk: Desk, case: Clerk, clerk: Clerk) -> None:
    picture = add_file(case.case_no)
    with transaction() as session:
        keep_files(session, case.case_no, [File("执照 副本.ofd", "application/ofd", b"PK\x03\x04x")], clock.now())
    document = picture + 1
    browser = desk.browser(DIRECTOR)
    found = browser.get(f"/desk/cases/{case.case_no}/files/{picture}")
    assert (found.content, found.headers["content-disposition"].split(";")[0]) == (PNG, "inline")
    found = browser.get(f"/desk/cases/{case.case_no}/files/{document}")
    assert found.headers["content-disposition"] == f"attachment; filename*=UTF-8''{quote('执照 副本.ofd')}"
    # Another case's file is none of this one's.
    other = clerk.register(field="有效期").case_no
    assert browser.get(f"/desk/cases/{other}/files/{picture}").status_code == 404
    assert browser.get(f"/desk/cases/{case.case_no}/files/99999999999999999999").status_code == 422


def test_staff_add_files_once_and_the_page_says_what_came_of_it(desk: Desk, case: Clerk) -> None:
    page = desk.page(case.case_no, DIRECTOR)
    key = {"form_key": re.findall(r'name="form_key" value="(\w+)"', page)[0]}
    where, browser = f"/desk/cases/{case.case_no}/files", desk.browser(DIRECTOR)
    for said in ("added", "there"):
        sent = browser.post(where, data=key, files=[("files", ("门牌证.png", PNG)), ("files", ("又.png", PNG))])
        assert sent.headers["location"] == f"/desk/cases/{case.case_no}?said={said}"
    assert count(Attachment.id) == 1
    for files, why in (([], "请选择要添加的附件"), ([("files", ("a.png", b"MZ"))], "“a.png”的内容不是")):
        sent = browser.post(where, data=key, files=files)
        assert sent.status_code == 422
        assert why in said_on(sent.text)


def test_only_what_the_case_allows_is_offered(desk: Desk, case: Clerk) -> None:
    desk.decide(case.case_no, "initial-review", DIRECTOR, verdict="受理")
    objections.accept_objection.run(case.case_no)
    case.request()
    given = {"content": "与原件不符", "corrected_value": "群贤路1号", "reply_no": "绍数〔2026〕1号"}
    early = {"finding": "原数据有误", "replied_on": "2020-01-02"}
    assert answers.answer_or_wait(case.case_no, VerificationReply, 1) is None
    with pytest.raises(NotThereError, match="不能早于"):
        desk.decide(case.case_no, "verification-reply", DIRECTOR, **given, **early)
    said = given | early | {"replied_on": str(clock.today())}
    with pytest.raises(NotThereError, match="须附来函的扫描件"):
        desk.decide(case.case_no, "verification-reply", DIRECTOR, **said)
    # Chosen in the form, it comes along with the answer.
    desk.decide(case.case_no, "verification-reply", DIRECTOR, files=[("来函.png", PNG)], **said)
    assert answers.answer_or_wait(case.case_no, OutcomeDecision, 1) is None
    page = desk.page(case.case_no, DIRECTOR)
    assert re.findall(r'name="outcome" value="(.+?)"', page) == ["已更正", "部分更正"]
    assert "选“已更正”、“部分更正”时，留空即采用上级认定的内容" in page
    assert not re.search("已同步|并案", page)


def test_a_closed_case_asks_nothing(desk: Desk, case: Clerk) -> None:
    desk.decide(case.case_no, "initial-review", verdict="不予受理", reason="不是证照内容")
    assert answers.answer_or_wait(case.case_no, ReviewApproval, 1) is None
    desk.decide(case.case_no, "approve-review", DIRECTOR, opinion="同意")
    objections.decline_objection.run(case.case_no)
    page = desk.page(case.case_no, DIRECTOR)
    assert "本件已办结" in page
    assert 'id="asks"' not in page
    assert 'name="files"' not in page


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_every_question_is_a_form_in_chinese(question: type[Question]) -> None:
    fields = shown(question)
    assert [field.name for field in fields] == list(question.model_fields)
    for field in fields:
        assert not field.title.isascii()
        assert not field.hint or not field.hint.isascii()
        assert all(not choice.isascii() for choice in field.choices)
        assert field.control in ("radio", "select") or not field.choices
    assert not question.asks.isascii()


def choices_of(question: type[Question]) -> dict[str, tuple[str, ...]]:
    return {field.name: tuple(field.choices) for field in shown(question) if field.choices}


def names(text: str, choice: str, others: Iterable[str]) -> bool:
    """Whether a text speaks of a choice, and not only of others whose names have it in them."""
    for other in others:
        if choice in other:
            text = text.replace(other, "")
    return choice in text


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_a_hint_speaks_of_no_choice_that_is_not_offered(question: type[Question]) -> None:
    for name, choices in choices_of(question).items():
        for missing in choices:
            left = [each for each in choices if each != missing]
            if not left:
                continue
            for field in shown(question, Offered({name: left})):
                assert not names(field.hint + field.when, missing, left), (field.name, field.hint, field.when)


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_a_hint_for_a_choice_is_for_one_that_there_is(question: type[Question]) -> None:
    there = {choice for choices in choices_of(question).values() for choice in choices}
    for name, hints in question.hints.items():
        assert name in question.model_fields
        assert set(map(str, hints)) <= there
    # What a form puts in quotation marks is a choice of it, a field of it, or an example of what to write.
    titles = {field.title for field in question.model_fields.values()}
    for field in shown(question):
        said = re.sub("(?:如|写作|的填)“[^”]*”", "", field.hint)
        assert set(re.findall("“([^”]*)”", said)) <= there | titles


@pytest.mark.parametrize(
    ("question", "field", "choice", "limit"),
    [
        (InitialReview, "reason", "要求补正", limits.SUPPLEMENT),
        (BackfillReview, "reason", "退回更正", limits.BACKFILL_CORRECTION),
        (SystemReviewOpinion, "text", "补充材料", limits.SYSTEM_SUPPLEMENT),
    ],
)
def test_who_asks_for_something_reads_that_the_system_sets_the_limit(
    question: type[Question], field: str, choice: str, limit: Limit
) -> None:
    (hint,) = (each.hint for each in shown(question) if each.name == field)
    said = hint.partition(f"选“{choice}”时")[2]
    assert f"期限不用写，告知时由系统定为{limit.value}个工作日（{limit.source}）" in said


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_a_recorded_answer_is_read_with_its_labels_and_units(question: type[Question]) -> None:
    given = {name: 12 if field.annotation is int else "某值" for name, field in question.model_fields.items()}
    said = question.said(given)
    assert len(dict(said)) == len(given)
    for (title, value), field in zip(said, question.model_fields.values(), strict=True):
        assert str(field.title).startswith(title)
        assert value == ("12个工作日" if field.annotation is int else "某值")


@pytest.mark.parametrize("question", NEEDING, ids=lambda each: each.question)
def test_what_a_choice_makes_necessary_is_a_choice_that_there_is(question: type[Question]) -> None:
    fields = {field.name: field for field in shown(question)}
    for name, needed in question.needs.items():
        assert name in fields
        assert set(map(str, needed.why)) <= set(fields[needed.by].choices)
        assert needed.least <= fields[name].most


def test_what_the_objector_has_to_bring_can_be_entered_for_them(desk: Desk, clerk: Clerk) -> None:
    desk_case = clerk.register().case_no
    assert answers.answer_or_wait(desk_case, InitialReview, 1) is None
    desk.decide(desk_case, "initial-review", DIRECTOR, verdict="要求补正", reason="请补门牌证复印件")
    objections.request_supplement.run(desk_case)
    assert answers.answer_or_wait(desk_case, SupplementReceived, 1) is None
    with pytest.raises(NotThereError, match="收到补正材料的须写明收到什么"):
        desk.decide(desk_case, "supplement", DIRECTOR, kind="已收到补正材料")
    desk.decide(desk_case, "supplement", DIRECTOR, kind="已收到补正材料", text="门牌证复印件一份")


@pytest.mark.parametrize(
    "path", ["/desk/cases/%00", "/desk/cases/" + "长" * 31, "/desk?page=0", "/desk?kind=" + "长" * 61]
)
def test_addresses_that_are_none_are_refused_on_a_page(desk: Desk, case: Clerk, path: str) -> None:
    answer = desk.browser(DIRECTOR).get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "text/html; charset=utf-8")
    assert desk.browser(DIRECTOR).get("/desk/cases/YY-2020-000001").status_code == 404
    assert desk.browser(DIRECTOR).get("/desk?kind=没有的&what=x&due=y&whose=z").status_code == 200
