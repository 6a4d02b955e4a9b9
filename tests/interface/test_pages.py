"""The pages: errors are pages, nothing typed is lost, and the unmasked case is for who signs."""

import html
import re
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from sqlalchemy import func, select, update

from models.cases import Answer, Case, Deadline
from models.objections import Attachment, Supplement
from models.organisations import Officer
from models.records import AuditEntry
from regulation.limits import SUPPLEMENT, VERIFICATION_REQUEST, WRONG_CODE_WAIT, WRONG_CODES
from regulation.objections import Stage
from runtime import clock
from runtime.database import reading, transaction
from runtime.settings import settings
from tasks.objections import steps as objections
from tasks.objections.questions import InitialReview
from tests.articles.test_article_12_objections import closed
from web import pages as web_pages

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
FORM = "application/x-www-form-urlencoded"


def waiting_for_supplement(clerk: Any) -> Any:
    case = clerk.register()
    case.answer(InitialReview, verdict="要求补正", reason="请补交门牌证照片")
    objections.request_supplement.run(case.case_no)
    return case


def typed_again(page: str, name: str) -> str:
    """What stands in a textarea of a page, as a browser reads it: without the first line break."""
    found = re.search(rf'<textarea id="{name}"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL)
    assert found is not None, page
    return html.unescape(found[1])


def audited(tag: str) -> list[tuple[str | None, str]]:
    with reading() as session:
        wanted = select(AuditEntry.case_no, AuditEntry.actor).where(AuditEntry.tag == tag).order_by(AuditEntry.id)
        return [(case_no, actor) for case_no, actor in session.execute(wanted)]


def attachments() -> int:
    with reading() as session:
        return session.scalar(select(func.count(Attachment.id))) or 0


# Errors


@pytest.mark.parametrize(
    ("way", "path", "given", "status"),
    [
        ("GET", "/nowhere", {}, 404),
        ("GET", "/objections/nobodys-token", {}, 404),
        ("POST", "/objections/nobodys-token/supplements", {"data": {"submission_no": "1", "text": "见附件"}}, 404),
        ("POST", "/objections/nobodys-token/supplements", {"data": {"text": "长" * 2001}}, 404),
        ("POST", "/objections/nobodys-token/supplements", {"data": {"files": "不是文件"}}, 422),
        ("POST", "/objections/nobodys-token/withdrawal", {}, 404),
        ("POST", "/objections/nobodys-token/disagreement", {"data": {"disagreement": "我不同意这个"}}, 404),
        ("GET", "/objections/nobodys-token/withdrawal", {}, 404),
        ("GET", "/objections/nobodys-token/disagreement", {}, 405),
        ("GET", "/desk/cases", {}, 404),
    ],
)
def test_an_error_is_a_page(web: str, way: str, path: str, given: dict[str, Any], status: int) -> None:
    answer = httpx.request(way, web + path, **given)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert re.search(r'<p class="said" role="alert">[一-龥].*。</p>', answer.text)


def test_a_failure_of_ours_is_a_page_and_no_wrong_address(web: str, clerk: Any) -> None:
    case = clerk.register()
    with transaction() as session:
        statutory = Deadline.limit_code == VERIFICATION_REQUEST.code
        session.execute(update(Deadline).where(statutory).values(limit_code="a-limit-that-is-none"))
    page, answer = (httpx.get(f"{web}{path}/objections/{case.token}") for path in ("", "/api/v1"))
    assert (page.status_code, page.headers["content-type"]) == (500, "text/html; charset=utf-8")
    assert "系统暂时出现故障" in page.text
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("kind", [FORM, "multipart/form-data; boundary=b"])
def test_a_form_that_is_too_large_is_refused_as_such(web: str, clerk: Any, kind: str, announced: bool) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    if kind == FORM:
        # One field may not be longer than 1 MB, whatever the limit of the whole.
        parts = [b"text=" + b"x" * (2**20 - 100) + b"&"] * 33
    else:
        parts = [head, *[b"\0" * 2**20] * 33, b"\r\n--b--\r\n"]
    body = b"".join(parts) if announced else iter(parts)
    link = f"{web}/objections/{clerk.register().token}/supplements"
    answer = httpx.post(link, content=body, headers={"Content-Type": kind}, timeout=30)
    assert answer.status_code == 413
    assert "不能超过32MB" in answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_a_body_that_says_it_is_too_large_is_not_read(web: str) -> None:
    import socket

    host, port = web.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(
            b"POST /objections/x/supplements HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            b"Content-Length: 99999999\r\n\r\n"
        )
        assert line.recv(100).startswith(b"HTTP/1.1 413")


# What a page rests on


CITED = {
    "front.html": "第八条、第十条至第十二条、第十四条、第十七条",
    "objection-type.html": "第十二条",
    "objection-form.html": "第十二条",
    "objection-review.html": "第十二条",
    "objection-confirm.html": "第十二条",
    "objection.html": "第十二条",
    "find-objection.html": "第十二条",
    "backfill.html": "第十一条、第十二条",
    "source-check.html": "第十二条",
    "wrong-value.html": "第十二条、第十四条",
    "copies.html": "第十一条",
    "sign-in.html": "第十一条",
    "my.html": "第十条、第十一条、第十四条",
    "my-authorisation.html": "第九条、第十五条",
    "my-authorisations.html": "第九条、第十五条",
    "enquiry.html": "第九条",
    "rectification.html": "第十七条",
    "rule-revision.html": "第十六条",
    "spot-check.html": "第十七条",
    "spot-checks.html": "第十七条",
    "spot-check-checklists.html": "第十七条",
    "spot-check-sign.html": "第十七条",
    "paper-report.html": "{{ basis }}",
    "message.html": "{{ basis }}",
    "withdrawal.html": "{{ basis }}",
}
BASIS = re.compile(r"{% block basis %}(.*?){% endblock %}")


def test_every_page_cites_its_own_articles_and_none_by_default() -> None:
    pages = {
        path.name: path.read_text("utf-8") for path in (Path(web_pages.__file__).parent / "templates").glob("*.html")
    }
    assert BASIS.findall(pages.pop("layout.html")) == [""]
    said = {name: BASIS.findall(text) for name, text in pages.items() if 'extends "layout.html"' in text}
    said |= {name: found for name, text in pages.items() if (found := BASIS.findall(text))}
    assert said == {name: [articles] for name, articles in CITED.items()}


def test_a_refusal_rests_on_no_article(web: str) -> None:
    assert "办理依据：《绍兴市柯桥区电子证照管理办法（试行）》。" in httpx.get(f"{web}/nowhere").text


# What an objector is told


def told(web: str, case: Any, part: str) -> str:
    """A part of an objector's page as they read it; empty where the page has no such part."""
    page = httpx.get(f"{web}/objections/{case.token}").text
    found = re.search(rf'<section class="[^"]*" id="{part}">(.*?)</section>', page, re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", found[1])) if found else ""


def followed(web: str, case: Any) -> dict[str, Any]:
    return dict(httpx.get(f"{web}/api/v1/objections/{case.token}").json())


def test_whoever_is_to_supplement_reads_what_and_until_when(web: str, clerk: Any) -> None:
    case = waiting_for_supplement(clerk)
    with reading() as session:
        limit = Deadline.case_no == case.case_no, Deadline.limit_code == SUPPLEMENT.code
        due_on = session.scalars(select(Deadline.due_on).where(*limit)).one()
    said = told(web, case, "asked")
    for expected in (
        "请补交门牌证照片",
        str(due_on),
        "10个工作日",
        "内部时限",
        "第十二条规定的5个工作日照常计算",
        "按现有材料继续",
    ):
        assert expected in said
    expected = {"what": "请补交门牌证照片", "due_on": str(due_on), "received": False}
    assert expected.items() <= followed(web, case)["supplement"].items()
    httpx.post(f"{web}/objections/{case.token}/supplements", data={"text": "门牌证见附件"})
    assert "补正已收到" in told(web, case, "asked")
    assert followed(web, case)["supplement"]["received"]
    objections.take_supplement.run(case.case_no)
    assert (told(web, case, "asked"), followed(web, case)["supplement"]) == ("", None)


def test_who_joined_reads_nothing_of_what_another_is_asked(web: str, clerk: Any) -> None:
    lead, other = clerk.register(), clerk.register(email="b@example.com")
    lead.answer(InitialReview, verdict="要求补正", reason="请补交门牌证照片")
    objections.request_supplement.run(lead.case_no)
    assert other.stage() == Stage.JOINED
    assert told(web, other, "asked") == ""
    assert followed(web, other)["supplement"] is None
    assert "请补交门牌证照片" in told(web, lead, "asked")
    # Whoever leaves is asked nothing any more.
    objections.withdraw_objection(lead.token)
    assert told(web, lead, "asked") == ""


def test_whoever_is_declined_reads_why(web: str, clerk: Any) -> None:
    case = clerk.register()
    case.answer(InitialReview, verdict="不予受理", reason="所述项目不是证照所载内容。")
    objections.decline_objection.run(case.case_no)
    said = told(web, case, "ended")
    for expected in ("不予受理", "理由：所述项目不是证照所载内容。", "再次提出", "行政复议"):
        assert expected in said
    assert followed(web, case)["result"] == {"outcome": None, "reason": "所述项目不是证照所载内容。"}


def test_whoever_is_answered_reads_the_outcome_and_why(web: str, clerk: Any, city_bureau: Any) -> None:
    case = closed(clerk)
    other = clerk.register(email="b@example.com", field="有效期")
    said = told(web, case, "ended")
    with reading() as session:
        wanted = select(Answer.given).where(Answer.case_no == case.case_no, Answer.question == "outcome")
        given = session.scalars(wanted).one()
    assert f"处理结果：{given['outcome']}" in said
    assert f"理由：{given['reason']}" in said
    assert followed(web, case)["result"] == {"outcome": given["outcome"], "reason": given["reason"]}
    # An objection that is open has no outcome.
    assert told(web, other, "ended") == ""


def test_withdrawing_is_asked_once_more_and_loses_nothing_by_going_back(web: str, clerk: Any) -> None:
    case = clerk.register()
    page, asking = f"{web}/objections/{case.token}", f"{web}/objections/{case.token}/withdrawal"
    followed_page = httpx.get(page).text
    assert f'href="/objections/{case.token}/withdrawal"' in followed_page
    assert f'action="/objections/{case.token}/withdrawal"' not in followed_page
    for _ in range(2):
        asked = httpx.get(asking)
        assert asked.status_code == 200
        for said in ("撤回异议？", case.case_no, "不能恢复", "确认撤回</button>", f'href="/objections/{case.token}"'):
            assert said in asked.text
        assert case.stage() == Stage.REGISTERED
    # Pressed twice, or again after going back.
    for _ in range(2):
        assert "异议已撤回" in httpx.post(asking, follow_redirects=True).text
    assert audited("objection:case:withdrawn") == [(case.case_no, "objector")]
    back = httpx.get(asking)
    assert (back.status_code, back.headers["location"]) == (303, f"/objections/{case.token}")
    assert "撤回异议" not in httpx.get(page).text


# What is wrong with a form


def faults(page: str) -> list[str]:
    """The fields to which the list of faults at the head of a page leads."""
    listed = re.findall(r'<li><a class="keep-lines" href="#([\w-]+)">', page)
    assert all(re.search(rf'<(?:input|select|textarea) id="{name}"', page) for name in listed), page
    return listed


NOTHING_FILLED_IN = {
    "/paper-reports": ["department", "matter", "material", "demand", "happened_on"],
    "/objections/{token}/supplements": ["text"],
    "/objections/{token}/disagreement": ["disagreement"],
}


@pytest.mark.parametrize("chosen", ["营业执照", "other"])
def test_an_objection_with_nothing_filled_in_is_told_all_of_it_at_once(web: str, clerk: Any, chosen: str) -> None:
    draft = httpx.post(f"{web}/objection-drafts", data={"certificate_type": chosen}).headers["location"]
    answer = httpx.post(f"{web}{draft}", data={"do": "check"})
    certificate = ["certificate", "field", "grounds", "stated", "proposed", "reason"]
    assert answer.status_code == 422
    person = ["objector_kind", "objector_name", "email", "phone"]
    assert faults(answer.text) == [*(["certificate_type"] if chosen == "other" else []), *certificate, *person]
    assert "证照编号或电子证照标识未填写；没有这件证照的，编号留空" in answer.text


@pytest.mark.parametrize("number", ["", "0000", "{证照编号}"])
def test_a_number_that_is_none_leads_to_its_field(web: str, clerk: Any, number: str) -> None:
    draft = httpx.post(f"{web}/objection-drafts", data={"certificate_type": "营业执照"}).headers["location"]
    given = clerk.application().model_dump(mode="json") | {"certificate": number, "do": "check"}
    assert faults(httpx.post(f"{web}{draft}", data=given).text) == ["certificate"]


def test_an_identifier_that_cannot_be_one_is_said_before_it_is_handed_in(web: str, clerk: Any) -> None:
    draft = httpx.post(f"{web}/objection-drafts", data={"certificate_type": "营业执照"}).headers["location"]
    misspelt = "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.1"
    given = clerk.application().model_dump(mode="json") | {"certificate": misspelt, "do": "check"}
    review = httpx.post(f"{web}{draft}", data=given, follow_redirects=True).text
    assert "校验位不符，可能有抄写错误" in review
    assert "确认提交" in review or "发送确认邮件" in review


@pytest.mark.parametrize("path", NOTHING_FILLED_IN)
def test_a_form_with_nothing_filled_in_lists_every_fault_with_its_field(web: str, clerk: Any, path: str) -> None:
    case = waiting_for_supplement(clerk)
    answer = httpx.post(web + path.format(token=case.token), data={"nothing": ""})
    assert (answer.status_code, faults(answer.text)) == (422, NOTHING_FILLED_IN[path])


# What an objector types


def test_control_characters_in_a_supplement_are_refused(web: str, clerk: Any) -> None:
    case = waiting_for_supplement(clerk)
    given = {"submission_no": "1", "text": "带\0字符"}
    answer = httpx.post(f"{web}/objections/{case.token}/supplements", data=given)
    assert answer.status_code == 422
    assert "不可见的控制字符" in answer.text


def test_control_characters_in_a_disagreement_are_refused(web: str, clerk: Any) -> None:
    answer = httpx.post(
        f"{web}/objections/{clerk.register().token}/disagreement", data={"disagreement": "我不同意\0这个"}
    )
    assert answer.status_code == 422
    assert "不可见的控制字符" in answer.text


@pytest.mark.parametrize("field", ["staff_no", "code"])
def test_control_characters_in_a_signature_are_refused(web: str, clerk: Any, field: str) -> None:
    answer = at_the_door(web, **{"staff_no": "KQ001", "code": "123456"} | {field: "1\x001"})
    assert answer.status_code == 422
    assert "不可见的控制字符" in answer.text


def test_a_text_that_is_too_long_stands_in_its_form_again(web: str, clerk: Any) -> None:
    case = waiting_for_supplement(clerk)
    long = "\n<b>门牌" + "长" * 2000
    answer = httpx.post(f"{web}/objections/{case.token}/supplements", data={"submission_no": "1", "text": long})
    assert answer.status_code == 422
    assert "补正说明不能超过2000个字" in answer.text
    assert typed_again(answer.text, "text") == long


def test_a_line_break_counts_as_one_character(web: str, clerk: Any) -> None:
    case = waiting_for_supplement(clerk)
    link = f"{web}/objections/{case.token}/supplements"
    # 2000 characters for a browser's maxlength, which then sends every line break as two.
    answer = httpx.post(link, data={"submission_no": "1", "text": "长\r\n" * 999 + "长长"})
    assert answer.status_code == 303
    with reading() as session:
        assert session.scalars(select(Supplement.text)).all() == ["长\n" * 999 + "长长"]


def test_a_supplement_that_comes_too_late_is_not_lost(web: str, clerk: Any) -> None:
    case = clerk.register()
    given = {"submission_no": "1", "text": "门牌证见附件"}
    answer = httpx.post(f"{web}/objections/{case.token}/supplements", data=given)
    assert answer.status_code == 409
    assert "不需要补正" in answer.text
    assert typed_again(answer.text, "text") == "门牌证见附件"


def test_a_refused_file_loses_no_text(web: str, clerk: Any) -> None:
    case = waiting_for_supplement(clerk)
    given = {"submission_no": "1", "text": "门牌证见附件"}
    link = f"{web}/objections/{case.token}/supplements"
    answer = httpx.post(link, data=given, files={"files": ("a.exe", b"MZ")})
    assert answer.status_code == 422
    assert "不是PDF" in answer.text
    assert "附件须重新选择" in answer.text
    assert typed_again(answer.text, "text") == "门牌证见附件"


def test_every_file_that_cannot_be_taken_is_named(web: str, clerk: Any) -> None:
    case = waiting_for_supplement(clerk)
    files = [("files", (name, content)) for name, content in (("a.exe", b"MZ"), ("门牌.png", PNG), ("b.png", b""))]
    answer = httpx.post(f"{web}/objections/{case.token}/supplements", data={"text": "见附件"}, files=files)
    assert answer.status_code == 422
    assert "“a.exe”的内容不是PDF" in answer.text
    assert "“b.png”是空文件" in answer.text
    assert "“a.exe”、“门牌.png”、“b.png”没有保存" in answer.text
    assert attachments() == 0


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        ("不同意", 422, "不同意见至少5个字"),
        ("不同意      ", 422, "不同意见至少5个字"),
        ("长" * 2001, 422, "不同意见不能超过2000个字"),
        ("处理结果仍然不对", 409, "尚未告知"),
    ],
)
def test_a_refused_disagreement_is_not_lost(web: str, clerk: Any, typed: str, status: int, said: str) -> None:
    answer = httpx.post(f"{web}/objections/{clerk.register().token}/disagreement", data={"disagreement": typed})
    assert answer.status_code == status
    assert said in answer.text
    assert typed_again(answer.text, "disagreement") == typed


