"""What whoever signed in with 浙里办 does on the pages (Articles 10, 11, 14), and what others try in their place."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page
from sqlalchemy import select, update

from ezt.samples import data as samples
from gateways import zheliban
from gateways.zheliban_stand_in import SIGN_IN, StandIn, running
from models.cases import StaffTask
from models.certificate_uses import Authorisation
from models.certificates import Certificate, CertificateType
from models.objections import Objection
from models.organisations import Department
from models.records import AuditEntry
from models.use_lists import UseListVersion
from regulation.certificates import Level
from regulation.limits import HOLDER_SESSION, PRESENTATION_LIFE, SIGN_INS
from runtime import clock
from runtime.database import reading, transaction
from tasks.certificates import own as own_certificates
from tasks.desk.matters import see_to
from tasks.desk.postings import posting_list
from tasks.register.versions import correct, supersede
from tests.browser.conftest import PHONE, Open, barriers, complains, hindrances, is_too_wide, picture
from tests.conftest import FEW, ROOT, Clerk, at_desk, certificate_of, forget_settings, read_at_desk
from tests.interface.conftest import Caller, caller_of
from tests.interface.test_holders_api import AT_THE_COUNTER, REDEEM, valid

pytestmark = pytest.mark.browser

COOKIE = "ezt-session"


@pytest.fixture
def signed_on(web: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A stand-in of 浙里办 that knows the sample's holders and sends them back to this web process."""
    known = samples.persons(samples.DEFAULT_SEED, FEW.holders)
    with running(StandIn("ezt", "password", known)) as stand_in:
        given = {"URL": stand_in.url, "SERVICE_CODE": "ezt", "SERVICE_PASSWORD": "password"}
        for name, value in (given | {"SIGN_IN_URL": stand_in.sign_in_url(f"{web}/sign-in")}).items():
            monkeypatch.setenv(f"EZT_ZHELIBAN__{name}", value)
        monkeypatch.setenv("EZT_PUBLIC_URL", web)
        forget_settings()
        yield stand_in
        zheliban.close()


@pytest.fixture
def card(clerk: Clerk) -> Certificate:
    return valid("身份证")


@pytest.fixture
def department(web: str) -> Caller:
    return caller_of(web, "KQ-SCJG")


def sign_in(page: Page, web: str, signed_on: StandIn, number: str) -> None:
    page.goto(f"{web}/sign-in?ticket={signed_on.issue(number)}")


def present(page: Page) -> None:
    page.get_by_role("button", name="出示亮证码").click()
    # Before its style has come, everything on the page is visible.
    page.wait_for_load_state()


def main(page: Page) -> str:
    return page.get_by_role("main").inner_text()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_holder_signs_in_presents_and_sees_who_looked(
    web: str, signed_on: StandIn, department: Caller, card: Certificate, open_page: Open, scripts: bool
) -> None:
    page = open_page(viewport=PHONE, java_script_enabled=scripts)
    page.goto(web)
    page.get_by_role("main").get_by_role("link", name="谁用过我的证照").click()
    assert page.url == f"{web}/sign-in?back=/my/uses"
    page.get_by_role("link", name="用浙里办登录").click()
    page.get_by_role("link", name=re.compile(card.holder_number[-4:])).click()
    # Back where one came from, without the ticket in the address.
    assert page.url == f"{web}/my/uses"
    assert "还没有部门用过您的证照" in main(page)
    (cookie,) = page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == (COOKIE, True, "Lax")

    page.get_by_role("navigation", name="我的").get_by_role("link", name="我的证照").click()
    assert card.number not in main(page)
    page.get_by_role("link", name="身份证").click()
    assert card.number in main(page)
    if scripts:
        assert barriers(page) == []
    present(page)
    assert "前有效" in main(page)
    assert page.get_by_role("img", name="亮证二维码").is_visible()
    assert page.get_by_text("这个亮证码已经失效").is_hidden()
    drawing = page.locator(".presented svg")
    box, path = drawing.bounding_box(), drawing.locator("path").bounding_box()
    # The code fills its drawing, as far as a scanner needs it to.
    assert box is not None
    assert path is not None
    assert path["width"] > 0.7 * box["width"]
    if scripts:
        assert barriers(page) == []
    assert not is_too_wide(page)
    code = page.locator(".code").inner_text()
    assert department.post(REDEEM, AT_THE_COUNTER | {"code": code}).status_code == 200

    page.get_by_role("link", name="谁用过我的证照").last.click()
    assert "查看了您出示的身份证上的" in main(page)
    page.get_by_text("这次用证不对？").click()
    page.get_by_label("我没有办过这件事").check()
    page.get_by_role("button", name="请本中心核实").click()
    assert "您已反映，正在核实" in main(page)
    with reading() as session:
        (task,) = session.scalars(select(StaffTask).where(StaffTask.key.startswith("use-doubted:")))
    assert "我没有办过这件事" in task.what
    assert not any(said in task.what for said in (card.holder_name, card.holder_number, "SP-2026"))
    see_to(task.id, "该次由本人在窗口办理，已说明。", at_desk("KQ001"))
    page.reload()
    assert "工作人员已核实处理" in main(page)

    page.get_by_role("button", name="退出登录").click()
    assert page.context.cookies() == []
    page.goto(f"{web}/my/uses")
    assert "/sign-in" in page.url


