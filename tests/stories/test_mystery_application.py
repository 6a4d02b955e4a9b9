"""Mystery applications on a real Prefect server with a real worker (Article 17): a round from its deployment to the
opened finding, a visit in person, and a citizen's report from the public page to its finding."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.client.schemas.objects import StateType
from sqlalchemy import select

from ezt.desk import NotThereError
from ezt.samples import catalogue as sample_catalogue
from ezt.samples import data as samples
from ezt.up import free_port
from models.cases import Case
from models.findings import Finding
from models.mystery_applications import TrialHolder
from runtime import clock
from runtime.database import reading
from tasks.office.applications import end_application
from tests.conftest import WorkedDesk, wait_until, web_process
from tests.stories.test_objection_case import case_run

pytestmark = pytest.mark.timeout(600)

OFFICE = sample_catalogue.DEPARTMENTS[5]
CITIZEN = {"email": "qianjishu@example.com", "phone": "0575-84120099", "account": "钱𠮷舒在窗口等了一上午"}


@pytest.fixture
def port(home: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Where the worker's runs will find the web process: known before the worker starts."""
    port = free_port()
    monkeypatch.setenv("EZT_INTERFACE_URL", f"http://127.0.0.1:{port}")
    return port


@pytest.fixture
def web(port: int, desk: WorkedDesk) -> Iterator[str]:
    """The web process, which reaches the desk's Prefect."""
    with web_process(desk.environment, port) as (url, _):
        yield url


def found() -> dict[str, Finding]:
    with reading() as session:
        return {each.rule: each for each in session.scalars(select(Finding))}


def has_run(case_no: str) -> bool:
    with reading() as session:
        return session.get_one(Case, case_no).flow_run_id is not None


def test_a_round_a_visit_and_a_report(mailbox: Any, port: int, desk: WorkedDesk, web: str, tmp_path: Path) -> None:
    end_application("KQ-ZRZY", "KQ004")
    desk.carry_out("模拟办事/mystery-application")
    opened = found()
    assert set(opened) == {"guide-copy", "guide-paper", "guide-presentation", "guide-unlisted", "trial-access"}
    assert opened["trial-access"].department_uscc == samples.department_code(1, sample_catalogue.DEPARTMENTS[1])
    with reading() as session:
        for each in opened.values():
            assert session.get_one(Case, each.case_no).closed_at is None
    (report,) = [each for each in desk.client.read_artifacts() if each.key == "mystery-application"]
    assert "用证清单条目17个：成功14个，被拒绝3个" in str(report.data)

    entry = {
        "department": OFFICE,
        "item_code": "330603-MZ-001",
        "visited_on": str(clock.today()),
        "material": "结婚证",
        "demand": "要求提供复印件",
    }
    with pytest.raises(NotThereError, match="没有名为"):
        desk.start("visit", "KQ001", **entry | {"department": "某某局"})
    desk.start("visit", "KQ001", **entry)
    assert "visit-copy" in found()

    page = httpx.get(f"{web}/paper-reports").text
    form = {
        "submission_no": re.findall(r'name="submission_no" value="(\w+)"', page)[0],
        "department": OFFICE,
        "matter": "查结婚档案",
        "material": "结婚证",
        "demand": "要求提供纸质原件",
        "happened_on": str(clock.today()),
        **CITIZEN,
    }
    assert httpx.post(f"{web}/paper-reports", data=form, timeout=30).status_code == 200
    case_no = f"FY-{clock.today().year}-000001"
    wait_until(lambda: has_run(case_no), "群众反映没有自动发起")
    run_id = case_run(case_no)
    assert desk.wait(run_id, StateType.PAUSED).name == f"群众反映 {case_no} · {OFFICE} · 待核实"
    verdict = {
        "verdict": "属实",
        "item_code": "330603-MZ-001",
        "certificate_type": "结婚证",
        "reason": "电话核实，窗口承认。",
    }
    with pytest.raises(NotThereError, match="属实的要通报部门整改，请在“事项”中写明"):
        desk.decide(case_no, "paper-report-verdict", "KQ004", **verdict | {"item_code": ""})
    desk.decide(case_no, "paper-report-verdict", "KQ004", **verdict)
    assert desk.wait(run_id, StateType.COMPLETED, StateType.FAILED).name.endswith("已属实")
    assert "citizen-paper" in found()
    assert [mail["Subject"][:7] for mail in mailbox.to(CITIZEN["email"])] == ["已收到您的反映", "您的反映已核实"]

    with reading() as session:
        invented = [holder.number for holder in session.scalars(select(TrialHolder))]
    assert desk.scan([*CITIZEN.values(), "查结婚档案", *invented]) == []
