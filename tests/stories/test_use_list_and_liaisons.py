"""The stories of Articles 9 and 13 on a real Prefect server with a real worker: a filing on paper, a proposal that is
reviewed, the watch over both."""

from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.objects import StateType

from ezt.desk import NotThereError
from ezt.samples import catalogue as sample_catalogue
from ezt.samples import data as samples
from models.cases import Case
from models.use_lists import UseListEntry
from runtime import clock
from runtime.database import reading
from tasks.office.recipients import liaisons_on_file
from tasks.use_list.standing import in_force
from tasks.use_list.steps import register_proposal
from tests.stories.test_objection_case import case_run

pytestmark = pytest.mark.timeout(600)

NOBODY = sample_catalogue.DEPARTMENTS[9]
USCC = samples.department_code(samples.DEFAULT_SEED, NOBODY)
PERSON = {"name": "钱𠮷舒", "phone": "0575-84120099", "email": "qianjishu@example.com"}
LINES = [
    {
        "item_code": "330603-YB-001",
        "item_name": "医疗救助申请",
        "certificate_type": "残疾人证",
        "scenario": scenario,
        "fields": "姓名、残疾类别",
        "authorisation": True,
    }
    for scenario in ("窗口受理", "网上受理")
]


def test_a_filing_on_paper_then_a_proposal_then_the_watch(mailbox: Any, desk: Any, tmp_path: Path) -> None:
    filing = {"kind": "指定", "department": NOBODY, "position": "科员", **PERSON}
    with pytest.raises(NotThereError, match="电话格式不对"):
        desk.start("liaison", "KQ001", **filing | {"phone": "无"})
    case_no = f"ZR-{clock.today().year}-000001"
    assert case_no in desk.start("liaison", "KQ001", **filing)

    run_id = case_run(case_no)
    waiting = desk.wait(run_id, StateType.PAUSED)
    assert waiting.name == f"专人备案 {case_no} · {NOBODY} · 待确认"
    assert PERSON["name"] in desk.page(case_no, "KQ004")
    with pytest.raises(NotThereError, match="退回理由"):
        desk.decide(case_no, "liaison-confirmation", "KQ004", verdict="退回")
    desk.decide(case_no, "liaison-confirmation", "KQ004", verdict="确认")
    assert desk.wait(run_id, StateType.COMPLETED, StateType.FAILED).name.endswith("已备案")
    with reading() as session:
        assert [each.name for each in liaisons_on_file(session, USCC, clock.today())] == [PERSON["name"]]

    # What was registered while nobody could tell Prefect gets its run from recovery.
    proposal = register_proposal(USCC, list(enumerate(LINES, 1)), "story", "KQ-YB").case_no
    desk.carry_out("系统巡检/system-round", only=["办件恢复"])
    run_id = case_run(proposal)
    assert desk.wait(run_id, StateType.PAUSED).name == f"用证清单 {proposal} · {NOBODY} · 待审核"
    assert "新增" in desk.page(proposal, "KQ004")
    with pytest.raises(NotThereError, match="没有第7行"):
        desk.decide(proposal, "use-list-review", "KQ004", verdict="部分通过", refused="7", reason="尚未对接。")
    desk.decide(proposal, "use-list-review", "KQ004", verdict="部分通过", refused="2", reason="网上受理尚未对接。")
    assert desk.wait(run_id, StateType.COMPLETED, StateType.FAILED).name.endswith("部分列入清单")
    with reading() as session:
        listed = in_force(session, clock.today(), UseListEntry.department_uscc == USCC)
        assert session.get_one(Case, proposal).closed_at is not None
    assert [entry.scenario for entry, _ in listed] == ["窗口受理"]

    desk.carry_out("清单巡查/use-list-watch")
    mails = [mail["Subject"] for mail in mailbox.to(PERSON["email"])]
    assert [subject[:6] for subject in mails] == ["电子证照管理", "用证清单审核"]
    assert desk.scan(list(PERSON.values())) == []