def test_no_page_behind_signing_in_hinders_anybody(
    web: str, signed_on: StandIn, department: Caller, card: Certificate, open_page: Open
) -> None:
    """With something on each of them, on the narrowest phone and in the largest letters."""
    held = {"certificate_type": "身份证", "holder_number": card.holder_number, "certificate": card.number}
    assert department.post("/api/v1/certificates/authenticate", AT_THE_COUNTER | held).status_code == 200
    now = clock.now()
    with transaction() as session:
        office = session.scalars(select(Department)).first()
        assert office is not None
        session.add(
            Authorisation(
                authorisation_no="SQ-0123456789ABCDEF",
                holder_index=card.holder_index,
                department_uscc=office.uscc,
                item_code="330603-SCJG-001",
                type_code=card.type_code,
                given_at=now,
                ends_at=now + timedelta(days=3),
            )
        )
    page = open_page(viewport=PHONE)
    sign_in(page, web, signed_on, card.holder_number)
    paths = [
        "certificates",
        f"certificates/{card.id}",
        "certificates/0",
        "uses",
        "authorisations",
        "authorisations/new",
    ]
    for path in [f"/my/{path}" for path in paths] + ["/", "/objection-drafts", "/sign-in"]:
        page.goto(web + path)
        assert "已实名登录" in page.locator(".signed-in").inner_text()
        assert hindrances(page) == [], path
    page.goto(f"{web}/my/uses")
    page.get_by_text("这次用证不对？").click()
    assert hindrances(page) == []
    page.goto(f"{web}/my/certificates/{card.id}")
    present(page)
    assert hindrances(page) == []
    page.goto(f"{web}/my/certificates/{card.id}")
    page.get_by_role("button", name="对这一项提出异议").click()
    assert hindrances(page) == []
    page.get_by_role("button", name="下一步：核对").click()
    assert "处需要更正" in page.get_by_role("alert").inner_text()
    assert hindrances(page) == []


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_holder_hears_of_a_strangers_objection_and_says_something(
    web: str, signed_on: StandIn, open_page: Open, scripts: bool
) -> None:
    held, kind = certificate_of(Level.CITY)
    stranger = Clerk().register()
    stranger.accept()
    page = open_page(viewport=PHONE, java_script_enabled=scripts)
    sign_in(page, web, signed_on, held.holder_number)
    page.goto(f"{web}/my/certificates")
    assert "有人提出异议，您可以提出意见" in main(page)
    page.get_by_role("link", name=kind.name).first.click()
    page.get_by_role("heading", name="他人对“").wait_for()
    assert "俞小云" not in main(page)
    page.get_by_role("button", name="提交意见").click()
    assert "您的意见" in page.get_by_role("alert").inner_text()
    if scripts:
        assert barriers(page) == []
    assert not is_too_wide(page)
    picture(page, "my-heard", full_page=True)
    page.get_by_label("您的意见").fill("门牌没有改过，\n产权证上写的是对的。")
    page.get_by_role("button", name="提交意见").click()
    assert "产权证上写的是对的" in main(page)
    page.get_by_label("再补充意见").wait_for()
    if scripts:
        assert barriers(page) == []
    # The officer reads it beside the facts, and no letter goes out.
    assert "产权证上写的是对的" in str(read_at_desk(stranger.case_no, "KQ004").lines)
    assert posting_list(at_desk("KQ004")).notices == ()


