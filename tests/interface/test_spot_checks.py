"""Spot checks on pages (Article 17): what everybody sees, and how inspectors fill in and sign."""

import html
import re
from datetime import date
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from models.organisations import Officer
from models.spot_checks import SpotCheck, SpotCheckTeam
from regulation.spot_checks import TeamStage
from runtime import clock
from runtime.database import reading
from tasks import spot_checks
from tasks.spot_check_files import check_file
from tasks.spot_check_questions import SpotCheckPublication
from tasks.spot_check_results import lines_of
from tests.articles.test_article_17_spot_checks import filled, put
from tests.conftest import Clerk

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
    for team in teams(case):
        finish(web, case, team)
    spot_checks.note_results.run(case.case_no, 1)
    assert case.answer(SpotCheckPublication, note="<b>结束</b>") is None
    spot_checks.publish_results.run(case.case_no)
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
