"""The public pages as people see them: on a phone and a desk, in light and dark, without a barrier."""

from typing import Any

import pytest

from tests.browser.conftest import DESKTOP, PHONE, Open, barriers, is_too_wide

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", ["/paper-reports", "/spot-checks", "/desk/YY-2026-000001"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_pages_have_no_barriers(web: str, open_page: Open, path: str, scheme: str, viewport: Any) -> None:
    page = open_page(viewport=viewport, color_scheme=scheme)
    page.goto(web + path)
    assert barriers(page) == []
    assert not is_too_wide(page)
