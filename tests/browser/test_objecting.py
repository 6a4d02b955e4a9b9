"""Objecting on the page as people do it (Article 12): on a phone, without JavaScript, by keyboard, with mistakes."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page
from sqlalchemy import func, select

from models.cases import Case
from models.objection_drafts import DraftFile, ObjectionDraft
from models.objections import Attachment, Objection
from regulation.certificates import Level
from runtime.database import reading
from tasks.objections.drafts import MOST_TYPED
from tests.browser.conftest import PHONE, Open, barriers, complains, is_too_wide, meanwhile
from tests.conftest import Clerk, Mailbox, certificate_of, forget_settings

pytestmark = pytest.mark.browser

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A file that is taken for an attachment."""
    path = tmp_path / "门牌证.png"
    path.write_bytes(PNG)
    return path


@pytest.fixture
def objecting(mailbox: Mailbox, web: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The web process, which knows its own address, so that the links in its mails lead back to it."""
    monkeypatch.setenv("EZT_PUBLIC_URL", web)
    forget_settings()
    return web


def count(what: Any) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(what)) or 0


def start(page: Any, web: str, kind: str) -> None:
    page.goto(web)
    page.get_by_role("main").get_by_role("link", name="提出异议").click()
    page.get_by_label("是哪种证照").select_option(kind)
    page.get_by_role("button", name="开始填写").click()


def fill(page: Any, clerk: Clerk) -> None:
    given = clerk.application(Level.CITY)
    page.get_by_label("证照编号").fill(given.certificate)
    page.get_by_label("哪一项有问题").select_option(given.field)
    page.get_by_label("内容不对（准确性）").check()
    page.get_by_label("证照上现在写的是").fill(given.stated)
    page.get_by_label("您认为应当是").fill(given.proposed)
    page.get_by_label("理由", exact=True).fill(given.reason)
    page.get_by_label("证照是我的，或者是我们单位的").check()
    page.get_by_label("姓名或单位名称").fill(given.objector_name)
    page.get_by_label("电子邮箱").fill(given.email)
    page.get_by_label("联系电话").fill(given.phone)


def link_in(page: Page, mailbox: Mailbox, address: str) -> str:
    meanwhile(page, lambda: mailbox.to(address), "没有收到邮件")
    return link_of(mailbox, address)


def link_of(mailbox: Mailbox, address: str) -> str:
    """The link to confirm in the last mail to an address."""
    body = mailbox.to(address)[-1].get_body(("plain",))
    assert body is not None
    found = re.search(r"http\S+/objection-drafts/\S+", body.get_content())
    assert found is not None
    return found[0]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_person_objects_by_mail_and_loses_nothing_on_the_way(
    objecting: str, mailbox: Mailbox, clerk: Clerk, open_page: Open, photo: Path, scripts: bool
) -> None:
    kind = certificate_of(Level.CITY)[1].name
    page = open_page(viewport=PHONE, java_script_enabled=scripts)
    start(page, objecting, kind)
    fill(page, clerk)
    page.get_by_label("电子邮箱").fill("不是邮箱")
    page.get_by_label("联系电话").fill("")
    page.get_by_label("证明材料").set_input_files(photo)
    page.get_by_role("button", name="下一步：核对").click()

    wrong = page.get_by_role("alert")
    assert "有2处需要更正" in wrong.inner_text()
    assert page.title().startswith("有误：")
    wrong.get_by_role("link", name="电子邮箱格式不对").click()
    email = page.get_by_label("电子邮箱")
    assert email.get_attribute("aria-invalid") == "true"
    assert "email-wrong" in str(email.get_attribute("aria-describedby"))
    if scripts:
        page.wait_for_url("**#email")
        assert barriers(page) == []
    assert email.input_value() == "不是邮箱"
    assert page.get_by_label("您认为应当是").input_value() == "绍兴市柯桥区柯桥街道群贤路9999号"
    assert "已上传：门牌证.png" in page.get_by_role("main").inner_text()
    page.reload()
    assert page.get_by_label("您认为应当是").input_value() == "绍兴市柯桥区柯桥街道群贤路9999号"

    page.get_by_label("电子邮箱").fill("yuxiaoyun@example.com")
    page.get_by_label("联系电话").fill("0575-84120001")
    page.get_by_role("button", name="下一步：核对").click()
    page.get_by_role("heading", name="请核对").wait_for()
    assert "门牌证.png" in page.get_by_role("main").inner_text()
    assert not is_too_wide(page)
    page.get_by_role("button", name="发送确认邮件").click()
    assert "还没有提交" in page.get_by_role("status").inner_text()
    assert count(Case) == 0

    link = link_in(page, mailbox, "yuxiaoyun@example.com")
    page.goto(link)
    assert count(Case) == 0
    page.get_by_role("button", name="确认提交").click()
    assert "异议已提交" in page.get_by_role("status").inner_text()
    (filed,) = objections()
    main = page.get_by_role("main").inner_text()
    assert filed.case_no in main
    assert "第5个工作日" in main
    assert "未经实名认证" in filed.remark
    assert page.url.endswith(f"/objections/{filed.token}?said=filed")
    with reading() as session:
        assert session.scalars(select(Attachment.case_no)).all() == [filed.case_no]
    assert (count(ObjectionDraft), count(DraftFile)) == (0, 0)

    # The back button, the link once more: the same objection.
    page.goto(link)
    assert page.url.endswith(f"/objections/{filed.token}")
    assert httpx.post(link, follow_redirects=False).headers["location"].startswith(f"/objections/{filed.token}")
    assert len(objections()) == 1


def objections() -> list[Objection]:
    with reading() as session:
        return list(session.scalars(select(Objection)))


def test_a_link_is_good_for_the_address_it_went_to_and_its_own_draft(
    objecting: str, mailbox: Mailbox, clerk: Clerk, open_page: Open
) -> None:
    page = open_page()
    start(page, objecting, certificate_of(Level.CITY)[1].name)
    fill(page, clerk)
    page.get_by_role("button", name="下一步：核对").click()
    draft = page.url.removesuffix("/review")
    page.get_by_role("button", name="发送确认邮件").click()
    link = link_in(page, mailbox, "yuxiaoyun@example.com")
    page.goto(draft)
    page.get_by_label("电子邮箱").fill("bieren@example.com")
    page.get_by_role("button", name="下一步：核对").click()
    for forged in (link, f"{draft}/confirmation/forged"):
        assert httpx.post(forged).status_code == 409
        assert "请回到草稿重新发送" in httpx.get(forged).text
    assert httpx.get(f"{objecting}/objection-drafts/nobodys-token").status_code == 404
    assert count(Case) == 0


def test_a_wrong_file_is_named_and_the_right_one_kept(
    objecting: str, clerk: Clerk, open_page: Open, photo: Path, tmp_path: Path
) -> None:
    program = tmp_path / "程序.pdf"
    program.write_bytes(b"MZ" + b"\0" * 64)
    page = open_page(viewport=PHONE)
    start(page, objecting, certificate_of(Level.CITY)[1].name)
    page.get_by_label("证明材料").set_input_files([photo, program])
    page.get_by_role("button", name="保存草稿").click()
    assert "“程序.pdf”的内容不是PDF" in page.get_by_role("alert").inner_text()
    page.get_by_label("证明材料").set_input_files(photo)
    page.get_by_role("button", name="保存草稿").click()
    assert "草稿已保存" in page.get_by_role("status").inner_text()
    assert count(DraftFile) == 1
    page.get_by_label("不要这个").check()
    page.get_by_role("button", name="保存草稿").click()
    assert count(DraftFile) == 0


def test_a_draft_that_is_too_long_keeps_its_text_and_says_that_its_files_are_not_there(
    objecting: str, open_page: Open, photo: Path
) -> None:
    page = open_page(viewport=PHONE)
    start(page, objecting, certificate_of(Level.CITY)[1].name)
    page.locator("#reason").evaluate("field => field.removeAttribute('maxlength')")
    page.get_by_label("理由", exact=True).fill("长" * (MOST_TYPED + 1))
    page.get_by_label("证明材料").set_input_files(photo)
    page.get_by_role("button", name="保存草稿").click()
    assert complains(page, "理由", f"填写的内容共超过{MOST_TYPED}个字")
    assert complains(page, "证明材料（可以不附）", "刚才选的“门牌证.png”没有保存，附件须重新选择")
    assert len(page.get_by_label("理由", exact=True).input_value()) == MOST_TYPED + 1
    assert count(DraftFile) == 0


def test_a_certificate_that_the_catalogue_does_not_have_is_typed(objecting: str, open_page: Open) -> None:
    page = open_page(viewport=PHONE, java_script_enabled=False)
    page.goto(f"{objecting}/objection-drafts")
    page.get_by_role("button", name="开始填写").click()
    assert "请选择证照类型" in page.get_by_role("alert").inner_text()
    page.get_by_label("是哪种证照").select_option("以上都不是，我自己填写")
    page.get_by_role("button", name="开始填写").click()
    page.get_by_label("证照类型").fill("特种设备使用登记证")
    page.get_by_label("哪一项有问题").fill("设备代码")
    page.get_by_role("button", name="换一种证照").click()
    page.get_by_label("是哪种证照").select_option("结婚证")
    page.get_by_role("button", name="继续").click()
    assert "结婚证" in page.get_by_role("main").inner_text()


def test_the_form_is_filled_in_with_the_keyboard_alone(objecting: str, clerk: Clerk, open_page: Open) -> None:
    page = open_page(viewport=PHONE)
    page.goto(f"{objecting}/objection-drafts")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "跳到正文"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    seen = []
    for _ in range(40):
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", seen[-1]
        if seen[-1] == "开始填写":
            break
        if seen[-1] == "certificate_type":
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Tab")
    assert seen == ["certificate_type", "开始填写"]
    page.keyboard.press("Enter")
    page.wait_for_url("**/objection-drafts/*")
    order = []
    page.get_by_role("heading", name="填写异议").click()
    for _ in range(60):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.name || document.activeElement.textContent"))
        if page.evaluate("document.activeElement.value") == "retype":
            break
    named = list(dict.fromkeys(order))
    wanted = ["certificate", "field", "grounds", "stated", "proposed", "reason", "files", "objector_kind"]
    assert named == [*wanted, "interest", "acts_as", "acts_for", "objector_name", "email", "phone", "do"]


def test_from_elsewhere_nobody_hands_in_a_form(objecting: str) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}, {"Origin": "null"}):
        refused = httpx.post(f"{objecting}/objection-drafts", data={"certificate_type": "结婚证"}, headers=headers)
        assert refused.status_code == 403
        assert "不是从本系统的页面发出的" in refused.text
    assert count(ObjectionDraft) == 0
