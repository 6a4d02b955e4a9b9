"""The list at the desk in a browser: on the screens that staff have, on a phone, without JavaScript."""

from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page

from models.cases import Case
from models.liaisons import FilingKind
from runtime import clock
from runtime.database import transaction
from tasks.case import answers
from tasks.liaisons.filings import LiaisonFilingForm
from tasks.liaisons.steps import file_for_department
from tasks.objections.questions import InitialReview
from tasks.office.staff_tasks import open_staff_task
from tests.browser.conftest import PHONE, Open, complains, hindrances, is_too_wide
from tests.conftest import Clerk, officer_of

pytestmark = pytest.mark.browser

SCREENS = {"small": {"width": 1366, "height": 625}, "usual": {"width": 1536, "height": 730}, "phone": PHONE}
DIRECTOR, OFFICER = "KQ004", "KQ001"
SignIn = Callable[..., Page]


@pytest.fixture
def sign_in(open_page: Open, web: str) -> SignIn:
    """``sign_in("KQ004", viewport=PHONE)``: an officer's list in a browser of their own."""

    def signed_in(staff_no: str, **how: object) -> Page:
        page = open_page(**how)
        page.goto(f"{web}/desk")
        page.get_by_label("工号").fill(staff_no)
        page.get_by_role("button", name="登录").click()
        return page

    return signed_in


@pytest.fixture
def cases(clerk: Clerk) -> list[str]:
    """Cases that wait for their initial review, a filing, and a matter to see to."""
    numbers = []
    for changed in ({}, {"field": "有效期"}, {"field": "发证日期"}):
        numbers.append(clerk.register(**changed).case_no)
        assert answers.answer_or_wait(numbers[-1], InitialReview, 1) is None
    form = LiaisonFilingForm(
        kind=FilingKind.APPOINTMENT, name="鲁国栋", position="科长", phone="0575-84120009", email="a@example.cn"
    )
    file_for_department(form, "绍兴市柯桥区民政局", "k", "KQ-MZ")
    with transaction() as session:
        open_staff_task(session, "k", None, "一件通知无法送达，请电话告知申请人", clock.now())
        for case_no in numbers:
            session.get_one(Case, case_no).officer_no = "KQ002"
    return numbers


@pytest.mark.parametrize("screen", SCREENS)
def test_every_page_of_it_is_for_everybody_on_every_screen(sign_in: SignIn, cases: list[str], screen: str) -> None:
    page = sign_in(DIRECTOR, viewport=SCREENS[screen])
    page.get_by_role("navigation", name="谁的办件").get_by_role("link", name="全部").click()
    first = page.get_by_role("link", name=cases[0])
    assert first.is_visible()
    assert hindrances(page) == []
    if screen != "phone":
        # Filters, the first case and what is done with several of them are in sight without scrolling.
        for each in (page.get_by_label("部门"), first, page.get_by_role("button", name="签名并移交")):
            box = each.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= SCREENS[screen]["height"]
    page.get_by_role("button", name="签名并移交").click()
    assert hindrances(page) == []
    for look_up in ("鲁国栋", "鲁国", ""):
        page.get_by_label("查找办件").fill(look_up)
        page.get_by_role("button", name="查找").click()
        assert hindrances(page) == [], look_up
    for name in ("待阅事项", "在办统计"):
        page.get_by_role("navigation", name="工作台").get_by_role("link", name=name).click()
        assert page.get_by_role("heading", level=1).inner_text().startswith(name)
        assert hindrances(page) == [], name
    assert not is_too_wide(page)


def test_in_the_dark_it_can_be_read_as_well(sign_in: SignIn, cases: list[str], web: str) -> None:
    page = sign_in(DIRECTOR, color_scheme="dark")
    for path in ("/desk?whose=all", "/desk/matters", "/desk/figures"):
        page.goto(f"{web}{path}")
        assert hindrances(page) == [], path


