"""The public page on which citizens report that a counter demanded paper, against a real web process (Article 8)."""

import re
from contextlib import closing
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from ezt.desk import Desk
from ezt.samples import catalogue as sample_catalogue
from models.cases import Case
from models.notices import OutgoingNotice
from models.objections import Attachment
from models.paper_reports import PaperReport
from notifications.notices import PaperReportReceived
from notifications.rendering import render
from regulation.limits import PAPER_REPORTS
from runtime import clock
from runtime.database import reading
from tasks.case.notices import kick
from tasks.supervision.paper_report_questions import PaperReportVerdict
from tasks.supervision.paper_reports import close_report
from tests.conftest import wait_until
from web import requests

OFFICE = sample_catalogue.DEPARTMENTS[5]
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


@pytest.fixture(autouse=True)
def _nobody_reported_before(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = requests.SlidingWindowCounterRateLimiter(requests.MemoryStorage())
    monkeypatch.setattr(requests, "_counted", fresh)


def filled(web: str, **changed: Any) -> dict[str, Any]:
    """The form as the page hands it out, filled in."""
    empty = httpx.get(f"{web}/paper-reports").text
    (submission_no,) = re.findall(r'name="submission_no" value="(\w+)"', empty)
    given = {
        "submission_no": submission_no,
        "department": OFFICE,
        "matter": "查结婚档案",
        "material": "结婚证",
        "demand": "要求提供纸质原件",
        "happened_on": str(clock.today()),
        "account": "窗口说必须带原件。",
    }
    return given | changed


def send(web: str, form: dict[str, Any], *files: tuple[str, bytes]) -> httpx.Response:
    sent = [("files", file) for file in files] or None
    return httpx.post(f"{web}/paper-reports", data=form, files=sent)


def cases() -> list[Case]:
    with reading() as session:
        return list(session.scalars(select(Case)))


def test_a_report_needs_no_login_and_gets_a_number(web: str) -> None:
    page = httpx.get(f"{web}/paper-reports")
    assert page.status_code == 200
    assert "set-cookie" not in page.headers
    for said in (OFFICE, "结婚证", "要我交复印件", "第八条"):
        assert said in page.text
    assert "请勿转发" not in page.text
    answer = send(web, filled(web), ("照片.png", PNG))
    assert answer.status_code == 200
    (case,) = cases()
    assert f"受理编号：{case.case_no}" in answer.text
    with reading() as session:
        kept = session.scalars(select(PaperReport)).one()
        assert (kept.material, kept.email) == ("结婚证", None)
        assert session.scalars(select(Attachment.case_no)).all() == [case.case_no]


def cited(page: str) -> str:
    """What a page says under its text that it rests on."""
    found = re.search("办理依据：《绍兴市柯桥区电子证照管理办法（试行）》(.*?)。", page)
    assert found is not None, page
    return found[1]


def test_the_receipt_cites_what_the_form_cites(web: str) -> None:
    articles = "第八条、第十条、第十一条"
    assert cited(httpx.get(f"{web}/paper-reports").text) == articles
    assert cited(send(web, filled(web)).text) == articles


@pytest.mark.parametrize(
    ("demand", "article"),
    [("要求提供纸质原件", "第八条"), ("要求提供复印件", "第十一条"), ("不接受手机亮证", "第十条")],
)
def test_the_letter_says_what_was_reported_and_cites_its_article(web: str, demand: str, article: str) -> None:
    send(web, filled(web, demand=demand, email="qianjishu@example.com"))
    with reading() as session:
        kept = session.scalars(select(OutgoingNotice).where(OutgoingNotice.notice == "paper-report-received")).one()
    letter = render(PaperReportReceived.model_validate(kept.context))
    for text in (letter.text, letter.html):
        assert f"窗口{demand}一事" in text
        assert re.findall("《办法》(第.+?条)规定", text) == [article]


def test_a_letter_that_was_queued_before_the_demand_was_kept_is_still_said() -> None:
    day = clock.today()
    old = PaperReportReceived(
        case_no="FY-2026-000001", department=OFFICE, received_on=day, due_on=day, provisional=False
    )
    assert "《办法》第八条" in render(old).text


def test_sending_the_same_form_twice_is_one_report(web: str) -> None:
    form = filled(web)
    first, second = send(web, form), send(web, form)
    assert first.text == second.text
    assert len(cases()) == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"department": "龙宫"}, "没有名为"),
        ({"matter": " "}, "办什么事未填写"),
        ({"matter": "查"}, "办什么事至少2个字"),
        ({"demand": "接受电子证照"}, "窗口怎么要求请选择其中一项"),
        ({"demand": "<b>"}, "窗口怎么要求"),
        ({"happened_on": "昨天"}, "哪一天"),
        ({"happened_on": "2019-01-01"}, "日期应在"),
        ({"email": "不是邮箱"}, "邮箱格式不对"),
        ({"phone": "打给我"}, "电话格式不对"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(web: str, changed: dict[str, str], said: str) -> None:
    answer = send(web, filled(web, account='"><script>alert(1)</script>', **changed))
    assert answer.status_code == 422
    assert said in answer.text
    assert "<script>" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert cases() == []


def test_a_file_that_is_none_of_ours_is_refused_with_the_report(web: str) -> None:
    answer = send(web, filled(web), ("程序.exe", b"MZ" + b"\0" * 64))
    assert answer.status_code == 422
    assert "附件须重新选择" in answer.text
    assert cases() == []


def test_too_many_from_one_place_are_asked_to_wait(web: str) -> None:
    answers = [send(web, filled(web)).status_code for _ in range(PAPER_REPORTS.value + 1)]
    assert answers == [200] * PAPER_REPORTS.value + [429]
    late = send(web, filled(web, account="窗口说必须带原件，别的不行。"), ("照片.png", PNG))
    for said in ("过一小时再试", "窗口说必须带原件，别的不行。", "“照片.png”没有保存，附件须重新选择"):
        assert said in late.text
    assert len(cases()) == PAPER_REPORTS.value


def test_whoever_left_an_address_hears_twice(mailbox: Any, web: str, clerk: Any) -> None:
    assert "发邮件告诉您结果" in send(web, filled(web, email="qianjishu@example.com")).text
    (case,) = cases()
    clerk.case_no = case.case_no
    assert clerk.answer(PaperReportVerdict, verdict="不属实", reason="当日该窗口没有受理此事项。") is None
    close_report.run(case.case_no)

    # The web process sends at the same time: what it holds is left to it.
    def sent() -> bool:
        kick()
        return len(mailbox.to("qianjishu@example.com")) == 2

    wait_until(sent, "没有发出两封邮件")
    mails = mailbox.to("qianjishu@example.com")
    assert [mail["Subject"] for mail in mails] == [
        f"已收到您的反映（{case.case_no}）",
        f"您的反映已核实（{case.case_no}）",
    ]
    told = mails[1].get_body(("plain",)).get_content()
    assert "当日该窗口没有受理此事项。" in told
    assert "未能认定属实" in told


def test_staff_read_the_report_at_the_desk(web: str) -> None:
    send(web, filled(web, phone="0575-84120099"))
    (case,) = cases()
    with closing(Desk(None, web)) as desk:  # type: ignore[arg-type]
        page = desk.page(case.case_no)
    for said in ("查结婚档案", "窗口说必须带原件。", "0575-84120099"):
        assert said in page
