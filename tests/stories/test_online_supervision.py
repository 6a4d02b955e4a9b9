"""Online supervision on a real Prefect server (Article 17): from its deployment to the rectification that waits for an
officer, and what a run that dies leaves to the next."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import StateType
from sqlalchemy import select

from ezt.samples import catalogue as sample_catalogue
from ezt.samples import data as samples
from flows import supervision as stories
from models.cases import Case
from models.findings import Finding
from models.records import AuditEntry
from regulation.limits import OUTSIDE_LIST_USES
from runtime import clock
from runtime.database import reading, transaction
from tasks.supervision import uses as online_uses
from tests.conftest import Clerk, WorkedDesk
from tests.stories.test_objection_case import case_run

pytestmark = pytest.mark.timeout(600)

OFFICE = sample_catalogue.DEPARTMENTS[5]
STORY = "电子督查/online-supervision"
OPERATOR = "赵七的工号"


def refused(times: int) -> None:
    """Uses outside of the list, on each of the three days before today."""
    with transaction() as session:
        for number in range(times):
            at = clock.now() - timedelta(days=1 + number % 3)
            detail = {
                "department": samples.department_code(samples.DEFAULT_SEED, OFFICE),
                "item": "330603-MZ-999",
                "operator": OPERATOR,
                "business_no": f"MZ-{number}",
                "article": 9,
            }
            session.add(AuditEntry(at=at, actor="KQ-MZ", tag="certificate:query:refused", detail=detail))


def test_a_night_finds_what_was_tried_outside_the_list_and_an_officer_is_asked(
    desk: WorkedDesk, tmp_path: Path
) -> None:
    refused(OUTSIDE_LIST_USES.value)
    desk.carry_out(STORY)
    with reading() as session:
        (finding,) = session.scalars(select(Finding))
    assert (finding.rule, finding.subject) == ("outside-list", "330603-MZ-999")
    run = desk.wait(case_run(finding.case_no), StateType.PAUSED)
    assert run.name == f"督促整改 {finding.case_no} · {OFFICE} · 待处置"
    (report,) = [each for each in desk.client.read_artifacts() if each.key == "online-supervision"]
    assert f"{OUTSIDE_LIST_USES.value}次用证因超出用证清单被拒绝" in str(report.data)

    desk.carry_out(STORY)
    with reading() as session:
        assert len(session.scalars(select(Finding)).all()) == 1
        assert session.scalars(select(Finding.times)).one() == 1, "the same night again"
    assert desk.scan([OPERATOR]) == []


def test_a_run_that_dies_before_its_report_leaves_report_and_cases_to_the_next(
    clerk: Clerk, prefect_client: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    def reports() -> list[str]:
        every = prefect_client.read_artifacts()
        return [str(each.data) for each in every if each.key == "online-supervision"]

    # As for a large record: by processes of their own, out of a run of Prefect's.
    monkeypatch.setattr(online_uses, "ENTRIES", 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    refused(OUTSIDE_LIST_USES.value)
    with monkeypatch.context() as dying:
        dying.setattr(stories, "create_markdown_artifact", die)
        with pytest.raises(KeyboardInterrupt):
            stories.online_supervision()
    with reading() as session:
        (finding,) = session.scalars(select(Finding))
        assert session.get_one(Case, finding.case_no).flow_run_id is None
    assert reports() == []

    said = stories.online_supervision()
    assert said == "今天已经查过，新发现问题1个，已消除0个"
    (report,) = reports()
    assert f"{OUTSIDE_LIST_USES.value}次用证因超出用证清单被拒绝" in report
    assert str(prefect_client.read_flow_run(case_run(finding.case_no)).name).startswith("督促整改")
    with reading() as session:
        assert len(session.scalars(select(Finding)).all()) == 1
