"""Everything that staff start, walked in Chromium: on a small laptop and on a phone, with a script and without."""

import re
from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import delete, func, select

from models.desk import DeskEntry, DeskSession
from models.organisations import Officer, SpentCode
from regulation.certificates import Level
from runtime.database import reading, transaction
from tasks.desk.starts import STARTS
from tests.browser.conftest import PHONE, Open, barriers, is_too_wide, picture
from tests.browser.test_desk_case import LAPTOP, Clicks
from tests.conftest import certificate_of
from tests.desk.starting import DIRECTOR, FILLED
from web.desk.fields import Shown, shown

pytestmark = pytest.mark.browser
EVERY = pytest.mark.parametrize("code", STARTS)


@pytest.fixture
def desk(web: str, configure: Callable[..., None]) -> str:
    """The web process, where one-time codes are asked for."""
    configure(EZT_ONE_TIME_CODES="true")
    return web


def code_of(staff_no: str) -> str:
    """A one-time code; that each counts once is tested elsewhere."""
    with transaction() as session:
        session.execute(delete(SpentCode).where(SpentCode.staff_no == staff_no))
        return pyotp.TOTP(session.get_one(Officer, staff_no).code_secret).now()


def sign_in(page: Page, web: str) -> Page:
    page.goto(f"{web}/desk/sign-in")
    page.get_by_label("工号").fill(DIRECTOR)
    page.get_by_label("一次性验证码").fill(code_of(DIRECTOR))
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/desk*")
    return page


def field(page: Page, name: str) -> Locator:
    return page.locator(f'#start [name="{name}"]')


def fill(page: Page, code: str, typed: dict[str, str], click: Clicks) -> int:
    """Fill in a form as a hand does it, in its order; how many fields that were."""
    order = [each for each in names(shown(STARTS[code], typed=typed)) if each in typed]
    order += [each for each in typed if each not in order]
    filled = 0
    for name in order:
        text = typed[name]
        if not text:
            continue
        if name.startswith("values-") and not field(page, name).count():
            click(page.get_by_role("button", name="列出可选项"))
        place = field(page, name)
        place.first.wait_for()
        if place.locator("option").count() == 1:
            # There is something to choose from once what it hangs on is known.
            click(page.get_by_role("button", name="列出可选项"))
        kind = place.first.get_attribute("type") or place.first.evaluate("element => element.tagName.toLowerCase()")
        filled += 1
        if kind in ("radio", "checkbox"):
            chosen = page.locator(f'#start [name="{name}"][value="{text}"]')
            if not chosen.is_checked():
                click(chosen)
        elif kind == "select":
            place.select_option(text)
        else:
            place.fill(text)
            place.blur()
    return filled


def emptied(page: Page, code: str, typed: dict[str, str]) -> str:
    """Empty the first required field into which one types; its name, empty where all is chosen."""
    for each in shown(STARTS[code]):
        place = field(page, each.name)
        types = each.control in ("text", "area", "date", "number") and place.count() == 1
        if each.required and each.name in typed and types and place.get_attribute("type") != "radio":
            place.fill("")
            return each.name
    return ""


def names(fields: list[Shown]) -> list[str]:
    found = []
    for each in fields:
        found += names(list(each.parts)) or [name for row in each.rows for name in names(list(row))] or [each.name]
        if each.control == "boxes":
            found += [f"{each.name}-{place}" for place in range(len(each.choices))]
    return found


