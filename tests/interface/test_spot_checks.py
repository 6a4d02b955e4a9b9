"""Spot checks on pages (Article 17): what everybody sees, and how inspectors fill in and sign."""

import html
import json
import os
import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from ezt.up import free_port
from models.organisations import Officer
from models.spot_checks import SpotCheck, SpotCheckTeam
from regulation.spot_checks import TeamStage
from runtime import clock
from runtime.database import reading
from tasks.spot_checks import steps as spot_checks
from tasks.spot_checks.files import check_file
from tasks.spot_checks.questions import SpotCheckPublication
from tasks.spot_checks.results import lines_of
from tests.articles.test_article_17_spot_checks import filled, put
from tests.conftest import Clerk, wait_until, web_process

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def case(web: str) -> Clerk:
    """A round whose teams check."""
    found = Clerk(spot_checks.open_round("1", "专项", date(2026, 1, 1), date(2026, 1, 31), 500, "KQ001", clock.now()))
    spot_checks.publish_commitment.run(found.case_no)
    spot_checks.draw_objects.run(found.case_no)
    spot_checks.assign_inspectors.run(found.case_no)
    return found


def teams(case: Clerk) -> list[SpotCheckTeam]:
    with reading() as session:
        wanted = select(SpotCheckTeam).where(SpotCheckTeam.case_no == case.case_no)
        return list(session.scalars(wanted.order_by(SpotCheckTeam.department_uscc)))


def seed_of(case: Clerk) -> str:
    with reading() as session:
        return str(session.get_one(SpotCheck, case.case_no).seed)


def text(answer: httpx.Response, status: int = 200) -> str:
    assert answer.status_code == status, answer.text
    assert "None" not in answer.text
    return html.unescape(answer.text)


def signed(web: str, case: Clerk, staff_no: str) -> tuple[str, str]:
    """The page of the inspector who signed, and its ticket."""
    shown = text(httpx.post(f"{web}/spot-checks/{case.case_no}/checklists", data={"staff_no": staff_no, "code": "1"}))
    found = re.search(r'name="ticket" value="([^"]+)"', shown) or re.search(r'/([^/"]+)\.xlsx"', shown)
    assert found is not None
    return shown, found[1]


def address(web: str, team: SpotCheckTeam, what: str) -> str:
    return f"{web}/spot-checks/{team.case_no}/checklists/{team.department_uscc}/{what}"


def test_everybody_sees_the_commitment_first_and_the_rest_with_the_results(web: str, case: Clerk) -> None:
    listed = text(httpx.get(f"{web}/spot-checks"))
    assert f'href="/spot-checks/{case.case_no}"' in listed
    assert "请勿转发" not in listed
    before = text(httpx.get(f"{web}/spot-checks/{case.case_no}"))
    with reading() as session:
        promised = str(session.get_one(SpotCheck, case.case_no).commitment)
    assert promised in before
    assert seed_of(case) not in before
    assert "下载抽取文件" not in before
    assert "现在还没有" in text(httpx.get(f"{web}/spot-checks/{case.case_no}/draw.json"), 404)
    publish(web, case)
    answer = httpx.get(f"{web}/spot-checks/{case.case_no}")
    assert "<b>结束" not in answer.text
    after = text(answer)
    assert seed_of(case) in after
    assert "每次用证都有对应的业务办件" in after
    file = httpx.get(f"{web}/spot-checks/{case.case_no}/draw.json")
    assert file.headers["content-type"] == "application/json"
    assert check_file(file.text, promised) == []
    with reading() as session:
        names = [officer.name for officer in session.scalars(select(Officer))]
    assert not any(name in after + file.text for name in names)


def publish(web: str, case: Clerk) -> None:
    """All teams check, and staff publish what came of it."""
    for team in teams(case):
        finish(web, case, team)
    spot_checks.note_results.run(case.case_no, 1)
    assert case.answer(SpotCheckPublication, note="<b>结束</b>") is None
    spot_checks.publish_results.run(case.case_no)


