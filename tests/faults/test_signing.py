"""A signature that does not hold, and one whose leg dies: nothing is started unsigned, and nothing that was typed or
signed is lost."""

import signal
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Scheduled
from sqlalchemy import func, select

from ezt.desk import Desk
from ezt.samples import catalogue as sample_catalogue
from models.backfills import BackfillEntry
from models.cases import Case, StaffTask
from models.organisations import Leave, SpentCode, WrongCode
from models.records import AuditEntry
from regulation.certificates import Level
from regulation.limits import UNSIGNED_REGISTRATION
from runtime import clock
from runtime.database import reading
from tasks.backfill.questions import BackfillReview
from tasks.desk.runs import end_unsigned, rerun_registrations
from tests.articles.test_article_11_backfill import MARRIAGE
from tests.articles.test_article_17_system_reviews import project
from tests.conftest import answered, certificate_of, objection_about
from tests.faults.conftest import Legs
from tests.faults.leg_runner import SIGNATURE, SUSPENSION

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(300)]

OFFICE = sample_catalogue.DEPARTMENTS[5]
BACKFILL = "登记补录/backfill-intake"
INTAKES = {
    "登记异议/objection-intake": lambda: objection_about(*certificate_of(Level.CITY)).model_dump(mode="json"),
    BACKFILL: lambda: {
        "department": OFFICE,
        "certificate_type": "结婚证",
        "values": "\n".join(f"{name}：{text}" for name, text in MARRIAGE.items()),
        "service_case_no": "MZ-2026-001",
        "email": "wangjianguo@example.com",
    },
    "专人备案登记/liaison-intake": lambda: {
        "kind": "指定",
        "department": sample_catalogue.DEPARTMENTS[9],
        "position": "科员",
        "name": "钱𠮷舒",
        "phone": "0575-84120099",
        "email": "qianjishu@example.com",
    },
    "制度修订登记/rule-revision-intake": lambda: {
        "department": OFFICE,
        "document": "窗口收件规程",
        "clause": "第三条",
        "article": 8,
        "why": "按要求须提交纸质原件。",
        "planned_on": str(clock.today() + timedelta(days=60)),
    },
    "系统评审登记/system-review-intake": lambda: project(
        department=OFFICE, go_live_on=str(clock.today() + timedelta(days=7))
    ),
}
"""What is typed into the start forms that register something, without the signature."""


@pytest.fixture
def desk(legs: Legs, prefect_client: SyncPrefectClient, configure: Callable[..., None]) -> Desk:
    """Prefect's forms, where one-time codes are asked for."""
    configure(EZT_ONE_TIME_CODES="true")
    return Desk(prefect_client)


def run(desk: Desk, run_id: UUID) -> FlowRun:
    return desk.client.read_flow_run(run_id)


def state(desk: Desk, run_id: UUID) -> StateType | None:
    found = run(desk, run_id).state
    return found.type if found is not None else None


def wrong(desk: Desk, staff_no: str) -> dict[str, str]:
    """A signature that does not hold, and spends nothing."""
    right = Desk(desk.client).sign(staff_no)["code"]
    return {"staff_no": staff_no, "code": f"{(int(right) + 1) % 1_000_000:06}"}


def count(column: Any) -> int:
    with reading() as session:
        return session.scalar(select(func.count(column))) or 0


def unsigned(desk: Desk, legs: Legs, intake: str, staff_no: str = "KQ004") -> UUID:
    """A registration that waits for a signature."""
    run_id = desk.submit(intake, application=INTAKES[intake]() | wrong(desk, staff_no))
    assert legs.run(str(run_id)) == 0
    assert state(desk, run_id) is StateType.PAUSED
    return run_id


@pytest.mark.parametrize("intake", INTAKES)
def test_a_start_that_is_not_signed_is_not_started(desk: Desk, legs: Legs, intake: str) -> None:
    run_id = unsigned(desk, legs, intake)
    assert count(Case.case_no) == 0
    # Only the signature is asked for again; what was typed is there, without the code.
    form = desk.form(run_id)
    assert set(form["schema"]["properties"]) == {"staff_no", "code"}
    assert "一次性验证码不对或已过期" in form["description"]
    kept = run(desk, run_id).parameters["application"]
    assert kept == INTAKES[intake]() | {"staff_no": "KQ004", "code": ""}
    desk.resume(run_id, **desk.sign("KQ001"))
    assert legs.run(str(run_id)) == 0
    assert state(desk, run_id) is StateType.COMPLETED
    with reading() as session:
        case_no = session.scalars(select(Case.case_no)).one()
        actors = set(session.scalars(select(AuditEntry.actor).where(AuditEntry.case_no == case_no)))
    assert actors == {"KQ001"}
    assert run(desk, run_id).parameters == {"case_no": case_no}


def test_whoever_entered_a_paper_with_a_slip_in_the_signature_does_not_review_it(desk: Desk, legs: Legs) -> None:
    run_id = unsigned(desk, legs, BACKFILL)
    desk.resume(run_id, **desk.sign("KQ004"))
    assert legs.run(str(run_id)) == 0
    with reading() as session:
        entry = session.scalars(select(BackfillEntry)).one()
        session.query(SpentCode).delete()
    assert entry.entered_by == "KQ004"
    said = answered(entry.case_no, BackfillReview, 1, {"verdict": "通过"}, **desk.sign("KQ004"))
    assert "补录人不能审核自己补录的证照" in str(said)


