"""The staff's desk as the staff guide shows it: from the list 待办 to an accepted decision in Prefect's own pages.

``EZT_WRITE_PICTURES=1`` writes the guide's pictures (docs/images/staff-*.png), which this walk makes.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page
from prefect.client.schemas.objects import StateType
from sqlalchemy import select

from models.cases import Answer, Case
from regulation.certificates import Level
from runtime.database import reading
from tests.browser.conftest import DESKTOP, Open
from tests.conftest import WorkedDesk, certificate_of, objection_about, wait_until

pytestmark = pytest.mark.browser

GUIDE = Path(__file__).parents[2] / "docs" / "staff-guide.zh-CN.md"
WRITE = os.environ.get("EZT_WRITE_PICTURES") == "1"
CLICKS_AT_MOST = 4
"""From 待办 to the accepted decision by mouse alone: case, the select, its option, Submit (docs/adr/0018)."""


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


def field(page: Page, title: str) -> Locator:
    """The part of a Resume form under a title."""
    label = page.locator(".schema-form-property__label", has_text=re.compile(rf"^\s*{title}(\s*\(Optional\))?\s*$"))
    return form(page).locator(".schema-form-property").filter(has=label).last


def choose(hand: Hand, page: Page, title: str, option: str) -> None:
    hand.click(field(page, title).locator(".p-select-button"))
    hand.click(page.locator(".p-select-option", has_text=re.compile(rf"^\s*{option}\s*$")))


def decide(hand: Hand, page: Page, case_no: str, picture_of_form: Callable[[Page], object]) -> Page:
    """From 待办 to the open form of a case; the page it is on."""
    with page.expect_popup() as opened:
        hand.click(page.get_by_role("link", name=case_no, exact=True))
    run = opened.value
    field(run, "工号").wait_for()
    picture_of_form(run)
    return run


def meanwhile(page: Page, condition: Callable[[], object], otherwise: str) -> None:
    """Wait while the page lives: its requests pass through this process, which must not sleep."""
    wait_until(lambda: page.wait_for_timeout(50) or condition(), otherwise)


def is_asked(desk: WorkedDesk, case_no: str) -> bool:
    return desk.client.read_flow_run(UUID(case_run(case_no))).state_type is StateType.PAUSED


def answers_to(case_no: str) -> list[str | None]:
    """The refusals of what was answered so far, ``None`` for an accepted answer."""
    with reading() as session:
        return list(session.scalars(select(Answer.refusal).where(Answer.case_no == case_no).order_by(Answer.id)))


def test_a_decision_takes_few_clicks_from_the_list(desk: WorkedDesk, open_page: Open) -> None:
    made: list[str] = []
    held, kind = certificate_of(Level.CITY)
    application = objection_about(held, kind).model_dump(mode="json") | desk.sign("KQ001")
    desk.wait(desk.submit("登记异议/objection-intake", application=application), StateType.COMPLETED)
    wait_until(lambda: waiting_for() == "initial-review-1", "异议没有等待初审")
    with reading() as session:
        case = session.scalars(select(Case)).one()
        case_no, officer_no = case.case_no, case.officer_no
    desk.wait(UUID(case_run(case_no)), StateType.PAUSED)
    url = str(desk.client.api_url).removesuffix("/api/")
    page = open_page(viewport=DESKTOP)
    page.goto(f"{url}/to-do")
    page.get_by_text(f"工号{officer_no}：待决定1件").wait_for()
    made.append(picture(page, "staff-to-do"))

    hand = Hand()
    run = decide(hand, page, case_no, lambda run: made.append(picture(run, "staff-form")))
    choose(hand, run, "初审意见", "要求补正")
    sign(run, desk, officer_no)
    hand.click(form(run).get_by_role("button", name="Submit"))
    assert hand.clicks <= CLICKS_AT_MOST
    meanwhile(run, lambda: len(answers_to(case_no)) == 1, "答复没有登记")
    assert "要求补正须告知申请人补什么" in (answers_to(case_no)[0] or "")

    # Asked again, with the reason at the head of the form; it takes no click more.
    meanwhile(run, lambda: is_asked(desk, case_no), "没有再次询问")
    page.goto(f"{url}/to-do")
    hand = Hand()
    run = decide(hand, page, case_no, lambda run: made.append(picture(run, "staff-refused")))
    form(run).get_by_text("未能采纳：要求补正须告知申请人补什么").wait_for()
    choose(hand, run, "初审意见", "要求补正")
    field(run, "理由或补正内容").locator("textarea").fill("请补交门牌证复印件。")
    sign(run, desk, officer_no)
    hand.click(form(run).get_by_role("button", name="Submit"))
    assert hand.clicks <= CLICKS_AT_MOST
    meanwhile(run, lambda: answers_to(case_no)[1:] == [None], "答复没有登记")
    meanwhile(run, lambda: waiting_for() == "supplement-1", "没有等待补正")
    meanwhile(run, lambda: is_asked(desk, case_no), "没有再次询问")

    page.goto(f"{url}/open-cases")
    page.get_by_text("本周到期").wait_for()
    made.append(picture(page, "staff-open-cases"))
    page.goto(f"{url}/runs/flow-run/{case_run(case_no)}")
    page.get_by_role("button", name="Resume").wait_for()
    intake = desk.client.read_deployment_by_name("登记异议/objection-intake").id
    page.goto(f"{url}/deployments/deployment/{intake}/run")
    page.wait_for_load_state("networkidle")
    page.get_by_text("申请人类别").wait_for()
    page.get_by_role("button", name="Submit").wait_for()
    made.append(picture(page, "staff-start"))
    for path in ("/dashboard", "/runs", "/deployments", "/artifacts", "/settings"):
        page.goto(url + path)
        page.get_by_text("Deployments", exact=True).locator("visible=true").first.wait_for()
    # ``open_page`` fails the test when one of these pages has asked for anything outside.
    assert sorted(made) == sorted(set(re.findall(r"images/(staff-[a-z-]+)\.png", GUIDE.read_text(encoding="utf-8"))))


def sign(run: Page, desk: WorkedDesk, officer_no: str) -> None:
    signature = desk.sign(officer_no)
    field(run, "工号").locator("textarea").fill(signature["staff_no"])
    field(run, "一次性验证码").locator("textarea").fill(signature["code"])


def case_run(case_no: str) -> str:
    with reading() as session:
        run_id = session.get_one(Case, case_no).flow_run_id
    assert run_id is not None
    return run_id


def waiting_for() -> str | None:
    with reading() as session:
        return session.scalars(select(Case.waiting_for)).one_or_none()


def test_the_pages_that_report_abroad_are_not_there(shared_prefect: dict[str, str], open_page: Open) -> None:
    url = shared_prefect["PREFECT_API_URL"].removesuffix("/api")
    page = open_page()
    # Who has chosen V2 once on another installation of this host carries this for a year.
    page.context.add_cookies([{"name": "prefect_ui_version", "value": "v2", "url": url}])
    page.goto(url)
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
