"""The review of new systems on a real Prefect server with a real worker: one that provides for nothing is not reviewed,
one that comes from the start form gets its reference, another its mails at each turn."""

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.objects import StateType
from sqlalchemy import select, update

from ezt.desk import NotThereError
from models.cases import Case
from models.findings import Finding
from models.system_reviews import SystemReview
from runtime import clock
from runtime.database import reading, transaction
from tasks.case.calendars import is_working_day
from tasks.desk.runs import nudge
from tasks.system_reviews.standing import standing_of_review
from tasks.system_reviews.steps import behind_reference, submit_for_department
from tests.articles.test_article_17_system_reviews import MARKET, form, project, put_on_list
from tests.conftest import wait_until
from tests.stories.test_objection_case import case_run, until_stage

pytestmark = pytest.mark.timeout(600)

PRIVATE = {"contact_name": "钱𠮷舒", "contact_phone": "0575-84120099", "contact_email": "qianjishu@example.com"}


def flat(given: Any, within: str = "") -> dict[str, str]:
    """What an application says, as it is typed into the fields of the page."""
    if isinstance(given, bool):
        return {within: "是" if given else "否"}
    if isinstance(given, list) and all(isinstance(each, str) for each in given):
        return {within: "、".join(given)}
    if not isinstance(given, dict | list):
        return {within: str(given)}
    parts = given.items() if isinstance(given, dict) else enumerate(given)
    return {
        name: text for part, each in parts for name, text in flat(each, f"{within}-{part}" if within else part).items()
    }


def test_from_a_plan_that_says_nothing_to_a_reference(mailbox: Any, desk: Any, tmp_path: Path) -> None:
    soon = str(clock.today() + timedelta(days=7))
    application = flat(project(**PRIVATE, go_live_on=soon) | {"department": MARKET})
    with pytest.raises(NotThereError, match="联系邮箱格式不对"):
        desk.start("system-review", "KQ001", **application | {"contact_email": "x"})

    # A department's system submits a plan that is silent on issuing and sharing; nobody of the staff has to act.
    silent = form(**PRIVATE, go_live_on=soon, issuing={}, sharing={"text": "待定"})
    refused = submit_for_department(silent, MARKET, "KQ-SCJG:S-1", "KQ-SCJG")
    nudge(refused)
    until_stage(desk, refused, "不予评审")
    done = desk.wait(case_run(refused), StateType.COMPLETED, StateType.FAILED)
    assert done.state.type is StateType.COMPLETED
    assert done.name == f"系统评审 {refused} · {project()['project_name']} · 不予评审"

    # It comes again, on paper this time.
    case_no = f"PS-{clock.today().year}-000002"
    assert case_no in desk.start("system-review", "KQ001", **application)
    run_id = case_run(case_no)
    desk.wait(run_id, StateType.PAUSED)
    shown = desk.page(case_no, "KQ004")
    assert "与第1版相比" in shown
    assert "改动2项：签发、共享" in shown
    with pytest.raises(NotThereError, match="理由或补充内容"):
        desk.decide(case_no, "system-review", "KQ004", verdict="评审不通过")
    desk.decide(case_no, "system-review", "KQ004", verdict="补充材料", text="请写明共享给哪些部门。")
    until_stage(desk, case_no, "待补充材料")
    desk.wait(run_id, StateType.PAUSED)

    # The department sends the next version, and the suspended story goes on by itself.
    more = form(**PRIVATE, go_live_on=soon, persons=150_000)
    assert submit_for_department(more, MARKET, "KQ-SCJG:S-2", "KQ-SCJG") == case_no
    nudge(case_no)
    until_stage(desk, case_no, "评审中")
    desk.wait(run_id, StateType.PAUSED)
    desk.decide(case_no, "system-review", "KQ004", verdict="评审通过")
    assert desk.wait(run_id, StateType.COMPLETED, StateType.FAILED).name.endswith("评审通过")
    with reading() as session:
        assert session.get_one(Case, case_no).closed_at is not None
    reference = standing_of_review(MARKET, case_no)["reference"]
    assert behind_reference(reference).department == MARKET

    # It goes live within three weeks: the department is reminded of what it promised.
    desk.carry_out("上线核对/go-live-check")
    desk.start("go-live", "KQ001", case_no=case_no, kind="已上线", on=str(clock.today()))
    assert standing_of_review(MARKET, case_no)["live_on"] == str(clock.today())

    turns = [
        f"已收到系统评审项目（{refused}）",
        f"不予评审（{refused}）：2处建设内容没有明确",
        f"已收到系统评审项目（{case_no}）",
        f"请补充系统评审材料（{case_no}）",
        f"系统评审通过（{case_no}）：{reference}",
        f"系统即将上线（{case_no}）：{project()['project_name']}",
    ]
    # The watch keeps quiet on days off, and so does its reminder.
    turns = turns if is_working_day(clock.now()) else turns[:-1]
    wait_until(lambda: len(mailbox.to(PRIVATE["contact_email"])) == len(turns), "通知没有到齐", 90)
    subjects = [re.sub("：[0-9年月日]+截止$", "", mail["Subject"]) for mail in mailbox.to(PRIVATE["contact_email"])]
    assert sorted(subjects) == sorted(turns)
    text = mailbox.to(PRIVATE["contact_email"])[1].get_body(("plain",)).get_content()
    assert "第十七条：方案没有明确电子证照的签发" in text
    assert "不予评审不等于评审不通过" in text
    # Weeks later nothing of it stands on the use list; then it does.
    with transaction() as session:
        earlier = clock.today() - timedelta(days=40)
        session.execute(update(SystemReview).values(live_on=earlier, passed_on=earlier))
    desk.carry_out("上线核对/go-live-check")
    if is_working_day(clock.now()):
        assert findings() == {"go-live-not-listed": [None, None]}
    for certificate in ("营业执照", "残疾人证"):
        put_on_list(certificate, from_on=clock.today())
    desk.carry_out("上线核对/go-live-check")
    if is_working_day(clock.now()):
        assert findings() == {"go-live-not-listed": [clock.today()] * 2}

    found = desk.scan([*PRIVATE.values(), project()["logging"]["text"]])
    assert found == []


def findings() -> dict[str, list[date | None]]:
    """When the findings were cleared, by rule."""
    found: dict[str, list[date | None]] = {}
    with reading() as session:
        for finding in session.scalars(select(Finding)):
            found.setdefault(finding.rule, []).append(finding.cleared_on)
    return found
