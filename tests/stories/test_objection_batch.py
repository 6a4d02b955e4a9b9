"""Article 12's objections that come many at once, on a real Prefect server: a worker that is killed in the middle, one
review for all, and runs only where somebody has something to decide."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.schemas.objects import StateType
from prefect.states import Crashed
from sqlalchemy import func, select

from gateways.stand_in import StandIn
from models.cases import Case, CaseKind
from models.notices import OutgoingNotice
from models.objection_batches import ObjectionBatch
from models.objections import VerificationRequest
from models.records import AuditEntry
from regulation.certificates import Level
from regulation.objection_batches import BatchStage
from regulation.objections import Stage
from runtime import clock
from runtime.database import reading
from tasks.desk.runs import nudge, prefect, recover
from tasks.objections import batches as objection_batches
from tasks.objections.batches import submit_batch
from tests.articles.test_article_12_batches import clear, table
from tests.conftest import wait_until
from tests.stories.test_objection_case import case_run

pytestmark = pytest.mark.timeout(600)

CHUNK = 10


def rows() -> list[dict[str, str]]:
    """Some 300 of several kinds: clear ones at both bureaus, unknown certificates, joined ones, wrong ones."""
    city, province = clear(source=Level.CITY), clear(source=Level.PROVINCE)
    unknown = [row | {"证照编号或电子证照标识": f"查无此证{n}"} for n, row in enumerate(city[:6])]
    joined = [row | {"电子邮箱": f"other{n}@example.com"} for n, row in enumerate(city[:10])]
    wrong = [row | {"联系电话": "无"} for row in city[:4]]
    return [*city, *province, *unknown, *joined, *wrong]


def stages() -> dict[str, int]:
    with reading() as session:
        wanted = select(Case.stage, func.count()).where(Case.kind == CaseKind.OBJECTION).group_by(Case.stage)
        return dict(session.execute(wanted).tuples().all())


def runs() -> dict[str, UUID]:
    """The objections that have a run."""
    with reading() as session:
        wanted = select(Case.case_no, Case.flow_run_id).where(
            Case.kind == CaseKind.OBJECTION, Case.flow_run_id.is_not(None)
        )
        return {case_no: UUID(str(run)) for case_no, run in session.execute(wanted).tuples()}


def next_chunk(batch_no: str) -> int:
    with reading() as session:
        return session.get_one(ObjectionBatch, batch_no).next_chunk


def test_a_table_of_objections_goes_its_way_with_one_signature(
    mailbox: Any, city_bureau: StandIn, desk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = rows()
    assert len(given) >= 300
    city, province = len(clear(source=Level.CITY)), len(clear(source=Level.PROVINCE))
    path = tmp_path / "异议.csv"
    path.write_bytes(table(given))
    city_bureau.reply_after = 3600
    monkeypatch.setattr(objection_batches, "CHUNK", CHUNK)
    signed = desk.sign("KQ001")
    received = submit_batch(path, "浙江省大数据局", "push@example.cn", signed["staff_no"], signed["code"])
    batch_no = received.case_no
    assert (received.rows, len(received.wrong)) == (len(given) - 4, 4)
    nudge(batch_no)
    run_id = case_run(batch_no)

    # The worker is killed between two chunks; recovery lets the same run go on.
    wait_until(lambda: next_chunk(batch_no) >= 3, "没有开始登记", 120)
    desk.kill_worker()
    assert 3 <= next_chunk(batch_no) < received.rows // CHUNK
    desk.client.set_flow_run_state(run_id, Crashed(), force=True)
    desk.start_worker()
    desk.carry_out("系统巡检/system-round", only=["办件恢复"])
    desk.asked(batch_no, "batch-review")
    assert stages() == {Stage.REGISTERED: city + province + 6, Stage.JOINED: 10}
    with reading() as session:
        numbers = session.scalars(select(Case.case_no).where(Case.kind == CaseKind.OBJECTION)).all()
        told = session.scalar(select(func.count()).where(OutgoingNotice.notice == "objection-registered"))
    assert sorted(int(number[-6:]) for number in numbers) == list(range(1, received.rows + 1))
    assert told == received.rows
    head = desk.page(batch_no)
    assert "须逐件初审" in head
    assert "本区索引中未找到该证照" in head

    # Only those with a remark have runs of their own.
    wait_until(lambda: len(runs()) == 6, "有系统提示的各件没有发起", 60)
    for each in runs().values():
        desk.wait(each, StateType.PAUSED)
    desk.decide(batch_no, "batch-review", verdict="一并受理", apart="3")

    # The city's go through its gateway, the province's with one letter.
    desk.asked(batch_no, "batch-letter")
    assert len(city_bureau.taken) == city - 1
    assert stages()[Stage.VERIFYING] == city - 1
    assert stages()[Stage.ACCEPTED] == province
    letter = {"letter_no": "柯数函〔2026〕8号", "posted_on": str(clock.today())}
    desk.decide(batch_no, "batch-letter", **letter)
    done = desk.wait(run_id, StateType.COMPLETED, StateType.FAILED)
    assert done.name.endswith(BatchStage.CLOSED)
    assert stages() == {Stage.VERIFYING: city - 1 + province, Stage.REGISTERED: 7, Stage.JOINED: 10}
    assert len(runs()) == 7

    # What waits is left alone, and what has news gets a run that finds everything done.
    with prefect() as client:
        assert recover(client, clock.now()).started == ()
    case_no = next(no for no in numbers if no not in runs() and stage_of(no) == Stage.VERIFYING and has_gateway(no))
    city_bureau.taken[f"{case_no}-1"] = _due_now(city_bureau.taken[f"{case_no}-1"])
    desk.carry_out("系统巡检/system-round", only=["上级往来"])
    wait_until(lambda: case_no in runs(), "收到回复的办件没有发起", 60)
    desk.asked(case_no, "outcome")
    assert len(runs()) == 8
    desk.decide(case_no, "outcome", outcome="已更正", reason="经市局核实，登记的内容有误，已更正。")
    desk.decide(case_no, "approve-outcome", "KQ004", opinion="同意", reason="错误明显，已电话告知持证主体。")
    assert desk.wait(case_run(case_no), StateType.COMPLETED, StateType.FAILED).name.endswith(Stage.CLOSED)

    # A paper reply for one of many: whoever has it starts the story by hand.
    paper = next(no for no in numbers if no not in runs() and stage_of(no) == Stage.VERIFYING and not has_gateway(no))
    by_hand = desk.submit("异议核查/objection-case", case_no=paper)
    wait_until(lambda: desk.client.read_flow_run(by_hand).state.type is StateType.PAUSED, "没有等待核实结果", 90)
    assert runs()[paper] == by_hand
    desk.carry_out("系统巡检/system-round", only=["办件恢复"])
    assert runs()[paper] == by_hand
    assert "另有批量异议中的" in desk.browser("KQ001").get("/desk?whose=all").text

    # Over a thousand mails take their time; the sender's own is one of them.
    assert mailbox.mails
    with reading() as session:
        summary = select(OutgoingNotice).where(OutgoingNotice.notice == "objection-batch-registered")
        told_of = session.scalars(summary).one()
        assert (told_of.recipient, told_of.context["registered"]) == ("push@example.cn", received.rows)
        entries = session.scalar(select(func.count()).where(AuditEntry.tag == "objection:case:registered"))
    assert entries == received.rows
    assert desk.scan(["俞小云", "shen1@example.com", "群贤路9999号"]) == []


def _due_now(taken: Any) -> Any:
    return replace(taken, due_at=clock.now())


def stage_of(case_no: str) -> str:
    with reading() as session:
        return session.get_one(Case, case_no).stage


def has_gateway(case_no: str) -> bool:
    with reading() as session:
        return not session.scalars(
            select(VerificationRequest.by_letter).where(VerificationRequest.case_no == case_no)
        ).one()