def test_a_refused_withdrawal_says_why(web: str, clerk: Any) -> None:
    case = clerk.register()
    with transaction() as session:
        session.get_one(Case, case.case_no).stage = Stage.CLOSED
    answer = httpx.post(f"{web}/objections/{case.token}/withdrawal")
    assert answer.status_code == 409
    assert "不能再撤回" in answer.text


def test_a_slow_scanner_keeps_nobody_else_waiting(web: str, clerk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EZT_VIRUS_SCANNER", "sh -c 'cat >/dev/null; sleep 3'")
    settings.cache_clear()
    case = waiting_for_supplement(clerk)
    link, answers = f"{web}/objections/{case.token}/supplements", list[httpx.Response]()
    given = {"data": {"submission_no": "1", "text": "见附件"}, "files": {"files": ("门牌.png", PNG)}}
    sending = threading.Thread(target=lambda: answers.append(httpx.post(link, timeout=30, **given)))
    sending.start()
    time.sleep(0.5)
    assert httpx.get(f"{web}/health", timeout=2).status_code == 200
    assert sending.is_alive(), "the scanner was to be still at work"
    sending.join()
    assert answers[0].status_code == 303


# Who guesses at the desk's door


@pytest.fixture
def codes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One-time codes are asked for, as outside of a trial."""
    monkeypatch.setenv("EZT_ONE_TIME_CODES", "true")
    settings.cache_clear()
    yield
    settings.cache_clear()


def at_the_door(web: str, address: str = "", **signature: str) -> httpx.Response:
    """Sign in at the desk, from an address that the proxy passes on."""
    headers = {"X-Forwarded-For": address} if address else {}
    return httpx.post(f"{web}/desk/sign-in", data=signature, headers=headers)


def code_of(staff_no: str) -> str:
    """The code that this officer's device shows now."""
    with reading() as session:
        return pyotp.TOTP(session.get_one(Officer, staff_no).code_secret).at(clock.now())


def wrong_code_of(staff_no: str) -> str:
    """Six digits that the officer's device shows neither now nor soon."""
    with reading() as session:
        totp = pyotp.TOTP(session.get_one(Officer, staff_no).code_secret)
    near = {totp.at(clock.now() + timedelta(seconds=30 * step)) for step in range(-3, 4)}
    return next(code for code in map("{:06}".format, range(10)) if code not in near)


def test_unknown_staff_number_and_wrong_code_are_told_apart_by_nobody(web: str, clerk: Any, codes: None) -> None:
    unknown, wrong = (at_the_door(web, staff_no=no, code=wrong_code_of("KQ004")) for no in ("KQ999", "KQ004"))
    assert (unknown.status_code, wrong.status_code) == (403, 403)
    assert unknown.text.replace("KQ999", "KQ004") == wrong.text
    assert audited("officer:code:refused") == [(None, "KQ004")]


def test_a_page_that_does_not_look_at_a_code_says_when_it_will(
    web: str, clerk: Any, codes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(WRONG_CODES.value + 2):
        slowed = at_the_door(web, staff_no="kq004", code=wrong_code_of("KQ004"))
        assert slowed.status_code == 403
    assert audited("officer:code:refused") == [(None, "KQ004")] * WRONG_CODES.value
    assert re.search(r"请在\d\d:\d\d以后", slowed.text)
    assert at_the_door(web, staff_no="KQ004", code=code_of("KQ004")).status_code == 403
    later = clock.now() + timedelta(seconds=WRONG_CODE_WAIT.value)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert at_the_door(web, staff_no="KQ004", code=code_of("KQ004")).status_code == 303


def test_guesses_count_by_the_address_that_the_proxy_passes_on(web: str, clerk: Any, codes: None) -> None:
    for _ in range(WRONG_CODES.value + 2):
        at_the_door(web, "203.0.113.7", staff_no="KQ004", code=wrong_code_of("KQ004"))
    assert at_the_door(web, "10.1.2.3", staff_no="KQ004", code=code_of("KQ004")).status_code == 303


def test_one_officers_wrong_codes_do_not_lock_another_out(web: str, clerk: Any, codes: None) -> None:
    for _ in range(WRONG_CODES.value):
        at_the_door(web, staff_no="KQ001", code=wrong_code_of("KQ001"))
    assert at_the_door(web, staff_no="KQ004", code=code_of("KQ004")).status_code == 303
