"""One scheduled run does all that is due every few minutes: each chore at its interval, one that fails by itself."""

import re
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey, DeploymentFilter, DeploymentFilterName
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import ArtifactSort
from sqlalchemy import select

from ezt import doctor
from ezt.desk import Desk
from ezt.doctor import Standing
from flows.housekeeping import ROUNDS, do_chore
from models.chores import ChoreDone
from models.records import AuditBlock
from runtime import clock
from runtime.database import reading, transaction
from tasks.audit import record
from tasks.desk.rounds import EVERY, Chore, due_chores, is_due, note_chore
from tests.conftest import Clerk, Time, WorkedDesk, wait_until

MINUTE = timedelta(minutes=1)


def something_happens() -> None:
    with transaction() as session:
        record(session, "case:sheet:read", None, "KQ001", clock.now())


def known() -> dict[Chore, ChoreDone]:
    with reading() as session:
        return {each.chore: each for each in session.scalars(select(ChoreDone))}


def sealed() -> int:
    with reading() as session:
        return len(session.scalars(select(AuditBlock)).all())


def test_every_chore_has_an_interval_and_work() -> None:
    assert set(EVERY) == set(ROUNDS) == set(Chore)


def test_each_chore_keeps_its_own_interval(present: Time) -> None:
    assert due_chores(present.now) == list(Chore)
    for chore in Chore:
        note_chore(chore, present.now)
    assert due_chores(present.now) == []
    # The next minute's run may begin a little less than a minute later.
    present.pass_by(MINUTE - timedelta(seconds=3))
    assert due_chores(present.now) == []
    present.pass_by(timedelta(seconds=3))
    assert due_chores(present.now) == [each for each in Chore if EVERY[each] == MINUTE]
    present.pass_by(MINUTE)
    assert due_chores(present.now) == list(Chore)


def test_a_run_that_begins_late_in_its_minute_loses_no_turn(present: Time) -> None:
    at = present.now.replace(second=59)
    assert not is_due(at, at, MINUTE)
    assert is_due(at, at + timedelta(seconds=2), MINUTE)
    # And a clock that was set back stops nothing.
    assert is_due(at, at - timedelta(days=1), MINUTE)


def test_after_a_stop_of_hours_each_is_done_once(present: Time) -> None:
    for chore in Chore:
        note_chore(chore, present.now)
    present.pass_by(timedelta(hours=7))
    done = list[Chore]()
    # Prefect makes up for what was missed, one late run after the other.
    for _ in range(13):
        for chore in due_chores(present.now):
            done.append(chore)
            note_chore(chore, present.now)
    assert done == list(Chore)


def test_what_was_broken_off_is_due_again(present: Time) -> None:
    """A run that was killed in the middle has noted nothing, and the next one does it."""
    note_chore(Chore.RECOVERY, present.now)
    assert due_chores(present.now) == [each for each in Chore if each is not Chore.RECOVERY]


def test_without_a_mail_server_nothing_has_failed(present: Time) -> None:
    assert do_chore(Chore.NOTICES) == ("未设置邮件服务器，通知留在发件箱", "")


def test_a_chore_that_fails_says_why_without_anybodys_data(present: Time, configure: Callable[..., None]) -> None:
    something_happens()
    configure(EZT_SEAL_KEYS="")
    said, trouble = do_chore(Chore.SEALING)
    assert (said, trouble) == ("", "KeysMissingError")
    assert known()[Chore.SEALING].trouble == "KeysMissingError"
    assert known()[Chore.SEALING].done_at is None


def test_the_doctor_says_which_chore_has_not_been_done(present: Time) -> None:
    for chore in Chore:
        note_chore(chore, present.now)
    (found,) = doctor.rounds()
    assert found.standing is Standing.OK
    present.pass_by(timedelta(minutes=20))
    for chore in Chore:
        note_chore(chore, present.now, "OSError" if chore is Chore.NOTICES else "")
    (found,) = doctor.rounds()
    assert found.standing is Standing.ERROR
    assert found.what == "发送通知自2026-03-03 10:20没有完成（OSError）"
    assert "系统巡检" in found.todo


