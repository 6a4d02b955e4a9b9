"""The public pages as people see them: on a phone and a desk, in light and dark, in large type, without a barrier."""

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import select

from models.certificates import Certificate
from models.spot_checks import SpotCheck
from regulation.certificates import CertificateState
from regulation.limits import CHECKS
from regulation.supervision_reports import period_of
from runtime.database import reading, transaction
from tasks.spot_checks import steps as spot_checks
from tasks.spot_checks.questions import SpotCheckPublication
from tasks.supervision.reports import make_report
from tests.browser.conftest import DESKTOP, PHONE, Open, hindrances, is_too_wide
from tests.conftest import Clerk
from tests.interface.conftest import Caller, caller_of
from tests.interface.test_holders_api import AT_THE_COUNTER, valid
from tests.interface.test_spot_checks import case as case_of_checks
from tests.interface.test_spot_checks import finish, teams
from web import requests

pytestmark = pytest.mark.browser

PATHS = ["/", "/objections", "/objection-drafts", "/sign-in", "/copies", "/paper-reports", "/spot-checks", "/nowhere"]
round_ = case_of_checks


@pytest.fixture(autouse=True)
def _nobody_came_before(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = requests.SlidingWindowCounterRateLimiter(requests.MemoryStorage())
    monkeypatch.setattr(requests, "_counted", fresh)


@pytest.fixture
def department(web: str) -> Caller:
    return caller_of(web, "KQ-SCJG")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_pages_have_no_barriers(web: str, open_page: Open, scheme: str, viewport: Any) -> None:
    page = open_page(viewport=viewport, color_scheme=scheme)
    for path in [*PATHS, "/desk/sign-in"]:
        page.goto(web + path)
        assert hindrances(page) == [], path
        assert not is_too_wide(page), path


def test_every_page_loads_nothing_but_from_here_and_no_script_at_all(web: str) -> None:
    for path in PATHS:
        answer = httpx.get(web + path)
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "set-cookie" not in answer.headers
        for said in ("<script", "<style", " style=", "http://", "https://"):
            assert said not in answer.text, path


def test_a_report_wears_its_own_style_under_its_own_policy(web: str, open_page: Open) -> None:
    made = make_report(period_of("2026-10"), datetime(2026, 11, 2, tzinfo=UTC))
    page = open_page()
    answer = page.goto(web + urlsplit(made.link).path)
    assert answer is not None
    assert "unsafe" not in answer.headers["content-security-policy"]
    # What the policy blocked would stand on the console, which fails the test too.
    assert page.evaluate("document.styleSheets.length") == 1
    assert hindrances(page) == []


def test_a_style_sheet_is_kept_and_an_old_ones_address_is_none(web: str) -> None:
    sheet = httpx.get(web).text.split('rel="stylesheet" href="')[1].split('"')[0]
    answer = httpx.get(web + sheet)
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/css")
    assert httpx.get(web + sheet.replace("/static/", "/static/0")).status_code == 404
    assert httpx.get(f"{web}/static/x/..%2Fapp.py").status_code == 404


def test_the_front_page_leads_everywhere_with_the_keyboard(web: str, open_page: Open) -> None:
    page = open_page(viewport=PHONE)
    page.goto(web)
    names = []
    for _ in range(30):
        page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.textContent.trim()")
        if page.evaluate("document.activeElement === document.body"):
            break
        ring = "(getComputedStyle(document.activeElement, '::after').outlineStyle"
        ring += " + getComputedStyle(document.activeElement).outlineStyle)"
        assert "solid" in page.evaluate(ring), name
        names.append(name)
    services = ["提出异议", "查询进度", "我的证照与亮证", "谁用过我的证照", "核对存档副本", "窗口还要纸质证件？"]
    assert names[0] == "跳到正文"
    assert names[-len(services) - 1 :] == [*services, "随机抽查公示"]


# An archived copy by its file


def a_copy(department: Caller) -> tuple[Certificate, bytes]:
    licence = valid("营业执照")
    asked = {"certificate_type": "营业执照", "holder_number": licence.holder_number, "certificate": licence.number}
    answer = department.post("/api/v1/certificates/archived-copy", AT_THE_COUNTER | asked)
    assert answer.status_code == 200, answer.text
    return licence, base64.b64decode(answer.json()["content"])


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_anybody_checks_a_copy_by_its_file(
    web: str, department: Caller, open_page: Open, tmp_path: Path, scripts: bool
) -> None:
    licence, content = a_copy(department)
    file = tmp_path / "副本.pdf"
    page = open_page(viewport=PHONE, java_script_enabled=scripts)

    def checked(given: bytes) -> str:
        file.write_bytes(given)
        page.goto(f"{web}/copies")
        page.get_by_label("有文件的：上传核对").set_input_files(file)
        page.get_by_role("button", name="核对", exact=True).click()
        return str(page.get_by_role("status").inner_text())

    assert "是真的，所载证照现在有效" in checked(content)
    shown = page.get_by_role("main").inner_text()
    assert "营业执照" in shown
    assert not any(said in shown for said in (licence.holder_name, licence.number, "SP-2026-000123", "SCJG-017"))
    if scripts:
        assert hindrances(page) == []
    assert not is_too_wide(page)
    assert "改动过，不能用" in checked(content + b" ")
    assert "不是本系统出具的存档副本" in checked(b"\x89PNG\r\n\x1a\n" + b"\0" * 64)
    with transaction() as session:
        session.get_one(Certificate, licence.id).state = CertificateState.REVOKED
    assert "副本是真的，但所载证照现在已吊销或撤销" in checked(content)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "请选择要核对的文件"),
        ({"file": ("空.pdf", b"")}, "文件是空的"),
        ({"file": ("大.pdf", b"\0" * (10 * 2**20 + 1))}, "文件超过10MB"),
    ],
)
def test_what_cannot_be_checked_is_said(web: str, files: Any, said: str) -> None:
    answer = httpx.post(f"{web}/copies", files=files or {"x": ("", b"")}, timeout=30)
    assert answer.status_code == 422
    assert said in answer.text


