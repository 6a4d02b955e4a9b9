"""The pages of Prefect that staff see are in Chinese, as far as a short dictionary of exact labels takes them, and lead
back to the desk. One server for all, and no worker: nothing moves while it is looked at."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Page
from prefect.client.orchestration import SyncPrefectClient
from prefect.states import Completed, Suspended

from runtime.settings import settings
from tests.browser.conftest import Open
from tests.browser.test_staff_guide import signed_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

TYPED, TAG = "Completed", "Running"
"""A run's name and tag that somebody typed, and that are labels, too."""
ALL_OF_IT = {"width": 1366, "height": 1000}
"""A window in which lists show their rows."""
LEFT = {
    # Put together with a number or a time, which no exact label matches.
    "N runs",
    "N Deployments",
    "Select all N flow runs",
    "Select all N items",
    "N/N/N N:N:N PM",
    "N/N/N N:N:N PM (late)",
    "Scheduled for N/N/N N:N:N PM",
    "Scheduled for N/N/N N:N:N PM (late)",
    "At N:N PM every day",
    "At N:N PM on day N of the month",
    "Every minute every day",
    # The name of a field of a story's own, with what Prefect says behind it.
    "period (Optional)",
    # A button of the graph's; the dictionary has its 150 labels.
    "Run Graph Options",
    # Within the log, which is left alone.
    "Waiting for logs...",
    # Names: of the work pool, of its queue, of a tag that Prefect gives.
    "ezt",
    "default",
    "auto-scheduled",
}
"""What is English on the four pages, numbers as N."""

COLLECT = r"""() => {
  const seen = (element) => element && !element.closest("script, style, noscript") && element.checkVisibility();
  const found = [];
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) if (seen(words.currentNode.parentElement)) found.push(words.currentNode.data);
  for (const name of ["placeholder", "title", "aria-label"])
    for (const each of document.querySelectorAll(`[${name}]`)) if (seen(each)) found.push(each.getAttribute(name));
  return found;
}"""


@dataclass(frozen=True, slots=True)
class Runs:
    """Addresses of what is looked at."""

    of_case: UUID
    named: UUID
    starts: UUID


@pytest.fixture
def runs(prefect_client: SyncPrefectClient) -> Runs:
    """A run of a case that waits, one that somebody has named and tagged like labels, one that is due."""
    story = prefect_client.read_deployment_by_name("异议核查/objection-case")
    report = prefect_client.read_deployment_by_name("监督报告/supervision-report")
    of_case = prefect_client.create_flow_run_from_deployment(
        story.id, parameters={"case_no": "YY-2026-000001"}, name="异议 YY-2026-000001 · 居民身份证 · 待初审"
    )
    prefect_client.set_flow_run_state(of_case.id, Suspended(pause_key=uuid4().hex), force=True)
    named = prefect_client.create_flow_run_from_deployment(
        report.id, name=TYPED, tags=[TAG], parameters={"period": "Submit"}
    )
    prefect_client.set_flow_run_state(named.id, Completed(message="Running"), force=True)
    prefect_client.create_flow_run_from_deployment(report.id)
    return Runs(of_case.id, named.id, report.id)


@pytest.fixture
def page(shared_prefect: dict[str, str], open_page: Open) -> Iterator[Page]:
    """A browser in which Prefect's password was typed."""
    page = open_page(viewport=ALL_OF_IT)
    page.set_default_timeout(60_000)
    page.goto(f"{shared_prefect['EZT_PREFECT_URL']}/dashboard")
    signed_in(page)
    return page