def test_a_code_vanishes_from_the_page_when_it_has_lapsed(
    web: str, signed_on: StandIn, card: Certificate, open_page: Open
) -> None:
    style = (ROOT / "web" / "static" / "style.css").read_text(encoding="utf-8")
    assert set(re.findall(r"linear (\d+)s forwards", style)) == {str(PRESENTATION_LIFE.value)}
    page = open_page(viewport=PHONE)
    sign_in(page, web, signed_on, card.holder_number)
    page.get_by_role("link", name="身份证").click()
    present(page)
    almost, over = 59_000, 61_000
    jump = "(at) => document.getAnimations().forEach((each) => { each.currentTime = at; })"
    page.evaluate(jump, almost)
    assert page.get_by_role("img", name="亮证二维码").is_visible()
    page.evaluate(jump, over)
    page.get_by_role("img", name="亮证二维码").wait_for(state="hidden")
    page.get_by_text("这个亮证码已经失效").wait_for(state="visible")
    assert not is_too_wide(page)


def test_a_holder_objects_to_a_field_without_copying_anything(
    web: str, signed_on: StandIn, card: Certificate, open_page: Open
) -> None:
    page = open_page(viewport=PHONE, java_script_enabled=False)
    sign_in(page, web, signed_on, card.holder_number)
    page.get_by_role("link", name="身份证").click()
    page.get_by_label("哪一项").select_option("住址")
    page.get_by_role("button", name="对这一项提出异议").click()
    assert page.get_by_label("证照编号").input_value() == card.number
    assert page.get_by_label("证照上现在写的是").input_value() == card.face["address"]
    page.get_by_label("内容过时").check()
    page.get_by_label("您认为应当是").fill("绍兴市柯桥区柯桥街道群贤路9999号")
    page.get_by_label("理由", exact=True).fill("已经搬家，户口簿已更新。")
    page.get_by_label("电子邮箱").fill("holder@example.com")
    page.get_by_label("联系电话").fill("0575-84120001")
    page.get_by_role("button", name="下一步：核对").click()
    assert "已实名认证" in main(page)
    page.get_by_role("button", name="确认提交").click()
    assert "异议已提交" in main(page)
    with reading() as session:
        (filed,) = session.scalars(select(Objection))
    assert (filed.objector_name, filed.certificate_root) == (card.holder_name, card.root)
    assert "经浙里办实名认证" in filed.remark


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_holder_authorises_a_department_and_withdraws_it(
    web: str, signed_on: StandIn, department: Caller, card: Certificate, open_page: Open, scripts: bool
) -> None:
    estate = valid("不动产权证书")
    asked = AT_THE_COUNTER | {
        "certificate_type": "不动产权证书",
        "holder_number": estate.holder_number,
        "certificate": estate.number,
    }

    def extracted(number: str | None) -> int:
        return department.post("/api/v1/certificates/extract", asked | {"authorisation": number}).status_code

    assert extracted(None) == 403
    page = open_page(viewport=PHONE, java_script_enabled=scripts)
    sign_in(page, web, signed_on, estate.holder_number)
    page.get_by_role("navigation", name="我的").get_by_role("link", name="授权").click()
    assert "您没有授权过任何部门" in main(page)
    page.get_by_role("link", name="授权部门用证").click()
    if scripts:
        assert hindrances(page) == []
    what = page.get_by_label("授权谁、办什么事、用哪种证照")
    page.get_by_label("7天").check()
    page.get_by_role("button", name="授权", exact=True).click()
    assert complains(page, "授权谁、办什么事、用哪种证照", "授权的内容未填写")
    assert page.get_by_label("7天").is_checked()
    if scripts:
        assert hindrances(page) == []
    wanted = re.compile("不动产权证书：绍兴市柯桥区市场监督管理局")
    chosen = str(what.locator("option").filter(has_text=wanted).first.get_attribute("value"))
    what.select_option(value=chosen)
    page.get_by_role("button", name="授权", exact=True).click()
    assert "授权已经生效" in page.get_by_role("status").inner_text()
    assert "生效中" in main(page)
    if scripts:
        assert hindrances(page) == []
    number = page.locator(".code").inner_text()
    assert extracted(number) == 200
    with reading() as session:
        given = session.get_one(Authorisation, number)
    assert (given.ends_at - given.given_at, given.item_code) == (timedelta(days=7), AT_THE_COUNTER["item"])

    # What stands is not offered again, and a form that is sent twice gives one authorisation.
    form, new = {"number": chosen, "days": "7"}, f"{web}/my/authorisations/new"
    again = httpx.post(new, data=form, cookies=cookies_of(page), headers={"Origin": web})
    assert (again.status_code, "已经授权、还没到期的，不用再授权" in again.text) == (422, True)
    page.get_by_role("link", name="授权部门用证").click()
    page.wait_for_load_state()
    assert page.locator("option").filter(has_text=wanted).count() == 0
    page.goto(f"{web}/my/authorisations")
    page.get_by_role("link", name="撤回授权").click()
    assert extracted(number) == 200
    if scripts:
        assert hindrances(page) == []
    page.get_by_role("link", name="不撤回，返回").click()
    page.get_by_role("link", name="撤回授权").click()
    page.get_by_role("button", name="确认撤回").click()
    assert "授权已撤回" in page.get_by_role("status").inner_text()
    assert "已撤回" in main(page)
    assert extracted(number) == 403
    assert recorded("authorisation:holder:given", "authorisation:holder:withdrawn") == 2