def test_a_registration_that_nobody_signs_ends_after_a_day_and_leaves_nothing_of_a_person(
    desk: Desk, legs: Legs
) -> None:
    run_id = unsigned(desk, legs, "登记异议/objection-intake")
    day = timedelta(days=UNSIGNED_REGISTRATION.value)
    end_unsigned(desk.client, clock.now() + day - timedelta(hours=1))
    assert state(desk, run_id) is StateType.PAUSED
    with reading() as session:
        (what,) = session.scalars(select(StaffTask.what).where(StaffTask.key == f"unsigned:{run_id}"))
    assert "还没有签名" in what
    assert end_unsigned(desk.client, clock.now() + day + timedelta(minutes=1)) > 0
    assert (state(desk, run_id), run(desk, run_id).parameters) == (StateType.CANCELLED, {})
    with reading() as session:
        (what,) = session.scalars(select(StaffTask.what).where(StaffTask.key == f"registration:{run_id}"))
    assert "没有签名，未登记" in what
    assert "俞小云" not in what
    assert count(Case.case_no) == 0


def test_a_registration_whose_leg_died_before_its_form_was_written_asks_anew(desk: Desk, legs: Legs) -> None:
    intake = "登记异议/objection-intake"
    run_id = desk.submit(intake, application=INTAKES[intake]() | wrong(desk, "KQ004"))
    assert legs.run(str(run_id), SUSPENSION, "after") == -signal.SIGKILL
    assert state(desk, run_id) is StateType.PAUSED
    end_unsigned(desk.client, clock.now())
    assert legs.run(str(run_id)) == 0
    assert set(desk.form(run_id)["schema"]["properties"]) == {"staff_no", "code"}
    desk.resume(run_id, **desk.sign("KQ001"))
    assert legs.run(str(run_id)) == 0
    assert (state(desk, run_id), count(Case.case_no)) == (StateType.COMPLETED, 1)


def test_a_registration_that_is_cancelled_is_forgotten(desk: Desk, legs: Legs) -> None:
    run_id = unsigned(desk, legs, "登记异议/objection-intake")
    cancelled = desk.client.set_flow_run_state(run_id, Scheduled(), force=True)
    assert cancelled.state is not None
    desk.client.set_flow_run_state(run_id, cancelled.state.model_copy(update={"type": StateType.CANCELLED}), force=True)
    end_unsigned(desk.client, clock.now())
    assert run(desk, run_id).parameters == {}


# A leg dies between the signature and the work


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_registration_that_was_signed_is_made_good_without_another_signature(
    desk: Desk, legs: Legs, when: str
) -> None:
    intake = "登记异议/objection-intake"
    run_id = desk.submit(intake, application=INTAKES[intake]() | desk.sign("KQ001"))
    assert legs.run(str(run_id), SIGNATURE, when) == -signal.SIGKILL
    assert (count(SpentCode.staff_no), count(Case.case_no)) == (when == "after", 0)
    rerun_registrations(desk.client, clock.now() + timedelta(minutes=11))
    assert legs.run(str(run_id)) == 0
    assert state(desk, run_id) is StateType.COMPLETED
    assert (count(SpentCode.staff_no), count(Case.case_no), count(WrongCode.id)) == (1, 1, 0)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_start_form_that_was_signed_is_carried_out_without_another_signature(
    desk: Desk, legs: Legs, when: str
) -> None:
    run_id = desk.submit("登记休假/officer-leave", leave=leave() | desk.sign("KQ001"))
    assert legs.run(str(run_id), SIGNATURE, when) == -signal.SIGKILL
    assert count(Leave.id) == 0
    again(desk, run_id)
    assert legs.run(str(run_id)) == 0
    assert (state(desk, run_id), count(Leave.id)) == (StateType.COMPLETED, 1)


def test_what_was_done_once_is_not_done_again_by_whoever_starts_its_run_anew(desk: Desk, legs: Legs) -> None:
    run_id = desk.submit("登记休假/officer-leave", leave=leave() | desk.sign("KQ001"))
    parameters = run(desk, run_id).parameters
    assert legs.run(str(run_id)) == 0
    desk.client.update_flow_run(run_id, parameters=parameters)
    again(desk, run_id)
    assert legs.run(str(run_id)) == 0
    assert "已用过" in desk.form(run_id)["description"]
    assert count(Leave.id) == 1


def test_the_code_of_a_refused_start_form_serves_no_other(desk: Desk, legs: Legs) -> None:
    signed = desk.sign("KQ001")
    first = desk.submit("登记休假/officer-leave", leave=leave() | {"substitute": "KQ001"} | signed)
    assert legs.run(str(first)) == 0
    assert "不能是休假人本人" in desk.form(first)["description"]
    assert run(desk, first).parameters["leave"]["code"] == ""
    second = desk.submit("登记休假/officer-leave", leave=leave() | signed)
    assert legs.run(str(second)) == 0
    assert "已用过" in desk.form(second)["description"]
    assert count(Leave.id) == 0


def leave() -> dict[str, str]:
    today = str(clock.today())
    return {"absent": "KQ001", "substitute": "KQ002", "from_on": today, "until_on": today}


def again(desk: Desk, run_id: UUID) -> None:
    desk.client.set_flow_run_state(run_id, Scheduled(name="AwaitingRetry"), force=True)