def test_what_is_left_in_english_is_little_and_named(page: Page, runs: Runs, shared_prefect: dict[str, str]) -> None:
    url, left = shared_prefect["EZT_PREFECT_URL"], dict[str, set[str]]()
    for path, shown in (
        ("/runs", "流程运行"),
        (f"/runs/flow-run/{runs.of_case}", "日志"),
        ("/deployments", "日程"),
        (f"/deployments/deployment/{runs.starts}/run", "提交"),
    ):
        page.goto(url + path)
        page.get_by_text(shown, exact=True).first.wait_for()
        page.wait_for_load_state("networkidle")
        # They fade in, which no selector tells of.
        page.wait_for_timeout(2000)
        left[path] = english(page) - {TYPED, TAG}
    assert {path: labels - LEFT for path, labels in left.items() if labels - LEFT} == {}
    assert len(LEFT) <= 30


def test_the_dialogs_speak_chinese_and_nobody_advertises(
    page: Page, runs: Runs, shared_prefect: dict[str, str]
) -> None:
    page.goto(f"{shared_prefect['EZT_PREFECT_URL']}/runs/flow-run/{runs.of_case}")
    page.get_by_role("button", name="取消", exact=True).click()
    dialog = page.locator(".p-modal")
    dialog.get_by_text("取消运行").wait_for()
    said = " ".join(dialog.inner_text().split())
    assert "将把运行“异议 YY-2026-000001 · 居民身份证 · 待初审”改为" in said
    assert not re.search(r"[A-Za-z]{3}", said.replace("YY-2026-000001", "")), said
    # What it says when its server does not answer, where it would rather sell something.
    page.evaluate(
        """() => document.body.insertAdjacentHTML("beforeend", `<p> Oops. Something went wrong. </p>
        <div> You can use Prefect Cloud for free, anytime. </div>
        <a href="https://app.prefect.cloud/auth/sign-up?utm_source=prefect-oss"> Try it now </a>`)"""
    )
    page.get_by_text("还没有填写口令，或者没有连上服务").wait_for()
    page.get_by_text("请先填写口令登录").wait_for()
    assert not page.get_by_text("Try it now").is_visible()


def english(page: Page) -> set[str]:
    """The labels of a page with English in them: numbers as N, and without the names of runs."""
    found = set()
    for said in page.evaluate(COLLECT):
        label = re.sub(r"\d+", "N", re.sub(r"[AP]M", "PM", re.sub(r"\(.* late\)", "(late)", " ".join(said.split()))))
        if re.search(r"[A-Za-z]{2}", said) and not re.fullmatch(r"[a-z]+-[a-z]+|异议 YY-N-N .*", label):
            found.add(label)
    return found | ({"auto-scheduled"} & set(page.evaluate(COLLECT)))


def test_what_people_typed_and_the_log_are_left_alone(page: Page, runs: Runs, shared_prefect: dict[str, str]) -> None:
    page.goto(f"{shared_prefect['EZT_PREFECT_URL']}/runs/flow-run/{runs.named}")
    page.locator(".page-heading__crumbs").get_by_text(TYPED, exact=True).wait_for()
    page.get_by_text("已完成", exact=True).first.wait_for()
    page.get_by_text("参数", exact=True).first.click()
    page.get_by_text('"Submit"').first.wait_for()
    page.goto(f"{shared_prefect['EZT_PREFECT_URL']}/runs")
    page.locator(".flow-run-bread-crumbs__flow-run-link").get_by_text(TYPED, exact=True).first.wait_for()
    page.locator(".state-list-item__tags").get_by_text(TAG, exact=True).first.wait_for()
    # What is typed into a field is what is sent.
    search = page.get_by_placeholder("按运行的名称查找").last
    search.fill("Failed")
    assert search.input_value() == "Failed"


def test_the_menu_leads_to_the_desk(page: Page, shared_prefect: dict[str, str]) -> None:
    for path in ("/runs", "/deployments"):
        page.goto(shared_prefect["EZT_PREFECT_URL"] + path)
        menu = page.locator(".p-context-sidebar")
        assert menu.get_by_role("link", name="工作台：待办").get_attribute("href") == f"{settings().desk}/desk"
        assert (
            menu.get_by_role("link", name="工作台：待阅事项").get_attribute("href") == f"{settings().desk}/desk/matters"
        )
        assert menu.get_by_role("link", name="工作台").count() == 2