def recorded(*tags: str) -> int:
    with reading() as session:
        return len(session.scalars(select(AuditEntry).where(AuditEntry.tag.in_(tags))).all())


def cookies_of(page: Page) -> dict[str, str]:
    return {COOKIE: page.context.cookies()[0]["value"]}


@pytest.mark.parametrize(
    ("number", "days", "said"),
    [
        ("", "7", "授权的内容未填写"),
        ("999999999", "7", "请在列表中选择授权的内容"),
        ("-1", "7", "请在列表中选择授权的内容"),
        ("9" * 5000, "7", "授权的内容填写有误"),
        (None, "0", "授权多久不能小于1"),
        (None, "31", "授权多久不能大于30"),
        (None, "七", "授权多久应填整数，如5"),
    ],
)
def test_nothing_is_authorised_but_what_the_page_offers(
    web: str, signed_on: StandIn, clerk: Clerk, open_page: Open, number: str | None, days: str, said: str
) -> None:
    page = open_page()
    sign_in(page, web, signed_on, valid("不动产权证书").holder_number)
    page.goto(f"{web}/my/authorisations/new")
    offered = page.locator("option[value]:not([value=''])").first.get_attribute("value")
    form = {"number": offered if number is None else number, "days": days}
    new = f"{web}/my/authorisations/new"
    answer = httpx.post(new, data=form, cookies=cookies_of(page), headers={"Origin": web})
    assert (answer.status_code, said in answer.text) == (422, True), answer.text
    assert recorded("authorisation:holder:given") == 0
    assert httpx.post(new, data=form, headers={"Origin": web}).headers["location"] == "/sign-in?back=/my/certificates"


def test_whoever_has_no_certificate_that_asks_for_it_has_nothing_to_authorise(
    web: str, signed_on: StandIn, clerk: Clerk, open_page: Open
) -> None:
    with transaction() as session:
        session.execute(update(UseListVersion).values(authorisation=False))
    page = open_page(viewport=PHONE)
    sign_in(page, web, signed_on, valid("不动产权证书").holder_number)
    page.goto(f"{web}/my/authorisations/new")
    assert "目前没有需要您授权的事项" in main(page)
    assert hindrances(page) == []


def test_an_authorisation_is_withdrawn_by_nobody_else(
    web: str, signed_on: StandIn, card: Certificate, open_page: Open
) -> None:
    now = clock.now()
    with transaction() as session:
        office = session.scalars(select(Department)).first()
        assert office is not None
        given = {"department_uscc": office.uscc, "item_code": "330603-SCJG-001", "type_code": card.type_code}
        times = {"given_at": now, "ends_at": now + timedelta(days=3)}
        session.add(Authorisation(authorisation_no="SQ-2", holder_index="another's", **given, **times))
    page = open_page(viewport=PHONE)
    sign_in(page, web, signed_on, card.holder_number)
    page.get_by_role("link", name="授权").click()
    assert "SQ-2" not in main(page)
    withdrawal = f"{web}/my/authorisations/SQ-2/withdrawal"
    assert httpx.post(withdrawal, cookies=cookies_of(page), headers={"Origin": web}).status_code == 404