def finish(web: str, case: Clerk, team: SpotCheckTeam) -> None:
    """Both sign on the page, with everything passed but one line."""
    one, other = team.inspectors
    with reading() as session:
        lines = lines_of(session, team)
    typed = {f"result-{line.number}": "合格" for line in lines} | {f"note-{line.number}": "" for line in lines}
    typed |= {"result-1": "不合格", "note-1": "业务SP-1有纸质件。", "ticket": signed(web, case, one)[1]}
    assert "请同组检查人员确认" in text(httpx.post(address(web, team, "lines"), data=typed))
    shown, ticket = signed(web, case, other)
    assert "业务SP-1有纸质件。" in shown
    assert "刚刚更改了结果" in text(httpx.post(address(web, team, "confirmation"), data={"ticket": ticket}), 409)
    forms = re.findall(rf'{team.department_uscc}/confirmation">.*?name="seen" value="([0-9a-f]+)"', shown, re.DOTALL)
    signature = {"ticket": ticket, "seen": forms[0]}
    assert "检查结果已确认" in text(httpx.post(address(web, team, "confirmation"), data=signature))


def test_a_round_that_there_is_not_is_not_found(web: str) -> None:
    assert "还没有公布过抽查" in text(httpx.get(f"{web}/spot-checks"))
    assert "请核对编号" in text(httpx.get(f"{web}/spot-checks/CC-2026-000009"), 404)
    assert "现在还没有" in text(httpx.get(f"{web}/spot-checks/CC-2026-000009/draw.json"), 404)


def test_an_inspector_signs_downloads_fills_in_and_uploads(web: str, case: Clerk) -> None:
    team = teams(case)[0]
    _, ticket = signed(web, case, team.inspectors[0])
    got = httpx.get(address(web, team, f"{ticket}.xlsx"))
    assert (got.status_code, got.headers["content-type"]) == (200, XLSX)

    def upload(content: bytes, ticket: str = ticket) -> httpx.Response:
        files = {"file": ("检查表.xlsx", content, XLSX)}
        return httpx.post(address(web, team, "workbook"), data={"ticket": ticket}, files=files)

    wrong = text(upload(filled(got.content, put(3, 8, "还行"))), 422)
    assert "检查表有1处须更正，未登记任何一行：\n序号1：结果只能是合格、不合格、不适用" in wrong
    assert "签名已过期" in text(upload(got.content, "x"), 403)
    assert "请选择填写好的检查表" in text(httpx.post(address(web, team, "workbook"), data={"ticket": ticket}), 422)
    assert teams(case)[0].stage is TeamStage.CHECKING
    assert "请同组检查人员确认" in text(upload(filled(got.content, lambda _: None)))
    assert teams(case)[0].stage is TeamStage.ENTERED


def test_what_was_typed_in_vain_stands_in_the_form_again_and_a_return_says_why(web: str, case: Clerk) -> None:
    team = teams(case)[0]
    one, other = team.inspectors
    _, ticket = signed(web, case, one)
    typed = {"ticket": ticket, "result-1": "不合格", "note-1": '缺件"><script>'}
    refused = httpx.post(address(web, team, "lines"), data=typed)
    assert "<script" not in refused.text
    assert '缺件"><script>' in text(refused, 422)
    with reading() as session:
        lines = lines_of(session, team)
    right = {f"result-{line.number}": "合格" for line in lines} | {"ticket": ticket}
    text(httpx.post(address(web, team, "lines"), data=right))
    _, ticket = signed(web, case, other)
    back = {"ticket": ticket, "why": "没有看业务系统。"}
    assert "已退回" in text(httpx.post(address(web, team, "return"), data=back))
    assert "同组检查人员退回：没有看业务系统。" in signed(web, case, one)[0]


def test_whoever_is_in_no_team_or_does_not_sign_sees_no_checklist(web: str, case: Clerk) -> None:
    where = f"{web}/spot-checks/{case.case_no}/checklists"
    assert "一次性验证码" in text(httpx.get(where))
    assert "工号或一次性验证码不对" in text(httpx.post(where, data={"staff_no": "KQ999"}), 403)
    assert "不在CC-2026-000009的检查组中" in text(
        httpx.post(f"{web}/spot-checks/CC-2026-000009/checklists", data={"staff_no": "KQ001"}), 409
    )
    strangers = [team for team in teams(case) if "KQ004" not in team.inspectors]
    ticket = signed(web, case, "KQ004")[1]
    answer: Any = httpx.get(address(web, strangers[0], f"{ticket}.xlsx"))
    assert "不在该部门的检查组中" in text(answer, 409)


# 验算


def recheck(web: str, case: Clerk, content: bytes, source: str = "") -> httpx.Response:
    """A file that somebody hands in to have the draw made again, from an address that the proxy names."""
    headers = {"X-Forwarded-For": source} if source else {}
    where = f"{web}/spot-checks/{case.case_no}/check"
    return httpx.post(where, files={"file": ("抽取.json", content)}, headers=headers, timeout=200)


