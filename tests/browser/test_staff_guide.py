"""A whole case as people walk it, from the public form by the desk in Prefect's own pages to the closing e-mail.

``EZT_WRITE_PICTURES=1`` writes the guide's pictures (docs/images/staff-*.png), which this walk makes.
"""

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import Browser, Error, Locator, Page
from prefect.client.schemas.objects import StateType
from sqlalchemy import select

from models.cases import Answer, Case
from regulation.certificates import Level
from runtime.database import reading
from tests.browser import test_objecting as objecting
from tests.browser.conftest import DESKTOP, PHONE, Open, meanwhile
from tests.conftest import (
    PASSWORD,
    Clerk,
    Mailbox,
    WorkedDesk,
    certificate_of,
    forget_settings,
    free_port,
    objection_about,
    officer_of,
    wait_until,
    web_process,
)

# Ten legs, each in a process of its own: on a busy machine they take minutes.
pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

GUIDE = Path(__file__).parents[2] / "docs" / "staff-guide.zh-CN.md"
WRITE = os.environ.get("EZT_WRITE_PICTURES") == "1"
CLICKS = {
    "初审（未写理由）": 4,
    "初审：要求补正": 4,
    "初审：受理": 4,
    "登记发函": 5,
    "录入书面回复": 7,
    "拟定处理结果": 4,
    "登记异议（书面）": 5,
}
"""By mouse alone, from 待办 to the answer on record: the case, two for a select, three for a date, Submit
(docs/adr/0018)."""
SCROLLED = "tables => tables.map(table => table.scrollWidth > table.clientWidth)"


class Hand:
    """A hand at the mouse that counts its clicks."""

    def __init__(self) -> None:
        self.clicks = 0

    def click(self, what: Locator) -> None:
        what.click()
        self.clicks += 1


def picture(page: Page, name: str) -> str:
    """Take a picture of the guide."""
    if WRITE:
        # Prefect's pages fade in, which no selector tells of.
        page.wait_for_timeout(3000)
        page.screenshot(path=GUIDE.parent / "images" / f"{name}.png")
    return name


def form(page: Page) -> Locator:
    return page.locator(".p-modal__card")


def part(page: Page, title: str) -> Locator:
    """The part of a form under a title."""
    label = page.locator(".schema-form-property__label", has_text=re.compile(rf"^\s*{title}(\s*\(Optional\))?\s*$"))
    return page.locator(".schema-form-property").filter(has=label).last


def write(page: Page, title: str, text: str) -> None:
    """Write into a field, reached with Tab."""
    part(page, title).locator("textarea, input").first.fill(text)


def choose(hand: Hand, page: Page, title: str, option: str) -> None:
    hand.click(part(page, title).locator(".p-select-button"))
    hand.click(page.locator(".p-select-option", has_text=re.compile(rf"^\s*{option}\s*$")))


def choose_today(hand: Hand, page: Page, title: str) -> None:
    hand.click(part(page, title).locator(".p-date-button__control"))
    hand.click(page.locator(".p-date-picker").get_by_role("button", name="Today"))
    hand.click(page.locator(".p-date-picker").get_by_role("button", name="Apply"))


def is_paused(desk: WorkedDesk, case_no: str) -> bool:
    return desk.client.read_flow_run(UUID(case_run(case_no))).state_type is StateType.PAUSED


def answers_to(case_no: str) -> list[str | None]:
    """The refusals of what was answered so far, ``None`` for an accepted answer."""
    with reading() as session:
        return list(session.scalars(select(Answer.refusal).where(Answer.case_no == case_no).order_by(Answer.id)))