def test_the_open_page_of_a_version_before_leads_to_the_present_one(
    web: str, signed_on: StandIn, card: Certificate, open_page: Open
) -> None:
    page = open_page()
    sign_in(page, web, signed_on, card.holder_number)
    with transaction() as session:
        old = session.get_one(Certificate, card.id)
        kind = session.get_one(CertificateType, old.type_code)
        right = correct(session, kind, old, "address", "绍兴市柯桥区群贤路9999号", clock.today())
        new = supersede(session, old, right, "YY-1", clock.now())
        # What stands as its number is none.
        new.number = "没有"
        address, identifier = f"{web}/my/certificates/{new.id}", new.identifier
    page.goto(f"{web}/my/certificates/{card.id}")
    assert page.url == address
    assert "群贤路9999号" in main(page)
    cookies, ours = cookies_of(page), {"Origin": web}
    show = httpx.post(f"{web}/my/certificates/{card.id}/presentation", cookies=cookies, headers=ours)
    assert (show.status_code, "亮证码" in show.text) == (200, True)
    about = {"certificate": str(card.id), "field": "住址"}
    draft = httpx.post(f"{web}/objection-drafts/of-mine", data=about, cookies=cookies, headers=ours)
    page.goto(web + draft.headers["location"])
    assert page.get_by_label("证照编号").input_value() == identifier
    assert page.get_by_label("证照上现在写的是").input_value() == "绍兴市柯桥区群贤路9999号"


def test_nobody_gets_at_what_is_somebody_elses(
    web: str, signed_on: StandIn, department: Caller, card: Certificate, open_page: Open
) -> None:
    with reading() as session:
        stranger = session.scalars(
            select(Certificate).where(Certificate.holder_index != card.holder_index).order_by(Certificate.id)
        ).first()
    assert stranger is not None
    page = open_page()
    sign_in(page, web, signed_on, stranger.holder_number)
    page.goto(f"{web}/my/certificates/{card.id}")
    assert "您名下没有这件证照" in main(page)
    cookies = cookies_of(page)
    held = {"certificate_type": "身份证", "holder_number": card.holder_number, "certificate": card.number}
    assert department.post("/api/v1/certificates/authenticate", AT_THE_COUNTER | held).status_code == 200
    with reading() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.tag == "certificate:authenticate:answered"))
    for path, data in (
        (f"/my/certificates/{card.id}/presentation", {}),
        ("/objection-drafts/of-mine", {"certificate": str(card.id)}),
        (f"/my/uses/{entry.id}/doubt", {"why": str(own_certificates.Doubt.NOT_MINE)}),
    ):
        answer = httpx.post(web + path, data=data, cookies=cookies, headers={"Origin": web})
        assert answer.status_code == 404, path


def test_numbers_that_no_row_can_have_are_refused(
    web: str, signed_on: StandIn, card: Certificate, open_page: Open
) -> None:
    page = open_page()
    sign_in(page, web, signed_on, card.holder_number)
    cookies, ours = cookies_of(page), {"Origin": web}
    for number, status in ((2**63 - 1, 404), (2**63, 422), (0, 422)):
        asked = httpx.get(f"{web}/my/certificates/{number}", cookies=cookies)
        assert (asked.status_code, "请" in asked.text) == (status, True)
        doubt = {"why": str(own_certificates.Doubt.NOT_MINE)}
        for path, data in ((f"/my/uses/{number}/doubt", doubt), ("/objection-drafts/of-mine", {"certificate": number})):
            answer = httpx.post(web + path, data=data, cookies=cookies, headers=ours)
            assert answer.status_code == status, path
    draft = httpx.post(f"{web}/objection-drafts", data={"certificate_type": "身份证"}, headers=ours)
    dropped = httpx.post(web + draft.headers["location"], data={"drop": "9" * 5000}, headers=ours)
    assert (dropped.status_code, "需要更正" in dropped.text) == (422, True)