@pytest.mark.parametrize("how", ["laptop", "phone"])
@EVERY
def test_every_start_is_refused_once_then_signed_and_has_a_receipt(
    code: str, how: str, desk: str, open_page: Open, record_property: Callable[[str, object], None]
) -> None:
    scripted = how == "laptop"
    page = open_page(viewport=LAPTOP if scripted else PHONE, java_script_enabled=scripted)
    typed = FILLED[code]()
    sign_in(page, desk)
    click, about = Clicks(), STARTS[code].about
    page.goto(f"{desk}/desk/start")
    click(page.get_by_role("link", name=about.named, exact=True))
    expect(page.get_by_role("heading", level=1)).to_contain_text(about.named)
    filled = fill(page, code, typed, click)
    assert not is_too_wide(page)
    if scripted:
        assert barriers(page) == []
    picture(page, f"start-{code}-{how}", full_page=True)
    # A field is emptied: it is said beside it, and all else is there.
    if scripted:
        page.evaluate("document.querySelector('#start').noValidate = true")
    name = emptied(page, code, typed)
    if name:
        page.get_by_role("button", name="核对").last.click()
        expect(page).to_have_title(re.compile("^有误："))
        expect(page.locator(f'[id="{name}-wrong"]')).to_be_visible()
        if scripted:
            assert barriers(page) == []
        field(page, name).fill(typed[name])
    click(page.get_by_role("button", name="核对").last)
    expect(page.get_by_role("heading", name="将要登记")).to_be_visible()
    assert not is_too_wide(page)
    if scripted:
        assert barriers(page) == []
    picture(page, f"start-{code}-{how}-sign", full_page=True)
    if not name:
        page.get_by_label("一次性验证码").fill("000000")
        page.get_by_role("button", name="签名并登记").click()
        expect(page.locator("#code-wrong")).to_be_visible()
    page.get_by_label("一次性验证码").fill(code_of(DIRECTOR))
    click(page.get_by_role("button", name="签名并登记"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("已登记")
    receipt = page.url
    assert not is_too_wide(page)
    if scripted:
        assert barriers(page) == []
        # Whoever goes back finds the receipt, not the form that was sent.
        page.go_back()
        page.wait_for_url(receipt)
        expect(page.get_by_role("heading", level=1)).to_contain_text("已登记")
    with reading() as session:
        assert session.scalar(select(func.count(DeskEntry.id)).where(DeskEntry.begun_at.is_not(None))) == 1
    record_property("clicks and fields", f"{about.named} {click.number} {filled}")


def test_the_page_of_all_starts_can_be_used_by_all(desk: str, open_page: Open) -> None:
    for viewport in (LAPTOP, PHONE):
        page = sign_in(open_page(viewport=viewport), desk)
        page.goto(f"{desk}/desk/start")
        picture(page, f"starts-{viewport['width']}", full_page=True)
        assert barriers(page) == []
        assert not is_too_wide(page)
    page.get_by_label("找一项登记").fill("请假")
    page.get_by_label("找一项登记").press("Enter")
    expect(page.get_by_role("link", name="登记休假")).to_be_visible()
    assert page.get_by_role("link", name="登记异议").count() == 0


def test_a_certificate_is_found_by_its_holder_s_number_and_its_field_filled_in(desk: str, open_page: Open) -> None:
    held, kind = certificate_of(Level.CITY)
    page = sign_in(open_page(viewport=LAPTOP), desk)
    page.goto(f"{desk}/desk/start/objection")
    field(page, "objector_name").fill("俞小云")
    page.get_by_label("查找持证主体的证照").fill(held.holder_number)
    page.get_by_label("查找持证主体的证照").press("Enter")
    page.get_by_label(re.compile(re.escape(held.number))).check()
    expect(field(page, "certificate")).to_have_value(held.number)
    expect(field(page, "certificate_type")).to_have_value(kind.name)
    field(page, "field").fill(kind.names["address"])
    field(page, "field").blur()
    expect(field(page, "stated")).to_have_value(str(held.face["address"]))
    # What was typed before stays.
    expect(field(page, "objector_name")).to_have_value("俞小云")


def test_an_expired_session_and_a_draft_lose_nothing(desk: str, open_page: Open) -> None:
    page = sign_in(open_page(viewport=LAPTOP), desk)
    page.goto(f"{desk}/desk/start/hand-over")
    field(page, "why").fill("工作调整，写到一半")
    page.get_by_role("button", name="暂存").click()
    expect(page.get_by_role("status")).to_contain_text("已暂存")
    page.get_by_role("region", name="未完成").or_(page.locator(".card")).get_by_role("link", name="移交办件").click()
    expect(field(page, "why")).to_have_value("工作调整，写到一半")
    field(page, "why").fill("工作调整，又写了一点")
    with transaction() as session:
        for each in session.scalars(select(DeskSession)):
            each.seen_at -= timedelta(hours=1)
    page.get_by_role("button", name="暂存").click()
    page.get_by_label("工号").fill(DIRECTOR)
    page.get_by_label("一次性验证码").fill(code_of(DIRECTOR))
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("status")).to_contain_text("登录过期前您填写的内容还在下面")
    expect(field(page, "why")).to_have_value("工作调整，又写了一点")
