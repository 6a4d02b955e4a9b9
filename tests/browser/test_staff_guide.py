"""A whole case as people walk it, from the public form by the desk to the closing e-mail; of Prefect's pages what staff
need: to trigger a flow, and to see how one goes."""

import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
import typst
from playwright.sync_api import Browser, Locator, Page
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort
from sqlalchemy import func, select

from models.cases import Answer, Case, Deadline
from models.certificates import Certificate
from models.organisations import Officer, SpentCode
from regulation.certificates import Level
from runtime import clock
from runtime.database import reading, transaction
from tasks.case.answers import answer_or_wait
from tasks.objections.questions import InitialReview
from tasks.objections.registrations import register_objection
from tests.browser import test_objecting as objecting
from tests.browser.conftest import PHONE, WRITE_PICTURES, Open, barriers, is_too_wide, meanwhile, picture
from tests.conftest import (
    APPROVER,
    PASSWORD,
    Clerk,
    Mailbox,
    WorkedDesk,
    certificate_of,
    certificates_with_address,
    forget_settings,
    free_port,
    objection_about,
    officer_of,
    web_process,
)

# Ten legs, each in a process of its own: on a busy machine they take minutes.
pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

GUIDE = Path(__file__).parents[2] / "docs" / "staff-guide.zh-CN.md"
IMAGES = GUIDE.parent / "images"
STAFF = {"width": 1366, "height": 625}
"""What is left for a page in a browser on the usual notebook of an office."""
CLICKS = {
    "初审（未写理由，改后登记）": 4,
    "初审：受理": 3,
    "下一件：不予受理": 3,
    "登记发函": 2,
    "录入书面回复": 3,
    "拟定处理结果": 3,
    "审签两件": 2,
}
"""By mouse alone, beside typing, from the list to the answer on record: the case, the choice, the button; once more the
button where the form was not filled in (docs/adr/0031); days are typed."""
DOORPLATE = """#set page(width: 120mm, height: 80mm, margin: 9mm, fill: rgb("#0a4f86"))
#set text(fill: white, font: "Noto Sans CJK SC")
#set align(center)
#text(31pt)[柯桥街道群贤路]\\
#text(85pt)[9999]\\
#text(15pt)[绍兴市公安局柯桥区分局　门牌证（样例）]
""".encode()
"""An invented piece of evidence that one can look at: a doorplate."""


