"""Article 11's batch on a real Prefect server: thousands of rows with many kinds of errors, and a worker that is killed
in the middle."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.objects import StateType
from prefect.states import Crashed
from sqlalchemy import func, select

from models.backfill_batches import BackfillBatch, BackfillProblem
from models.certificates import Certificate
from models.records import AuditEntry
from regulation.backfill.batches import BatchStage, Outcome
from runtime import clock
from runtime.database import reading
from tasks.backfill import batch_files as backfill_batch_files
from tasks.backfill.batches import ROW_REGISTERED, submit_batch
from tasks.backfill.checks import check_file
from tasks.desk.runs import nudge
from tests.articles.test_article_11_batch import OFFICE, marriage, written
from tests.conftest import wait_until
from tests.stories.test_objection_case import case_run

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(600)]

ROWS, CHUNK, WRONG_EVERY = 5_000, 200, 10
LONG = "长" * 5_000
ERRORS: list[dict[str, str]] = [
    *({"登记日期": text} for text in ("", "昨天", "98.5.12", "1998年5月", "5/12/1998", "1998年2月30日", "长期")),
    *({"登记日期": text} for text in ("2099-01-01", "1900年1月1日", "1998.5.12-2008.5.12", "#N/A", "1960-01-01")),
    *(
        {"持证人": text}
        for text in ("", "王建国?", "赵钱孙", LONG, "王\x07建国", "=王建国", "王〓国", "#REF!", "锟斤拷")
    ),
    *({"登记机关": text} for text in ("", "某某局", "绍兴县民政", "民政局?", "+民政局", "#N/A", "绍兴县\ue000民政局")),
    *(
        {"男方公民身份号码": text}
        for text in ("330621680512", "3.30621E+17", "33062119680230101X", "330621196805121010")
    ),
    *({"男方姓名": text} for text in ("#VALUE!", "@王建国", LONG)),
    *({"女方姓名": text} for text in ("陈\x01丽华", "-陈丽华", "陈□华")),
    *({"结婚证字号": text} for text in ("", "#N/A", "3.30621E+17", LONG)),
    {"女方公民身份号码": "330621196805121018"},
    {"女方公民身份号码": "1"},
]


def rows() -> list[dict[str, str]]:
    """Every tenth row is wrong in one of more than forty ways."""
    first = date(1990, 1, 1)
    made = []
    for number in range(ROWS):
        wrong = ERRORS[number // WRONG_EVERY % len(ERRORS)] if number % WRONG_EVERY == 0 else {}
        right = marriage(number, 登记日期=str(first + timedelta(days=number)), 女方公民身份号码="")
        made.append(right | wrong)
    return made


def batch_of(case_no: str) -> BackfillBatch:
    with reading() as session:
        return session.get_one(BackfillBatch, case_no)


def test_a_batch_whose_worker_is_killed_goes_on_and_every_row_is_there_once(
    mailbox: Any, desk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(ERRORS) >= 40
    path = written(tmp_path / "结婚证.csv", rows(), encoding="utf-8")
    report = check_file(path, "结婚证", clock.today())
    monkeypatch.setattr(backfill_batch_files.in_chunks, "__defaults__", (CHUNK,))
    case_no = submit_batch(path, "结婚证", OFFICE, "MZ-2026-001", **{"staff_no": "KQ001"} | desk.sign("KQ001"))
    nudge(case_no)
    run_id = case_run(case_no)
    wait_until(lambda: batch_of(case_no).next_chunk >= 3, "没有开始核对", 120)
    desk.kill_worker()
    stopped_at = batch_of(case_no).next_chunk
    assert 3 <= stopped_at < ROWS // CHUNK
    desk.client.set_flow_run_state(run_id, Crashed(), force=True)
    desk.start_worker()
    desk.carry_out("系统巡检/system-round", only=["办件恢复"])
    desk.asked(case_no, "batch-sample", "KQ004")
    checked = batch_of(case_no)
    assert (checked.next_chunk, checked.good, checked.bad) == (
        ROWS // CHUNK,
        report.counts[Outcome.GOOD],
        report.counts[Outcome.BAD],
    )
    desk.decide(case_no, "batch-sample", "KQ004", wrong="无")
    assert desk.wait(run_id, StateType.COMPLETED, StateType.FAILED).name.endswith(BatchStage.REGISTERED)
    with reading() as session:
        held = select(func.count(), func.count(Certificate.number_index.distinct()))
        made = session.execute(held.where(Certificate.backfilled_by_case == case_no)).one()
        entries = session.scalar(select(func.count(AuditEntry.id)).where(AuditEntry.tag == ROW_REGISTERED))
        bad = session.scalar(select(func.count(BackfillProblem.row.distinct())))
    assert tuple(made) == (checked.good, checked.good)
    assert (entries, bad) == (checked.good, checked.bad + checked.conflict)
    assert checked.good >= ROWS * (WRONG_EVERY - 1) // WRONG_EVERY
    (progress,) = {each.type for each in desk.client.read_artifacts() if each.key == f"{case_no.lower()}-progress"}
    assert progress == "progress"
    assert mailbox.to("office06@example.cn")[-1]["Subject"] == f"批量补录结果（{case_no}）：已入库"
    assert desk.scan(["王建国", "33062119680512101X", "330621680512101"]) == []
