"""Online supervision on a real Prefect server with a real worker (Article 17): from its deployment to the rectification
that waits for an officer."""

from datetime import timedelta
from pathlib import Path

import pytest
from prefect.client.schemas.objects import StateType
from sqlalchemy import select

from ezt import sample_catalogue
from ezt import sample_data as samples
from models.findings import Finding
from models.records import AuditEntry
from regulation.limits import OUTSIDE_LIST_USES
from runtime import clock
from runtime.database import reading, transaction
from tests.conftest import WorkedDesk
from tests.stories.test_objection_case import case_run, scan

pytestmark = pytest.mark.timeout(600)

OFFICE = sample_catalogue.DEPARTMENTS[5]
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
    desk.carry_out("电子督查/online-supervision")
    with reading() as session:
        (finding,) = session.scalars(select(Finding))
    assert (finding.rule, finding.subject) == ("outside-list", "330603-MZ-999")
    run = desk.wait(case_run(finding.case_no), StateType.PAUSED)
    assert run.name == f"督促整改 {finding.case_no} · {OFFICE} · 待处置"
    (report,) = [each for each in desk.client.read_artifacts() if each.key == "online-supervision"]
    assert f"{OUTSIDE_LIST_USES.value}次用证因超出用证清单被拒绝" in str(report.data)

    desk.carry_out("电子督查/online-supervision")
    with reading() as session:
        assert len(session.scalars(select(Finding)).all()) == 1
        assert session.scalars(select(Finding.times)).one() == 1, "the same night again"
    assert scan(tmp_path / "prefect" / "prefect.db", [OPERATOR]) == []
