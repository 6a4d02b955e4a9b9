"""A random spot check (Article 17) on a real Prefect server and worker: from schedule and form to a closed round
with a finding; and the registers' start forms."""

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from prefect.client.schemas.objects import StateType
from sqlalchemy import func, select

from ezt.desk import NotThereError
from ezt.samples import catalogue as sample_catalogue
from models.findings import Finding
from models.spot_checks import CheckItem, Inspector, InspectorConflict, SpotCheck, SpotCheckTeam
from runtime import clock
from runtime.database import reading
from tasks.case.calendars import is_working_day
from tasks.desk.runs import nudge
from tasks.spot_checks.files import check_file
from tasks.spot_checks.publications import draw_file, round_in_public
from tasks.spot_checks.results import checklist_file, checklists, confirm_results, enter_workbook, sign_for_checklists
from tests.articles.test_article_17_spot_checks import LIFE
from tests.conftest import officer_of
from tests.stories.test_objection_case import case_run, until_stage

pytestmark = pytest.mark.timeout(600)

LAND, CIVIL = sample_catalogue.DEPARTMENTS[1], sample_catalogue.DEPARTMENTS[5]


def teams(case_no: str) -> list[SpotCheckTeam]:
    with reading() as session:
        wanted = select(SpotCheckTeam).where(SpotCheckTeam.case_no == case_no)
        return list(session.scalars(wanted.order_by(SpotCheckTeam.department_uscc)))


def check(desk: Any, case_no: str, passed: bool) -> None:
    """Every team fills in its workbook and signs twice; nothing fails but, unless ``passed``, one line."""
    tickets: dict[str, str] = {}
    for team in teams(case_no):
        for staff_no in team.inspectors:
            if staff_no not in tickets:
                tickets[staff_no] = sign_for_checklists(case_no, **desk.sign(staff_no), address="127.0.0.1")
        one, other = team.inspectors
        _, content = checklist_file(case_no, team.department_uscc, tickets[one], LIFE)
        workbook = openpyxl.load_workbook(io.BytesIO(content))
        sheet = workbook.active
        for row in range(3, sheet.max_row + 1):
            sheet.cell(row, 8, "合格")
        if not passed:
            sheet.cell(3, 8, "不合格")
            sheet.cell(3, 9, "业务档案中仍有纸质件。")
            passed = True
        back = io.BytesIO()
        workbook.save(back)
        enter_workbook(case_no, team.department_uscc, tickets[one], LIFE, "检查表.xlsx", back.getvalue())
        seen = next(
            each for each in checklists(case_no, tickets[other], LIFE) if each.uscc == team.department_uscc
        ).digest
        if confirm_results(case_no, team.department_uscc, tickets[other], LIFE, seen):
            nudge(case_no)


def test_from_the_form_to_a_closed_round_with_a_finding(mailbox: Any, desk: Any, tmp_path: Path) -> None:
    # The sample's register will do; one more conflict, refused first, and a check item come by their forms.
    wrong = {"inspector": "KQ003", "department": "某局", "ties": "申报回避"}
    with pytest.raises(NotThereError, match="没有名为"):
        desk.start("conflict", "KQ004", **wrong)
    desk.start("conflict", "KQ004", **wrong | {"department": LAND})
    item = {
        "item_code": "SC-09",
        "title": "窗口公示可用的电子证照",
        "how": "查看窗口公示内容",
        "kinds-1": "用证清单条目",
        "fault": "能用电子证照仍要求纸质证照",
        "standing": "有效",
    }
    desk.start("check-item", "KQ001", **item)
    desk.start("inspector", "KQ002", inspector="KQ001", what="列入")
    with reading() as session:
        assert session.get_one(CheckItem, "SC-09").article == 8
        assert session.scalar(select(func.count()).select_from(Inspector)) == 4
        assert session.scalar(select(func.count()).select_from(InspectorConflict)) == 5

    start = {"title": "年中专项", "period_from": "2026-01-01", "period_until": "2026-01-31", "percent": "4"}
    with pytest.raises(NotThereError, match="抽查比例不得低于5%"):
        desk.start("spot-check", "KQ003", **start)
    case_no = f"CC-{clock.today().year}-000001"
    assert case_no in desk.start("spot-check", "KQ003", **start | {"percent": "5"})

    run_id = case_run(case_no)
    waiting = desk.wait(run_id, StateType.PAUSED)
    assert waiting.name == f"随机抽查 {case_no} · 年中专项 · 检查中"
    promised = round_in_public(case_no).commitment
    head = desk.page(case_no)
    assert promised in head
    assert CIVIL in head
    officer = officer_of(case_no)
    answer = {"kind": "全部检查组已登记并确认", "reason": ""}
    with pytest.raises(NotThereError, match="还有检查组没有确认结果"):
        desk.decide(case_no, "spot-check-results", officer, **answer)
    team = teams(case_no)[0]
    with reading() as session:
        spot_check = session.get_one(SpotCheck, case_no)
    seed = str(spot_check.seed)

    check(desk, case_no, passed=False)
    until_stage(desk, case_no, "待公布结果")
    desk.wait(run_id, StateType.PAUSED)
    with reading() as session:
        (found,) = session.scalars(select(Finding)).all()
    assert found.department_uscc == team.department_uscc
    assert "业务档案中仍有纸质件" in found.facts
    assert desk.scan([seed]) == []
    desk.decide(case_no, "spot-check-publication", officer, note="本轮抽查已结束。")
    closed = desk.wait(run_id, StateType.COMPLETED, StateType.FAILED)
    assert closed.state.type is StateType.COMPLETED, closed.state
    assert closed.name.endswith("结果已公布")
    assert check_file(draw_file(case_no), promised) == []
    assert sum(each.checked - each.passed for each in round_in_public(case_no).departments) == 1
    assert [mail["Subject"] for mail in mailbox.to(f"{team.inspectors[0].lower()}@example.cn")]


def test_the_schedule_opens_the_quarters_round_once(desk: Any) -> None:
    for _ in range(2):
        desk.carry_out("抽查日程/spot-check-schedule")
    with reading() as session:
        rounds = session.scalars(select(SpotCheck)).all()
    assert len(rounds) == int(is_working_day(clock.now()))
    for spot_check in rounds:
        assert desk.wait(case_run(spot_check.case_no), StateType.PAUSED).name.endswith("检查中")