class Hand:
    """A hand at the mouse that counts its clicks."""

    def __init__(self) -> None:
        self.clicks = 0

    def click(self, what: Locator) -> None:
        what.click()
        self.clicks += 1


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.thorough)])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Each kind once."""
    return str(request.param)


@pytest.fixture
def public(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> int:
    """Where the web process will be: known before the worker starts, whose notices link there."""
    port = free_port()
    monkeypatch.setenv("EZT_PUBLIC_URL", f"http://127.0.0.1:{port}")
    forget_settings()
    return port


@pytest.fixture
def pages(public: int, desk: WorkedDesk) -> Iterator[str]:
    """The web process, which reaches Prefect."""
    with web_process(desk.environment, public) as (url, _):
        yield url


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

    @property
    def decision(self) -> Locator:
        """The part of a case's page in which one decides."""
        return self.page.get_by_role("region", name="办理")

    def is_asked(self, waiting: str) -> None:
        meanwhile(self.page, lambda: waiting_for(self.case_no) == waiting, f"没有等待{waiting}")

    def sign_in(self, address: str, by: str = "") -> None:
        """Begin the morning with the link of a reminder: it leads to the list, once one (``by``, else whose case it is)
        has signed in."""
        self.page.goto(address)
        signed = self.desk.sign(by or officer_of(self.case_no))
        self.page.get_by_label("工号").fill(signed["staff_no"])
        self.page.get_by_label("一次性验证码").fill(signed["code"])
        self.page.get_by_role("button", name="登录").click()
        self.page.get_by_role("heading", name="待办", level=1).wait_for()

    def take(self, what: str, fill: Callable[[Hand], object], *, onward: bool = False, pictured: str = "") -> None:
        """Answer a case as its officer does: from the list, or ``onward`` from the answer before to the next case."""
        if not onward:
            self.page.goto(f"{self.url}/desk")
        hand, begun = Hand(), time.monotonic()
        wanted = self.page.get_by_role("link", name="办理下一件") if onward else self.listed(self.case_no)
        hand.click(wanted)
        self.decision.get_by_role("button", name="签名并登记").wait_for()
        assert barriers(self.page) == []
        if pictured:
            self.made.append(picture(self.page, pictured, folder=IMAGES))
        fill(hand)
        self.sign(hand)
        self.page.get_by_role("status").get_by_text("已登记").first.wait_for()
        self.took[what] = hand.clicks, time.monotonic() - begun

    def listed(self, case_no: str) -> Locator:
        return self.page.get_by_role("link", name=case_no, exact=True)

    def write(self, title: str, text: str) -> None:
        """Write into a field, reached with Tab."""
        self.decision.get_by_label(title, exact=True).fill(text)

    def choose(self, hand: Hand, choice: str) -> None:
        hand.click(self.decision.get_by_label(choice, exact=True))

    def sign(self, hand: Hand, code: str = "") -> None:
        self.write("一次性验证码", code or self.desk.sign(officer_of(self.case_no))["code"])
        hand.click(self.decision.get_by_role("button", name="签名并登记"))


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

    with reading() as session:
        case_no = session.scalars(select(Case.case_no)).one()
    walk = Walk(desk, open_page(viewport=STAFF), pages, case_no)
    walk.is_asked("initial-review-1")
    seen("当前环节：待初审")
    others = waiting_beside(case_no)
    walk.sign_in(link_to_the_desk(walk, mailbox))
    the_list(walk, others)

    def supplement(hand: Hand) -> None:
        walk.choose(hand, "要求补正")
        walk.sign(hand)
        # The browser says what is missing and sends nothing: no code is spent.
        assert not walk.decision.get_by_label("理由或补正内容", exact=True).evaluate("field => field.validity.valid")
        assert (spent_codes(), answers_to(case_no)) == (0, 0)
        walk.write("理由或补正内容", "请补交门牌证复印件。")

    walk.take("初审（未写理由，改后登记）", supplement)
    walk.is_asked("supplement-1")

    seen("当前环节：待补正", "提交补正")
    photo = tmp_path / "门牌证.png"
    photo.write_bytes(typst.compile(DOORPLATE, format="png", ppi=110.0))
    applicant.get_by_label("补正说明").fill("门牌证见附件。")
    applicant.get_by_label("附件").set_input_files(photo)
    applicant.get_by_role("button", name="提交补正").click()
    walk.is_asked("initial-review-2")
    seen("当前环节：待初审")

    def accept(hand: Hand) -> None:
        shown = walk.page.get_by_role("img", name=photo.name)
        assert shown.evaluate("image => image.complete && image.naturalWidth") == 520
        walk.choose(hand, "受理")

    walk.take("初审：受理", accept, pictured="staff-form")
    next_no = walk.page.get_by_role("link", name="办理下一件").inner_text().partition("：")[2]
    assert next_no == others[0]

    def decline(hand: Hand) -> None:
        walk.choose(hand, "不予受理")
        walk.write("理由或补正内容", "所述内容不属于证照登记事项，建议向许可机关反映。")

    walk.take("下一件：不予受理", decline, onward=True)

    walk.is_asked("letter-posted-1")
    seen("当前环节：待发出核实")

    def letter(_hand: Hand) -> None:
        walk.write("文号", "柯数函〔2026〕1号")
        walk.write("发函日期", str(clock.today()))

    walk.take("登记发函", letter)
    walk.is_asked("verification-reply-1")
    seen("当前环节：核实中")

    def reply(hand: Hand) -> None:
        walk.choose(hand, "原数据有误")
        walk.write("回复内容", "门牌号登记有误。")
        walk.write("正确的内容", "绍兴市柯桥区柯桥街道群贤路9999号")
        walk.write("回复文号", "绍数函〔2026〕1号")
        walk.write("回复日期", str(clock.today()))
        walk.page.get_by_label("来函扫描件").set_input_files(photo)

    walk.take("录入书面回复", reply)
    walk.is_asked("outcome-1")
    seen("当前环节：待拟定结果")

    def outcome(hand: Hand) -> None:
        reason = "经绍兴市大数据局核实，登记的地址有误，已更正。"
        walk.choose(hand, "已更正")
        walk.write("告知申请人的理由", reason)
        # What only the server can know is said beside its field, and what was typed is there still.
        slip = Hand()
        walk.write("更正后的内容", Clerk().application(Level.CITY).stated)
        walk.sign(slip)
        walk.decision.get_by_role("alert").get_by_text("已经是这一内容").first.wait_for()
        assert barriers(walk.page) == []
        walk.made.append(picture(walk.page, "staff-refused", folder=IMAGES))
        walk.write("更正后的内容", "")
        walk.sign(slip, "000000")
        walk.decision.get_by_role("alert").get_by_text("一次性验证码不对").first.wait_for()
        assert walk.decision.get_by_label("告知申请人的理由", exact=True).input_value() == reason
        assert walk.decision.get_by_label("已更正", exact=True).is_checked()

    walk.take("拟定处理结果", outcome)
    walk.is_asked("approve-outcome-1")
    seen("当前环节：待拟定结果")
    approve(walk, open_page(viewport=STAFF), case_no, next_no)
    meanwhile(walk.page, lambda: stage_of(case_no) == "已办结", "没有办结")
    meanwhile(walk.page, lambda: stage_of(next_no) == "不予受理", "没有办结")
    seen("当前环节：已办结", "已更正")
    # Both cases end at once and their letters go to the same applicant, in no order that anything promises.
    result = f"异议处理结果（{case_no}）：已更正"
    meanwhile(walk.page, lambda: result in subjects(mailbox), "没有结果通知", seconds=90)
    letters = mailbox.to("yuxiaoyun@example.com")
    letter_in_html = next(mail for mail in letters if mail["Subject"] == result).get_body(("html",))
    assert letter_in_html is not None
    in_the_mail = open_page(viewport=PHONE)
    in_the_mail.set_content(letter_in_html.get_content())
    assert "登记的地址有误，已更正" in in_the_mail.locator("body").inner_text()

    the_other_pages(walk)
    in_prefect(walk, open_page(viewport=STAFF))
    assert {what: clicks for what, (clicks, _) in walk.took.items()} == CLICKS, walk.took
    # ``open_page`` fails the test when one of these pages has asked for anything outside.
    shown = set(re.findall(r"images/(staff-[a-z-]+)\.png", GUIDE.read_text(encoding="utf-8")))
    assert sorted(walk.made) == sorted(shown)


