"""``ezt notices preview``: every notice on one page that needs neither network nor database."""

import json
import re
from html import unescape
from pathlib import Path

from ezt.samples.notices import EXAMPLES
from notifications.rendering import render
from tests.command_line.conftest import assert_refused, ezt


def test_the_page_shows_every_notice_in_both_forms(home: Path, tmp_path: Path) -> None:
    out, nowhere = tmp_path / "通知", tmp_path / "none"
    done = ezt("notices", "preview", "--out", str(out), "--json", EZT_HOME=str(nowhere))
    page = out / "index.html"
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"page": str(page), "letters": len(EXAMPLES)}
    assert not nowhere.exists()
    assert len(list(out.glob("*.eml"))) == len(EXAMPLES)
    html = page.read_text(encoding="utf-8")
    framed = [unescape(frame) for frame in re.findall('srcdoc="([^"]*)"', html)]
    plain = [unescape(text) for text in re.findall("(?s)<pre[^>]*>(.*?)</pre>", html)]
    for place, rendered in enumerate(render(example.notice) for example in EXAMPLES):
        assert rendered.subject in unescape(html)
        assert framed[2 * place : 2 * place + 2] == [rendered.html] * 2, "on a phone and on a desktop"
        assert plain[place] == rendered.text
    # Only files beside it and places on it; nothing is fetched.
    addresses = re.findall(r'(?:href|src)="([^"]*)"', re.sub('srcdoc="[^"]*"', "", html))
    assert all(address.startswith("#") or (out / address).is_file() for address in addresses)
    assert not re.search(r"<(script|link|img)\b|url\(|@import", html)


def test_the_page_asks_for_a_contact_until_there_is_one(home: Path, tmp_path: Path) -> None:
    ezt("notices", "preview", "--out", str(tmp_path))
    assert "请设置EZT_CONTACT_PHONE和EZT_CONTACT_ADDRESS" in (tmp_path / "index.html").read_text()
    contact = {"EZT_CONTACT_PHONE": "0575-84120000", "EZT_CONTACT_ADDRESS": "样例路1号"}
    done = ezt("notices", "preview", "--out", str(tmp_path), **contact)
    assert done.stdout == f"已生成通知{len(EXAMPLES)}封，请用浏览器打开{tmp_path / 'index.html'}。\n"
    html = (tmp_path / "index.html").read_text()
    assert "请设置" not in html
    assert html.count("电话：0575-84120000，地址：样例路1号") == 3 * len(EXAMPLES)


def test_a_folder_that_cannot_be_written_is_one_line(home: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert_refused(ezt("notices", "preview", "--out", str(tmp_path / "file")), "不能读写")


def test_a_contact_that_is_no_telephone_number_is_refused(home: Path, tmp_path: Path) -> None:
    done = ezt("notices", "preview", "--out", str(tmp_path), EZT_CONTACT_PHONE="请致电")
    assert_refused(done, "EZT_CONTACT_PHONE")