def test_that_no_round_comes_is_said_by_doctor_and_on_every_page_of_the_desk(
    present: Time, clerk: Clerk, web: str
) -> None:
    opened = Desk(None, web)  # type: ignore[arg-type]
    browser = opened.browser("KQ001")
    assert "没有运行" not in browser.get("/desk").text, "a system that has just been set up"
    for chore in Chore:
        note_chore(chore, present.now)
    present.pass_by(timedelta(minutes=14))
    assert "没有运行" not in browser.get("/desk").text
    present.pass_by(timedelta(minutes=2))
    said = "系统巡检自2026-03-03 10:20没有运行"
    for page in ("/desk", "/desk/start", "/desk/letters"):
        assert said in browser.get(page).text
    (found,) = doctor.rounds()
    assert (found.standing, found.what[:22]) == (Standing.ERROR, "自2026-03-03 10:20没有运行，")
    opened.close()


@pytest.fixture
def desk(worked_desk: WorkedDesk) -> WorkedDesk:
    """With server and worker."""
    return worked_desk


def ended_by_the_clock(desk: WorkedDesk) -> list[FlowRun]:
    wanted = DeploymentFilter(name=DeploymentFilterName(any_=["system-round"]))
    runs = desk.client.read_flow_runs(deployment_filter=wanted, limit=200)
    return [run for run in runs if run.auto_scheduled and run.state is not None and run.state.is_completed()]


@pytest.mark.timeout(900)
def test_a_round_on_a_real_prefect(desk: WorkedDesk) -> None:
    """By the clock, by hand, and when one of its chores fails."""
    something_happens()
    wait_until(lambda: ended_by_the_clock(desk), "系统巡检没有按时运行", 150)
    assert set(known()) == set(Chore)
    assert all(each.done_at is not None for each in known().values())
    assert sealed() == 1
    assert all(each.name.endswith("巡检") for each in ended_by_the_clock(desk))

    by_hand_one_chore_whether_it_is_due_or_not(desk)
    late_runs_do_not_overlap_and_do_nothing_twice(desk)
    one_that_fails_fails_alone(desk)


def by_hand_one_chore_whether_it_is_due_or_not(desk: WorkedDesk) -> None:
    with transaction() as session:
        for chore in Chore:
            session.get_one(ChoreDone, chore).began_at = clock.now() + timedelta(days=1)
    before = known()
    desk.carry_out("系统巡检/system-round", only=["封存日志"])
    changed = {chore for chore, done in known().items() if done.began_at != before[chore].began_at}
    assert Chore.SEALING in changed


def late_runs_do_not_overlap_and_do_nothing_twice(desk: WorkedDesk) -> None:
    """What a stopped system finds when it starts again: many runs that are late."""
    desk.processes["worker"].terminate()
    desk.processes.pop("worker").wait(60)
    late = [desk.submit("系统巡检/system-round") for _ in range(4)]
    something_happens()
    before = sealed()
    desk.start_worker()
    ended = [desk.wait(each, StateType.COMPLETED, StateType.CANCELLED, seconds=240) for each in late]
    done = sorted((each for each in ended if each.state.type is StateType.COMPLETED), key=lambda run: run.start_time)
    assert done
    assert all(first.end_time <= second.start_time for first, second in pairwise(done))
    # By the round of the next minute, where this one's had sealed already.
    wait_until(lambda: sealed() > before, "没有封存", 120)
    assert sealed() == before + 1


def one_that_fails_fails_alone(desk: WorkedDesk) -> None:
    """Without the keys of the seals nothing can be sealed; everything else is done."""
    desk.processes["worker"].terminate()
    desk.processes.pop("worker").wait(60)
    desk.environment["EZT_SEAL_KEYS"] = "none"
    desk.start_worker()
    run = None
    while run is None or run.state.type is StateType.CANCELLED:
        # What the rounds before have sealed needs no key.
        something_happens()
        asked = desk.submit("系统巡检/system-round", only=list(Chore))
        run = desk.wait(asked, StateType.FAILED, StateType.CANCELLED, seconds=240)
    assert run.name.endswith("巡检，未完成：封存日志")
    assert "封存日志" in run.state.message
    done = known()
    assert {chore for chore, each in done.items() if each.trouble} == {Chore.SEALING}
    assert all(done[each].done_at == done[each].began_at for each in Chore if each is not Chore.SEALING)
    shown = ArtifactFilter(key=ArtifactFilterKey(any_=["system-round"]))
    (artifact,) = desk.client.read_artifacts(artifact_filter=shown, sort=ArtifactSort.CREATED_DESC, limit=1)
    assert re.search(r"\| 封存日志 \| \d{4}-.+ \| KeysMissingError \|", str(artifact.data))