def approve(walk: Walk, page: Page, *drafts: str) -> None:
    """The director agrees to what was drafted, all of it with one signature."""
    director = Walk(walk.desk, page, walk.url, made=walk.made, took=walk.took)
    director.sign_in(f"{walk.url}/desk", APPROVER)
    hand, begun = Hand(), time.monotonic()
    hand.click(page.get_by_role("link", name=f"等您审签的{len(drafts)}件"))
    assert all(page.get_by_role("link", name=each, exact=True).count() == 1 for each in drafts)
    said = page.get_by_role("main").inner_text()
    assert [each for each in ("待审签的拟稿", "上级认定应当是", "本区登记现在是", "拟稿") if each not in said] == []
    assert barriers(page) == []
    assert not is_too_wide(page)
    walk.made.append(picture(page, "staff-approval", folder=IMAGES))
    # The letter to whoever holds the certificate has not been posted yet.
    page.get_by_label("现在同意的须写明理由").fill("错误明显，已电话告知持证主体。")
    page.get_by_label("一次性验证码").fill(walk.desk.sign(APPROVER)["code"])
    hand.click(page.get_by_role("button", name="签名并审签"))
    page.get_by_role("status").get_by_text(f"同意{len(drafts)}件").wait_for()
    walk.took["审签两件"] = hand.clicks, time.monotonic() - begun


def waiting_beside(case_no: str) -> list[str]:
    """Other objections that wait for the same officer's review, the most urgent first: overdue, due today, later."""
    registered = []
    elsewhere = certificates_with_address(Certificate.id != certificate_of(Level.CITY)[0].id)
    for number, held in enumerate(elsewhere[:5]):
        other = register_objection(objection_about(*held), [], secrets.token_hex(8), "KQ001").case_no
        assert answer_or_wait(other, InitialReview, 1) is None
        registered.append(other)
        with transaction() as session:
            session.get_one(Case, other).officer_no = officer_of(case_no)
            for deadline in session.query(Deadline).filter_by(case_no=other):
                if number < 2:
                    deadline.due_on = clock.today() - timedelta(days=5 * (1 - number))
    return registered


def link_to_the_desk(walk: Walk, mailbox: Mailbox) -> str:
    """The link of the mail that tells an officer of the case."""
    with reading() as session:
        address = session.get_one(Officer, officer_of(walk.case_no)).email
    meanwhile(walk.page, lambda: mailbox.to(address), "经办人没有收到提醒", seconds=90)
    body = mailbox.to(address)[0].get_body(("plain",))
    assert body is not None
    found = re.search(r"http\S+/desk\S*", body.get_content())
    assert found is not None
    return found[0]


def the_list(walk: Walk, others: list[str]) -> None:
    """What one sees in the morning."""
    page = walk.page
    groups = page.locator("th[scope=rowgroup]")
    assert [each.split()[0] for each in groups.all_inner_texts()][:2] == ["超期", "今天"]
    assert all(walk.listed(each).count() == 1 for each in (walk.case_no, *others))
    assert "俞小云" not in page.get_by_role("main").inner_text()
    assert not is_too_wide(page)
    assert barriers(page) == []
    walk.made.append(picture(page, "staff-list", folder=IMAGES))
    page.get_by_role("navigation", name="工作台").get_by_role("link", name="在办统计").click()
    page.get_by_text("本周到期").first.wait_for()
    assert barriers(page) == []
    walk.made.append(picture(page, "staff-figures", folder=IMAGES))