def test_a_session_ends_and_a_forged_one_never_began(
    web: str, signed_on: StandIn, card: Certificate, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page()
    sign_in(page, web, signed_on, card.holder_number)
    token = page.context.cookies()[0]["value"]
    for forged in ("x", token[:-2] + "AA", "长".encode().hex(), ""):
        answer = httpx.get(f"{web}/my/certificates", cookies={COOKIE: forged})
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?back=/my/certificates")
    import time

    later = time.time() + HOLDER_SESSION.value + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert httpx.get(f"{web}/my/certificates", cookies={COOKIE: token}).status_code == 303


def test_all_behind_one_address_sign_in_and_only_failures_count(
    web: str, signed_on: StandIn, card: Certificate
) -> None:
    for _ in range(SIGN_INS.value + 1):
        assert httpx.get(f"{web}/sign-in?ticket={signed_on.issue(card.holder_number)}").status_code == 303
    answers = [httpx.get(f"{web}/sign-in?ticket=forged").status_code for _ in range(SIGN_INS.value + 1)]
    assert answers == [401] * SIGN_INS.value + [429]


def test_a_ticket_that_is_none_leads_nowhere_and_back_leads_only_here(web: str, signed_on: StandIn) -> None:
    refused = httpx.get(f"{web}/sign-in?ticket=forged")
    assert (refused.status_code, "set-cookie" in refused.headers) == (401, False)
    assert "请从浙里办重新进入" in refused.text
    for back in ("https://elsewhere.example/", "//elsewhere.example", "/my/../desk", "/desk/YY-1"):
        answer = httpx.get(f"{web}/sign-in", params={"back": back})
        assert 'ezt-back="/my/certificates"' in answer.headers["set-cookie"]


def test_a_cookie_is_safe_where_the_connection_is(web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EZT_PUBLIC_URL", "https://kq.example.cn")
    forget_settings()
    from fastapi import Response

    from web import sessions

    answer = Response()
    sessions.begin(answer, "token")
    said = answer.headers["set-cookie"]
    assert said.startswith("__Host-ezt-session=token; HttpOnly; Max-Age=1800; Path=/; SameSite=lax; Secure")


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", None])
def test_a_form_of_somebody_elses_does_nothing_with_the_cookie(
    web: str, signed_on: StandIn, card: Certificate, open_page: Open, origin: str | None
) -> None:
    page = open_page()
    sign_in(page, web, signed_on, card.holder_number)
    cookies = cookies_of(page)
    headers = {"Origin": origin} if origin else {}
    path = f"{web}/my/certificates/{card.id}/presentation"
    assert httpx.post(path, cookies=cookies, headers=headers).status_code == 403
    assert httpx.post(path, cookies=cookies, headers=headers | {"Sec-Fetch-Site": "same-site"}).status_code == 403
    assert httpx.post(path, cookies=cookies, headers={"Origin": web}).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_form_on_a_page_elsewhere_signs_nobody_out(
    web: str, signed_on: StandIn, card: Certificate, open_page: Open, host: str
) -> None:
    page = open_page()
    sign_in(page, web, signed_on, card.holder_number)
    # Under its number the machine is the same site from another port, which brings the cookie; else another site.
    page.goto(f"{signed_on.url.replace('127.0.0.1', host)}{SIGN_IN}?back=")
    page.set_content(f'<form method="post" action="{web}/sign-out"><button>抽奖</button></form>')
    page.get_by_role("button", name="抽奖").click()
    page.wait_for_url(f"{web}/sign-out")
    assert "不是从本系统的页面发出的" in main(page)
    assert page.context.cookies(web) != []


def test_the_interface_neither_reads_nor_gives_cookies(web: str, signed_on: StandIn, card: Certificate) -> None:
    ticket = signed_on.issue(card.holder_number)
    opened = httpx.post(f"{web}/api/v1/holder-sessions", json={"ticket": ticket})
    assert "set-cookie" not in opened.headers
    cookies = {COOKIE: opened.json()["session"]}
    answer = httpx.post(f"{web}/api/v1/certificate-uses", json={}, cookies=cookies)
    assert answer.status_code == 422


def test_without_zheliban_the_page_says_where_to_go(web: str, open_page: Open) -> None:
    page: Any = open_page(viewport=PHONE)
    page.goto(f"{web}/my/certificates")
    assert "请在手机上打开“浙里办”" in main(page)
    assert barriers(page) == []