def made_up(draw: dict[str, Any]) -> bytes:
    """A file with hundreds of departments and thousands of inspectors, each of whom could check each of them."""
    objects = [draw["frozen"]["objects"][0] | {"id": f"{n:04}", "department": f"D{n}"} for n in range(450)]
    inspectors = [{"staff_no": f"{n}", "barred": []} for n in range(2500)]
    frozen = draw["frozen"] | {"objects": objects, "inspectors": inspectors}
    return json.dumps(draw | {"frozen": frozen}, ensure_ascii=False).encode()


def test_a_file_that_is_longer_than_what_was_published_is_refused_unread(web: str, case: Clerk) -> None:
    publish(web, case)
    file = httpx.get(f"{web}/spot-checks/{case.case_no}/draw.json").content
    assert "您的文件：" in text(recheck(web, case, file))
    assert "您的文件：" in text(recheck(web, case, json.dumps(json.loads(file), indent=2).encode()))
    assert "比本轮公布的抽取文件大得多" in text(recheck(web, case, file + b" " * 2 * len(file) + b"["), 422)
    one_more = json.loads(file)
    one_more["frozen"]["inspectors"].append({"staff_no": "KQ999", "barred": []})
    content = json.dumps(one_more, ensure_ascii=False).encode()
    assert "检查人员等比本轮公布的多" in text(recheck(web, case, content), 422)
    # As many rows as were published, only otherwise.
    one_more["frozen"]["objects"].pop()
    changed = json.dumps(one_more, ensure_ascii=False).encode()
    shown = text(recheck(web, case, changed))
    assert "没有用来重新抽取" in shown
    assert "检查组不符" not in shown
    assert "这不是抽查公布的抽取文件" in text(recheck(web, case, b"[" * len(file)), 422)


@pytest.fixture
def process(web: str, case: Clerk) -> Iterator[tuple[str, int]]:
    """A web process of its own, which shows a round that is published: its address and its number."""
    publish(web, case)
    with web_process(os.environ, free_port()) as (address, running):
        yield address, running.pid


@pytest.mark.thorough
def test_made_up_files_hold_up_nobody(process: tuple[str, int], case: Clerk) -> None:
    web, _ = process
    content = made_up(httpx.get(f"{web}/spot-checks/{case.case_no}/draw.json").json())
    with ThreadPoolExecutor(48) as many:
        uploads = [many.submit(recheck, web, case, content) for _ in range(48)]
        text(httpx.get(f"{web}/spot-checks/{case.case_no}", timeout=20))
        assert {upload.result().status_code for upload in uploads} <= {422, 429}


@pytest.mark.thorough
def test_one_draw_a_source_is_made_again_beside_the_web_process(process: tuple[str, int], case: Clerk) -> None:
    web, number = process
    file = httpx.get(f"{web}/spot-checks/{case.case_no}/draw.json").content
    with ThreadPoolExecutor(2) as many:
        first = many.submit(recheck, web, case, file, "10.1.1.1")
        held = hold_child(number, set())
        second = many.submit(recheck, web, case, file, "10.1.1.2")
        also_held = hold_child(number, {held})
        # Neither ends before it is let go on.
        assert "上一次提交的还在处理" in text(recheck(web, case, file, "10.1.1.1"), 429)
        assert "提交的人较多" in text(recheck(web, case, file, "10.1.1.3"), 429)
        assert httpx.get(f"{web}/health").json() == {"status": "ok"}
        assert case.case_no in text(httpx.get(f"{web}/spot-checks"))
        assert not first.done()
        assert not second.done()
        for child in (held, also_held):
            os.kill(child, signal.SIGCONT)
        assert "您的文件：" in text(first.result())
        assert "您的文件：" in text(second.result())
    assert "您的文件：" in text(recheck(web, case, file, "10.1.1.1"))


def hold_child(of: int, but: set[int]) -> int:
    """Stop the process that another has started, as soon as it is there; its number."""
    found: list[int] = []

    def there() -> bool:
        threads = Path(f"/proc/{of}/task").glob("*/children")
        found[:] = [int(child) for each in threads for child in each.read_text().split() if int(child) not in but]
        return bool(found)

    wait_until(there, "没有另起进程验算")
    os.kill(found[0], signal.SIGSTOP)
    return found[0]