def the_other_pages(walk: Walk) -> None:
    """What else of the desk staff look at, and the way out."""
    page = walk.page
    page.get_by_role("navigation", name="工作台").get_by_role("link", name="待阅事项").click()
    page.get_by_role("heading", name="待阅事项", level=1).wait_for()
    assert barriers(page) == []
    page.goto(f"{walk.url}/desk/cases/{walk.case_no}")
    assert "本件已办结" in walk.decision.inner_text()
    page.get_by_role("button", name="退出登录").click()
    page.goto(f"{walk.url}/desk/cases/{walk.case_no}")
    page.get_by_role("heading", name="登录工作台").wait_for()


def signed_in(page: Page) -> None:
    """Type Prefect's password where a browser that does not know it is asked for it."""
    page.get_by_role("heading", name="登录").wait_for()
    page.locator("input[type=password]").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url(lambda url: "/login" not in url)


def in_prefect(walk: Walk, page: Page) -> None:
    """What staff do in Prefect: see how the run of a case goes. What they start, they start at the desk."""
    url = str(walk.desk.client.api_url).removesuffix("/api/")
    # Its server runs legs beside it, and its pages are large.
    page.set_default_timeout(60_000)
    page.goto(f"{url}/runs/flow-run/{case_run(walk.case_no)}")
    signed_in(page)
    page.get_by_text("步骤运行", exact=True).wait_for()
    assert re.search(rf"异议 {walk.case_no} · .+ · 已办结", page.locator("body").inner_text())
    assert page.locator(".p-modal__card").count() == 0
    if WRITE_PICTURES:
        # Without what its pages say when somebody was not signed in; they fade in, which no selector tells of.
        page.reload()
        page.wait_for_timeout(3000)
    walk.made.append(picture(page, "staff-run", folder=IMAGES))
    page.goto(f"{url}/artifacts/artifact/{timeline(walk)}")
    assert page.get_by_role("link", name="打开办件").get_attribute("href") == f"{walk.url}/desk/cases/{walk.case_no}"
    assert "俞小云" not in page.locator("body").inner_text()
    registered_on_paper(walk)
    for path in ("/dashboard", "/runs", "/deployments", "/artifacts", "/settings"):
        page.goto(url + path)
        page.get_by_text("流程部署", exact=True).locator("visible=true").first.wait_for()


def timeline(walk: Walk) -> UUID:
    """The latest of what Prefect shows of the case."""
    wanted = ArtifactFilter(key=ArtifactFilterKey(any_=[f"{walk.case_no.lower()}-timeline"]))
    return walk.desk.client.read_artifacts(artifact_filter=wanted, sort=ArtifactSort.CREATED_DESC)[0].id


def registered_on_paper(walk: Walk) -> None:
    """An objection of somebody who came to the counter, entered by staff at the desk."""
    page, before = walk.page, cases()
    walk.sign_in(f"{walk.url}/desk")
    page.goto(f"{walk.url}/desk/start/objection")
    given = objection_about(*certificate_of(Level.CITY), field="有效期", phone="0575-84120002")
    for choice in (given.objector_kind, "准确性", "来访"):
        page.get_by_label(choice, exact=True).check()
    for title, text in (
        ("申请人姓名或名称", given.objector_name),
        ("电子邮箱", given.email),
        ("联系电话", given.phone),
        ("证照类型", given.certificate_type),
        ("证照编号或电子证照标识", given.certificate),
        ("有异议的项目", given.field),
        ("证照上现在的内容", given.stated),
        ("申请人认为应当是", given.proposed),
        ("理由", given.reason),
        ("收到日期", str(clock.today())),
    ):
        page.get_by_label(title, exact=True).fill(text)
    walk.made.append(picture(page, "staff-start", folder=IMAGES))
    page.get_by_role("button", name="核对").last.click()
    page.get_by_role("heading", name="将要登记").wait_for()
    page.get_by_label("一次性验证码").fill(walk.desk.sign(officer_of(walk.case_no))["code"])
    page.get_by_role("button", name="签名并登记").click()
    page.get_by_role("status").get_by_text("异议登记为").wait_for()
    assert cases() == before + 1


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


def answers_to(case_no: str) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(Answer).where(Answer.case_no == case_no)) or 0


def spent_codes() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(SpentCode)) or 0


def subjects(mailbox: Mailbox) -> list[str]:
    return [mail["Subject"] for mail in mailbox.to("yuxiaoyun@example.com")]


def test_the_pages_that_report_abroad_are_not_there(shared_prefect: dict[str, str], open_page: Open) -> None:
    url = shared_prefect["PREFECT_API_URL"].removesuffix("/api")
    page = open_page()
    # Who has chosen V2 once on another installation of this host carries this for a year.
    page.context.add_cookies([{"name": "prefect_ui_version", "value": "v2", "url": url}])
    page.goto(url)
    signed_in(page)
    page.get_by_text("流程部署", exact=True).locator("visible=true").first.wait_for()
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
