"""The story of Article 17 on a real Prefect server with a real worker: from a finding over a return to mended."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.objects import StateType
from sqlalchemy import select

from ezt.desk import NotThereError
from ezt.samples import catalogue as sample_catalogue
from ezt.samples import data as samples
from models.cases import AnswerSource, Case, Deadline
from models.findings import Finding
from models.liaisons import LiaisonOfficer
from models.rectifications import Rectification
from regulation.findings import Source
from regulation.limits import RECTIFICATION
from regulation.rectifications import Response
from runtime import clock
from runtime.database import reading, transaction
from tasks.case.answers import record_answer
from tasks.case.calendars import is_working_day
from tasks.case.department_links import ByLink
from tasks.case.step import locked_case
from tasks.desk.runs import nudge
from tasks.rectifications.findings import Found, note_findings
from tasks.rectifications.questions import DepartmentResponse
from tasks.rectifications.responses import respond
from tests.conftest import wait_until
from tests.stories.test_objection_case import case_run, until_stage

pytestmark = pytest.mark.timeout(600)

NOBODY = sample_catalogue.DEPARTMENTS[9]
USCC = samples.department_code(samples.DEFAULT_SEED, NOBODY)
PERSON = "钱𠮷舒"


def say(case_no: str, kind: str, text: str, days: int = 0) -> None:
    with reading() as session:
        token = session.get_one(Rectification, case_no).token
    respond(ByLink(token), DepartmentResponse.model_validate({"kind": kind, "text": text, "days": days}), [], text)
    nudge(case_no)


def test_from_the_finding_to_the_mended_matter(mailbox: Any, desk: Any, tmp_path: Path) -> None:
    with transaction() as session:
        found = [Found("liaison-missing", USCC, "", "没有在册的专人。")]
        (case_no,) = note_findings(session, Source.ONLINE, found, clock.now(), ["liaison-missing"]).opened
    nudge(case_no)
    run_id = case_run(case_no)
    assert desk.wait(run_id, StateType.PAUSED).name == f"督促整改 {case_no} · {NOBODY} · 待处置"
    page = desk.page(case_no, "KQ004")
    assert "规则建议" in page
    assert '<input id="days" name="days" type="number" value="20"' in page
    decision = {"decision": "督促整改", "severity": "一般"}
    with pytest.raises(NotThereError, match="10至20个工作日"):
        desk.decide(case_no, "finding-decision", "KQ004", **decision, days=30)
    desk.decide(case_no, "finding-decision", "KQ004", **decision, days=10)
    until_stage(desk, case_no, "整改中")

    # More time is asked for and granted; the wait is the same run's.
    desk.wait(run_id, StateType.PAUSED)
    say(case_no, "申请延期", f"由{PERSON}负责，尚需时日。", 5)
    desk.decide(case_no, "extension-decision", "KQ004", verdict="同意延期")
    wait_until(lambda: running(case_no).days == 15, "截止日没有变动", 90)

    # The department's limit passes in silence: the watch reminds, then notes it, and the story sends it back.
    desk.asked(case_no, "department-response", "KQ004")
    with transaction() as session:
        session.get_one(Deadline, running(case_no).id).due_on = clock.today() - timedelta(days=1)
    if is_working_day(clock.now()):
        desk.carry_out("时限巡查/deadline-watch")
    else:
        # The watch rests on a day off: what it does on the next working day is done here.
        end_silence(case_no)
    wait_until(lambda: running(case_no).turn == 3, "逾期没有登记", 90)
    with reading() as session:
        assert session.get_one(Rectification, case_no).failures == 1

    # Mended, and seen to be so by the rule itself.
    with transaction() as session:
        session.add(
            LiaisonOfficer(
                department_uscc=USCC,
                name=PERSON,
                position="科员",
                phone="0575-84120099",
                email="qianjishu@example.com",
                from_on=clock.today(),
            )
        )
    desk.wait(run_id, StateType.PAUSED)
    say(case_no, "整改情况", f"已指定{PERSON}为专人。")
    assert desk.wait(run_id, StateType.COMPLETED, StateType.FAILED).name.endswith("已整改")
    with reading() as session:
        assert session.get_one(Case, case_no).closed_at is not None
        assert session.scalars(select(Finding.cleared_on)).one() == clock.today()
    wait_until(lambda: len(mailbox.to("office10@example.cn")) == 4, "四封通知没有到齐", 90)
    subjects = [mail["Subject"][:5] for mail in mailbox.to("office10@example.cn")]
    assert subjects == ["请整改：没", "同意延期整", "整改不到位", "督促整改办"]
    assert desk.scan([PERSON]) == []


def end_silence(case_no: str) -> None:
    with transaction() as session:
        case, given = locked_case(session, case_no), {"kind": Response.SILENT}
        record_answer(session, case, DepartmentResponse, 2, AnswerSource.TIME_LIMIT, "silent", given, clock.now())
    nudge(case_no)


def running(case_no: str) -> Deadline:
    with reading() as session:
        wanted = select(Deadline).where(Deadline.case_no == case_no, Deadline.limit_code == RECTIFICATION.code)
        return session.scalars(wanted.order_by(Deadline.id.desc()).limit(1)).one()
