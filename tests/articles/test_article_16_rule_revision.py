"""第十六条：消除应用障碍。电子证照使用部门应当对本单位现行管理制度和业务流程中与本办法不相适应的条款进行修订。"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select, update

from ezt.samples import catalogue as sample_catalogue
from models.cases import Case, Deadline, StaffTask
from models.notices import OutgoingNotice
from models.organisations import Department
from models.records import AuditEntry
from models.rule_revisions import RuleRevision
from regulation.limits import RULE_REVISION, RULE_REVISION_AGAIN
from regulation.rule_revisions import STAGES, Stage, check_planned_day
from regulation.stages import TransitionError
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import InputError, RefusalError
from tasks.case.attachments import File
from tasks.case.department_links import ByLink
from tasks.desk import deadline_watch as deadlines
from tasks.desk.sheets import sheet_of
from tasks.rule_revisions import reports
from tasks.rule_revisions import steps as revisions
from tasks.rule_revisions.questions import RevisionCheck, RevisionConfirmation, RevisionReport, RuleRevisionForm
from tasks.rule_revisions.watch import remind_of_revisions
from tests.conftest import Clerk, facts_of, read_at_desk

MONDAY = date(2026, 3, 2)
PLANNED = date(2026, 4, 10)
"""A Friday, 28 working days later: Monday 6 April is off for Qingming."""
OFFICE = sample_catalogue.DEPARTMENTS[5]
"""绍兴市柯桥区民政局, which has somebody on file."""
RULE = {
    "document": "窗口收件规程",
    "clause": "第三条“须提交营业执照原件”",
    "article": 8,
    "why": "要求提交纸质原件，与电子证照优先不符。",
    "planned_on": str(PLANNED),
}
FILE = File("修订后的规程.pdf", "application/pdf", b"%PDF-1.4")

Day = Callable[[date], datetime]


@pytest.fixture
def monday(clerk: Clerk, on_day: Day) -> datetime:
    return on_day(MONDAY)


def listed(key: str = "1", **changed: object) -> Clerk:
    form = RuleRevisionForm.model_validate(RULE | changed)
    return Clerk(revisions.list_rule(form, OFFICE, key, "KQ-MZ"))


@pytest.fixture
def tracked(monday: datetime) -> Clerk:
    """A rule that was confirmed and is to be revised by its planned day."""
    case = listed()
    assert case.answer(RevisionConfirmation, verdict="确认") is None
    revisions.track_revision.run(case.case_no)
    return case


def report(case: Clerk, key: str = "r", files: Any = (FILE,), **changed: object) -> None:
    with reading() as session:
        token = session.get_one(RuleRevision, case.case_no).token
    given = {"document_no": "柯民〔2026〕9号", "in_force_on": str(clock.today()), "text": ""} | changed
    reports.report(ByLink(token), RevisionReport.model_validate(given), files, key)


def check(case: Clerk, turn: int = 1, **given: object) -> str:
    revisions.take_report.run(case.case_no, turn)
    said = case.answer(RevisionCheck, turn, **given)
    assert said is None, said
    return revisions.carry_out_check.run(case.case_no, turn)


def told(notice: str) -> dict[str, dict[str, Any]]:
    """The notices of a kind by their addresses; the last one to each."""
    with reading() as session:
        wanted = select(OutgoingNotice).where(OutgoingNotice.notice == notice).order_by(OutgoingNotice.id)
        return {row.recipient: row.context for row in session.scalars(wanted)}


def limits(case: Clerk) -> list[Deadline]:
    with reading() as session:
        wanted = select(Deadline).where(Deadline.case_no == case.case_no, Deadline.limit_code == RULE_REVISION.code)
        return list(session.scalars(wanted.order_by(Deadline.id)))


# 报送


def test_what_a_department_lists_is_a_case_of_its_own_kind_with_a_limit_for_staff(monday: datetime) -> None:
    case = listed()
    assert (case.case_no, case.stage()) == ("XD-2026-000001", Stage.LISTED)
    with reading() as session:
        deadline = session.scalars(select(Deadline)).one()
    assert (deadline.limit_code, deadline.due_on) == ("rule-revision-confirmation", date(2026, 3, 5))
    assert sheet_of(case.case_no).run_name == f"制度修订 {case.case_no} · {OFFICE} · 待确认"


def test_the_same_submission_again_is_the_same_case(monday: datetime) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: listed().case_no, range(4))) == {"XD-2026-000001"}
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(RuleRevision)) == 1


def test_the_planned_day_lies_ahead_and_not_too_far(monday: datetime) -> None:
    last = MONDAY + timedelta(days=RULE_REVISION.value)
    for wrong in (MONDAY, MONDAY - timedelta(days=1), last + timedelta(days=1)):
        with pytest.raises(InputError, match="计划修订日期"):
            listed(planned_on=str(wrong))
    for right in (MONDAY + timedelta(days=1), last):
        check_planned_day(right, MONDAY)
    with reading() as session:
        assert session.scalars(select(Case)).all() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"document": ""},
        {"clause": ""},
        {"article": 20},
        {"article": 0},
        {"why": "不"},
        {"planned_on": "很快"},
        {"x": 1},
    ],
)
def test_an_incomplete_listing_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RuleRevisionForm.model_validate(RULE | wrong)


def test_a_department_that_is_not_known_lists_nothing(monday: datetime) -> None:
    with pytest.raises(InputError, match="没有名为"):
        revisions.list_rule(RuleRevisionForm.model_validate(RULE), "某局", "1", "KQ001")


# 确认


def test_what_is_sent_back_says_why_and_ends(monday: datetime) -> None:
    case = listed()
    assert "至少5个字" in (case.answer(RevisionConfirmation, verdict="退回", reason="重复") or "")
    assert case.answer(RevisionConfirmation, verdict="退回", reason="与XD-2026-000009重复。") is None
    revisions.return_listing.run(case.case_no)
    assert case.stage() == Stage.RETURNED
    assert told("rule-revision-returned")["office06@example.cn"]["reason"] == "与XD-2026-000009重复。"
    with reading() as session:
        assert session.get_one(Case, case.case_no).closed_at is not None
    with pytest.raises(RefusalError, match="不需要报告"):
        report(case)


def test_a_planned_day_that_has_come_meanwhile_cannot_be_confirmed(monday: datetime, on_day: Day) -> None:
    case = listed()
    on_day(PLANNED)
    assert "已到" in (case.answer(RevisionConfirmation, verdict="确认") or "")
    on_day(PLANNED - timedelta(days=1))
    assert case.answer(RevisionConfirmation, verdict="确认") is None


def test_the_planned_day_is_the_limit_and_the_department_is_told(tracked: Clerk) -> None:
    (limit,) = limits(tracked)
    assert (limit.due_on, limit.days, limit.provisional) == (PLANNED, 28, False)
    notices = told("rule-revision-tracked")
    assert set(notices) == {"liaison06@example.cn", "office06@example.cn"}
    assert notices["office06@example.cn"]["due_on"] == str(PLANNED)


def test_a_planned_day_off_ends_on_the_next_working_day(monday: datetime) -> None:
    case = listed(planned_on="2026-04-11")
    assert case.answer(RevisionConfirmation, verdict="确认") is None
    revisions.track_revision.run(case.case_no)
    (limit,) = limits(case)
    assert limit.due_on == date(2026, 4, 13)


def test_a_department_that_nobody_can_write_to_is_left_to_staff(monday: datetime) -> None:
    case = listed()
    with transaction() as session:
        session.execute(update(Department).values(email=""))
    with transaction() as session:
        session.get_one(RuleRevision, case.case_no).department_uscc = session.scalars(
            select(Department.uscc).where(Department.name == sample_catalogue.DEPARTMENTS[9])
        ).one()
    assert case.answer(RevisionConfirmation, verdict="确认") is None
    revisions.track_revision.run(case.case_no)
    with reading() as session:
        assert "另行送达" in session.scalars(select(StaffTask.what)).one()


# 报告和核对


def test_a_revision_is_proved_checked_and_closed(tracked: Clerk, on_day: Day) -> None:
    on_day(date(2026, 3, 30))
    report(tracked)
    assert check(tracked, verdict="已修订") == Stage.REVISED
    (limit,) = limits(tracked)
    assert (limit.met_on, limit.missed_by) == (date(2026, 3, 30), 0)
    with reading() as session:
        row = session.get_one(RuleRevision, tracked.case_no)
        assert session.get_one(Case, tracked.case_no).closed_at is not None
    assert (row.document_no, row.in_force_on) == ("柯民〔2026〕9号", date(2026, 3, 30))
    assert told("rule-revision-closed")["office06@example.cn"]["document_no"] == "柯民〔2026〕9号"


def test_without_the_revised_file_nothing_is_reported(tracked: Clerk) -> None:
    with pytest.raises(InputError, match="附上修订后的文件"):
        report(tracked, files=())


def test_it_is_in_force_when_it_is_reported_and_was_not_before_it_was_listed(tracked: Clerk, on_day: Day) -> None:
    on_day(date(2026, 3, 30))
    with pytest.raises(InputError, match="在施行后报告"):
        report(tracked, in_force_on="2026-03-31")
    with pytest.raises(InputError, match="不能早于"):
        report(tracked, in_force_on="2026-03-01")
    wrong = {"document_no": "柯民〔2026〕9号", "in_force_on": "2026-03-31"}
    assert "在施行后报告" in (tracked.answer(RevisionReport, **wrong) or "")
    report(tracked, in_force_on="2026-03-02")


def test_a_revision_is_reported_once_and_the_same_submission_again_changes_nothing(tracked: Clerk) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: report(tracked), range(3)))
    with pytest.raises(RefusalError, match="已经报告过"):
        report(tracked, key="again")
    assert sheet_of(tracked.case_no).timeline_table().count("收到部门提交") == 1


def test_a_report_on_paper_is_typed_in_by_the_officer(tracked: Clerk) -> None:
    assert tracked.answer(RevisionReport, document_no="柯民〔2026〕9号", in_force_on=str(MONDAY)) is None
    assert check(tracked, verdict="已修订") == Stage.REVISED


def test_what_is_not_revised_goes_back_with_the_reason_and_another_date(tracked: Clerk) -> None:
    report(tracked)
    revisions.take_report.run(tracked.case_no, 1)
    assert "至少5个字" in (tracked.answer(RevisionCheck, verdict="退回", days=5) or "")
    for days in (0, RULE_REVISION_AGAIN.value + 1):
        said = tracked.answer(RevisionCheck, verdict="退回", days=days, reason="第三条没有改。")
        assert f"1至{RULE_REVISION_AGAIN.value}个工作日" in (said or "")
    assert tracked.answer(RevisionCheck, verdict="退回", days=5, reason="第三条没有改。") is None
    assert revisions.carry_out_check.run(tracked.case_no, 1) == Stage.REVISING
    notice = told("rule-revision-returned")["office06@example.cn"]
    assert (notice["reason"], notice["final"], notice["due_on"]) == ("第三条没有改。", False, "2026-03-09")
    report(tracked, key="second")
    assert check(tracked, 2, verdict="已修订") == Stage.REVISED


def test_a_case_goes_only_where_its_stage_leads() -> None:
    for stage in (Stage.RETURNED, Stage.REVISED):
        with pytest.raises(TransitionError):
            STAGES.check(stage, Stage.REVISING)
    with pytest.raises(TransitionError):
        STAGES.check(Stage.LISTED, Stage.REVISED)


# 提醒和逾期


def test_the_department_is_reminded_once_before_and_once_after_and_the_director_hears(
    tracked: Clerk, on_day: Day
) -> None:
    assert remind_of_revisions(on_day(date(2026, 3, 25))) == 0
    day = on_day(date(2026, 3, 26))
    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(lambda _: remind_of_revisions(day), range(3))) == 1
    assert told("rule-revision-due")["office06@example.cn"]["overdue"] is False
    assert remind_of_revisions(on_day(PLANNED)) == 0
    late = on_day(date(2026, 4, 13))
    assert remind_of_revisions(late) == 1
    assert told("rule-revision-due")["office06@example.cn"]["overdue"] is True
    assert remind_of_revisions(on_day(date(2026, 4, 14))) == 0
    swept = deadlines.sweep(late)
    assert (swept.overdue, swept.silent) == (1, ())
    (line,) = told("deadlines-missed")["kq004@example.cn"]["lines"]
    assert (line["case_no"], line["limit"]) == (tracked.case_no, "部门修订制度")
    assert tracked.stage() == Stage.REVISING


def test_who_has_reported_is_not_reminded_and_a_late_report_is_taken(tracked: Clerk, on_day: Day) -> None:
    at = on_day(date(2026, 4, 13))
    report(tracked)
    assert remind_of_revisions(at) == 0
    assert check(tracked, verdict="已修订") == Stage.REVISED
    (limit,) = limits(tracked)
    assert limit.missed_by == 1


# 个人信息


def test_why_it_stands_in_the_way_is_read_only_by_who_signs(tracked: Clerk) -> None:
    report(tracked, text="由张三起草。")
    sheet = sheet_of(tracked.case_no)
    shown = sheet.table() + sheet.timeline_table()
    with reading() as session:
        shown += " ".join(str(entry.detail) for entry in session.scalars(select(AuditEntry)))
        raw = str(session.connection().exec_driver_sql("SELECT why FROM rule_revisions").all())
    assert "窗口收件规程" in shown
    for hidden in ("要求提交纸质原件", "张三"):
        assert hidden not in shown
        assert hidden not in raw
    full = facts_of(read_at_desk(tracked.case_no, "KQ004"))
    assert full[f"妨碍第{RULE['article']}条"] == RULE["why"]
    assert "张三" in full["部门报告"]
