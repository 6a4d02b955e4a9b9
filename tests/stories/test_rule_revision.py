"""The story of Article 16 on a real Prefect server with a real worker: from a listing on paper to the revised rule."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.objects import StateType

from ezt.desk import NotThereError
from ezt.samples import catalogue as sample_catalogue
from models.cases import Case
from models.rule_revisions import RuleRevision
from runtime import clock
from runtime.database import reading
from tasks.case.attachments import File
from tasks.case.department_links import ByLink
from tasks.desk.runs import nudge
from tasks.rule_revisions import reports
from tasks.rule_revisions.questions import RevisionReport
from tests.conftest import wait_until
from tests.stories.test_objection_case import case_run, until_stage

pytestmark = pytest.mark.timeout(600)

OFFICE = sample_catalogue.DEPARTMENTS[5]
WHY = "按钱𠮷舒的要求须提交纸质原件。"


def report(case_no: str, number: str) -> None:
    with reading() as session:
        token = session.get_one(RuleRevision, case_no).token
    given = RevisionReport(document_no=number, in_force_on=clock.today())
    reports.report(ByLink(token), given, [File("规程.pdf", "application/pdf", b"%PDF-1.4")], number)
    nudge(case_no)


def test_from_a_listing_on_paper_to_the_revised_rule(mailbox: Any, desk: Any, tmp_path: Path) -> None:
    listing = {"department": OFFICE, "document": "窗口收件规程", "clause": "第三条", "article": "8", "why": WHY}
    soon = str(clock.today() + timedelta(days=60))
    with pytest.raises(NotThereError, match="计划修订日期"):
        desk.start("rule-revision", "KQ001", **listing | {"planned_on": "2020-01-01"})
    case_no = f"XD-{clock.today().year}-000001"
    assert case_no in desk.start("rule-revision", "KQ001", **listing | {"planned_on": soon})

    run_id = case_run(case_no)
    assert desk.wait(run_id, StateType.PAUSED).name == f"制度修订 {case_no} · {OFFICE} · 待确认"
    with pytest.raises(NotThereError, match="退回理由"):
        desk.decide(case_no, "revision-confirmation", "KQ004", verdict="退回")
    desk.decide(case_no, "revision-confirmation", "KQ004", verdict="确认")
    until_stage(desk, case_no, "修订中")
    desk.wait(run_id, StateType.PAUSED)

    report(case_no, "柯民〔2026〕9号")
    until_stage(desk, case_no, "待核对")
    desk.wait(run_id, StateType.PAUSED)
    desk.decide(case_no, "revision-check", "KQ004", verdict="退回", days=5, reason="第三条没有改。")
    until_stage(desk, case_no, "修订中")
    desk.wait(run_id, StateType.PAUSED)
    report(case_no, "柯民〔2026〕10号")
    until_stage(desk, case_no, "待核对")
    desk.wait(run_id, StateType.PAUSED)
    desk.decide(case_no, "revision-check", "KQ004", verdict="已修订")
    assert desk.wait(run_id, StateType.COMPLETED, StateType.FAILED).name.endswith("已修订")
    with reading() as session:
        assert session.get_one(Case, case_no).closed_at is not None
        assert session.get_one(RuleRevision, case_no).document_no == "柯民〔2026〕10号"
    wait_until(lambda: len(mailbox.to("office06@example.cn")) == 3, "三封通知没有到齐", 90)
    subjects = [mail["Subject"][:5] for mail in mailbox.to("office06@example.cn")]
    assert subjects == ["请按计划修", "修订不到位", "制度修订已"]
    assert desk.scan([WHY]) == []
