"""邮寄登记 in a browser, on a phone too: an address is kept, a slip said beside its field, a letter registered."""

import pytest

from runtime import clock
from tests.browser.conftest import DESKTOP, PHONE, Open, complains, hindrances
from tests.conftest import Clerk
from tests.desk.test_postings import ADDRESS, DIRECTOR, NUMBER, only_id, to_post
from tests.desk.test_postings import unreached as unreached

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_letter_is_posted(screen: dict[str, int], unreached: Clerk, web: str, open_page: Open) -> None:
    page = open_page(viewport=screen, java_script_enabled=screen is DESKTOP)
    page.goto(f"{web}/desk/letters")
    page.get_by_label("工号").fill(DIRECTOR)
    page.get_by_role("button", name="登录").click()
    page.goto(f"{web}/desk/letters")
    if screen is DESKTOP:
        assert hindrances(page) == []
    number = only_id()
    page.locator(f"#address-{number}").fill(ADDRESS)
    page.get_by_role("button", name="保存地址").click()
    page.get_by_role("status").get_by_text("地址已保存").wait_for()
    page.get_by_role("link", name="打印地址清单").click()
    page.get_by_role("cell", name=ADDRESS).wait_for()
    page.go_back()

    page.locator(f"#tracking-{number}").fill("12")
    page.get_by_role("button", name="签名并登记").click()
    wrong = "挂号号码应是8至20位的字母和数字，如XA12345678933，请照回执填写。"
    assert complains(page, "挂号号码", wrong)
    assert page.locator(f"#address-{number}").input_value() == ADDRESS
    page.locator(f"#tracking-{number}").fill(NUMBER)
    page.get_by_label("邮寄或告知日期").fill(str(clock.today()))
    page.get_by_role("button", name="签名并登记").click()
    page.get_by_role("status").get_by_text("已登记，经过里写明挂号号码").wait_for()
    assert to_post() == []
    page.goto(f"{web}/desk/cases/{unreached.case_no}")
    page.get_by_text(f"已邮寄（挂号号码{NUMBER}").first.wait_for()