def test_an_officer_narrows_it_down_and_looks_a_case_up_without_javascript(
    sign_in: SignIn, cases: list[str], web: str, tmp_path: Path
) -> None:
    page = sign_in(OFFICER, java_script_enabled=False)
    page.goto(f"{web}/desk?whose=all")
    page.get_by_label("种类").select_option(label="异议核查")
    page.get_by_label("经办人").select_option(value="KQ002")
    page.get_by_role("button", name="筛选").click()
    shown = page.get_by_role("table").get_by_role("link").all_inner_texts()
    assert sorted(shown) == sorted(cases)
    with page.expect_download() as begun:
        page.get_by_role("link", name="导出XLSX").click()
    assert begun.value.suggested_filename.startswith("待办-")
    begun.value.save_as(tmp_path / "list.xlsx")
    assert load_workbook(tmp_path / "list.xlsx").active.max_row == 1 + len(cases)
    page.get_by_role("link", name="取消筛选").click()
    page.get_by_label("查找办件").fill("俞小云")
    page.get_by_role("button", name="查找").click()
    assert sorted(page.get_by_role("table").get_by_role("link").all_inner_texts()) == sorted(cases)
    # Nothing of whom was looked up stays in the address.
    assert page.url == f"{web}/desk/search"


def test_a_director_gives_cases_to_somebody_else_without_javascript(
    sign_in: SignIn, cases: list[str], web: str
) -> None:
    page = sign_in(DIRECTOR, java_script_enabled=False)
    page.goto(f"{web}/desk?whose=all&kind=YY")
    page.get_by_label("移交理由").fill("KQ002借调")
    page.get_by_role("button", name="签名并移交").click()
    assert complains(page, "接收人", "接收人未填写")
    assert "请至少选择一件要移交的办件。" in page.locator("#cases-wrong").inner_text()
    assert page.get_by_label("移交理由").input_value() == "KQ002借调"
    page.get_by_label(f"选择{cases[0]}").check()
    page.get_by_label("接收人").select_option(value="KQ003")
    page.get_by_role("button", name="签名并移交").click()
    assert page.get_by_role("status").inner_text() == "已移交1件，已通知接收人（休假的，通知其代理人）。"
    assert [officer_of(each) for each in cases] == ["KQ003", "KQ002", "KQ002"]
    # Narrowed down as it was.
    assert page.get_by_label("种类").input_value() == "YY"
    page.get_by_label("本页3件全部移交").check()
    page.get_by_label("接收人").select_option(value="KQ001")
    page.get_by_label("移交理由").fill("轮岗")
    page.get_by_role("button", name="签名并移交").click()
    assert {officer_of(each) for each in cases} == {"KQ001"}


def test_a_matter_is_closed_with_a_click_and_a_sentence_without_javascript(
    sign_in: SignIn, cases: list[str], web: str
) -> None:
    page = sign_in(OFFICER, java_script_enabled=False)
    page.goto(f"{web}/desk/matters")
    page.get_by_role("button", name="登记").click()
    assert complains(page, "处理情况", "处理情况未填写")
    page.get_by_label("处理情况").fill("已电话告知")
    page.get_by_role("button", name="登记").click()
    assert page.get_by_role("status").inner_text() == "已登记处理情况。"
    assert page.get_by_text("没有待阅事项。").is_visible()


def test_the_answer_shows_at_that_very_moment(sign_in: SignIn, cases: list[str], web: str) -> None:
    page = sign_in("KQ002")
    heading = page.get_by_role("heading", level=1)
    assert heading.inner_text() == "待办 3件"
    page.get_by_label("状态").select_option("待决定")
    page.get_by_role("button", name="筛选").click()
    assert heading.inner_text() == "待办 3件"
    assert Clerk(cases[0]).answer(InitialReview, verdict="受理") is None
    page.reload()
    assert heading.inner_text() == "待办 2件"
    page.get_by_label("状态").select_option("系统正在办理")
    page.get_by_role("button", name="筛选").click()
    assert page.get_by_role("table").get_by_role("link").all_inner_texts() == [cases[0]]