@pytest.fixture
def public(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> int:
    """Where the web process will be: known before the worker starts, whose notices link there."""
    port = free_port()
    monkeypatch.setenv("EZT_PUBLIC_URL", f"http://127.0.0.1:{port}")
    forget_settings()
    return port


@pytest.fixture
def pages(public: int, desk: WorkedDesk) -> Iterator[str]:
    """The web process, which reaches the desk's Prefect."""
    with web_process(desk.environment, public) as (url, _):
        yield url


def signed_in(page: Page) -> None:
    """Type the desk's password where a browser that does not know it is asked for it."""
    page.get_by_role("heading", name="Login").wait_for()
    page.locator("input[type=password]").fill(PASSWORD)
    page.get_by_role("button", name="Login").click()
    page.wait_for_url(lambda url: "/login" not in url)


@dataclass
class Walk:
    """A case between its applicant's page and the desk; ``made`` are the pictures, ``took`` the clicks and seconds of
    each answer."""

    desk: WorkedDesk
    page: Page
    url: str
    case_no: str = ""
    made: list[str] = field(default_factory=list)
    took: dict[str, tuple[int, float]] = field(default_factory=dict)

    def is_asked(self, waiting: str) -> None:
        meanwhile(self.page, lambda: waiting_for(self.case_no) == waiting, f"没有等待{waiting}")
        meanwhile(self.page, lambda: is_paused(self.desk, self.case_no), "没有再次询问")

    def sign_in(self) -> None:
        """Open the desk for the first time in a browser, as the guide says: it leads to where one was going."""
        self.page.goto(f"{self.url}/open-cases")
        signed_in(self.page)
        # The list, or before it is drawn for the first time the runs.
        assert re.search("/(artifacts|runs)", self.page.url)

    def to_do(self, shown: Locator) -> Locator:
        """What the list 待办 shows, asked for again until it does: it is drawn every two seconds."""

        def appears() -> bool:
            self.page.goto(f"{self.url}/to-do")
            with suppress(Error):
                shown.wait_for(timeout=3000)
            return shown.is_visible()

        wait_until(appears, "待办没有更新", 180)
        return shown

    def answer(self, what: str, fill: Callable[[Hand, Page], object], pictured: str = "") -> str | None:
        """Answer the case's form as its officer does, from the list 待办 on; the refusal."""
        before = len(answers_to(self.case_no))
        link = self.to_do(self.page.get_by_role("link", name=self.case_no, exact=True))
        hand, begun = Hand(), time.monotonic()
        with self.page.expect_popup() as opened:
            hand.click(link)
        run = opened.value
        code = part(run, "一次性验证码").locator("textarea")
        code.wait_for()
        if pictured:
            self.made.append(picture(run, pictured))
        fill(hand, run)
        # The staff number is there already.
        code.fill(self.desk.sign(officer_of(self.case_no))["code"])
        hand.click(form(run).get_by_role("button", name="Submit"))
        meanwhile(run, lambda: len(answers_to(self.case_no)) > before, f"{what}没有登记")
        self.took[what] = hand.clicks, time.monotonic() - begun
        run.close()
        return answers_to(self.case_no)[-1]


def test_an_objection_goes_from_the_public_form_to_the_closing_mail(
    mailbox: Mailbox, public: int, desk: WorkedDesk, pages: str, open_page: Open, tmp_path: Path
) -> None:
    """As people walk it: the applicant on their pages, staff at the desk, the bureau by letter."""
    applicant = open_page(viewport=PHONE)
    objecting.start(applicant, pages, certificate_of(Level.CITY)[1].name)
    objecting.fill(applicant, Clerk())
    applicant.get_by_role("button", name="下一步：核对").click()
    applicant.get_by_role("button", name="发送确认邮件").click()
    meanwhile(applicant, lambda: subjects(mailbox), "没有收到确认邮件", seconds=90)
    applicant.goto(objecting.link_of(mailbox, "yuxiaoyun@example.com"))
    applicant.get_by_role("button", name="确认提交").click()
    status = applicant.url.partition("?")[0]

    def seen(*said: str) -> None:
        applicant.goto(status)
        main = applicant.get_by_role("main").inner_text()
        assert [each for each in said if each not in main] == []

    walk = Walk(desk, open_page(viewport=DESKTOP), str(desk.client.api_url).removesuffix("/api/"))
    with reading() as session:
        walk.case_no = session.scalars(select(Case.case_no)).one()
    walk.is_asked("initial-review-1")
    seen("当前环节：待初审")
    walk.sign_in()
    walk.to_do(walk.page.get_by_text(f"工号{officer_of(walk.case_no)}：待决定1件"))
    assert not any(walk.page.locator(".markdown-renderer__table").evaluate_all(SCROLLED)), "待办须左右滚动"
    walk.made.append(picture(walk.page, "staff-to-do"))

    def supplement(hand: Hand, run: Page) -> None:
        choose(hand, run, "初审意见", "要求补正")

    refused = walk.answer("初审（未写理由）", supplement, "staff-form")
    assert "要求补正须告知申请人补什么" in (refused or "")
    walk.is_asked("initial-review-1")

    def supplement_and_why(hand: Hand, run: Page) -> None:
        form(run).get_by_text("未能采纳：要求补正须告知申请人补什么").wait_for()
        supplement(hand, run)
        write(run, "理由或补正内容", "请补交门牌证复印件。")

    assert walk.answer("初审：要求补正", supplement_and_why, "staff-refused") is None
    walk.is_asked("supplement-1")

    seen("当前环节：待补正", "提交补正")
    photo = tmp_path / "门牌证.png"
    photo.write_bytes(objecting.PNG)
    applicant.get_by_label("补正说明").fill("门牌证见附件。")
    applicant.get_by_label("附件").set_input_files(photo)
    applicant.get_by_role("button", name="提交补正").click()
    walk.is_asked("initial-review-2")
    seen("当前环节：待初审")

    assert walk.answer("初审：受理", lambda hand, run: choose(hand, run, "初审意见", "受理")) is None
    walk.is_asked("letter-posted-1")
    seen("当前环节：待发出核实")

    def letter(hand: Hand, run: Page) -> None:
        write(run, "文号", "柯数函〔2026〕1号")
        choose_today(hand, run, "发函日期")

    assert walk.answer("登记发函", letter) is None
    walk.is_asked("verification-reply-1")
    seen("当前环节：核实中")

    def reply(hand: Hand, run: Page) -> None:
        choose(hand, run, "核实结论", "原数据有误")
        write(run, "回复内容", "门牌号登记有误。")
        write(run, "正确的内容", "绍兴市柯桥区柯桥街道群贤路9999号")
        write(run, "回复文号", "绍数函〔2026〕1号")
        choose_today(hand, run, "回复日期")

    assert walk.answer("录入书面回复", reply) is None
    walk.is_asked("outcome-1")
    seen("当前环节：待拟定结果")

    def outcome(hand: Hand, run: Page) -> None:
        choose(hand, run, "处理结果", "已更正")
        write(run, "告知申请人的理由", "经绍兴市大数据局核实，登记的地址有误，已更正。")

    assert walk.answer("拟定处理结果", outcome) is None
    meanwhile(walk.page, lambda: stage_of(walk.case_no) == "已办结", "没有办结")
    seen("当前环节：已办结", "已更正")
    meanwhile(walk.page, lambda: "异议处理结果" in subjects(mailbox)[-1], "没有结果通知", seconds=90)
    letter_in_html = mailbox.to("yuxiaoyun@example.com")[-1].get_body(("html",))
    assert letter_in_html is not None
    in_the_mail = open_page(viewport=PHONE)
    in_the_mail.set_content(letter_in_html.get_content())
    assert "登记的地址有误，已更正" in in_the_mail.locator("body").inner_text()

    registered_on_paper(walk)
    the_other_pages(walk)
    assert {what: clicks for what, (clicks, _) in walk.took.items()} == CLICKS, walk.took
    # ``open_page`` fails the test when one of these pages has asked for anything outside.
    shown = set(re.findall(r"images/(staff-[a-z-]+)\.png", GUIDE.read_text(encoding="utf-8")))
    assert sorted(walk.made) == sorted(shown)


def registered_on_paper(walk: Walk) -> None:
    """A start form: an objection that came by letter, typed in by staff."""
    page, hand, begun = walk.page, Hand(), time.monotonic()
    intake = walk.desk.client.read_deployment_by_name("登记异议/objection-intake").id
    page.goto(f"{walk.url}/deployments/deployment/{intake}/run")
    part(page, "申请人类别").wait_for()
    walk.made.append(picture(page, "staff-start"))
    given = objection_about(*certificate_of(Level.CITY), field="有效期", phone="0575-84120002")
    signed = walk.desk.sign("KQ001")
    choose(hand, page, "申请人类别", given.objector_kind)
    choose(hand, page, "异议种类", "准确性")
    page.keyboard.press("Escape")
    for title, text in (
        ("工号", signed["staff_no"]),
        ("一次性验证码", signed["code"]),
        ("申请人姓名或名称", given.objector_name),
        ("电子邮箱", given.email),
        ("联系电话", given.phone),
        ("证照类型", given.certificate_type),
        ("证照编号或电子证照标识", given.certificate),
        ("有异议的项目", given.field),
        ("证照上现在的内容", given.stated),
        ("申请人认为应当是", given.proposed),
        ("理由", given.reason),
    ):
        write(page, title, text)
    hand.click(page.get_by_role("button", name="Submit"))
    meanwhile(page, lambda: cases() == 2, "异议没有登记")
    walk.took["登记异议（书面）"] = hand.clicks, time.monotonic() - begun


def the_other_pages(walk: Walk) -> None:
    """What else staff look at."""
    page = walk.page
    page.goto(f"{walk.url}/open-cases")
    page.get_by_text("本周到期").wait_for()
    walk.made.append(picture(page, "staff-open-cases"))
    page.goto(f"{walk.url}/to-do-director")
    page.get_by_text("已超期：0件").wait_for()
    page.goto(f"{walk.url}/runs/flow-run/{case_run(walk.case_no)}")
    # A run that asks nothing opens no form, and its steps are drawn.
    page.get_by_text("Task Runs", exact=True).wait_for()
    assert form(page).count() == 0
    for path in ("/dashboard", "/runs", "/deployments", "/artifacts", "/settings"):
        page.goto(walk.url + path)
        page.get_by_text("Deployments", exact=True).locator("visible=true").first.wait_for()


def case_run(case_no: str) -> str:
    with reading() as session:
        run_id = session.get_one(Case, case_no).flow_run_id
    assert run_id is not None
    return run_id


def waiting_for(case_no: str) -> str | None:
    with reading() as session:
        return session.get_one(Case, case_no).waiting_for


def stage_of(case_no: str) -> str:
    with reading() as session:
        return session.get_one(Case, case_no).stage


def cases() -> int:
    with reading() as session:
        return len(session.scalars(select(Case.case_no)).all())


def subjects(mailbox: Mailbox) -> list[str]:
    return [mail["Subject"] for mail in mailbox.to("yuxiaoyun@example.com")]


def test_the_pages_that_report_abroad_are_not_there(shared_prefect: dict[str, str], open_page: Open) -> None:
    url = shared_prefect["PREFECT_API_URL"].removesuffix("/api")
    page = open_page()
    # Who has chosen V2 once on another installation of this host carries this for a year.
    page.context.add_cookies([{"name": "prefect_ui_version", "value": "v2", "url": url}])
    page.goto(url)
    signed_in(page)
    page.get_by_text("Deployments", exact=True).locator("visible=true").first.wait_for()
    page.wait_for_load_state("networkidle")
    assert page.url.removeprefix(url) in {"/", "/dashboard"}
    assert "V2" not in page.locator("body").inner_text()
    assert httpx.get(f"{url}/ui-settings").json()["available_uis"] == ["v1"]


def test_the_policy_lets_a_page_ask_nobody_outside(shared_prefect: dict[str, str], chromium: Browser) -> None:
    """Such as the analytics company that Prefect's V2 pages ask for its client."""
    url = shared_prefect["PREFECT_API_URL"].removesuffix("/api")
    asked: list[str] = []
    with chromium.new_context() as context:
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.goto(f"{url}/runs")
        with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
            page.evaluate("fetch('https://sr-client-cfg.amplitude.com/').catch(() => null)")
    assert asked
    assert [each for each in asked if not each.startswith((url, "data:", "blob:"))] == []