def test_a_number_typed_leads_to_the_copys_standing(web: str, open_page: Open) -> None:
    page = open_page(viewport=PHONE)
    page.goto(f"{web}/copies")
    page.get_by_label("只有打印件的：输入副本编号").fill("FB-1/..?&")
    page.get_by_role("button", name="查询").click()
    assert "请核对" in page.get_by_role("alert").inner_text()
    assert hindrances(page) == []


def test_checks_without_end_are_asked_to_wait(web: str) -> None:
    statuses = [httpx.post(f"{web}/copies", files={"file": ("a.pdf", b"%PDF-")}).status_code for _ in range(61)]
    assert statuses == [200] * CHECKS.value + [429]


# The draw of a spot check


@pytest.fixture
def published(web: str, round_: Clerk) -> Clerk:
    for team in teams(round_):
        finish(web, round_, team)
    spot_checks.note_results.run(round_.case_no, 1)
    assert round_.answer(SpotCheckPublication, note="") is None
    spot_checks.publish_results.run(round_.case_no)
    return round_


def test_anybody_makes_a_published_draw_again(web: str, published: Clerk, open_page: Open, tmp_path: Path) -> None:
    page = open_page(viewport=PHONE)
    page.goto(f"{web}/spot-checks/{published.case_no}")
    page.get_by_role("button", name="重新抽取并核对").click()
    assert "相符" in page.get_by_role("status").inner_text()
    assert hindrances(page) == []
    right = httpx.get(f"{web}/spot-checks/{published.case_no}/draw.json").text
    with reading() as session:
        seed = str(session.scalars(select(SpotCheck.seed)).one())
    for given, said in (
        (right, "相符"),
        (right.replace(seed, "0" * 64), "不相符"),
        ("不是抽取文件", "不是抽查公布的抽取文件"),
    ):
        file = tmp_path / "draw.json"
        file.write_text(given, encoding="utf-8")
        details = page.locator("details")
        if details.get_attribute("open") is None:
            page.get_by_text("用自己保存的文件验算").click()
        page.get_by_label("抽取文件", exact=True).set_input_files(file)
        page.get_by_role("button", name="核对这个文件").click()
        assert said in page.get_by_role("status").inner_text()
