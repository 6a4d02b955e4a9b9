"""A real Chromium for the tests of what people see: it fails a test whose page asks anybody outside this machine.

``EZT_WRITE_PICTURES=1`` takes the pictures for people to look at: the staff guide's (docs/images/staff-*.png) and, in
build/pictures, every question's. No test hangs on one: now and then Chromium refuses to take a picture.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, sync_playwright

from tests.conftest import wait_until

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
"""The rule sets of axe that make up WCAG 2.2, levels A and AA."""
HERE = ("127.0.0.1", "localhost")
QUIET = [
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Nobody else is found, and nobody has to look at each request on its way.
    f"--host-resolver-rules=MAP * ~NOTFOUND{''.join(f', EXCLUDE {each}' for each in HERE)}",
]

WRITE_PICTURES = os.environ.get("EZT_WRITE_PICTURES") == "1"
PICTURES = Path(__file__).parents[2] / "build" / "pictures"

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium without a window, which takes half as much of the processor; for one file, because Playwright's
    event loop runs in this thread while it lives."""
    program = shutil.which("chromium-headless-shell")
    needed = "chromium-headless-shell fonts-noto-cjk"
    assert program is not None, f"请安装{needed}（Debian：apt-get install {needed}），测试不跳过它"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=QUIET, chromium_sandbox=False)
        yield browser
        browser.close()


@contextmanager
def watched(chromium: Browser) -> Iterator[Open]:
    """While the block runs, opens pages of browsers that nobody has used before. At the end no page may have asked for
    anything outside, nor complained on its console."""
    outside: list[str] = []
    complaints: list[str] = []

    def only_here(request: Request) -> None:
        if urlsplit(request.url).scheme not in ("data", "blob") and urlsplit(request.url).hostname not in HERE:
            outside.append(request.url)

    contexts = []

    def opened(**how: Any) -> Page:
        context = chromium.new_context(locale="zh-CN", timezone_id="Asia/Shanghai", **{"viewport": DESKTOP} | how)
        contexts.append(context)
        context.set_default_timeout(15_000)
        context.on("request", only_here)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(f"{page.url}: {said.text}") if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert outside == []
    # That a page was answered with an error is not the page's complaint.
    assert [each for each in complaints if "Failed to load resource" not in each] == []


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Open]:
    """``open_page(viewport=PHONE, color_scheme="dark", java_script_enabled=False)``: a page of a browser that nobody
    has used before."""
    with watched(chromium) as opened:
        yield opened


def picture(page: Page, name: str, *, folder: Path = PICTURES, full_page: bool = False) -> str:
    """Take a picture of a page that is all there, where pictures are asked for; its name comes back."""
    if WRITE_PICTURES:
        page.wait_for_load_state("networkidle")
        page.screenshot(path=folder / f"{name}.png", full_page=full_page)
    return name


def meanwhile(page: Page, condition: Callable[[], object], otherwise: str, seconds: float = 60) -> None:
    """Wait while the page lives: its requests pass through this process, which must not sleep."""
    wait_until(lambda: page.wait_for_timeout(50) or condition(), otherwise, seconds)


def barriers(page: Page) -> list[str]:
    """What keeps people from a page by WCAG 2.2 AA, as axe finds it: rule, place, and what to do."""
    # A click returns when the next page's first bytes are there, not all of it.
    page.wait_for_load_state()
    # Of what is as it should be it would describe every element, too.
    found = Axe().run(page, options={"runOnly": WCAG, "resultTypes": ["violations"]}).response["violations"]
    return [
        f"{rule['id']} {node['target']} {node.get('failureSummary', '')}" for rule in found for node in rule["nodes"]
    ]


def is_too_wide(page: Page) -> bool:
    """Whether one has to scroll sideways."""
    page.wait_for_load_state()
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def hindrances(page: Page) -> list[str]:
    """What keeps people from a page: what axe finds, no heading or several to begin with, and having to scroll sideways
    on a phone of 320 pixels or with letters of twice the size. The page is left as it was."""
    found = barriers(page)
    if page.get_by_role("heading", level=1).count() != 1:
        found.append("not one heading of the first level")
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": 320, "height": 640})
    if is_too_wide(page):
        found.append("too wide for 320 pixels")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    if is_too_wide(page):
        found.append("too wide with letters of twice the size")
    page.evaluate("document.documentElement.style.fontSize = ''")
    page.set_viewport_size(size)
    return found


def complains(page: Page, label: str, sentence: str) -> bool:
    """Whether a page that was sent back says this about the field of this label: in the summary, which leads to it, and
    beside it, tied to it for who cannot see it."""
    field = page.get_by_label(label, exact=True).first
    lead = page.get_by_role("alert").get_by_role("link", name=sentence).first
    beside = page.locator(f'[id="{field.get_attribute("id")}-wrong"]')
    described = field.get_attribute("aria-describedby") or field.locator("xpath=ancestor::fieldset").get_attribute(
        "aria-describedby"
    )
    return (
        page.title().startswith("有误：")
        and lead.get_attribute("href") == f"#{field.get_attribute('id')}"
        and sentence in beside.inner_text()
        and f"{field.get_attribute('id')}-wrong" in (described or "").split()
    )
